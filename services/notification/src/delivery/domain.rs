//! What an attempt came to, and when the next one is.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::{
    config::DeliveryConfig,
    domain::{Medium, MessageState},
    message::domain::Message,
};

/// How an attempt went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The other side took it.
    Delivered {
        /// HTTP status or SMTP code; 0 where the medium has none.
        status_code: i32,
    },
    /// It did not, and may another time.
    Failed(Failure),
    /// It did not and never will.
    Refused(Failure),
    /// Nothing was tried, because a neighbour could not be asked: that is no attempt.
    Postponed(String),
    /// The endpoint is disabled, or said with this attempt that it wants nothing more: the message waits until it is enabled.
    Parked(Option<Failure>),
}

/// Why it did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// HTTP status or SMTP code; 0 where nothing was answered.
    pub(crate) status_code: i32,
    /// What was said, without any address.
    pub(crate) error: String,
}

impl Failure {
    /// Nothing was answered.
    pub(crate) fn of(error: impl Into<String>) -> Self {
        Self {
            status_code: 0,
            error: error.into(),
        }
    }
}

/// An attempt that is over.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) message: Message,
    /// By which medium; not set where it did not come to that.
    pub(crate) medium: Option<Medium>,
    pub(crate) start: Timestamp,
    pub(crate) duration: Duration,
    pub(crate) outcome: Outcome,
    /// Of a survey's link, for the inbox.
    pub(crate) token: Option<String>,
}

/// Where a message stands after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// It is over.
    Settled(MessageState),
    /// It is tried again at this time.
    At(Timestamp),
    /// It waits for its endpoint.
    Waits,
}

impl Attempt {
    /// Into an inbox of ours: nothing can go wrong before it is recorded.
    pub(crate) fn inbox(message: Message, now: Timestamp) -> Self {
        let outcome = Outcome::Delivered { status_code: 0 };
        Self {
            message,
            medium: Some(Medium::Inbox),
            start: now,
            duration: Duration::ZERO,
            outcome,
            token: None,
        }
    }

    /// Whether it counts: something was tried.
    pub(crate) fn counts(&self) -> bool {
        !matches!(self.outcome, Outcome::Postponed(_) | Outcome::Parked(None))
    }

    /// What went wrong, if something did.
    pub(crate) fn failure(&self) -> Option<Failure> {
        match &self.outcome {
            Outcome::Delivered { .. } | Outcome::Parked(None) => None,
            Outcome::Failed(failure) | Outcome::Refused(failure) | Outcome::Parked(Some(failure)) => {
                Some(failure.clone())
            }
            Outcome::Postponed(error) => Some(Failure::of(error)),
        }
    }

    /// Where the message stands now; `fraction` is a random number in 0 … 1.
    pub(crate) fn next(&self, config: &DeliveryConfig, now: Timestamp, fraction: f64) -> Next {
        let tried = self.message.attempts.saturating_add(1).unsigned_abs();
        match &self.outcome {
            Outcome::Delivered { .. } => Next::Settled(MessageState::Delivered),
            Outcome::Refused(_) => Next::Settled(MessageState::Dead),
            Outcome::Failed(_) if tried >= config.attempts => Next::Settled(MessageState::Dead),
            Outcome::Failed(_) => Next::At(later(now, pause(config, tried, fraction))),
            Outcome::Postponed(_) => Next::At(later(now, pause(config, 1, fraction))),
            Outcome::Parked(_) => Next::Waits,
        }
    }
}

/// The pause after the attempt of this ordinal, from 1: the base, doubled each time up to the cap, shortened by up to a half
/// so that many that failed together are not tried again together.
pub(crate) fn pause(config: &DeliveryConfig, attempt: u32, fraction: f64) -> SignedDuration {
    let doubled = config
        .base_ms
        .saturating_mul(1_u64.checked_shl(attempt.saturating_sub(1)).unwrap_or(u64::MAX));
    let longest = doubled.min(config.cap_ms).min(u64::from(u32::MAX));
    SignedDuration::from_secs_f64(Duration::from_millis(longest).as_secs_f64() * (1.0 - fraction.clamp(0.0, 1.0) / 2.0))
}

fn later(now: Timestamp, pause: SignedDuration) -> Timestamp {
    let later = now.saturating_add(pause).unwrap_or(now);
    Timestamp::from_microsecond(later.as_microsecond()).unwrap_or(later)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_cap() {
        let config = DeliveryConfig::default();
        let seconds: Vec<i64> = (1..=12).map(|attempt| pause(&config, attempt, 0.0).as_secs()).collect();
        assert_eq!(seconds, [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]);
        assert_eq!(pause(&config, 1, 1.0).as_millis(), 2_500);
    }

    proptest::proptest! {
        #[test]
        fn a_pause_is_between_half_of_what_it_may_be_and_that(attempt in 0_u32..200, fraction in 0.0..1.0, base in 1_u64..100_000, cap in 1_u64..10_000_000) {
            let config = DeliveryConfig { attempts: 8, base_ms: base, cap_ms: cap, concurrency: 1 };
            let longest = pause(&config, attempt, 0.0);
            let pause = pause(&config, attempt, fraction);
            proptest::prop_assert!(pause <= longest && pause + pause >= longest - SignedDuration::from_micros(1));
            proptest::prop_assert!(longest <= SignedDuration::from_millis(i64::try_from(cap).unwrap()));
        }
    }
}
