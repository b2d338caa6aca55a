//! All SQL of the shelf.

use huiyin_chassis::{Refusal, Tenant, Transaction, listing::PageRequest, sql};
use sqlx::{Postgres, QueryBuilder};

use super::{Edition, Kept, Title, Which};

/// What the built-in versions are called.
pub(super) const BUILT_IN: &str = "built in";

const COLUMNS: &str =
    "version, display_name, change_reason, author, content, active, revision, create_time, activate_time";

#[derive(sqlx::FromRow)]
struct Row {
    version: i32,
    display_name: String,
    change_reason: String,
    author: String,
    content: Option<serde_json::Value>,
    active: bool,
    revision: i64,
    create_time: Option<jiff_sqlx::Timestamp>,
    activate_time: Option<jiff_sqlx::Timestamp>,
}

impl Row {
    fn edition<T: Kept>(self) -> Result<Edition<T>, Refusal> {
        let content = match self.content {
            None => T::built_in(),
            Some(content) => serde_json::from_value(content).map_err(Refusal::fault)?,
        };
        Ok(Edition {
            version: self.version,
            title: Title {
                display_name: self.display_name,
                change_reason: self.change_reason,
            },
            content,
            active: self.active,
            author: self.author,
            revision: self.revision,
            create_time: self.create_time.map(jiff_sqlx::Timestamp::to_jiff),
            activate_time: self.activate_time.map(jiff_sqlx::Timestamp::to_jiff),
        })
    }
}

/// Nobody else makes or activates a version of this kind until the transaction ends. The row of the built-in one is the
/// lock.
pub(super) async fn lock<T: Kept>(tx: &mut Transaction, tenant: &Tenant) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO policy_version (tenant_id, kind, version, display_name, change_reason, author, active, revision)
         VALUES ($1, $2, 0, $3, $3, 'system', true, 0)
         ON CONFLICT (tenant_id, kind, version) DO NOTHING",
    )
    .bind(tenant.key())
    .bind(T::KIND)
    .bind(BUILT_IN)
    .execute(&mut **tx)
    .await?;
    sqlx::query("SELECT FROM policy_version WHERE tenant_id = $1 AND kind = $2 AND version = 0 FOR UPDATE")
        .bind(tenant.key())
        .bind(T::KIND)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The number of the newest version.
pub(super) async fn last_version<T: Kept>(tx: &mut Transaction, tenant: &Tenant) -> Result<i32, Refusal> {
    let last =
        sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM policy_version WHERE tenant_id = $1 AND kind = $2")
            .bind(tenant.key())
            .bind(T::KIND)
            .fetch_one(&mut **tx)
            .await?;
    Ok(last)
}

/// A version, where it has a row.
pub(super) async fn find<T: Kept>(
    tx: &mut Transaction,
    tenant: &Tenant,
    which: Which,
) -> Result<Option<Edition<T>>, Refusal> {
    let mut query = QueryBuilder::new(format!("SELECT {COLUMNS} FROM policy_version WHERE tenant_id = "));
    query
        .push_bind(tenant.key().to_owned())
        .push(" AND kind = ")
        .push_bind(T::KIND);
    match which {
        Which::Active => query.push(" AND active"),
        Which::Version(version) => query.push(" AND version = ").push_bind(version),
    };
    let row: Option<Row> = query.build_query_as().fetch_optional(&mut **tx).await?;
    row.map(Row::edition).transpose()
}

/// Puts a new version on the shelf.
pub(super) async fn insert<T: Kept>(
    tx: &mut Transaction,
    tenant: &Tenant,
    edition: &Edition<T>,
) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO policy_version (tenant_id, kind, version, display_name, change_reason, author, content, active, revision, create_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(tenant.key())
    .bind(T::KIND)
    .bind(edition.version)
    .bind(&edition.title.display_name)
    .bind(&edition.title.change_reason)
    .bind(&edition.author)
    .bind(serde_json::to_value(&edition.content).map_err(Refusal::fault)?)
    .bind(edition.active)
    .bind(edition.revision)
    .bind(sql::time_opt(edition.create_time))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Puts a version into effect in the place of another.
pub(super) async fn activate<T: Kept>(
    tx: &mut Transaction,
    tenant: &Tenant,
    edition: &Edition<T>,
) -> Result<(), Refusal> {
    sqlx::query("UPDATE policy_version SET active = false, revision = revision + 1 WHERE tenant_id = $1 AND kind = $2 AND active")
        .bind(tenant.key())
        .bind(T::KIND)
        .execute(&mut **tx)
        .await?;
    sqlx::query("UPDATE policy_version SET active = true, revision = $4, activate_time = $5 WHERE tenant_id = $1 AND kind = $2 AND version = $3")
        .bind(tenant.key())
        .bind(T::KIND)
        .bind(edition.version)
        .bind(edition.revision)
        .bind(sql::time_opt(edition.activate_time))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The versions of a page and one more, the built-in one included where it has no row yet.
pub(super) async fn list<T: Kept>(
    tx: &mut Transaction,
    tenant: &Tenant,
    page: &PageRequest,
) -> Result<Vec<Edition<T>>, Refusal> {
    let mut query = QueryBuilder::<Postgres>::new(format!(
        "SELECT {COLUMNS} FROM (
             SELECT {COLUMNS} FROM policy_version WHERE tenant_id = "
    ));
    query
        .push_bind(tenant.key().to_owned())
        .push(" AND kind = ")
        .push_bind(T::KIND);
    query
        .push(" UNION ALL SELECT 0, ")
        .push_bind(BUILT_IN)
        .push(", ")
        .push_bind(BUILT_IN);
    query.push(
        ", 'system', NULL, true, 0, NULL, NULL
             WHERE NOT EXISTS (SELECT FROM policy_version WHERE version = 0 AND tenant_id = ",
    );
    query
        .push_bind(tenant.key().to_owned())
        .push(" AND kind = ")
        .push_bind(T::KIND);
    query.push(")) AS edition WHERE true");
    page.push(&mut query, "version::text");
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    rows.into_iter().map(Row::edition).collect()
}
