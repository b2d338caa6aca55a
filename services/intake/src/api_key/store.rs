//! All SQL about API keys.

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    listing::{Field, Kind, PageRequest},
    sql,
};
use jiff_sqlx::Timestamp;
use sqlx::QueryBuilder;

use super::domain::ApiKey;

/// What a list can be filtered by.
pub(super) const FIELDS: &[Field] = &[
    Field::of("state", Kind::Enum("huiyin.intake.v1.ApiKeyState")),
    Field::of("display_name", Kind::Text),
    Field::of("creator", Kind::Text),
    Field::of("create_time", Kind::Time),
    Field::of("expire_time", Kind::Time),
    Field::of("last_use_time", Kind::Time),
];
/// What a list can be ordered by.
pub(super) const ORDER: &[Field] = &[Field::of("create_time", Kind::Time)];

/// Begins every statement that reads keys.
macro_rules! select_api_keys {
    ($rest:literal) => {
        concat!(
            "SELECT id, display_name, roles, expire_time, calls_per_second, hash, previous_hash, previous_expire_time, state,
                    revoke_reason, creator, last_use_time, revision, create_time, update_time
             FROM api_key
             WHERE tenant_id = ",
            $rest
        )
    };
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    display_name: String,
    roles: Vec<String>,
    expire_time: Option<Timestamp>,
    calls_per_second: i32,
    hash: Vec<u8>,
    previous_hash: Option<Vec<u8>>,
    previous_expire_time: Option<Timestamp>,
    state: i32,
    revoke_reason: String,
    creator: String,
    last_use_time: Option<Timestamp>,
    revision: i32,
    create_time: Timestamp,
    update_time: Timestamp,
}

impl From<Row> for ApiKey {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            display_name: row.display_name,
            roles: row.roles,
            expire_time: row.expire_time.map(Timestamp::to_jiff),
            calls_per_second: row.calls_per_second,
            hash: row.hash,
            previous: row.previous_hash.zip(row.previous_expire_time.map(Timestamp::to_jiff)),
            revoked: row.state == REVOKED,
            revoke_reason: row.revoke_reason,
            creator: row.creator,
            last_use_time: row.last_use_time.map(Timestamp::to_jiff),
            revision: row.revision,
            create_time: row.create_time.to_jiff(),
            update_time: row.update_time.to_jiff(),
        }
    }
}

pub(super) async fn get(tx: &mut Transaction, tenant: &Tenant, id: &str) -> Result<Option<ApiKey>, Refusal> {
    let row: Option<Row> = sqlx::query_as(select_api_keys!("$1 AND id = $2"))
        .bind(tenant.key())
        .bind(id)
        .fetch_optional(&mut **tx)
        .await?;
    Ok(row.map(Into::into))
}

/// As [`get`], and nobody else changes it until the transaction ends.
pub(super) async fn lock(tx: &mut Transaction, tenant: &Tenant, id: &str) -> Result<Option<ApiKey>, Refusal> {
    let row: Option<Row> = sqlx::query_as(select_api_keys!("$1 AND id = $2 FOR UPDATE"))
        .bind(tenant.key())
        .bind(id)
        .fetch_optional(&mut **tx)
        .await?;
    Ok(row.map(Into::into))
}

pub(super) async fn list(tx: &mut Transaction, tenant: &Tenant, page: &PageRequest) -> Result<Vec<ApiKey>, Refusal> {
    let mut query = QueryBuilder::new(select_api_keys!(""));
    query.push_bind(tenant.key().to_owned());
    page.push(&mut query, "id");
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// How many keys the tenant has.
pub(super) async fn count(tx: &mut Transaction, tenant: &Tenant) -> Result<i64, Refusal> {
    let count = sqlx::query_scalar("SELECT count(*) FROM api_key WHERE tenant_id = $1")
        .bind(tenant.key())
        .fetch_one(&mut **tx)
        .await?;
    Ok(count)
}

/// Adds a key; false where there is one of this id.
pub(super) async fn add(tx: &mut Transaction, tenant: &Tenant, key: &ApiKey) -> Result<bool, Refusal> {
    let added = sqlx::query(
        "INSERT INTO api_key (tenant_id, id, display_name, roles, expire_time, calls_per_second, hash, state, revoke_reason, creator,
                              revision, create_time, update_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT DO NOTHING",
    )
    .bind(tenant.key())
    .bind(&key.id)
    .bind(&key.display_name)
    .bind(&key.roles)
    .bind(sql::time_opt(key.expire_time))
    .bind(key.calls_per_second)
    .bind(&key.hash)
    .bind(state(key))
    .bind(&key.revoke_reason)
    .bind(&key.creator)
    .bind(key.revision)
    .bind(sql::time(key.create_time))
    .bind(sql::time(key.update_time))
    .execute(&mut **tx)
    .await?;
    Ok(added.rows_affected() == 1)
}

/// Stores what can change about a key.
pub(super) async fn change(tx: &mut Transaction, tenant: &Tenant, key: &ApiKey) -> Result<(), Refusal> {
    let (previous, until) = key.previous.clone().unzip();
    sqlx::query(
        "UPDATE api_key
         SET display_name = $3, roles = $4, expire_time = $5, calls_per_second = $6, hash = $7, previous_hash = $8,
             previous_expire_time = $9, state = $10, revoke_reason = $11, revision = $12, update_time = $13
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant.key())
    .bind(&key.id)
    .bind(&key.display_name)
    .bind(&key.roles)
    .bind(sql::time_opt(key.expire_time))
    .bind(key.calls_per_second)
    .bind(&key.hash)
    .bind(previous)
    .bind(sql::time_opt(until))
    .bind(state(key))
    .bind(&key.revoke_reason)
    .bind(key.revision)
    .bind(sql::time(key.update_time))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Notes that a key is used, where that was not noted since.
pub(super) async fn used(
    tx: &mut Transaction,
    tenant: &Tenant,
    id: &str,
    since: jiff::Timestamp,
    now: jiff::Timestamp,
) -> Result<(), Refusal> {
    sqlx::query(
        "UPDATE api_key SET last_use_time = $4
         WHERE tenant_id = $1 AND id = $2 AND (last_use_time IS NULL OR last_use_time <= $3)",
    )
    .bind(tenant.key())
    .bind(id)
    .bind(sql::time(since))
    .bind(sql::time(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// As `ApiKeyState` numbers them.
const ACTIVE: i32 = 1;
const REVOKED: i32 = 2;

fn state(key: &ApiKey) -> i32 {
    if key.revoked { REVOKED } else { ACTIVE }
}
