//! Working time by examples: lunch, weekends, the National Day week with its make-up Saturday, half days, changes of
//! the clocks.

use jiff::{SignedDuration, Timestamp, civil::DateTime};

use super::{Calendar, CalendarError, DayDraft, Draft, HoursDraft, Problems, SpecialDraft};

pub(super) fn hours(all: &[(&str, &str)]) -> Vec<HoursDraft> {
    all.iter()
        .map(|(start, end)| HoursDraft {
            start: (*start).to_owned(),
            end: (*end).to_owned(),
        })
        .collect()
}

fn day(day: i32, all: &[(&str, &str)]) -> DayDraft {
    DayDraft { day, hours: hours(all) }
}

fn special(date: &str, display_name: &str, all: &[(&str, &str)]) -> SpecialDraft {
    SpecialDraft {
        date: date.to_owned(),
        display_name: display_name.to_owned(),
        hours: hours(all),
    }
}

const OFFICE: &[(&str, &str)] = &[("09:00", "12:00"), ("13:00", "18:00")];

/// The built-in week in Shanghai with the National Day week of 2026 (1–7 October; work on Saturday 10 October) and a
/// half day at the end of the year.
pub(crate) fn shanghai_2026() -> Calendar {
    let mut draft = Draft::from(Calendar::built_in());
    draft.special_days = (1..=7)
        .map(|day| special(&format!("2026-10-0{day}"), "国庆节", &[]))
        .collect();
    draft.special_days.push(special("2026-10-10", "国庆节调休", OFFICE));
    draft
        .special_days
        .push(special("2026-12-31", "半日", &[("09:00", "12:00")]));
    draft.try_into().unwrap()
}

fn calendar(zone: &str, week: &[DayDraft]) -> Calendar {
    Draft {
        time_zone: zone.to_owned(),
        weekly_hours: week.to_vec(),
        special_days: vec![],
    }
    .try_into()
    .unwrap()
}

/// A moment by the wall clock of the calendar's zone.
pub(crate) fn at(calendar: &Calendar, wall: &str) -> Timestamp {
    wall.parse::<DateTime>()
        .unwrap()
        .to_zoned(calendar.zone().clone())
        .unwrap()
        .timestamp()
}

fn wall(calendar: &Calendar, time: Timestamp) -> String {
    calendar.zone().to_datetime(time).strftime("%Y-%m-%dT%H:%M").to_string()
}

fn added(calendar: &Calendar, from: &str, minutes: i64) -> String {
    wall(
        calendar,
        calendar
            .add_working(at(calendar, from), SignedDuration::from_mins(minutes))
            .unwrap(),
    )
}

fn between(calendar: &Calendar, from: &str, to: &str) -> i64 {
    calendar.working_between(at(calendar, from), at(calendar, to)).as_mins()
}

/// Split shifts.
#[test]
fn lunch_does_not_count() {
    let calendar = Calendar::built_in();
    assert_eq!(added(&calendar, "2026-03-02T11:30", 60), "2026-03-02T13:30");
    assert_eq!(added(&calendar, "2026-03-02T12:10", 15), "2026-03-02T13:15");
    assert_eq!(between(&calendar, "2026-03-02T09:00", "2026-03-02T18:00"), 8 * 60);
}

#[test]
fn the_end_of_a_day_is_still_that_day() {
    let calendar = Calendar::built_in();
    assert_eq!(added(&calendar, "2026-03-02T17:00", 60), "2026-03-02T18:00");
    assert_eq!(added(&calendar, "2026-03-02T17:00", 61), "2026-03-03T09:01");
    assert_eq!(added(&calendar, "2026-03-02T20:00", 0), "2026-03-02T20:00");
}

#[test]
fn nights_and_weekends_do_not_count() {
    let calendar = Calendar::built_in();
    assert_eq!(added(&calendar, "2026-03-06T17:30", 60), "2026-03-09T09:30");
    assert_eq!(added(&calendar, "2026-03-07T10:00", 60), "2026-03-09T10:00");
    assert_eq!(between(&calendar, "2026-03-06T18:00", "2026-03-09T09:00"), 0);
    assert_eq!(between(&calendar, "2026-03-09T09:00", "2026-03-06T18:00"), 0);
}

/// Make-up working days are needed in China (调休).
#[test]
fn the_national_day_week_is_free_and_its_make_up_saturday_is_not() {
    let calendar = shanghai_2026();
    assert_eq!(added(&calendar, "2026-09-30T17:00", 120), "2026-10-08T10:00");
    assert_eq!(between(&calendar, "2026-10-01T00:00", "2026-10-08T00:00"), 0);
    assert_eq!(between(&calendar, "2026-10-10T00:00", "2026-10-11T00:00"), 8 * 60);
    assert_eq!(added(&calendar, "2026-10-09T17:30", 60), "2026-10-10T09:30");
}

#[test]
fn working_days_are_counted_from_the_day_after() {
    let calendar = shanghai_2026();
    let nth = |from: &str, n| wall(&calendar, calendar.nth_working_day_end(at(&calendar, from), n).unwrap());
    // Before work, within, and after work of a day: the same.
    for time in ["00:00", "10:00", "23:59"] {
        assert_eq!(nth(&format!("2026-03-02T{time}"), 3), "2026-03-05T18:00");
    }
    assert_eq!(nth("2026-03-02T10:00", 7), "2026-03-11T18:00");
    assert_eq!(nth("2026-03-07T10:00", 1), "2026-03-09T18:00", "a Saturday");
    assert_eq!(
        nth("2026-09-30T10:00", 3),
        "2026-10-10T18:00",
        "8, 9 and the make-up Saturday"
    );
    assert_eq!(nth("2026-09-30T10:00", 7), "2026-10-15T18:00");
}

#[test]
fn a_half_day_ends_at_noon_and_is_a_working_day() {
    let calendar = shanghai_2026();
    assert_eq!(between(&calendar, "2026-12-31T00:00", "2027-01-01T00:00"), 3 * 60);
    assert_eq!(added(&calendar, "2026-12-31T11:30", 60), "2027-01-01T09:30");
    let end = calendar
        .nth_working_day_end(at(&calendar, "2026-12-30T10:00"), 1)
        .unwrap();
    assert_eq!(wall(&calendar, end), "2026-12-31T12:00");
}

/// Both changes of 2026 in Berlin are on a Sunday: 29 March 02:00 → 03:00, 25 October 03:00 → 02:00.
#[test]
fn an_hour_that_does_not_exist_counts_nothing_and_one_that_comes_twice_counts_twice() {
    let sunday = |all| calendar("Europe/Berlin", &[day(7, all)]);
    let spring = |calendar: &Calendar| between(calendar, "2026-03-29T00:00", "2026-03-30T00:00");
    let autumn = |calendar: &Calendar| between(calendar, "2026-10-25T00:00", "2026-10-26T00:00");

    let all_day = sunday(&[("00:00", "24:00")]);
    assert_eq!((spring(&all_day), autumn(&all_day)), (23 * 60, 25 * 60));
    let night = sunday(&[("01:00", "04:00")]);
    assert_eq!((spring(&night), autumn(&night)), (2 * 60, 4 * 60));
    let half = sunday(&[("02:30", "04:00")]);
    assert_eq!((spring(&half), autumn(&half)), (60, 120));
    let gone = sunday(&[("02:00", "02:30")]);
    assert_eq!((spring(&gone), autumn(&gone)), (0, 60));
    // Where none of its hours exist, a day is none that could be counted.
    let end = gone.nth_working_day_end(at(&gone, "2026-03-28T00:00"), 1).unwrap();
    assert_eq!(wall(&gone, end), "2026-04-05T02:30");
}

#[test]
fn a_deadline_across_a_change_of_the_clocks_keeps_its_working_time() {
    let calendar = calendar(
        "Europe/Berlin",
        &(1..=7)
            .map(|weekday| day(weekday, &[("00:00", "24:00")]))
            .collect::<Vec<_>>(),
    );
    assert_eq!(added(&calendar, "2026-03-28T12:00", 24 * 60), "2026-03-29T13:00");
    assert_eq!(added(&calendar, "2026-10-24T12:00", 24 * 60), "2026-10-25T11:00");
}

/// In Cairo the clocks go from 00:00 to 01:00, in Lord Howe by half an hour only.
#[test]
fn changes_at_midnight_and_by_half_an_hour_are_kept() {
    let week: Vec<DayDraft> = (1..=7).map(|weekday| day(weekday, &[("00:00", "24:00")])).collect();
    assert_eq!(
        between(&calendar("Africa/Cairo", &week), "2026-04-24T01:00", "2026-04-25T00:00"),
        23 * 60
    );
    assert_eq!(
        between(
            &calendar("Australia/Lord_Howe", &week),
            "2026-10-04T00:00",
            "2026-10-05T00:00"
        ),
        23 * 60 + 30
    );
}

/// A horizon error instead of an endless loop.
#[test]
fn a_deadline_beyond_ten_years_is_out_of_reach() {
    let calendar = calendar("Asia/Shanghai", &[day(1, &[("09:00", "09:01")])]);
    let from = at(&calendar, "2026-03-02T09:00");
    assert_eq!(
        calendar.add_working(from, SignedDuration::from_hours(24)),
        Err(CalendarError::OutOfReach)
    );
    assert_eq!(calendar.nth_working_day_end(from, 1000), Err(CalendarError::OutOfReach));
    assert!(calendar.nth_working_day_end(from, 500).is_ok());
    assert_eq!(
        calendar.add_working(Timestamp::MAX, SignedDuration::from_secs(1)),
        Err(CalendarError::OutOfReach)
    );
    assert_eq!(
        calendar.working_between(Timestamp::MIN, Timestamp::MIN),
        SignedDuration::ZERO
    );
}

#[test]
fn a_usual_day_is_as_long_as_most_days_are() {
    assert_eq!(Calendar::built_in().usual_day(), SignedDuration::from_hours(8));
    let week = [
        day(1, &[("09:00", "18:00")]),
        day(2, &[("09:00", "12:00")]),
        day(3, &[("09:00", "12:00")]),
        day(4, &[("08:00", "17:00")]),
    ];
    assert_eq!(
        calendar("Asia/Shanghai", &week).usual_day(),
        SignedDuration::from_hours(9),
        "of equally many, the longest"
    );
}

#[test]
fn a_free_stretch_is_called_by_its_holidays() {
    let calendar = shanghai_2026();
    let note = |from: &str, to: &str| calendar.idle_note(at(&calendar, from), at(&calendar, to));
    assert_eq!(note("2026-09-30T18:00", "2026-10-08T09:00"), "国庆节");
    assert_eq!(note("2026-03-06T18:00", "2026-03-09T09:00"), "not working time");
}

#[test]
fn every_entry_that_does_not_fit_is_named_at_once() {
    let draft = Draft {
        time_zone: "Asia/Peking".to_owned(),
        weekly_hours: vec![
            day(1, &[("09:00", "12:00"), ("11:00", "18:00")]),
            day(1, &[("09:00", "12:00")]),
            day(2, &[("18:00", "09:00")]),
            day(8, &[("09:00", "12:00")]),
            day(3, &[]),
            day(4, &[("9:00", "25:00")]),
        ],
        special_days: vec![
            special("2026-02-30", "", &[]),
            special("2026-10-01", "", &[]),
            special("2026-10-01", "", &[("12:00", "12:00")]),
        ],
    };
    let Problems(problems) = Calendar::try_from(draft).unwrap_err();
    let fields: Vec<&str> = problems.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "time_zone",
            "weekly_hours[0].hours[1].start",
            "weekly_hours[1].day",
            "weekly_hours[2].hours[0].end",
            "weekly_hours[3].day",
            "weekly_hours[4].hours",
            "weekly_hours[5].hours[0].start",
            "weekly_hours[5].hours[0].end",
            "special_days[0].date",
            "special_days[2].hours[0].end",
            "special_days[2].date",
        ]
    );
}

#[test]
fn a_calendar_without_any_working_time_is_refused() {
    let draft = Draft {
        time_zone: "UTC".to_owned(),
        weekly_hours: vec![],
        special_days: vec![],
    };
    let Problems(problems) = Calendar::try_from(draft).unwrap_err();
    assert_eq!(
        problems,
        [("weekly_hours".to_owned(), "there is no working time at all".to_owned())]
    );
}

#[test]
fn a_calendar_is_stored_as_people_write_it() {
    let calendar = shanghai_2026();
    let stored = serde_json::to_string(&calendar).unwrap();
    assert!(
        stored.contains(r#"{"date":"2026-10-01","display_name":"国庆节","hours":[]}"#),
        "{stored}"
    );
    assert_eq!(serde_json::from_str::<Calendar>(&stored).unwrap(), calendar);
}
