//! Reads sums from the rollups, and what must be exact from the facts.

use std::collections::BTreeMap;

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    listing::{Filter, Kind},
    sql,
};
use jiff::Timestamp;
use sqlx::{Postgres, QueryBuilder};

use super::{catalogue::CATALOGUE, dimension::Dimension, domain::Group};
use crate::rollup::{
    domain::{Aggregate, Measure},
    span,
};

/// What to read: over which stretches of time, by what divided, what alone.
#[derive(Debug)]
pub(crate) struct Scope {
    /// Each has its ordinal in the answer.
    pub(crate) buckets: Vec<(Timestamp, Timestamp)>,
    pub(crate) dimensions: Vec<Dimension>,
    pub(crate) filter: Filter,
    /// True where the filter lets everything pass.
    pub(crate) is_unfiltered: bool,
}

/// From here on the transaction sees one state of everything, and changes nothing.
pub(crate) async fn hold_still(tx: &mut Transaction) -> Result<(), Refusal> {
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        .execute(&mut **tx)
        .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct SumRow {
    ordinal: i32,
    d1: String,
    d2: String,
    d3: String,
    measure: i16,
    level: i16,
    count: i64,
    sum: i64,
}

/// What the rollups hold of a measure, in one bucket and group; by level where that was asked for, else at level 0.
#[derive(Debug)]
pub(crate) struct Sum {
    pub(crate) bucket: usize,
    pub(crate) group: Group,
    pub(crate) measure: Measure,
    pub(crate) level: i16,
    pub(crate) aggregate: Aggregate,
}

/// Adds up the rollups, at most `limit` sums.
pub(crate) async fn sums(
    tx: &mut Transaction,
    tenant: &Tenant,
    scope: &Scope,
    measures: &[Measure],
    by_level: bool,
    limit: usize,
) -> Result<Vec<Sum>, Refusal> {
    let spans: Vec<(usize, span::Span)> = scope
        .buckets
        .iter()
        .enumerate()
        .flat_map(|(ordinal, (start, end))| span::spans(*start, *end).into_iter().map(move |span| (ordinal, span)))
        .collect();
    let mut query: QueryBuilder<Postgres> = QueryBuilder::new("SELECT span.ordinal, ");
    push_dimensions(&mut query, scope);
    query.push(", r.measure, ");
    query.push(if by_level { "r.level" } else { "0::smallint" });
    query.push(" AS level, sum(r.count)::bigint AS count, sum(r.sum)::bigint AS sum FROM unnest(");
    query
        .push_bind(
            spans
                .iter()
                .map(|(ordinal, _)| ordinal_number(*ordinal))
                .collect::<Vec<_>>(),
        )
        .push("::integer[], ");
    query
        .push_bind(spans.iter().map(|(_, span)| span.grain as i16).collect::<Vec<_>>())
        .push("::smallint[], ");
    query
        .push_bind(spans.iter().map(|(_, span)| sql::time(span.start)).collect::<Vec<_>>())
        .push("::timestamptz[], ");
    query
        .push_bind(spans.iter().map(|(_, span)| sql::time(span.end)).collect::<Vec<_>>())
        .push("::timestamptz[]");
    query.push(") AS span (ordinal, grain, start_time, end_time) JOIN rollup r ON r.tenant_id = ");
    query.push_bind(tenant.key().to_owned()).push(" AND r.measure = ANY(");
    query.push_bind(measures.iter().map(|measure| *measure as i16).collect::<Vec<_>>());
    query.push(") AND r.grain = span.grain AND r.start_time >= span.start_time AND r.start_time < span.end_time");
    if !scope.is_unfiltered || !scope.dimensions.is_empty() {
        query.push(" JOIN segment s ON s.tenant_id = r.tenant_id AND s.segment = r.segment");
    }
    query.push(" WHERE true");
    scope.filter.push(&mut query);
    query.push(" GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(r.count) <> 0 ORDER BY 1, 2, 3, 4, 5, 6 LIMIT ");
    query.push_bind(i64::try_from(limit).unwrap_or(i64::MAX));
    let rows: Vec<SumRow> = query.build_query_as().fetch_all(&mut **tx).await?;
    rows.into_iter()
        .map(|row| {
            let measure = measures.iter().find(|measure| **measure as i16 == row.measure).copied();
            Ok(Sum {
                bucket: usize::try_from(row.ordinal).unwrap_or_default(),
                group: group(scope, [row.d1, row.d2, row.d3]),
                measure: measure.ok_or_else(|| {
                    Refusal::fault(anyhow::anyhow!("rollup.measure {} was not asked for", row.measure))
                })?,
                level: row.level,
                aggregate: Aggregate {
                    count: row.count,
                    sum: row.sum,
                },
            })
        })
        .collect()
}

/// Percentiles of the working time by the nearest rank over all facts, in microseconds.
pub(crate) async fn exact_percentiles(
    tx: &mut Transaction,
    tenant: &Tenant,
    scope: &Scope,
    percentile: f64,
) -> Result<BTreeMap<(usize, Group), f64>, Refusal> {
    let mut query: QueryBuilder<Postgres> = QueryBuilder::new("SELECT span.ordinal, ");
    push_dimensions(&mut query, scope);
    query.push(", percentile_disc(").push_bind(percentile / 100.0);
    query.push(") WITHIN GROUP (ORDER BY s.working_us)::bigint AS value FROM unnest(");
    query
        .push_bind((0..scope.buckets.len()).map(ordinal_number).collect::<Vec<_>>())
        .push("::integer[], ");
    query
        .push_bind(
            scope
                .buckets
                .iter()
                .map(|(start, _)| sql::time(*start))
                .collect::<Vec<_>>(),
        )
        .push("::timestamptz[], ");
    query
        .push_bind(scope.buckets.iter().map(|(_, end)| sql::time(*end)).collect::<Vec<_>>())
        .push("::timestamptz[]");
    query.push(") AS span (ordinal, start_time, end_time) JOIN feedback_fact s ON s.tenant_id = ");
    query.push_bind(tenant.key().to_owned());
    query.push(
        " AND s.resolve_time >= span.start_time AND s.resolve_time < span.end_time WHERE s.working_us IS NOT NULL",
    );
    scope.filter.push(&mut query);
    query.push(" GROUP BY 1, 2, 3, 4");
    let rows: Vec<(i32, String, String, String, i64)> = query.build_query_as().fetch_all(&mut **tx).await?;
    Ok(rows
        .into_iter()
        .map(|(ordinal, d1, d2, d3, value)| {
            #[expect(clippy::cast_precision_loss, reason = "exact up to 285 years")]
            let value = value as f64;
            (
                (usize::try_from(ordinal).unwrap_or_default(), group(scope, [d1, d2, d3])),
                value,
            )
        })
        .collect())
}

/// The columns of up to three dimensions, as texts; empty where there are fewer.
fn push_dimensions(query: &mut QueryBuilder<Postgres>, scope: &Scope) {
    for (at, name) in ["d1", "d2", "d3"].into_iter().enumerate() {
        let column = scope
            .dimensions
            .get(at)
            .map_or("''", |dimension| dimension.field().column);
        query
            .push(if at == 0 { "" } else { ", " })
            .push(column)
            .push("::text AS ")
            .push(name);
    }
}

fn group(scope: &Scope, values: [String; 3]) -> Group {
    scope
        .dimensions
        .iter()
        .zip(values)
        .map(|(dimension, stored)| dimension.value(stored))
        .collect()
}

fn ordinal_number(ordinal: usize) -> i32 {
    i32::try_from(ordinal).unwrap_or(i32::MAX)
}

/// A category of a product model, and how often it was named.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Problem {
    pub(crate) category: String,
    pub(crate) product_model: String,
    pub(crate) count: i64,
    pub(crate) unique_customers: i64,
    /// Of all problems, those below the limit too.
    pub(crate) total: i64,
}

/// The most frequent problems among the feedback received from `start` on and before `end`.
pub(crate) async fn problems(
    tx: &mut Transaction,
    tenant: &Tenant,
    (start, end): (Timestamp, Timestamp),
    filter: &Filter,
    limit: i64,
) -> Result<Vec<Problem>, Refusal> {
    let mut query: QueryBuilder<Postgres> = QueryBuilder::new(
        "SELECT s.category, s.product_model, count(*) AS count,
                count(DISTINCT s.customer) FILTER (WHERE s.customer <> '') AS unique_customers,
                (sum(count(*)) OVER ())::bigint AS total
         FROM feedback_fact s
         WHERE s.receive_time IS NOT NULL AND s.category NOT IN ('', 'unclassified') AND s.tenant_id = ",
    );
    query.push_bind(tenant.key().to_owned());
    // The same time as receive_time, which is known here; the index is by this column.
    query.push(" AND s.order_time >= ").push_bind(sql::time(start));
    query.push(" AND s.order_time < ").push_bind(sql::time(end));
    filter.push(&mut query);
    query.push(
        " GROUP BY s.category, s.product_model
          ORDER BY count DESC, unique_customers DESC, s.category COLLATE \"C\", s.product_model COLLATE \"C\" LIMIT ",
    );
    query.push_bind(limit);
    Ok(query.build_query_as().fetch_all(&mut **tx).await?)
}

/// How far the events of each source are counted: how many, and when the last happened.
pub(crate) async fn progress(
    tx: &mut Transaction,
    tenant: &Tenant,
) -> Result<BTreeMap<String, (i64, Timestamp)>, Refusal> {
    let rows: Vec<(String, i64, jiff_sqlx::Timestamp)> =
        sqlx::query_as("SELECT source, events, last_event_time FROM progress WHERE tenant_id = $1")
            .bind(tenant.key())
            .fetch_all(&mut **tx)
            .await?;
    Ok(rows
        .into_iter()
        .map(|(source, events, time)| (source, (events, time.to_jiff())))
        .collect())
}

/// The totals by kind and clock.
pub(crate) async fn totals(tx: &mut Transaction, tenant: &Tenant) -> Result<BTreeMap<(String, String), i64>, Refusal> {
    let rows: Vec<(String, String, i64)> = sqlx::query_as("SELECT kind, clock, value FROM total WHERE tenant_id = $1")
        .bind(tenant.key())
        .fetch_all(&mut **tx)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(kind, clock, value)| ((kind, clock), value))
        .collect())
}

/// The fields by which the catalogue is filtered.
pub(crate) const CATALOGUE_FIELDS: &[huiyin_chassis::listing::Field] = &[
    huiyin_chassis::listing::Field::at("key", "m.key", Kind::Text),
    huiyin_chassis::listing::Field::at("unit", "m.unit", Kind::Enum("huiyin.analytics.v1.Unit")),
    huiyin_chassis::listing::Field::at("cohort", "m.cohort", Kind::Enum("huiyin.analytics.v1.Cohort")),
    huiyin_chassis::listing::Field::at("requirement", "m.requirement", Kind::Text),
];

/// The keys of the metrics that pass the filter, in order, after `after`. Filters are SQL: so the catalogue is filtered there.
pub(crate) async fn metric_keys(
    tx: &mut Transaction,
    filter: &Filter,
    descending: bool,
    after: Option<String>,
    limit: i64,
) -> Result<Vec<String>, Refusal> {
    let mut query: QueryBuilder<Postgres> = QueryBuilder::new("SELECT m.key FROM unnest(");
    query
        .push_bind(CATALOGUE.iter().map(|metric| metric.key).collect::<Vec<_>>())
        .push("::text[], ");
    query
        .push_bind(CATALOGUE.iter().map(|metric| metric.unit as i32).collect::<Vec<_>>())
        .push("::integer[], ");
    query
        .push_bind(CATALOGUE.iter().map(|metric| metric.cohort as i32).collect::<Vec<_>>())
        .push("::integer[], ");
    query.push_bind(CATALOGUE.iter().map(|metric| metric.requirement).collect::<Vec<_>>());
    query.push("::text[]) AS m (key, unit, cohort, requirement) WHERE true");
    filter.push(&mut query);
    if let Some(after) = after {
        query
            .push(if descending {
                " AND m.key COLLATE \"C\" < "
            } else {
                " AND m.key COLLATE \"C\" > "
            })
            .push_bind(after);
    }
    query
        .push(" ORDER BY m.key COLLATE \"C\"")
        .push(if descending { " DESC" } else { "" });
    query.push(" LIMIT ").push_bind(limit);
    Ok(query.build_query_scalar().fetch_all(&mut **tx).await?)
}
