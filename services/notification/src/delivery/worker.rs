//! One worker per lane: takes what is due, has it tried, and rests until it is woken or a moment has passed.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt as _, stream::FuturesUnordered};
use huiyin_chassis::{Refusal, Tasks, Tenant};
use jiff::SignedDuration;
use uuid::Uuid;

use super::store;
use crate::{
    domain::Medium,
    message::{self, domain::Lane},
    room::Room,
};

/// How often the queue is looked at: retries come due without anybody saying so.
const PAUSE: Duration = Duration::from_millis(300);
/// Messages of a batch into inboxes: one transaction each.
const INBOX_BATCH: i64 = 500;
/// How long such a batch may take before another worker takes it for lost.
const INBOX_LEASE: SignedDuration = SignedDuration::from_secs(15);

/// Starts the workers.
pub(crate) fn run(tasks: &mut Tasks, room: &Arc<Room>) {
    for (lane, name) in [
        (Lane::Inbox, "inbox deliveries"),
        (Lane::Direct, "direct deliveries"),
        (Lane::Webhook, "webhook deliveries"),
    ] {
        let room = Arc::clone(room);
        tasks.spawn(name, async move {
            while !room.shutdown.is_requested() {
                let worked = room.work(lane).await.unwrap_or_else(|refusal| {
                    tracing::warn!(task = name, error = %refusal, "a batch failed; what it took is tried again later");
                    false
                });
                if !worked {
                    tokio::select! {
                        () = room.wake(lane).notified() => {}
                        () = tokio::time::sleep(PAUSE) => {}
                        () = room.shutdown.requested() => {}
                    }
                }
            }
            Ok(())
        });
    }
}

impl Room {
    /// Takes a batch and has it tried; true where there was one.
    async fn work(&self, lane: Lane) -> Result<bool, Refusal> {
        let now = self.clock.now();
        let (limit, lease) = match lane {
            Lane::Inbox => (INBOX_BATCH, INBOX_LEASE),
            // As many as are tried at once: none waits while its lease runs.
            Lane::Direct | Lane::Webhook => (
                i64::try_from(self.delivery.concurrency).unwrap_or(INBOX_BATCH),
                self.attempt_lease,
            ),
        };
        let mut tx = self.database.worker().await?;
        let claimed = store::claim(&mut tx, lane, limit, now, now + lease).await?;
        tx.commit().await?;
        // At once: one tenant's slow endpoint holds up nobody else's messages, and no lease.
        let delivering = claimed.iter().map(async |(tenant, ids)| {
            if let Err(refusal) = self.deliver(lane, tenant, ids).await {
                tracing::warn!(%tenant, ?lane, error = %refusal, "a batch failed; what it took is tried again when its lease is over");
            }
        });
        futures::future::join_all(delivering).await;
        Ok(!claimed.is_empty())
    }

    /// Tries what was taken of one tenant.
    async fn deliver(&self, lane: Lane, tenant: &Tenant, ids: &[Uuid]) -> Result<(), Refusal> {
        let mut tx = self.database.tenant(tenant).await?;
        if self.shutdown.is_requested() {
            store::release(&mut tx, tenant, ids, self.clock.now()).await?;
            return tx.commit().await;
        }
        let messages = message::store::queued(&mut tx, tenant, ids).await?;
        let endpoints = if lane == Lane::Webhook {
            self.endpoints(&mut tx, tenant, &messages).await?
        } else {
            Vec::new()
        };
        tx.rollback().await;
        let attempts = messages
            .into_iter()
            .map(|message| self.attempt(lane, tenant, &endpoints, message));
        let mut attempts: FuturesUnordered<_> = attempts.collect();
        let mut together = Vec::new();
        let mut recorded = Ok(());
        while let Some(attempt) = attempts.next().await {
            if attempt.medium == Some(Medium::Inbox) || !attempt.counts() {
                together.push(attempt);
            } else {
                // What went out is recorded at once: a crash before that sends it again.
                // Where that fails the others are still waited for: they have gone out as well.
                recorded = recorded.and(self.record(tenant, vec![attempt]).await);
            }
        }
        recorded.and(self.record(tenant, together).await)
    }
}
