//! SQL of the work orders themselves.

use huiyin_chassis::{Refusal, Tenant, Transaction, listing::PageRequest, sql};
use jiff::SignedDuration;
use sqlx::{Postgres, QueryBuilder, types::Json};
use uuid::Uuid;

use super::unknown;
use crate::{
    sla::domain::Versions,
    work_order::domain::{Feedback, Priority, Resolution, Stage, WorkOrder, state_number, state_of},
};

const COLUMNS: &str = "id, number, feedback, feedback_number, channel, customer, tier, product_model, batch, occur_time, receive_time, language,
    reachable, classification_revision, category, priority_key, priority_rank, skills, excerpt, state, state_time, stage, state_reason,
    episode, acknowledged_episode, assignee, team, first_contact, assignment_count, progress_count, resolution_count, reopen_count,
    due_time, next_due_time, breached, policy_version, calendar_version, resolution, promise_time, worked_us, working_us, timer_time,
    timer_count, revision, entry_count, create_time, update_time, acknowledge_time, first_response_time, start_time, resolve_time,
    close_time, traceparent";

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    number: String,
    feedback: String,
    feedback_number: String,
    channel: i32,
    customer: String,
    tier: i32,
    product_model: String,
    batch: String,
    occur_time: Option<jiff_sqlx::Timestamp>,
    receive_time: Option<jiff_sqlx::Timestamp>,
    language: String,
    reachable: bool,
    classification_revision: i32,
    category: String,
    priority_key: String,
    priority_rank: i32,
    skills: Vec<String>,
    excerpt: String,
    state: i16,
    state_time: jiff_sqlx::Timestamp,
    stage: i16,
    state_reason: String,
    episode: i32,
    acknowledged_episode: i32,
    assignee: String,
    team: String,
    first_contact: String,
    assignment_count: i32,
    progress_count: i32,
    resolution_count: i32,
    reopen_count: i32,
    due_time: Option<jiff_sqlx::Timestamp>,
    next_due_time: Option<jiff_sqlx::Timestamp>,
    breached: bool,
    policy_version: i32,
    calendar_version: i32,
    resolution: Option<Json<Resolution>>,
    promise_time: Option<jiff_sqlx::Timestamp>,
    worked_us: i64,
    working_us: Option<i64>,
    timer_time: Option<jiff_sqlx::Timestamp>,
    timer_count: i64,
    revision: i64,
    entry_count: i64,
    create_time: jiff_sqlx::Timestamp,
    update_time: jiff_sqlx::Timestamp,
    acknowledge_time: Option<jiff_sqlx::Timestamp>,
    first_response_time: Option<jiff_sqlx::Timestamp>,
    start_time: Option<jiff_sqlx::Timestamp>,
    resolve_time: Option<jiff_sqlx::Timestamp>,
    close_time: Option<jiff_sqlx::Timestamp>,
    traceparent: String,
}

impl TryFrom<Row> for WorkOrder {
    type Error = Refusal;

    fn try_from(row: Row) -> Result<Self, Refusal> {
        let time = |time: Option<jiff_sqlx::Timestamp>| time.map(jiff_sqlx::Timestamp::to_jiff);
        Ok(Self {
            state: state_of(row.state).ok_or_else(|| unknown("work_order", "state", row.state))?,
            stage: Stage::of(row.stage.into()).ok_or_else(|| unknown("work_order", "stage", row.stage))?,
            id: row.id,
            number: row.number,
            feedback: Feedback {
                name: row.feedback,
                number: row.feedback_number,
                channel: row.channel,
                customer: row.customer,
                tier: row.tier,
                product_model: row.product_model,
                batch: row.batch,
                occur_time: time(row.occur_time),
                receive_time: time(row.receive_time),
                language: row.language,
                reachable: row.reachable,
                traceparent: row.traceparent,
            },
            classification_revision: row.classification_revision,
            category: row.category,
            priority: Priority {
                key: row.priority_key,
                rank: row.priority_rank,
            },
            skills: row.skills,
            excerpt: row.excerpt,
            state_time: row.state_time.to_jiff(),
            state_reason: row.state_reason,
            episode: row.episode,
            acknowledged_episode: row.acknowledged_episode,
            assignee: row.assignee,
            team: row.team,
            first_contact: row.first_contact,
            assignment_count: row.assignment_count,
            progress_count: row.progress_count,
            resolution_count: row.resolution_count,
            reopen_count: row.reopen_count,
            due_time: time(row.due_time),
            next_due_time: time(row.next_due_time),
            breached: row.breached,
            versions: Versions {
                policy: row.policy_version,
                calendar: row.calendar_version,
            },
            resolution: row.resolution.map(|Json(resolution)| resolution),
            promise_time: time(row.promise_time),
            worked: SignedDuration::from_micros(row.worked_us),
            working_duration: row.working_us.map(SignedDuration::from_micros),
            timer_time: time(row.timer_time),
            timer_count: row.timer_count,
            revision: row.revision,
            entry_count: row.entry_count,
            create_time: row.create_time.to_jiff(),
            update_time: row.update_time.to_jiff(),
            acknowledge_time: time(row.acknowledge_time),
            first_response_time: time(row.first_response_time),
            start_time: time(row.start_time),
            resolve_time: time(row.resolve_time),
            close_time: time(row.close_time),
        })
    }
}

/// Whole microseconds; a duration that does not fit is longer than anything that is kept.
fn micros(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// Writes a work order, new or changed. What is fixed when it is opened is not written again.
pub(crate) async fn save(tx: &mut Transaction, tenant: &Tenant, order: &WorkOrder) -> Result<(), Refusal> {
    let feedback = &order.feedback;
    let written = sqlx::query(
        "INSERT INTO work_order (
             tenant_id, id, number, feedback, feedback_number, channel, customer, tier, product_model, batch, occur_time, receive_time,
             language, reachable, classification_revision, category, priority_key, priority_rank, skills, excerpt, state, state_time, stage,
             state_reason, episode, acknowledged_episode, assignee, team, first_contact, assignment_count, progress_count,
             resolution_count, reopen_count, due_time, next_due_time, breached, policy_version, calendar_version, resolution, promise_time,
             worked_us, working_us, timer_time, timer_count, revision, entry_count, create_time, update_time, acknowledge_time,
             first_response_time, start_time, resolve_time, close_time, traceparent
         ) VALUES (
             $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27,
             $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50, $51, $52, $53, $54
         )
         ON CONFLICT (tenant_id, id) DO UPDATE SET
             classification_revision = EXCLUDED.classification_revision, category = EXCLUDED.category,
             priority_key = EXCLUDED.priority_key, priority_rank = EXCLUDED.priority_rank, skills = EXCLUDED.skills,
             state = EXCLUDED.state, state_time = EXCLUDED.state_time, stage = EXCLUDED.stage, state_reason = EXCLUDED.state_reason,
             episode = EXCLUDED.episode, acknowledged_episode = EXCLUDED.acknowledged_episode, assignee = EXCLUDED.assignee,
             team = EXCLUDED.team, first_contact = EXCLUDED.first_contact, assignment_count = EXCLUDED.assignment_count,
             progress_count = EXCLUDED.progress_count, resolution_count = EXCLUDED.resolution_count, reopen_count = EXCLUDED.reopen_count,
             due_time = EXCLUDED.due_time, next_due_time = EXCLUDED.next_due_time, breached = EXCLUDED.breached,
             policy_version = EXCLUDED.policy_version, calendar_version = EXCLUDED.calendar_version, resolution = EXCLUDED.resolution,
             promise_time = EXCLUDED.promise_time, worked_us = EXCLUDED.worked_us, working_us = EXCLUDED.working_us,
             timer_time = EXCLUDED.timer_time, timer_count = EXCLUDED.timer_count, revision = EXCLUDED.revision,
             entry_count = EXCLUDED.entry_count, update_time = EXCLUDED.update_time, acknowledge_time = EXCLUDED.acknowledge_time,
             first_response_time = EXCLUDED.first_response_time, start_time = EXCLUDED.start_time, resolve_time = EXCLUDED.resolve_time,
             close_time = EXCLUDED.close_time",
    )
    .bind(tenant.key())
    .bind(order.id)
    .bind(&order.number)
    .bind(&feedback.name)
    .bind(&feedback.number)
    .bind(feedback.channel)
    .bind(&feedback.customer)
    .bind(feedback.tier)
    .bind(&feedback.product_model)
    .bind(&feedback.batch)
    .bind(sql::time_opt(feedback.occur_time))
    .bind(sql::time_opt(feedback.receive_time))
    .bind(&feedback.language)
    .bind(feedback.reachable)
    .bind(order.classification_revision)
    .bind(&order.category)
    .bind(&order.priority.key)
    .bind(order.priority.rank)
    .bind(&order.skills)
    .bind(&order.excerpt)
    .bind(state_number(order.state))
    .bind(sql::time(order.state_time))
    .bind(order.stage as i16)
    .bind(&order.state_reason)
    .bind(order.episode)
    .bind(order.acknowledged_episode)
    .bind(&order.assignee)
    .bind(&order.team)
    .bind(&order.first_contact)
    .bind(order.assignment_count)
    .bind(order.progress_count)
    .bind(order.resolution_count)
    .bind(order.reopen_count)
    .bind(sql::time_opt(order.due_time))
    .bind(sql::time_opt(order.next_due_time))
    .bind(order.breached)
    .bind(order.versions.policy)
    .bind(order.versions.calendar)
    .bind(order.resolution.as_ref().map(Json))
    .bind(sql::time_opt(order.promise_time))
    .bind(micros(order.worked))
    .bind(order.working_duration.map(micros))
    .bind(sql::time_opt(order.timer_time))
    .bind(order.timer_count)
    .bind(order.revision)
    .bind(order.entry_count)
    .bind(sql::time(order.create_time))
    .bind(sql::time(order.update_time))
    .bind(sql::time_opt(order.acknowledge_time))
    .bind(sql::time_opt(order.first_response_time))
    .bind(sql::time_opt(order.start_time))
    .bind(sql::time_opt(order.resolve_time))
    .bind(sql::time_opt(order.close_time))
    .bind(&feedback.traceparent)
    .execute(&mut **tx)
    .await?;
    match written.rows_affected() {
        1 => Ok(()),
        rows => Err(Refusal::fault(anyhow::anyhow!(
            "work order {} was written to {rows} rows",
            order.id
        ))),
    }
}

/// A work order, held until the transaction ends.
pub(crate) async fn lock(tx: &mut Transaction, tenant: &Tenant, id: Uuid) -> Result<Option<WorkOrder>, Refusal> {
    one(tx, tenant, |query| {
        query.push(" AND id = ").push_bind(id).push(" FOR UPDATE");
    })
    .await
}

/// The work order of a feedback, held until the transaction ends.
pub(crate) async fn lock_by_feedback(
    tx: &mut Transaction,
    tenant: &Tenant,
    feedback: &str,
) -> Result<Option<WorkOrder>, Refusal> {
    one(tx, tenant, |query| {
        query
            .push(" AND feedback = ")
            .push_bind(feedback.to_owned())
            .push(" FOR UPDATE");
    })
    .await
}

/// From here on the transaction sees one moment: a work order and its clocks belong together. Before anything is read.
pub(crate) async fn see_one_moment(tx: &mut Transaction) -> Result<(), Refusal> {
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// A work order, to read.
pub(crate) async fn find(tx: &mut Transaction, tenant: &Tenant, id: Uuid) -> Result<Option<WorkOrder>, Refusal> {
    one(tx, tenant, |query| {
        query.push(" AND id = ").push_bind(id);
    })
    .await
}

/// True where there is such a work order.
pub(crate) async fn exists(tx: &mut Transaction, tenant: &Tenant, id: Uuid) -> Result<bool, Refusal> {
    let found = sqlx::query_scalar("SELECT EXISTS (SELECT FROM work_order WHERE tenant_id = $1 AND id = $2)")
        .bind(tenant.key())
        .bind(id)
        .fetch_one(&mut **tx)
        .await?;
    Ok(found)
}

/// Those of some work orders that there are, in the order of their ids.
pub(crate) async fn many(tx: &mut Transaction, tenant: &Tenant, ids: &[Uuid]) -> Result<Vec<WorkOrder>, Refusal> {
    let mut query = select(tenant);
    query
        .push(" AND id = ANY(")
        .push_bind(ids.to_vec())
        .push(") ORDER BY id");
    all(tx, query).await
}

/// The work orders of a page, and one more where there is another page.
pub(crate) async fn list(tx: &mut Transaction, tenant: &Tenant, page: &PageRequest) -> Result<Vec<WorkOrder>, Refusal> {
    let mut query = select(tenant);
    page.push(&mut query, "id");
    all(tx, query).await
}

fn select(tenant: &Tenant) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(format!("SELECT {COLUMNS} FROM work_order WHERE tenant_id = "));
    query.push_bind(tenant.key().to_owned());
    query
}

async fn one(
    tx: &mut Transaction,
    tenant: &Tenant,
    condition: impl FnOnce(&mut QueryBuilder<Postgres>),
) -> Result<Option<WorkOrder>, Refusal> {
    let mut query = select(tenant);
    condition(&mut query);
    let row: Option<Row> = query.build_query_as().fetch_optional(&mut **tx).await?;
    row.map(WorkOrder::try_from).transpose()
}

async fn all(tx: &mut Transaction, mut query: QueryBuilder<Postgres>) -> Result<Vec<WorkOrder>, Refusal> {
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    rows.into_iter().map(WorkOrder::try_from).collect()
}

/// Writes which timer is set, where nothing else happened.
pub(crate) async fn save_timer(tx: &mut Transaction, tenant: &Tenant, order: &WorkOrder) -> Result<(), Refusal> {
    sqlx::query("UPDATE work_order SET timer_time = $3, timer_count = $4 WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.key())
        .bind(order.id)
        .bind(sql::time_opt(order.timer_time))
        .bind(order.timer_count)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// How many work orders of all tenants are open, by state, by whether a deadline was missed and by whether a clock runs; for a worker's
/// transaction.
pub(crate) async fn open(tx: &mut Transaction) -> Result<Vec<(i16, bool, bool, i64)>, Refusal> {
    Ok(sqlx::query_as(
        "SELECT state, breached, next_due_time IS NOT NULL, count(*) FROM work_order WHERE state <= 4 GROUP BY 1, 2, 3",
    )
    .fetch_all(&mut **tx)
    .await?)
}
