//! All SQL of teams.

use huiyin_chassis::{Refusal, Tenant, Transaction, listing::PageRequest, sql};
use jiff::Timestamp;
use sqlx::{Postgres, QueryBuilder};

use super::domain::{FALLBACK_NAME, Team};
use crate::work_order::domain::FALLBACK;

/// How many open work orders a team has: counted, because a counter kept on the row would make every opening wait for the one before.
pub(super) const OPEN: &str = "(SELECT count(*) FROM work_order WHERE work_order.tenant_id = team.tenant_id AND work_order.team = team.team_id AND work_order.state <= 4)";

#[derive(sqlx::FromRow)]
struct Row {
    team_id: String,
    display_name: String,
    department: String,
    open_count: i64,
    revision: i64,
    create_time: jiff_sqlx::Timestamp,
    update_time: jiff_sqlx::Timestamp,
}

impl From<Row> for Team {
    fn from(row: Row) -> Self {
        Self {
            id: row.team_id,
            display_name: row.display_name,
            department: row.department,
            open_count: row.open_count,
            revision: row.revision,
            create_time: row.create_time.to_jiff(),
            update_time: row.update_time.to_jiff(),
        }
    }
}

fn select(tenant: &Tenant) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(format!(
        "SELECT team_id, display_name, department, {OPEN} AS open_count, revision, create_time, update_time FROM team WHERE tenant_id = "
    ));
    query.push_bind(tenant.key().to_owned());
    query
}

/// A team.
pub(super) async fn find(tx: &mut Transaction, tenant: &Tenant, id: &str) -> Result<Option<Team>, Refusal> {
    let mut query = select(tenant);
    query.push(" AND team_id = ").push_bind(id.to_owned());
    let row: Option<Row> = query.build_query_as().fetch_optional(&mut **tx).await?;
    Ok(row.map(Team::from))
}

/// A team, held until the transaction ends.
pub(super) async fn lock(tx: &mut Transaction, tenant: &Tenant, id: &str) -> Result<Option<Team>, Refusal> {
    let mut query = select(tenant);
    query
        .push(" AND team_id = ")
        .push_bind(id.to_owned())
        .push(" FOR UPDATE OF team");
    let row: Option<Row> = query.build_query_as().fetch_optional(&mut **tx).await?;
    Ok(row.map(Team::from))
}

/// True where there is such a team.
pub(super) async fn exists(tx: &mut Transaction, tenant: &Tenant, id: &str) -> Result<bool, Refusal> {
    let found = sqlx::query_scalar("SELECT EXISTS (SELECT FROM team WHERE tenant_id = $1 AND team_id = $2)")
        .bind(tenant.key())
        .bind(id)
        .fetch_one(&mut **tx)
        .await?;
    Ok(found)
}

/// The teams of a page and one more; `id` tells teams apart within the order.
pub(super) async fn list(
    tx: &mut Transaction,
    tenant: &Tenant,
    page: &PageRequest,
    id: &'static str,
) -> Result<Vec<Team>, Refusal> {
    let mut query = select(tenant);
    page.push(&mut query, id);
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    Ok(rows.into_iter().map(Team::from).collect())
}

/// Makes a team; false where the id is taken.
pub(super) async fn insert(tx: &mut Transaction, tenant: &Tenant, team: &Team) -> Result<bool, Refusal> {
    let inserted = sqlx::query(
        "INSERT INTO team (tenant_id, team_id, display_name, department, revision, create_time, update_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT DO NOTHING",
    )
    .bind(tenant.key())
    .bind(&team.id)
    .bind(&team.display_name)
    .bind(&team.department)
    .bind(team.revision)
    .bind(sql::time(team.create_time))
    .bind(sql::time(team.update_time))
    .execute(&mut **tx)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Writes what people say of a team.
pub(super) async fn update(tx: &mut Transaction, tenant: &Tenant, team: &Team) -> Result<(), Refusal> {
    sqlx::query("UPDATE team SET display_name = $3, department = $4, revision = $5, update_time = $6 WHERE tenant_id = $1 AND team_id = $2")
        .bind(tenant.key())
        .bind(&team.id)
        .bind(&team.display_name)
        .bind(&team.department)
        .bind(team.revision)
        .bind(sql::time(team.update_time))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The fallback queue is there from the beginning: whoever looks first finds it made.
pub(super) async fn ensure_fallback(tx: &mut Transaction, tenant: &Tenant, now: Timestamp) -> Result<(), Refusal> {
    let fallback = Team {
        id: FALLBACK.to_owned(),
        display_name: FALLBACK_NAME.to_owned(),
        department: String::new(),
        open_count: 0,
        revision: 1,
        create_time: now,
        update_time: now,
    };
    insert(tx, tenant, &fallback).await.map(|_| ())
}
