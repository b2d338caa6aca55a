//! Questions from the wire, and answers for it.

use std::collections::BTreeMap;

use huiyin_chassis::{Refusal, Tenant, sql};
use huiyin_proto::{analytics::v1 as proto, r#type::v1::LocalText};
use jiff::{Timestamp, tz::TimeZone};

use super::{
    bucket::Bucket,
    catalogue::{Metric, Text},
    dimension::Dimension,
    domain::Row,
    service::{AsOf, Question},
    store,
};
use crate::rollup::totals::Kind;

/// The metric of this name.
///
/// # Errors
/// NOT_FOUND where there is none.
pub(crate) fn find(name: &str) -> Result<&'static Metric, Refusal> {
    name.strip_prefix("metrics/")
        .and_then(Metric::find)
        .ok_or_else(|| Refusal::not_found(name))
}

/// Both ends of an interval.
///
/// # Errors
/// INVALID_ARGUMENT for an end that is no moment, or not later than the start.
pub(crate) fn interval(interval: Option<&proto::Interval>) -> Result<(Timestamp, Timestamp), Refusal> {
    let missing = |field: &str| {
        (
            format!("interval.{field}"),
            "must be a moment between the years 1 and 9999".to_owned(),
        )
    };
    let start = sql::from_proto(interval.and_then(|interval| interval.start_time.as_ref()));
    let end = sql::from_proto(interval.and_then(|interval| interval.end_time.as_ref()));
    match (start, end) {
        (Some(start), Some(end)) if start < end => Ok((start, end)),
        (Some(_), Some(_)) => Err(Refusal::invalid_field(
            "interval.end_time",
            "must be later than interval.start_time",
        )),
        (start, end) => {
            let mut missed = Vec::new();
            missed.extend(start.is_none().then(|| missing("start_time")));
            missed.extend(end.is_none().then(|| missing("end_time")));
            Err(Refusal::invalid(missed))
        }
    }
}

/// What QueryMetric asks.
///
/// # Errors
/// As [`find`] and [`interval`].
pub(crate) fn question(request: &proto::QueryMetricRequest) -> Result<Question, Refusal> {
    let (start, end) = interval(request.interval.as_ref())?;
    let metric = find(&request.metric)?;
    Ok(Question {
        metric,
        start,
        end,
        dimensions: dimensions(&request.group_by)?,
        filter: request.filter.clone(),
        buckets: None,
    })
}

/// What QueryTrend asks.
///
/// # Errors
/// As [`question`], and INVALID_ARGUMENT for a time zone that IANA does not know.
pub(crate) fn trend(request: &proto::QueryTrendRequest) -> Result<Question, Refusal> {
    let (start, end) = interval(request.interval.as_ref())?;
    let metric = find(&request.metric)?;
    let bucket = match request.bucket() {
        proto::Bucket::Hour => Bucket::Hour,
        proto::Bucket::Day => Bucket::Day,
        proto::Bucket::Week => Bucket::Week,
        proto::Bucket::Month => Bucket::Month,
        proto::Bucket::Quarter => Bucket::Quarter,
        proto::Bucket::Unspecified => return Err(Refusal::invalid_field("bucket", "must be said")),
    };
    let name = if request.time_zone.is_empty() {
        "UTC"
    } else {
        &request.time_zone
    };
    let zone =
        TimeZone::get(name).map_err(|_| Refusal::invalid_field("time_zone", "must be a time zone that IANA knows"))?;
    Ok(Question {
        metric,
        start,
        end,
        dimensions: dimensions(&request.group_by)?,
        filter: request.filter.clone(),
        buckets: Some((bucket, zone)),
    })
}

fn dimensions(asked: &[i32]) -> Result<Vec<Dimension>, Refusal> {
    let dimension = |number: &i32| match proto::Dimension::try_from(*number) {
        Ok(proto::Dimension::Category) => Ok(Dimension::Category),
        Ok(proto::Dimension::Channel) => Ok(Dimension::Channel),
        Ok(proto::Dimension::Priority) => Ok(Dimension::Priority),
        Ok(proto::Dimension::Tier) => Ok(Dimension::Tier),
        Ok(proto::Dimension::ProductModel) => Ok(Dimension::ProductModel),
        Ok(proto::Dimension::Batch) => Ok(Dimension::Batch),
        Ok(proto::Dimension::Team) => Ok(Dimension::Team),
        Ok(proto::Dimension::Clock) => Ok(Dimension::Clock),
        Ok(proto::Dimension::Unspecified) | Err(_) => Err(Refusal::invalid_field("group_by", "must be dimensions")),
    };
    asked.iter().map(dimension).collect()
}

fn dimension_number(dimension: Dimension) -> i32 {
    let dimension = match dimension {
        Dimension::Category => proto::Dimension::Category,
        Dimension::Channel => proto::Dimension::Channel,
        Dimension::Priority => proto::Dimension::Priority,
        Dimension::Tier => proto::Dimension::Tier,
        Dimension::ProductModel => proto::Dimension::ProductModel,
        Dimension::Batch => proto::Dimension::Batch,
        Dimension::Team => proto::Dimension::Team,
        Dimension::Clock => proto::Dimension::Clock,
    };
    dimension.into()
}

/// What a metric means; `is_estimate` says of percentiles how those of this answer were found.
pub(crate) fn metric(metric: &Metric, is_estimate: Option<bool>) -> proto::Metric {
    let found = match is_estimate {
        None => "",
        Some(false) => "; in this answer exact",
        Some(true) => "; in this answer from logarithmic classes, within 1 %",
    };
    proto::Metric {
        name: format!("metrics/{}", metric.key),
        key: metric.key.to_owned(),
        display_name: Some(text(metric.display_name)),
        definition: Some(text(metric.definition)),
        formula: format!("{}{found}", metric.formula),
        cohort: metric.cohort as i32,
        unit: metric.unit as i32,
        percentile: metric.percentile().unwrap_or(0.0),
        dimensions: metric
            .dimensions()
            .iter()
            .map(|dimension| dimension_number(*dimension))
            .collect(),
        version: metric.version,
        requirement: metric.requirement.to_owned(),
    }
}

fn text(Text(en, zh_cn, zh_tw): Text) -> LocalText {
    LocalText {
        en: en.to_owned(),
        zh_cn: zh_cn.to_owned(),
        zh_tw: zh_tw.to_owned(),
    }
}

/// The rows of one bucket.
pub(crate) fn rows(rows: Vec<Row>, dimensions: &[Dimension]) -> Vec<proto::MetricRow> {
    let row = |row: Row| proto::MetricRow {
        dimensions: dimensions
            .iter()
            .zip(row.group)
            .map(|(dimension, value)| proto::DimensionValue {
                dimension: dimension_number(*dimension),
                value,
            })
            .collect(),
        value: row.value,
        numerator: row.numerator,
        denominator: row.denominator,
        sample_count: row.samples,
    };
    rows.into_iter().map(row).collect()
}

/// The most frequent problems.
pub(crate) fn problems(problems: Vec<store::Problem>, as_of: AsOf) -> proto::TopProblemsResponse {
    let total = problems.first().map_or(0, |problem| problem.total);
    #[expect(clippy::cast_precision_loss, reason = "exact up to 2⁵³")]
    let share = |count: i64| count as f64 / total as f64;
    proto::TopProblemsResponse {
        metric: Metric::find("volume").map(|volume| metric(volume, None)),
        problems: problems
            .into_iter()
            .map(|problem| proto::Problem {
                share: share(problem.count),
                category: problem.category,
                product_model: problem.product_model,
                count: problem.count,
                unique_customers: problem.unique_customers,
            })
            .collect(),
        total_count: total,
        as_of: Some(self::as_of(as_of)),
    }
}

/// The totals of a tenant.
pub(crate) fn totals(tenant: &Tenant, totals: &BTreeMap<(String, String), i64>, as_of: AsOf) -> proto::Totals {
    let of = |kind: Kind, clock: &str| {
        totals
            .get(&(kind.key().to_owned(), clock.to_owned()))
            .copied()
            .unwrap_or(0)
    };
    let alone = |kind| of(kind, "");
    let mut clocks: Vec<&str> = totals
        .keys()
        .map(|(_, clock)| clock.as_str())
        .filter(|clock| !clock.is_empty())
        .collect();
    clocks.sort_unstable();
    clocks.dedup();
    proto::Totals {
        name: tenant.name() + "/totals",
        feedbacks: alone(Kind::Feedbacks),
        classified: alone(Kind::Classified),
        work_orders: alone(Kind::WorkOrders),
        resolved_episodes: alone(Kind::ResolvedEpisodes),
        reopened: alone(Kind::Reopened),
        invitations: alone(Kind::Invitations),
        answers: alone(Kind::Answers),
        messages_delivered: alone(Kind::MessagesDelivered),
        merged: alone(Kind::Merged),
        messages_dead: alone(Kind::MessagesDead),
        clocks: clocks
            .into_iter()
            .map(|clock| proto::SlaTotals {
                clock: clock.to_owned(),
                warned: of(Kind::ClockWarned, clock),
                breached: of(Kind::ClockBreached, clock),
                met: of(Kind::ClockMet, clock),
                stopped_late: of(Kind::ClockStoppedLate, clock),
            })
            .collect(),
        as_of: Some(self::as_of(as_of)),
    }
}

/// How far numbers reach.
pub(crate) fn as_of(as_of: AsOf) -> proto::AsOf {
    proto::AsOf {
        compute_time: Some(sql::to_proto(as_of.time)),
        sources: as_of
            .sources
            .into_iter()
            .map(|(source, events, time)| proto::SourceProgress {
                source: source.to_owned(),
                last_event_time: time.map(sql::to_proto),
                events,
            })
            .collect(),
    }
}
