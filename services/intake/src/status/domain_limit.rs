//! How often a feedback may be asked for, in a table that never grows: numbers that fall on one place share it, and whoever guesses
//! does not use up what is left for the one who knows.

use std::time::Duration;

use huiyin_chassis::{
    rate::{Counts, Pace},
    secret,
};
use jiff::Timestamp;

const PLACES: u16 = 1 << 13;
/// A number can be asked for so often at once,
const AT_ONCE: u32 = 30;
/// and once more after this.
const PAUSE: Duration = Duration::from_secs(2);

/// See the file.
pub(crate) struct Limit {
    key: [u8; 32],
    places: Counts<u16>,
}

impl Limit {
    pub(crate) fn new() -> Self {
        Self {
            key: secret::random_bytes(),
            places: Counts::default(),
        }
    }

    /// Takes note that somebody asks.
    ///
    /// # Errors
    /// How long to wait, where it is too often.
    pub(crate) fn ask(&self, tenant: &str, number: &str, knows: bool, now: Timestamp) -> Result<(), Duration> {
        let hash = secret::keyed_hash(&self.key, &[tenant.as_bytes(), number.as_bytes(), &[u8::from(knows)]]);
        let place = u16::from_be_bytes([hash[0], hash[1]]) % PLACES;
        self.places.take(place, Pace::one_in(PAUSE, AT_ONCE), now)
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_number_is_answered_for_so_often_and_again_after_a_pause() {
        let limit = Limit::new();
        let mut now: Timestamp = "2026-03-02T01:00:00Z".parse().unwrap();
        for _ in 0..AT_ONCE {
            limit.ask("acme", "FB20260302001", false, now).unwrap();
        }
        let wait = limit.ask("acme", "FB20260302001", false, now).unwrap_err();
        assert_eq!(wait, PAUSE);
        now += SignedDuration::try_from(wait).unwrap();
        limit.ask("acme", "FB20260302001", false, now).unwrap();
        limit.ask("acme", "FB20260302001", false, now).unwrap_err();
        // The one who knows is not held up by those who guess (two hashes of 8192 places fall together once in 8192 runs).
        let other = (0..3).any(|extra| limit.ask("acme", &format!("FB2026030200{extra}"), true, now).is_ok());
        assert!(other);
    }
}
