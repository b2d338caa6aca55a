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

/// The labels of two people who did not see each other's, where the later one was given in the stretch of time: that one is looked for
/// by its time, and the earlier one beside it.
pub(super) async fn coded(tx: &mut Transaction, tenant: &Tenant, which: Which<'_>) -> Result<Vec<Pair>, Refusal> {
    let pairs = sqlx::query_as(
        "SELECT CASE later.stage WHEN 1 THEN later.label ELSE earlier.label END,
             CASE later.stage WHEN 1 THEN earlier.label ELSE later.label END, count(*)
         FROM review_item AS later JOIN review_item AS earlier USING (tenant_id, classification_id, task_id)
         WHERE tenant_id = $1 AND task_id = $2 AND later.stage IN (1, 2) AND earlier.stage = 3 - later.stage
             AND later.state = 3 AND earlier.state = 3
             AND (earlier.resolve_time, earlier.stage) < (later.resolve_time, later.stage)
             AND later.resolve_time >= COALESCE($3::timestamptz, '-infinity') AND later.resolve_time < COALESCE($4::timestamptz, 'infinity')
             AND ($5 = 0 OR later.reason = $5)
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
             AND settle_time >= COALESCE($3::timestamptz, '-infinity') AND settle_time < COALESCE($4::timestamptz, 'infinity')
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
