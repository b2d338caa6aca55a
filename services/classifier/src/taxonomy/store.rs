//! All SQL of taxonomies.

use huiyin_chassis::{Refusal, Tenant, Transaction, listing::PageRequest, sql};
use jiff::Timestamp;
use sqlx::{QueryBuilder, types::Json};

use super::{
    builtin::Builtin,
    domain::{Content, Head},
};
use crate::domain::SYSTEM;

#[derive(sqlx::FromRow)]
struct Row {
    version: i32,
    display_name: String,
    change_reason: String,
    author: String,
    active: bool,
    revision: i32,
    create_time: jiff_sqlx::Timestamp,
    activate_time: Option<jiff_sqlx::Timestamp>,
}

impl From<Row> for Head {
    fn from(row: Row) -> Self {
        Self {
            version: row.version,
            display_name: row.display_name,
            change_reason: row.change_reason,
            author: row.author,
            active: row.active,
            revision: row.revision,
            create_time: row.create_time.to_jiff(),
            activate_time: row.activate_time.map(jiff_sqlx::Timestamp::to_jiff),
        }
    }
}

/// The version in effect: the built-in one where none was ever activated.
pub(crate) async fn active_version(tx: &mut Transaction, tenant: &Tenant) -> Result<i32, Refusal> {
    let version: Option<i32> = sqlx::query_scalar("SELECT version FROM taxonomy WHERE tenant_id = $1 AND active")
        .bind(tenant.key())
        .fetch_optional(&mut **tx)
        .await?;
    Ok(version.unwrap_or(0))
}

/// The content of a version that the tenant made.
pub(crate) async fn content(tx: &mut Transaction, tenant: &Tenant, version: i32) -> Result<Option<Content>, Refusal> {
    let content: Option<Json<Content>> = sqlx::query_scalar(
        "SELECT content FROM taxonomy WHERE tenant_id = $1 AND version = $2 AND content IS NOT NULL",
    )
    .bind(tenant.key())
    .bind(version)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(content.map(|Json(content)| content))
}

/// What is said of a version; also of the built-in one, once the tenant has a row for it.
pub(crate) async fn head(tx: &mut Transaction, tenant: &Tenant, version: i32) -> Result<Option<Head>, Refusal> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT version, display_name, change_reason, author, active, revision, create_time, activate_time
         FROM taxonomy WHERE tenant_id = $1 AND version = $2",
    )
    .bind(tenant.key())
    .bind(version)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(Head::from))
}

/// The versions of a page and one more. The built-in one is among them, whether or not the tenant has a row for it.
pub(super) async fn list(
    tx: &mut Transaction,
    tenant: &Tenant,
    builtin: &Builtin,
    page: &PageRequest,
) -> Result<Vec<Head>, Refusal> {
    let mut query = QueryBuilder::new(
        "WITH listed AS (
             SELECT version, display_name, change_reason, author, active, revision, create_time, activate_time
             FROM taxonomy WHERE tenant_id = ",
    );
    query.push_bind(tenant.key().to_owned());
    query
        .push(" UNION ALL SELECT 0, ")
        .push_bind(builtin.display_name.clone());
    query
        .push(", ")
        .push_bind(builtin.change_reason.clone())
        .push(", ")
        .push_bind(SYSTEM);
    query.push(", true, 1, ").push_bind(sql::time(builtin.made));
    query
        .push(", NULL WHERE NOT EXISTS (SELECT FROM taxonomy WHERE tenant_id = ")
        .push_bind(tenant.key().to_owned());
    query.push(
        " AND version = 0))
         SELECT version, display_name, change_reason, author, active, revision, create_time, activate_time
         FROM listed WHERE true",
    );
    page.push(&mut query, "version::text");
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    Ok(rows.into_iter().map(Head::from).collect())
}

/// Makes the tenant's row of the built-in version where it is missing, and holds it: whoever makes or activates a version
/// comes one after the other.
pub(super) async fn lock(tx: &mut Transaction, tenant: &Tenant, builtin: &Builtin) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO taxonomy (tenant_id, version, display_name, change_reason, author, content, active, revision, create_time)
         VALUES ($1, 0, $2, $3, $4, NULL, true, 1, $5)
         ON CONFLICT (tenant_id, version) DO NOTHING",
    )
    .bind(tenant.key())
    .bind(&builtin.display_name)
    .bind(&builtin.change_reason)
    .bind(SYSTEM)
    .bind(sql::time(builtin.made))
    .execute(&mut **tx)
    .await?;
    sqlx::query("SELECT FROM taxonomy WHERE tenant_id = $1 AND version = 0 FOR UPDATE")
        .bind(tenant.key())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The number of the tenant's next version.
pub(super) async fn next_version(tx: &mut Transaction, tenant: &Tenant) -> Result<i32, Refusal> {
    let next = sqlx::query_scalar("SELECT coalesce(max(version), 0) + 1 FROM taxonomy WHERE tenant_id = $1")
        .bind(tenant.key())
        .fetch_one(&mut **tx)
        .await?;
    Ok(next)
}

/// Keeps a new version.
pub(super) async fn insert(
    tx: &mut Transaction,
    tenant: &Tenant,
    head: &Head,
    content: &Content,
) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO taxonomy (tenant_id, version, display_name, change_reason, author, content, active, revision, create_time)
         VALUES ($1, $2, $3, $4, $5, $6, false, $7, $8)",
    )
    .bind(tenant.key())
    .bind(head.version)
    .bind(&head.display_name)
    .bind(&head.change_reason)
    .bind(&head.author)
    .bind(Json(content))
    .bind(head.revision)
    .bind(sql::time(head.create_time))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Puts a version in the place of the one in effect.
pub(super) async fn activate(
    tx: &mut Transaction,
    tenant: &Tenant,
    version: i32,
    now: Timestamp,
) -> Result<(), Refusal> {
    sqlx::query("UPDATE taxonomy SET active = false, revision = revision + 1 WHERE tenant_id = $1 AND active")
        .bind(tenant.key())
        .execute(&mut **tx)
        .await?;
    sqlx::query("UPDATE taxonomy SET active = true, revision = revision + 1, activate_time = $3 WHERE tenant_id = $1 AND version = $2")
        .bind(tenant.key())
        .bind(version)
        .bind(sql::time(now))
        .execute(&mut **tx)
        .await?;
    Ok(())
}
