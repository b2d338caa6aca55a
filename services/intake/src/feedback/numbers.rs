//! Display numbers in hand: taken from the store in blocks, so that a batch under load pays no round trip for its numbers.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use huiyin_chassis::{Database, Refusal, Tenant};
use jiff::{SignedDuration, Timestamp};

use crate::feedback::store;

/// Who needs more than one at a time, or again …
const SOON: SignedDuration = SignedDuration::from_secs(1);
/// … will soon need as many once more: so many times the need is taken …
const AHEAD: i64 = 16;
/// … but no more than this beyond it: what is in hand when the process ends becomes a gap.
const MOST_AHEAD: i64 = 512;

/// The numbers that this process took and has not given yet, by tenant and day. Clones share them.
///
/// A number is given once, whether its feedback is stored or not (C-21); those in hand when the process ends are given to
/// nobody. Where feedback comes now and then, none is taken ahead.
#[derive(Clone, Default)]
pub(crate) struct Numbers(Arc<Mutex<HashMap<String, InHand>>>);

/// The latest block of a tenant.
struct InHand {
    day: i32,
    left: Range<i64>,
    /// When it was taken.
    since: Timestamp,
}

impl Numbers {
    /// Takes `count` sequence numbers of a tenant's day: rising, all different from any given before, by any process.
    ///
    /// # Errors
    /// UNAVAILABLE where the database is gone.
    pub(crate) async fn take(
        &self,
        database: &Database,
        tenant: &Tenant,
        day: i32,
        count: i64,
        now: Timestamp,
    ) -> Result<impl Iterator<Item = i64> + use<>, Refusal> {
        let (first, is_again) = self.draw(tenant, day, count, now);
        let missing = count - (first.end - first.start);
        let more = if missing == 0 {
            0..0
        } else {
            let wanted = if count > 1 || is_again {
                missing.max(MOST_AHEAD.min(missing.saturating_mul(AHEAD)))
            } else {
                missing
            };
            // A transaction of its own: no batch waits for another one's counter.
            let mut tx = database.tenant(tenant).await?;
            let start = store::numbers::take(&mut tx, tenant, day, wanted).await?;
            tx.commit().await?;
            let left = start + missing..start + wanted;
            self.keep(tenant, InHand { day, left, since: now });
            start..start + missing
        };
        Ok(first.chain(more))
    }

    /// At most `count` of those in hand, and whether the block that they are of was taken a moment ago.
    fn draw(&self, tenant: &Tenant, day: i32, count: i64, now: Timestamp) -> (Range<i64>, bool) {
        let mut hands = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(hand) = hands.get_mut(tenant.key()).filter(|hand| hand.day == day) else {
            return (0..0, false);
        };
        let end = hand.left.end.min(hand.left.start + count);
        let taken = hand.left.start..end;
        hand.left.start = end;
        (taken, now.duration_since(hand.since) < SOON)
    }

    /// Keeps a block in hand. Where another caller came first, what that one left is given up: a gap, and no double.
    fn keep(&self, tenant: &Tenant, block: InHand) {
        let mut hands = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hands.insert(tenant.key().to_owned(), block);
    }
}
