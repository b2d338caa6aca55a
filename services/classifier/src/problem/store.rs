//! All SQL of problems, their transitions, numbers, and the policy.

use huiyin_chassis::{Refusal, Tenant, Transaction, listing::PageRequest, sql};
use jiff::Timestamp;
use sqlx::{Postgres, QueryBuilder, types::Json};
use uuid::Uuid;

use super::{
    convert::{origin, origin_number, state, state_number},
    domain::{About, Counts, Fix, Problem, Term, Transition},
    domain_policy::{Kept, Policy},
};

#[derive(sqlx::FromRow)]
struct Row {
    problem_id: Uuid,
    number: String,
    title: String,
    title_given: bool,
    description: String,
    category: String,
    product_model: String,
    batch: String,
    of_model: bool,
    of_batch: bool,
    state: i32,
    origin: i32,
    whole_group: bool,
    terms: Json<Vec<Term>>,
    merged_into: Option<Uuid>,
    state_before_merge: i32,
    rejected_count: i64,
    fix_version: String,
    fix_time: Option<jiff_sqlx::Timestamp>,
    feedback_count: i64,
    customer_count: i64,
    unknown_customer_count: i64,
    recurrence_count: i64,
    first_seen_time: Option<jiff_sqlx::Timestamp>,
    last_seen_time: Option<jiff_sqlx::Timestamp>,
    revision: i32,
    author: String,
    create_time: jiff_sqlx::Timestamp,
    update_time: jiff_sqlx::Timestamp,
}

impl TryFrom<Row> for Problem {
    type Error = Refusal;

    fn try_from(row: Row) -> Result<Self, Refusal> {
        let broken = || Refusal::fault(anyhow::anyhow!("problem {} holds no value of an enum", row.problem_id));
        Ok(Self {
            state: state(row.state).ok_or_else(broken)?,
            origin: origin(row.origin).ok_or_else(broken)?,
            id: row.problem_id,
            number: row.number,
            title: row.title,
            title_given: row.title_given,
            description: row.description,
            about: About {
                category: row.category,
                product_model: row.product_model,
                batch: row.batch,
                of_model: row.of_model,
                of_batch: row.of_batch,
            },
            whole_group: row.whole_group,
            terms: row.terms.0,
            merged_into: row.merged_into,
            before_merge: state(row.state_before_merge),
            rejected_count: row.rejected_count,
            fix: row.fix_time.map(|time| Fix {
                version: row.fix_version,
                time: time.to_jiff(),
            }),
            counts: Counts {
                feedbacks: row.feedback_count,
                customers: row.customer_count,
                unknown: row.unknown_customer_count,
                recurrences: row.recurrence_count,
                first_seen: row.first_seen_time.map(jiff_sqlx::Timestamp::to_jiff),
                last_seen: row.last_seen_time.map(jiff_sqlx::Timestamp::to_jiff),
            },
            revision: row.revision,
            author: row.author,
            create_time: row.create_time.to_jiff(),
            update_time: row.update_time.to_jiff(),
        })
    }
}

#[derive(sqlx::FromRow)]
struct TransitionRow {
    revision: i32,
    from_state: i32,
    to_state: i32,
    reason: String,
    actor: String,
    create_time: jiff_sqlx::Timestamp,
}

/// Holds all problems of the tenant until the transaction ends: whoever changes one, or what belongs to it, does this first.
///
/// Those who change problems are few, and what they do concerns several problems at once. Whoever only classifies does not wait here.
pub(super) async fn hold(tx: &mut Transaction, tenant: &Tenant) -> Result<(), Refusal> {
    tx.hold(&format!("problem/{}", tenant.key())).await
}

/// The beginning of every question: all columns of a tenant's problems.
fn select(tenant: &Tenant) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "SELECT problem_id, number, title, title_given, description, category, product_model, batch, of_model, of_batch, state, origin,
                whole_group, terms, merged_into, state_before_merge, rejected_count, fix_version, fix_time, feedback_count,
                customer_count, unknown_customer_count, recurrence_count, first_seen_time, last_seen_time, revision, author,
                create_time, update_time
         FROM problem WHERE tenant_id = ",
    );
    query.push_bind(tenant.key().to_owned());
    query
}

async fn fetch(tx: &mut Transaction, mut query: QueryBuilder<Postgres>) -> Result<Vec<Problem>, Refusal> {
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    rows.into_iter().map(Problem::try_from).collect()
}

/// A problem.
pub(super) async fn find(tx: &mut Transaction, tenant: &Tenant, id: Uuid) -> Result<Option<Problem>, Refusal> {
    Ok(find_all(tx, tenant, &[id]).await?.pop())
}

/// Those of these ids that there are.
pub(super) async fn find_all(tx: &mut Transaction, tenant: &Tenant, ids: &[Uuid]) -> Result<Vec<Problem>, Refusal> {
    let mut query = select(tenant);
    query.push(" AND problem_id = ANY (").push_bind(ids.to_vec()).push(")");
    fetch(tx, query).await
}

/// The problems of some categories, and those of any, oldest first: what feedback of these may fit.
pub(super) async fn of_categories(
    tx: &mut Transaction,
    tenant: &Tenant,
    mut categories: Vec<String>,
) -> Result<Vec<Problem>, Refusal> {
    categories.push(String::new());
    let mut query = select(tenant);
    query
        .push(" AND category = ANY (")
        .push_bind(categories)
        .push(") ORDER BY create_time, problem_id");
    fetch(tx, query).await
}

/// The problems with one of these terms.
pub(super) async fn with_terms(
    tx: &mut Transaction,
    tenant: &Tenant,
    terms: &[String],
) -> Result<Vec<Problem>, Refusal> {
    let mut query = select(tenant);
    query
        .push(" AND EXISTS (SELECT FROM jsonb_array_elements(terms) AS own WHERE own ->> 'term' = ANY (")
        .push_bind(terms.to_vec())
        .push("))");
    fetch(tx, query).await
}

/// The problem for which the feedbacks of another count: itself, or what it was merged into in the end.
pub(super) async fn holder(tx: &mut Transaction, tenant: &Tenant, problem: &Problem) -> Result<Uuid, Refusal> {
    let mut holder = problem.id;
    let mut into = problem.merged_into;
    while let Some(next) = into {
        holder = next;
        into = sqlx::query_scalar("SELECT merged_into FROM problem WHERE tenant_id = $1 AND problem_id = $2")
            .bind(tenant.key())
            .bind(next)
            .fetch_one(&mut **tx)
            .await?;
    }
    Ok(holder)
}

/// The problems of a page and one more.
pub(super) async fn list(tx: &mut Transaction, tenant: &Tenant, page: &PageRequest) -> Result<Vec<Problem>, Refusal> {
    let mut query = select(tenant);
    page.push(&mut query, "problem_id");
    fetch(tx, query).await
}

/// Keeps a problem, new or changed.
pub(super) async fn put(tx: &mut Transaction, tenant: &Tenant, problem: &Problem) -> Result<(), Refusal> {
    let Problem { about, counts, .. } = problem;
    sqlx::query(
        "INSERT INTO problem (tenant_id, problem_id, number, title, title_given, description, category, product_model, batch, of_model,
             of_batch, state, origin, whole_group, terms, merged_into, state_before_merge, rejected_count, fix_version, fix_time,
             feedback_count, customer_count, unknown_customer_count, recurrence_count, first_seen_time, last_seen_time, revision,
             author, create_time, update_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,
             $26, $27, $28, $29, $30)
         ON CONFLICT (tenant_id, problem_id) DO UPDATE
         SET title = EXCLUDED.title, title_given = EXCLUDED.title_given, description = EXCLUDED.description,
             category = EXCLUDED.category, product_model = EXCLUDED.product_model, batch = EXCLUDED.batch,
             of_model = EXCLUDED.of_model, of_batch = EXCLUDED.of_batch, state = EXCLUDED.state, whole_group = EXCLUDED.whole_group,
             terms = EXCLUDED.terms, merged_into = EXCLUDED.merged_into, state_before_merge = EXCLUDED.state_before_merge,
             rejected_count = EXCLUDED.rejected_count, fix_version = EXCLUDED.fix_version, fix_time = EXCLUDED.fix_time,
             feedback_count = EXCLUDED.feedback_count, customer_count = EXCLUDED.customer_count,
             unknown_customer_count = EXCLUDED.unknown_customer_count, recurrence_count = EXCLUDED.recurrence_count,
             first_seen_time = EXCLUDED.first_seen_time, last_seen_time = EXCLUDED.last_seen_time, revision = EXCLUDED.revision,
             update_time = EXCLUDED.update_time",
    )
    .bind(tenant.key())
    .bind(problem.id)
    .bind(&problem.number)
    .bind(&problem.title)
    .bind(problem.title_given)
    .bind(&problem.description)
    .bind(&about.category)
    .bind(&about.product_model)
    .bind(&about.batch)
    .bind(about.of_model)
    .bind(about.of_batch)
    .bind(state_number(problem.state))
    .bind(origin_number(problem.origin))
    .bind(problem.whole_group)
    .bind(Json(&problem.terms))
    .bind(problem.merged_into)
    .bind(problem.before_merge.map_or(0, state_number))
    .bind(problem.rejected_count)
    .bind(problem.fix.as_ref().map_or("", |fix| &fix.version))
    .bind(sql::time_opt(problem.fix.as_ref().map(|fix| fix.time)))
    .bind(counts.feedbacks)
    .bind(counts.customers)
    .bind(counts.unknown)
    .bind(counts.recurrences)
    .bind(sql::time_opt(counts.first_seen))
    .bind(sql::time_opt(counts.last_seen))
    .bind(problem.revision)
    .bind(&problem.author)
    .bind(sql::time(problem.create_time))
    .bind(sql::time(problem.update_time))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Adds a move from state to state.
pub(super) async fn add_transition(
    tx: &mut Transaction,
    tenant: &Tenant,
    problem: Uuid,
    moved: &Transition,
) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO problem_transition (tenant_id, problem_id, revision, from_state, to_state, reason, actor, create_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(tenant.key())
    .bind(problem)
    .bind(moved.revision)
    .bind(moved.from.map_or(0, state_number))
    .bind(state_number(moved.to))
    .bind(&moved.reason)
    .bind(&moved.actor)
    .bind(sql::time(moved.create_time))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// All moves of a problem, oldest first.
pub(super) async fn transitions(
    tx: &mut Transaction,
    tenant: &Tenant,
    problem: Uuid,
) -> Result<Vec<Transition>, Refusal> {
    let rows: Vec<TransitionRow> = sqlx::query_as(
        "SELECT revision, from_state, to_state, reason, actor, create_time FROM problem_transition
         WHERE tenant_id = $1 AND problem_id = $2 ORDER BY revision",
    )
    .bind(tenant.key())
    .bind(problem)
    .fetch_all(&mut **tx)
    .await?;
    let read = rows.into_iter().map(|row| {
        Ok(Transition {
            revision: row.revision,
            from: state(row.from_state),
            to: state(row.to_state)
                .ok_or_else(|| Refusal::fault(anyhow::anyhow!("a transition of problem {problem} leads nowhere")))?,
            reason: row.reason,
            actor: row.actor,
            create_time: row.create_time.to_jiff(),
        })
    });
    read.collect()
}

/// The next sequence number of a day; whoever asks holds the tenant's problems.
pub(super) async fn next_number(tx: &mut Transaction, tenant: &Tenant, day: i32) -> Result<i64, Refusal> {
    let last = sqlx::query_scalar(
        "INSERT INTO problem_counter (tenant_id, day, last) VALUES ($1, $2, 1)
         ON CONFLICT (tenant_id, day) DO UPDATE SET last = problem_counter.last + 1
         RETURNING last",
    )
    .bind(tenant.key())
    .bind(day)
    .fetch_one(&mut **tx)
    .await?;
    Ok(last)
}

/// The policy of a tenant; the built-in one where it made none.
pub(super) async fn policy(tx: &mut Transaction, tenant: &Tenant) -> Result<Kept, Refusal> {
    let row: Option<(Json<Policy>, i32, String, jiff_sqlx::Timestamp)> =
        sqlx::query_as("SELECT content, revision, author, update_time FROM problem_policy WHERE tenant_id = $1")
            .bind(tenant.key())
            .fetch_optional(&mut **tx)
            .await?;
    Ok(row.map_or_else(
        || Kept {
            policy: Policy::default(),
            revision: 0,
            author: crate::domain::SYSTEM.to_owned(),
            update_time: None,
        },
        |(policy, revision, author, time)| Kept {
            policy: policy.0,
            revision,
            author,
            update_time: Some(time.to_jiff()),
        },
    ))
}

/// Keeps a policy.
pub(super) async fn put_policy(
    tx: &mut Transaction,
    tenant: &Tenant,
    kept: &Kept,
    now: Timestamp,
) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO problem_policy (tenant_id, content, revision, author, update_time) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant_id) DO UPDATE
         SET content = EXCLUDED.content, revision = EXCLUDED.revision, author = EXCLUDED.author, update_time = EXCLUDED.update_time",
    )
    .bind(tenant.key())
    .bind(Json(&kept.policy))
    .bind(kept.revision)
    .bind(&kept.author)
    .bind(sql::time(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}
