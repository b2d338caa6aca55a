//! What the room does when a time has come.

use huiyin_chassis::{
    Refusal, Transaction,
    timer::{Fire, Timer},
};

use crate::{room::Room, screening::compare};

impl Fire for Room {
    async fn fire(&self, tx: &mut Transaction, timer: &Timer) -> Result<(), Refusal> {
        match timer.kind.as_str() {
            compare::KIND => self.compare(tx, timer).await,
            compare::PRUNE => self.prune_bands(tx, &timer.tenant).await,
            kind => Err(Refusal::fault(anyhow::anyhow!(
                "nobody knows what to do for a timer of {kind}"
            ))),
        }
    }
}
