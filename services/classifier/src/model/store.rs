//! All SQL of tasks and of which versions decide.

use huiyin_chassis::{Refusal, Tenant, Transaction, error::violated_constraint, listing::PageRequest, sql};
use sqlx::QueryBuilder;

use super::{
    convert::{target, target_number},
    domain::{Counts, Task},
};

#[derive(sqlx::FromRow)]
struct Row {
    task_id: String,
    display_name: String,
    target: i32,
    dimension: String,
    threshold: f64,
    hold_out_share: f64,
    review_share: f64,
    double_coding_share: f64,
    last_version: i32,
    active_version: i32,
    previous_versions: Vec<i32>,
    shadow_version: i32,
    revision: i32,
    author: String,
    create_time: jiff_sqlx::Timestamp,
    update_time: jiff_sqlx::Timestamp,
}

impl TryFrom<Row> for Task {
    type Error = Refusal;

    fn try_from(row: Row) -> Result<Self, Refusal> {
        let target = target(row.target)
            .ok_or_else(|| Refusal::fault(anyhow::anyhow!("task {} has target {}", row.task_id, row.target)))?;
        Ok(Self {
            id: row.task_id,
            display_name: row.display_name,
            target,
            dimension: row.dimension,
            threshold: row.threshold,
            hold_out_share: row.hold_out_share,
            review_share: row.review_share,
            double_coding_share: row.double_coding_share,
            last_version: row.last_version,
            active_version: row.active_version,
            previous_versions: row.previous_versions,
            shadow_version: row.shadow_version,
            revision: row.revision,
            author: row.author,
            create_time: row.create_time.to_jiff(),
            update_time: row.update_time.to_jiff(),
        })
    }
}

const SELECT: &str =
    "SELECT task_id, display_name, target, dimension, threshold, hold_out_share, review_share, double_coding_share, last_version, active_version,
            previous_versions, shadow_version, revision, author, create_time, update_time
     FROM task WHERE tenant_id = ";

/// How a row is held until the transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// Not at all.
    Free,
    /// It cannot be deleted; its examples may be changed beside.
    There,
    /// Whoever else changes it waits.
    Whole,
}

/// A task.
pub(super) async fn find(
    tx: &mut Transaction,
    tenant: &Tenant,
    task: &str,
    hold: Hold,
) -> Result<Option<Task>, Refusal> {
    let mut query = QueryBuilder::new(SELECT);
    query.push_bind(tenant.key().to_owned());
    query.push(" AND task_id = ").push_bind(task.to_owned());
    query.push(match hold {
        Hold::Free => "",
        Hold::There => " FOR KEY SHARE",
        // No stronger: examples refer to the task, and corrections make some while a version is judged.
        Hold::Whole => " FOR NO KEY UPDATE",
    });
    let row: Option<Row> = query.build_query_as().fetch_optional(&mut **tx).await?;
    row.map(Task::try_from).transpose()
}

/// The tasks of a page and one more.
pub(super) async fn list(tx: &mut Transaction, tenant: &Tenant, page: &PageRequest) -> Result<Vec<Task>, Refusal> {
    let mut query = QueryBuilder::new(SELECT);
    query.push_bind(tenant.key().to_owned());
    page.push(&mut query, "task_id");
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    rows.into_iter().map(Task::try_from).collect()
}

/// The tasks of dimensions and of sentiment, none of which can be deleted before the transaction ends.
pub(super) async fn of_taxonomy(tx: &mut Transaction, tenant: &Tenant) -> Result<Vec<Task>, Refusal> {
    let mut query = QueryBuilder::new(SELECT);
    query.push_bind(tenant.key().to_owned());
    query.push(" AND target <> 1 ORDER BY task_id FOR KEY SHARE");
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    rows.into_iter().map(Task::try_from).collect()
}

/// The tasks of dimensions and of sentiment: what is asked of every feedback.
pub(super) async fn asking(tx: &mut Transaction, tenant: &Tenant) -> Result<Vec<Task>, Refusal> {
    let mut query = QueryBuilder::new(SELECT);
    query.push_bind(tenant.key().to_owned());
    query.push(" AND target <> 1 ORDER BY task_id");
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    rows.into_iter().map(Task::try_from).collect()
}

/// Keeps a new task; false where its id, its dimension or sentiment has one.
pub(super) async fn insert(tx: &mut Transaction, tenant: &Tenant, task: &Task) -> Result<bool, Refusal> {
    let inserted = sqlx::query(
        "INSERT INTO task (tenant_id, task_id, display_name, target, dimension, threshold, hold_out_share, revision, author,
             create_time, update_time, review_share, double_coding_share)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $12)",
    )
    .bind(tenant.key())
    .bind(&task.id)
    .bind(&task.display_name)
    .bind(target_number(task.target))
    .bind(&task.dimension)
    .bind(task.threshold)
    .bind(task.hold_out_share)
    .bind(task.revision)
    .bind(&task.author)
    .bind(sql::time(task.create_time))
    .bind(task.review_share)
    .bind(task.double_coding_share)
    .execute(&mut **tx)
    .await;
    match inserted {
        Ok(_) => Ok(true),
        Err(error) if matches!(violated_constraint(&error), Some("task_pkey" | "task_of_target")) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Writes what may change of a task; its row is held.
pub(super) async fn update(tx: &mut Transaction, tenant: &Tenant, task: &Task) -> Result<(), Refusal> {
    sqlx::query(
        "UPDATE task
         SET display_name = $3, threshold = $4, hold_out_share = $5, last_version = $6, active_version = $7, previous_versions = $8,
             shadow_version = $9, revision = $10, update_time = $11, review_share = $12, double_coding_share = $13
         WHERE tenant_id = $1 AND task_id = $2",
    )
    .bind(tenant.key())
    .bind(&task.id)
    .bind(&task.display_name)
    .bind(task.threshold)
    .bind(task.hold_out_share)
    .bind(task.last_version)
    .bind(task.active_version)
    .bind(&task.previous_versions)
    .bind(task.shadow_version)
    .bind(task.revision)
    .bind(sql::time(task.update_time))
    .bind(task.review_share)
    .bind(task.double_coding_share)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Deletes a task with all that is its own.
pub(super) async fn delete(tx: &mut Transaction, tenant: &Tenant, task: &str) -> Result<(), Refusal> {
    sqlx::query("DELETE FROM task WHERE tenant_id = $1 AND task_id = $2")
        .bind(tenant.key())
        .bind(task)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Who let which version decide, and why.
#[derive(Debug, Clone, Copy)]
pub(super) struct Activation<'a> {
    pub(super) author: &'a str,
    pub(super) reason: &'a str,
    pub(super) forced: bool,
}

/// Keeps it; the task is at its new revision already.
pub(super) async fn activated(
    tx: &mut Transaction,
    tenant: &Tenant,
    task: &Task,
    activation: Activation<'_>,
) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO model_activation (tenant_id, task_id, revision, version, author, reason, forced, create_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(tenant.key())
    .bind(&task.id)
    .bind(task.revision)
    .bind(task.active_version)
    .bind(activation.author)
    .bind(activation.reason)
    .bind(activation.forced)
    .bind(sql::time(task.update_time))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// How many examples a task has on each side.
pub(super) async fn counts(tx: &mut Transaction, tenant: &Tenant, task: &Task) -> Result<Counts, Refusal> {
    let (hold_out, all): (i64, i64) = sqlx::query_as(
        "SELECT count(*) FILTER (WHERE side = 2 OR (side = 0 AND bucket < $3)), count(*)
         FROM example WHERE tenant_id = $1 AND task_id = $2",
    )
    .bind(tenant.key())
    .bind(&task.id)
    .bind(task.first_training_bucket())
    .fetch_one(&mut **tx)
    .await?;
    Ok(Counts {
        training: all - hold_out,
        hold_out,
    })
}
