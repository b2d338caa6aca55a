//! Time and ids as parameters: the system's clock in production, one that the test holds in tests.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// Where the suite takes the time from. Clones share one clock.
#[derive(Debug, Clone, Default)]
pub struct Clock(Source);

#[derive(Debug, Clone, Default)]
enum Source {
    #[default]
    System,
    Held(Arc<Mutex<Timestamp>>),
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until [`Clock::advance`] moves it.
    #[must_use]
    pub fn held(at: Timestamp) -> Self {
        Self(Source::Held(Arc::new(Mutex::new(at))))
    }

    /// The present moment, in whole microseconds: what Postgres stores is what was said.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let now = match &self.0 {
            #[expect(clippy::disallowed_methods, reason = "this is where the time comes from")]
            Source::System => Timestamp::now(),
            Source::Held(at) => *at.lock().unwrap_or_else(PoisonError::into_inner),
        };
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    /// Moves a held clock forward; the system's clock is not moved.
    pub fn advance(&self, by: SignedDuration) {
        if let Source::Held(at) = &self.0 {
            let mut at = at.lock().unwrap_or_else(PoisonError::into_inner);
            *at = at.saturating_add(by).unwrap_or(*at);
        }
    }

    /// A new id whose order follows the clock (UUIDv7).
    #[must_use]
    pub fn id(&self) -> Uuid {
        let now = self.now();
        let seconds = u64::try_from(now.as_second()).unwrap_or(0);
        let nanoseconds = u32::try_from(now.subsec_nanosecond()).unwrap_or(0);
        Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanoseconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_clock_stands_still_until_it_is_advanced() {
        let clock = Clock::held("2026-03-02T09:00:00Z".parse().unwrap());
        let before = clock.now();
        assert_eq!(clock.now(), before);
        let same = Clock::clone(&clock);
        same.advance(SignedDuration::from_hours(2));
        assert_eq!(clock.now().to_string(), "2026-03-02T11:00:00Z");
    }

    #[test]
    fn ids_follow_the_clock() {
        let clock = Clock::held("2026-03-02T09:00:00Z".parse().unwrap());
        let first = clock.id();
        clock.advance(SignedDuration::from_millis(1));
        assert!(first < clock.id());
    }
}
