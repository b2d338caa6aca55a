//! What starts, pauses, stops and retargets a clock, and what comes of it.

use super::*;
use crate::sla::domain::{EntryKind, State, due, explain, retarget, state, warn_time};

/// A pause moves the deadline, by what it took.
#[test]
fn a_pause_moves_the_deadline_by_the_time_that_was_paused() {
    let mut hours = Case::new(hours(48, TimeBasis::Calendar), "2026-03-02T10:00");
    assert_eq!(hours.enter(StateCategory::Waiting, "2026-03-02T16:00"), Change::Paused);
    assert_eq!(
        hours.deadline(),
        None,
        "while it stands still there is none to wait for"
    );
    assert_eq!(hours.enter(StateCategory::Active, "2026-03-03T10:00"), Change::Resumed);
    assert_eq!(hours.deadline().as_deref(), Some("2026-03-05T04:00"));

    let mut days = Case::new(days(3), "2026-03-02T10:00");
    days.enter(StateCategory::Waiting, "2026-03-02T16:00");
    days.enter(StateCategory::Active, "2026-03-03T10:00");
    // Two hours of the Monday and one of the Tuesday.
    assert_eq!(days.deadline().as_deref(), Some("2026-03-06T12:00"));
}

#[test]
fn a_pause_over_a_night_costs_working_time_nothing() {
    let mut case = Case::new(hours(8, TimeBasis::Business), "2026-03-02T10:00");
    case.enter(StateCategory::Waiting, "2026-03-02T18:00");
    case.enter(StateCategory::Active, "2026-03-03T09:00");
    assert_eq!(case.deadline().as_deref(), Some("2026-03-03T10:00"));
}

#[test]
fn the_deadline_of_a_clock_that_stands_still_is_told_as_if_it_went_on_now() {
    let mut case = Case::new(hours(8, TimeBasis::Calendar), "2026-03-02T10:00");
    case.enter(StateCategory::Waiting, "2026-03-02T12:00");
    let told = due(&case.clock, &case.calendar, at(&case.calendar, "2026-03-02T13:00"))
        .unwrap()
        .unwrap();
    assert_eq!(wall(&case.calendar, told), "2026-03-02T19:00");
    assert_eq!(warn_time(&case.clock, &case.calendar).unwrap(), None);
}

/// A timer that comes late must find the deadline that had passed before the work order began to wait.
#[test]
fn a_deadline_that_had_passed_before_a_pause_stays() {
    let mut case = Case::new(hours(8, TimeBasis::Calendar), "2026-03-02T10:00");
    case.enter(StateCategory::Waiting, "2026-03-02T19:00");
    assert_eq!(case.deadline().as_deref(), Some("2026-03-02T18:00"));
    case.enter(StateCategory::Active, "2026-03-04T19:00");
    assert_eq!(case.deadline().as_deref(), Some("2026-03-02T18:00"));
}

#[test]
fn a_pause_that_begins_at_the_deadline_comes_too_late() {
    let mut case = Case::new(hours(8, TimeBasis::Calendar), "2026-03-02T10:00");
    case.enter(StateCategory::Waiting, "2026-03-02T18:00");
    assert_eq!(case.deadline().as_deref(), Some("2026-03-02T18:00"));
    case.enter(StateCategory::Active, "2026-03-03T18:00");
    assert_eq!(case.deadline().as_deref(), Some("2026-03-02T18:00"));
}

#[test]
fn a_clock_warns_after_its_part_of_the_time() {
    let case = Case::new(hours(10, TimeBasis::Business), "2026-03-02T10:00");
    let warn = warn_time(&case.clock, &case.calendar).unwrap().unwrap();
    assert_eq!(wall(&case.calendar, warn), "2026-03-03T10:00");
}

#[test]
fn a_clock_is_met_up_to_its_deadline_and_late_after_it() {
    for (time, met) in [
        ("2026-03-02T17:59", true),
        ("2026-03-02T18:00", true),
        ("2026-03-02T18:01", false),
    ] {
        let mut case = Case::new(hours(8, TimeBasis::Calendar), "2026-03-02T10:00");
        assert_eq!(case.outcome(), None);
        assert_eq!(case.enter(StateCategory::Resolved, time), Change::Stopped);
        let due = at(&case.calendar, "2026-03-02T18:00");
        assert_eq!(
            case.outcome(),
            Some(if met {
                Outcome::Met { due }
            } else {
                Outcome::StoppedLate { due }
            })
        );
        assert_eq!(case.deadline(), None);
        assert_eq!(
            case.enter(StateCategory::Closed, "2026-03-09T10:00"),
            Change::None,
            "it stopped for good"
        );
    }
}

#[test]
fn a_clock_that_stopped_while_it_stood_still_was_in_time() {
    let mut case = Case::new(hours(8, TimeBasis::Calendar), "2026-03-02T10:00");
    case.enter(StateCategory::Waiting, "2026-03-02T12:00");
    case.enter(StateCategory::Resolved, "2026-03-05T12:00");
    assert!(matches!(case.outcome(), Some(Outcome::Met { .. })));
}

#[test]
fn a_rejected_work_order_ends_its_clocks_without_a_mark() {
    let mut case = Case::new(hours(8, TimeBasis::Calendar), "2026-03-02T10:00");
    assert_eq!(case.enter(StateCategory::Rejected, "2026-03-02T11:00"), Change::Ended);
    assert_eq!(state(&case.clock), State::Stopped);
}

#[test]
fn a_milestone_stops_its_clock_once_and_no_other() {
    let policy = Policy::built_in();
    let calendar = Calendar::built_in();
    let start = at(&calendar, "2026-03-02T10:00");
    let mut clocks = open(&policy, &Facts::default(), start);
    let changes = |clocks: &mut Vec<Clock>, happening| -> Vec<Change> {
        clocks
            .iter_mut()
            .map(|clock| apply(clock, &policy, happening, &moment(start)))
            .collect()
    };
    assert_eq!(
        changes(&mut clocks, milestone(Milestone::Assigned)),
        [Change::None, Change::None, Change::None]
    );
    assert_eq!(
        changes(&mut clocks, milestone(Milestone::Acknowledged)),
        [Change::Stopped, Change::None, Change::None]
    );
    assert_eq!(
        changes(&mut clocks, milestone(Milestone::Acknowledged)),
        [Change::None, Change::None, Change::None]
    );
    assert_eq!(
        changes(&mut clocks, milestone(Milestone::CustomerInformed)),
        [Change::None, Change::Stopped, Change::None]
    );
}

#[test]
fn a_clock_of_the_first_episode_does_not_come_again() {
    let second = Opening {
        episode: 2,
        state: StateCategory::Active,
    };
    let clocks = open_clocks(
        &Policy::built_in(),
        VERSIONS,
        &Facts::default(),
        second,
        &moment(Timestamp::UNIX_EPOCH),
    );
    assert_eq!(
        clocks
            .iter()
            .map(|clock| (clock.key.as_str(), clock.episode))
            .collect::<Vec<_>>(),
        [("resolve", 2)]
    );
}

/// Pending time is not lost when the target changes.
#[test]
fn a_retarget_is_reckoned_from_the_same_start_pauses_included() {
    let policy = Policy::built_in();
    let calendar = Calendar::built_in();
    let facts = |rank| Facts {
        priority_rank: rank,
        ..Facts::default()
    };
    let time = |time: &str| at(&calendar, time);
    let mut clock = open(&policy, &facts(2), time("2026-03-02T10:00")).remove(2);
    enter(&mut clock, &policy, StateCategory::Waiting, time("2026-03-02T12:00"));
    enter(&mut clock, &policy, StateCategory::Active, time("2026-03-02T14:00"));
    let before = deadline(&clock, &calendar).unwrap();

    assert!(retarget(
        &mut clock,
        &policy,
        VERSIONS,
        &facts(0),
        &moment(time("2026-03-02T15:00"))
    ));
    assert_eq!(
        wall(&calendar, deadline(&clock, &calendar).unwrap().unwrap()),
        "2026-03-02T20:00"
    );
    assert_eq!(
        clock.log.last().map(|entry| (entry.kind, entry.terms.is_some())),
        Some((EntryKind::Retarget, true))
    );
    assert!(
        !retarget(
            &mut clock,
            &policy,
            VERSIONS,
            &facts(0),
            &moment(time("2026-03-02T16:00"))
        ),
        "nothing changed"
    );
    assert!(retarget(
        &mut clock,
        &policy,
        VERSIONS,
        &facts(2),
        &moment(time("2026-03-02T17:00"))
    ));
    assert_eq!(deadline(&clock, &calendar).unwrap(), before);
}

/// Where the limit is taken away, nothing warns or breaches any more.
#[test]
fn a_clock_that_loses_its_rule_is_not_held_and_comes_back_with_it() {
    let with = policy(hours(8, TimeBasis::Calendar));
    let without = Policy {
        rules: vec![],
        ..with.clone()
    };
    let calendar = Calendar::built_in();
    let time = |time: &str| at(&calendar, time);
    let mut clock = open(&with, &Facts::default(), time("2026-03-02T10:00")).remove(0);
    let before = deadline(&clock, &calendar).unwrap();
    assert!(retarget(
        &mut clock,
        &without,
        Versions { policy: 2, ..VERSIONS },
        &Facts::default(),
        &moment(time("2026-03-02T11:00"))
    ));
    assert!(!clock.is_held());
    assert_eq!(
        (
            deadline(&clock, &calendar).unwrap(),
            warn_time(&clock, &calendar).unwrap()
        ),
        (None, None)
    );
    assert_eq!(explain(&clock, &calendar, time("2026-03-02T12:00")).unwrap(), None);
    assert!(retarget(
        &mut clock,
        &with,
        VERSIONS,
        &Facts::default(),
        &moment(time("2026-03-02T13:00"))
    ));
    assert_eq!(deadline(&clock, &calendar).unwrap(), before);
}

/// Why it is due then, without a hole.
#[test]
fn an_explanation_names_every_stretch_from_start_to_deadline() {
    let mut case = Case::new(hours(8, TimeBasis::Business), "2026-09-30T11:00");
    case.enter(StateCategory::Waiting, "2026-09-30T14:00");
    case.enter(StateCategory::Active, "2026-09-30T16:00");
    let explained = explain(&case.clock, &case.calendar, at(&case.calendar, "2026-09-30T17:00"))
        .unwrap()
        .unwrap();
    let told: Vec<String> = explained
        .segments
        .iter()
        .map(|segment| {
            format!(
                "{} {} {}",
                wall(&case.calendar, segment.from),
                segment.counted.as_mins(),
                segment.why
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "2026-09-30T11:00 60 working time",
            "2026-09-30T12:00 0 not working time",
            "2026-09-30T13:00 60 working time",
            "2026-09-30T14:00 0 paused",
            "2026-09-30T16:00 120 working time",
            "2026-09-30T18:00 0 国庆节",
            "2026-10-08T09:00 180 working time",
            "2026-10-08T12:00 0 not working time",
            "2026-10-08T13:00 60 working time",
        ]
    );
    assert_eq!(Some(wall(&case.calendar, explained.due)), case.deadline());
    assert_eq!(explained.paused, SignedDuration::from_hours(2));
}
