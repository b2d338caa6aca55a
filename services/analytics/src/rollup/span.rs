//! The grains of the rollups, and how a stretch of time is put together from the coarsest of them.

use jiff::Timestamp;

/// A quarter of an hour: every time zone's days begin on one.
const QUARTER_US: i64 = 15 * 60 * 1_000_000;
const DAY_US: i64 = 24 * 3600 * 1_000_000;

/// How much time a row of the rollups stands for. Numbers stay: they are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i16)]
pub(crate) enum Grain {
    Quarter = 1,
    /// In UTC.
    Day = 2,
}

/// Rows of one grain from `start` on and before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) grain: Grain,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
}

/// The quarter of an hour in which a moment lies.
pub(crate) fn quarter(time: Timestamp) -> Timestamp {
    floor(time, QUARTER_US)
}

/// The day in UTC in which a moment lies.
pub(crate) fn day(time: Timestamp) -> Timestamp {
    floor(time, DAY_US)
}

/// Whole days where there are any, quarters of an hour before and after.
pub(crate) fn spans(start: Timestamp, end: Timestamp) -> Vec<Span> {
    let first_day = floor_us(start.as_microsecond() + DAY_US - 1, DAY_US);
    let last_day = floor_us(end.as_microsecond(), DAY_US);
    let parts = if first_day < last_day {
        let (first_day, last_day) = (moment(first_day, start), moment(last_day, end));
        vec![
            (Grain::Quarter, start, first_day),
            (Grain::Day, first_day, last_day),
            (Grain::Quarter, last_day, end),
        ]
    } else {
        vec![(Grain::Quarter, start, end)]
    };
    parts
        .into_iter()
        .filter(|(_, start, end)| start < end)
        .map(|(grain, start, end)| Span { grain, start, end })
        .collect()
}

fn floor(time: Timestamp, us: i64) -> Timestamp {
    moment(floor_us(time.as_microsecond(), us), time)
}

fn floor_us(time: i64, us: i64) -> i64 {
    time.div_euclid(us) * us
}

/// The moment; `otherwise` only at the ends of the calendar, where there is none.
fn moment(microsecond: i64, otherwise: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(microsecond).unwrap_or(otherwise)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_in_shanghai_is_mostly_whole_days() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let spans = spans(time("2026-02-28T16:00:00Z"), time("2026-03-31T16:00:00Z"));
        let found: Vec<_> = spans
            .iter()
            .map(|span| (span.grain, span.start.to_string(), span.end.to_string()))
            .collect();
        let expected = [
            (Grain::Quarter, "2026-02-28T16:00:00Z", "2026-03-01T00:00:00Z"),
            (Grain::Day, "2026-03-01T00:00:00Z", "2026-03-31T00:00:00Z"),
            (Grain::Quarter, "2026-03-31T00:00:00Z", "2026-03-31T16:00:00Z"),
        ];
        assert_eq!(
            found,
            expected.map(|(grain, start, end)| (grain, start.to_owned(), end.to_owned()))
        );
    }

    #[test]
    fn the_ends_of_the_calendar_do_not_panic() {
        assert!(!spans(Timestamp::MIN, Timestamp::MAX).is_empty());
        quarter(Timestamp::MIN);
    }

    proptest::proptest! {
        #[test]
        fn every_quarter_is_in_exactly_one_span(start in -2000i64..2000, length in 0i64..2000, probe in -2500i64..4500) {
            let time = |quarter: i64| Timestamp::from_microsecond(quarter * QUARTER_US).unwrap();
            let spans = spans(time(start), time(start + length));
            let found = spans.iter().filter(|span| {
                let row = if span.grain == Grain::Day { day(time(probe)) } else { time(probe) };
                span.start <= row && row < span.end
            });
            proptest::prop_assert_eq!(found.count() == 1, (start..start + length).contains(&probe));
        }
    }
}
