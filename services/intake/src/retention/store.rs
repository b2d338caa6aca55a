//! All SQL of retention.

use huiyin_chassis::{Refusal, Tenant, Transaction, sql};
use jiff::Timestamp;
use jiff_sqlx::Timestamp as SqlTimestamp;
use uuid::Uuid;

/// So many feedbacks are blanked in one transaction.
pub(crate) const CHUNK: i64 = 500;

/// How long is kept what; 0 days is for ever.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Policy {
    pub(crate) text_days: i32,
    pub(crate) contact_days: i32,
    /// 0 where none was set.
    pub(crate) revision: i64,
    pub(crate) update_time: Option<Timestamp>,
}

/// The tenant's policy.
pub(crate) async fn policy(tx: &mut Transaction, tenant: &Tenant, hold: bool) -> Result<Policy, Refusal> {
    let row: Option<(i32, i32, i64, SqlTimestamp)> = sqlx::query_as(if hold {
        "SELECT text_days, contact_days, revision, update_time FROM retention_policy WHERE tenant_id = $1 FOR UPDATE"
    } else {
        "SELECT text_days, contact_days, revision, update_time FROM retention_policy WHERE tenant_id = $1"
    })
    .bind(tenant.key())
    .fetch_optional(&mut **tx)
    .await?;
    Ok(
        row.map_or_else(Policy::default, |(text_days, contact_days, revision, time)| Policy {
            text_days,
            contact_days,
            revision,
            update_time: Some(time.to_jiff()),
        }),
    )
}

/// Sets it.
pub(crate) async fn set(tx: &mut Transaction, tenant: &Tenant, policy: &Policy) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO retention_policy (tenant_id, text_days, contact_days, revision, update_time) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant_id) DO UPDATE
         SET text_days = EXCLUDED.text_days, contact_days = EXCLUDED.contact_days, revision = EXCLUDED.revision,
             update_time = EXCLUDED.update_time",
    )
    .bind(tenant.key())
    .bind(policy.text_days)
    .bind(policy.contact_days)
    .bind(policy.revision)
    .bind(sql::time_opt(policy.update_time))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Blanks the words of some feedbacks that arrived before a moment; which they are. There are more where they are [`CHUNK`].
pub(crate) async fn blank_texts(
    tx: &mut Transaction,
    tenant: &Tenant,
    before: Timestamp,
    now: Timestamp,
) -> Result<Vec<Uuid>, Refusal> {
    let blanked = sqlx::query_scalar(
        "UPDATE feedback SET title = '', title_masked = NULL, description = '', description_masked = NULL, expectation = '',
                expectation_masked = NULL, verbatim_sealed = NULL, attachments = NULL, text_blank_time = $3
         WHERE tenant_id = $1 AND id IN (
             SELECT id FROM feedback WHERE tenant_id = $1 AND create_time < $2 AND text_blank_time IS NULL
             ORDER BY create_time LIMIT $4 FOR UPDATE SKIP LOCKED)
         RETURNING id",
    )
    .bind(tenant.key())
    .bind(sql::time(before))
    .bind(sql::time(now))
    .bind(CHUNK)
    .fetch_all(&mut **tx)
    .await?;
    Ok(blanked)
}

/// Blanks addresses in the same way; true where there were as many as one transaction takes.
pub(crate) async fn blank_contacts(tx: &mut Transaction, tenant: &Tenant, before: Timestamp) -> Result<bool, Refusal> {
    let blanked = sqlx::query(
        "UPDATE feedback SET contact_kind = NULL, contact_sealed = NULL
         WHERE tenant_id = $1 AND id IN (
             SELECT id FROM feedback WHERE tenant_id = $1 AND create_time < $2 AND contact_sealed IS NOT NULL
             ORDER BY create_time LIMIT $3 FOR UPDATE SKIP LOCKED)",
    )
    .bind(tenant.key())
    .bind(sql::time(before))
    .bind(CHUNK)
    .execute(&mut **tx)
    .await?;
    Ok(i64::try_from(blanked.rows_affected()).is_ok_and(|rows| rows >= CHUNK))
}
