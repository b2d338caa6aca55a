//! The facts in Postgres.

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    listing::{Page, PageKey, PageRequest, PageTokenKey},
    sql,
};
use jiff::Timestamp;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::{change::State, domain::Fact};
use crate::rollup::domain as rollup;

#[derive(sqlx::FromRow)]
struct Row {
    feedback: Uuid,
    document: serde_json::Value,
}

impl Row {
    fn fact(self) -> Result<Fact, Refusal> {
        serde_json::from_value(self.document).map_err(|error| {
            Refusal::fault(anyhow::Error::from(error).context(format!("feedback_fact {}", self.feedback)))
        })
    }
}

/// The facts of these feedbacks, and of those that these work orders handle.
pub(crate) async fn of(
    tx: &mut Transaction,
    tenant: &Tenant,
    feedbacks: &[Uuid],
    work_orders: &[Uuid],
) -> Result<Vec<Fact>, Refusal> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT feedback, document FROM feedback_fact WHERE tenant_id = $1 AND feedback = ANY($2)
         UNION ALL
         SELECT feedback, document FROM feedback_fact
         WHERE tenant_id = $1 AND work_order = ANY($3) AND NOT feedback = ANY($2)",
    )
    .bind(tenant.key())
    .bind(feedbacks)
    .bind(work_orders)
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter().map(Row::fact).collect()
}

/// Some facts after `last`, in the order of their ids.
pub(crate) async fn after(tx: &mut Transaction, tenant: &Tenant, last: Uuid, limit: i64) -> Result<Vec<Fact>, Refusal> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT feedback, document FROM feedback_fact WHERE tenant_id = $1 AND feedback > $2 ORDER BY feedback LIMIT $3",
    )
    .bind(tenant.key())
    .bind(last)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter().map(Row::fact).collect()
}

/// The facts of one page.
pub(crate) async fn page(
    tx: &mut Transaction,
    tenant: &Tenant,
    request: &PageRequest,
    key: &PageTokenKey,
) -> Result<Page<Fact>, Refusal> {
    let mut query: QueryBuilder<Postgres> =
        QueryBuilder::new("SELECT feedback, document FROM feedback_fact s WHERE s.tenant_id = ");
    query.push_bind(tenant.key().to_owned());
    request.push(&mut query, "s.feedback");
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    let facts = rows.into_iter().map(Row::fact).collect::<Result<Vec<_>, _>>()?;
    Ok(request.page(key, facts, |fact| PageKey {
        time: order_time(fact).as_microsecond(),
        id: fact.feedback.into(),
    }))
}

/// Where a fact stands in lists: by its receive time, first where that is not known.
fn order_time(fact: &Fact) -> Timestamp {
    fact.submission
        .as_ref()
        .map_or(Timestamp::UNIX_EPOCH, |submission| submission.receive_time)
}

/// Keeps facts, new or changed.
pub(crate) async fn keep(tx: &mut Transaction, tenant: &Tenant, facts: &[&Fact]) -> Result<(), Refusal> {
    if facts.is_empty() {
        return Ok(());
    }
    let segments: Vec<rollup::Segment> = facts.iter().map(|fact| rollup::segment(fact)).collect();
    let texts = |of: fn(&rollup::Segment) -> &String| {
        segments
            .iter()
            .map(|segment| of(segment).clone())
            .collect::<Vec<String>>()
    };
    let submitted = |of: fn(&super::change::Submission) -> &String| {
        facts
            .iter()
            .map(|fact| fact.submission.as_ref().map(of).cloned().unwrap_or_default())
            .collect::<Vec<String>>()
    };
    let documents = facts
        .iter()
        .map(serde_json::to_value)
        .collect::<Result<Vec<_>, _>>()
        .map_err(Refusal::fault)?;
    let resolutions: Vec<_> = facts.iter().map(|fact| fact.resolution()).collect();
    sqlx::query(
        "INSERT INTO feedback_fact (tenant_id, feedback, number, customer, channel, tier, product_model, batch, category, priority, team,
                                    work_order, state, receive_time, order_time, resolve_time, working_us, last_event_time, document)
         SELECT $1, *
         FROM unnest($2::uuid[], $3::text[], $4::text[], $5::smallint[], $6::smallint[], $7::text[], $8::text[], $9::text[], $10::text[],
                     $11::text[], $12::uuid[], $13::smallint[], $14::timestamptz[], $15::timestamptz[], $16::timestamptz[],
                     $17::bigint[], $18::timestamptz[], $19::jsonb[])
         ON CONFLICT (tenant_id, feedback) DO UPDATE
         SET number = EXCLUDED.number, customer = EXCLUDED.customer, channel = EXCLUDED.channel, tier = EXCLUDED.tier,
             product_model = EXCLUDED.product_model, batch = EXCLUDED.batch, category = EXCLUDED.category,
             priority = EXCLUDED.priority, team = EXCLUDED.team, work_order = EXCLUDED.work_order, state = EXCLUDED.state,
             receive_time = EXCLUDED.receive_time, order_time = EXCLUDED.order_time, resolve_time = EXCLUDED.resolve_time,
             working_us = EXCLUDED.working_us, last_event_time = EXCLUDED.last_event_time, document = EXCLUDED.document",
    )
    .bind(tenant.key())
    .bind(facts.iter().map(|fact| fact.feedback).collect::<Vec<_>>())
    .bind(submitted(|submission| &submission.number))
    .bind(submitted(|submission| &submission.customer))
    .bind(segments.iter().map(|segment| segment.channel).collect::<Vec<_>>())
    .bind(segments.iter().map(|segment| segment.tier).collect::<Vec<_>>())
    .bind(texts(|segment| &segment.product_model))
    .bind(texts(|segment| &segment.batch))
    .bind(texts(|segment| &segment.category))
    .bind(texts(|segment| &segment.priority))
    .bind(texts(|segment| &segment.team))
    .bind(facts.iter().map(|fact| fact.work_order.as_ref().map(|order| order.id)).collect::<Vec<_>>())
    .bind(facts.iter().map(|fact| fact.state().map_or(0, state_number)).collect::<Vec<_>>())
    .bind(facts.iter().map(|fact| sql::time_opt(fact.submission.as_ref().map(|known| known.receive_time))).collect::<Vec<_>>())
    .bind(facts.iter().map(|fact| sql::time(order_time(fact))).collect::<Vec<_>>())
    .bind(resolutions.iter().map(|found| sql::time_opt(found.map(|(time, _)| time))).collect::<Vec<_>>())
    .bind(resolutions.iter().map(|found| found.and_then(|(_, episode)| episode.working_us)).collect::<Vec<_>>())
    .bind(facts.iter().map(|fact| sql::time(fact.last_event_time)).collect::<Vec<_>>())
    .bind(documents)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The number of a state, as in the proto's enum: filters name it, columns hold it.
pub(crate) fn state_number(state: State) -> i16 {
    match state {
        State::New => 1,
        State::Active => 2,
        State::Waiting => 3,
        State::Verifying => 4,
        State::Resolved => 5,
        State::Closed => 6,
        State::Rejected => 7,
    }
}
