//! Counting by oneself, in memory.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use super::{Pace, Taken};

/// Beyond so many keys, those that are as good as new are forgotten.
const MANY: usize = 1 << 14;

/// What each key has taken, by the moment at which it is as good as new.
#[derive(Debug)]
pub struct Counts<K>(Mutex<HashMap<K, i64>>);

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash + Clone> Counts<K> {
    /// Takes one from what a key may do.
    ///
    /// # Errors
    /// After which time it may do it again.
    pub fn take(&self, key: K, pace: Pace, now: Timestamp) -> Result<(), Duration> {
        self.take_all(&[(key, pace)], now).map_err(|(_, wait)| wait)
    }

    /// Takes one of each, or none of any.
    pub(super) fn take_all(&self, wanted: &[(K, Pace)], now: Timestamp) -> Taken {
        let now = now.as_microsecond();
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let after = |(key, pace): &(K, Pace)| {
            let new_again = counts
                .get(key)
                .copied()
                // Farther ahead only after a clock was set back or a wider pace: nobody is kept out for that.
                .filter(|new_again| *new_again <= now.saturating_add(pace.ahead))
                .unwrap_or(now)
                .max(now)
                .saturating_add(pace.gap);
            (new_again, new_again - now - pace.ahead)
        };
        let after: Vec<_> = wanted.iter().map(after).collect();
        let longest = after.iter().enumerate().max_by_key(|(_, (_, wait))| *wait);
        if let Some((place, (_, wait))) = longest.filter(|(_, (_, wait))| *wait > 0) {
            return Err((place, Duration::from_micros(wait.unsigned_abs())));
        }
        if counts.len() >= MANY {
            counts.retain(|_, new_again| *new_again > now);
        }
        for ((key, _), (new_again, _)) in wanted.iter().zip(after) {
            counts.insert(key.clone(), new_again);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;

    fn pace(per_second: u32, burst: u32) -> Pace {
        Pace::one_in(Duration::from_secs(1) / per_second, burst)
    }

    fn noon() -> Timestamp {
        "2026-03-02T04:00:00Z".parse().unwrap()
    }

    #[test]
    fn so_many_at_once_and_then_one_after_each_pause() {
        let counts = Counts::default();
        let pace = pace(2, 3);
        for _ in 0..3 {
            counts.take("website", pace, noon()).unwrap();
        }
        let wait = counts.take("website", pace, noon()).unwrap_err();
        assert_eq!(wait, Duration::from_millis(500));
        counts.take("app", pace, noon()).unwrap();
        let later = noon() + SignedDuration::from_millis(500);
        counts.take("website", pace, later).unwrap();
        assert!(counts.take("website", pace, later).is_err());
    }

    #[test]
    fn of_several_none_is_taken_where_one_is_not_there() {
        let counts = Counts::default();
        let wanted = [("acme", pace(10, 10)), ("erp", pace(1, 1))];
        counts.take_all(&wanted, noon()).unwrap();
        let refused = counts.take_all(&wanted, noon()).unwrap_err();
        assert_eq!(refused, (1, Duration::from_secs(1)));
        for _ in 0..9 {
            counts.take("acme", pace(10, 10), noon()).unwrap();
        }
        assert!(counts.take("acme", pace(10, 10), noon()).is_err());
    }

    #[test]
    fn whoever_has_not_called_for_a_while_takes_no_room() {
        let counts = Counts::default();
        for n in 0..MANY {
            counts.take(n, pace(1000, 1), noon()).unwrap();
        }
        counts
            .take(0, pace(1000, 1), noon() + SignedDuration::from_secs(1))
            .unwrap();
        assert_eq!(counts.0.lock().unwrap().len(), 1);
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nobody_out_for_long() {
        let counts = Counts::default();
        let before = noon() - SignedDuration::from_hours(1);
        for now in [noon(), before] {
            for _ in 0..3 {
                counts.take("website", pace(2, 3), now).unwrap();
            }
            let wait = counts.take("website", pace(2, 3), now).unwrap_err();
            assert_eq!(wait, Duration::from_millis(500));
        }
        counts
            .take("website", pace(2, 3), before + SignedDuration::from_millis(500))
            .unwrap();
    }

    proptest! {
        /// However calls are spread: in no stretch of time go more through than the burst and what the stretch is worth.
        #[test]
        fn no_stretch_of_time_lets_more_through_than_it_is_worth(
            per_second in 1u32..2000,
            burst in 1u32..50,
            pauses in prop::collection::vec(0i64..20_000, 1..200),
        ) {
            let counts = Counts::default();
            let pace = pace(per_second, burst);
            let (mut now, mut passed) = (noon(), Vec::new());
            for pause in pauses {
                now += SignedDuration::from_micros(pause);
                match counts.take((), pace, now) {
                    Ok(()) => passed.push(now),
                    Err(wait) => {
                        let after = now + SignedDuration::try_from(wait).unwrap();
                        prop_assert!(wait <= Duration::from_secs(1), "it waits for one, never longer");
                        counts.take((), pace, after).unwrap();
                        passed.push(after);
                        now = after;
                    }
                }
            }
            let gap = pace.gap;
            for (first, from) in passed.iter().enumerate() {
                for (last, to) in passed.iter().enumerate().skip(first) {
                    let worth = (to.as_microsecond() - from.as_microsecond()) / gap + i64::from(burst);
                    let calls = last - first + 1;
                    prop_assert!(i64::try_from(calls).unwrap() <= worth, "{calls} from {from} to {to}");
                }
            }
        }
    }
}
