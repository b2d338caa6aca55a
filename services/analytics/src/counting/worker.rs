//! The counter: takes what waits in the inbox, a batch of one tenant at a time, and moves facts, rollups, totals and progress
//! by it in one transaction.
//!
//! One counter per tenant works at a time, in whichever replica. Consumers therefore never wait for each other's rows, many
//! events of one feedback become one change of it, and a rollup is written once per batch.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use huiyin_chassis::{MoreToDo, Refusal, Shutdown, Tasks, Tenant, Transaction};
use jiff::SignedDuration;
use uuid::Uuid;

use super::{batch::Batch, store};
use crate::{
    fact::{self, domain::Fact},
    rollup::{
        self,
        domain::{Delta, VERSION},
        totals::Kind,
    },
    room::Room,
};

/// With nobody to wake it the counter looks this often: another replica's consumer may have taken something in.
const PAUSE: Duration = Duration::from_millis(200);
/// How often old event ids are forgotten.
const FORGET: Duration = Duration::from_secs(600);
/// So many at once, so that no transaction is long.
const FORGET_BATCH: i64 = 10_000;
/// A recount reads so many facts at once.
const RECOUNT_PAGE: i64 = 2000;

/// Starts the counter.
pub(crate) fn run(tasks: &mut Tasks, shutdown: Shutdown, room: Arc<Room>) {
    let forgetful = room.clone();
    tasks.spawn("counter", async move {
        while !shutdown.is_requested() {
            let more = room.count_all().await.unwrap_or_else(|refusal| {
                tracing::warn!(error = %refusal, "counting failed; it is tried again");
                MoreToDo(false)
            });
            if !more.0 {
                tokio::select! {
                    () = room.wake.notified() => {}
                    _ = shutdown.sleep(PAUSE) => {}
                }
            }
        }
        Ok(())
    });
    tasks.tick("old event ids", FORGET, move || {
        let room = forgetful.clone();
        async move { Ok(room.forget().await?) }
    });
}

impl Room {
    /// Counts one batch of every tenant for whom something waits.
    async fn count_all(&self) -> Result<MoreToDo, Refusal> {
        let mut tx = self.database.worker().await?;
        let tenants = store::tenants_with_work(&mut tx, VERSION).await?;
        tx.rollback().await;
        let mut more = MoreToDo(false);
        let mut outcome = Ok(());
        for tenant in tenants {
            // The trouble of one tenant keeps no other waiting.
            match self.count(&tenant).await {
                Ok(MoreToDo(this)) => more.0 |= this,
                Err(refusal) => outcome = Err(refusal),
            }
        }
        outcome.map(|()| more)
    }

    /// Counts one batch of a tenant; true where there may be more.
    async fn count(&self, tenant: &Tenant) -> Result<MoreToDo, Refusal> {
        let mut tx = self.database.tenant(tenant).await?;
        match store::hold(&mut tx, tenant, VERSION).await? {
            Some(version) if version == VERSION => {}
            Some(version) if version < VERSION => self.recount(&mut tx, tenant).await?,
            Some(version) => {
                tracing::warn!(%tenant, version, "a newer version has counted; this one leaves it to that");
                return Ok(MoreToDo(false));
            }
            None => return Ok(MoreToDo(false)), // another replica counts
        }
        let taken = store::waiting(&mut tx, tenant, self.counting.batch).await?;
        let more = MoreToDo(!taken.is_empty());
        let batch = Batch::of(taken);
        let (progress, first) = (batch.progress.clone(), batch.first);
        self.take(&mut tx, tenant, batch).await?;
        tx.commit().await?;
        for (source, progress) in progress {
            self.meters.counted(&source, progress.events);
        }
        if let Some(first) = first {
            self.meters.lagged(first, self.clock.now());
        }
        Ok(more)
    }

    async fn take(&self, tx: &mut Transaction, tenant: &Tenant, batch: Batch) -> Result<(), Refusal> {
        if batch.events.is_empty() {
            return Ok(());
        }
        let mut delta = Delta::default();
        if !batch.messages.is_empty() {
            let known = store::messages(tx, tenant, &batch.messages.keys().copied().collect::<Vec<_>>()).await?;
            for (message, settled) in &batch.messages {
                settled.count(known.get(message).copied(), &mut delta);
            }
            store::keep_messages(tx, tenant, &batch.messages).await?;
        }

        let before = fact::store::of(tx, tenant, &batch.feedbacks(), &batch.work_orders()).await?;
        let before: BTreeMap<Uuid, Fact> = before.into_iter().map(|fact| (fact.feedback, fact)).collect();
        let mut after = before.clone();
        let mut work_orders = batch.work_orders();
        for (feedback, change, time) in batch.changes {
            let fact = after.entry(feedback).or_insert_with(|| Fact::new(feedback));
            let was_known = fact.work_order.is_some();
            fact.apply(change, time);
            if let (false, Some(order)) = (was_known, &fact.work_order) {
                work_orders.push(order.id); // its messages may have come before it
            }
        }
        tell_messages(tx, tenant, &mut after, &work_orders).await?;

        let changed: Vec<&Fact> = after
            .values()
            .filter(|fact| before.get(&fact.feedback) != Some(fact))
            .collect();
        for fact in &changed {
            delta.replace(before.get(&fact.feedback), fact);
        }
        fact::store::keep(tx, tenant, &changed).await?;
        rollup::store::add(tx, tenant, &delta).await?;
        store::progress(tx, tenant, &batch.progress).await?;
        store::counted(tx, tenant, &batch.events).await
    }

    /// Counts the rollups and totals of a tenant again, from all facts.
    async fn recount(&self, tx: &mut Transaction, tenant: &Tenant) -> Result<(), Refusal> {
        tracing::info!(%tenant, version = VERSION, "counting again from the facts");
        rollup::store::clear(tx, tenant).await?;
        let mut delta = Delta::default();
        let (delivered, dead) = store::all_messages(tx, tenant).await?;
        delta.total(Kind::MessagesDelivered.alone(), delivered);
        delta.total(Kind::MessagesDead.alone(), dead);
        let mut last = Uuid::nil();
        loop {
            let facts = fact::store::after(tx, tenant, last, RECOUNT_PAGE).await?;
            let Some(end) = facts.last() else { break };
            last = end.feedback;
            for fact in &facts {
                delta.replace(None, fact);
            }
            rollup::store::add(tx, tenant, &std::mem::take(&mut delta)).await?;
        }
        rollup::store::add(tx, tenant, &delta).await?;
        store::set_version(tx, tenant, VERSION).await
    }

    /// Forgets the ids of events that no source can send again.
    async fn forget(&self) -> Result<MoreToDo, Refusal> {
        let mut tx = self.database.worker().await?;
        let tenants = store::tenants(&mut tx).await?;
        tx.rollback().await;
        let kept = SignedDuration::from_hours(24 * i64::from(self.counting.remember_days));
        let before = self.clock.now().saturating_sub(kept).map_err(Refusal::fault)?;
        let milliseconds = u64::try_from(before.as_millisecond()).unwrap_or(0);
        let before = uuid::Builder::from_unix_timestamp_millis(milliseconds, &[0; 10]).into_uuid();
        let mut more = MoreToDo(false);
        for tenant in tenants {
            let mut tx = self.database.tenant(&tenant).await?;
            let forgotten = store::forget(&mut tx, &tenant, before, FORGET_BATCH).await?;
            tx.commit().await?;
            more.0 |= forgotten > 0;
        }
        Ok(more)
    }
}

/// Brings what facts know of messages up to date, for these work orders.
async fn tell_messages(
    tx: &mut Transaction,
    tenant: &Tenant,
    facts: &mut BTreeMap<Uuid, Fact>,
    work_orders: &[Uuid],
) -> Result<(), Refusal> {
    if work_orders.is_empty() {
        return Ok(());
    }
    let messages = store::messages_of(tx, tenant, work_orders).await?;
    let messages: BTreeMap<Uuid, store::Messages> =
        messages.into_iter().map(|found| (found.work_order, found)).collect();
    for fact in facts.values_mut() {
        let known = fact.work_order.as_ref().and_then(|order| messages.get(&order.id));
        if let Some(known) = known {
            fact.messages_delivered = known.delivered;
            fact.messages_dead = known.dead;
            fact.last_event_time = fact.last_event_time.max(known.last_event_time.to_jiff());
        }
    }
    Ok(())
}
