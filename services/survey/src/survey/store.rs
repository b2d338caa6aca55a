//! All SQL about surveys. A version is inserted once and never changed.

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    listing::{Field, Kind, PageRequest},
    sql,
};
use sqlx::{Postgres, QueryBuilder, types::Json};

use super::domain::{Definition, RESOLUTION, Survey, built_in};

/// What a list may be filtered by.
pub(crate) const FIELDS: &[Field] = &[
    Field::of("version", Kind::Integer),
    Field::of("update_time", Kind::Time),
];

/// What a list may be ordered by. Pages are ordered by a time and an id: by the same time all, it is the id that orders.
pub(crate) const ORDER: &[Field] = &[Field::at("name", "'epoch'::timestamptz", Kind::Time)];

#[derive(sqlx::FromRow)]
struct Row {
    survey_id: String,
    version: i32,
    definition: Option<Json<Definition>>,
    update_time: Option<jiff_sqlx::Timestamp>,
    author: String,
}

impl Row {
    fn survey(self) -> Result<Survey, Refusal> {
        match self.definition {
            Some(Json(definition)) => Ok(Survey {
                id: self.survey_id,
                version: self.version,
                definition,
                update_time: self.update_time.map(|time| time.to_jiff()),
                author: self.author,
            }),
            None => built_in(&self.survey_id)
                .ok_or_else(|| Refusal::fault(anyhow::anyhow!("survey {} is not built in", self.survey_id))),
        }
    }
}

/// Holds back other updates of the survey until the end of the transaction; a survey at version 0 has no row to lock.
pub(crate) async fn lock(tx: &mut Transaction, tenant: &Tenant, id: &str) -> Result<(), Refusal> {
    tx.hold(&format!("survey {} {id}", tenant.key())).await
}

/// The survey at the version in force.
pub(crate) async fn in_force(tx: &mut Transaction, tenant: &Tenant, id: &str) -> Result<Option<Survey>, Refusal> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT survey_id, version, definition, update_time, author
         FROM survey_version
         WHERE tenant_id = $1 AND survey_id = $2
         ORDER BY version DESC
         LIMIT 1",
    )
    .bind(tenant.key())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    row.map_or_else(|| Ok(built_in(id)), |row| row.survey().map(Some))
}

/// The survey at one version.
pub(crate) async fn at_version(
    tx: &mut Transaction,
    tenant: &Tenant,
    id: &str,
    version: i32,
) -> Result<Option<Survey>, Refusal> {
    if version == 0 {
        return Ok(built_in(id));
    }
    let row: Option<Row> = sqlx::query_as(
        "SELECT survey_id, version, definition, update_time, author
         FROM survey_version
         WHERE tenant_id = $1 AND survey_id = $2 AND version = $3",
    )
    .bind(tenant.key())
    .bind(id)
    .bind(version)
    .fetch_optional(&mut **tx)
    .await?;
    row.map(Row::survey).transpose()
}

/// Keeps a new version.
pub(crate) async fn insert(tx: &mut Transaction, tenant: &Tenant, survey: &Survey) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO survey_version (tenant_id, survey_id, version, definition, update_time, author)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(tenant.key())
    .bind(&survey.id)
    .bind(survey.version)
    .bind(Json(&survey.definition))
    .bind(sql::time_opt(survey.update_time))
    .bind(&survey.author)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// One page of the surveys at their versions in force, the built-in one among them, and one more to know of a next page.
pub(crate) async fn list(tx: &mut Transaction, tenant: &Tenant, page: &PageRequest) -> Result<Vec<Survey>, Refusal> {
    let mut query: QueryBuilder<Postgres> = QueryBuilder::new(
        "SELECT survey_id, version, definition, update_time, author
         FROM (
             SELECT DISTINCT ON (survey_id) tenant_id, survey_id, version, definition, update_time, author
             FROM (
                 SELECT tenant_id, survey_id, version, definition, update_time, author FROM survey_version WHERE tenant_id = ",
    );
    query
        .push_bind(tenant.key())
        .push(" UNION ALL SELECT ")
        .push_bind(tenant.key())
        .push(", ")
        .push_bind(RESOLUTION)
        .push(
            ", 0, NULL, NULL, ''
             ) AS every_version
             ORDER BY survey_id, version DESC
         ) AS survey
         WHERE tenant_id = ",
        );
    query.push_bind(tenant.key());
    page.push(&mut query, "survey_id");
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    rows.into_iter().map(Row::survey).collect()
}

/// The place of a survey in a list.
pub(crate) fn place(survey: &Survey) -> huiyin_chassis::listing::PageKey {
    huiyin_chassis::listing::PageKey {
        time: 0,
        id: survey.id.clone().into(),
    }
}
