//! What an endpoint is.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::domain::Purpose;

/// For this long messages are signed with a replaced secret as well, so that receivers can change over.
pub(crate) const OVERLAP: SignedDuration = SignedDuration::from_hours(24);

/// A URL of the tenant's that messages are posted to. Its secrets are sealed; who holds the vault opens them.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) id: Uuid,
    pub(crate) display_name: String,
    pub(crate) url: String,
    /// Which messages it wants; empty for all.
    pub(crate) purposes: Vec<Purpose>,
    pub(crate) enabled: bool,
    /// Why it is disabled.
    pub(crate) disable_reason: String,
    /// Sealed.
    pub(crate) secret: Vec<u8>,
    /// The one before, sealed, and until when it is signed with as well.
    pub(crate) previous_secret: Option<(Vec<u8>, Timestamp)>,
    pub(crate) revision: i32,
    pub(crate) create_time: Timestamp,
    pub(crate) update_time: Timestamp,
}

impl Endpoint {
    /// Changes with every change.
    pub(crate) fn etag(&self) -> String {
        self.revision.to_string()
    }

    /// The secret before the current one, while it still counts.
    pub(crate) fn previous_secret_at(&self, now: Timestamp) -> Option<(&[u8], Timestamp)> {
        self.previous_secret
            .as_ref()
            .filter(|(_, until)| now < *until)
            .map(|(secret, until)| (secret.as_slice(), *until))
    }

    /// Takes a new secret; the one that it had counts for a while longer.
    pub(crate) fn rotate(&mut self, sealed: Vec<u8>, now: Timestamp) {
        let until = now.saturating_add(OVERLAP).unwrap_or(now);
        self.previous_secret = Some((std::mem::replace(&mut self.secret, sealed), until));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_secret_counts_for_a_day() {
        let now: Timestamp = "2026-03-02T01:00:00Z".parse().unwrap();
        let mut endpoint = Endpoint {
            id: Uuid::nil(),
            display_name: String::new(),
            url: String::new(),
            purposes: Vec::new(),
            enabled: true,
            disable_reason: String::new(),
            secret: vec![1],
            previous_secret: None,
            revision: 1,
            create_time: now,
            update_time: now,
        };
        endpoint.rotate(vec![2], now);
        assert_eq!(endpoint.secret, [2]);
        let day = SignedDuration::from_hours(24);
        assert_eq!(
            endpoint
                .previous_secret_at(now + day - SignedDuration::from_secs(1))
                .unwrap()
                .0,
            [1]
        );
        assert!(endpoint.previous_secret_at(now + day).is_none());
    }
}
