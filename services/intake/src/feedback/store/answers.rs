//! Answers given to requests with an id, many at once: what `chassis::repeat` does for one, for a group commit.

use std::collections::HashMap;

use huiyin_chassis::{Refusal, Tenant, Transaction, repeat::Repeatable};
use jiff_sqlx::Timestamp as SqlTimestamp;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::batch::Answered;

/// An answer that was given before.
#[derive(sqlx::FromRow)]
pub(crate) struct Given {
    caller: String,
    request_id: Uuid,
    /// Of the request.
    pub(crate) body_hash: Vec<u8>,
    /// Encoded.
    pub(crate) answer: Vec<u8>,
}

/// The answers that these requests of one method got before, by caller and id.
pub(crate) async fn find(
    tx: &mut Transaction,
    tenant: &Tenant,
    requests: &[&Repeatable],
) -> Result<HashMap<(String, Uuid), Given>, Refusal> {
    let Some((_, method, _, _)) = requests.first().map(|request| request.parts()) else {
        return Ok(HashMap::new());
    };
    let (callers, ids): (Vec<&str>, Vec<Uuid>) = requests
        .iter()
        .map(|request| request.parts())
        .map(|(caller, _, id, _)| (caller, id))
        .unzip();
    let given: Vec<Given> = sqlx::query_as(
        "SELECT given.caller, given.request_id, given.body_hash, given.answer
         FROM unnest($3::text[], $4::uuid[]) AS wanted (caller, request_id)
         CROSS JOIN LATERAL (
             SELECT caller, request_id, body_hash, answer
             FROM chassis.answered_request AS a
             WHERE a.tenant_id = $1 AND a.caller = wanted.caller AND a.method = $2 AND a.request_id = wanted.request_id
             LIMIT 1 -- keeps the planner from reading the table as a whole: one probe of the key each
         ) AS given",
    )
    .bind(tenant.key())
    .bind(method)
    .bind(callers)
    .bind(ids)
    .fetch_all(&mut **tx)
    .await?;
    Ok(given
        .into_iter()
        .map(|given| ((given.caller.clone(), given.request_id), given))
        .collect())
}

/// Pushes an `INSERT` of answers, to stand among the `WITH` queries of a statement, of those whose feedback is in the one called
/// `stored`. It keeps fewer than there are where one of the requests has an answer by now.
pub(super) fn push(
    statement: &mut QueryBuilder<Postgres>,
    tenant: &Tenant,
    now: SqlTimestamp,
    answers: &[Answered<'_>],
) {
    // Always in the same order: two transactions that wait for each other's keys would be a deadlock.
    let mut answers: Vec<&Answered<'_>> = answers.iter().collect();
    answers.sort_by_key(|answer| answer.request.parts());
    let mut feedbacks = Vec::with_capacity(answers.len());
    let mut callers = Vec::with_capacity(answers.len());
    let mut methods = Vec::with_capacity(answers.len());
    let mut ids = Vec::with_capacity(answers.len());
    let mut hashes = Vec::with_capacity(answers.len());
    let mut bodies = Vec::with_capacity(answers.len());
    for Answered {
        feedback,
        request,
        answer,
    } in answers
    {
        let (caller, method, id, hash) = request.parts();
        feedbacks.push(*feedback);
        callers.push(caller);
        methods.push(method);
        ids.push(id);
        hashes.push(hash.as_slice());
        bodies.push(answer.as_slice());
    }
    statement
        .push(
            "INSERT INTO chassis.answered_request (tenant_id, caller, method, request_id, body_hash, answer, create_time)
             SELECT ",
        )
        .push_bind(tenant.key().to_owned())
        .push(", caller, method, request_id, body_hash, answer, ")
        .push_bind(now)
        .push(" FROM unnest(")
        .push_bind(feedbacks)
        .push("::uuid[], ")
        .push_bind(callers)
        .push("::text[], ")
        .push_bind(methods)
        .push("::text[], ")
        .push_bind(ids)
        .push("::uuid[], ")
        .push_bind(hashes)
        .push("::bytea[], ")
        .push_bind(bodies)
        // IS TRUE: see `Outbox::push_each`.
        .push(
            "::bytea[]) WITH ORDINALITY AS new (id, caller, method, request_id, body_hash, answer, place)
             WHERE (id IN (SELECT id FROM stored)) IS TRUE ORDER BY place
             ON CONFLICT DO NOTHING RETURNING 1",
        );
}
