//! The table of how feedback stands for its customers.

use huiyin_chassis::{Refusal, Tenant, Transaction, sql};
use jiff::Timestamp;
use jiff_sqlx::Timestamp as SqlTimestamp;
use uuid::Uuid;

use crate::status::domain::{Standing, State};

/// Said with the commit of a change: `<tenant>/<feedback>`.
pub(crate) const CHANGED: &str = "intake_status";

#[derive(sqlx::FromRow)]
struct Row {
    state: i32,
    state_time: SqlTimestamp,
    promise_time: Option<SqlTimestamp>,
    message: String,
    message_time: Option<SqlTimestamp>,
    waits_for_us: bool,
}

impl Row {
    fn standing(self) -> Result<Standing, Refusal> {
        let state = State::of(self.state);
        Ok(Standing {
            state: state.ok_or_else(|| Refusal::fault(anyhow::anyhow!("a status is in the state {}", self.state)))?,
            state_time: self.state_time.to_jiff(),
            promise_time: self.promise_time.map(SqlTimestamp::to_jiff),
            message: self.message,
            message_time: self.message_time.map(SqlTimestamp::to_jiff),
            waits_for_us: self.waits_for_us,
        })
    }
}

/// How a feedback stands, where anything was said of it.
pub(crate) async fn get(tx: &mut Transaction, tenant: &Tenant, feedback: Uuid) -> Result<Option<Standing>, Refusal> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT state, state_time, promise_time, message, message_time, waits_for_us
         FROM customer_status WHERE tenant_id = $1 AND feedback_id = $2",
    )
    .bind(tenant.key())
    .bind(feedback)
    .fetch_optional(&mut **tx)
    .await?;
    row.map(Row::standing).transpose()
}

/// Keeps how a feedback stands now. Events of one work order come in order and one after the other: nobody else writes.
pub(crate) async fn put(
    tx: &mut Transaction,
    tenant: &Tenant,
    feedback: Uuid,
    standing: &Standing,
) -> Result<(), Refusal> {
    sqlx::query(
        "WITH told AS MATERIALIZED (SELECT pg_notify($9, $1 || '/' || $2::text))
         INSERT INTO customer_status
             (tenant_id, feedback_id, state, state_time, promise_time, message, message_time, waits_for_us)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8 FROM told
         ON CONFLICT (tenant_id, feedback_id) DO UPDATE
         SET state = EXCLUDED.state, state_time = EXCLUDED.state_time, promise_time = EXCLUDED.promise_time,
             message = EXCLUDED.message, message_time = EXCLUDED.message_time, waits_for_us = EXCLUDED.waits_for_us",
    )
    .bind(tenant.key())
    .bind(feedback)
    .bind(standing.state as i32)
    .bind(sql::time(standing.state_time))
    .bind(sql::time_opt(standing.promise_time))
    .bind(&standing.message)
    .bind(sql::time_opt(standing.message_time))
    .bind(standing.waits_for_us)
    .bind(CHANGED)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The number of a feedback, and when it arrived; `None` where it is not there.
pub(crate) async fn arrival(
    tx: &mut Transaction,
    tenant: &Tenant,
    feedback: Uuid,
) -> Result<Option<(String, Timestamp)>, Refusal> {
    let row: Option<(String, SqlTimestamp)> =
        sqlx::query_as("SELECT number, create_time FROM feedback WHERE tenant_id = $1 AND id = $2")
            .bind(tenant.key())
            .bind(feedback)
            .fetch_optional(&mut **tx)
            .await?;
    Ok(row.map(|(number, time)| (number, time.to_jiff())))
}

/// Forgets how these feedbacks stand, e.g. because their customer is to be forgotten.
pub(crate) async fn forget(tx: &mut Transaction, tenant: &Tenant, feedbacks: &[Uuid]) -> Result<(), Refusal> {
    sqlx::query("DELETE FROM customer_status WHERE tenant_id = $1 AND feedback_id = ANY($2)")
        .bind(tenant.key())
        .bind(feedbacks)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
