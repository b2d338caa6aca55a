//! Where one replica of a consumer stands in the partitions that it owns, and which of them rest after a failure.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use huiyin_chassis::secret;
use tokio::time::Instant;

use crate::effect::Progress;

/// The first pause before an effect is tried again because something was unavailable; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// See the file.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) epoch: String,
    positions: BTreeMap<i16, i64>,
    rests: BTreeMap<i16, Rest>,
}

#[derive(Debug)]
struct Rest {
    until: Instant,
    pause: Duration,
}

impl Standing {
    pub(crate) fn new(epoch: String) -> Self {
        Self {
            epoch,
            positions: BTreeMap::new(),
            rests: BTreeMap::new(),
        }
    }

    /// Forgets the partitions that are not owned any more; returns those that are new.
    pub(crate) fn own(&mut self, owned: &BTreeSet<i16>) -> Vec<i16> {
        self.positions.retain(|partition, _| owned.contains(partition));
        self.rests.retain(|partition, _| owned.contains(partition));
        owned
            .iter()
            .copied()
            .filter(|partition| !self.positions.contains_key(partition))
            .collect()
    }

    /// Stands at `position`.
    pub(crate) fn stand(&mut self, partition: i16, position: i64) {
        self.positions.insert(partition, position);
    }

    /// Where it stands; none where the partition is another's.
    pub(crate) fn position(&self, partition: i16) -> Option<i64> {
        self.positions.get(&partition).copied()
    }

    /// The cursors of all partitions that do not rest: a failure in one of them must not hold up the others.
    pub(crate) fn awake(&self) -> Vec<(i16, i64)> {
        let now = Instant::now();
        let awake = |partition: &i16| self.rests.get(partition).is_none_or(|rest| rest.until <= now);
        self.positions
            .iter()
            .filter(|(partition, _)| awake(partition))
            .map(|(partition, position)| (*partition, *position))
            .collect()
    }

    /// When the next rest is over, if that is before `limit`.
    pub(crate) fn wakes(&self, limit: Instant) -> Instant {
        let now = Instant::now();
        self.rests
            .values()
            .map(|rest| rest.until)
            .filter(|until| *until > now)
            .fold(limit, Instant::min)
    }

    /// Takes note of how it went in a partition.
    pub(crate) fn note(&mut self, partition: i16, progress: Progress) {
        let before = self.position(partition);
        let (Progress::Done(position)
        | Progress::Hole(position)
        | Progress::Moved(position)
        | Progress::Waits(position)) = progress
        else {
            return;
        };
        self.positions.insert(partition, position);
        if before.is_some_and(|before| position > before) {
            self.rests.remove(&partition);
        }
        if matches!(progress, Progress::Waits(_)) {
            let pause = self
                .rests
                .get(&partition)
                .map_or(FIRST_PAUSE, |rest| (rest.pause * 2).min(LONGEST_PAUSE));
            let until = Instant::now() + pause.mul_f64(0.5 + secret::random_fraction() / 2.0);
            self.rests.insert(partition, Rest { until, pause });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_partition_that_failed_rests() {
        let mut standing = Standing::new("e".to_owned());
        assert_eq!(standing.own(&BTreeSet::from([0, 1])), [0, 1]);
        standing.stand(0, 5);
        standing.stand(1, 7);
        let limit = Instant::now() + Duration::from_secs(2);
        assert_eq!(standing.wakes(limit), limit);
        standing.note(0, Progress::Waits(6));
        assert_eq!(standing.awake(), [(1, 7)]);
        assert!(standing.wakes(limit) < limit);
        assert_eq!(standing.own(&BTreeSet::from([1, 2])), [2]);
        assert_eq!(standing.position(0), None);
    }

    #[tokio::test]
    async fn rests_grow_until_there_is_progress() {
        let mut standing = Standing::new("e".to_owned());
        standing.stand(0, 0);
        for _ in 0..20 {
            standing.note(0, Progress::Waits(0));
        }
        assert_eq!(standing.rests[&0].pause, LONGEST_PAUSE);
        standing.note(0, Progress::Waits(1));
        assert_eq!(standing.rests[&0].pause, FIRST_PAUSE);
        standing.note(0, Progress::Done(2));
        assert_eq!(standing.awake(), [(0, 2)]);
    }
}
