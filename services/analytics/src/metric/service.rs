//! Answers questions about numbers.

use std::{collections::BTreeMap, time::Duration};

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    listing::{Filter, Page, Paging},
};
use jiff::{Timestamp, tz::TimeZone};

use super::{
    bucket::{self, Bucket},
    catalogue::Metric,
    dimension::{self, Dimension},
    domain::{self, Group, Row, Sums},
    store::{self, Scope},
};
use crate::{
    SOURCES, counting,
    error::Error,
    rollup::{level, span},
    room::Room,
};

/// The audit holds totals against what others say of themselves at the same moment: it waits longer than other questions.
const AUDIT_PATIENCE: Duration = Duration::from_secs(15);
/// An answer has this many rows at most.
const MAX_ROWS: usize = 10_000;
/// A trend has this many buckets at most.
const MAX_BUCKETS: usize = 1000;

/// What to compute.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) metric: &'static Metric,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) dimensions: Vec<Dimension>,
    pub(crate) filter: String,
    /// Over time, in the wall clock of a zone; `None` for the interval as a whole.
    pub(crate) buckets: Option<(Bucket, TimeZone)>,
}

/// One bucket of an answer.
#[derive(Debug)]
pub(crate) struct Point {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) rows: Vec<Row>,
}

/// How far numbers reach: by source, how many events and when the last of them happened.
#[derive(Debug)]
pub(crate) struct AsOf {
    pub(crate) time: Timestamp,
    pub(crate) sources: Vec<(&'static str, i64, Option<Timestamp>)>,
}

/// The values that were asked for.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) points: Vec<Point>,
    /// True where percentiles come from logarithmic classes; `None` where there are none.
    pub(crate) is_estimate: Option<bool>,
    pub(crate) as_of: AsOf,
}

impl Room {
    /// The value of a metric, as a whole or over time.
    pub(crate) async fn query(&self, tenant: &Tenant, question: &Question) -> Result<Answer, Refusal> {
        let Question {
            metric,
            dimensions,
            filter,
            ..
        } = question;
        for dimension in dimensions {
            if !metric.dimensions().contains(dimension) {
                return Err(unsuitable(metric.key, *dimension, metric.dimensions()));
            }
        }
        let (start, end) = (span::quarter(question.start), span::quarter(question.end));
        let buckets = match &question.buckets {
            None => vec![(start, end)],
            Some((bucket, zone)) => bucket::buckets(start, end, *bucket, zone, MAX_BUCKETS)
                .ok_or(Error::AnswerTooLarge { limit: MAX_BUCKETS })?,
        };
        let scope = Scope {
            buckets,
            dimensions: dimensions.clone(),
            filter: parse_filter(filter, metric.key, metric.dimensions())?,
            is_unfiltered: filter.trim().is_empty(),
        };

        self.wait_until_counted(tenant).await?;
        let mut tx = self.database.tenant(tenant).await?;
        store::hold_still(&mut tx).await?;
        let measures = metric.measures();
        // One sum more than an answer of the largest size can need says that it would be larger.
        let limit = MAX_ROWS * measures.len() + 1;
        let found = store::sums(&mut tx, tenant, &scope, &measures, false, limit).await?;
        if found.len() == limit {
            return Err(Error::AnswerTooLarge { limit: MAX_ROWS }.into());
        }
        let samples: i64 = found.iter().map(|sum| sum.aggregate.count).sum();
        let mut is_estimate = None;
        let mut percentiles = BTreeMap::new();
        if let Some(percentile) = metric.percentile() {
            let estimate = samples > i64::from(self.query.exact_samples);
            is_estimate = Some(estimate);
            percentiles = if estimate {
                estimated_percentiles(&mut tx, tenant, &scope, &measures, percentile).await?
            } else {
                store::exact_percentiles(&mut tx, tenant, &scope, percentile).await?
            };
        }
        let as_of = self.as_of(&mut tx, tenant).await?;
        tx.rollback().await;

        let mut by_bucket: Vec<(Sums, BTreeMap<Group, f64>)> =
            scope.buckets.iter().map(|_| Default::default()).collect();
        for sum in found {
            if let Some((sums, _)) = by_bucket.get_mut(sum.bucket) {
                sums.entry(sum.group).or_default().insert(sum.measure, sum.aggregate);
            }
        }
        for ((bucket, group), value) in percentiles {
            if let Some((_, percentiles)) = by_bucket.get_mut(bucket) {
                percentiles.insert(group, value);
            }
        }
        let points: Vec<Point> = scope
            .buckets
            .iter()
            .zip(by_bucket)
            .map(|((start, end), (sums, percentiles))| {
                let rows = domain::rows(metric, dimensions.len(), sums, &percentiles);
                Point {
                    start: *start,
                    end: *end,
                    rows,
                }
            })
            .collect();
        if points.iter().map(|point| point.rows.len()).sum::<usize>() > MAX_ROWS {
            return Err(Error::AnswerTooLarge { limit: MAX_ROWS }.into());
        }
        Ok(Answer {
            points,
            is_estimate,
            as_of,
        })
    }

    /// The most frequent problems, and how many classified feedbacks there are in all.
    pub(crate) async fn top_problems(
        &self,
        tenant: &Tenant,
        interval: (Timestamp, Timestamp),
        limit: i32,
        filter: &str,
    ) -> Result<(Vec<store::Problem>, AsOf), Refusal> {
        let filter = parse_filter(filter, "volume", &Dimension::OF_FEEDBACK)?;
        self.wait_until_counted(tenant).await?;
        let mut tx = self.database.tenant(tenant).await?;
        store::hold_still(&mut tx).await?;
        let problems = store::problems(&mut tx, tenant, interval, &filter, i64::from(limit)).await?;
        let as_of = self.as_of(&mut tx, tenant).await?;
        tx.rollback().await;
        Ok((problems, as_of))
    }

    /// The totals by kind and clock.
    pub(crate) async fn totals(&self, tenant: &Tenant) -> Result<(BTreeMap<(String, String), i64>, AsOf), Refusal> {
        self.wait_at_most(tenant, AUDIT_PATIENCE).await?;
        let mut tx = self.database.tenant(tenant).await?;
        store::hold_still(&mut tx).await?;
        let totals = store::totals(&mut tx, tenant).await?;
        let as_of = self.as_of(&mut tx, tenant).await?;
        tx.rollback().await;
        Ok((totals, as_of))
    }

    /// One page of the catalogue.
    pub(crate) async fn metrics(&self, paging: Paging<'_>) -> Result<Page<&'static Metric>, Refusal> {
        let Paging {
            page_size,
            page_token,
            filter,
            order_by,
        } = paging;
        let descending = match order_by.split_whitespace().collect::<Vec<_>>()[..] {
            [] | ["key"] | ["key", "asc"] => false,
            ["key", "desc"] => true,
            _ => return Err(Refusal::invalid_field("order_by", "must be key, with or without desc")),
        };
        let bound_to = ["metrics", filter, order_by].join("\u{1f}").into_bytes();
        let after: Option<String> = if page_token.is_empty() {
            None
        } else {
            Some(self.page_tokens.open(page_token, &bound_to)?)
        };
        let size = usize::try_from(if page_size == 0 { 100 } else { page_size.clamp(1, 1000) }).unwrap_or(1);
        let filter = Filter::parse(filter, store::CATALOGUE_FIELDS)?;
        let mut tx = self.database.worker().await?;
        let mut keys = store::metric_keys(
            &mut tx,
            &filter,
            descending,
            after,
            i64::try_from(size + 1).unwrap_or(i64::MAX),
        )
        .await?;
        tx.rollback().await;
        let more = keys.len() > size;
        keys.truncate(size);
        let next_page_token = match keys.last() {
            Some(last) if more => self.page_tokens.seal(last, &bound_to),
            _ => String::new(),
        };
        Ok(Page {
            entries: keys.iter().filter_map(|key| Metric::find(key)).collect(),
            next_page_token,
        })
    }

    /// Waits until what was taken in before this moment is counted, but no longer than the room's patience: `as_of` then says
    /// how far the answer reaches.
    pub(crate) async fn wait_until_counted(&self, tenant: &Tenant) -> Result<(), Refusal> {
        self.wait_at_most(tenant, Duration::from_millis(self.query.patience_ms))
            .await
    }

    async fn wait_at_most(&self, tenant: &Tenant, patience: Duration) -> Result<(), Refusal> {
        let until = tokio::time::Instant::now() + patience;
        let mut newest = None;
        loop {
            let mut tx = self.database.tenant(tenant).await?;
            let waiting = counting::store::waiting_range(&mut tx, tenant).await?;
            tx.rollback().await;
            let Some((first, last)) = waiting else { return Ok(()) };
            if first > *newest.get_or_insert(last) || tokio::time::Instant::now() >= until {
                return Ok(());
            }
            self.wake.notify_one();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// How far events are counted, in the state that the transaction sees.
    pub(crate) async fn as_of(&self, tx: &mut Transaction, tenant: &Tenant) -> Result<AsOf, Refusal> {
        let progress = store::progress(tx, tenant).await?;
        let sources = SOURCES.into_iter().map(|source| match progress.get(source) {
            Some((events, time)) => (source, *events, Some(*time)),
            None => (source, 0, None),
        });
        Ok(AsOf {
            time: self.clock.now(),
            sources: sources.collect(),
        })
    }
}

async fn estimated_percentiles(
    tx: &mut Transaction,
    tenant: &Tenant,
    scope: &Scope,
    measures: &[crate::rollup::domain::Measure],
    percentile: f64,
) -> Result<BTreeMap<(usize, Group), f64>, Refusal> {
    // At most 2186 levels in each of at most MAX_ROWS groups, of which there are no more than samples' levels.
    let sums = store::sums(tx, tenant, scope, measures, true, usize::MAX).await?;
    let mut levels: BTreeMap<(usize, Group), Vec<(i16, i64)>> = BTreeMap::new();
    for sum in sums {
        levels
            .entry((sum.bucket, sum.group))
            .or_default()
            .push((sum.level, sum.aggregate.count));
    }
    Ok(levels
        .into_iter()
        .filter_map(|(group, levels)| Some((group, level::percentile(&levels, percentile)?)))
        .collect())
}

/// Understands a filter over these dimensions.
fn parse_filter(text: &str, metric: &str, allowed: &[Dimension]) -> Result<Filter, Refusal> {
    let problem = match Filter::parse(text, &dimension::fields(allowed)) {
        Ok(filter) => return Ok(filter),
        Err(problem) => problem,
    };
    // Where it would be understood but for one dimension that the metric does not have, that one is named.
    if Filter::parse(text, &dimension::fields(&Dimension::ALL)).is_ok() {
        for left_out in Dimension::ALL
            .into_iter()
            .filter(|dimension| !allowed.contains(dimension))
        {
            let others: Vec<Dimension> = Dimension::ALL
                .into_iter()
                .filter(|dimension| *dimension != left_out)
                .collect();
            if Filter::parse(text, &dimension::fields(&others)).is_err() {
                return Err(unsuitable(metric, left_out, allowed));
            }
        }
    }
    Err(problem)
}

fn unsuitable(metric: &str, dimension: Dimension, allowed: &[Dimension]) -> Refusal {
    let allowed = allowed
        .iter()
        .map(|dimension| dimension.key())
        .collect::<Vec<_>>()
        .join(", ");
    Error::DimensionUnsuitable {
        metric: metric.to_owned(),
        dimension: dimension.key(),
        allowed,
    }
    .into()
}
