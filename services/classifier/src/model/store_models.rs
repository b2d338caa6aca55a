//! All SQL of versions of models.

use huiyin_chassis::{Refusal, Tenant, Transaction, listing::PageRequest, sql};
use sqlx::{QueryBuilder, types::Json};

use super::domain::{Judgement, Version};

#[derive(sqlx::FromRow)]
struct Row {
    version: i32,
    change_reason: String,
    labels: Vec<String>,
    training_examples: i64,
    first_training_bucket: Option<i32>,
    evaluation: Option<Json<Judgement>>,
    train_seconds: f64,
    size_bytes: i64,
    rules_version: Option<i32>,
    digest: String,
    author: String,
    create_time: jiff_sqlx::Timestamp,
}

impl From<Row> for Version {
    fn from(row: Row) -> Self {
        Self {
            version: row.version,
            change_reason: row.change_reason,
            labels: row.labels,
            training_examples: row.training_examples,
            first_training_bucket: row.first_training_bucket,
            judgement: row.evaluation.map(|Json(judgement)| judgement),
            train_seconds: row.train_seconds,
            size_bytes: row.size_bytes,
            rules_version: row.rules_version,
            digest: row.digest,
            author: row.author,
            create_time: row.create_time.to_jiff(),
        }
    }
}

const SELECT: &str =
    "SELECT version, change_reason, labels, training_examples, evaluation - 'confusion' AS evaluation, train_seconds, size_bytes,
            rules_version, digest, author, create_time, first_training_bucket
     FROM model WHERE tenant_id = ";

/// A version without its content.
pub(super) async fn find(
    tx: &mut Transaction,
    tenant: &Tenant,
    task: &str,
    version: i32,
) -> Result<Option<Version>, Refusal> {
    let mut query = QueryBuilder::new(SELECT);
    query.push_bind(tenant.key().to_owned());
    query.push(" AND task_id = ").push_bind(task.to_owned());
    query.push(" AND version = ").push_bind(version);
    let row: Option<Row> = query.build_query_as().fetch_optional(&mut **tx).await?;
    Ok(row.map(Version::from))
}

/// The versions of a page and one more.
pub(super) async fn list(
    tx: &mut Transaction,
    tenant: &Tenant,
    task: &str,
    page: &PageRequest,
) -> Result<Vec<Version>, Refusal> {
    let mut query = QueryBuilder::new(SELECT);
    query.push_bind(tenant.key().to_owned());
    query.push(" AND task_id = ").push_bind(task.to_owned());
    page.push(&mut query, "version::text");
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    Ok(rows.into_iter().map(Version::from).collect())
}

/// The content of a version.
pub(super) async fn content(
    tx: &mut Transaction,
    tenant: &Tenant,
    task: &str,
    version: i32,
) -> Result<Option<Vec<u8>>, Refusal> {
    let content =
        sqlx::query_scalar("SELECT content FROM model WHERE tenant_id = $1 AND task_id = $2 AND version = $3")
            .bind(tenant.key())
            .bind(task)
            .bind(version)
            .fetch_optional(&mut **tx)
            .await?;
    Ok(content)
}

/// Which labels a version took for which, row by row; empty where it was not judged.
pub(super) async fn confusion(
    tx: &mut Transaction,
    tenant: &Tenant,
    task: &str,
    version: i32,
) -> Result<Vec<u32>, Refusal> {
    // Versions of before have it in their evaluation.
    let cells: Vec<i32> = sqlx::query_scalar(
        "SELECT coalesce(confusion, ARRAY(SELECT cell::integer FROM jsonb_array_elements_text(evaluation -> 'confusion') AS cell))
         FROM model WHERE tenant_id = $1 AND task_id = $2 AND version = $3",
    )
    .bind(tenant.key())
    .bind(task)
    .bind(version)
    .fetch_one(&mut **tx)
    .await?;
    Ok(cells
        .into_iter()
        .map(|texts| u32::try_from(texts).unwrap_or(0))
        .collect())
}

/// Keeps a new version.
pub(super) async fn insert(
    tx: &mut Transaction,
    tenant: &Tenant,
    task: &str,
    new: &Version,
    content: &[u8],
) -> Result<(), Refusal> {
    let confusion = new.judgement.as_ref().map(|judgement| {
        let cells = judgement.confusion.iter();
        cells
            .map(|texts| i32::try_from(*texts).unwrap_or(i32::MAX))
            .collect::<Vec<i32>>()
    });
    sqlx::query(
        "INSERT INTO model (tenant_id, task_id, version, change_reason, labels, training_examples, evaluation, train_seconds,
             size_bytes, digest, content, author, create_time, rules_version, first_training_bucket, confusion)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
    )
    .bind(tenant.key())
    .bind(task)
    .bind(new.version)
    .bind(&new.change_reason)
    .bind(&new.labels)
    .bind(new.training_examples)
    .bind(new.judgement.as_ref().map(Json))
    .bind(new.train_seconds)
    .bind(new.size_bytes)
    .bind(&new.digest)
    .bind(content)
    .bind(&new.author)
    .bind(sql::time(new.create_time))
    .bind(new.rules_version)
    .bind(new.first_training_bucket)
    .bind(confusion)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
