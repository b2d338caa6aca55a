//! All SQL of the validation profiles.

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    listing::{Field, Kind, PageRequest},
    sql,
};
use jiff::Timestamp;
use sqlx::{Postgres, QueryBuilder};

use super::{
    domain::Profile,
    service::{Edition, Which},
};

/// What the built-in version is called.
pub(crate) const BUILT_IN: &str = "built in";

/// What a list can be filtered by.
pub(crate) const FIELDS: &[Field] = &[
    VERSION,
    Field {
        name: "active",
        column: "active",
        kind: Kind::Bool,
    },
    Field {
        name: "author",
        column: "author",
        kind: Kind::Text,
    },
    Field {
        name: "create_time",
        column: "create_time",
        kind: Kind::Time,
    },
];
/// What a list can be ordered by.
pub(crate) const ORDER: &[Field] = &[VERSION];
const VERSION: Field = Field {
    name: "version",
    column: "version",
    kind: Kind::Integer,
};

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
    fn edition(self) -> Result<Edition, Refusal> {
        Ok(Edition {
            version: self.version,
            display_name: self.display_name,
            change_reason: self.change_reason,
            content: content(self.content)?,
            active: self.active,
            author: self.author,
            revision: self.revision,
            create_time: self.create_time.map(jiff_sqlx::Timestamp::to_jiff),
            activate_time: self.activate_time.map(jiff_sqlx::Timestamp::to_jiff),
        })
    }
}

fn content(json: Option<serde_json::Value>) -> Result<Profile, Refusal> {
    match json {
        None => Ok(Profile::default()),
        Some(json) => serde_json::from_value(json).map_err(Refusal::fault),
    }
}

/// The version in effect and what it says.
pub(crate) async fn active(tx: &mut Transaction, tenant: &Tenant) -> Result<(i32, Profile), Refusal> {
    let row: Option<(i32, Option<serde_json::Value>)> =
        sqlx::query_as("SELECT version, content FROM validation_profile WHERE tenant_id = $1 AND active")
            .bind(tenant.key())
            .fetch_optional(&mut **tx)
            .await?;
    match row {
        None => Ok((0, Profile::default())),
        Some((version, json)) => Ok((version, content(json)?)),
    }
}

/// Nobody else makes or activates a version until the transaction ends.
pub(crate) async fn lock(tx: &mut Transaction, tenant: &Tenant) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO validation_profile (tenant_id, version, display_name, change_reason, author, active, revision)
         VALUES ($1, 0, $2, $2, 'system', true, 0)
         ON CONFLICT (tenant_id, version) DO NOTHING",
    )
    .bind(tenant.key())
    .bind(BUILT_IN)
    .execute(&mut **tx)
    .await?;
    sqlx::query("SELECT FROM validation_profile WHERE tenant_id = $1 AND version = 0 FOR UPDATE")
        .bind(tenant.key())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The number of the newest version.
pub(crate) async fn last_version(tx: &mut Transaction, tenant: &Tenant) -> Result<i32, Refusal> {
    let last = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM validation_profile WHERE tenant_id = $1")
        .bind(tenant.key())
        .fetch_one(&mut **tx)
        .await?;
    Ok(last)
}

/// A version, where it has a row.
pub(crate) async fn find(tx: &mut Transaction, tenant: &Tenant, which: Which) -> Result<Option<Edition>, Refusal> {
    let mut query =
        QueryBuilder::<Postgres>::new(format!("SELECT {COLUMNS} FROM validation_profile WHERE tenant_id = "));
    query.push_bind(tenant.key().to_owned());
    match which {
        Which::Active => query.push(" AND active"),
        Which::Version(version) => query.push(" AND version = ").push_bind(version),
    };
    let row: Option<Row> = query.build_query_as().fetch_optional(&mut **tx).await?;
    row.map(Row::edition).transpose()
}

/// Keeps a new version.
pub(crate) async fn insert(tx: &mut Transaction, tenant: &Tenant, edition: &Edition) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO validation_profile (tenant_id, version, display_name, change_reason, author, content, active, revision, create_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(tenant.key())
    .bind(edition.version)
    .bind(&edition.display_name)
    .bind(&edition.change_reason)
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
pub(crate) async fn activate(
    tx: &mut Transaction,
    tenant: &Tenant,
    version: i32,
    revision: i64,
    now: Option<Timestamp>,
) -> Result<(), Refusal> {
    sqlx::query(
        "UPDATE validation_profile SET active = false, revision = revision + 1 WHERE tenant_id = $1 AND active",
    )
    .bind(tenant.key())
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "UPDATE validation_profile SET active = true, revision = $3, activate_time = $4 WHERE tenant_id = $1 AND version = $2",
    )
    .bind(tenant.key())
    .bind(version)
    .bind(revision)
    .bind(sql::time_opt(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The versions of a page and one more, the built-in one included where it has no row yet.
pub(crate) async fn list(tx: &mut Transaction, tenant: &Tenant, page: &PageRequest) -> Result<Vec<Edition>, Refusal> {
    let mut query = QueryBuilder::<Postgres>::new(format!(
        "SELECT {COLUMNS} FROM (
             SELECT {COLUMNS} FROM validation_profile WHERE tenant_id = "
    ));
    query.push_bind(tenant.key().to_owned());
    query
        .push(" UNION ALL SELECT 0, ")
        .push_bind(BUILT_IN)
        .push(", ")
        .push_bind(BUILT_IN);
    query.push(
        ", 'system', NULL, true, 0, NULL, NULL
             WHERE NOT EXISTS (SELECT FROM validation_profile WHERE version = 0 AND tenant_id = ",
    );
    query.push_bind(tenant.key().to_owned());
    query.push(")) AS edition WHERE true");
    page.push(&mut query, "version::text");
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    rows.into_iter().map(Row::edition).collect()
}
