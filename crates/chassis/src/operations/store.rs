//! All SQL of operations.

use jiff::{SignedDuration, Timestamp};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::record::{End, Outcome, Progress, Record};
use crate::{db::Transaction, error::Refusal, listing::PageRequest, name::Tenant, sql};

#[derive(sqlx::FromRow)]
struct Row {
    operation_id: Uuid,
    kind: String,
    author: String,
    stage: String,
    done: i64,
    total: i64,
    attempts: i32,
    is_leased: bool,
    cancel_time: Option<jiff_sqlx::Timestamp>,
    create_time: jiff_sqlx::Timestamp,
    update_time: jiff_sqlx::Timestamp,
    end_time: Option<jiff_sqlx::Timestamp>,
    response: Option<Vec<u8>>,
    error: Option<Vec<u8>>,
}

impl From<Row> for Record {
    fn from(row: Row) -> Self {
        let outcome = row
            .response
            .map(Outcome::Response)
            .or_else(|| row.error.map(Outcome::Error));
        let time = row.end_time.map(jiff_sqlx::Timestamp::to_jiff);
        Self {
            id: row.operation_id,
            kind: row.kind,
            author: row.author,
            progress: Progress {
                stage: row.stage,
                done: row.done,
                total: row.total,
            },
            attempts: row.attempts,
            is_leased: row.is_leased,
            cancel_time: row.cancel_time.map(jiff_sqlx::Timestamp::to_jiff),
            create_time: row.create_time.to_jiff(),
            update_time: row.update_time.to_jiff(),
            end: time.zip(outcome).map(|(time, outcome)| End { time, outcome }),
        }
    }
}

const SELECT: &str =
    "SELECT operation_id, kind, author, stage, done, total, attempts, lease IS NOT NULL AS is_leased, cancel_time,
            create_time, update_time, end_time, response, error
     FROM chassis.operation WHERE tenant_id = ";

/// A new one, due at once.
pub(super) async fn insert(
    tx: &mut Transaction,
    tenant: &Tenant,
    record: &Record,
    request: &[u8],
) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO chassis.operation (tenant_id, operation_id, kind, author, request, due_time, create_time, update_time)
         VALUES ($1, $2, $3, $4, $5, $6, $6, $6)",
    )
    .bind(tenant.key())
    .bind(record.id)
    .bind(&record.kind)
    .bind(&record.author)
    .bind(request)
    .bind(sql::time(record.create_time))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// One of a tenant.
pub(super) async fn find(tx: &mut Transaction, tenant: &Tenant, id: Uuid) -> Result<Option<Record>, Refusal> {
    let mut query = QueryBuilder::new(SELECT);
    query.push_bind(tenant.key().to_owned());
    query.push(" AND operation_id = ").push_bind(id);
    let row: Option<Row> = query.build_query_as().fetch_optional(&mut **tx).await?;
    Ok(row.map(Record::from))
}

/// Those of a page and one more.
pub(super) async fn list(tx: &mut Transaction, tenant: &Tenant, page: &PageRequest) -> Result<Vec<Record>, Refusal> {
    let mut query = QueryBuilder::new(SELECT);
    query.push_bind(tenant.key().to_owned());
    page.push(&mut query, "operation_id");
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    Ok(rows.into_iter().map(Record::from).collect())
}

/// Asks one to stop; one that nobody works on ends with `error` at once. False where there is none.
pub(super) async fn cancel(
    tx: &mut Transaction,
    tenant: &Tenant,
    id: Uuid,
    error: &[u8],
    now: Timestamp,
) -> Result<bool, Refusal> {
    sqlx::query(
        "UPDATE chassis.operation
         SET cancel_time = coalesce(cancel_time, $3), update_time = $3,
             end_time = CASE WHEN lease IS NULL THEN $3 END, error = CASE WHEN lease IS NULL THEN $4::bytea END
         WHERE tenant_id = $1 AND operation_id = $2 AND end_time IS NULL",
    )
    .bind(tenant.key())
    .bind(id)
    .bind(sql::time(now))
    .bind(error)
    .execute(&mut **tx)
    .await?;
    Ok(find(tx, tenant, id).await?.is_some())
}

/// Forgets one that has ended; false where it goes on, none where there is none.
pub(super) async fn delete(tx: &mut Transaction, tenant: &Tenant, id: Uuid) -> Result<Option<bool>, Refusal> {
    let deleted = sqlx::query(
        "DELETE FROM chassis.operation WHERE tenant_id = $1 AND operation_id = $2 AND end_time IS NOT NULL",
    )
    .bind(tenant.key())
    .bind(id)
    .execute(&mut **tx)
    .await?;
    if deleted.rows_affected() == 1 {
        return Ok(Some(true));
    }
    Ok(find(tx, tenant, id).await?.map(|_| false))
}

/// Forgets what ended before a moment.
pub(super) async fn forget(tx: &mut Transaction, before: Timestamp) -> Result<(), Refusal> {
    sqlx::query("DELETE FROM chassis.operation WHERE end_time < $1")
        .bind(sql::time(before))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// What whoever took an operation needs of it.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Taken {
    pub(super) tenant_id: String,
    pub(super) operation_id: Uuid,
    pub(super) kind: String,
    pub(super) author: String,
    pub(super) request: Vec<u8>,
    pub(super) checkpoint: Option<Vec<u8>>,
    pub(super) stage: String,
    pub(super) done: i64,
    pub(super) total: i64,
    pub(super) attempts: i32,
    pub(super) is_cancelled: bool,
}

/// Takes the operation that has been due for longest, of those kinds, and writes the lease there.
pub(super) async fn take(
    tx: &mut Transaction,
    kinds: &[&str],
    lease: Uuid,
    length: SignedDuration,
    now: Timestamp,
) -> Result<Option<Taken>, Refusal> {
    let taken = sqlx::query_as(
        "WITH due AS MATERIALIZED (
             SELECT tenant_id, operation_id FROM chassis.operation
             WHERE end_time IS NULL AND due_time <= $1 AND kind = ANY($2)
             ORDER BY due_time
             LIMIT 1
             FOR UPDATE SKIP LOCKED
         )
         UPDATE chassis.operation o
         SET lease = $3, due_time = $4, attempts = attempts + 1, update_time = $1
         FROM due
         WHERE (o.tenant_id, o.operation_id) = (due.tenant_id, due.operation_id)
         RETURNING o.tenant_id, o.operation_id, o.kind, o.author, o.request, o.checkpoint, o.stage, o.done, o.total, o.attempts,
                   o.cancel_time IS NOT NULL AS is_cancelled",
    )
    .bind(sql::time(now))
    .bind(kinds)
    .bind(lease)
    .bind(sql::time(now + length))
    .fetch_optional(&mut **tx)
    .await?;
    Ok(taken)
}

/// Keeps the lease and writes how far it is; true where it was asked to stop, none where the lease is lost.
pub(super) async fn beat(
    tx: &mut Transaction,
    tenant: &Tenant,
    (id, lease): (Uuid, Uuid),
    progress: &Progress,
    length: SignedDuration,
    now: Timestamp,
) -> Result<Option<bool>, Refusal> {
    let cancelled = sqlx::query_scalar(
        "UPDATE chassis.operation
         SET due_time = $4, stage = $5, done = $6, total = $7,
             update_time = CASE WHEN (stage, done, total) = ($5, $6, $7) THEN update_time ELSE $8 END
         WHERE tenant_id = $1 AND operation_id = $2 AND lease = $3 AND end_time IS NULL
         RETURNING cancel_time IS NOT NULL",
    )
    .bind(tenant.key())
    .bind(id)
    .bind(lease)
    .bind(sql::time(now + length))
    .bind(&progress.stage)
    .bind(progress.done)
    .bind(progress.total)
    .bind(sql::time(now))
    .fetch_optional(&mut **tx)
    .await?;
    Ok(cancelled)
}

/// Holds the row for whoever has the lease; true where it was asked to stop, none where the lease is lost.
pub(super) async fn hold(
    tx: &mut Transaction,
    tenant: &Tenant,
    id: Uuid,
    lease: Uuid,
) -> Result<Option<bool>, Refusal> {
    let cancelled = sqlx::query_scalar(
        "SELECT cancel_time IS NOT NULL FROM chassis.operation
         WHERE tenant_id = $1 AND operation_id = $2 AND lease = $3 AND end_time IS NULL
         FOR UPDATE",
    )
    .bind(tenant.key())
    .bind(id)
    .bind(lease)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(cancelled)
}

/// Keeps a checkpoint; the row is held.
pub(super) async fn keep(tx: &mut Transaction, tenant: &Tenant, id: Uuid, checkpoint: &[u8]) -> Result<(), Refusal> {
    sqlx::query("UPDATE chassis.operation SET checkpoint = $3 WHERE tenant_id = $1 AND operation_id = $2")
        .bind(tenant.key())
        .bind(id)
        .bind(checkpoint)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Ends one with its response; false where the lease is lost.
pub(super) async fn finish(
    tx: &mut Transaction,
    tenant: &Tenant,
    (id, lease): (Uuid, Uuid),
    progress: &Progress,
    response: &[u8],
    now: Timestamp,
) -> Result<bool, Refusal> {
    let finished = sqlx::query(
        "UPDATE chassis.operation
         SET response = $4, stage = $5, done = $6, total = $7, lease = NULL, checkpoint = NULL, update_time = $8, end_time = $8
         WHERE tenant_id = $1 AND operation_id = $2 AND lease = $3 AND end_time IS NULL",
    )
    .bind(tenant.key())
    .bind(id)
    .bind(lease)
    .bind(response)
    .bind(&progress.stage)
    .bind(progress.done)
    .bind(progress.total)
    .bind(sql::time(now))
    .execute(&mut **tx)
    .await?;
    Ok(finished.rows_affected() == 1)
}

/// Ends one with an error; false where the lease is lost.
pub(super) async fn fail(
    tx: &mut Transaction,
    tenant: &Tenant,
    (id, lease): (Uuid, Uuid),
    error: &[u8],
    now: Timestamp,
) -> Result<bool, Refusal> {
    let failed = sqlx::query(
        "UPDATE chassis.operation
         SET error = $4, lease = NULL, checkpoint = NULL, update_time = $5, end_time = $5
         WHERE tenant_id = $1 AND operation_id = $2 AND lease = $3 AND end_time IS NULL",
    )
    .bind(tenant.key())
    .bind(id)
    .bind(lease)
    .bind(error)
    .bind(sql::time(now))
    .execute(&mut **tx)
    .await?;
    Ok(failed.rows_affected() == 1)
}

/// Gives one back, to be taken again from `due` on; `counts` is false where the attempt was not its fault.
pub(super) async fn give_back(
    tx: &mut Transaction,
    tenant: &Tenant,
    (id, lease): (Uuid, Uuid),
    counts: bool,
    due: Timestamp,
) -> Result<(), Refusal> {
    sqlx::query(
        "UPDATE chassis.operation
         SET lease = NULL, due_time = $4, attempts = attempts - CASE WHEN $5 THEN 0 ELSE 1 END
         WHERE tenant_id = $1 AND operation_id = $2 AND lease = $3 AND end_time IS NULL",
    )
    .bind(tenant.key())
    .bind(id)
    .bind(lease)
    .bind(sql::time(due))
    .bind(counts)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
