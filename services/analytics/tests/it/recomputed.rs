//! Every metric computed a second time from the facts that ListFacts publishes, by the words of its definition and in another
//! way than the room does it: group by group from lists, without rollups.

use std::collections::BTreeMap;

use huiyin_chassis::sql;
use huiyin_proto::{
    analytics::v1::{ClockFact, Dimension, FeedbackFact},
    event::v1::{SlaMark, StateCategory},
};
use jiff::Timestamp;

/// What is divided, one entry per sample.
#[derive(Debug, Default)]
struct Samples {
    part: f64,
    whole: Vec<f64>,
}

/// The value of a metric by group: numerator, denominator. Groups in which nothing happened are left out.
pub(crate) fn recompute(
    facts: &[FeedbackFact],
    metric: &str,
    dimension: Option<Dimension>,
    start: Timestamp,
    end: Timestamp,
) -> BTreeMap<String, Option<f64>> {
    let mut groups: BTreeMap<String, Samples> = BTreeMap::new();
    let within = |time: &Option<prost_types::Timestamp>| {
        sql::from_proto(time.as_ref()).is_some_and(|time| start <= time && time < end)
    };
    let mut all = 0.0;
    for fact in facts {
        let digest = fact.feedback.as_ref().unwrap();
        let state = fact.work_order.as_ref().map(|order| order.state());
        let rejected = state == Some(StateCategory::Rejected);
        let last = fact
            .episodes
            .iter()
            .rfind(|episode| episode.resolve_time.is_some() && episode.reopen_time.is_none());
        let standing = last.filter(|_| matches!(state, Some(StateCategory::Resolved | StateCategory::Closed)));
        let received = within(&digest.receive_time);
        let resolved = standing.is_some_and(|episode| within(&episode.resolve_time));
        let working = || {
            let duration = standing.unwrap().working_duration.as_ref().unwrap();
            duration.seconds as f64 + f64::from(duration.nanos) / 1e9
        };
        let mut add = |clock: &str, part: f64, whole: Vec<f64>| {
            if part != 0.0 || !whole.is_empty() {
                let samples = groups.entry(group(fact, clock, dimension)).or_default();
                samples.part += part;
                samples.whole.extend(whole);
            }
        };
        match metric {
            "volume" if received => add("", 1.0, vec![1.0]),
            "share" if received => {
                all += 1.0;
                add("", 1.0, vec![1.0]);
            }
            "resolution_rate" => add(
                "",
                f64::from(u8::from(resolved)),
                if received && !rejected { vec![1.0] } else { Vec::new() },
            ),
            "resolution_rate_cohort" if received && !rejected => {
                add("", f64::from(u8::from(standing.is_some())), vec![1.0])
            }
            "resolution_time_mean" | "resolution_time_p50" | "resolution_time_p90" if resolved => {
                add("", working(), vec![working()])
            }
            "on_time_rate" => {
                for clock in &fact.clocks {
                    let met = clock.mark() == SlaMark::Met;
                    let decided = if met { clock.stop_time } else { breach(clock) };
                    if within(&decided) {
                        add(&clock.clock, f64::from(u8::from(met)), vec![1.0]);
                    }
                }
            }
            "satisfaction_mean" | "satisfaction_on_target" => {
                for episode in fact.episodes.iter().filter(|episode| within(&episode.answer_time)) {
                    let on_target = f64::from(u8::from(episode.satisfaction >= 4.0));
                    add(
                        "",
                        if metric == "satisfaction_mean" {
                            episode.satisfaction
                        } else {
                            on_target
                        },
                        vec![1.0],
                    );
                }
            }
            "reopen_rate" => {
                for episode in fact.episodes.iter().filter(|episode| within(&episode.resolve_time)) {
                    add("", f64::from(u8::from(episode.reopen_time.is_some())), vec![1.0]);
                }
            }
            "volume" | "share" | "resolution_rate_cohort" => {}
            "resolution_time_mean" | "resolution_time_p50" | "resolution_time_p90" => {}
            other => panic!("{other} is in the catalogue: say here what it is, from the facts"),
        }
    }
    if dimension.is_none() {
        groups.entry(String::new()).or_default();
    }
    groups
        .into_iter()
        .map(|(group, samples)| (group, value(metric, samples, all)))
        .collect()
}

fn breach(clock: &ClockFact) -> Option<prost_types::Timestamp> {
    clock.breach_time.or(if clock.mark() == SlaMark::StoppedLate {
        clock.stop_time
    } else {
        None
    })
}

fn value(metric: &str, mut samples: Samples, all: f64) -> Option<f64> {
    let count = samples.whole.len();
    samples.whole.sort_by(f64::total_cmp);
    let rank = |percent: usize| samples.whole.get((count * percent).div_ceil(100).max(1) - 1).copied();
    match metric {
        "volume" => Some(count as f64),
        "share" => (all > 0.0).then(|| count as f64 / all),
        "resolution_time_p50" => rank(50),
        "resolution_time_p90" => rank(90),
        _ => (count > 0).then(|| samples.part / count as f64),
    }
}

fn group(fact: &FeedbackFact, clock: &str, dimension: Option<Dimension>) -> String {
    let digest = fact.feedback.as_ref().unwrap();
    let classification = fact.classification.as_ref();
    let plain = |name: &str, prefix: &str| name.trim_start_matches(prefix).to_owned();
    let known = |name: String| if name == "UNSPECIFIED" { String::new() } else { name };
    match dimension {
        None => String::new(),
        Some(Dimension::Category) => classification.map(|found| found.category.clone()).unwrap_or_default(),
        Some(Dimension::Channel) => known(plain(digest.channel().as_str_name(), "CHANNEL_")),
        Some(Dimension::Priority) => {
            // The work order may know a later priority even where nothing is classified; facts show it with the classification.
            classification
                .and_then(|found| found.priority.clone())
                .map(|priority| priority.key)
                .unwrap_or_default()
        }
        Some(Dimension::Tier) => known(plain(digest.tier().as_str_name(), "CUSTOMER_TIER_")),
        Some(Dimension::ProductModel) => digest.product_model.clone(),
        Some(Dimension::Batch) => digest.batch.clone(),
        Some(Dimension::Team) => fact
            .work_order
            .as_ref()
            .map(|order| order.team.clone())
            .unwrap_or_default(),
        Some(Dimension::Clock) => clock.to_owned(),
        Some(Dimension::Unspecified) => unreachable!("no test asks for it"),
    }
}
