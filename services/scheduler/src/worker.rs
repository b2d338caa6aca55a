//! What the room does when a time has come: the timers of the clocks.

use huiyin_chassis::{
    Refusal, Transaction,
    timer::{Fire, Timer},
};

use crate::{room::Room, work_order};

impl Fire for Room {
    async fn fire(&self, tx: &mut Transaction, timer: &Timer) -> Result<(), Refusal> {
        work_order::fire(self, tx, timer).await
    }
}
