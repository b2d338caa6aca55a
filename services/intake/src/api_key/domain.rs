//! What an API key is, and what one may not be given.

use huiyin_chassis::{Caller, access, auth, secret};
use jiff::Timestamp;

use crate::feedback::domain::Violation;

/// A key, by its hash.
#[derive(Clone)]
pub(crate) struct ApiKey {
    /// The last part of its name.
    pub(crate) id: String,
    pub(crate) display_name: String,
    pub(crate) roles: Vec<String>,
    pub(crate) expire_time: Option<Timestamp>,
    /// 0 for what every caller has.
    pub(crate) calls_per_second: i32,
    pub(crate) hash: Vec<u8>,
    /// The one before, and until when it is good.
    pub(crate) previous: Option<(Vec<u8>, Timestamp)>,
    pub(crate) revoked: bool,
    pub(crate) revoke_reason: String,
    pub(crate) creator: String,
    pub(crate) last_use_time: Option<Timestamp>,
    pub(crate) revision: i32,
    pub(crate) create_time: Timestamp,
    pub(crate) update_time: Timestamp,
}

impl ApiKey {
    /// Changes with every change.
    pub(crate) fn etag(&self) -> String {
        self.revision.to_string()
    }

    /// Until when the one before is good, while it is.
    pub(crate) fn previous_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.previous
            .as_ref()
            .map(|(_, until)| *until)
            .filter(|until| now < *until)
    }

    /// Until when the key of this hash is good, where it is now; within, none where nothing ends it.
    pub(crate) fn good_until(&self, hash: &[u8], now: Timestamp) -> Option<Option<Timestamp>> {
        let previous = self
            .previous
            .as_ref()
            .filter(|(previous, _)| secret::same(previous, hash));
        let until = match previous {
            Some((_, until)) => Some(self.expire_time.map_or(*until, |end| end.min(*until))),
            None if secret::same(&self.hash, hash) => self.expire_time,
            None => return None,
        };
        (!self.revoked && until.is_none_or(|until| now < until)).then_some(until)
    }

    /// Takes a new key; the one that it had is good until then.
    pub(crate) fn rotate(&mut self, hash: Vec<u8>, until: Timestamp, now: Timestamp) {
        let before = std::mem::replace(&mut self.hash, hash);
        self.previous = (now < until).then_some((before, until));
    }

    /// What the rules of the proto do not say. An end that stood before is left alone, also where it has come.
    pub(crate) fn check(&self, stood: Option<Timestamp>, now: Timestamp) -> Vec<Violation> {
        let mut violations = Vec::new();
        let mut violated =
            |field: String, problem: &str| violations.push((format!("api_key.{field}"), problem.to_owned()));
        if self.roles.is_empty() {
            violated("roles".to_owned(), "must name one at least");
        }
        for (index, role) in self.roles.iter().enumerate() {
            if !auth::roles().any(|known| known == role) {
                violated(format!("roles[{index}]"), "is no role");
            }
        }
        if self.expire_time != stood && self.expire_time.is_some_and(|end| end <= now) {
            violated("expire_time".to_owned(), "must lie in the future");
        }
        if self.display_name.contains('\0') {
            violated("display_name".to_owned(), "must not contain the character U+0000");
        }
        violations
    }

    /// A permission that the key has and the caller has not: nobody hands out more than is his.
    pub(crate) fn beyond(&self, caller: &Caller) -> Option<String> {
        access::permissions()
            .find(|permission| !caller.may(permission) && self.roles.iter().any(|role| auth::grants(role, permission)))
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn key(now: Timestamp) -> ApiKey {
        ApiKey {
            id: "erp".to_owned(),
            display_name: String::new(),
            roles: vec!["integration".to_owned()],
            expire_time: None,
            calls_per_second: 0,
            hash: vec![1],
            previous: None,
            revoked: false,
            revoke_reason: String::new(),
            creator: "user:admin".to_owned(),
            last_use_time: None,
            revision: 1,
            create_time: now,
            update_time: now,
        }
    }

    #[test]
    fn a_replaced_key_is_good_for_the_overlap_and_no_longer_than_the_key_itself() {
        let now: Timestamp = "2026-03-02T01:00:00Z".parse().unwrap();
        let hours = SignedDuration::from_hours;
        let mut key = key(now);
        assert_eq!(key.good_until(&[1], now), Some(None));
        key.rotate(vec![2], now + hours(24), now);
        assert_eq!(key.good_until(&[2], now), Some(None));
        assert_eq!(key.good_until(&[1], now), Some(Some(now + hours(24))));
        assert_eq!(key.good_until(&[1], now + hours(24)), None);
        key.expire_time = Some(now + hours(1));
        assert_eq!(key.good_until(&[1], now), Some(Some(now + hours(1))));
        assert_eq!(key.good_until(&[2], now + hours(1)), None);
        key.rotate(vec![3], now, now);
        assert_eq!((key.good_until(&[2], now), key.good_until(&[1], now)), (None, None));
        key.revoked = true;
        assert_eq!(key.good_until(&[3], now), None);
    }

    #[test]
    fn every_violation_is_named() {
        let now: Timestamp = "2026-03-02T01:00:00Z".parse().unwrap();
        let mut key = key(now);
        key.roles = vec!["integration".to_owned(), "king".to_owned()];
        key.expire_time = Some(now);
        let fields = |key: &ApiKey, stood| {
            key.check(stood, now)
                .into_iter()
                .map(|(field, _)| field)
                .collect::<Vec<_>>()
        };
        assert_eq!(fields(&key, None), ["api_key.roles[1]", "api_key.expire_time"]);
        key.roles.clear();
        assert_eq!(fields(&key, Some(now)), ["api_key.roles"]);
    }
}
