//! All SQL of wrapping keys anew, and of sealing anew.

use huiyin_chassis::{Refusal, Tenant, Transaction};
use uuid::Uuid;

use crate::vault::Wrapped;

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
