//! How long the queue is, looked at now and then.

use std::sync::Arc;

use huiyin_chassis::{Refusal, gauges::Gauges};
use jiff::SignedDuration;

use super::store;
use crate::room::Room;

/// Has it measured.
pub(crate) fn measure(gauges: &mut Gauges, room: &Arc<Room>) {
    let room = Arc::clone(room);
    gauges.add(move || {
        let room = Arc::clone(&room);
        async move { look(&room).await }
    });
}

async fn look(room: &Room) -> Result<(), Refusal> {
    let mut tx = room.database.worker().await?;
    let (waiting, first) = store::waiting(&mut tx).await?;
    tx.commit().await?;
    let age = first.map_or(SignedDuration::ZERO, |first| room.clock.now().duration_since(first));
    room.meters.review_queue(u64::try_from(waiting).unwrap_or(0), age);
    Ok(())
}
