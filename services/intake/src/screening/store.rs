//! All SQL of screening: where feedbacks stand, their fingerprints and bands, and which say nearly the same.

use std::collections::{HashMap, HashSet};

use huiyin_chassis::{Refusal, Tenant, Transaction, sql};
use jiff::Timestamp;
use sqlx::types::Json;
use uuid::Uuid;

use super::domain::{Aspect, Finding, Standing, State, nearness::Relation};

/// A row of `feedback_standing`, or of a join with it that found none.
#[derive(sqlx::FromRow)]
pub(crate) struct StandingRow {
    state: Option<i32>,
    canonical: Option<Uuid>,
    held: Option<bool>,
    findings: Option<Json<Vec<Finding>>>,
    missing: Option<Vec<i32>>,
    state_reason: Option<String>,
    before_state: Option<i32>,
    before_reason: Option<String>,
}

impl From<StandingRow> for Standing {
    fn from(row: StandingRow) -> Self {
        Self {
            state: row.state.map_or(State::Accepted, State::of),
            canonical: row.canonical,
            held: row.held.unwrap_or(false),
            findings: row.findings.map(|json| json.0).unwrap_or_default(),
            missing: row
                .missing
                .unwrap_or_default()
                .into_iter()
                .filter_map(Aspect::of)
                .collect(),
            reason: row.state_reason.unwrap_or_default(),
            before_merge: row
                .before_state
                .map(|state| (State::of(state), row.before_reason.unwrap_or_default())),
        }
    }
}

/// Writes where feedbacks stand, all with one statement.
pub(crate) async fn put(
    tx: &mut Transaction,
    tenant: &Tenant,
    standings: &[(Uuid, &Standing)],
    now: Timestamp,
) -> Result<(), Refusal> {
    if standings.is_empty() {
        return Ok(());
    }
    let columns = |of: &dyn Fn(&Standing) -> Result<Option<String>, Refusal>| {
        standings
            .iter()
            .map(|(_, standing)| of(standing))
            .collect::<Result<Vec<_>, _>>()
    };
    let findings = columns(&|standing| {
        if standing.findings.is_empty() {
            return Ok(None);
        }
        serde_json::to_string(&standing.findings)
            .map(Some)
            .map_err(Refusal::fault)
    })?;
    // An array of arrays must be even: the aspects of a row travel as text.
    let missing = columns(&|standing| {
        let numbers: Vec<String> = standing
            .missing
            .iter()
            .map(|aspect| (*aspect as i32).to_string())
            .collect();
        Ok((!numbers.is_empty()).then(|| format!("{{{}}}", numbers.join(","))))
    })?;
    sqlx::query(
        "INSERT INTO feedback_standing (tenant_id, id, state, canonical, held, findings, missing, state_reason, before_state,
             before_reason, update_time)
         SELECT $1, id, state, canonical, held, findings::jsonb, missing::integer[], state_reason, before_state, before_reason, $2
         FROM unnest($3::uuid[], $4::integer[], $5::uuid[], $6::boolean[], $7::text[], $8::text[], $9::text[], $10::integer[], $11::text[])
             AS new (id, state, canonical, held, findings, missing, state_reason, before_state, before_reason)
         ON CONFLICT (tenant_id, id) DO UPDATE SET
             state = EXCLUDED.state, canonical = EXCLUDED.canonical, held = EXCLUDED.held, state_reason = EXCLUDED.state_reason,
             before_state = EXCLUDED.before_state, before_reason = EXCLUDED.before_reason, update_time = EXCLUDED.update_time",
    )
    .bind(tenant.key())
    .bind(sql::time(now))
    .bind(standings.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind(standings.iter().map(|(_, standing)| standing.state as i32).collect::<Vec<_>>())
    .bind(standings.iter().map(|(_, standing)| standing.canonical).collect::<Vec<_>>())
    .bind(standings.iter().map(|(_, standing)| standing.held).collect::<Vec<_>>())
    .bind(findings)
    .bind(missing)
    .bind(standings.iter().map(|(_, standing)| standing.reason.as_str()).collect::<Vec<_>>())
    .bind(
        standings
            .iter()
            .map(|(_, standing)| standing.before_merge.as_ref().map(|(state, _)| *state as i32))
            .collect::<Vec<_>>(),
    )
    .bind(
        standings
            .iter()
            .map(|(_, standing)| standing.before_merge.as_ref().map(|(_, reason)| reason.as_str()))
            .collect::<Vec<_>>(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Nobody else moves these feedbacks until the transaction ends. Always in the order of their ids: two transactions that wait for
/// each other would be a deadlock.
pub(crate) async fn lock(tx: &mut Transaction, tenant: &Tenant, ids: &[Uuid], now: Timestamp) -> Result<(), Refusal> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    sqlx::query(
        "INSERT INTO feedback_standing (tenant_id, id, state, held, state_reason, update_time)
         SELECT $1, id, 1, false, '', $3 FROM feedback WHERE tenant_id = $1 AND id = ANY($2) ORDER BY id
         ON CONFLICT (tenant_id, id) DO NOTHING",
    )
    .bind(tenant.key())
    .bind(&ids)
    .bind(sql::time(now))
    .execute(&mut **tx)
    .await?;
    sqlx::query("SELECT FROM feedback_standing WHERE tenant_id = $1 AND id = ANY($2) ORDER BY id FOR UPDATE")
        .bind(tenant.key())
        .bind(&ids)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Which two feedbacks had a fingerprint first, from an id on: ids rise with time.
pub(crate) async fn first_with(
    tx: &mut Transaction,
    tenant: &Tenant,
    fingerprints: &[Vec<u8>],
    since: Uuid,
) -> Result<HashMap<Vec<u8>, Vec<Uuid>>, Refusal> {
    let rows: Vec<(Vec<u8>, Uuid)> = sqlx::query_as(
        "SELECT wanted.fingerprint, first.id
         FROM (SELECT DISTINCT fingerprint FROM unnest($2::bytea[]) AS all_of (fingerprint)) AS wanted
         CROSS JOIN LATERAL (
             SELECT id FROM feedback_print AS p
             WHERE p.tenant_id = $1 AND p.fingerprint = wanted.fingerprint AND p.id >= $3
             ORDER BY id
             LIMIT 2
         ) AS first",
    )
    .bind(tenant.key())
    .bind(fingerprints)
    .bind(since)
    .fetch_all(&mut **tx)
    .await?;
    let mut first: HashMap<Vec<u8>, Vec<Uuid>> = HashMap::new();
    for (fingerprint, id) in rows {
        let ids = first.entry(fingerprint).or_default();
        ids.push(id);
        ids.sort_unstable();
    }
    Ok(first)
}

/// Keeps fingerprints; `compared` is only ever raised. Returns those for which anything changed.
pub(crate) async fn put_prints(
    tx: &mut Transaction,
    tenant: &Tenant,
    prints: &[(Uuid, Vec<u8>)],
    compared: bool,
) -> Result<HashSet<Uuid>, Refusal> {
    if prints.is_empty() {
        return Ok(HashSet::new());
    }
    let changed: Vec<Uuid> = sqlx::query_scalar(
        "INSERT INTO feedback_print AS print (tenant_id, id, fingerprint, compared)
         SELECT $1, id, fingerprint, $4 FROM unnest($2::uuid[], $3::bytea[]) AS new (id, fingerprint)
         ON CONFLICT (tenant_id, id) DO UPDATE SET compared = true WHERE EXCLUDED.compared AND NOT print.compared
         RETURNING id",
    )
    .bind(tenant.key())
    .bind(prints.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind(
        prints
            .iter()
            .map(|(_, fingerprint)| fingerprint.as_slice())
            .collect::<Vec<_>>(),
    )
    .bind(compared)
    .fetch_all(&mut **tx)
    .await?;
    Ok(changed.into_iter().collect())
}

/// Keeps the bands of sketches that are not kept yet.
pub(crate) async fn put_bands(tx: &mut Transaction, tenant: &Tenant, bands: &[(Uuid, i64)]) -> Result<(), Refusal> {
    if bands.is_empty() {
        return Ok(());
    }
    // Always in the same order: see `lock`.
    let mut bands = bands.to_vec();
    bands.sort_unstable_by_key(|(id, band)| (*band, *id));
    sqlx::query(
        "INSERT INTO feedback_band (tenant_id, band, feedback_id)
         SELECT $1, band, id FROM unnest($2::uuid[], $3::bigint[]) AS new (id, band)",
    )
    .bind(tenant.key())
    .bind(bands.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind(bands.iter().map(|(_, band)| *band).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Has the tenant's old bands dropped at this moment, unless that is to happen already.
pub(crate) async fn prune_later(
    tx: &mut Transaction,
    tenant: &Tenant,
    kind: &str,
    due: Timestamp,
) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO chassis.timer (tenant_id, kind, key, due_time, payload) VALUES ($1, $2, 'bands', $3, '{}')
         ON CONFLICT DO NOTHING",
    )
    .bind(tenant.key())
    .bind(kind)
    .bind(sql::time(due))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Drops the bands of feedbacks before an id: nothing is compared with them any more.
pub(crate) async fn prune(tx: &mut Transaction, tenant: &Tenant, before: Uuid) -> Result<(), Refusal> {
    sqlx::query("DELETE FROM feedback_band WHERE tenant_id = $1 AND feedback_id < $2")
        .bind(tenant.key())
        .bind(before)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Nobody else compares feedbacks of this tenant until the transaction ends: two that did so at once would not find each other.
pub(crate) async fn compare_alone(tx: &mut Transaction, tenant: &Tenant) -> Result<(), Refusal> {
    tx.hold(&format!("compared/{}", tenant.key())).await
}

/// Which feedbacks have these bands, of each band the newest and the first alone: a text that comes by the thousand costs no more than
/// another. The first twice, of all and of the others than `these`: so what is compared together hangs together, and with all that was
/// compared before.
pub(crate) async fn sharing(
    tx: &mut Transaction,
    tenant: &Tenant,
    these: &[Uuid],
    bands: &[i64],
    since: Uuid,
    newest: i64,
) -> Result<Vec<(i64, Uuid)>, Refusal> {
    let rows = sqlx::query_as(
        "WITH kept AS NOT MATERIALIZED (
             SELECT band, feedback_id FROM feedback_band WHERE tenant_id = $1 AND feedback_id >= $2
         )
         SELECT wanted.band, near.feedback_id
         FROM unnest($3::bigint[]) AS wanted (band)
         CROSS JOIN LATERAL (
             (SELECT feedback_id FROM kept WHERE band = wanted.band ORDER BY feedback_id DESC LIMIT $4)
             UNION
             (SELECT feedback_id FROM kept WHERE band = wanted.band ORDER BY feedback_id LIMIT 1)
             UNION
             (SELECT feedback_id FROM kept WHERE band = wanted.band AND feedback_id <> ALL ($5) ORDER BY feedback_id LIMIT 1)
         ) AS near",
    )
    .bind(tenant.key())
    .bind(since)
    .bind(bands)
    .bind(newest)
    .bind(these)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Two feedbacks that say nearly the same.
pub(crate) struct Link {
    /// The later one.
    pub(crate) id: Uuid,
    pub(crate) other: Uuid,
    pub(crate) relation: Relation,
    pub(crate) similarity: f64,
}

/// Keeps links.
pub(crate) async fn put_links(tx: &mut Transaction, tenant: &Tenant, links: &[Link]) -> Result<(), Refusal> {
    if links.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO feedback_link (tenant_id, id, other, relation, similarity)
         SELECT $1, id, other, min(relation), max(similarity)
         FROM unnest($2::uuid[], $3::uuid[], $4::integer[], $5::double precision[]) AS new (id, other, relation, similarity)
         GROUP BY id, other ORDER BY id, other
         ON CONFLICT DO NOTHING",
    )
    .bind(tenant.key())
    .bind(links.iter().map(|link| link.id).collect::<Vec<_>>())
    .bind(links.iter().map(|link| link.other).collect::<Vec<_>>())
    .bind(links.iter().map(|link| link.relation as i32).collect::<Vec<_>>())
    .bind(links.iter().map(|link| link.similarity).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The links of a feedback in both directions, the nearest first.
pub(crate) async fn links(
    tx: &mut Transaction,
    tenant: &Tenant,
    id: Uuid,
    limit: i64,
) -> Result<Vec<(Uuid, i32, f64)>, Refusal> {
    let rows = sqlx::query_as(
        "SELECT other, relation, similarity FROM (
             SELECT other, relation, similarity FROM feedback_link WHERE tenant_id = $1 AND id = $2
             UNION ALL
             SELECT id, relation, similarity FROM feedback_link WHERE tenant_id = $1 AND other = $2
         ) AS both_ways
         ORDER BY relation, similarity DESC, other
         LIMIT $3",
    )
    .bind(tenant.key())
    .bind(id)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// True once a feedback was compared with those before it.
pub(crate) async fn is_compared(tx: &mut Transaction, tenant: &Tenant, id: Uuid) -> Result<bool, Refusal> {
    let compared: Option<bool> =
        sqlx::query_scalar("SELECT compared FROM feedback_print WHERE tenant_id = $1 AND id = $2")
            .bind(tenant.key())
            .bind(id)
            .fetch_optional(&mut **tx)
            .await?;
    Ok(compared.unwrap_or(false))
}
