//! SQL of the clocks.

use huiyin_chassis::{Refusal, Tenant, Transaction, sql};
use sqlx::types::Json;
use uuid::Uuid;

use super::unknown;
use crate::{
    sla::domain::{self as sla, Clock},
    work_order::domain::{KeptClock, Mark, Marked, WorkOrder},
};

#[derive(sqlx::FromRow)]
struct Row {
    work_order_id: Uuid,
    place: i32,
    clock: Json<Clock>,
    due_time: Option<jiff_sqlx::Timestamp>,
    warned_at: Option<jiff_sqlx::Timestamp>,
    warned_due: Option<jiff_sqlx::Timestamp>,
    breached_at: Option<jiff_sqlx::Timestamp>,
    breached_due: Option<jiff_sqlx::Timestamp>,
    stop_mark: Option<i16>,
    stop_mark_at: Option<jiff_sqlx::Timestamp>,
    stop_mark_due: Option<jiff_sqlx::Timestamp>,
}

impl TryFrom<Row> for KeptClock {
    type Error = Refusal;

    fn try_from(row: Row) -> Result<Self, Refusal> {
        let time = |time: Option<jiff_sqlx::Timestamp>| time.map(jiff_sqlx::Timestamp::to_jiff);
        let marked = |at, due| time(at).map(|at| Marked { at, due: time(due) });
        let stop_mark = row
            .stop_mark
            .map(|mark| Mark::of(mark).ok_or_else(|| unknown("sla_clock", "stop_mark", mark)))
            .transpose()?;
        Ok(Self {
            clock: row.clock.0,
            place: row.place,
            due_time: time(row.due_time),
            warned: marked(row.warned_at, row.warned_due),
            breached: marked(row.breached_at, row.breached_due),
            stopped: stop_mark.zip(marked(row.stop_mark_at, row.stop_mark_due)),
        })
    }
}

/// The clocks of one episode, in the order of the policy.
pub(crate) async fn clocks(
    tx: &mut Transaction,
    tenant: &Tenant,
    order: Uuid,
    episode: i32,
) -> Result<Vec<KeptClock>, Refusal> {
    let clocks = select(tx, tenant, &[order], &[episode]).await?;
    Ok(clocks.into_iter().map(|(_, clock)| clock).collect())
}

/// The clocks of the present episodes of some work orders, each in the order of its policy.
pub(crate) async fn clocks_of(
    tx: &mut Transaction,
    tenant: &Tenant,
    orders: &[WorkOrder],
) -> Result<Vec<(Uuid, KeptClock)>, Refusal> {
    let ids: Vec<Uuid> = orders.iter().map(|order| order.id).collect();
    let episodes: Vec<i32> = orders.iter().map(|order| order.episode).collect();
    select(tx, tenant, &ids, &episodes).await
}

async fn select(
    tx: &mut Transaction,
    tenant: &Tenant,
    orders: &[Uuid],
    episodes: &[i32],
) -> Result<Vec<(Uuid, KeptClock)>, Refusal> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT work_order_id, place, clock, due_time, warned_at, warned_due, breached_at, breached_due, stop_mark,
             stop_mark_at, stop_mark_due
         FROM sla_clock
         JOIN unnest($2::uuid[], $3::int[]) AS wanted (id, number) ON work_order_id = wanted.id AND episode = wanted.number
         WHERE tenant_id = $1
         ORDER BY work_order_id, place",
    )
    .bind(tenant.key())
    .bind(orders)
    .bind(episodes)
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter()
        .map(|row| Ok((row.work_order_id, KeptClock::try_from(row)?)))
        .collect()
}

/// Writes clocks, new or changed, with one statement.
pub(crate) async fn save(
    tx: &mut Transaction,
    tenant: &Tenant,
    order: Uuid,
    clocks: &[&KeptClock],
) -> Result<(), Refusal> {
    if clocks.is_empty() {
        return Ok(());
    }
    let column = |f: fn(&KeptClock) -> Option<jiff::Timestamp>| {
        clocks.iter().map(|kept| sql::time_opt(f(kept))).collect::<Vec<_>>()
    };
    sqlx::query(
        "INSERT INTO sla_clock (tenant_id, work_order_id, episode, key, place, clock, state, due_time, warned_at, warned_due,
             breached_at, breached_due, stop_mark, stop_mark_at, stop_mark_due)
         SELECT $1, $2, * FROM unnest($3::int[], $4::text[], $5::int[], $6::jsonb[], $7::smallint[], $8::timestamptz[], $9::timestamptz[],
             $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::smallint[], $14::timestamptz[], $15::timestamptz[])
         ON CONFLICT (tenant_id, work_order_id, episode, key) DO UPDATE SET
             clock = EXCLUDED.clock, state = EXCLUDED.state, due_time = EXCLUDED.due_time,
             warned_at = EXCLUDED.warned_at, warned_due = EXCLUDED.warned_due, breached_at = EXCLUDED.breached_at,
             breached_due = EXCLUDED.breached_due, stop_mark = EXCLUDED.stop_mark, stop_mark_at = EXCLUDED.stop_mark_at,
             stop_mark_due = EXCLUDED.stop_mark_due",
    )
    .bind(tenant.key())
    .bind(order)
    .bind(clocks.iter().map(|kept| kept.clock.episode).collect::<Vec<_>>())
    .bind(clocks.iter().map(|kept| kept.clock.key.clone()).collect::<Vec<_>>())
    .bind(clocks.iter().map(|kept| kept.place).collect::<Vec<_>>())
    .bind(clocks.iter().map(|kept| Json(&kept.clock)).collect::<Vec<_>>())
    .bind(clocks.iter().map(|kept| state_number(&kept.clock)).collect::<Vec<_>>())
    .bind(column(|kept| kept.due_time))
    .bind(column(|kept| kept.warned.map(|marked| marked.at)))
    .bind(column(|kept| kept.warned.and_then(|marked| marked.due)))
    .bind(column(|kept| kept.breached.map(|marked| marked.at)))
    .bind(column(|kept| kept.breached.and_then(|marked| marked.due)))
    .bind(clocks.iter().map(|kept| kept.stopped.map(|(mark, _)| mark as i16)).collect::<Vec<_>>())
    .bind(column(|kept| kept.stopped.map(|(_, marked)| marked.at)))
    .bind(column(|kept| kept.stopped.and_then(|(_, marked)| marked.due)))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The number of a clock's state in `SlaClockState`.
fn state_number(clock: &Clock) -> i16 {
    match sla::state(clock) {
        sla::State::Pending => 1,
        sla::State::Running => 2,
        sla::State::Paused => 3,
        sla::State::Stopped => 4,
    }
}
