//! All SQL of which feedback belongs to which problem. Whoever changes it holds the tenant's problems.

use huiyin_chassis::{Refusal, Tenant, Transaction, listing::PageRequest, sql};
use jiff::Timestamp;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{
    convert::{source, source_number},
    domain::{Counts, Source},
};

/// A feedback of a problem, as it is put there.
#[derive(Debug, Clone)]
pub(super) struct Joining {
    pub(super) feedback: Uuid,
    /// Its own problem.
    pub(super) own: Uuid,
    /// The problem for which it counts.
    pub(super) holder: Uuid,
    /// Empty where nobody is known.
    pub(super) customer: String,
    pub(super) seen: Timestamp,
    pub(super) recurrence: bool,
}

/// A feedback of a problem, as it stands there.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) feedback: Uuid,
    pub(super) name: String,
    pub(super) number: String,
    /// Empty where nobody is known, or the customer was erased.
    pub(super) customer: String,
    pub(super) excerpt: String,
    pub(super) own: Uuid,
    pub(super) source: Source,
    pub(super) author: String,
    pub(super) recurrence: bool,
    pub(super) seen: Timestamp,
    pub(super) create_time: Timestamp,
}

/// Where a feedback belongs.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct Place {
    pub(super) feedback_id: Uuid,
    pub(super) problem_id: Uuid,
    pub(super) holder_id: Uuid,
}

#[derive(sqlx::FromRow)]
struct Row {
    feedback_id: Uuid,
    feedback_name: String,
    feedback_number: String,
    customer: String,
    excerpt: String,
    problem_id: Uuid,
    source: i32,
    author: String,
    recurrence: bool,
    seen_time: jiff_sqlx::Timestamp,
    create_time: jiff_sqlx::Timestamp,
}

/// Puts feedbacks where they belong from now on, out of where they belonged; a recurrence stays one.
pub(super) async fn put(
    tx: &mut Transaction,
    tenant: &Tenant,
    joining: &[Joining],
    source: Source,
    author: &str,
    now: Timestamp,
) -> Result<(), Refusal> {
    let ids = |of: fn(&Joining) -> Uuid| joining.iter().map(of).collect::<Vec<_>>();
    sqlx::query(
        "INSERT INTO problem_feedback (tenant_id, feedback_id, problem_id, holder_id, customer, seen_time, recurrence, source, author,
             create_time)
         SELECT $1, new.*, $8, $9, $10 FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::timestamptz[], $7::boolean[]) AS new
         ON CONFLICT (tenant_id, feedback_id) DO UPDATE
         SET problem_id = EXCLUDED.problem_id, holder_id = EXCLUDED.holder_id, source = EXCLUDED.source, author = EXCLUDED.author,
             recurrence = problem_feedback.recurrence OR EXCLUDED.recurrence, create_time = EXCLUDED.create_time",
    )
    .bind(tenant.key())
    .bind(ids(|new| new.feedback))
    .bind(ids(|new| new.own))
    .bind(ids(|new| new.holder))
    .bind(joining.iter().map(|new| new.customer.as_str()).collect::<Vec<_>>())
    .bind(joining.iter().map(|new| sql::time(new.seen)).collect::<Vec<_>>())
    .bind(joining.iter().map(|new| new.recurrence).collect::<Vec<_>>())
    .bind(source_number(source))
    .bind(author)
    .bind(sql::time(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Where these feedbacks belong; those that belong nowhere are left out.
pub(super) async fn places(tx: &mut Transaction, tenant: &Tenant, feedbacks: &[Uuid]) -> Result<Vec<Place>, Refusal> {
    let places = sqlx::query_as(
        "SELECT feedback_id, problem_id, holder_id FROM problem_feedback WHERE tenant_id = $1 AND feedback_id = ANY ($2)",
    )
    .bind(tenant.key())
    .bind(feedbacks)
    .fetch_all(&mut **tx)
    .await?;
    Ok(places)
}

/// Lets feedbacks go: they belong nowhere, until a person puts them somewhere.
pub(super) async fn remove(tx: &mut Transaction, tenant: &Tenant, feedbacks: &[Uuid]) -> Result<(), Refusal> {
    sqlx::query(
        "WITH gone AS (
             DELETE FROM problem_feedback WHERE tenant_id = $1 AND feedback_id = ANY ($2) RETURNING tenant_id, feedback_id)
         INSERT INTO problem_removal (tenant_id, feedback_id) SELECT tenant_id, feedback_id FROM gone ON CONFLICT DO NOTHING",
    )
        .bind(tenant.key())
        .bind(feedbacks)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// What counts for one problem counts for another.
pub(super) async fn hand_over(tx: &mut Transaction, tenant: &Tenant, from: Uuid, to: Uuid) -> Result<(), Refusal> {
    sqlx::query("UPDATE problem_feedback SET holder_id = $3 WHERE tenant_id = $1 AND holder_id = $2")
        .bind(tenant.key())
        .bind(from)
        .bind(to)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// What is a problem's own, or of what was merged into it, counts for it again.
pub(super) async fn take_back(tx: &mut Transaction, tenant: &Tenant, problem: Uuid) -> Result<(), Refusal> {
    sqlx::query(
        "WITH RECURSIVE own (problem_id) AS (
             SELECT $2::uuid
             UNION SELECT p.problem_id FROM problem AS p JOIN own ON p.merged_into = own.problem_id WHERE p.tenant_id = $1)
         UPDATE problem_feedback SET holder_id = $2 WHERE tenant_id = $1 AND problem_id IN (SELECT problem_id FROM own)",
    )
    .bind(tenant.key())
    .bind(problem)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Marks as recurrences what came about after a fix.
pub(super) async fn mark_recurrences(
    tx: &mut Transaction,
    tenant: &Tenant,
    holder: Uuid,
    fix: Timestamp,
) -> Result<(), Refusal> {
    sqlx::query(
        "UPDATE problem_feedback SET recurrence = true WHERE tenant_id = $1 AND holder_id = $2 AND seen_time > $3",
    )
    .bind(tenant.key())
    .bind(holder)
    .bind(sql::time(fix))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What a problem's feedback comes to.
pub(super) async fn counts(tx: &mut Transaction, tenant: &Tenant, holder: Uuid) -> Result<Counts, Refusal> {
    type Row = (
        i64,
        i64,
        i64,
        i64,
        Option<jiff_sqlx::Timestamp>,
        Option<jiff_sqlx::Timestamp>,
    );
    let (feedbacks, customers, unknown, recurrences, first, last): Row = sqlx::query_as(
        "SELECT count(*), count(DISTINCT customer) FILTER (WHERE customer <> ''), count(*) FILTER (WHERE customer = ''),
                count(*) FILTER (WHERE recurrence), min(seen_time), max(seen_time)
         FROM problem_feedback WHERE tenant_id = $1 AND holder_id = $2",
    )
    .bind(tenant.key())
    .bind(holder)
    .fetch_one(&mut **tx)
    .await?;
    Ok(Counts {
        feedbacks,
        customers,
        unknown,
        recurrences,
        first_seen: first.map(jiff_sqlx::Timestamp::to_jiff),
        last_seen: last.map(jiff_sqlx::Timestamp::to_jiff),
    })
}

/// The feedbacks of a page and one more.
pub(super) async fn list(
    tx: &mut Transaction,
    tenant: &Tenant,
    holder: Uuid,
    page: &PageRequest,
) -> Result<Vec<Member>, Refusal> {
    let mut query = QueryBuilder::new(
        "SELECT f.feedback_id, c.feedback_name, c.feedback_number,
                CASE WHEN f.customer LIKE 'erased/%' THEN '' ELSE f.customer END AS customer, c.excerpt, f.problem_id, f.source,
                f.author, f.recurrence, f.seen_time, f.create_time
         FROM problem_feedback AS f JOIN classification AS c ON c.tenant_id = f.tenant_id AND c.classification_id = f.feedback_id
         WHERE f.tenant_id = ",
    );
    query.push_bind(tenant.key().to_owned());
    query.push(" AND f.holder_id = ").push_bind(holder);
    page.push(&mut query, "f.feedback_id");
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    rows.into_iter()
        .map(|row| {
            let broken = || Refusal::fault(anyhow::anyhow!("feedback {} came from nowhere", row.feedback_id));
            Ok(Member {
                source: source(row.source).ok_or_else(broken)?,
                feedback: row.feedback_id,
                name: row.feedback_name,
                number: row.feedback_number,
                customer: row.customer,
                excerpt: row.excerpt,
                own: row.problem_id,
                author: row.author,
                recurrence: row.recurrence,
                seen: row.seen_time.to_jiff(),
                create_time: row.create_time.to_jiff(),
            })
        })
        .collect()
}

/// The last feedbacks of a problem: name, number, excerpt.
pub(super) async fn samples(
    tx: &mut Transaction,
    tenant: &Tenant,
    holder: Uuid,
    most: i64,
) -> Result<Vec<(String, String, String)>, Refusal> {
    let samples = sqlx::query_as(
        "SELECT c.feedback_name, c.feedback_number, c.excerpt
         FROM problem_feedback AS f JOIN classification AS c ON c.tenant_id = f.tenant_id AND c.classification_id = f.feedback_id
         WHERE f.tenant_id = $1 AND f.holder_id = $2
         ORDER BY f.seen_time DESC, f.feedback_id DESC LIMIT $3",
    )
    .bind(tenant.key())
    .bind(holder)
    .bind(most)
    .fetch_all(&mut **tx)
    .await?;
    Ok(samples)
}
