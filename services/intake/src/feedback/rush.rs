//! Whether feedback pours in: then what nobody waits for is put off.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tokio::time::Instant;

/// So many feedbacks in one batch are a rush …
const CROWD: usize = 8;
/// … which lasts so many seconds, the one that has begun among them.
const RUSH: u64 = 2;

/// Whether feedback pours in. Clones know the same.
#[derive(Clone)]
pub(super) struct Rush {
    began: Instant,
    /// Seconds from the beginning to the end of the rush.
    until: Arc<AtomicU64>,
}

impl Rush {
    pub(super) fn none() -> Self {
        Self {
            began: Instant::now(),
            until: Arc::default(),
        }
    }

    /// A batch of so many was taken.
    pub(super) fn note(&self, taken: usize) {
        if taken >= CROWD {
            self.until
                .store(self.began.elapsed().as_secs() + RUSH, Ordering::Relaxed);
        }
    }

    pub(super) fn is_on(&self) -> bool {
        self.began.elapsed().as_secs() < self.until.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_crowd_is_a_rush_for_two_seconds_and_a_few_are_none() {
        let rush = Rush::none();
        rush.note(CROWD - 1);
        assert!(!rush.is_on());
        rush.note(CROWD);
        assert!(rush.clone().is_on());
        tokio::time::advance(Duration::from_secs(RUSH)).await;
        assert!(!rush.is_on());
    }
}
