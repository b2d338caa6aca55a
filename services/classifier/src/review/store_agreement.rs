//! The SQL of agreement: how many texts have which two labels.

use huiyin_chassis::{Refusal, Tenant, Transaction, sql};
use jiff::Timestamp;

use super::{convert::reason_number, domain::Reason, domain_agreement::Pair};

/// Which labels are compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Which<'w> {
    pub(super) task: &'w str,
    pub(super) from: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
    pub(super) reason: Option<Reason>,
}

/// The labels of two people who did not see each other's.
pub(super) async fn coded(tx: &mut Transaction, tenant: &Tenant, which: Which<'_>) -> Result<Vec<Pair>, Refusal> {
    let pairs = sqlx::query_as(
        "SELECT one.label, other.label, count(*)
         FROM review_item AS one JOIN review_item AS other USING (tenant_id, classification_id, task_id)
         WHERE tenant_id = $1 AND task_id = $2 AND one.stage = 1 AND other.stage = 2 AND one.state = 3 AND other.state = 3
             AND ($3::timestamptz IS NULL OR greatest(one.resolve_time, other.resolve_time) >= $3)
             AND ($4::timestamptz IS NULL OR greatest(one.resolve_time, other.resolve_time) < $4)
             AND ($5 = 0 OR one.reason = $5)
         GROUP BY 1, 2",
    );
    let pairs = pairs.bind(tenant.key()).bind(which.task);
    let pairs = pairs
        .bind(sql::time_opt(which.from))
        .bind(sql::time_opt(which.until))
        .bind(which.reason.map_or(0, reason_number));
    Ok(pairs.fetch_all(&mut **tx).await?)
}

/// The label in effect before people looked, and the one that they settled on.
pub(super) async fn settled(tx: &mut Transaction, tenant: &Tenant, which: Which<'_>) -> Result<Vec<Pair>, Refusal> {
    let pairs = sqlx::query_as(
        "SELECT found_label, settled_label, count(*)
         FROM review_item
         WHERE tenant_id = $1 AND task_id = $2 AND stage = 1 AND settle_time IS NOT NULL
             AND ($3::timestamptz IS NULL OR settle_time >= $3) AND ($4::timestamptz IS NULL OR settle_time < $4)
             AND ($5 = 0 OR reason = $5)
         GROUP BY 1, 2",
    );
    let pairs = pairs.bind(tenant.key()).bind(which.task);
    let pairs = pairs
        .bind(sql::time_opt(which.from))
        .bind(sql::time_opt(which.until))
        .bind(which.reason.map_or(0, reason_number));
    Ok(pairs.fetch_all(&mut **tx).await?)
}
