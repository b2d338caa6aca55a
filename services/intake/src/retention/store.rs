//! All SQL of retention.

use huiyin_chassis::{Refusal, Tenant, Transaction, sql};
use jiff::Timestamp;
use jiff_sqlx::Timestamp as SqlTimestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// So many feedbacks are looked at in one transaction, of each order.
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

/// Up to where was looked, in one of the two orders.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Mark {
    pub(crate) time: Timestamp,
    pub(crate) id: Uuid,
}

impl Default for Mark {
    fn default() -> Self {
        Self {
            time: Timestamp::UNIX_EPOCH,
            id: Uuid::nil(),
        }
    }
}

/// In which order is looked for what is over its time. 5 is the state of a closed feedback (`status::domain::State`).
#[derive(Debug, Clone, Copy)]
pub(crate) enum Order {
    /// As they arrived. What was closed later than the moment asked for is passed over: it comes in the other order.
    Arrival,
    /// As they were closed.
    Closing,
}

/// The next feedbacks behind a mark that arrived, or were closed, before a moment: whether each is over its time, and its place. There
/// are more where they are [`CHUNK`]. Nobody else changes them until the transaction ends.
pub(crate) async fn next(
    tx: &mut Transaction,
    tenant: &Tenant,
    order: Order,
    after: Mark,
    before: Timestamp,
) -> Result<Vec<(Uuid, SqlTimestamp, bool)>, Refusal> {
    let found = sqlx::query_as(match order {
        Order::Arrival => {
            "SELECT f.id, f.create_time, NOT EXISTS (
                 SELECT FROM customer_status AS s
                 WHERE s.tenant_id = $1 AND s.feedback_id = f.id AND s.state = 5 AND s.state_time >= $4)
             FROM feedback AS f
             WHERE f.tenant_id = $1 AND (f.create_time, f.id) > ($2, $3) AND f.create_time < $4
             ORDER BY f.create_time, f.id LIMIT $5 FOR UPDATE"
        }
        Order::Closing => {
            "SELECT feedback_id, state_time, true FROM customer_status
             WHERE tenant_id = $1 AND (state_time, feedback_id) > ($2, $3) AND state_time < $4 AND state = 5
             ORDER BY state_time, feedback_id LIMIT $5"
        }
    })
    .bind(tenant.key())
    .bind(sql::time(after.time))
    .bind(after.id)
    .bind(sql::time(before))
    .bind(CHUNK)
    .fetch_all(&mut **tx)
    .await?;
    Ok(found)
}

/// Blanks the words of those of these feedbacks that have some; which they are.
pub(crate) async fn blank_texts(
    tx: &mut Transaction,
    tenant: &Tenant,
    ids: &[Uuid],
    now: Timestamp,
) -> Result<Vec<Uuid>, Refusal> {
    let blanked = sqlx::query_scalar(
        "UPDATE feedback SET title = '', title_masked = NULL, description = '', description_masked = NULL, expectation = '',
                expectation_masked = NULL, verbatim_sealed = NULL, attachments = NULL, text_blank_time = $3
         WHERE tenant_id = $1 AND id = ANY ($2) AND text_blank_time IS NULL
         RETURNING id",
    )
    .bind(tenant.key())
    .bind(ids)
    .bind(sql::time(now))
    .fetch_all(&mut **tx)
    .await?;
    Ok(blanked)
}

/// Blanks their addresses.
pub(crate) async fn blank_contacts(tx: &mut Transaction, tenant: &Tenant, ids: &[Uuid]) -> Result<(), Refusal> {
    sqlx::query(
        "UPDATE feedback SET contact_kind = NULL, contact_sealed = NULL
         WHERE tenant_id = $1 AND id = ANY ($2) AND contact_sealed IS NOT NULL",
    )
    .bind(tenant.key())
    .bind(ids)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
