//! All SQL of uses of articles.

use huiyin_chassis::{Refusal, Tenant, Transaction, sql};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    convert::{outcome, outcome_number},
    domain::{Outcome, Uses},
};

/// What a person's use of a version for a feedback is known for; a use without a feedback is always a new one.
pub(super) async fn known(
    tx: &mut Transaction,
    tenant: &Tenant,
    (id, version): (Uuid, i32),
    author: &str,
    feedback: &str,
) -> Result<Option<(Uuid, Outcome)>, Refusal> {
    let row: Option<(Uuid, i32)> = sqlx::query_as(
        "SELECT use_id, outcome FROM article_use
         WHERE tenant_id = $1 AND article_id = $2 AND version = $3 AND author = $4 AND feedback = $5 AND feedback <> ''",
    )
    .bind(tenant.key())
    .bind(id)
    .bind(version)
    .bind(author)
    .bind(feedback)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.and_then(|(id, number)| Some((id, outcome(number)?))))
}

/// Keeps a new use.
pub(super) async fn insert(
    tx: &mut Transaction,
    tenant: &Tenant,
    (use_id, (id, version)): (Uuid, (Uuid, i32)),
    outcome: Outcome,
    (author, feedback): (&str, &str),
    now: Timestamp,
) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO article_use (tenant_id, use_id, article_id, version, outcome, author, feedback, create_time, update_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
    )
    .bind(tenant.key())
    .bind(use_id)
    .bind(id)
    .bind(version)
    .bind(outcome_number(outcome))
    .bind(author)
    .bind(feedback)
    .bind(sql::time(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Keeps what came of a use.
pub(super) async fn change(
    tx: &mut Transaction,
    tenant: &Tenant,
    use_id: Uuid,
    outcome: Outcome,
    now: Timestamp,
) -> Result<(), Refusal> {
    sqlx::query("UPDATE article_use SET outcome = $3, update_time = $4 WHERE tenant_id = $1 AND use_id = $2")
        .bind(tenant.key())
        .bind(use_id)
        .bind(outcome_number(outcome))
        .bind(sql::time(now))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Counts, for the version and the article.
pub(super) async fn count(
    tx: &mut Transaction,
    tenant: &Tenant,
    (id, version): (Uuid, i32),
    change: Uses,
) -> Result<(), Refusal> {
    if change == Uses::default() {
        return Ok(());
    }
    sqlx::query(
        "WITH of_version AS (
             UPDATE article_version SET used = used + $4, helped = helped + $5, not_helped = not_helped + $6
             WHERE tenant_id = $1 AND article_id = $2 AND version = $3
         )
         UPDATE article SET used = used + $4, helped = helped + $5, not_helped = not_helped + $6
         WHERE tenant_id = $1 AND article_id = $2",
    )
    .bind(tenant.key())
    .bind(id)
    .bind(version)
    .bind(change.used)
    .bind(change.helped)
    .bind(change.not_helped)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
