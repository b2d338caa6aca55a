//! What a timer does: the warnings and breaches that are due, each exactly once (003-42).

use huiyin_chassis::{Refusal, Transaction, timer::Timer};

use super::{
    domain::SYSTEM,
    service::{Due, held, keep, set_timer},
    store,
};
use crate::room::Room;

/// Marks the clocks of a work order whose time has come. What is written down with a clock decides, not the timer: one that fires
/// twice, late, or for a deadline that has moved on marks nothing that is not due or marked already.
pub(crate) async fn fire(room: &Room, tx: &mut Transaction, timer: &Timer) -> Result<(), Refusal> {
    let Due { work_order, at } = timer.payload()?;
    let Some(mut order) = store::lock(tx, &timer.tenant, work_order).await? else {
        return Ok(());
    };
    if order.timer_time == Some(at) {
        order.timer_time = None;
    }
    let mut change = held(room, tx, &timer.tenant, order, SYSTEM).await?;
    if change.happened() {
        let late = at.duration_until(change.now());
        return keep(room, tx, &timer.tenant, &mut change, Some(late)).await;
    }
    set_timer(tx, &timer.tenant, &mut change).await?;
    store::save_timer(tx, &timer.tenant, &change.order).await
}
