//! What the room does later and by itself: timers that are due.

use std::sync::Arc;

use huiyin_chassis::{
    Refusal, Service, Transaction,
    timer::{self, Fire, Timer},
};

use crate::{retention, room::Room};

impl Fire for Room {
    async fn fire(&self, tx: &mut Transaction, due: &Timer) -> Result<(), Refusal> {
        match due.kind.as_str() {
            retention::service::TIMER => self.retain(tx, &due.tenant, due.payload()?).await,
            other => Err(Refusal::fault(anyhow::anyhow!("nobody knows what {other} is for"))),
        }
    }
}

/// Starts all of it.
pub(crate) fn start(service: &mut Service, room: &Arc<Room>) {
    timer::run(
        &mut service.tasks,
        service.database.clone(),
        service.clock.clone(),
        Arc::clone(room),
    );
}
