//! All SQL about the queue and about attempts.

use std::collections::BTreeMap;

use huiyin_chassis::{Refusal, Tenant, Transaction, sql};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    domain::{Medium, MessageState},
    message::domain::Lane,
};

/// Attempts that are kept of each message.
const KEPT: i32 = 50;

/// Takes what a statement has locked. MATERIALIZED: asked once, however the update is planned.
macro_rules! claim {
    ($due:literal) => {
        concat!(
            "WITH due AS MATERIALIZED (",
            $due,
            ")
             UPDATE due_message SET next_attempt_time = $4 FROM due
             WHERE (due_message.tenant_id, due_message.message_id) = (due.tenant_id, due.message_id)
             RETURNING due_message.tenant_id, due_message.message_id"
        )
    };
}

/// Takes what is due in a lane, for a while: whoever takes it and dies leaves it to the next when that is over.
pub(crate) async fn claim(
    tx: &mut Transaction,
    lane: Lane,
    limit: i64,
    now: Timestamp,
    until: Timestamp,
) -> Result<BTreeMap<Tenant, Vec<Uuid>>, Refusal> {
    let statement = match lane {
        // Nobody is slow there.
        Lane::Inbox => claim!(
            "SELECT tenant_id, message_id FROM due_message
             WHERE lane = $1 AND next_attempt_time <= $3
             ORDER BY next_attempt_time
             LIMIT $2
             FOR UPDATE SKIP LOCKED"
        ),
        // Every endpoint, and every tenant's mail, has a first turn before any has a second: one that hangs fills no batch while
        // others wait. Looked at are a thousand that wait longest and a thousand that wait shortest: however much waits for
        // one that hangs, what comes for another is among them. More are chosen than are locked: other workers lock theirs at the
        // same time, of the same. The lock looks again whether it is still due.
        Lane::Direct | Lane::Webhook => claim!(
            "SELECT d.tenant_id, d.message_id
             FROM (
                 SELECT tenant_id, message_id, next_attempt_time,
                        row_number() OVER (PARTITION BY tenant_id, endpoint_id ORDER BY next_attempt_time, message_id) AS turn
                 FROM (
                     (SELECT tenant_id, message_id, endpoint_id, next_attempt_time FROM due_message
                      WHERE lane = $1 AND next_attempt_time <= $3
                      ORDER BY next_attempt_time LIMIT 1000)
                     UNION
                     (SELECT tenant_id, message_id, endpoint_id, next_attempt_time FROM due_message
                      WHERE lane = $1 AND next_attempt_time <= $3
                      ORDER BY next_attempt_time DESC LIMIT 1000)
                 ) AS seen
                 ORDER BY turn, next_attempt_time
                 LIMIT $2 * 8
             ) AS waiting
             JOIN due_message d ON d.tenant_id = waiting.tenant_id AND d.message_id = waiting.message_id
             WHERE d.lane = $1 AND d.next_attempt_time <= $3
             ORDER BY waiting.turn, waiting.next_attempt_time
             LIMIT $2
             FOR UPDATE OF d SKIP LOCKED"
        ),
    };
    let rows: Vec<(String, Uuid)> = sqlx::query_as(statement)
        .bind(lane.number())
        .bind(limit)
        .bind(sql::time(now))
        .bind(sql::time(until))
        .fetch_all(&mut **tx)
        .await?;
    let mut claimed = BTreeMap::<Tenant, Vec<Uuid>>::new();
    for (tenant, id) in rows {
        claimed.entry(Tenant::stored(&tenant)?).or_default().push(id);
    }
    Ok(claimed)
}

/// Gives back what was taken and not tried.
pub(crate) async fn release(
    tx: &mut Transaction,
    tenant: &Tenant,
    ids: &[Uuid],
    now: Timestamp,
) -> Result<(), Refusal> {
    sqlx::query("UPDATE due_message SET next_attempt_time = $3 WHERE tenant_id = $1 AND message_id = ANY ($2)")
        .bind(tenant.key())
        .bind(ids)
        .bind(sql::time(now))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// What is recorded of an attempt.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) id: Uuid,
    /// As it was when the attempt began: where another has been recorded since, this one is not.
    pub(crate) seen_total: i32,
    pub(crate) counts: bool,
    pub(crate) medium: Option<Medium>,
    pub(crate) state: MessageState,
    /// Not set where it waits for its endpoint.
    pub(crate) next: Option<Timestamp>,
    pub(crate) start: Timestamp,
    pub(crate) duration_us: i64,
    pub(crate) status_code: i32,
    pub(crate) error: String,
}

/// Records attempts, and says which of them counted for something: those whose message was still queued and as it was seen.
/// With it the messages are locked.
pub(crate) async fn record(
    tx: &mut Transaction,
    tenant: &Tenant,
    records: &[Record],
    now: Timestamp,
) -> Result<Vec<Uuid>, Refusal> {
    let ids: Vec<Uuid> = records.iter().map(|record| record.id).collect();
    let recorded: Vec<(Uuid, i32)> = sqlx::query_as(
        "WITH new AS (
             SELECT * FROM unnest($2::uuid[], $3::integer[], $4::boolean[], $5::smallint[], $6::smallint[], $7::text[])
                 AS new (id, seen_total, counts, medium, state, error)
         ), locked AS (
             SELECT m.id FROM message m JOIN new ON new.id = m.id
             WHERE m.tenant_id = $1 AND m.state = 1 AND m.total_attempts = new.seen_total
             ORDER BY m.id
             FOR UPDATE OF m
         )
         UPDATE message m
         SET state = new.state,
             medium = CASE WHEN new.medium = 0 THEN m.medium ELSE new.medium END,
             attempts = m.attempts + new.counts::integer,
             total_attempts = m.total_attempts + new.counts::integer,
             last_error = CASE WHEN new.error = '' THEN m.last_error ELSE new.error END,
             settle_time = CASE WHEN new.state = 1 THEN NULL ELSE $8 END
         FROM new JOIN locked ON locked.id = new.id
         WHERE m.tenant_id = $1 AND m.id = new.id
         RETURNING m.id, m.total_attempts",
    )
    .bind(tenant.key())
    .bind(&ids)
    .bind(records.iter().map(|record| record.seen_total).collect::<Vec<_>>())
    .bind(records.iter().map(|record| record.counts).collect::<Vec<_>>())
    .bind(
        records
            .iter()
            .map(|record| record.medium.map_or(0, Medium::number))
            .collect::<Vec<_>>(),
    )
    .bind(records.iter().map(|record| record.state.number()).collect::<Vec<_>>())
    .bind(records.iter().map(|record| record.error.as_str()).collect::<Vec<_>>())
    .bind(sql::time(now))
    .fetch_all(&mut **tx)
    .await?;
    let ordinals: BTreeMap<Uuid, i32> = recorded.into_iter().collect();
    let records: Vec<&Record> = records
        .iter()
        .filter(|record| ordinals.contains_key(&record.id))
        .collect();
    keep(tx, tenant, &records, &ordinals).await?;
    settle_queue(tx, tenant, &records).await?;
    Ok(ordinals.into_keys().collect())
}

/// Keeps the attempts themselves, the last fifty of each message.
async fn keep(
    tx: &mut Transaction,
    tenant: &Tenant,
    records: &[&Record],
    ordinals: &BTreeMap<Uuid, i32>,
) -> Result<(), Refusal> {
    let counted: Vec<&&Record> = records.iter().filter(|record| record.counts).collect();
    if counted.is_empty() {
        return Ok(());
    }
    let ordinals: Vec<i32> = counted
        .iter()
        .map(|record| ordinals.get(&record.id).copied().unwrap_or(0))
        .collect();
    sqlx::query(
        "INSERT INTO delivery (tenant_id, message_id, ordinal, start_time, duration_us, delivered, status_code, error)
         SELECT $1, * FROM unnest($2::uuid[], $3::integer[], $4::timestamptz[], $5::bigint[], $6::boolean[], $7::integer[], $8::text[])",
    )
    .bind(tenant.key())
    .bind(counted.iter().map(|record| record.id).collect::<Vec<_>>())
    .bind(&ordinals)
    .bind(counted.iter().map(|record| sql::time(record.start)).collect::<Vec<_>>())
    .bind(counted.iter().map(|record| record.duration_us).collect::<Vec<_>>())
    .bind(counted.iter().map(|record| record.state == MessageState::Delivered).collect::<Vec<_>>())
    .bind(counted.iter().map(|record| record.status_code).collect::<Vec<_>>())
    .bind(counted.iter().map(|record| record.error.as_str()).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    for (record, ordinal) in counted.iter().zip(&ordinals).filter(|(_, ordinal)| **ordinal > KEPT) {
        sqlx::query("DELETE FROM delivery WHERE tenant_id = $1 AND message_id = $2 AND ordinal <= $3")
            .bind(tenant.key())
            .bind(record.id)
            .bind(ordinal - KEPT)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

/// What is settled leaves the queue; what is not gets its next time in it.
async fn settle_queue(tx: &mut Transaction, tenant: &Tenant, records: &[&Record]) -> Result<(), Refusal> {
    let (waiting, settled): (Vec<&&Record>, Vec<&&Record>) =
        records.iter().partition(|record| record.state == MessageState::Queued);
    if !settled.is_empty() {
        sqlx::query("DELETE FROM due_message WHERE tenant_id = $1 AND message_id = ANY ($2)")
            .bind(tenant.key())
            .bind(settled.iter().map(|record| record.id).collect::<Vec<_>>())
            .execute(&mut **tx)
            .await?;
    }
    if !waiting.is_empty() {
        sqlx::query(
            "UPDATE due_message d SET next_attempt_time = new.next
             FROM unnest($2::uuid[], $3::timestamptz[]) AS new (id, next)
             WHERE d.tenant_id = $1 AND d.message_id = new.id",
        )
        .bind(tenant.key())
        .bind(waiting.iter().map(|record| record.id).collect::<Vec<_>>())
        .bind(
            waiting
                .iter()
                .map(|record| sql::time_opt(record.next))
                .collect::<Vec<_>>(),
        )
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}
