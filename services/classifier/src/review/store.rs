//! All SQL of review items.

use huiyin_chassis::{Refusal, Tenant, Transaction, listing::PageRequest, sql};
use jiff::Timestamp;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::{
    convert::{close_reason, close_reason_number, reason, reason_number, stage, stage_number, state, state_number},
    domain::{CloseReason, Item, Reason, Standing, State},
};

#[derive(sqlx::FromRow)]
struct Row {
    item_id: Uuid,
    task_id: String,
    classification_id: Uuid,
    stage: i32,
    double_coded: bool,
    reason: i32,
    confidence: f64,
    found_label: String,
    guessed_label: String,
    candidates: Vec<String>,
    state: i32,
    close_reason: i32,
    assignee: String,
    lease_expire_time: Option<jiff_sqlx::Timestamp>,
    skipped_by: Vec<String>,
    label: String,
    comment: String,
    resolve_time: Option<jiff_sqlx::Timestamp>,
    hidden: bool,
    revision: i32,
    create_time: jiff_sqlx::Timestamp,
    update_time: jiff_sqlx::Timestamp,
}

impl TryFrom<Row> for Item {
    type Error = Refusal;

    fn try_from(row: Row) -> Result<Self, Refusal> {
        let id = row.item_id;
        let broken = || Refusal::fault(anyhow::anyhow!("review item {id} holds no value of an enum"));
        Ok(Self {
            id,
            task: row.task_id,
            classification: row.classification_id,
            stage: stage(row.stage).ok_or_else(broken)?,
            double_coded: row.double_coded,
            reason: reason(row.reason).ok_or_else(broken)?,
            confidence: row.confidence,
            found: row.found_label,
            guess: row.guessed_label,
            candidates: row.candidates,
            state: state(row.state).ok_or_else(broken)?,
            close_reason: close_reason(row.close_reason),
            assignee: row.assignee,
            lease_expire_time: row.lease_expire_time.map(jiff_sqlx::Timestamp::to_jiff),
            skipped_by: row.skipped_by,
            label: row.label,
            comment: row.comment,
            resolve_time: row.resolve_time.map(jiff_sqlx::Timestamp::to_jiff),
            hidden: row.hidden,
            revision: row.revision,
            create_time: row.create_time.to_jiff(),
            update_time: row.update_time.to_jiff(),
            text: None,
        })
    }
}

/// The beginning of every question: a tenant's items as they are now; a lease that has lapsed is none.
fn select(tenant: &Tenant, now: Timestamp) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "SELECT * FROM (
             SELECT item.*,
                 item.double_coded AND item.stage < 3 AND EXISTS (
                     SELECT FROM review_item AS other
                     WHERE (other.tenant_id, other.classification_id, other.task_id)
                         = (item.tenant_id, item.classification_id, item.task_id)
                         AND other.stage < 3 AND other.state = 1) AS hidden
             FROM (
                 SELECT tenant_id, item_id, task_id, classification_id, stage, double_coded, reason, confidence, found_label, guessed_label,
                     candidates, close_reason, skipped_by, label, comment, resolve_time, revision, create_time, update_time,
                     CASE WHEN state = 1 AND leased THEN 2 ELSE state END AS state,
                     CASE WHEN state = 1 AND NOT leased THEN '' ELSE assignee END AS assignee,
                     CASE WHEN leased THEN lease_expire_time END AS lease_expire_time
                 FROM (SELECT *, COALESCE(lease_expire_time > ",
    );
    query.push_bind(sql::time(now)).push(
        ", false) AS leased FROM review_item) AS known
             ) AS item
         ) AS review_item
         WHERE tenant_id = ",
    );
    query.push_bind(tenant.key().to_owned());
    query
}

async fn fetch(tx: &mut Transaction, mut query: QueryBuilder<Postgres>) -> Result<Vec<Item>, Refusal> {
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    rows.into_iter().map(Item::try_from).collect()
}

/// An item with its text.
pub(super) async fn find(
    tx: &mut Transaction,
    tenant: &Tenant,
    id: Uuid,
    now: Timestamp,
) -> Result<Option<Item>, Refusal> {
    let mut query = select(tenant, now);
    query.push(" AND item_id = ").push_bind(id);
    let Some(mut item) = fetch(tx, query).await?.pop() else {
        return Ok(None);
    };
    item.text = sqlx::query_scalar("SELECT text FROM statement WHERE tenant_id = $1 AND classification_id = $2")
        .bind(tenant.key())
        .bind(item.classification)
        .fetch_optional(&mut **tx)
        .await?;
    Ok(Some(item))
}

/// The same, held until the transaction ends.
pub(super) async fn lock(
    tx: &mut Transaction,
    tenant: &Tenant,
    id: Uuid,
    now: Timestamp,
) -> Result<Option<Item>, Refusal> {
    sqlx::query("SELECT FROM review_item WHERE tenant_id = $1 AND item_id = $2 FOR UPDATE")
        .bind(tenant.key())
        .bind(id)
        .execute(&mut **tx)
        .await?;
    find(tx, tenant, id, now).await
}

/// The other items of the same text and task.
pub(super) async fn others(
    tx: &mut Transaction,
    tenant: &Tenant,
    item: &Item,
    now: Timestamp,
) -> Result<Vec<Item>, Refusal> {
    let mut query = select(tenant, now);
    query.push(" AND classification_id = ").push_bind(item.classification);
    query.push(" AND task_id = ").push_bind(item.task.clone());
    query.push(" AND item_id <> ").push_bind(item.id);
    fetch(tx, query).await
}

/// The item that has waited longest of those that a person may take, held; those that others are about to take are passed over.
pub(super) async fn next(
    tx: &mut Transaction,
    tenant: &Tenant,
    task: Option<&str>,
    person: &str,
    now: Timestamp,
) -> Result<Option<Uuid>, Refusal> {
    let found = sqlx::query_scalar(
        "SELECT item_id FROM review_item AS item
         WHERE tenant_id = $1 AND state = 1 AND ($2::text IS NULL OR task_id = $2)
             AND (lease_expire_time IS NULL OR lease_expire_time <= $4) AND NOT $3 = ANY (skipped_by)
             AND NOT EXISTS (
                 SELECT FROM review_item AS other
                 WHERE (other.tenant_id, other.classification_id, other.task_id)
                     = (item.tenant_id, item.classification_id, item.task_id)
                     AND other.item_id <> item.item_id AND other.assignee = $3
                     AND (other.state = 3 OR (other.state = 1 AND other.lease_expire_time > $4)))
         ORDER BY create_time, item_id
         LIMIT 1
         FOR UPDATE OF item SKIP LOCKED",
    )
    .bind(tenant.key())
    .bind(task)
    .bind(person)
    .bind(sql::time(now))
    .fetch_optional(&mut **tx)
    .await?;
    Ok(found)
}

/// The items of a page and one more, without their texts.
pub(super) async fn list(
    tx: &mut Transaction,
    tenant: &Tenant,
    page: &PageRequest,
    now: Timestamp,
) -> Result<Vec<Item>, Refusal> {
    let mut query = select(tenant, now);
    page.push(&mut query, "item_id");
    fetch(tx, query).await
}

/// Opens an item; false where the classification has one for this task and stage already.
pub(super) async fn insert(tx: &mut Transaction, tenant: &Tenant, new: &Item) -> Result<bool, Refusal> {
    let inserted = sqlx::query(
        "INSERT INTO review_item (tenant_id, item_id, task_id, classification_id, stage, double_coded, reason, confidence, found_label,
             guessed_label, candidates, state, revision, create_time, update_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)
         ON CONFLICT (tenant_id, classification_id, task_id, stage) DO NOTHING",
    )
    .bind(tenant.key())
    .bind(new.id)
    .bind(&new.task)
    .bind(new.classification)
    .bind(stage_number(new.stage))
    .bind(new.double_coded)
    .bind(reason_number(new.reason))
    .bind(new.confidence)
    .bind(&new.found)
    .bind(&new.guess)
    .bind(&new.candidates)
    .bind(state_number(State::Open))
    .bind(new.revision)
    .bind(sql::time(new.create_time))
    .execute(&mut **tx)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Says why people are asked now, and what is in effect; not where one of them has labelled it or has it in work, by what they have read.
pub(super) async fn renew(
    tx: &mut Transaction,
    tenant: &Tenant,
    (task, classification): (&str, Uuid),
    (reason, standing): (Reason, &Standing),
    now: Timestamp,
) -> Result<(), Refusal> {
    sqlx::query(
        "UPDATE review_item AS item
         SET reason = $4, confidence = $5, found_label = $6, guessed_label = $7, revision = revision + 1, update_time = $8
         WHERE tenant_id = $1 AND classification_id = $2 AND task_id = $3 AND state = 1
             AND (reason, confidence, found_label, guessed_label) IS DISTINCT FROM ($4, $5, $6, $7)
             AND NOT EXISTS (
                 SELECT FROM review_item AS other
                 WHERE other.tenant_id = $1 AND other.classification_id = $2 AND other.task_id = $3
                     AND (other.state = 3 OR (other.state = 1 AND other.lease_expire_time > $8)))",
    )
    .bind(tenant.key())
    .bind(classification)
    .bind(task)
    .bind(reason_number(reason))
    .bind(standing.confidence)
    .bind(&standing.found)
    .bind(&standing.guess)
    .bind(sql::time(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Waits for whatever else a person is about to take or to label: nobody has both labels of a text, also not at once.
pub(super) async fn one_by_one(tx: &mut Transaction, tenant: &Tenant, person: &str) -> Result<(), Refusal> {
    tx.hold(&format!("reviewer/{}/{person}", tenant.key())).await
}

/// Writes what may change of an item; its row is held.
pub(super) async fn update(tx: &mut Transaction, tenant: &Tenant, item: &Item) -> Result<(), Refusal> {
    // Claimed is open with a lease.
    let state = if item.state == State::Claimed {
        State::Open
    } else {
        item.state
    };
    sqlx::query(
        "UPDATE review_item
         SET state = $3, assignee = $4, lease_expire_time = $5, skipped_by = $6, label = $7, comment = $8, resolve_time = $9, revision = $10,
             update_time = $11
         WHERE tenant_id = $1 AND item_id = $2",
    )
    .bind(tenant.key())
    .bind(item.id)
    .bind(state_number(state))
    .bind(&item.assignee)
    .bind(sql::time_opt(item.lease_expire_time))
    .bind(&item.skipped_by)
    .bind(&item.label)
    .bind(&item.comment)
    .bind(sql::time_opt(item.resolve_time))
    .bind(item.revision)
    .bind(sql::time(item.update_time))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Keeps what people made of a text in the end.
pub(super) async fn settle(
    tx: &mut Transaction,
    tenant: &Tenant,
    item: &Item,
    label: &str,
    now: Timestamp,
) -> Result<(), Refusal> {
    sqlx::query(
        "UPDATE review_item SET settled_label = $4, settle_time = $5
         WHERE tenant_id = $1 AND classification_id = $2 AND task_id = $3 AND stage = 1",
    )
    .bind(tenant.key())
    .bind(item.classification)
    .bind(&item.task)
    .bind(label)
    .bind(sql::time(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Whose items of a classification are closed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of<'o> {
    /// Those of one task, where nobody has labelled the text for it: what a person said is not lost.
    Task(&'o str),
    /// Those of whatever task learns labels of these dimensions or, where it is true, the tendency.
    Labels(&'o [&'o str], bool),
}

/// Closes what still waits; the classification is held.
pub(super) async fn close(
    tx: &mut Transaction,
    tenant: &Tenant,
    classification: Uuid,
    of: Of<'_>,
    (why, now): (CloseReason, Timestamp),
) -> Result<(), Refusal> {
    let (task, dimensions, sentiment) = match of {
        Of::Task(task) => (Some(task), [].as_slice(), false),
        Of::Labels(dimensions, sentiment) => (None, dimensions, sentiment),
    };
    sqlx::query(
        "UPDATE review_item AS item
         SET state = 4, close_reason = $3, assignee = '', lease_expire_time = NULL, revision = item.revision + 1, update_time = $4
         FROM task
         WHERE item.tenant_id = $1 AND item.classification_id = $2 AND item.state = 1
             AND task.tenant_id = item.tenant_id AND task.task_id = item.task_id
             AND ((task.task_id = $5 AND NOT EXISTS (
                     SELECT FROM review_item AS other
                     WHERE (other.tenant_id, other.classification_id, other.task_id)
                         = (item.tenant_id, item.classification_id, item.task_id) AND other.state = 3))
                 OR (task.target = 2 AND task.dimension = ANY ($6)) OR (task.target = 3 AND $7))",
    )
    .bind(tenant.key())
    .bind(classification)
    .bind(close_reason_number(Some(why)))
    .bind(sql::time(now))
    .bind(task)
    .bind(dimensions)
    .bind(sentiment)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// How many items of all tenants wait, and when the first of them came; for a worker's transaction.
pub(super) async fn waiting(tx: &mut Transaction) -> Result<(i64, Option<Timestamp>), Refusal> {
    let (count, first): (i64, Option<jiff_sqlx::Timestamp>) =
        sqlx::query_as("SELECT count(*), min(create_time) FROM review_item WHERE state = 1")
            .fetch_one(&mut **tx)
            .await?;
    Ok((count, first.map(jiff_sqlx::Timestamp::to_jiff)))
}
