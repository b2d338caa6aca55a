//! All SQL about endpoints.

use huiyin_chassis::{Refusal, Tenant, Transaction, listing::PageRequest, sql};
use jiff_sqlx::Timestamp;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::domain::Endpoint;
use crate::domain::Purpose;

/// Begins every statement that reads endpoints.
macro_rules! select_endpoints {
    ($rest:literal) => {
        concat!(
            "SELECT id, display_name, url, purposes, state, disable_reason, secret, previous_secret, previous_secret_expire_time,
                    revision, create_time, update_time
             FROM webhook_endpoint
             WHERE tenant_id = ",
            $rest
        )
    };
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    display_name: String,
    url: String,
    purposes: Vec<i16>,
    state: i16,
    disable_reason: String,
    secret: Vec<u8>,
    previous_secret: Option<Vec<u8>>,
    previous_secret_expire_time: Option<Timestamp>,
    revision: i32,
    create_time: Timestamp,
    update_time: Timestamp,
}

impl From<Row> for Endpoint {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            display_name: row.display_name,
            url: row.url,
            purposes: row.purposes.into_iter().filter_map(Purpose::of).collect(),
            enabled: row.state == 1,
            disable_reason: row.disable_reason,
            secret: row.secret,
            previous_secret: row
                .previous_secret
                .zip(row.previous_secret_expire_time.map(Timestamp::to_jiff)),
            revision: row.revision,
            create_time: row.create_time.to_jiff(),
            update_time: row.update_time.to_jiff(),
        }
    }
}

pub(crate) async fn get(tx: &mut Transaction, tenant: &Tenant, id: Uuid) -> Result<Option<Endpoint>, Refusal> {
    let row: Option<Row> = sqlx::query_as(select_endpoints!("$1 AND id = $2"))
        .bind(tenant.key())
        .bind(id)
        .fetch_optional(&mut **tx)
        .await?;
    Ok(row.map(Into::into))
}

/// As [`get`], and nobody else changes it until the transaction ends.
pub(crate) async fn lock(tx: &mut Transaction, tenant: &Tenant, id: Uuid) -> Result<Option<Endpoint>, Refusal> {
    let row: Option<Row> = sqlx::query_as(select_endpoints!("$1 AND id = $2 FOR UPDATE"))
        .bind(tenant.key())
        .bind(id)
        .fetch_optional(&mut **tx)
        .await?;
    Ok(row.map(Into::into))
}

pub(crate) async fn all(tx: &mut Transaction, tenant: &Tenant, ids: &[Uuid]) -> Result<Vec<Endpoint>, Refusal> {
    let rows: Vec<Row> = sqlx::query_as(select_endpoints!("$1 AND id = ANY ($2)"))
        .bind(tenant.key())
        .bind(ids)
        .fetch_all(&mut **tx)
        .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

pub(crate) async fn list(tx: &mut Transaction, tenant: &Tenant, page: &PageRequest) -> Result<Vec<Endpoint>, Refusal> {
    let mut query = QueryBuilder::new(select_endpoints!(""));
    query.push_bind(tenant.key().to_owned());
    page.push(&mut query, "id");
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// How many the tenant has, disabled ones too.
pub(crate) async fn count(tx: &mut Transaction, tenant: &Tenant) -> Result<i64, Refusal> {
    let count = sqlx::query_scalar("SELECT count(*) FROM webhook_endpoint WHERE tenant_id = $1")
        .bind(tenant.key())
        .fetch_one(&mut **tx)
        .await?;
    Ok(count)
}

/// Adds an endpoint, or replaces the one of the same id.
pub(crate) async fn put(tx: &mut Transaction, tenant: &Tenant, endpoint: &Endpoint) -> Result<(), Refusal> {
    let purposes: Vec<i16> = endpoint.purposes.iter().map(|purpose| purpose.number()).collect();
    let (previous, until) = endpoint.previous_secret.clone().unzip();
    sqlx::query(
        "INSERT INTO webhook_endpoint (tenant_id, id, display_name, url, purposes, state, disable_reason, secret, previous_secret,
                                       previous_secret_expire_time, revision, create_time, update_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (tenant_id, id) DO UPDATE
         SET display_name = EXCLUDED.display_name, url = EXCLUDED.url, purposes = EXCLUDED.purposes, state = EXCLUDED.state,
             disable_reason = EXCLUDED.disable_reason, secret = EXCLUDED.secret, previous_secret = EXCLUDED.previous_secret,
             previous_secret_expire_time = EXCLUDED.previous_secret_expire_time, revision = EXCLUDED.revision,
             update_time = EXCLUDED.update_time",
    )
    .bind(tenant.key())
    .bind(endpoint.id)
    .bind(&endpoint.display_name)
    .bind(&endpoint.url)
    .bind(purposes)
    .bind(if endpoint.enabled { 1_i16 } else { 2 })
    .bind(&endpoint.disable_reason)
    .bind(&endpoint.secret)
    .bind(previous)
    .bind(sql::time_opt(until))
    .bind(endpoint.revision)
    .bind(sql::time(endpoint.create_time))
    .bind(sql::time(endpoint.update_time))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(crate) async fn delete(tx: &mut Transaction, tenant: &Tenant, id: Uuid) -> Result<(), Refusal> {
    sqlx::query("DELETE FROM webhook_endpoint WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.key())
        .bind(id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// What is queued for the endpoint waits (`None`) or is tried at a time.
pub(crate) async fn set_attempts(
    tx: &mut Transaction,
    tenant: &Tenant,
    id: Uuid,
    next: Option<jiff::Timestamp>,
) -> Result<(), Refusal> {
    sqlx::query("UPDATE due_message SET next_attempt_time = $3 WHERE tenant_id = $1 AND endpoint_id = $2 AND ($3 IS NULL OR next_attempt_time IS NULL)")
        .bind(tenant.key())
        .bind(id)
        .bind(sql::time_opt(next))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// A message that ended because its endpoint was removed.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Ended {
    pub(crate) id: Uuid,
    pub(crate) purpose: i16,
    pub(crate) work_order: String,
    pub(crate) attempts: i32,
}

/// Ends what is queued for the endpoint. The messages are locked in the order of their ids, as by all who lock several.
pub(crate) async fn end_queued(
    tx: &mut Transaction,
    tenant: &Tenant,
    id: Uuid,
    error: &str,
    now: jiff::Timestamp,
) -> Result<Vec<Ended>, Refusal> {
    let ended = sqlx::query_as(
        "WITH locked AS (
             SELECT id FROM message
             WHERE tenant_id = $1 AND state = 1
               AND id IN (SELECT message_id FROM due_message WHERE tenant_id = $1 AND endpoint_id = $2)
             ORDER BY id
             FOR UPDATE
         )
         UPDATE message m SET state = 3, last_error = $3, settle_time = $4
         FROM locked
         WHERE m.tenant_id = $1 AND m.id = locked.id
         RETURNING m.id, m.purpose, m.work_order, m.attempts",
    )
    .bind(tenant.key())
    .bind(id)
    .bind(error)
    .bind(sql::time(now))
    .fetch_all(&mut **tx)
    .await?;
    sqlx::query("DELETE FROM due_message WHERE tenant_id = $1 AND endpoint_id = $2")
        .bind(tenant.key())
        .bind(id)
        .execute(&mut **tx)
        .await?;
    Ok(ended)
}
