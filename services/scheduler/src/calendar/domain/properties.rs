//! What holds for any calendar and any moment.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{Calendar, DayDraft, Draft, HoursDraft, SpecialDraft};

const ZONES: [&str; 7] = [
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "America/St_Johns",
    "UTC",
];

fn hours(from: usize) -> impl Strategy<Value = Vec<HoursDraft>> {
    // An even number of distinct times makes intervals that do not overlap.
    prop::collection::btree_set(0..=96_u16, from..7).prop_map(|times| {
        let times: Vec<u16> = times.into_iter().collect();
        let text = |quarter: u16| format!("{:02}:{:02}", quarter / 4, quarter % 4 * 15);
        times
            .chunks_exact(2)
            .map(|pair| HoursDraft {
                start: text(pair[0]),
                end: text(pair[1]),
            })
            .collect()
    })
}

/// Calendars of all kinds; special days lie in the two years in which the moments do.
pub(crate) fn calendar() -> impl Strategy<Value = Calendar> {
    let week = prop::collection::btree_map(1..=7_i32, hours(2), 1..=7);
    let special = prop::collection::btree_map(0..730_i64, hours(0), 0..40);
    (prop::sample::select(ZONES.to_vec()), week, special).prop_map(|(zone, week, special)| {
        let first = jiff::civil::date(2026, 1, 1);
        let special_days = special.into_iter().map(|(day, hours)| SpecialDraft {
            date: first
                .checked_add(SignedDuration::from_hours(24 * day))
                .unwrap()
                .to_string(),
            display_name: "special".to_owned(),
            hours,
        });
        let weekly_hours = week.into_iter().map(|(day, hours)| DayDraft { day, hours }).collect();
        Draft {
            time_zone: zone.to_owned(),
            weekly_hours,
            special_days: special_days.collect(),
        }
        .try_into()
        .unwrap()
    })
}

/// A calendar that works without a break.
fn always(zone: &str) -> Calendar {
    let all_day = || {
        vec![HoursDraft {
            start: "00:00".to_owned(),
            end: "24:00".to_owned(),
        }]
    };
    let weekly_hours = (1..=7).map(|day| DayDraft { day, hours: all_day() }).collect();
    Draft {
        time_zone: zone.to_owned(),
        weekly_hours,
        special_days: vec![],
    }
    .try_into()
    .unwrap()
}

/// A moment of 2026 or 2027.
pub(crate) fn moment() -> impl Strategy<Value = Timestamp> {
    (1_767_225_600..1_830_297_600_i64).prop_map(|second| Timestamp::from_second(second).unwrap())
}

/// A moment around which the clocks are changed somewhere, in whole minutes.
fn around_a_change() -> impl Strategy<Value = Timestamp> {
    let changes = [
        "2026-03-29T00:00:00Z",
        "2026-10-25T00:00:00Z",
        "2026-03-08T06:00:00Z",
        "2026-11-01T05:00:00Z",
        "2026-10-03T15:00:00Z",
        "2026-04-23T21:00:00Z",
    ];
    (prop::sample::select(changes.to_vec()), -2000..500_i64)
        .prop_map(|(change, minutes)| change.parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minutes))
}

fn working() -> impl Strategy<Value = SignedDuration> {
    (0..20 * 24 * 3600_i64).prop_map(SignedDuration::from_secs)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn adding_working_time_and_measuring_it_are_inverse(calendar in calendar(), from in moment(), working in working()) {
        if let Ok(due) = calendar.add_working(from, working) {
            prop_assert_eq!(calendar.working_between(from, due), working);
            if working.is_positive() {
                // And it is the earliest such moment.
                let before = due - SignedDuration::from_micros(1);
                prop_assert!(calendar.working_between(from, before) < working);
            }
        }
    }

    #[test]
    fn the_parts_of_a_time_add_up(calendar in calendar(), a in moment(), b in moment(), c in moment()) {
        let mut moments = [a, b, c];
        moments.sort();
        let [a, b, c] = moments;
        prop_assert_eq!(calendar.working_between(a, b) + calendar.working_between(b, c), calendar.working_between(a, c));
        prop_assert!(calendar.working_between(a, c) <= a.duration_until(c));
    }

    #[test]
    fn adding_in_two_steps_is_adding_at_once(calendar in calendar(), from in moment(), first in working(), second in working()) {
        if let Ok(at_once) = calendar.add_working(from, first + second) {
            let between = calendar.add_working(from, first).unwrap();
            let in_steps = calendar.add_working(between, second).unwrap();
            // Nothing added to what was added leaves it where it was.
            prop_assert_eq!(in_steps, at_once);
        }
    }

    #[test]
    fn more_to_do_is_never_due_earlier(calendar in calendar(), from in moment(), less in working(), more in working()) {
        let (less, more) = (less.min(more), less.max(more));
        if let Ok(later) = calendar.add_working(from, more) {
            prop_assert!(calendar.add_working(from, less).unwrap() <= later);
        }
    }

    #[test]
    fn more_working_time_in_the_calendar_is_never_due_later(calendar in calendar(), from in moment(), working in working()) {
        if let Ok(due) = calendar.add_working(from, working) {
            prop_assert!(always(calendar.zone_name()).add_working(from, working).unwrap() <= due);
        }
    }

    #[test]
    fn working_time_is_what_the_wall_clock_says_minute_by_minute(calendar in calendar(), from in around_a_change(), minutes in 0..3000_i64) {
        let counted = (0..minutes).filter(|minute| {
            let wall = calendar.zone().to_datetime(from + SignedDuration::from_mins(*minute));
            let now = u16::try_from(i32::from(wall.hour()) * 60 + i32::from(wall.minute())).unwrap();
            calendar.hours(wall.date()).iter().any(|hours| (hours.from..hours.to).contains(&now))
        });
        let counted = SignedDuration::from_mins(i64::try_from(counted.count()).unwrap());
        prop_assert_eq!(calendar.working_between(from, from + SignedDuration::from_mins(minutes)), counted);
    }

    #[test]
    fn a_later_working_day_ends_later(calendar in calendar(), from in moment(), n in 1..30_u32) {
        if let Ok(later) = calendar.nth_working_day_end(from, n + 1) {
            let end = calendar.nth_working_day_end(from, n).unwrap();
            prop_assert!(from < end && end < later);
            let date = |time| calendar.zone().to_datetime(time).date();
            prop_assert!(date(from) < date(end - SignedDuration::from_micros(1)));
        }
    }

    #[test]
    fn a_stored_calendar_is_the_same_calendar(calendar in calendar()) {
        let stored = serde_json::to_value(&calendar).unwrap();
        prop_assert_eq!(serde_json::from_value::<Calendar>(stored).unwrap(), calendar);
    }

    #[test]
    fn no_text_makes_a_calendar_panic(zone in ".{0,20}", start in "[0-9:]{0,6}", end in ".{0,6}", date in "[0-9-]{0,11}", day in -3..12_i32) {
        let hours = vec![HoursDraft { start, end }];
        let weekly_hours = vec![DayDraft { day, hours: hours.clone() }];
        let special_days = vec![SpecialDraft { date, display_name: String::new(), hours }];
        let _ = Calendar::try_from(Draft { time_zone: zone, weekly_hours, special_days });
    }
}
