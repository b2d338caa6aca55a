//! The SQL of reading old feedback anew: which of it, what is kept of its text, and what holds then.

use huiyin_chassis::{Refusal, Tenant, Transaction, sql};
use jiff::Timestamp;
use sqlx::{Postgres, QueryBuilder, types::Json};
use uuid::Uuid;

use super::{
    convert::{impact, impact_number, is_escalated, review_number, sentiment_number},
    domain::Classification,
    domain_anew::LabelVersions,
    store,
};
use crate::domain::Impact;

/// Which classifications.
#[derive(Debug, Clone)]
pub(super) struct Which {
    /// This or below it; empty is no condition.
    pub(super) category: String,
    pub(super) from: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
    /// None that came in after this time: they are read by the version in effect.
    pub(super) begun: Option<Timestamp>,
}

/// What was read of a feedback.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) text: String,
    pub(super) impact: Option<Impact>,
    pub(super) emotion_level: i32,
}

#[derive(sqlx::FromRow)]
struct StatementRow {
    classification_id: Uuid,
    text: String,
    stated_impact: i32,
    emotion_level: i32,
}

fn narrow(query: &mut QueryBuilder<Postgres>, which: &Which) {
    if !which.category.is_empty() {
        // Keys hold `_`, which LIKE would take for any character.
        query
            .push(" AND (category = ")
            .push_bind(which.category.clone())
            .push(" OR starts_with(category, ")
            .push_bind(format!("{}.", which.category))
            .push("))");
    }
    if let Some(from) = which.from {
        query.push(" AND create_time >= ").push_bind(sql::time(from));
    }
    if let Some(until) = which.until {
        query.push(" AND create_time < ").push_bind(sql::time(until));
    }
    if let Some(begun) = which.begun {
        query.push(" AND create_time <= ").push_bind(sql::time(begun));
    }
}

/// How many there are.
pub(super) async fn count(tx: &mut Transaction, tenant: &Tenant, which: &Which) -> Result<i64, Refusal> {
    let mut query = QueryBuilder::new("SELECT count(*) FROM classification WHERE tenant_id = ");
    query.push_bind(tenant.key().to_owned());
    narrow(&mut query, which);
    Ok(query.build_query_scalar().fetch_one(&mut **tx).await?)
}

/// The next ones behind an id, in the order of their ids, held until the transaction ends; each with what was read of it.
pub(super) async fn next(
    tx: &mut Transaction,
    tenant: &Tenant,
    which: &Which,
    after: Uuid,
    at_most: i64,
) -> Result<Vec<(Classification, Option<Kept>)>, Refusal> {
    let mut query = store::select(tenant);
    query.push(" AND classification_id > ").push_bind(after);
    narrow(&mut query, which);
    query
        .push(" ORDER BY classification_id LIMIT ")
        .push_bind(at_most)
        .push(" FOR UPDATE");
    let found = store::fetch(tx, tenant, query).await?;
    let ids: Vec<Uuid> = found.iter().map(|found| found.id).collect();
    let rows: Vec<StatementRow> = sqlx::query_as(
        "SELECT classification_id, text, stated_impact, emotion_level
         FROM statement WHERE tenant_id = $1 AND classification_id = ANY($2)",
    )
    .bind(tenant.key())
    .bind(&ids)
    .fetch_all(&mut **tx)
    .await?;
    let mut kept: std::collections::HashMap<Uuid, Kept> = rows
        .into_iter()
        .map(|row| {
            let kept = Kept {
                text: row.text,
                impact: impact(row.stated_impact),
                emotion_level: row.emotion_level,
            };
            (row.classification_id, kept)
        })
        .collect();
    Ok(found
        .into_iter()
        .map(|found| {
            let kept = kept.remove(&found.id);
            (found, kept)
        })
        .collect())
}

/// What still holds, holds by this version from now on: nothing of it changed, so it is no revision.
pub(super) async fn confirm(
    tx: &mut Transaction,
    tenant: &Tenant,
    version: i32,
    same: &[(Uuid, LabelVersions)],
) -> Result<(), Refusal> {
    if same.is_empty() {
        return Ok(());
    }
    let (ids, labels): (Vec<Uuid>, Vec<Json<&LabelVersions>>) =
        same.iter().map(|(id, labels)| (*id, Json(labels))).unzip();
    sqlx::query(
        "UPDATE classification AS c SET taxonomy_version = $2, label_versions = same.labels
         FROM unnest($3::uuid[], $4::jsonb[]) AS same (id, labels)
         WHERE c.tenant_id = $1 AND c.classification_id = same.id",
    )
    .bind(tenant.key())
    .bind(version)
    .bind(ids)
    .bind(labels)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Writes what holds after a reading anew; what people changed stays where it is.
pub(super) async fn replace(tx: &mut Transaction, tenant: &Tenant, next: &Classification) -> Result<(), Refusal> {
    sqlx::query(
        "UPDATE classification
         SET revision = $3, taxonomy_version = $4, category = $5, labels = $6, sentiment = $7, sentiment_score = $8, impact = $9,
             priority_key = $10, priority_rank = $11, basis = $12, skills = $13, department = $14, excerpt = $15, computed = $16,
             update_time = $17, decision = $18, priority_model_version = $19, review = $20, review_state = $21,
             review_escalated = $22, category_read_revision = $23, label_versions = $24
         WHERE tenant_id = $1 AND classification_id = $2",
    )
    .bind(tenant.key())
    .bind(next.id)
    .bind(next.revision)
    .bind(next.taxonomy_version)
    .bind(&next.category)
    .bind(Json(&next.labels))
    .bind(sentiment_number(next.sentiment))
    .bind(next.sentiment_score)
    .bind(impact_number(next.impact))
    .bind(&next.priority.key)
    .bind(next.priority.rank)
    .bind(&next.basis)
    .bind(&next.skills)
    .bind(&next.department)
    .bind(&next.excerpt)
    .bind(Json(&next.computed))
    .bind(sql::time(next.update_time))
    .bind(next.decided.as_ref().map(Json))
    .bind(next.decided.as_ref().map_or(0, |decided| decided.decision.model_version))
    .bind(next.review.as_ref().map(Json))
    .bind(review_number(next.review.as_ref()))
    .bind(is_escalated(next.review.as_ref()))
    .bind(next.category_read_revision)
    .bind(Json(&next.label_versions))
    .execute(&mut **tx)
    .await?;
    Ok(())
}
