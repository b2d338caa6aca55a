//! The SQL of scores, of votes, and of what a priority model asks of other classifications.

use std::collections::{BTreeMap, HashMap};

use huiyin_chassis::{Refusal, Tenant, Transaction, sql};
use jiff::Timestamp;
use sqlx::{QueryBuilder, types::Json};
use uuid::Uuid;

use super::{
    convert::{impact, sentiment, tier},
    domain::Classification,
    domain_priority::{Decided, Scoring, main_categories},
    domain_review::Vote,
    past::{Past, Window},
};
use crate::{
    domain::{Impact, Label, Priority, Sentiment, Tier},
    priority::{
        domain::{Facts, Given},
        models::Model,
    },
};

#[derive(sqlx::FromRow)]
struct ScoringRow {
    classification_id: Uuid,
    revision: i32,
    author: String,
    reason: String,
    scores: Json<BTreeMap<String, i32>>,
    create_time: jiff_sqlx::Timestamp,
}

#[derive(sqlx::FromRow)]
struct VoteRow {
    classification_id: Uuid,
    round: i32,
    role: String,
    author: String,
    approved: bool,
    reason: String,
    revision: i32,
    create_time: jiff_sqlx::Timestamp,
}

/// Adds the scores and the votes of the current round to classifications that were changed.
pub(super) async fn complete(
    tx: &mut Transaction,
    tenant: &Tenant,
    found: &mut [Classification],
) -> Result<(), Refusal> {
    let changed: Vec<Uuid> = found
        .iter()
        .filter(|found| found.revision > 1)
        .map(|found| found.id)
        .collect();
    if changed.is_empty() {
        return Ok(());
    }
    let mut scorings: HashMap<Uuid, Vec<Scoring>> = HashMap::new();
    let rows: Vec<ScoringRow> = sqlx::query_as(
        "SELECT classification_id, revision, author, reason, scores, create_time FROM priority_scoring
         WHERE tenant_id = $1 AND classification_id = ANY($2)
         ORDER BY revision",
    )
    .bind(tenant.key())
    .bind(&changed)
    .fetch_all(&mut **tx)
    .await?;
    for row in rows {
        scorings.entry(row.classification_id).or_default().push(Scoring {
            revision: row.revision,
            author: row.author,
            reason: row.reason,
            scores: row.scores.0,
            create_time: row.create_time.to_jiff(),
        });
    }
    let mut votes: HashMap<(Uuid, i32), Vec<Vote>> = HashMap::new();
    let rows: Vec<VoteRow> = sqlx::query_as(
        "SELECT classification_id, round, role, author, approved, reason, revision, create_time FROM priority_vote
         WHERE tenant_id = $1 AND classification_id = ANY($2)
         ORDER BY revision",
    )
    .bind(tenant.key())
    .bind(&changed)
    .fetch_all(&mut **tx)
    .await?;
    for row in rows {
        votes.entry((row.classification_id, row.round)).or_default().push(Vote {
            role: row.role,
            author: row.author,
            approved: row.approved,
            reason: row.reason,
            revision: row.revision,
            create_time: row.create_time.to_jiff(),
        });
    }
    for found in found {
        found.scorings = scorings.remove(&found.id).unwrap_or_default();
        if let Some(review) = &mut found.review {
            review.votes = votes.remove(&(found.id, review.round)).unwrap_or_default();
        }
    }
    Ok(())
}

/// Keeps the scores and the vote of this revision.
pub(super) async fn add(tx: &mut Transaction, tenant: &Tenant, found: &Classification) -> Result<(), Refusal> {
    let of_revision = |scoring: &&Scoring| scoring.revision == found.revision;
    if let Some(scoring) = found.scorings.iter().find(of_revision) {
        sqlx::query(
            "INSERT INTO priority_scoring (tenant_id, classification_id, revision, author, reason, scores, create_time)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(tenant.key())
        .bind(found.id)
        .bind(scoring.revision)
        .bind(&scoring.author)
        .bind(&scoring.reason)
        .bind(Json(&scoring.scores))
        .bind(sql::time(scoring.create_time))
        .execute(&mut **tx)
        .await?;
    }
    let Some(review) = &found.review else { return Ok(()) };
    if let Some(vote) = review.votes.iter().find(|vote| vote.revision == found.revision) {
        sqlx::query(
            "INSERT INTO priority_vote (tenant_id, classification_id, round, role, author, approved, reason, revision, create_time)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(tenant.key())
        .bind(found.id)
        .bind(review.round)
        .bind(&vote.role)
        .bind(&vote.author)
        .bind(vote.approved)
        .bind(&vote.reason)
        .bind(vote.revision)
        .bind(sql::time(vote.create_time))
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// So many of the newest cases of a problem are looked at, or so many for each customer that is asked for: a plague must not make each of
/// its cases slower than the one before.
const NEWEST: i64 = 10_000;
const NEWEST_OF_EACH: i64 = 10;

fn newest(most: i32) -> i64 {
    NEWEST.max(NEWEST_OF_EACH * i64::from(most))
}

/// How many customers have the same problem in that time, `most` at most: main category and product model are the same. The one who asks
/// counts.
pub(super) async fn customers(
    tx: &mut Transaction,
    tenant: &Tenant,
    (category, product_model): (&str, &str),
    customer: &str,
    (since, until): (Timestamp, Timestamp),
    most: i32,
) -> Result<i32, Refusal> {
    let customers: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM (
             (SELECT customer FROM classification
              WHERE tenant_id = $1 AND product_model = $2 AND product_model <> '' AND category = $3 AND create_time BETWEEN $4 AND $5
                  AND customer <> ''
              ORDER BY create_time DESC LIMIT $7)
             UNION
             SELECT $6
             LIMIT $8) AS of_them",
    )
    .bind(tenant.key())
    .bind(product_model)
    .bind(category)
    .bind(sql::time(since))
    .bind(sql::time(until))
    .bind(customer)
    .bind(newest(most))
    .bind(i64::from(most))
    .fetch_one(&mut **tx)
    .await?;
    Ok(i32::try_from(customers).unwrap_or(i32::MAX))
}

#[derive(sqlx::FromRow)]
struct PastRow {
    classification_id: Uuid,
    feedback_number: String,
    create_time: jiff_sqlx::Timestamp,
    priority_key: String,
    priority_rank: i32,
    decided: Option<Json<Decided>>,
    set_by_hand: bool,
    scores: Option<Json<BTreeMap<String, i32>>>,
    labels: Json<Vec<Label>>,
    tier: i32,
    impact: i32,
    channel: i32,
    stated_urgency: i32,
    sentiment: i32,
    product_model: String,
    customers: i64,
}

impl From<PastRow> for Past {
    fn from(row: PastRow) -> Self {
        let impact = impact(row.impact).unwrap_or(Impact::Minor);
        let mut facts = match row.decided {
            Some(Json(decided)) => decided.facts,
            // Of before there were models: what was kept of it.
            None => Facts {
                main_categories: main_categories(&row.labels.0),
                categories: row.labels.0.into_iter().map(|label| label.category).collect(),
                tier: tier(row.tier).unwrap_or(Tier::Existing),
                impact,
                impact_words: impact.word().to_owned(),
                channel: row.channel,
                urgency: row.stated_urgency,
                emotion_level: 0,
                sentiment: sentiment(row.sentiment).unwrap_or(Sentiment::Neutral),
                product_model: row.product_model,
                terms: Vec::new(),
                customers: 0,
            },
        };
        if facts.customers == 0 {
            facts.customers = i32::try_from(row.customers).unwrap_or(i32::MAX);
        }
        let given = |(key, score)| {
            let said = "by hand".to_owned();
            (key, Given { score, said })
        };
        Self {
            id: row.classification_id,
            number: row.feedback_number,
            create_time: row.create_time.to_jiff(),
            priority: Priority {
                key: row.priority_key,
                rank: row.priority_rank,
            },
            set_by_hand: row.set_by_hand,
            facts,
            scores: row
                .scores
                .map(|Json(scores)| scores.into_iter().map(given).collect())
                .unwrap_or_default(),
        }
    }
}

/// Classifications of a window, newest first. Where the model asks how many customers have the same problem, they are counted up to the time
/// of each, as they would have been when it came in; those that were counted then stay.
pub(super) async fn past(
    tx: &mut Transaction,
    tenant: &Tenant,
    model: &Model,
    window: &Window,
    wanted: i64,
) -> Result<Vec<Past>, Refusal> {
    let mut query = QueryBuilder::new(
        "SELECT classification_id, feedback_number, create_time, priority_key, priority_rank,
                coalesce(decision, nullif(computed -> 'decided', 'null')) AS decided,
                revision > 1 AND EXISTS (
                    SELECT FROM correction c WHERE c.tenant_id = classification.tenant_id
                        AND c.classification_id = classification.classification_id AND c.priority IS NOT NULL) AS set_by_hand,
                CASE WHEN revision > 1 THEN (
                    SELECT jsonb_object_agg(given.key, given.value ORDER BY s.revision)
                    FROM priority_scoring s, jsonb_each(s.scores) AS given
                    WHERE s.tenant_id = classification.tenant_id
                        AND s.classification_id = classification.classification_id) END AS scores,
                labels, tier, impact, channel, stated_urgency, sentiment, product_model, ",
    );
    if model.most_customers == 0 {
        query.push("0::bigint");
    } else {
        query.push(
            "CASE WHEN product_model <> '' AND customer <> '' THEN (
                 SELECT count(*) FROM (SELECT DISTINCT newest.customer FROM (
                     SELECT o.customer FROM classification o
                     WHERE o.tenant_id = classification.tenant_id AND o.product_model = classification.product_model
                         AND o.product_model <> '' AND o.category = classification.category AND o.customer <> ''
                         AND o.create_time BETWEEN classification.create_time - make_interval(hours => 24 * ",
        );
        query.push_bind(model.content.same_problem_days);
        query.push(") AND classification.create_time ORDER BY o.create_time DESC LIMIT ");
        query.push_bind(newest(model.most_customers));
        query
            .push(") AS newest LIMIT ")
            .push_bind(i64::from(model.most_customers));
        query.push(") AS of_them) ELSE 0 END");
    }
    query.push(" AS customers FROM classification WHERE tenant_id = ");
    query.push_bind(tenant.key().to_owned());
    if let Some(start) = window.start {
        query.push(" AND create_time >= ").push_bind(sql::time(start));
    }
    if let Some(end) = window.end {
        query.push(" AND create_time < ").push_bind(sql::time(end));
    }
    if let Some((time, id)) = window.before {
        query
            .push(" AND (create_time, classification_id) < (")
            .push_bind(sql::time(time));
        query.push(", ").push_bind(id).push(")");
    }
    query
        .push(" ORDER BY create_time DESC, classification_id DESC LIMIT ")
        .push_bind(wanted);
    let rows: Vec<PastRow> = query.build_query_as().fetch_all(&mut **tx).await?;
    Ok(rows.into_iter().map(Past::from).collect())
}
