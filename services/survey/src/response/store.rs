//! All SQL about answers. An answer is inserted once and never changed.

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    listing::{Field, Kind, PageKey, PageRequest},
    sql,
};
use sqlx::{AssertSqlSafe, Postgres, QueryBuilder, types::Json};
use uuid::Uuid;

use super::domain::{Response, Score, Verdict};

/// What a list may be filtered by.
pub(crate) const FIELDS: &[Field] = &[
    Field::of("work_order", Kind::Text),
    Field::of("episode", Kind::Integer),
    Field::of("feedback", Kind::Text),
    Field::at("invitation", "invitation_id", Kind::Name),
    Field::of("satisfaction", Kind::Number),
    Field::of("solved", Kind::Bool),
    Field::of("reopen", Kind::Bool),
    Field::of("survey_version", Kind::Integer),
    Field::of("create_time", Kind::Time),
];

/// What a list may be ordered by.
pub(crate) const ORDER: &[Field] = &[Field::of("create_time", Kind::Time)];

const COLUMNS: &str =
    "response_id, survey_id, survey_version, invitation_id, work_order, episode, feedback, scores, satisfaction,
    solved, comment, reason, reopen, create_time";

#[derive(sqlx::FromRow)]
struct Row {
    response_id: Uuid,
    survey_id: String,
    survey_version: i32,
    invitation_id: Uuid,
    work_order: String,
    episode: i32,
    feedback: String,
    scores: Json<Vec<Score>>,
    satisfaction: f64,
    solved: bool,
    comment: String,
    reason: String,
    reopen: bool,
    create_time: jiff_sqlx::Timestamp,
}

impl From<Row> for Response {
    fn from(row: Row) -> Self {
        Self {
            id: row.response_id,
            survey: row.survey_id,
            survey_version: row.survey_version,
            invitation: row.invitation_id,
            work_order: row.work_order,
            episode: row.episode,
            feedback: row.feedback,
            verdict: Verdict {
                scores: row.scores.0,
                satisfaction: row.satisfaction,
                solved: row.solved,
                comment: row.comment,
                reopen: row.reopen,
                reason: row.reason,
            },
            create_time: row.create_time.to_jiff(),
        }
    }
}

/// Keeps an answer.
pub(crate) async fn insert(tx: &mut Transaction, tenant: &Tenant, response: &Response) -> Result<(), Refusal> {
    let verdict = &response.verdict;
    sqlx::query(
        "INSERT INTO response
             (tenant_id, response_id, survey_id, survey_version, invitation_id, work_order, episode, feedback, scores,
              satisfaction, solved, comment, reason, reopen, create_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(tenant.key())
    .bind(response.id)
    .bind(&response.survey)
    .bind(response.survey_version)
    .bind(response.invitation)
    .bind(&response.work_order)
    .bind(response.episode)
    .bind(&response.feedback)
    .bind(Json(&verdict.scores))
    .bind(verdict.satisfaction)
    .bind(verdict.solved)
    .bind(&verdict.comment)
    .bind(&verdict.reason)
    .bind(verdict.reopen)
    .bind(sql::time(response.create_time))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// One answer.
pub(crate) async fn get(tx: &mut Transaction, tenant: &Tenant, id: Uuid) -> Result<Option<Response>, Refusal> {
    let statement = format!("SELECT {COLUMNS} FROM response WHERE tenant_id = $1 AND response_id = $2");
    let row: Option<Row> = sqlx::query_as(AssertSqlSafe(statement))
        .bind(tenant.key())
        .bind(id)
        .fetch_optional(&mut **tx)
        .await?;
    Ok(row.map(Response::from))
}

/// One page, of one survey or of all, and one answer more to know of a next page.
pub(crate) async fn list(
    tx: &mut Transaction,
    tenant: &Tenant,
    survey: Option<&str>,
    page: &PageRequest,
) -> Result<Vec<Response>, Refusal> {
    let mut query: QueryBuilder<Postgres> =
        QueryBuilder::new(format!("SELECT {COLUMNS} FROM response WHERE tenant_id = "));
    query.push_bind(tenant.key());
    if let Some(survey) = survey {
        query.push(" AND survey_id = ").push_bind(survey);
    }
    page.push(&mut query, "response_id");
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    Ok(rows.into_iter().map(Response::from).collect())
}

/// The place of an answer in a list.
pub(crate) fn place(response: &Response) -> PageKey {
    PageKey {
        time: response.create_time.as_microsecond(),
        id: response.id.into(),
    }
}
