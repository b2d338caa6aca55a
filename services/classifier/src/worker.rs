//! What the room does when a time has come: the timers of joint reviews.

use huiyin_chassis::{
    Refusal, Transaction,
    timer::{Fire, Timer},
};

use crate::{classification, room::Room};

impl Fire for Room {
    async fn fire(&self, tx: &mut Transaction, timer: &Timer) -> Result<(), Refusal> {
        classification::fire(self, tx, timer).await
    }
}
