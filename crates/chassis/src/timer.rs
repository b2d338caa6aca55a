//! Due work: fired once, in the transaction of its effect, by whichever replica claims it first.

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt as _;
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use tracing::Instrument as _;

use crate::{
    clock::Clock,
    db::{Database, Transaction},
    error::Refusal,
    name::Tenant,
    sql,
    tasks::{MoreToDo, Tasks},
    telemetry,
};

/// How many due timers one tick takes before it says that there is more to do.
const BATCH: u32 = 64;
/// How often the table is looked at.
const PAUSE: Duration = Duration::from_millis(200);
/// A timer whose effect fails is tried again after this, doubled each time up to 2⁸ of it.
const BACKOFF: jiff::SignedDuration = jiff::SignedDuration::from_secs(2);

/// One piece of due work.
#[derive(Debug, Clone)]
pub struct Timer {
    /// Whose it is.
    pub tenant: Tenant,
    /// What is to be done, e.g. `sla`.
    pub kind: String,
    /// What it is to be done to; unique per tenant and kind.
    pub key: String,
    /// When it was to be done.
    pub due: Timestamp,
    payload: serde_json::Value,
}

impl Timer {
    /// What the room wanted to know when it fires.
    ///
    /// # Errors
    /// A fault where it was stored as something else.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        serde_json::from_value(self.payload.clone()).map_err(Refusal::fault)
    }
}

/// Sets a timer, in place of one of the same kind and key.
///
/// A timer that is firing holds its row: replacing that one waits for it. Who holds a lock that the effect wants too gives
/// each timer a key of its own, and lets the effect look at what is so when it happens; hence a timer cannot be taken back.
///
/// # Errors
/// UNAVAILABLE where the database is gone.
pub async fn schedule(
    tx: &mut Transaction,
    tenant: &Tenant,
    kind: &str,
    key: &str,
    due: Timestamp,
    payload: &(impl Serialize + Sync),
) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO chassis.timer (tenant_id, kind, key, due_time, payload)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant_id, kind, key) DO UPDATE
         SET due_time = EXCLUDED.due_time, payload = EXCLUDED.payload, attempts = 0, error = NULL",
    )
    .bind(tenant.key())
    .bind(kind)
    .bind(key)
    .bind(sql::time(due))
    .bind(serde_json::to_value(payload).map_err(Refusal::fault)?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What a room does when a timer of its own is due.
pub trait Fire: Send + Sync + 'static {
    /// Kinds whose effect asks somebody else, who may be long in answering: they wait for one another, and nothing waits for them.
    const SLOW: &'static [&'static str] = &[];

    /// Has the effect, in the transaction, which is in the timer's tenant already. What it returns as an error did not
    /// happen and is tried again later.
    fn fire(&self, tx: &mut Transaction, timer: &Timer) -> impl Future<Output = Result<(), Refusal>> + Send;
}

/// Fires due timers until the shutdown.
pub fn run<F: Fire>(tasks: &mut Tasks, database: Database, clock: Clock, room: Arc<F>) {
    let lanes = [
        Some(("timers", false)),
        (!F::SLOW.is_empty()).then_some(("slow timers", true)),
    ];
    for (name, is_slow) in lanes.into_iter().flatten() {
        let (database, clock, room) = (database.clone(), clock.clone(), room.clone());
        tasks.tick(name, PAUSE, move || {
            let (database, clock, room) = (database.clone(), clock.clone(), room.clone());
            async move { Ok(fire(&database, &clock, &*room, Some(is_slow)).await?) }
        });
    }
}

/// Fires what is due now; true where there was a full batch.
///
/// # Errors
/// UNAVAILABLE where the database is gone.
pub async fn tick(database: &Database, clock: &Clock, room: &impl Fire) -> Result<MoreToDo, Refusal> {
    fire(database, clock, room, None).await
}

/// As [`tick`], of the slow kinds alone, of the others alone, or of all.
async fn fire<F: Fire>(database: &Database, clock: &Clock, room: &F, slow: Option<bool>) -> Result<MoreToDo, Refusal> {
    // One transaction per timer: a failing one holds up no other.
    for _ in 0..BATCH {
        let mut tx = database.worker().await?;
        let Some(timer) = claim(&mut tx, clock.now(), F::SLOW, slow).await? else {
            return Ok(MoreToDo(false));
        };
        tx.enter(&timer.tenant).await?;
        // A panic is a failed effect like another: it must not take the other timers with it.
        let span = tracing::info_span!("timer", kind = timer.kind, trace_id = tracing::field::Empty);
        telemetry::name_trace(&span);
        let effect = AssertUnwindSafe(room.fire(&mut tx, &timer).instrument(span))
            .catch_unwind()
            .await;
        match effect.unwrap_or_else(|panic| Err(Refusal::panicked(&*panic))) {
            Ok(()) => tx.commit().await?,
            Err(refusal) => {
                tx.rollback().await;
                postpone(database, clock, &timer, &refusal).await?;
            }
        }
    }
    Ok(MoreToDo(true))
}

/// Takes the timer that has been due for longest, and deletes it: with the commit of its effect it is gone.
async fn claim(
    tx: &mut Transaction,
    now: Timestamp,
    slow_kinds: &[&str],
    slow: Option<bool>,
) -> Result<Option<Timer>, Refusal> {
    let row: Option<(String, String, String, jiff_sqlx::Timestamp, serde_json::Value)> = sqlx::query_as(
        // MATERIALIZED: a subquery that is asked again and again would pass over what this statement has just deleted, and
        // take the next one, and the next.
        "WITH due AS MATERIALIZED (
             SELECT tenant_id, kind, key FROM chassis.timer
             WHERE due_time <= $1 AND ($3::boolean IS NULL OR (kind = ANY ($2)) = $3)
             ORDER BY due_time
             LIMIT 1
             FOR UPDATE SKIP LOCKED
         )
         DELETE FROM chassis.timer USING due
         WHERE (timer.tenant_id, timer.kind, timer.key) = (due.tenant_id, due.kind, due.key)
         RETURNING timer.tenant_id, timer.kind, timer.key, timer.due_time, timer.payload",
    )
    .bind(sql::time(now))
    .bind(slow_kinds)
    .bind(slow)
    .fetch_optional(&mut **tx)
    .await?;
    row.map(|(tenant, kind, key, due, payload)| {
        Ok(Timer {
            tenant: Tenant::stored(&tenant)?,
            kind,
            key,
            due: due.to_jiff(),
            payload,
        })
    })
    .transpose()
}

/// Takes at most `most` more timers of the kind and tenant of one that is firing, and deletes them: what costs as much for many as
/// for one is done for all of them at once. Where the effect fails none of them fired, and each comes by itself later.
///
/// # Errors
/// UNAVAILABLE where the database is gone.
pub async fn take_along(
    tx: &mut Transaction,
    firing: &Timer,
    now: Timestamp,
    most: i64,
) -> Result<Vec<Timer>, Refusal> {
    let rows: Vec<(String, jiff_sqlx::Timestamp, serde_json::Value)> = sqlx::query_as(
        "WITH due AS MATERIALIZED (
             SELECT key FROM chassis.timer
             WHERE tenant_id = $1 AND kind = $2 AND due_time <= $3
             ORDER BY due_time
             LIMIT $4
             FOR UPDATE SKIP LOCKED
         )
         DELETE FROM chassis.timer USING due
         WHERE timer.tenant_id = $1 AND timer.kind = $2 AND timer.key = due.key
         RETURNING timer.key, timer.due_time, timer.payload",
    )
    .bind(firing.tenant.key())
    .bind(&firing.kind)
    .bind(sql::time(now))
    .bind(most)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(key, due, payload)| Timer {
            tenant: firing.tenant.clone(),
            kind: firing.kind.clone(),
            key,
            due: due.to_jiff(),
            payload,
        })
        .collect())
}

async fn postpone(database: &Database, clock: &Clock, timer: &Timer, refusal: &Refusal) -> Result<(), Refusal> {
    let Timer {
        tenant, kind, key, due, ..
    } = timer;
    tracing::warn!(%tenant, kind, key, error = %refusal, "the effect of a timer failed; it is tried again");
    let mut tx = database.worker().await?;
    // Only as it was claimed: it may have been set anew since the effect was rolled back.
    sqlx::query(
        "UPDATE chassis.timer
         SET attempts = attempts + 1, error = $5, due_time = $4 + make_interval(secs => $6 * 2 ^ least(attempts, 8))
         WHERE tenant_id = $1 AND kind = $2 AND key = $3 AND due_time = $7",
    )
    .bind(tenant.key())
    .bind(kind)
    .bind(key)
    .bind(sql::time(clock.now()))
    .bind(refusal.to_string())
    .bind(BACKOFF.as_secs_f64())
    .bind(sql::time(*due))
    .execute(&mut *tx)
    .await?;
    tx.commit().await
}
