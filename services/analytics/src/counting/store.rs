//! The inbox, the messages, and how far events are counted, in Postgres.

use std::collections::BTreeMap;

use huiyin_chassis::{Refusal, Tenant, Transaction, sql};
use jiff::Timestamp;
use uuid::Uuid;

use super::batch::{Progress, Settled};
use crate::fact::change::Happening;

/// An event that was taken in.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) event: Uuid,
    pub(crate) source: String,
    pub(crate) time: Timestamp,
    pub(crate) happening: Happening,
}

/// Takes an event in; nothing happens where it was before.
pub(crate) async fn take_in(tx: &mut Transaction, tenant: &str, taken: &Taken) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO inbox (tenant_id, event_id, source, occur_time, happening) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant_id, event_id) DO NOTHING",
    )
    .bind(tenant)
    .bind(taken.event)
    .bind(&taken.source)
    .bind(sql::time(taken.time))
    .bind(serde_json::to_value(&taken.happening).map_err(Refusal::fault)?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The tenants for whom there is something to count, as a worker sees them.
pub(crate) async fn tenants_with_work(tx: &mut Transaction, rollup_version: i32) -> Result<Vec<Tenant>, Refusal> {
    // From one tenant to the next along the index, past all that waits for each.
    let keys: Vec<String> = sqlx::query_scalar(
        "WITH RECURSIVE waiting (tenant_id) AS (
             SELECT min(tenant_id) FROM inbox WHERE NOT counted
             UNION ALL
             SELECT (SELECT min(inbox.tenant_id) FROM inbox WHERE NOT counted AND inbox.tenant_id > waiting.tenant_id)
             FROM waiting WHERE waiting.tenant_id IS NOT NULL
         )
         SELECT tenant_id FROM waiting WHERE tenant_id IS NOT NULL
         UNION
         SELECT tenant_id FROM counting WHERE rollup_version < $1",
    )
    .bind(rollup_version)
    .fetch_all(&mut **tx)
    .await?;
    keys.iter().map(|key| Tenant::stored(key)).collect()
}

/// All tenants of whom anything was ever counted, as a worker sees them.
pub(crate) async fn tenants(tx: &mut Transaction) -> Result<Vec<Tenant>, Refusal> {
    let keys: Vec<String> = sqlx::query_scalar("SELECT tenant_id FROM counting")
        .fetch_all(&mut **tx)
        .await?;
    keys.iter().map(|key| Tenant::stored(key)).collect()
}

/// Makes this transaction the one that counts for the tenant, and says by which version of the rollups it is counted;
/// `None` while another one does.
pub(crate) async fn hold(tx: &mut Transaction, tenant: &Tenant, rollup_version: i32) -> Result<Option<i32>, Refusal> {
    sqlx::query("INSERT INTO counting (tenant_id, rollup_version) VALUES ($1, $2) ON CONFLICT (tenant_id) DO NOTHING")
        .bind(tenant.key())
        .bind(rollup_version)
        .execute(&mut **tx)
        .await?;
    let held = sqlx::query_scalar("SELECT rollup_version FROM counting WHERE tenant_id = $1 FOR UPDATE SKIP LOCKED");
    Ok(held.bind(tenant.key()).fetch_optional(&mut **tx).await?)
}

/// Says by which version of the rollups the tenant is counted.
pub(crate) async fn set_version(tx: &mut Transaction, tenant: &Tenant, rollup_version: i32) -> Result<(), Refusal> {
    sqlx::query("UPDATE counting SET rollup_version = $2 WHERE tenant_id = $1")
        .bind(tenant.key())
        .bind(rollup_version)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct TakenRow {
    event_id: Uuid,
    source: String,
    occur_time: jiff_sqlx::Timestamp,
    happening: serde_json::Value,
}

/// What was taken in first and is not counted yet. Of one subject nothing is passed over: what came later was taken in later.
pub(crate) async fn waiting(tx: &mut Transaction, tenant: &Tenant, limit: u32) -> Result<Vec<Taken>, Refusal> {
    let rows: Vec<TakenRow> = sqlx::query_as(
        "SELECT event_id, source, occur_time, happening FROM inbox
         WHERE tenant_id = $1 AND NOT counted ORDER BY sequence LIMIT $2",
    )
    .bind(tenant.key())
    .bind(i64::from(limit))
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter()
        .map(|row| {
            let happening = serde_json::from_value(row.happening).map_err(|error| {
                Refusal::fault(anyhow::Error::from(error).context(format!("inbox {}", row.event_id)))
            })?;
            Ok(Taken {
                event: row.event_id,
                source: row.source,
                time: row.occur_time.to_jiff(),
                happening,
            })
        })
        .collect()
}

/// These events are counted; what they said is in the facts now.
pub(crate) async fn counted(tx: &mut Transaction, tenant: &Tenant, events: &[Uuid]) -> Result<(), Refusal> {
    sqlx::query("UPDATE inbox SET counted = true, happening = NULL WHERE tenant_id = $1 AND event_id = ANY($2)")
        .bind(tenant.key())
        .bind(events)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Forgets the ids of counted events that are older than `before` (ids carry time); says how many.
pub(crate) async fn forget(tx: &mut Transaction, tenant: &Tenant, before: Uuid, limit: i64) -> Result<u64, Refusal> {
    let done = sqlx::query(
        "DELETE FROM inbox WHERE tenant_id = $1 AND event_id IN (
             SELECT event_id FROM inbox WHERE tenant_id = $1 AND event_id < $2 AND counted ORDER BY event_id LIMIT $3
         )",
    )
    .bind(tenant.key())
    .bind(before)
    .bind(limit)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// The first and the last event that waits to be counted, by the order in which they were taken in.
pub(crate) async fn waiting_range(tx: &mut Transaction, tenant: &Tenant) -> Result<Option<(i64, i64)>, Refusal> {
    let (first, last): (Option<i64>, Option<i64>) = sqlx::query_as(
        "SELECT (SELECT min(sequence) FROM inbox WHERE tenant_id = $1 AND NOT counted),
                (SELECT max(sequence) FROM inbox WHERE tenant_id = $1 AND NOT counted)",
    )
    .bind(tenant.key())
    .fetch_one(&mut **tx)
    .await?;
    Ok(first.zip(last))
}

/// Moves how far the events of each source are counted.
pub(crate) async fn progress(
    tx: &mut Transaction,
    tenant: &Tenant,
    by: &BTreeMap<String, Progress>,
) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO progress (tenant_id, source, events, last_event_time)
         SELECT $1, source, events, last_event_time
         FROM unnest($2::text[], $3::bigint[], $4::timestamptz[]) AS new (source, events, last_event_time)
         ON CONFLICT (tenant_id, source) DO UPDATE
         SET events = progress.events + EXCLUDED.events,
             last_event_time = greatest(progress.last_event_time, EXCLUDED.last_event_time)",
    )
    .bind(tenant.key())
    .bind(by.keys().collect::<Vec<_>>())
    .bind(by.values().map(|progress| progress.events).collect::<Vec<_>>())
    .bind(
        by.values()
            .map(|progress| sql::time(progress.last_event_time))
            .collect::<Vec<_>>(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Which of these messages are known, and whether they were delivered.
pub(crate) async fn messages(
    tx: &mut Transaction,
    tenant: &Tenant,
    messages: &[Uuid],
) -> Result<BTreeMap<Uuid, bool>, Refusal> {
    let rows: Vec<(Uuid, bool)> =
        sqlx::query_as("SELECT message, delivered FROM message_fact WHERE tenant_id = $1 AND message = ANY($2)")
            .bind(tenant.key())
            .bind(messages)
            .fetch_all(&mut **tx)
            .await?;
    Ok(rows.into_iter().collect())
}

/// Keeps how messages ended; one that was delivered stays delivered.
pub(crate) async fn keep_messages(
    tx: &mut Transaction,
    tenant: &Tenant,
    messages: &BTreeMap<Uuid, Settled>,
) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO message_fact (tenant_id, message, work_order, delivered, last_event_time)
         SELECT $1, message, work_order, delivered, last_event_time
         FROM unnest($2::uuid[], $3::uuid[], $4::boolean[], $5::timestamptz[]) AS new (message, work_order, delivered, last_event_time)
         ON CONFLICT (tenant_id, message) DO UPDATE
         SET work_order = coalesce(EXCLUDED.work_order, message_fact.work_order),
             delivered = message_fact.delivered OR EXCLUDED.delivered,
             last_event_time = greatest(message_fact.last_event_time, EXCLUDED.last_event_time)",
    )
    .bind(tenant.key())
    .bind(messages.keys().copied().collect::<Vec<_>>())
    .bind(messages.values().map(|settled| settled.work_order).collect::<Vec<_>>())
    .bind(messages.values().map(|settled| settled.delivered).collect::<Vec<_>>())
    .bind(messages.values().map(|settled| sql::time(settled.time)).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// How the messages about a work order ended.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Messages {
    pub(crate) work_order: Uuid,
    pub(crate) delivered: i64,
    pub(crate) dead: i64,
    pub(crate) last_event_time: jiff_sqlx::Timestamp,
}

/// How the messages about these work orders ended.
pub(crate) async fn messages_of(
    tx: &mut Transaction,
    tenant: &Tenant,
    work_orders: &[Uuid],
) -> Result<Vec<Messages>, Refusal> {
    Ok(sqlx::query_as(
        "SELECT work_order, count(*) FILTER (WHERE delivered) AS delivered, count(*) FILTER (WHERE NOT delivered) AS dead,
                max(last_event_time) AS last_event_time
         FROM message_fact WHERE tenant_id = $1 AND work_order = ANY($2) GROUP BY work_order",
    )
    .bind(tenant.key())
    .bind(work_orders)
    .fetch_all(&mut **tx)
    .await?)
}

/// How many messages of the tenant were delivered, and how many are dead.
pub(crate) async fn all_messages(tx: &mut Transaction, tenant: &Tenant) -> Result<(i64, i64), Refusal> {
    Ok(sqlx::query_as(
        "SELECT count(*) FILTER (WHERE delivered), count(*) FILTER (WHERE NOT delivered) FROM message_fact WHERE tenant_id = $1",
    )
    .bind(tenant.key())
    .fetch_one(&mut **tx)
    .await?)
}
