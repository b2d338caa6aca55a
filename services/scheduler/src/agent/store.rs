//! All SQL of agents.

use huiyin_chassis::{Refusal, Tenant, Transaction, listing::PageRequest, sql};
use jiff::Timestamp;
use sqlx::{Postgres, QueryBuilder};

use super::domain::{Agent, Profile, Skill};

const COLUMNS: &str = "agent_id, subject, display_name, team, skill_keys, skill_levels, capacity_weight, open_limit, available, supervisor,
    email, language, open_count, revision, create_time, update_time";

#[derive(sqlx::FromRow)]
struct Row {
    agent_id: String,
    subject: String,
    display_name: String,
    team: String,
    skill_keys: Vec<String>,
    skill_levels: Vec<i16>,
    capacity_weight: i32,
    open_limit: i32,
    available: bool,
    supervisor: bool,
    email: String,
    language: String,
    open_count: i32,
    revision: i64,
    create_time: jiff_sqlx::Timestamp,
    update_time: jiff_sqlx::Timestamp,
}

impl From<Row> for Agent {
    fn from(row: Row) -> Self {
        Self {
            id: row.agent_id,
            subject: row.subject,
            profile: Profile {
                display_name: row.display_name,
                team: row.team,
                skills: row
                    .skill_keys
                    .into_iter()
                    .zip(row.skill_levels)
                    .map(|(key, level)| Skill { key, level })
                    .collect(),
                capacity_weight: row.capacity_weight,
                open_limit: row.open_limit,
                available: row.available,
                supervisor: row.supervisor,
                email: row.email,
                language: row.language,
            },
            open_count: row.open_count,
            revision: row.revision,
            create_time: row.create_time.to_jiff(),
            update_time: row.update_time.to_jiff(),
        }
    }
}

fn select(tenant: &Tenant) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(format!("SELECT {COLUMNS} FROM agent WHERE tenant_id = "));
    query.push_bind(tenant.key().to_owned());
    query
}

async fn one(tx: &mut Transaction, mut query: QueryBuilder<Postgres>) -> Result<Option<Agent>, Refusal> {
    let row: Option<Row> = query.build_query_as().fetch_optional(&mut **tx).await?;
    Ok(row.map(Agent::from))
}

/// An agent.
pub(super) async fn find(tx: &mut Transaction, tenant: &Tenant, id: &str) -> Result<Option<Agent>, Refusal> {
    let mut query = select(tenant);
    query.push(" AND agent_id = ").push_bind(id.to_owned());
    one(tx, query).await
}

/// An agent, held until the transaction ends.
pub(super) async fn lock(tx: &mut Transaction, tenant: &Tenant, id: &str) -> Result<Option<Agent>, Refusal> {
    let mut query = select(tenant);
    query
        .push(" AND agent_id = ")
        .push_bind(id.to_owned())
        .push(" FOR UPDATE");
    one(tx, query).await
}

/// The agent who calls with a subject.
pub(super) async fn find_by_subject(
    tx: &mut Transaction,
    tenant: &Tenant,
    subject: &str,
) -> Result<Option<Agent>, Refusal> {
    let mut query = select(tenant);
    query.push(" AND subject = ").push_bind(subject.to_owned());
    one(tx, query).await
}

/// The agents of a page and one more; `id` tells agents apart within the order.
pub(super) async fn list(
    tx: &mut Transaction,
    tenant: &Tenant,
    page: &PageRequest,
    id: &'static str,
) -> Result<Vec<Agent>, Refusal> {
    let mut query = select(tenant);
    page.push(&mut query, id);
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    Ok(rows.into_iter().map(Agent::from).collect())
}

/// Makes an agent; false where the id or the subject is taken.
pub(super) async fn insert(tx: &mut Transaction, tenant: &Tenant, agent: &Agent) -> Result<bool, Refusal> {
    let profile = &agent.profile;
    let inserted = sqlx::query(
        "INSERT INTO agent (tenant_id, agent_id, subject, display_name, team, skill_keys, skill_levels, capacity_weight, open_limit, available,
             supervisor, email, language, open_count, revision, create_time, update_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
         ON CONFLICT DO NOTHING",
    )
    .bind(tenant.key())
    .bind(&agent.id)
    .bind(&agent.subject)
    .bind(&profile.display_name)
    .bind(&profile.team)
    .bind(keys(profile))
    .bind(levels(profile))
    .bind(profile.capacity_weight)
    .bind(profile.open_limit)
    .bind(profile.available)
    .bind(profile.supervisor)
    .bind(&profile.email)
    .bind(&profile.language)
    .bind(agent.open_count)
    .bind(agent.revision)
    .bind(sql::time(agent.create_time))
    .bind(sql::time(agent.update_time))
    .execute(&mut **tx)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Writes what people say of an agent; not what they carry.
pub(super) async fn update(tx: &mut Transaction, tenant: &Tenant, agent: &Agent) -> Result<(), Refusal> {
    let profile = &agent.profile;
    sqlx::query(
        "UPDATE agent SET display_name = $3, team = $4, skill_keys = $5, skill_levels = $6, capacity_weight = $7, open_limit = $8,
             available = $9, supervisor = $10, email = $11, language = $12, revision = $13, update_time = $14
         WHERE tenant_id = $1 AND agent_id = $2",
    )
    .bind(tenant.key())
    .bind(&agent.id)
    .bind(&profile.display_name)
    .bind(&profile.team)
    .bind(keys(profile))
    .bind(levels(profile))
    .bind(profile.capacity_weight)
    .bind(profile.open_limit)
    .bind(profile.available)
    .bind(profile.supervisor)
    .bind(&profile.email)
    .bind(&profile.language)
    .bind(agent.revision)
    .bind(sql::time(agent.update_time))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

fn keys(profile: &Profile) -> Vec<String> {
    profile.skills.iter().map(|skill| skill.key.clone()).collect()
}

fn levels(profile: &Profile) -> Vec<i16> {
    profile.skills.iter().map(|skill| skill.level).collect()
}

/// Deletes an agent.
pub(super) async fn delete(tx: &mut Transaction, tenant: &Tenant, id: &str) -> Result<(), Refusal> {
    sqlx::query("DELETE FROM agent WHERE tenant_id = $1 AND agent_id = $2")
        .bind(tenant.key())
        .bind(id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Holds some agents until the transaction ends, in the order of their ids.
pub(super) async fn lock_subjects(tx: &mut Transaction, tenant: &Tenant, subjects: &[&str]) -> Result<(), Refusal> {
    sqlx::query("SELECT FROM agent WHERE tenant_id = $1 AND subject = ANY($2) ORDER BY agent_id FOR UPDATE")
        .bind(tenant.key())
        .bind(subjects)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// One carries one work order less, the other one more; answers with the subjects of those that there are.
pub(super) async fn hand_over(
    tx: &mut Transaction,
    tenant: &Tenant,
    from: Option<&str>,
    to: Option<&str>,
    now: Timestamp,
) -> Result<Vec<String>, Refusal> {
    let changed = sqlx::query_scalar(
        "UPDATE agent SET
             open_count = greatest(open_count + (subject = $3)::int - (subject = $2)::int, 0),
             last_assign_time = CASE WHEN subject = $3 THEN $4 ELSE last_assign_time END
         WHERE tenant_id = $1 AND subject IN ($2, $3)
         RETURNING subject",
    )
    .bind(tenant.key())
    .bind(from.unwrap_or_default())
    .bind(to.unwrap_or_default())
    .bind(sql::time(now))
    .fetch_all(&mut **tx)
    .await?;
    Ok(changed)
}
