//! All SQL of assignment: who might get a work order, and taking hold of one of them.

use huiyin_chassis::{Refusal, Tenant, Transaction};

use super::domain::Candidate;

#[derive(sqlx::FromRow)]
struct Row {
    agent_id: String,
    subject: String,
    team: String,
    skill_keys: Vec<String>,
    skill_levels: Vec<i16>,
    open_count: i32,
    capacity_weight: i32,
    last_assign_time: Option<jiff_sqlx::Timestamp>,
}

/// Everybody who takes work now and is below their limit, of one team or of all.
pub(super) async fn candidates(
    tx: &mut Transaction,
    tenant: &Tenant,
    team: Option<&str>,
) -> Result<Vec<Candidate>, Refusal> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT agent_id, subject, team, skill_keys, skill_levels, open_count, greatest(capacity_weight, 1) AS capacity_weight, last_assign_time
         FROM agent
         WHERE tenant_id = $1 AND available AND (open_limit = 0 OR open_count < open_limit) AND ($2::text IS NULL OR team = $2)",
    )
    .bind(tenant.key())
    .bind(team)
    .fetch_all(&mut **tx)
    .await?;
    let candidate = |row: Row| Candidate {
        id: row.agent_id,
        subject: row.subject,
        team: row.team,
        skills: row.skill_keys.into_iter().zip(row.skill_levels).collect(),
        open_count: row.open_count,
        capacity_weight: row.capacity_weight,
        last_assign_time: row.last_assign_time.map(jiff_sqlx::Timestamp::to_jiff),
    };
    Ok(rows.into_iter().map(candidate).collect())
}

/// Holds the first of some agents whom nobody else holds and who still takes work.
pub(super) async fn take_free(
    tx: &mut Transaction,
    tenant: &Tenant,
    ids: &[String],
) -> Result<Option<String>, Refusal> {
    let taken = sqlx::query_scalar(
        "SELECT agent_id FROM agent JOIN unnest($2::text[]) WITH ORDINALITY AS wanted (id, place) ON agent_id = wanted.id
         WHERE tenant_id = $1 AND available AND (open_limit = 0 OR open_count < open_limit)
         ORDER BY place LIMIT 1
         FOR UPDATE OF agent SKIP LOCKED",
    )
    .bind(tenant.key())
    .bind(ids)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(taken)
}

/// Holds the first of some agents who still takes work, waiting for whoever holds them.
pub(super) async fn take(tx: &mut Transaction, tenant: &Tenant, ids: &[String]) -> Result<Option<String>, Refusal> {
    let taken = sqlx::query_scalar(
        "SELECT agent_id FROM agent JOIN unnest($2::text[]) WITH ORDINALITY AS wanted (id, place) ON agent_id = wanted.id
         WHERE tenant_id = $1 AND available AND (open_limit = 0 OR open_count < open_limit)
         ORDER BY place LIMIT 1
         FOR UPDATE OF agent",
    )
    .bind(tenant.key())
    .bind(ids)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(taken)
}
