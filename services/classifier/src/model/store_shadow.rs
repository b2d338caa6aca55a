//! All SQL of what versions say in the shadow.

use huiyin_chassis::{Refusal, Tenant, Transaction, sql};
use jiff::Timestamp;
use uuid::Uuid;

use super::shadow::{Compared, Report};

#[derive(sqlx::FromRow)]
struct Row {
    compared: i64,
    agreed: i64,
    known: i64,
    shadow_right: i64,
    active_right: i64,
    first_time: Option<jiff_sqlx::Timestamp>,
    last_time: Option<jiff_sqlx::Timestamp>,
}

/// Keeps what a version said of a feedback, beside what decided.
pub(super) async fn insert(
    tx: &mut Transaction,
    tenant: &Tenant,
    classification: Uuid,
    compared: &Compared<'_>,
    now: Timestamp,
) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO shadow_answer (tenant_id, task_id, version, classification_id, label, confidence, active_version, active_label,
             create_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (tenant_id, task_id, version, classification_id) DO NOTHING",
    )
    .bind(tenant.key())
    .bind(compared.task)
    .bind(compared.version)
    .bind(classification)
    .bind(compared.label)
    .bind(compared.confidence)
    .bind(compared.active_version)
    .bind(compared.active_label)
    .bind(sql::time(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// How a version did; what people said of a text stands in the example that was made of it.
pub(super) async fn report(tx: &mut Transaction, tenant: &Tenant, task: &str, version: i32) -> Result<Report, Refusal> {
    let row: Row = sqlx::query_as(
        "SELECT count(*) AS compared,
             count(*) FILTER (WHERE said.label = said.active_label) AS agreed,
             count(example.label) AS known,
             count(*) FILTER (WHERE said.label = example.label) AS shadow_right,
             count(*) FILTER (WHERE said.active_label = example.label) AS active_right,
             min(said.create_time) AS first_time, max(said.create_time) AS last_time
         FROM shadow_answer AS said LEFT JOIN example
             ON example.tenant_id = said.tenant_id AND example.task_id = said.task_id AND example.source <> 1
             AND example.example_id = 'feedback-' || said.classification_id
         WHERE said.tenant_id = $1 AND said.task_id = $2 AND said.version = $3",
    )
    .bind(tenant.key())
    .bind(task)
    .bind(version)
    .fetch_one(&mut **tx)
    .await?;
    Ok(Report {
        compared: row.compared,
        agreed: row.agreed,
        known: row.known,
        shadow_right: row.shadow_right,
        active_right: row.active_right,
        first_time: row.first_time.map(jiff_sqlx::Timestamp::to_jiff),
        last_time: row.last_time.map(jiff_sqlx::Timestamp::to_jiff),
    })
}
