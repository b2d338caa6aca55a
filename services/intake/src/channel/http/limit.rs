//! How often each source may send: the generic cell rate algorithm, on the clock of the service.

use std::{num::NonZeroU32, time::Duration};

use governor::{Quota, RateLimiter, clock, middleware::NoOpMiddleware, state::keyed::HashMapStateStore};
use huiyin_chassis::{Clock, Tenant};

use crate::config::HttpConfig;

/// The clock of the service as the limiter reads it: since 1970.
#[derive(Clone)]
struct Ours(Clock);

impl clock::Clock for Ours {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.now().as_microsecond()).unwrap_or(0))
    }
}

type Key = (String, String);

/// Counts what each source sends. It holds no more keys than there are sources: only what a source has signed is counted.
pub(super) struct Limit {
    limiter: RateLimiter<Key, HashMapStateStore<Key>, Ours, NoOpMiddleware<Duration>>,
    clock: Ours,
}

impl Limit {
    /// # Errors
    /// Where a limit is 0.
    pub(super) fn new(config: &HttpConfig, clock: &Clock) -> anyhow::Result<Self> {
        let least_one = |number| {
            NonZeroU32::new(number).ok_or_else(|| anyhow::anyhow!("[http] per_second and burst are at least 1"))
        };
        let quota = Quota::per_second(least_one(config.per_second)?).allow_burst(least_one(config.burst)?);
        let clock = Ours(clock.clone());
        Ok(Self {
            limiter: RateLimiter::hashmap_with_clock(quota, clock.clone()),
            clock,
        })
    }

    /// Takes one from what the source may send.
    ///
    /// # Errors
    /// After which time it may send again.
    pub(super) fn take(&self, tenant: &Tenant, source: &str) -> Result<(), Duration> {
        let key = (tenant.key().to_owned(), source.to_owned());
        self.limiter
            .check_key(&key)
            .map_err(|not_yet| not_yet.wait_time_from(clock::Clock::now(&self.clock)))
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_source_that_sends_too_often_is_told_when_to_come_back() {
        let clock = Clock::held("2026-03-02T01:00:00Z".parse().unwrap());
        let config = HttpConfig {
            per_second: 2,
            burst: 3,
            ..HttpConfig::default()
        };
        let limit = Limit::new(&config, &clock).unwrap();
        let (acme, globex) = (Tenant::stored("acme").unwrap(), Tenant::stored("globex").unwrap());
        for _ in 0..3 {
            limit.take(&acme, "website").unwrap();
        }
        assert_eq!(limit.take(&acme, "website").unwrap_err(), Duration::from_millis(500));
        limit.take(&acme, "app").unwrap();
        limit.take(&globex, "website").unwrap();
        clock.advance(SignedDuration::from_millis(500));
        limit.take(&acme, "website").unwrap();
        assert!(limit.take(&acme, "website").is_err());
        let none = HttpConfig {
            burst: 0,
            ..HttpConfig::default()
        };
        assert!(Limit::new(&none, &clock).is_err());
    }
}
