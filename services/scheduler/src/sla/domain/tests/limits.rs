//! The time limits of the sources, each with its numbers.

use super::*;

fn built_in(rank: i32, clock: &str, start: &str) -> String {
    let calendar = Calendar::built_in();
    let facts = Facts {
        priority_rank: rank,
        ..Facts::default()
    };
    let clocks = open(&Policy::built_in(), &facts, at(&calendar, start));
    let clock = clocks.iter().find(|found| found.key == clock).unwrap();
    wall(&calendar, deadline(clock, &calendar).unwrap().unwrap())
}

/// 003-71: critical 8 h, urgent 24 h, normal 48 h by the clock on the wall; 000-31: below that 7 working days.
#[test]
fn resolution_takes_8_24_48_hours_or_7_working_days() {
    let friday = "2026-03-06T17:00";
    assert_eq!(built_in(0, "resolve", friday), "2026-03-07T01:00");
    assert_eq!(built_in(1, "resolve", friday), "2026-03-07T17:00");
    assert_eq!(built_in(2, "resolve", friday), "2026-03-08T17:00");
    assert_eq!(built_in(3, "resolve", friday), "2026-03-17T18:00");
    assert_eq!(built_in(9, "resolve", friday), "2026-03-17T18:00");
}

/// 002-30: first response in 1, 24 and 48 h; 003-05: accepted in 2 h.
#[test]
fn a_first_response_takes_1_24_or_48_hours_and_accepting_2() {
    let start = "2026-03-02T09:00";
    assert_eq!(built_in(0, "first_response", start), "2026-03-02T10:00");
    assert_eq!(built_in(1, "first_response", start), "2026-03-03T09:00");
    assert_eq!(built_in(2, "first_response", start), "2026-03-03T09:00");
    assert_eq!(built_in(3, "first_response", start), "2026-03-04T09:00");
    assert_eq!(built_in(0, "acknowledge", start), "2026-03-02T11:00");
}

/// 000-31: urgent 24 h, high 3 and middle 7 working days, low without a limit.
#[test]
fn a_response_takes_24_hours_or_3_or_7_working_days_and_some_have_no_limit() {
    let respond = |key: &str, rank, target| {
        let condition = Condition {
            priority_ranks: vec![rank],
            ..Condition::default()
        };
        rule(key, "respond", condition, target)
    };
    let policy = Policy {
        clocks: vec![definition("respond")],
        rules: vec![
            respond("urgent", 0, hours(24, TimeBasis::Calendar)),
            respond("high", 1, days(3)),
            respond("middle", 2, days(7)),
        ],
    };
    assert_eq!(policy.problems(), []);
    let calendar = shanghai_2026();
    let start = at(&calendar, "2026-09-30T10:00");
    let due = |rank| {
        let clock = open(
            &policy,
            &Facts {
                priority_rank: rank,
                ..Facts::default()
            },
            start,
        )
        .remove(0);
        assert_eq!(clock.is_held(), rank < 3);
        deadline(&clock, &calendar).unwrap().map(|due| wall(&calendar, due))
    };
    assert_eq!(due(0).as_deref(), Some("2026-10-01T10:00"));
    assert_eq!(due(1).as_deref(), Some("2026-10-10T18:00"));
    assert_eq!(due(2).as_deref(), Some("2026-10-15T18:00"));
    // A work order without any limit is possible.
    assert_eq!(due(3), None);
}

/// 002-31: by category 48 h, 72 h, 3 working days; 004: social media in 2 h (C-04).
#[test]
fn targets_depend_on_category_and_channel() {
    let category = |category: &str| Condition {
        categories: vec![category.to_owned()],
        ..Condition::default()
    };
    let social = Condition {
        channels: vec![6],
        ..Condition::default()
    };
    let policy = Policy {
        clocks: vec![definition("resolve"), definition("first_response")],
        rules: vec![
            rule(
                "logistics",
                "resolve",
                category("logistics"),
                hours(48, TimeBasis::Calendar),
            ),
            rule(
                "quality",
                "resolve",
                category("quality"),
                hours(72, TimeBasis::Calendar),
            ),
            rule("service", "resolve", category("service"), days(3)),
            rule("social", "first_response", social, hours(2, TimeBasis::Calendar)),
            rule(
                "other",
                "first_response",
                Condition::default(),
                hours(24, TimeBasis::Calendar),
            ),
        ],
    };
    let calendar = Calendar::built_in();
    let start: Timestamp = at(&calendar, "2026-03-02T10:00");
    let due = |category: &str, channel, clock: usize| {
        let facts = Facts {
            category: category.to_owned(),
            channel,
            ..Facts::default()
        };
        let clock = open(&policy, &facts, start).remove(clock);
        deadline(&clock, &calendar)
            .unwrap()
            .map(|due| wall(&calendar, due))
            .unwrap_or_default()
    };
    assert_eq!(due("logistics.late", 1, 0), "2026-03-04T10:00");
    assert_eq!(due("quality", 1, 0), "2026-03-05T10:00");
    assert_eq!(due("service.attitude", 1, 0), "2026-03-05T18:00");
    assert_eq!(due("service", 6, 1), "2026-03-02T12:00");
    assert_eq!(due("service", 5, 1), "2026-03-03T10:00");
}

/// C-06: the same days by both rules, and hours in both times.
#[test]
fn a_target_says_in_which_time_it_is_meant() {
    let calendar = shanghai_2026();
    let friday = "2026-03-06T10:00";
    assert_eq!(due(&calendar, days(3), friday), "2026-03-11T18:00");
    assert_eq!(
        due(
            &calendar,
            Target::WorkingDays(3, WorkingDayRule::ElapsedBusinessTime),
            friday
        ),
        "2026-03-11T10:00"
    );
    assert_eq!(
        due(&calendar, hours(8, TimeBasis::Calendar), friday),
        "2026-03-06T18:00"
    );
    assert_eq!(
        due(&calendar, hours(8, TimeBasis::Business), friday),
        "2026-03-09T10:00"
    );
    assert_eq!(
        due(&calendar, hours(24, TimeBasis::Business), "2026-09-30T10:00"),
        "2026-10-10T10:00",
        "over the National Day week"
    );
    assert_eq!(
        due(&calendar, hours(4, TimeBasis::Business), "2026-12-31T11:00"),
        "2027-01-01T12:00",
        "over a half day"
    );
}
