//! Answers given to requests with an id, many at once: what `chassis::repeat` does for one, for a group commit.

use std::collections::HashMap;

use huiyin_chassis::{Refusal, Tenant, Transaction, repeat::Repeatable, sql};
use jiff::Timestamp;
use uuid::Uuid;

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

/// Keeps answers in the transaction of their effects; false where one of the requests has an answer by now, because it was
/// worked on somewhere else at the same time: then nothing of the transaction may be kept.
pub(crate) async fn keep(
    tx: &mut Transaction,
    tenant: &Tenant,
    now: Timestamp,
    mut answers: Vec<(&Repeatable, Vec<u8>)>,
) -> Result<bool, Refusal> {
    if answers.is_empty() {
        return Ok(true);
    }
    // Always in the same order: two transactions that wait for each other's keys would be a deadlock.
    answers.sort_by_key(|(request, _)| request.parts());
    let mut callers = Vec::with_capacity(answers.len());
    let mut methods = Vec::with_capacity(answers.len());
    let mut ids = Vec::with_capacity(answers.len());
    let mut hashes = Vec::with_capacity(answers.len());
    let mut bodies = Vec::with_capacity(answers.len());
    for (request, answer) in &answers {
        let (caller, method, id, hash) = request.parts();
        callers.push(caller);
        methods.push(method);
        ids.push(id);
        hashes.push(hash.as_slice());
        bodies.push(answer.as_slice());
    }
    let kept = sqlx::query(
        "INSERT INTO chassis.answered_request (tenant_id, caller, method, request_id, body_hash, answer, create_time)
         SELECT $1, caller, method, request_id, body_hash, answer, $2
         FROM unnest($3::text[], $4::text[], $5::uuid[], $6::bytea[], $7::bytea[]) AS new (caller, method, request_id, body_hash, answer)
         ON CONFLICT DO NOTHING",
    )
    .bind(tenant.key())
    .bind(sql::time(now))
    .bind(callers)
    .bind(methods)
    .bind(ids)
    .bind(hashes)
    .bind(bodies)
    .execute(&mut **tx)
    .await?;
    Ok(kept.rows_affected() == answers.len() as u64)
}
