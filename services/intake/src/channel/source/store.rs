//! All SQL about sources.

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    listing::{Field, Kind, PageRequest},
    sql,
};
use jiff_sqlx::Timestamp;
use sqlx::{QueryBuilder, types::Json};

use super::domain::Source;

/// What a list can be filtered by.
pub(crate) const FIELDS: &[Field] = &[
    Field::of("state", Kind::Enum("huiyin.intake.v1.SourceState")),
    Field::of("channel", Kind::Enum("huiyin.type.v1.Channel")),
    Field::of("display_name", Kind::Text),
    Field::of("create_time", Kind::Time),
];
/// What a list can be ordered by.
pub(crate) const ORDER: &[Field] = &[Field::of("create_time", Kind::Time)];

/// Begins every statement that reads sources.
macro_rules! select_sources {
    ($rest:literal) => {
        concat!(
            "SELECT id, display_name, channel, feedback_source, mappings, fixed_fields, keywords, origins, state, disable_reason,
                    secret, previous_secret, previous_secret_expire_time, revision, create_time, update_time
             FROM source
             WHERE tenant_id = ",
            $rest
        )
    };
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    display_name: String,
    channel: i32,
    feedback_source: String,
    mappings: Json<Vec<(String, String)>>,
    fixed_fields: Json<Vec<(String, String)>>,
    keywords: Vec<String>,
    origins: Vec<String>,
    state: i32,
    disable_reason: String,
    secret: Vec<u8>,
    previous_secret: Option<Vec<u8>>,
    previous_secret_expire_time: Option<Timestamp>,
    revision: i32,
    create_time: Timestamp,
    update_time: Timestamp,
}

impl From<Row> for Source {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            display_name: row.display_name,
            channel: row.channel,
            feedback_source: row.feedback_source,
            mappings: row.mappings.0,
            fixed_fields: row.fixed_fields.0,
            keywords: row.keywords,
            origins: row.origins,
            enabled: row.state == 1,
            disable_reason: row.disable_reason,
            secret: row.secret,
            previous_secret: row
                .previous_secret
                .zip(row.previous_secret_expire_time.map(Timestamp::to_jiff)),
            revision: row.revision,
            create_time: row.create_time.to_jiff(),
            update_time: row.update_time.to_jiff(),
        }
    }
}

pub(crate) async fn get(tx: &mut Transaction, tenant: &Tenant, id: &str) -> Result<Option<Source>, Refusal> {
    let row: Option<Row> = sqlx::query_as(select_sources!("$1 AND id = $2"))
        .bind(tenant.key())
        .bind(id)
        .fetch_optional(&mut **tx)
        .await?;
    Ok(row.map(Into::into))
}

/// As [`get`], and nobody else changes it until the transaction ends.
pub(crate) async fn lock(tx: &mut Transaction, tenant: &Tenant, id: &str) -> Result<Option<Source>, Refusal> {
    let row: Option<Row> = sqlx::query_as(select_sources!("$1 AND id = $2 FOR UPDATE"))
        .bind(tenant.key())
        .bind(id)
        .fetch_optional(&mut **tx)
        .await?;
    Ok(row.map(Into::into))
}

pub(crate) async fn list(tx: &mut Transaction, tenant: &Tenant, page: &PageRequest) -> Result<Vec<Source>, Refusal> {
    let mut query = QueryBuilder::new(select_sources!(""));
    query.push_bind(tenant.key().to_owned());
    page.push(&mut query, "id");
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// How many sources the tenant has.
pub(crate) async fn count(tx: &mut Transaction, tenant: &Tenant) -> Result<i64, Refusal> {
    let count = sqlx::query_scalar("SELECT count(*) FROM source WHERE tenant_id = $1")
        .bind(tenant.key())
        .fetch_one(&mut **tx)
        .await?;
    Ok(count)
}

/// Adds a source; false where there is one of this id.
pub(crate) async fn add(tx: &mut Transaction, tenant: &Tenant, source: &Source) -> Result<bool, Refusal> {
    let added = sqlx::query(
        "INSERT INTO source (tenant_id, id, display_name, channel, feedback_source, mappings, fixed_fields, keywords, origins,
                             state, disable_reason, secret, revision, create_time, update_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         ON CONFLICT DO NOTHING",
    )
    .bind(tenant.key())
    .bind(&source.id)
    .bind(&source.display_name)
    .bind(source.channel)
    .bind(&source.feedback_source)
    .bind(Json(&source.mappings))
    .bind(Json(&source.fixed_fields))
    .bind(&source.keywords)
    .bind(&source.origins)
    .bind(state(source))
    .bind(&source.disable_reason)
    .bind(&source.secret)
    .bind(source.revision)
    .bind(sql::time(source.create_time))
    .bind(sql::time(source.update_time))
    .execute(&mut **tx)
    .await?;
    Ok(added.rows_affected() == 1)
}

/// Stores what can change about a source.
pub(crate) async fn change(tx: &mut Transaction, tenant: &Tenant, source: &Source) -> Result<(), Refusal> {
    let (previous, until) = source.previous_secret.clone().unzip();
    sqlx::query(
        "UPDATE source
         SET display_name = $3, feedback_source = $4, mappings = $5, fixed_fields = $6, keywords = $7, origins = $8, state = $9,
             disable_reason = $10, secret = $11, previous_secret = $12, previous_secret_expire_time = $13, revision = $14,
             update_time = $15
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant.key())
    .bind(&source.id)
    .bind(&source.display_name)
    .bind(&source.feedback_source)
    .bind(Json(&source.mappings))
    .bind(Json(&source.fixed_fields))
    .bind(&source.keywords)
    .bind(&source.origins)
    .bind(state(source))
    .bind(&source.disable_reason)
    .bind(&source.secret)
    .bind(previous)
    .bind(sql::time_opt(until))
    .bind(source.revision)
    .bind(sql::time(source.update_time))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

fn state(source: &Source) -> i32 {
    if source.enabled { 1 } else { 2 }
}
