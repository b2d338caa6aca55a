//! When a clock begins: with the episode, or in a state of its own.

use super::*;
use crate::sla::domain::{State, state};

/// C-04: "initial plan 2 h" starts when somebody begins; a clock of waiting starts with the waiting.
#[test]
fn a_clock_starts_in_its_state_and_what_would_stop_it_before_passes_it_by() {
    let chase = ClockDefinition {
        start_in: vec![StateCategory::Waiting],
        pause_in: vec![],
        stop_in: vec![StateCategory::Active],
        ..definition("chase")
    };
    let policy = Policy {
        clocks: vec![chase],
        rules: vec![rule(
            "all",
            "chase",
            Condition::default(),
            hours(24, TimeBasis::Calendar),
        )],
    };
    assert_eq!(policy.problems(), []);
    let calendar = Calendar::built_in();
    let mut case = Case {
        clock: open(&policy, &Facts::default(), at(&calendar, "2026-03-02T10:00")).remove(0),
        calendar,
        policy,
    };
    assert_eq!((state(&case.clock), case.deadline()), (State::Pending, None));
    assert_eq!(case.enter(StateCategory::Active, "2026-03-02T11:00"), Change::None);
    assert_eq!(case.enter(StateCategory::Waiting, "2026-03-02T12:00"), Change::Started);
    assert_eq!(case.deadline().as_deref(), Some("2026-03-03T12:00"));
    assert_eq!(case.enter(StateCategory::Active, "2026-03-02T13:00"), Change::Stopped);
    assert_eq!(
        case.enter(StateCategory::Waiting, "2026-03-02T14:00"),
        Change::None,
        "only the first time"
    );
}

#[test]
fn a_clock_that_never_began_ends_without_a_mark() {
    let plan = ClockDefinition {
        start_in: vec![StateCategory::Active],
        ..definition("plan")
    };
    let policy = Policy {
        clocks: vec![plan],
        rules: vec![rule("all", "plan", Condition::default(), hours(2, TimeBasis::Calendar))],
    };
    let calendar = Calendar::built_in();
    let mut case = Case {
        clock: open(&policy, &Facts::default(), at(&calendar, "2026-03-02T10:00")).remove(0),
        calendar,
        policy,
    };
    assert_eq!(case.enter(StateCategory::Rejected, "2026-03-02T11:00"), Change::Ended);
    assert_eq!((state(&case.clock), case.outcome()), (State::Stopped, None));
}

#[test]
fn a_clock_that_opens_in_a_state_in_which_it_stands_still_waits_there() {
    let queued = ClockDefinition {
        pause_in: vec![StateCategory::New],
        ..definition("resolve")
    };
    let policy = Policy {
        clocks: vec![queued],
        ..policy(hours(8, TimeBasis::Calendar))
    };
    let calendar = Calendar::built_in();
    let mut case = Case {
        clock: open(&policy, &Facts::default(), at(&calendar, "2026-03-02T10:00")).remove(0),
        calendar,
        policy,
    };
    assert_eq!(state(&case.clock), State::Paused);
    assert_eq!(case.enter(StateCategory::Active, "2026-03-02T11:00"), Change::Resumed);
    assert_eq!(case.deadline().as_deref(), Some("2026-03-02T19:00"));
}
