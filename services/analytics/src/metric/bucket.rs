//! Hours, days, weeks, months and quarters in the wall clock of a time zone.

use jiff::{RoundMode, SignedDuration, Timestamp, ToSpan as _, Unit, Zoned, ZonedRound, civil::Date, tz::TimeZone};

/// How long a bucket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bucket {
    Hour,
    Day,
    Week,
    Month,
    Quarter,
}

/// The buckets that `start` to `end` is divided into, the first and the last cut by them; `None` where there are more than `limit`.
pub(crate) fn buckets(
    start: Timestamp,
    end: Timestamp,
    bucket: Bucket,
    zone: &TimeZone,
    limit: usize,
) -> Option<Vec<(Timestamp, Timestamp)>> {
    let mut buckets = Vec::new();
    let mut at = start;
    while at < end {
        if buckets.len() == limit {
            return None;
        }
        // At the ends of the calendar there is no next bucket: the last one then ends where all ends.
        let next = next(at, bucket, zone)
            .filter(|next| *next > at)
            .map_or(end, |next| next.min(end));
        buckets.push((at, next));
        at = next;
    }
    Some(buckets)
}

/// When the bucket after that of `time` begins.
fn next(time: Timestamp, bucket: Bucket, zone: &TimeZone) -> Option<Timestamp> {
    let local = time.to_zoned(zone.clone());
    if bucket == Bucket::Hour {
        return next_hour(&local);
    }
    let date = local.date();
    let date = match bucket {
        Bucket::Hour | Bucket::Day => date.tomorrow().ok()?,
        Bucket::Week => date
            .checked_add((7 - i64::from(date.weekday().to_monday_zero_offset())).days())
            .ok()?,
        Bucket::Month => date.first_of_month().checked_add(1.month()).ok()?,
        Bucket::Quarter => {
            let first = Date::new(date.year(), (date.month() - 1) / 3 * 3 + 1, 1).ok()?;
            first.checked_add(3.months()).ok()?
        }
    };
    // A midnight that the clock leaps over is the moment after the leap.
    Some(date.to_zoned(zone.clone()).ok()?.timestamp())
}

/// The hour that comes twice is two buckets.
fn next_hour(local: &Zoned) -> Option<Timestamp> {
    let hour = SignedDuration::from_hours(1);
    let floor = ZonedRound::new().smallest(Unit::Hour).mode(RoundMode::Trunc);
    let later = local.checked_add(hour).ok()?;
    let floored = later.round(floor).ok()?;
    // Where the offset changes by half an hour, the wall clock's hour may begin before the present one.
    Some(if floored.timestamp() > local.timestamp() {
        floored.timestamp()
    } else {
        later.timestamp()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(start: &str, end: &str, bucket: Bucket, zone: &str) -> Vec<String> {
        let zone = TimeZone::get(zone).unwrap();
        let buckets = buckets(start.parse().unwrap(), end.parse().unwrap(), bucket, &zone, 1000).unwrap();
        assert!(buckets.windows(2).all(|pair| pair[0].1 == pair[1].0));
        buckets.iter().map(|(start, _)| start.to_string()).collect()
    }

    #[test]
    fn a_day_in_shanghai_begins_at_sixteen_hours_utc() {
        assert_eq!(
            found(
                "2026-03-01T10:00:00Z",
                "2026-03-03T00:00:00Z",
                Bucket::Day,
                "Asia/Shanghai"
            ),
            ["2026-03-01T10:00:00Z", "2026-03-01T16:00:00Z", "2026-03-02T16:00:00Z"]
        );
    }

    #[test]
    fn a_day_on_which_the_clock_changes_has_23_or_25_hours() {
        assert_eq!(
            found(
                "2026-03-28T23:00:00Z",
                "2026-03-30T22:00:00Z",
                Bucket::Day,
                "Europe/Berlin"
            ),
            ["2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"]
        );
        assert_eq!(
            found(
                "2026-10-24T22:00:00Z",
                "2026-10-26T23:00:00Z",
                Bucket::Day,
                "Europe/Berlin"
            ),
            ["2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"]
        );
    }

    #[test]
    fn the_hour_that_comes_twice_is_two_buckets() {
        assert_eq!(
            found(
                "2026-11-01T04:30:00Z",
                "2026-11-01T08:00:00Z",
                Bucket::Hour,
                "America/New_York"
            ),
            [
                "2026-11-01T04:30:00Z",
                "2026-11-01T05:00:00Z",
                "2026-11-01T06:00:00Z",
                "2026-11-01T07:00:00Z"
            ]
        );
        let half_hour = found(
            "2026-04-04T14:00:00Z",
            "2026-04-04T17:00:00Z",
            Bucket::Hour,
            "Australia/Lord_Howe",
        );
        assert!(half_hour.len() >= 3, "{half_hour:?}");
    }

    #[test]
    fn weeks_begin_on_monday_and_quarters_in_january() {
        assert_eq!(
            found("2026-01-01T00:00:00Z", "2026-01-13T00:00:00Z", Bucket::Week, "UTC"),
            ["2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z"]
        );
        assert_eq!(
            found(
                "2025-12-31T16:00:00Z",
                "2026-07-31T16:00:00Z",
                Bucket::Quarter,
                "Asia/Shanghai"
            ),
            ["2025-12-31T16:00:00Z", "2026-03-31T16:00:00Z", "2026-06-30T16:00:00Z"]
        );
        assert_eq!(
            found("2026-01-31T00:00:00Z", "2026-03-01T00:00:00Z", Bucket::Month, "UTC").len(),
            2
        );
    }

    #[test]
    fn too_many_buckets_are_not_made() {
        let zone = TimeZone::UTC;
        assert!(buckets(Timestamp::MIN, Timestamp::MAX, Bucket::Hour, &zone, 1000).is_none());
        assert!(
            buckets(Timestamp::MAX, Timestamp::MAX, Bucket::Day, &zone, 1000)
                .unwrap()
                .is_empty()
        );
    }

    proptest::proptest! {
        #[test]
        fn buckets_of_any_zone_follow_each_other(
            start in 0i64..2_000_000_000, length in 1i64..4_000_000, zone in 0usize..6, bucket in 0usize..5,
        ) {
            let zone = ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo"][zone];
            let bucket = [Bucket::Hour, Bucket::Day, Bucket::Week, Bucket::Month, Bucket::Quarter][bucket];
            let (start, end) = (Timestamp::from_second(start).unwrap(), Timestamp::from_second(start + length).unwrap());
            let buckets = buckets(start, end, bucket, &TimeZone::get(zone).unwrap(), 100_000).unwrap();
            proptest::prop_assert_eq!((buckets[0].0, buckets[buckets.len() - 1].1), (start, end));
            for pair in buckets.windows(2) {
                proptest::prop_assert!(pair[0].0 < pair[0].1 && pair[0].1 == pair[1].0);
            }
        }
    }
}
