//! What the room does when a time has come: the timers of joint reviews, and of new feedback that may be of a problem.

use huiyin_chassis::{
    Refusal, Transaction,
    timer::{Fire, Timer},
};

use crate::{classification, problem, room::Room};

impl Fire for Room {
    async fn fire(&self, tx: &mut Transaction, timer: &Timer) -> Result<(), Refusal> {
        if problem::is_timer(&timer.kind) {
            return problem::fire(self, tx, timer).await;
        }
        classification::fire(self, tx, timer).await
    }
}
