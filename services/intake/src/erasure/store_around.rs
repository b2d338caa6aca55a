//! All SQL of what hangs on a feedback without being it: what it is recognised by, its mails, its thread, why it stands where it stands.

use huiyin_chassis::{Refusal, Tenant, Transaction};
use uuid::Uuid;

/// Forgets what texts were compared by, and what people wrote about where they stand; where they stand stays.
pub(crate) async fn forget_words(tx: &mut Transaction, tenant: &Tenant, feedbacks: &[Uuid]) -> Result<u64, Refusal> {
    let statements = [
        "DELETE FROM feedback_print WHERE tenant_id = $1 AND id = ANY ($2)",
        "DELETE FROM feedback_band WHERE tenant_id = $1 AND feedback_id = ANY ($2)",
        "UPDATE feedback_standing SET state_reason = '', before_reason = CASE WHEN before_state IS NOT NULL THEN '' END
         WHERE tenant_id = $1 AND id = ANY ($2) AND (state_reason <> '' OR before_reason <> '')",
        "UPDATE customer_status SET message = '' WHERE tenant_id = $1 AND feedback_id = ANY ($2) AND message <> ''",
    ];
    each(tx, tenant, feedbacks, &statements).await
}

/// Forgets which others are near to them, which thread they belong to, and the hashes of their mails: of all mails of the same sender,
/// answered or not.
pub(crate) async fn forget_ties(tx: &mut Transaction, tenant: &Tenant, feedbacks: &[Uuid]) -> Result<u64, Refusal> {
    let statements = [
        "DELETE FROM feedback_link WHERE tenant_id = $1 AND (id = ANY ($2) OR other = ANY ($2))",
        "DELETE FROM feedback_thread WHERE tenant_id = $1 AND (feedback_id = ANY ($2) OR thread_of = ANY ($2))",
        "DELETE FROM mail WHERE tenant_id = $1 AND sender IN (
             SELECT sender FROM mail WHERE tenant_id = $1 AND feedback_id = ANY ($2))",
        "UPDATE mail SET thread_of = NULL WHERE tenant_id = $1 AND thread_of = ANY ($2)",
    ];
    each(tx, tenant, feedbacks, &statements).await
}

/// Carries out statements that take the tenant and the feedbacks; how many rows they changed.
async fn each(
    tx: &mut Transaction,
    tenant: &Tenant,
    feedbacks: &[Uuid],
    statements: &[&'static str],
) -> Result<u64, Refusal> {
    let mut changed = 0;
    for statement in statements {
        let done = sqlx::query(*statement).bind(tenant.key()).bind(feedbacks);
        changed += done.execute(&mut **tx).await?.rows_affected();
    }
    Ok(changed)
}

/// What hangs on some feedbacks, one JSON object each, with a `kind`: files by name, where they stand, what their customers were told,
/// and their mails.
pub(crate) async fn lines(tx: &mut Transaction, tenant: &Tenant, feedbacks: &[Uuid]) -> Result<Vec<String>, Refusal> {
    let lines = sqlx::query_scalar(
        "SELECT line::text FROM (
             SELECT 1 AS place, a.feedback_id AS feedback,
                    jsonb_build_object('kind', 'attachment') || to_jsonb(a) - 'tenant_id' AS line
             FROM attachment AS a WHERE a.tenant_id = $1 AND a.feedback_id = ANY ($2)
             UNION ALL
             SELECT 2, s.id, jsonb_build_object('kind', 'standing') || to_jsonb(s) - 'tenant_id'
             FROM feedback_standing AS s WHERE s.tenant_id = $1 AND s.id = ANY ($2)
             UNION ALL
             SELECT 3, c.feedback_id, jsonb_build_object('kind', 'status') || to_jsonb(c) - 'tenant_id'
             FROM customer_status AS c WHERE c.tenant_id = $1 AND c.feedback_id = ANY ($2)
             UNION ALL
             SELECT 4, m.feedback_id, jsonb_build_object('kind', 'mail', 'feedback_id', m.feedback_id, 'thread_of', m.thread_of,
                    'receive_time', m.receive_time)
             FROM mail AS m WHERE m.tenant_id = $1 AND m.feedback_id = ANY ($2)
         ) AS around ORDER BY feedback, place",
    )
    .bind(tenant.key())
    .bind(feedbacks)
    .fetch_all(&mut **tx)
    .await?;
    Ok(lines)
}
