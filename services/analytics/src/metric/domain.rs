//! From sums to values: one row per group.

use std::collections::BTreeMap;

use super::catalogue::{Metric, Value};
use crate::rollup::domain::{Aggregate, Measure};

/// Sums are kept in millionths of the unit.
const MILLIONTHS: f64 = 1_000_000.0;

/// The values of the dimensions that a group is made of, in the order in which they were asked for.
pub(crate) type Group = Vec<String>;

/// What the rollups hold of each group.
pub(crate) type Sums = BTreeMap<Group, BTreeMap<Measure, Aggregate>>;

/// The value of a metric for one group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) group: Group,
    pub(crate) value: Option<f64>,
    pub(crate) numerator: f64,
    pub(crate) denominator: f64,
    pub(crate) samples: i64,
}

/// The rows of an answer, the group with the largest sample first, then by its values. Without dimensions there is exactly
/// one, whatever happened.
pub(crate) fn rows(metric: &Metric, dimensions: usize, mut sums: Sums, percentiles: &BTreeMap<Group, f64>) -> Vec<Row> {
    if dimensions == 0 {
        sums.entry(Vec::new()).or_default();
    }
    let wholes = wholes(metric, &sums);
    let mut rows: Vec<Row> = sums
        .into_iter()
        .map(|(group, sums)| {
            let of = |measure| sums.get(&measure).copied().unwrap_or_default();
            let (numerator, denominator, samples) = match metric.value {
                Value::Count(measure) => (number(of(measure).count), 1.0, of(measure).count),
                Value::Share(measure) => (
                    number(of(measure).count),
                    number(*wholes.get(above(&group)).unwrap_or(&0)),
                    of(measure).count,
                ),
                Value::Ratio(part, whole) => {
                    let whole: i64 = whole.iter().map(|measure| of(*measure).count).sum();
                    (number(of(part).count), number(whole), whole)
                }
                Value::Mean(measure) => (
                    number(of(measure).sum) / MILLIONTHS,
                    number(of(measure).count),
                    of(measure).count,
                ),
                Value::Percentile(measure, _) => {
                    let value = percentiles.get(&group).map(|value| value / MILLIONTHS);
                    (
                        value.unwrap_or(0.0),
                        if value.is_some() { 1.0 } else { 0.0 },
                        of(measure).count,
                    )
                }
            };
            let value = (denominator != 0.0).then(|| numerator / denominator);
            Row {
                group,
                value,
                numerator,
                denominator,
                samples,
            }
        })
        // A group without a sample that something was divided by zero for is told all the same: what was resolved while
        // nothing was received is not lost.
        .filter(|row| dimensions == 0 || row.samples != 0 || row.numerator != 0.0)
        .collect();
    rows.sort_by(|one, other| {
        other
            .samples
            .cmp(&one.samples)
            .then_with(|| one.group.cmp(&other.group))
    });
    rows
}

/// Of a share: how many there are in each group that all but the last dimension make.
fn wholes(metric: &Metric, sums: &Sums) -> BTreeMap<Group, i64> {
    let mut wholes = BTreeMap::new();
    if let Value::Share(measure) = metric.value {
        for (group, sums) in sums {
            *wholes.entry(above(group).to_vec()).or_insert(0) +=
                sums.get(&measure).map_or(0, |aggregate| aggregate.count);
        }
    }
    wholes
}

fn above(group: &[String]) -> &[String] {
    &group[..group.len().saturating_sub(1)]
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2⁵³; microseconds of 285 years")]
fn number(whole: i64) -> f64 {
    whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(values: &[&str]) -> Group {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    fn counted(entries: &[(&[&str], Measure, i64, i64)]) -> Sums {
        let mut sums = Sums::new();
        for (values, measure, count, sum) in entries {
            sums.entry(group(values)).or_default().insert(
                *measure,
                Aggregate {
                    count: *count,
                    sum: *sum,
                },
            );
        }
        sums
    }

    fn answer(key: &str, dimensions: usize, sums: Sums) -> Vec<(Group, Option<f64>, i64)> {
        let rows = rows(Metric::find(key).unwrap(), dimensions, sums, &BTreeMap::new());
        rows.into_iter()
            .map(|row| (row.group, row.value, row.samples))
            .collect()
    }

    #[test]
    fn a_nested_share_is_a_part_of_the_group_above() {
        let sums = counted(&[
            (&["EMAIL", "a"], Measure::Received, 3, 0),
            (&["EMAIL", "b"], Measure::Received, 1, 0),
            (&["PHONE", "a"], Measure::Received, 2, 0),
        ]);
        assert_eq!(
            answer("share", 2, sums),
            [
                (group(&["EMAIL", "a"]), Some(0.75), 3),
                (group(&["PHONE", "a"]), Some(1.0), 2),
                (group(&["EMAIL", "b"]), Some(0.25), 1)
            ]
        );
    }

    #[test]
    fn nothing_at_all_is_a_count_of_zero_and_no_rate() {
        assert_eq!(answer("volume", 0, Sums::new()), [(group(&[]), Some(0.0), 0)]);
        assert_eq!(answer("resolution_rate", 0, Sums::new()), [(group(&[]), None, 0)]);
        assert_eq!(answer("volume", 1, Sums::new()), []);
    }

    #[test]
    fn an_open_clock_that_is_overdue_counts_against_the_rate() {
        let sums = counted(&[
            (&["resolve"], Measure::ClockMet, 3, 0),
            (&["resolve"], Measure::ClockBreached, 1, 0),
        ]);
        assert_eq!(answer("on_time_rate", 1, sums), [(group(&["resolve"]), Some(0.75), 4)]);
    }

    #[test]
    fn a_mean_is_in_its_unit() {
        let sums = counted(&[(&[], Measure::Answer, 2, 7_500_000)]);
        assert_eq!(answer("satisfaction_mean", 0, sums), [(group(&[]), Some(3.75), 2)]);
    }

    #[test]
    fn what_was_resolved_while_nothing_was_received_is_told_without_a_rate() {
        let sums = counted(&[(&["x"], Measure::Resolved, 2, 0)]);
        let rows = rows(Metric::find("resolution_rate").unwrap(), 1, sums, &BTreeMap::new());
        assert_eq!(
            (rows[0].value, rows[0].numerator, rows[0].denominator),
            (None, 2.0, 0.0)
        );
    }
}
