//! All SQL of finding articles.

use std::collections::{BTreeMap, HashMap};

use huiyin_chassis::{Refusal, Tenant, Transaction};
use uuid::Uuid;

use super::{
    convert::audience_number,
    domain::{Article, RANKING, Sees, Wanted},
    store::{self, Body},
};

/// Keeps what a version is found by.
pub(super) async fn keep(
    tx: &mut Transaction,
    tenant: &Tenant,
    (id, version): (Uuid, i32),
    weights: BTreeMap<String, f32>,
) -> Result<(), Refusal> {
    let (terms, weights): (Vec<String>, Vec<f32>) = weights.into_iter().unzip();
    sqlx::query(
        "INSERT INTO article_term (tenant_id, term, article_id, version, weight)
         SELECT $1, new.term, $2, $3, new.weight FROM unnest($4::text[], $5::real[]) AS new (term, weight)",
    )
    .bind(tenant.key())
    .bind(id)
    .bind(version)
    .bind(terms)
    .bind(weights)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Forgets what a version was found by.
pub(super) async fn forget(tx: &mut Transaction, tenant: &Tenant, id: Uuid, version: i32) -> Result<(), Refusal> {
    sqlx::query("DELETE FROM article_term WHERE tenant_id = $1 AND article_id = $2 AND version = $3")
        .bind(tenant.key())
        .bind(id)
        .bind(version)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The articles that fit best, with their scores, the best first.
pub(super) async fn find(
    tx: &mut Transaction,
    tenant: &Tenant,
    wanted: &Wanted,
) -> Result<Vec<(Article, f64)>, Refusal> {
    let (lows, highs): (Vec<&str>, Vec<&str>) = wanted
        .asked
        .iter()
        .map(|asked| (asked.low.as_str(), asked.high.as_str()))
        .unzip();
    let ranked: Vec<(Uuid, i32, f64)> = sqlx::query_as(
        // Only what is leakproof may use an index under row-level security: comparing texts is, `@@` is not (ADR 7). The inner question
        // is aggregated, so that it stays one question for each term.
        "WITH hit AS (
             SELECT asked.low, found.article_id, found.version, found.weight
             FROM unnest($2::text[], $3::text[]) AS asked (low, high)
             CROSS JOIN LATERAL (
                 SELECT t.article_id, t.version, max(CASE WHEN t.term = asked.low THEN t.weight ELSE t.weight / 2 END) AS weight
                 FROM article_term AS t
                 WHERE t.tenant_id = $1 AND t.term >= asked.low AND t.term < asked.high
                 GROUP BY t.article_id, t.version
             ) AS found
         ), rare AS (
             SELECT low, ln(1 + (SELECT count(*) FROM article_version WHERE tenant_id = $1 AND state = 2)::float8 / count(*)) AS rarity
             FROM hit GROUP BY low
         ), text AS (
             SELECT hit.article_id, hit.version, sum(hit.weight * rare.rarity) AS score
             FROM hit JOIN rare USING (low) GROUP BY hit.article_id, hit.version
         ), candidate AS (
             SELECT v.article_id, v.version, COALESCE(text.score / max(text.score) OVER (), 0) AS share,
                    EXISTS (
                        SELECT FROM unnest(v.categories) AS its, unnest($4::text[]) AS wanted
                        WHERE its = wanted OR starts_with(wanted, its || '.') OR starts_with(its, wanted || '.')
                    ) AS of_category,
                    CASE WHEN $5 = '' OR v.product_keys = '{}' THEN 1 WHEN $5 = ANY (v.product_keys) THEN $6 ELSE $7 END AS product,
                    $8 + (2 - 2 * $8) * (v.helped + 1) / (v.helped + v.not_helped + 2) AS helped
             FROM article_version AS v LEFT JOIN text ON text.article_id = v.article_id AND text.version = v.version
             WHERE v.tenant_id = $1 AND v.state = 2 AND ($9 = '' OR v.locale = $9 OR starts_with(v.locale, $9 || '-'))
               AND (NOT $10 OR v.audience = $11)
         ), ranked AS (
             SELECT DISTINCT ON (article_id) article_id, version,
                    (share + CASE WHEN of_category THEN $12 ELSE 0 END) * product * helped AS score
             FROM candidate
             WHERE share >= $13 OR ($14 AND of_category AND product >= 1)
             ORDER BY article_id, score DESC, version DESC
         )
         SELECT article_id, version, score FROM ranked ORDER BY score DESC, article_id LIMIT $15",
    )
    .bind(tenant.key())
    .bind(lows)
    .bind(highs)
    .bind(&wanted.categories)
    .bind(&wanted.product_key)
    .bind(RANKING.product)
    .bind(RANKING.other_product)
    .bind(RANKING.never_helped)
    .bind(&wanted.locale)
    .bind(wanted.sees == Sees::ForCustomers)
    .bind(audience_number(true))
    .bind(RANKING.category)
    .bind(RANKING.least_share)
    .bind(wanted.by_category)
    .bind(wanted.at_most)
    .fetch_all(&mut **tx)
    .await?;
    whole(tx, tenant, ranked).await
}

/// The articles of a ranking, in its order.
async fn whole(
    tx: &mut Transaction,
    tenant: &Tenant,
    ranked: Vec<(Uuid, i32, f64)>,
) -> Result<Vec<(Article, f64)>, Refusal> {
    let (ids, versions): (Vec<Uuid>, Vec<i32>) = ranked.iter().map(|(id, version, _)| (*id, *version)).unzip();
    let mut query = store::select(tenant, Body::Whole);
    query
        .push(" AND (article_id, version) IN (SELECT * FROM unnest(")
        .push_bind(ids);
    query.push("::uuid[], ").push_bind(versions).push("::integer[]))");
    let found = store::fetch(tx, query).await?;
    let mut found: HashMap<Uuid, Article> = found.into_iter().map(|article| (article.id, article)).collect();
    let in_order = ranked
        .into_iter()
        .filter_map(|(id, _, score)| Some((found.remove(&id)?, score)));
    Ok(in_order.collect())
}
