//! How often a feedback may be asked for: a token bucket for each number (as GCRA), in a table that never grows. Numbers that
//! fall on one place share it; whoever guesses does not use up what is left for the one who knows.

use std::sync::{Mutex, PoisonError};

use huiyin_chassis::secret;
use jiff::{SignedDuration, Timestamp};

const PLACES: usize = 1 << 13;
/// A number can be asked for so often at once,
const AT_ONCE: i64 = 30;
/// and once more after this.
const PAUSE: SignedDuration = SignedDuration::from_secs(2);

/// See the file.
pub(crate) struct Limit {
    key: [u8; 32],
    /// When each place is as good as new, in microseconds.
    places: Mutex<Vec<i64>>,
}

impl Limit {
    pub(crate) fn new() -> Self {
        Self {
            key: secret::random_bytes(),
            places: Mutex::new(vec![i64::MIN; PLACES]),
        }
    }

    /// Takes note that somebody asks.
    ///
    /// # Errors
    /// How long to wait, where it is too often.
    pub(crate) fn ask(&self, tenant: &str, number: &str, knows: bool, now: Timestamp) -> Result<(), SignedDuration> {
        let hash = secret::keyed_hash(&self.key, &[tenant.as_bytes(), number.as_bytes(), &[u8::from(knows)]]);
        let place = usize::from(u16::from_be_bytes([hash[0], hash[1]])) % PLACES;
        let (now, pause) = (
            now.as_microsecond(),
            i64::try_from(PAUSE.as_micros()).unwrap_or(i64::MAX),
        );
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let next = places[place].max(now) + pause;
        let wait = next - now - AT_ONCE * pause;
        if wait > 0 {
            return Err(SignedDuration::from_micros(wait));
        }
        places[place] = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_answered_for_so_often_and_again_after_a_pause() {
        let limit = Limit::new();
        let mut now: Timestamp = "2026-03-02T01:00:00Z".parse().unwrap();
        for _ in 0..AT_ONCE {
            limit.ask("acme", "FB20260302001", false, now).unwrap();
        }
        let wait = limit.ask("acme", "FB20260302001", false, now).unwrap_err();
        assert!(wait > SignedDuration::ZERO && wait <= PAUSE, "{wait:?}");
        now += wait;
        limit.ask("acme", "FB20260302001", false, now).unwrap();
        limit.ask("acme", "FB20260302001", false, now).unwrap_err();
        // The one who knows is not held up by those who guess (two hashes of 8192 places fall together once in 8192 runs).
        let other = (0..3).any(|extra| limit.ask("acme", &format!("FB2026030200{extra}"), true, now).is_ok());
        assert!(other);
    }
}
