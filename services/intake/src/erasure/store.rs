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

/// The erasure of a customer that has not come to its end, and the operation that it was given to.
pub(crate) async fn running(
    tx: &mut Transaction,
    tenant: &Tenant,
    customer: Uuid,
) -> Result<Option<(Uuid, Option<Uuid>)>, Refusal> {
    Ok(sqlx::query_as(
        "SELECT id, operation_id FROM erasure WHERE tenant_id = $1 AND customer_id = $2 AND complete_time IS NULL",
    )
    .bind(tenant.key())
    .bind(customer)
    .fetch_optional(&mut **tx)
    .await?)
}

/// Gives an erasure to an operation.
pub(crate) async fn give(tx: &mut Transaction, tenant: &Tenant, id: Uuid, operation: Uuid) -> Result<(), Refusal> {
    sqlx::query("UPDATE erasure SET operation_id = $3 WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.key())
        .bind(id)
        .bind(operation)
        .execute(&mut **tx)
        .await?;
    Ok(())
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

/// Blanks everything that was said in some feedbacks, and who said it.
pub(crate) async fn blank(
    tx: &mut Transaction,
    tenant: &Tenant,
    feedbacks: &[Uuid],
    now: Timestamp,
) -> Result<(), Refusal> {
    sqlx::query(
        "UPDATE feedback
         SET title = '', title_masked = NULL, description = '', description_masked = NULL, expectation = '',
             expectation_masked = NULL, verbatim_sealed = NULL, attachments = NULL, contact_kind = NULL, contact_sealed = NULL,
             order_number = '', external_id = '', device = '', purchase_channel = '', software_version = '', purchase_time = NULL, customer_id = NULL, identity_token = NULL,
             text_blank_time = $3
         WHERE tenant_id = $1 AND id = ANY ($2)",
    )
    .bind(tenant.key())
    .bind(feedbacks)
    .bind(sql::time(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Deletes a customer's keys and what is said of it: what is sealed in its feedbacks opens for nobody any more.
pub(crate) async fn shred(
    tx: &mut Transaction,
    tenant: &Tenant,
    customer: Uuid,
    tokens: &[Uuid],
    feedbacks: &[Uuid],
) -> Result<(), Refusal> {
    sqlx::query("DELETE FROM data_key WHERE tenant_id = $1 AND (owner = ANY ($2) OR owner = ANY ($3))")
        .bind(tenant.key())
        .bind(tokens)
        .bind(feedbacks)
        .execute(&mut **tx)
        .await?;
    sqlx::query("DELETE FROM customer WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.key())
        .bind(customer)
        .execute(&mut **tx)
        .await?;
    Ok(())
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

/// Writes how far it has come, and holds it until the transaction ends; false where another run has ended it meanwhile.
pub(crate) async fn advance(tx: &mut Transaction, tenant: &Tenant, erasure: &Erasure) -> Result<bool, Refusal> {
    let advanced = sqlx::query(
        "UPDATE erasure SET rooms = $3, problem = $4 WHERE tenant_id = $1 AND id = $2 AND certificate IS NULL",
    )
    .bind(tenant.key())
    .bind(erasure.id)
    .bind(Json(&erasure.rooms))
    .bind(&erasure.problem)
    .execute(&mut **tx)
    .await?;
    Ok(advanced.rows_affected() > 0)
}

/// The end of the tenant's chain of certificates: the next place in it, and the hash of the one before. Nobody else adds to it until
/// the transaction ends.
pub(crate) async fn chain_end(tx: &mut Transaction, tenant: &Tenant) -> Result<(i64, Vec<u8>), Refusal> {
    tx.hold(&format!("certificates/{}", tenant.key())).await?;
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
         WHERE tenant_id = $1 AND id = $2 AND certificate IS NULL",
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

/// The certificates of a tenant, from its first to the one with this hash; none where it does not stand at this place.
pub(crate) async fn chain(
    tx: &mut Transaction,
    tenant: &Tenant,
    (sequence, hash): (i64, &[u8]),
) -> Result<Vec<Vec<u8>>, Refusal> {
    Ok(sqlx::query_scalar(
        "SELECT certificate FROM erasure
         WHERE tenant_id = $1 AND sequence <= $2
           AND EXISTS (SELECT FROM erasure WHERE tenant_id = $1 AND sequence = $2 AND hash = $3)
         ORDER BY sequence",
    )
    .bind(tenant.key())
    .bind(sequence)
    .bind(hash)
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
