//! SQL of the history.

use huiyin_chassis::{Refusal, Tenant, Transaction, listing::PageRequest, sql};
use sqlx::{QueryBuilder, types::Json};
use uuid::Uuid;

use super::unknown;
use crate::work_order::domain::{Entry, EntryKind, Mark, Priority, Resolution, Stage, state_number, state_of};

#[derive(sqlx::FromRow)]
struct Row {
    sequence: i64,
    kind: i16,
    occur_time: jiff_sqlx::Timestamp,
    actor: String,
    episode: i32,
    state: i16,
    previous_state: Option<i16>,
    stage: i16,
    reason: String,
    note: String,
    customer_text: String,
    promise_time: Option<jiff_sqlx::Timestamp>,
    assignee: String,
    team: String,
    category: String,
    priority_key: Option<String>,
    priority_rank: Option<i32>,
    resolution: Option<Json<Resolution>>,
    clock: String,
    mark: Option<i16>,
    due_time: Option<jiff_sqlx::Timestamp>,
}

impl TryFrom<Row> for Entry {
    type Error = Refusal;

    fn try_from(row: Row) -> Result<Self, Refusal> {
        let state = |state| state_of(state).ok_or_else(|| unknown("work_order_event", "state", state));
        Ok(Self {
            sequence: row.sequence,
            kind: EntryKind::of(row.kind).ok_or_else(|| unknown("work_order_event", "kind", row.kind))?,
            at: row.occur_time.to_jiff(),
            actor: row.actor,
            episode: row.episode,
            state: state(row.state)?,
            previous_state: row.previous_state.map(state).transpose()?,
            stage: Stage::of(row.stage.into()).ok_or_else(|| unknown("work_order_event", "stage", row.stage))?,
            reason: row.reason,
            note: row.note,
            customer_text: row.customer_text,
            promise_time: row.promise_time.map(jiff_sqlx::Timestamp::to_jiff),
            assignee: row.assignee,
            team: row.team,
            category: row.category,
            priority: row
                .priority_key
                .zip(row.priority_rank)
                .map(|(key, rank)| Priority { key, rank }),
            resolution: row.resolution.map(|Json(resolution)| resolution),
            clock: row.clock,
            mark: row
                .mark
                .map(|mark| Mark::of(mark).ok_or_else(|| unknown("work_order_event", "mark", mark)))
                .transpose()?,
            due_time: row.due_time.map(jiff_sqlx::Timestamp::to_jiff),
        })
    }
}

/// Adds entries to the history of a work order that is held, with one statement.
pub(crate) async fn append(
    tx: &mut Transaction,
    tenant: &Tenant,
    order: Uuid,
    entries: &[Entry],
) -> Result<(), Refusal> {
    if entries.is_empty() {
        return Ok(());
    }
    let mut query = QueryBuilder::new(
        "INSERT INTO work_order_event (tenant_id, work_order_id, sequence, kind, occur_time, actor, episode, state, previous_state, stage,
             reason, note, customer_text, promise_time, assignee, team, category, priority_key, priority_rank, resolution, clock, mark,
             due_time) ",
    );
    query.push_values(entries, |mut row, entry| {
        row.push_bind(tenant.key().to_owned())
            .push_bind(order)
            .push_bind(entry.sequence)
            .push_bind(entry.kind as i16)
            .push_bind(sql::time(entry.at))
            .push_bind(entry.actor.clone())
            .push_bind(entry.episode)
            .push_bind(state_number(entry.state))
            .push_bind(entry.previous_state.map(state_number))
            .push_bind(entry.stage as i16)
            .push_bind(entry.reason.clone())
            .push_bind(entry.note.clone())
            .push_bind(entry.customer_text.clone())
            .push_bind(sql::time_opt(entry.promise_time))
            .push_bind(entry.assignee.clone())
            .push_bind(entry.team.clone())
            .push_bind(entry.category.clone())
            .push_bind(entry.priority.as_ref().map(|priority| priority.key.clone()))
            .push_bind(entry.priority.as_ref().map(|priority| priority.rank))
            .push_bind(entry.resolution.clone().map(Json))
            .push_bind(entry.clock.clone())
            .push_bind(entry.mark.map(|mark| mark as i16))
            .push_bind(sql::time_opt(entry.due_time));
    });
    query.build().execute(&mut **tx).await?;
    Ok(())
}

/// The entries of a page, and one more where there is another page.
pub(crate) async fn list(
    tx: &mut Transaction,
    tenant: &Tenant,
    order: Uuid,
    page: &PageRequest,
) -> Result<Vec<Entry>, Refusal> {
    let mut query = QueryBuilder::new(
        "SELECT sequence, kind, occur_time, actor, episode, state, previous_state, stage, reason, note, customer_text, promise_time,
             assignee, team, category, priority_key, priority_rank, resolution, clock, mark, due_time
         FROM work_order_event
         WHERE tenant_id = ",
    );
    query
        .push_bind(tenant.key().to_owned())
        .push(" AND work_order_id = ")
        .push_bind(order);
    page.push(&mut query, "sequence::text");
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    rows.into_iter().map(Entry::try_from).collect()
}
