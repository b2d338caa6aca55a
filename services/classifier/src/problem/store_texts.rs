//! All SQL of the feedback that may be of a problem: what came, what stands in a group, what it says.

use huiyin_chassis::{Refusal, Tenant, Transaction, sql};
use jiff::Timestamp;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::domain::About;
use crate::{classification::convert::sentiment_number, domain::Sentiment};

/// A feedback, with what was read of it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct Said {
    pub(super) id: Uuid,
    /// Name of the feedback.
    pub(super) name: String,
    pub(super) number: String,
    pub(super) category: String,
    pub(super) product_model: String,
    pub(super) batch: String,
    /// Empty where nobody is known.
    pub(super) customer: String,
    seen_time: jiff_sqlx::Timestamp,
    pub(super) excerpt: String,
    /// Masked; empty where it is no longer kept.
    pub(super) text: String,
    /// True where it belongs to a problem.
    pub(super) in_problem: bool,
}

impl Said {
    /// When it happened, else when it reached us.
    pub(super) fn seen(&self) -> Timestamp {
        self.seen_time.to_jiff()
    }
}

/// The beginning of every question. Praise is no problem: it is asked for only by name.
fn select(tenant: &Tenant) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "SELECT c.classification_id AS id, c.feedback_name AS name, c.feedback_number AS number, c.category, c.product_model, c.batch,
                c.customer, COALESCE(c.occur_time, c.receive_time, c.create_time) AS seen_time, c.excerpt,
                left(COALESCE(s.text, ''), 4000) AS text, -- says what it is about, and tens of thousands of them are read at once
                f.feedback_id IS NOT NULL AS in_problem
         FROM classification AS c
         LEFT JOIN statement AS s ON s.tenant_id = c.tenant_id AND s.classification_id = c.classification_id
         LEFT JOIN problem_feedback AS f ON f.tenant_id = c.tenant_id AND f.feedback_id = c.classification_id
         WHERE c.tenant_id = ",
    );
    query.push_bind(tenant.key().to_owned());
    query
}

fn without_praise(query: &mut QueryBuilder<Postgres>) {
    query
        .push(" AND c.sentiment <> ")
        .push_bind(sentiment_number(Sentiment::Positive));
}

/// What may come to a problem by itself: no praise, and nothing that a person took out of one.
fn free(query: &mut QueryBuilder<Postgres>) {
    without_praise(query);
    query.push(
        " AND NOT EXISTS (SELECT FROM problem_removal AS r WHERE r.tenant_id = c.tenant_id AND r.feedback_id = c.classification_id)",
    );
}

/// These feedbacks, whatever they are.
pub(super) async fn named(tx: &mut Transaction, tenant: &Tenant, ids: &[Uuid]) -> Result<Vec<Said>, Refusal> {
    let mut query = select(tenant);
    query
        .push(" AND c.classification_id = ANY (")
        .push_bind(ids.to_vec())
        .push(")");
    Ok(query.build_query_as().fetch_all(&mut **tx).await?)
}

/// Those of these feedbacks that belong to no problem and are no praise, oldest first.
pub(super) async fn unassigned(tx: &mut Transaction, tenant: &Tenant, ids: &[Uuid]) -> Result<Vec<Said>, Refusal> {
    let mut query = select(tenant);
    query
        .push(" AND c.classification_id = ANY (")
        .push_bind(ids.to_vec())
        .push(") AND f.feedback_id IS NULL");
    free(&mut query);
    query.push(" ORDER BY c.create_time, c.classification_id");
    Ok(query.build_query_as().fetch_all(&mut **tx).await?)
}

/// How many feedbacks of a group belong to no problem, and from how many known customers they are.
pub(super) async fn size_of_group(
    tx: &mut Transaction,
    tenant: &Tenant,
    about: &About,
    since: Timestamp,
) -> Result<(i64, i64), Refusal> {
    let mut query = QueryBuilder::new(
        "SELECT count(*), count(DISTINCT c.customer) FILTER (WHERE c.customer <> '') FROM classification AS c
         WHERE NOT EXISTS (SELECT FROM problem_feedback AS f WHERE f.tenant_id = c.tenant_id AND f.feedback_id = c.classification_id)
           AND c.tenant_id = ",
    );
    query.push_bind(tenant.key().to_owned());
    in_group(&mut query, about, since);
    Ok(query.build_query_as().fetch_one(&mut **tx).await?)
}

/// The feedbacks of a group that belong to no problem, the newest first, so many at most.
pub(super) async fn group(
    tx: &mut Transaction,
    tenant: &Tenant,
    about: &About,
    since: Timestamp,
    most: i64,
) -> Result<Vec<Said>, Refusal> {
    let mut query = select(tenant);
    query.push(" AND f.feedback_id IS NULL");
    in_group(&mut query, about, since);
    query
        .push(" ORDER BY c.create_time DESC, c.classification_id DESC LIMIT ")
        .push_bind(most);
    Ok(query.build_query_as().fetch_all(&mut **tx).await?)
}

fn in_group(query: &mut QueryBuilder<Postgres>, about: &About, since: Timestamp) {
    query.push(" AND c.category = ").push_bind(about.category.clone());
    if about.of_model {
        query
            .push(" AND c.product_model = ")
            .push_bind(about.product_model.clone());
    }
    if about.of_batch {
        query.push(" AND c.batch = ").push_bind(about.batch.clone());
    }
    query.push(" AND c.create_time >= ").push_bind(sql::time(since));
    free(query);
}

/// The feedbacks of a time, praise left out, the newest first, so many at most; of a category and below it, where one is given.
pub(super) async fn of_time(
    tx: &mut Transaction,
    tenant: &Tenant,
    (from, until): (Timestamp, Timestamp),
    category: &str,
    most: i64,
) -> Result<Vec<Said>, Refusal> {
    let mut query = select(tenant);
    query.push(" AND c.create_time >= ").push_bind(sql::time(from));
    query.push(" AND c.create_time < ").push_bind(sql::time(until));
    if !category.is_empty() {
        query.push(" AND (c.category = ").push_bind(category.to_owned());
        query
            .push(" OR starts_with(c.category, ")
            .push_bind(format!("{category}."))
            .push("))");
    }
    without_praise(&mut query);
    query
        .push(" ORDER BY c.create_time DESC, c.classification_id DESC LIMIT ")
        .push_bind(most);
    Ok(query.build_query_as().fetch_all(&mut **tx).await?)
}

/// What the newest feedbacks of a problem's own say, so many at most: the feedback, its customer, its text.
pub(super) async fn own(
    tx: &mut Transaction,
    tenant: &Tenant,
    problem: Uuid,
    most: i64,
) -> Result<Vec<(Uuid, String, String)>, Refusal> {
    let texts = sqlx::query_as(
        "SELECT f.feedback_id, f.customer, s.text
         FROM problem_feedback AS f JOIN statement AS s ON s.tenant_id = f.tenant_id AND s.classification_id = f.feedback_id
         WHERE f.tenant_id = $1 AND f.problem_id = $2
         ORDER BY f.seen_time DESC, f.feedback_id DESC LIMIT $3",
    )
    .bind(tenant.key())
    .bind(problem)
    .bind(most)
    .fetch_all(&mut **tx)
    .await?;
    Ok(texts)
}

/// What the newest feedbacks of all say, so many at most: what a problem's own is held against.
pub(super) async fn newest(tx: &mut Transaction, tenant: &Tenant, most: i64) -> Result<Vec<(Uuid, String)>, Refusal> {
    let texts = sqlx::query_as(
        "SELECT c.classification_id, s.text
         FROM classification AS c JOIN statement AS s ON s.tenant_id = c.tenant_id AND s.classification_id = c.classification_id
         WHERE c.tenant_id = $1 ORDER BY c.create_time DESC, c.classification_id DESC LIMIT $2",
    )
    .bind(tenant.key())
    .bind(most)
    .fetch_all(&mut **tx)
    .await?;
    Ok(texts)
}
