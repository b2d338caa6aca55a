//! Logarithmic classes of durations: percentiles of any number of samples, within one per cent, from counts that can be
//! added and taken back.

/// Each level ends this much further than the one before: (1 + 0.01) ÷ (1 − 0.01), so that its middle is within 1 % of all in it.
const GROWTH: f64 = 1.01 / 0.99;

/// The level of a duration in microseconds; 0 is the level of nothing.
pub(crate) fn of(microseconds: i64) -> i16 {
    if microseconds <= 0 {
        return 0;
    }
    #[expect(clippy::cast_precision_loss, reason = "a level is a hundredth wide")]
    let level = 1.0 + ((microseconds as f64).ln() / GROWTH.ln()).ceil();
    #[expect(clippy::cast_possible_truncation, reason = "the largest duration has level 2185")]
    let level = level as i16;
    level
}

/// The duration in microseconds that stands for all of a level.
pub(crate) fn value(level: i16) -> f64 {
    if level <= 0 {
        return 0.0;
    }
    2.0 * GROWTH.powi(i32::from(level) - 1) / (GROWTH + 1.0)
}

/// The value at the nearest rank of `percentile` (0 … 100) among samples counted by level, in order of level.
pub(crate) fn percentile(levels: &[(i16, i64)], percentile: f64) -> Option<f64> {
    let samples: i64 = levels.iter().map(|(_, count)| count).sum();
    let rank = nearest_rank(samples, percentile)?;
    let mut seen = 0;
    for (level, count) in levels {
        seen += count;
        if seen >= rank {
            return Some(value(*level));
        }
    }
    None
}

/// Which of `samples` values in order is the percentile: the first that has at least that part at or below it.
fn nearest_rank(samples: i64, percentile: f64) -> Option<i64> {
    if samples <= 0 {
        return None;
    }
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "exact up to 2⁵³ samples"
    )]
    let rank = (percentile / 100.0 * samples as f64).ceil() as i64;
    Some(rank.clamp(1, samples))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_duration_has_a_level() {
        assert_eq!(of(i64::MAX), 2185);
    }

    proptest::proptest! {
        #[test]
        fn a_level_is_within_one_per_cent_of_all_in_it(microseconds in 1i64..=10_000_000_000_000) {
            let error = (value(of(microseconds)) - microseconds as f64).abs() / microseconds as f64;
            proptest::prop_assert!(error <= 0.0100001, "{microseconds}: {error}");
        }

        #[test]
        fn a_percentile_is_within_one_per_cent_of_the_nearest_rank(mut values in proptest::collection::vec(1i64..1_000_000_000_000, 1..200), part in 1u32..=100) {
            let mut levels = std::collections::BTreeMap::new();
            for value in &values {
                *levels.entry(of(*value)).or_insert(0i64) += 1;
            }
            values.sort_unstable();
            let part = f64::from(part);
            let rank = nearest_rank(i64::try_from(values.len()).unwrap(), part).unwrap();
            let exact = values[usize::try_from(rank - 1).unwrap()] as f64;
            let levels: Vec<_> = levels.into_iter().collect();
            let found = percentile(&levels, part).unwrap();
            proptest::prop_assert!((found - exact).abs() <= exact * 0.0100001, "{found} for {exact}");
        }
    }
}
