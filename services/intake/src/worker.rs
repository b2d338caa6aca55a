//! What the room does later and by itself: timers that are due, and the sweep of what broken uploads left.

use std::{sync::Arc, time::Duration};

use huiyin_chassis::{
    Refusal, Service, Transaction,
    timer::{self, Fire, Timer},
};

use crate::{attachment, channel::mail, retention, room::Room, screening::compare};

impl Fire for Room {
    const SLOW: &'static [&'static str] = &[attachment::timers::SCAN, retention::service::ELSEWHERE];

    async fn fire(&self, tx: &mut Transaction, due: &Timer) -> Result<(), Refusal> {
        match due.kind.as_str() {
            kind if kind.starts_with(attachment::timers::KINDS) => self.attachment_due(tx, due).await,
            compare::KIND | compare::POSTPONED => self.compare(tx, due).await,
            mail::service::PRUNE => self.prune_mails(tx, &due.tenant).await,
            compare::PRUNE => self.prune_bands(tx, &due.tenant).await,
            retention::service::TIMER => self.retain(tx, due).await,
            retention::service::ELSEWHERE => self.retain_elsewhere(&due.tenant, due.payload()?).await,
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
    let pause = Duration::from_secs(room.files.config.sweep_s.max(1).into());
    let room = Arc::clone(room);
    service.tasks.tick("sweep of attachments", pause, move || {
        let room = Arc::clone(&room);
        async move { Ok(room.sweep().await?) }
    });
}
