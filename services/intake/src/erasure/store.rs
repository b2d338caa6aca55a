//! All SQL of erasures, of what is handed out, and of the keys.

use std::collections::BTreeMap;

use huiyin_chassis::{Refusal, Tenant, Transaction, sql};
use jiff::Timestamp;
use jiff_sqlx::Timestamp as SqlTimestamp;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use uuid::Uuid;

use crate::vault::Wrapped;

/// What one service did.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct RoomDone {
    /// So many parts are done.
    pub(crate) parts: usize,
    pub(crate) counts: BTreeMap<String, i64>,
    pub(crate) complete_time: Option<Timestamp>,
}

/// An erasure.
pub(crate) struct Erasure {
    pub(crate) id: Uuid,
    pub(crate) customer: Uuid,
    pub(crate) customers: Vec<Uuid>,
    pub(crate) feedbacks: Vec<Uuid>,
    pub(crate) feedback_count: i64,
    pub(crate) author: String,
    pub(crate) reason: String,
    pub(crate) rooms: BTreeMap<String, RoomDone>,
    pub(crate) problem: String,
    pub(crate) create_time: Timestamp,
    pub(crate) certificate: Option<Vec<u8>>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    customer_id: Uuid,
    customers: Vec<Uuid>,
    feedbacks: Vec<Uuid>,
    feedback_count: i64,
    author: String,
    reason: String,
    rooms: Json<BTreeMap<String, RoomDone>>,
    problem: String,
    create_time: SqlTimestamp,
    certificate: Option<Vec<u8>>,
}

/// An erasure.
pub(crate) async fn find(tx: &mut Transaction, tenant: &Tenant, id: Uuid) -> Result<Option<Erasure>, Refusal> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, customer_id, customers, feedbacks, feedback_count, author, reason, rooms, problem, create_time, certificate
         FROM erasure WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant.key())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|row| Erasure {
        id: row.id,
        customer: row.customer_id,
        customers: row.customers,
        feedbacks: row.feedbacks,
        feedback_count: row.feedback_count,
        author: row.author,
        reason: row.reason,
        rooms: row.rooms.0,
        problem: row.problem,
        create_time: row.create_time.to_jiff(),
        certificate: row.certificate,
    }))
}

/// The erasure of a customer that has not come to its end.
pub(crate) async fn running(tx: &mut Transaction, tenant: &Tenant, customer: Uuid) -> Result<Option<Uuid>, Refusal> {
    Ok(
        sqlx::query_scalar(
            "SELECT id FROM erasure WHERE tenant_id = $1 AND customer_id = $2 AND complete_time IS NULL",
        )
        .bind(tenant.key())
        .bind(customer)
        .fetch_optional(&mut **tx)
        .await?,
    )
}

/// The identities that lead to a customer, and those by which its feedback came.
pub(crate) async fn tokens(tx: &mut Transaction, tenant: &Tenant, customer: Uuid) -> Result<Vec<Uuid>, Refusal> {
    Ok(sqlx::query_scalar(
        "SELECT token FROM customer_identity WHERE tenant_id = $1 AND customer_id = $2
         UNION SELECT COALESCE(identity_token, customer_id) FROM feedback WHERE tenant_id = $1 AND customer_id = $2
         UNION SELECT $2 WHERE NOT EXISTS (SELECT FROM customer_identity WHERE tenant_id = $1 AND token = $2)
         ORDER BY 1",
    )
    .bind(tenant.key())
    .bind(customer)
    .fetch_all(&mut **tx)
    .await?)
}

/// Blanks everything that a customer said, deletes its keys and what is said of it; the feedbacks that this was.
pub(crate) async fn blank(
    tx: &mut Transaction,
    tenant: &Tenant,
    customer: Uuid,
    tokens: &[Uuid],
    now: Timestamp,
) -> Result<Vec<Uuid>, Refusal> {
    let feedbacks: Vec<Uuid> = sqlx::query_scalar(
        "UPDATE feedback
         SET title = '', title_masked = NULL, description = '', description_masked = NULL, expectation = '',
             expectation_masked = NULL, verbatim_sealed = NULL, attachments = NULL, contact_kind = NULL, contact_sealed = NULL,
             order_number = '', external_id = '', device = '', purchase_time = NULL, customer_id = NULL, identity_token = NULL,
             text_blank_time = $3
         WHERE tenant_id = $1 AND customer_id = $2
         RETURNING id",
    )
    .bind(tenant.key())
    .bind(customer)
    .bind(sql::time(now))
    .fetch_all(&mut **tx)
    .await?;
    sqlx::query("DELETE FROM data_key WHERE tenant_id = $1 AND (owner = ANY ($2) OR owner = ANY ($3))")
        .bind(tenant.key())
        .bind(tokens)
        .bind(&feedbacks)
        .execute(&mut **tx)
        .await?;
    sqlx::query("DELETE FROM customer WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.key())
        .bind(customer)
        .execute(&mut **tx)
        .await?;
    Ok(feedbacks)
}

/// Writes an erasure that begins.
pub(crate) async fn insert(tx: &mut Transaction, tenant: &Tenant, erasure: &Erasure) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO erasure (tenant_id, id, customer_id, customers, feedbacks, feedback_count, author, reason, create_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(tenant.key())
    .bind(erasure.id)
    .bind(erasure.customer)
    .bind(&erasure.customers)
    .bind(&erasure.feedbacks)
    .bind(erasure.feedback_count)
    .bind(&erasure.author)
    .bind(&erasure.reason)
    .bind(sql::time(erasure.create_time))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Writes how far it has come.
pub(crate) async fn advance(tx: &mut Transaction, tenant: &Tenant, erasure: &Erasure) -> Result<(), Refusal> {
    sqlx::query("UPDATE erasure SET rooms = $3, problem = $4 WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.key())
        .bind(erasure.id)
        .bind(Json(&erasure.rooms))
        .bind(&erasure.problem)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The end of the tenant's chain of certificates: the next place in it, and the hash of the one before. Nobody else adds to it until
/// the transaction ends.
pub(crate) async fn chain_end(tx: &mut Transaction, tenant: &Tenant) -> Result<(i64, Vec<u8>), Refusal> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('certificates/' || $1, 0))")
        .bind(tenant.key())
        .execute(&mut **tx)
        .await?;
    let last: Option<(i64, Vec<u8>)> = sqlx::query_as(
        "SELECT sequence, hash FROM erasure WHERE tenant_id = $1 AND sequence IS NOT NULL ORDER BY sequence DESC LIMIT 1",
    )
    .bind(tenant.key())
    .fetch_optional(&mut **tx)
    .await?;
    Ok(last.map_or((1, Vec::new()), |(sequence, hash)| (sequence + 1, hash)))
}

/// Ends an erasure with its certificate. Which feedbacks they were is forgotten.
pub(crate) async fn complete(
    tx: &mut Transaction,
    tenant: &Tenant,
    id: Uuid,
    (sequence, hash, certificate): (i64, &[u8], &[u8]),
    now: Timestamp,
) -> Result<(), Refusal> {
    sqlx::query(
        "UPDATE erasure SET feedbacks = '{}', problem = '', complete_time = $3, sequence = $4, hash = $5, certificate = $6
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant.key())
    .bind(id)
    .bind(sql::time(now))
    .bind(sequence)
    .bind(hash)
    .bind(certificate)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The certificates of a tenant, from its first to a place in the chain.
pub(crate) async fn chain(tx: &mut Transaction, tenant: &Tenant, through: i64) -> Result<Vec<Vec<u8>>, Refusal> {
    Ok(sqlx::query_scalar(
        "SELECT certificate FROM erasure WHERE tenant_id = $1 AND sequence BETWEEN 1 AND $2 ORDER BY sequence",
    )
    .bind(tenant.key())
    .bind(through)
    .fetch_all(&mut **tx)
    .await?)
}

/// A customer's feedback as it is handed out: everything, sealed where it is sealed.
#[derive(sqlx::FromRow)]
pub(crate) struct Held {
    pub(crate) id: Uuid,
    pub(crate) owner: Uuid,
    /// Every column that is not sealed, as JSON.
    pub(crate) line: serde_json::Value,
    pub(crate) contact_sealed: Option<Vec<u8>>,
    pub(crate) verbatim_sealed: Option<Vec<u8>>,
    pub(crate) wrapped: Option<Vec<u8>>,
    pub(crate) key_version: Option<i32>,
}

impl Held {
    /// The key that opens it.
    pub(crate) fn key(&self) -> Option<Wrapped> {
        let (bytes, version) = self.wrapped.clone().zip(self.key_version)?;
        Some(Wrapped { bytes, version })
    }
}

/// The ids of a customer's feedback, oldest first.
pub(crate) async fn feedbacks(tx: &mut Transaction, tenant: &Tenant, customer: Uuid) -> Result<Vec<Uuid>, Refusal> {
    Ok(
        sqlx::query_scalar(
            "SELECT id FROM feedback WHERE tenant_id = $1 AND customer_id = $2 ORDER BY create_time, id",
        )
        .bind(tenant.key())
        .bind(customer)
        .fetch_all(&mut **tx)
        .await?,
    )
}

/// Some feedbacks as they are handed out.
pub(crate) async fn held(tx: &mut Transaction, tenant: &Tenant, ids: &[Uuid]) -> Result<Vec<Held>, Refusal> {
    Ok(sqlx::query_as(
        "SELECT f.id, COALESCE(f.identity_token, f.customer_id, f.id) AS owner,
                to_jsonb(f) - 'tenant_id' - 'contact_sealed' - 'verbatim_sealed' - 'identity_token' AS line,
                f.contact_sealed, f.verbatim_sealed, k.wrapped, k.key_version
         FROM feedback AS f
         LEFT JOIN data_key AS k ON k.tenant_id = f.tenant_id AND k.owner = COALESCE(f.identity_token, f.customer_id, f.id)
         WHERE f.tenant_id = $1 AND f.id = ANY ($2)
         ORDER BY f.create_time, f.id",
    )
    .bind(tenant.key())
    .bind(ids)
    .fetch_all(&mut **tx)
    .await?)
}

/// Some keys that another version than this one wrapped, held until the transaction ends.
pub(crate) async fn old_keys(
    tx: &mut Transaction,
    tenant: &Tenant,
    newest: i32,
    most: i64,
) -> Result<Vec<(Uuid, Vec<u8>, i32)>, Refusal> {
    Ok(sqlx::query_as(
        "SELECT owner, wrapped, key_version FROM data_key WHERE tenant_id = $1 AND key_version <> $2
         ORDER BY owner LIMIT $3 FOR UPDATE SKIP LOCKED",
    )
    .bind(tenant.key())
    .bind(newest)
    .bind(most)
    .fetch_all(&mut **tx)
    .await?)
}

/// Writes keys as they are wrapped now.
pub(crate) async fn rewrap(tx: &mut Transaction, tenant: &Tenant, keys: &[(Uuid, Wrapped)]) -> Result<(), Refusal> {
    let owners: Vec<Uuid> = keys.iter().map(|(owner, _)| *owner).collect();
    let wrapped: Vec<&[u8]> = keys.iter().map(|(_, wrapped)| wrapped.bytes.as_slice()).collect();
    let versions: Vec<i32> = keys.iter().map(|(_, wrapped)| wrapped.version).collect();
    sqlx::query(
        "UPDATE data_key AS k SET wrapped = new.wrapped, key_version = new.version
         FROM unnest($2::uuid[], $3::bytea[], $4::integer[]) AS new (owner, wrapped, version)
         WHERE k.tenant_id = $1 AND k.owner = new.owner",
    )
    .bind(tenant.key())
    .bind(&owners)
    .bind(&wrapped)
    .bind(&versions)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A feedback from before there were keys of customers: its address sealed with the tenant's key, its words not at all.
#[derive(sqlx::FromRow)]
pub(crate) struct Old {
    pub(crate) id: Uuid,
    pub(crate) owner: Uuid,
    pub(crate) contact_sealed: Option<Vec<u8>>,
    /// The words as they came; none where nothing in them is masked.
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) expectation: Option<String>,
}

const IS_OLD: &str = "(title_masked IS NOT NULL OR description_masked IS NOT NULL OR expectation_masked IS NOT NULL
     OR (contact_sealed IS NOT NULL AND get_byte(contact_sealed, 0) = 1))";

/// Some of them, held until the transaction ends.
pub(crate) async fn old_feedbacks(tx: &mut Transaction, tenant: &Tenant, most: i64) -> Result<Vec<Old>, Refusal> {
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "SELECT id, COALESCE(identity_token, customer_id, id) AS owner, contact_sealed,
                CASE WHEN title_masked IS NOT NULL THEN title END AS title,
                CASE WHEN description_masked IS NOT NULL THEN description END AS description,
                CASE WHEN expectation_masked IS NOT NULL THEN expectation END AS expectation
         FROM feedback WHERE tenant_id = $1 AND {IS_OLD} ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED"
    )))
    .bind(tenant.key())
    .bind(most)
    .fetch_all(&mut **tx)
    .await?)
}

/// Writes one of them as it is sealed now; the masked words take the place of the others.
pub(crate) async fn reseal(
    tx: &mut Transaction,
    tenant: &Tenant,
    id: Uuid,
    contact: Option<&[u8]>,
    verbatim: Option<&[u8]>,
) -> Result<(), Refusal> {
    sqlx::query(
        "UPDATE feedback
         SET contact_sealed = $3, verbatim_sealed = COALESCE($4, verbatim_sealed),
             title = COALESCE(title_masked, title), title_masked = NULL,
             description = COALESCE(description_masked, description), description_masked = NULL,
             expectation = COALESCE(expectation_masked, expectation), expectation_masked = NULL
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant.key())
    .bind(id)
    .bind(contact)
    .bind(verbatim)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// How many keys and feedbacks are still old.
pub(crate) async fn left(tx: &mut Transaction, tenant: &Tenant, newest: i32) -> Result<i64, Refusal> {
    Ok(sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
        "SELECT (SELECT count(*) FROM data_key WHERE tenant_id = $1 AND key_version <> $2)
              + (SELECT count(*) FROM feedback WHERE tenant_id = $1 AND {IS_OLD})"
    )))
    .bind(tenant.key())
    .bind(newest)
    .fetch_one(&mut **tx)
    .await?)
}
