//! All SQL of the shelf.

use sqlx::{Postgres, QueryBuilder, query_builder::Separated};

use super::{Edition, Kept, Title, Which};
use crate::{db::Transaction, error::Refusal, listing::PageRequest, name::Tenant, sql};

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

/// The columns that say whose a version is and of what, each with a comma behind.
fn key<T: Kept>() -> &'static str {
    match T::KIND {
        Some(_) => "tenant_id, kind, ",
        None => "tenant_id, ",
    }
}

/// The values of these columns.
fn push_key<T: Kept>(values: &mut Separated<'_, Postgres, &str>, tenant: &Tenant) {
    values.push_bind(tenant.key());
    if let Some(kind) = T::KIND {
        values.push_bind(kind);
    }
}

/// The condition that a version is this tenant's and of this thing.
fn push_own<T: Kept>(query: &mut QueryBuilder<Postgres>, tenant: &Tenant) {
    query.push("tenant_id = ").push_bind(tenant.key());
    if let Some(kind) = T::KIND {
        query.push(" AND kind = ").push_bind(kind);
    }
}

/// Nobody else makes or activates a version of this thing until the transaction ends. The row of the built-in one is the
/// lock.
pub(super) async fn lock<T: Kept>(tx: &mut Transaction, tenant: &Tenant) -> Result<(), Refusal> {
    let (table, key) = (T::TABLE, key::<T>());
    let mut query = QueryBuilder::new(format!(
        "INSERT INTO {table} ({key}version, display_name, change_reason, author, active, revision) VALUES ("
    ));
    let mut values = query.separated(", ");
    push_key::<T>(&mut values, tenant);
    values
        .push("0")
        .push_bind(BUILT_IN)
        .push_bind(BUILT_IN)
        .push("'system', true, 0");
    query.push(format!(") ON CONFLICT ({key}version) DO NOTHING"));
    query.build().execute(&mut **tx).await?;
    let mut query = QueryBuilder::new(format!("SELECT FROM {table} WHERE "));
    push_own::<T>(&mut query, tenant);
    query.push(" AND version = 0 FOR UPDATE");
    query.build().execute(&mut **tx).await?;
    Ok(())
}

/// The number of the newest version.
pub(super) async fn last_version<T: Kept>(tx: &mut Transaction, tenant: &Tenant) -> Result<i32, Refusal> {
    let mut query = QueryBuilder::new(format!("SELECT coalesce(max(version), 0) FROM {} WHERE ", T::TABLE));
    push_own::<T>(&mut query, tenant);
    Ok(query.build_query_scalar().fetch_one(&mut **tx).await?)
}

/// A version, where it has a row.
pub(super) async fn find<T: Kept>(
    tx: &mut Transaction,
    tenant: &Tenant,
    which: Which,
) -> Result<Option<Edition<T>>, Refusal> {
    let mut query = QueryBuilder::new(format!("SELECT {COLUMNS} FROM {} WHERE ", T::TABLE));
    push_own::<T>(&mut query, tenant);
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
    let content = serde_json::to_value(&edition.content).map_err(Refusal::fault)?;
    let mut query = QueryBuilder::new(format!(
        "INSERT INTO {} ({}version, display_name, change_reason, author, content, active, revision, create_time) VALUES (",
        T::TABLE,
        key::<T>(),
    ));
    let mut values = query.separated(", ");
    push_key::<T>(&mut values, tenant);
    values
        .push_bind(edition.version)
        .push_bind(&edition.title.display_name)
        .push_bind(&edition.title.change_reason)
        .push_bind(&edition.author)
        .push_bind(content)
        .push_bind(edition.active)
        .push_bind(edition.revision)
        .push_bind(sql::time_opt(edition.create_time));
    query.push(")").build().execute(&mut **tx).await?;
    Ok(())
}

/// Puts a version into effect in the place of another.
pub(super) async fn activate<T: Kept>(
    tx: &mut Transaction,
    tenant: &Tenant,
    edition: &Edition<T>,
) -> Result<(), Refusal> {
    let mut query = QueryBuilder::new(format!(
        "UPDATE {} SET active = false, revision = revision + 1 WHERE ",
        T::TABLE
    ));
    push_own::<T>(&mut query, tenant);
    query.push(" AND active").build().execute(&mut **tx).await?;
    let mut query = QueryBuilder::new(format!("UPDATE {} SET active = true, revision = ", T::TABLE));
    query
        .push_bind(edition.revision)
        .push(", activate_time = ")
        .push_bind(sql::time_opt(edition.activate_time))
        .push(" WHERE ");
    push_own::<T>(&mut query, tenant);
    query.push(" AND version = ").push_bind(edition.version);
    query.build().execute(&mut **tx).await?;
    Ok(())
}

/// The versions of a page and one more, the built-in one included where it has no row yet.
pub(super) async fn list<T: Kept>(
    tx: &mut Transaction,
    tenant: &Tenant,
    page: &PageRequest,
) -> Result<Vec<Edition<T>>, Refusal> {
    let table = T::TABLE;
    let mut query = QueryBuilder::new(format!(
        "SELECT {COLUMNS} FROM (
             SELECT {COLUMNS} FROM {table} WHERE "
    ));
    push_own::<T>(&mut query, tenant);
    query
        .push(" UNION ALL SELECT 0, ")
        .push_bind(BUILT_IN)
        .push(", ")
        .push_bind(BUILT_IN);
    query.push(format!(
        ", 'system', NULL, true, 0, NULL, NULL
             WHERE NOT EXISTS (SELECT FROM {table} WHERE version = 0 AND "
    ));
    push_own::<T>(&mut query, tenant);
    query.push(")) AS edition WHERE true");
    page.push(&mut query, "version::text");
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    rows.into_iter().map(Row::edition).collect()
}
