//! All SQL of classifications and their corrections.

use std::collections::BTreeMap;

use huiyin_chassis::{Refusal, Tenant, Transaction, listing::PageRequest, sql};
use sqlx::{Postgres, QueryBuilder, types::Json};
use uuid::Uuid;

use super::{
    convert::{impact, impact_number, is_escalated, review_number, sentiment, sentiment_number, tier, tier_number},
    domain::{Classification, Correction},
    domain_priority::{Computed, Decided},
    domain_review::Review,
    store_priority,
};
use crate::{
    domain::{Feedback, Label, Priority, Tier},
    reading::verdict::Statement,
};

#[derive(sqlx::FromRow)]
struct Row {
    classification_id: Uuid,
    feedback_name: String,
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
    traceparent: String,
    stated_urgency: i32,
    revision: i32,
    taxonomy_version: i32,
    category_read_revision: i32,
    label_versions: Json<BTreeMap<String, i32>>,
    category: String,
    labels: Json<Vec<Label>>,
    sentiment: i32,
    sentiment_score: f64,
    impact: i32,
    priority_key: String,
    priority_rank: i32,
    basis: String,
    skills: Vec<String>,
    department: String,
    excerpt: String,
    computed: Json<Computed>,
    decision: Option<Json<Decided>>,
    review: Option<Json<Review>>,
    create_time: jiff_sqlx::Timestamp,
    update_time: jiff_sqlx::Timestamp,
}

#[derive(sqlx::FromRow)]
struct CorrectionRow {
    classification_id: Uuid,
    revision: i32,
    author: String,
    reason: String,
    category: Option<String>,
    labels: Json<Vec<(String, String)>>,
    priority: Option<String>,
    sentiment: Option<i32>,
    impact: Option<i32>,
    create_time: jiff_sqlx::Timestamp,
}

fn broken(column: &str, id: Uuid) -> Refusal {
    Refusal::fault(anyhow::anyhow!(
        "classification {id}: column {column} holds no value of its enum"
    ))
}

impl TryFrom<Row> for Classification {
    type Error = Refusal;

    fn try_from(row: Row) -> Result<Self, Refusal> {
        let id = row.classification_id;
        Ok(Self {
            id,
            feedback: Feedback {
                name: row.feedback_name,
                number: row.feedback_number,
                channel: row.channel,
                customer: row.customer,
                tier: tier(row.tier).unwrap_or(Tier::Existing),
                tier_said: tier(row.tier).is_some(),
                product_model: row.product_model,
                batch: row.batch,
                occur_time: row.occur_time.map(jiff_sqlx::Timestamp::to_jiff),
                receive_time: row.receive_time.map(jiff_sqlx::Timestamp::to_jiff),
                language: row.language,
                reachable: row.reachable,
                traceparent: row.traceparent,
            },
            stated_urgency: row.stated_urgency,
            revision: row.revision,
            taxonomy_version: row.taxonomy_version,
            category_read_revision: row.category_read_revision,
            label_versions: row.label_versions.0,
            category: row.category,
            labels: row.labels.0,
            sentiment: sentiment(row.sentiment).ok_or_else(|| broken("sentiment", id))?,
            sentiment_score: row.sentiment_score,
            impact: impact(row.impact).ok_or_else(|| broken("impact", id))?,
            priority: Priority {
                key: row.priority_key,
                rank: row.priority_rank,
            },
            basis: row.basis,
            skills: row.skills,
            department: row.department,
            excerpt: row.excerpt,
            decided: row
                .decision
                .map_or_else(|| row.computed.decided.clone(), |Json(decided)| Some(decided)),
            computed: row.computed.0,
            review: row.review.map(|Json(review)| review),
            corrections: Vec::new(),
            scorings: Vec::new(),
            create_time: row.create_time.to_jiff(),
            update_time: row.update_time.to_jiff(),
        })
    }
}

impl From<CorrectionRow> for Correction {
    fn from(row: CorrectionRow) -> Self {
        Self {
            revision: row.revision,
            author: row.author,
            reason: row.reason,
            category: row.category,
            labels: row.labels.0,
            priority: row.priority,
            sentiment: row.sentiment.and_then(sentiment),
            impact: row.impact.and_then(impact),
            create_time: row.create_time.to_jiff(),
        }
    }
}

/// The beginning of every question: all columns of a tenant's classifications.
pub(super) fn select(tenant: &Tenant) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "SELECT classification_id, feedback_name, feedback_number, channel, customer, tier, product_model, batch, occur_time,
                receive_time, language, reachable, stated_urgency, revision, taxonomy_version, category, labels, sentiment,
                sentiment_score, impact, priority_key, priority_rank, basis, skills, department, excerpt, computed, decision, review,
                create_time, update_time, category_read_revision, label_versions, traceparent
         FROM classification WHERE tenant_id = ",
    );
    query.push_bind(tenant.key().to_owned());
    query
}

/// A classification with its corrections.
pub(super) async fn find(tx: &mut Transaction, tenant: &Tenant, id: Uuid) -> Result<Option<Classification>, Refusal> {
    let mut query = select(tenant);
    query.push(" AND classification_id = ").push_bind(id);
    one(tx, tenant, query).await
}

/// The same, held until the transaction ends.
pub(super) async fn lock(tx: &mut Transaction, tenant: &Tenant, id: Uuid) -> Result<Option<Classification>, Refusal> {
    let mut query = select(tenant);
    query
        .push(" AND classification_id = ")
        .push_bind(id)
        .push(" FOR UPDATE");
    one(tx, tenant, query).await
}

async fn one(
    tx: &mut Transaction,
    tenant: &Tenant,
    query: QueryBuilder<Postgres>,
) -> Result<Option<Classification>, Refusal> {
    Ok(fetch(tx, tenant, query).await?.pop())
}

/// What a question that begins with [`select`] finds, with its corrections.
pub(super) async fn fetch(
    tx: &mut Transaction,
    tenant: &Tenant,
    mut query: QueryBuilder<Postgres>,
) -> Result<Vec<Classification>, Refusal> {
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    let mut found = rows
        .into_iter()
        .map(Classification::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    with_corrections(tx, tenant, &mut found).await?;
    Ok(found)
}

/// The classifications of a page and one more, with their corrections.
pub(super) async fn list(
    tx: &mut Transaction,
    tenant: &Tenant,
    page: &PageRequest,
) -> Result<Vec<Classification>, Refusal> {
    let mut query = select(tenant);
    page.push(&mut query, "classification_id");
    fetch(tx, tenant, query).await
}

async fn with_corrections(tx: &mut Transaction, tenant: &Tenant, found: &mut [Classification]) -> Result<(), Refusal> {
    let corrected: Vec<Uuid> = found
        .iter()
        .filter(|found| found.revision > 1)
        .map(|found| found.id)
        .collect();
    if corrected.is_empty() {
        return Ok(());
    }
    let rows: Vec<CorrectionRow> = sqlx::query_as(
        "SELECT classification_id, revision, author, reason, category, labels, priority, sentiment, impact, create_time
         FROM correction WHERE tenant_id = $1 AND classification_id = ANY($2)
         ORDER BY revision",
    )
    .bind(tenant.key())
    .bind(&corrected)
    .fetch_all(&mut **tx)
    .await?;
    for row in rows {
        if let Some(found) = found.iter_mut().find(|found| found.id == row.classification_id) {
            found.corrections.push(row.into());
        }
    }
    store_priority::complete(tx, tenant, found).await
}

/// Keeps a first classification with what was read; false where the feedback has one already.
pub(super) async fn insert(
    tx: &mut Transaction,
    tenant: &Tenant,
    new: &Classification,
    statement: &Statement<'_>,
) -> Result<bool, Refusal> {
    let inserted = sqlx::query(
        "WITH kept AS (
         INSERT INTO classification (tenant_id, classification_id, feedback_name, feedback_number, channel, customer, tier, product_model,
             batch, occur_time, receive_time, language, reachable, stated_urgency, revision, taxonomy_version, category, labels, sentiment,
             sentiment_score, impact, priority_key, priority_rank, basis, skills, department, excerpt, computed, create_time, update_time,
             priority_model_version, review, review_state, traceparent)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26,
             $27, $28, $29, $30, $31, $32, $33, $34)
         ON CONFLICT (tenant_id, classification_id) DO NOTHING
         RETURNING tenant_id, classification_id)
         INSERT INTO statement (tenant_id, classification_id, text, stated_impact, emotion_level)
         SELECT tenant_id, classification_id, $35, $36, $37 FROM kept",
    )
    .bind(tenant.key())
    .bind(new.id)
    .bind(&new.feedback.name)
    .bind(&new.feedback.number)
    .bind(new.feedback.channel)
    .bind(&new.feedback.customer)
    .bind(if new.feedback.tier_said { tier_number(new.feedback.tier) } else { 0 })
    .bind(&new.feedback.product_model)
    .bind(&new.feedback.batch)
    .bind(sql::time_opt(new.feedback.occur_time))
    .bind(sql::time_opt(new.feedback.receive_time))
    .bind(&new.feedback.language)
    .bind(new.feedback.reachable)
    .bind(new.stated_urgency)
    .bind(new.revision)
    .bind(new.taxonomy_version)
    .bind(&new.category)
    .bind(Json(&new.labels))
    .bind(sentiment_number(new.sentiment))
    .bind(new.sentiment_score)
    .bind(impact_number(new.impact))
    .bind(&new.priority.key)
    .bind(new.priority.rank)
    .bind(&new.basis)
    .bind(&new.skills)
    .bind(&new.department)
    .bind(&new.excerpt)
    .bind(Json(&new.computed))
    .bind(sql::time(new.create_time))
    .bind(sql::time(new.update_time))
    .bind(new.decided.as_ref().map_or(0, |decided| decided.decision.model_version))
    .bind(new.review.as_ref().map(Json))
    .bind(review_number(new.review.as_ref()))
    .bind(&new.feedback.traceparent)
    .bind(statement.text)
    .bind(statement.impact.map_or(0, impact_number))
    .bind(statement.emotion_level)
    .execute(&mut **tx)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Writes what holds after a change, and the change: a correction, scores, a vote.
pub(super) async fn correct(tx: &mut Transaction, tenant: &Tenant, corrected: &Classification) -> Result<(), Refusal> {
    sqlx::query(
        "UPDATE classification
         SET revision = $3, taxonomy_version = $4, category = $5, labels = $6, sentiment = $7, impact = $8, priority_key = $9,
             priority_rank = $10, basis = $11, skills = $12, department = $13, update_time = $14, decision = $15,
             priority_model_version = $16, review = $17, review_state = $18, review_escalated = $19, label_versions = $20
         WHERE tenant_id = $1 AND classification_id = $2",
    )
    .bind(tenant.key())
    .bind(corrected.id)
    .bind(corrected.revision)
    .bind(corrected.taxonomy_version)
    .bind(&corrected.category)
    .bind(Json(&corrected.labels))
    .bind(sentiment_number(corrected.sentiment))
    .bind(impact_number(corrected.impact))
    .bind(&corrected.priority.key)
    .bind(corrected.priority.rank)
    .bind(&corrected.basis)
    .bind(&corrected.skills)
    .bind(&corrected.department)
    .bind(sql::time(corrected.update_time))
    .bind(corrected.decided.as_ref().map(Json))
    .bind(corrected.decided.as_ref().map_or(0, |decided| decided.decision.model_version))
    .bind(corrected.review.as_ref().map(Json))
    .bind(review_number(corrected.review.as_ref()))
    .bind(is_escalated(corrected.review.as_ref()))
    .bind(Json(&corrected.label_versions))
    .execute(&mut **tx)
    .await?;
    for correction in corrected
        .corrections
        .iter()
        .filter(|correction| correction.revision == corrected.revision)
    {
        sqlx::query(
            "INSERT INTO correction (tenant_id, classification_id, revision, author, reason, category, priority, sentiment, impact,
                 create_time, labels)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(tenant.key())
        .bind(corrected.id)
        .bind(correction.revision)
        .bind(&correction.author)
        .bind(&correction.reason)
        .bind(&correction.category)
        .bind(&correction.priority)
        .bind(correction.sentiment.map(sentiment_number))
        .bind(correction.impact.map(impact_number))
        .bind(sql::time(correction.create_time))
        .bind(Json(&correction.labels))
        .execute(&mut **tx)
        .await?;
    }
    store_priority::add(tx, tenant, corrected).await
}
