//! All SQL of customers, their identities, and their segments.

use std::collections::BTreeMap;

use huiyin_chassis::{Refusal, Tenant, Transaction, sql};
use jiff::Timestamp;
use jiff_sqlx::Timestamp as SqlTimestamp;
use sqlx::types::Json;
use uuid::Uuid;

use super::domain::{Attributes, History, Segments};
use crate::vault::Wrapped;

/// One identity, or one feedback without one.
pub(crate) struct Asked<'a> {
    pub(crate) id: Uuid,
    /// The key to keep where there is none yet; missing where nothing is sealed.
    pub(crate) candidate: Option<&'a [u8]>,
}

/// What is known of it.
pub(crate) struct Known {
    pub(crate) customer: Uuid,
    pub(crate) key: Option<Wrapped>,
    pub(crate) attributes: Attributes,
}

#[derive(sqlx::FromRow)]
struct KnownRow {
    id: Uuid,
    customer_id: Uuid,
    wrapped: Option<Vec<u8>>,
    key_version: Option<i32>,
    tier: Option<i32>,
    payment: Option<i32>,
    since_time: Option<SqlTimestamp>,
    region: Option<String>,
    age_band: Option<String>,
    industry: Option<String>,
    custom: Option<serde_json::Value>,
}

/// What is known of these, and the tenant's segments, where it has set any.
pub(crate) async fn know(
    tx: &mut Transaction,
    tenant: &Tenant,
    asked: Vec<Asked<'_>>,
    version: i32,
) -> Result<(BTreeMap<Uuid, Known>, Option<Segments>), Refusal> {
    let ids: Vec<Uuid> = asked.iter().map(|asked| asked.id).collect();
    let sealing: Vec<bool> = asked.iter().map(|asked| asked.candidate.is_some()).collect();
    let candidates: Vec<&[u8]> = asked.iter().map(|asked| asked.candidate.unwrap_or_default()).collect();
    let rows: Vec<KnownRow> = sqlx::query_as("SELECT * FROM know_customers($1, $2, $3, $4, $5)")
        .bind(tenant.key())
        .bind(&ids)
        .bind(&sealing)
        .bind(&candidates)
        .bind(version)
        .fetch_all(&mut **tx)
        .await?;
    let mut known = BTreeMap::new();
    let mut segments = None;
    for row in rows {
        if row.id.is_nil() {
            let content = row.custom.unwrap_or_default();
            segments = Some(serde_json::from_value(content).map_err(Refusal::fault)?);
            continue;
        }
        let key = row
            .wrapped
            .zip(row.key_version)
            .map(|(bytes, version)| Wrapped { bytes, version });
        let custom = row.custom.map(serde_json::from_value).transpose();
        known.insert(
            row.id,
            Known {
                customer: row.customer_id,
                key,
                attributes: Attributes {
                    tier: row.tier.unwrap_or(0),
                    payment: row.payment.unwrap_or(0),
                    since: row.since_time.map(SqlTimestamp::to_jiff),
                    region: row.region.unwrap_or_default(),
                    age_band: row.age_band.unwrap_or_default(),
                    industry: row.industry.unwrap_or_default(),
                    custom: custom.map_err(Refusal::fault)?.unwrap_or_default(),
                },
            },
        );
    }
    Ok((known, segments))
}

/// How many feedbacks each of these customers sent from a moment on; no more than `most` are counted.
pub(crate) async fn count(
    tx: &mut Transaction,
    tenant: &Tenant,
    customers: &[Uuid],
    since: Timestamp,
    most: i64,
) -> Result<Vec<(Uuid, i64)>, Refusal> {
    Ok(sqlx::query_as(
        "SELECT wanted.customer, counted.count
         FROM (SELECT DISTINCT customer FROM unnest($2::uuid[]) AS all_of (customer)) AS wanted
         CROSS JOIN LATERAL (
             SELECT count(*) FROM (
                 SELECT FROM feedback WHERE tenant_id = $1 AND customer_id = wanted.customer AND create_time >= $3 LIMIT $4
             ) AS recent
         ) AS counted",
    )
    .bind(tenant.key())
    .bind(customers)
    .bind(sql::time(since))
    .bind(most)
    .fetch_all(&mut **tx)
    .await?)
}

/// Nobody stores feedback of this tenant's customers until the transaction ends: see `know_customers`.
pub(crate) async fn lock_all(tx: &mut Transaction, tenant: &Tenant) -> Result<(), Refusal> {
    tx.hold(&format!("customers/{}", tenant.key())).await
}

/// The customers that these identities lead to, in their order.
pub(crate) async fn resolve(tx: &mut Transaction, tenant: &Tenant, tokens: &[Uuid]) -> Result<Vec<Uuid>, Refusal> {
    Ok(sqlx::query_scalar(
        "SELECT COALESCE(i.customer_id, t.token)
         FROM unnest($2::uuid[]) WITH ORDINALITY AS t (token, place)
         LEFT JOIN customer_identity AS i ON i.tenant_id = $1 AND i.token = t.token
         ORDER BY t.place",
    )
    .bind(tenant.key())
    .bind(tokens)
    .fetch_all(&mut **tx)
    .await?)
}

/// Has an identity lead to a customer.
pub(crate) async fn lead(tx: &mut Transaction, tenant: &Tenant, token: Uuid, customer: Uuid) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO customer_identity (tenant_id, token, customer_id) VALUES ($1, $2, $3)
         ON CONFLICT (tenant_id, token) DO UPDATE SET customer_id = EXCLUDED.customer_id",
    )
    .bind(tenant.key())
    .bind(token)
    .bind(customer)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Joins everything of one customer to another: identities, feedback, and what is said where nothing is said of the other.
pub(crate) async fn join(tx: &mut Transaction, tenant: &Tenant, from: Uuid, to: Uuid) -> Result<(), Refusal> {
    for statement in [
        "UPDATE customer_identity SET customer_id = $3 WHERE tenant_id = $1 AND customer_id = $2",
        // The identity whose hash it was.
        "INSERT INTO customer_identity (tenant_id, token, customer_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        "UPDATE feedback SET identity_token = COALESCE(identity_token, customer_id), customer_id = $3
         WHERE tenant_id = $1 AND customer_id = $2",
        "INSERT INTO customer (tenant_id, id, tier, payment, since_time, region, age_band, industry, custom, revision, update_time)
         SELECT tenant_id, $3, tier, payment, since_time, region, age_band, industry, custom, 1, update_time
         FROM customer WHERE tenant_id = $1 AND id = $2
         ON CONFLICT DO NOTHING",
    ] {
        sqlx::query(statement)
            .bind(tenant.key())
            .bind(from)
            .bind(to)
            .execute(&mut **tx)
            .await?;
    }
    sqlx::query("DELETE FROM customer WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.key())
        .bind(from)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Gives what came by an identity to another customer.
pub(crate) async fn move_feedback(
    tx: &mut Transaction,
    tenant: &Tenant,
    token: Uuid,
    from: Uuid,
    to: Uuid,
) -> Result<(), Refusal> {
    sqlx::query(
        "UPDATE feedback SET identity_token = COALESCE(identity_token, customer_id), customer_id = $4
         WHERE tenant_id = $1 AND customer_id = $3 AND COALESCE(identity_token, customer_id) = $2",
    )
    .bind(tenant.key())
    .bind(token)
    .bind(from)
    .bind(to)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What is said of a customer.
pub(crate) struct Said {
    pub(crate) attributes: Attributes,
    pub(crate) revision: i64,
    pub(crate) update_time: Timestamp,
}

#[derive(sqlx::FromRow)]
struct SaidRow {
    tier: i32,
    payment: i32,
    since_time: Option<SqlTimestamp>,
    region: String,
    age_band: String,
    industry: String,
    custom: Json<BTreeMap<String, String>>,
    revision: i64,
    update_time: SqlTimestamp,
}

/// What is said of a customer, held until the transaction ends; none where nothing is.
pub(crate) async fn said(tx: &mut Transaction, tenant: &Tenant, id: Uuid, hold: bool) -> Result<Option<Said>, Refusal> {
    let row: Option<SaidRow> = sqlx::query_as(if hold {
        "SELECT tier, payment, since_time, region, age_band, industry, custom, revision, update_time
         FROM customer WHERE tenant_id = $1 AND id = $2 FOR UPDATE"
    } else {
        "SELECT tier, payment, since_time, region, age_band, industry, custom, revision, update_time
         FROM customer WHERE tenant_id = $1 AND id = $2"
    })
    .bind(tenant.key())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|row| Said {
        attributes: Attributes {
            tier: row.tier,
            payment: row.payment,
            since: row.since_time.map(SqlTimestamp::to_jiff),
            region: row.region,
            age_band: row.age_band,
            industry: row.industry,
            custom: row.custom.0,
        },
        revision: row.revision,
        update_time: row.update_time.to_jiff(),
    }))
}

/// Makes a customer of whom nothing is said yet; one that is there stays.
pub(crate) async fn register(tx: &mut Transaction, tenant: &Tenant, id: Uuid, now: Timestamp) -> Result<(), Refusal> {
    sqlx::query("INSERT INTO customer (tenant_id, id, update_time) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
        .bind(tenant.key())
        .bind(id)
        .bind(sql::time(now))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Writes what is said of a customer.
pub(crate) async fn say(tx: &mut Transaction, tenant: &Tenant, id: Uuid, said: &Said) -> Result<(), Refusal> {
    sqlx::query(
        "UPDATE customer
         SET tier = $3, payment = $4, since_time = $5, region = $6, age_band = $7, industry = $8, custom = $9, revision = $10,
             update_time = $11
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant.key())
    .bind(id)
    .bind(said.attributes.tier)
    .bind(said.attributes.payment)
    .bind(sql::time_opt(said.attributes.since))
    .bind(&said.attributes.region)
    .bind(&said.attributes.age_band)
    .bind(&said.attributes.industry)
    .bind(Json(&said.attributes.custom))
    .bind(said.revision)
    .bind(sql::time(said.update_time))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What came from a customer, and how many identities were made to lead to it.
pub(crate) async fn history(tx: &mut Transaction, tenant: &Tenant, id: Uuid) -> Result<(History, i64), Refusal> {
    let (count, first, last, identities): (i64, Option<SqlTimestamp>, Option<SqlTimestamp>, i64) = sqlx::query_as(
        "SELECT count(*), min(create_time), max(create_time),
                (SELECT count(*) FROM customer_identity WHERE tenant_id = $1 AND customer_id = $2)
         FROM feedback WHERE tenant_id = $1 AND customer_id = $2",
    )
    .bind(tenant.key())
    .bind(id)
    .fetch_one(&mut **tx)
    .await?;
    let history = History {
        count,
        first: first.map(SqlTimestamp::to_jiff),
        last: last.map(SqlTimestamp::to_jiff),
    };
    Ok((history, identities))
}

/// The tenant's segments, with their revision and when they were set; none where they were not.
pub(crate) async fn segments(
    tx: &mut Transaction,
    tenant: &Tenant,
    hold: bool,
) -> Result<Option<(Segments, i64, Timestamp)>, Refusal> {
    let row: Option<(Json<Segments>, i64, SqlTimestamp)> = sqlx::query_as(if hold {
        "SELECT content, revision, update_time FROM segment_policy WHERE tenant_id = $1 FOR UPDATE"
    } else {
        "SELECT content, revision, update_time FROM segment_policy WHERE tenant_id = $1"
    })
    .bind(tenant.key())
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|(content, revision, time)| (content.0, revision, time.to_jiff())))
}

/// Sets the tenant's segments.
pub(crate) async fn set_segments(
    tx: &mut Transaction,
    tenant: &Tenant,
    segments: &Segments,
    revision: i64,
    now: Timestamp,
) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO segment_policy (tenant_id, content, revision, update_time) VALUES ($1, $2, $3, $4)
         ON CONFLICT (tenant_id) DO UPDATE
         SET content = EXCLUDED.content, revision = EXCLUDED.revision, update_time = EXCLUDED.update_time",
    )
    .bind(tenant.key())
    .bind(Json(segments))
    .bind(revision)
    .bind(sql::time(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}
