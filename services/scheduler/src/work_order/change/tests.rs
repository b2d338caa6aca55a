//! Whatever happens to a work order in whatever order, its history, marks and sums stay true.

use std::collections::HashMap;

use jiff::SignedDuration;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::work_order::{
    domain::{Feedback, Mark},
    transitions::Action,
};

fn rules() -> Rules {
    Rules {
        versions: Versions { policy: 0, calendar: 0 },
        policy: Policy::built_in(),
        calendar: Calendar::built_in(),
    }
}

fn classification(revision: i32, rank: i32) -> Classification {
    Classification {
        feedback: Feedback {
            name: "tenants/acme/feedbacks/f1".to_owned(),
            ..Feedback::default()
        },
        revision,
        category: "function".to_owned(),
        priority: Priority {
            key: format!("P{rank}"),
            rank,
        },
        skills: vec![],
        basis: String::new(),
        excerpt: String::new(),
    }
}

/// Monday, 09:00 in Shanghai.
fn begin() -> Timestamp {
    "2026-03-02T01:00:00Z".parse().unwrap()
}

fn opened() -> Change {
    let order = WorkOrder::opened(Uuid::nil(), classification(1, 1), rules().versions, begin());
    let mut change = Change::opening(order, rules(), "");
    change.sum_up();
    change
}

/// The next change of the same work order, as after storing and reading it.
fn later(change: &Change, by: SignedDuration) -> Change {
    Change::of(
        change.order.clone(),
        change.clocks.clone(),
        rules(),
        "user:li.wei",
        change.now() + by,
    )
}

fn kept<'c>(change: &'c Change, key: &str) -> &'c KeptClock {
    change.clocks.iter().find(|kept| kept.clock.key == key).unwrap()
}

fn solution() -> Resolution {
    Resolution {
        measures: vec![2],
        text: "已修复".to_owned(),
        replaced_parts: vec![],
    }
}

fn to_li() -> Assignment {
    Assignment {
        assignee: "user:li.wei".to_owned(),
        team: "t".to_owned(),
        reason: String::new(),
    }
}

/// A breach is a breach though its timer comes late: it is marked before what stops the clock.
#[test]
fn what_stops_a_clock_after_its_time_finds_it_breached() {
    let mut change = later(&opened(), SignedDuration::from_hours(3));
    change.acknowledge();
    let acknowledge = kept(&change, "acknowledge");
    assert!(acknowledge.warned.is_some() && acknowledge.breached.is_some());
    assert_eq!(acknowledge.stopped.unwrap().0, Mark::StoppedLate);
    let marks: Vec<_> = change
        .entries
        .iter()
        .filter(|entry| entry.clock == "acknowledge")
        .map(|entry| (entry.mark.unwrap(), entry.actor.as_str()))
        .collect();
    assert_eq!(
        marks,
        [
            (Mark::Warned, "system"),
            (Mark::Breached, "system"),
            (Mark::StoppedLate, "user:li.wei")
        ]
    );
}

#[test]
fn reading_a_work_order_changes_nothing_until_something_is_due() {
    let opened = opened();
    assert_eq!(
        opened.next_mark().unwrap(),
        begin() + SignedDuration::from_mins(96),
        "80 percent of the two hours"
    );
    assert!(!later(&opened, SignedDuration::from_mins(95)).happened());
    assert!(later(&opened, SignedDuration::from_mins(96)).happened());
}

/// A correction that makes the deadline lie in the past is a breach at once.
#[test]
fn a_correction_can_breach_at_once() {
    let mut change = later(&opened(), SignedDuration::from_hours(9));
    assert!(kept(&change, "resolve").breached.is_none(), "rank 1 has 24 hours");
    change.reclassify(rules(), classification(2, 0));
    assert!(
        kept(&change, "resolve").breached.is_some(),
        "rank 0 has 8 hours from the start"
    );
}

/// The deadline in force when it stops decides, though an earlier one had passed (C-04).
#[test]
fn a_breached_clock_meets_a_later_deadline() {
    let mut change = opened();
    change.reclassify(rules(), classification(2, 0));
    let mut change = later(&change, SignedDuration::from_hours(9));
    change.reclassify(rules(), classification(3, 2));
    let breached = kept(&change, "resolve").breached.unwrap();
    assert_eq!(breached.due, Some(begin() + SignedDuration::from_hours(8)));
    change.assign(&to_li());
    change.start();
    let mut change = later(&change, SignedDuration::from_hours(6));
    change.solve(State::Resolved, solution());
    let (mark, stopped) = kept(&change, "resolve").stopped.unwrap();
    assert_eq!(
        (mark, stopped.due),
        (Mark::Met, Some(begin() + SignedDuration::from_hours(48)))
    );
    change.sum_up();
    assert!(change.order.breached, "a deadline passed all the same");
}

/// Night, weekend and waiting are no working time; work before a rejection is.
#[test]
fn working_time_leaves_out_nights_and_waiting() {
    let mut change = opened();
    change.assign(&to_li());
    change.start();
    let mut change = later(&change, SignedDuration::from_hours(2)); // 11:00
    change.go(State::Waiting, "x");
    let mut change = later(&change, SignedDuration::from_hours(6)); // 17:00
    change.go(State::Active, "");
    let mut change = later(&change, SignedDuration::from_hours(17)); // 10:00 of the next day
    change.solve(State::Resolved, solution());
    assert_eq!(
        change.order.working_duration,
        Some(SignedDuration::from_hours(2 + 1 + 1))
    );
}

#[derive(Debug, Clone)]
enum Step {
    Do(usize),
    Pass(i64),
    Reclassify(i32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..Action::ALL.len()).prop_map(Step::Do),
        3 => (1..5_000_i64).prop_map(Step::Pass),
        1 => (0..4_i32).prop_map(Step::Reclassify),
    ]
}

fn act(change: &mut Change, action: Action) {
    let Some(to) = change.leads_to(action) else { return };
    match action {
        Action::Acknowledge => change.acknowledge(),
        Action::Assign => change.assign(&to_li()),
        Action::Start if change.order.assignee.is_empty() => {}
        Action::Start => change.start(),
        Action::NoteProgress => {
            change.note_progress(&Progress {
                stage: Stage::Contacted,
                note: String::new(),
                customer_text: String::new(),
                promise_time: None,
            });
        }
        Action::Hold | Action::Resume | Action::Close | Action::Reject => change.go(to, "x"),
        Action::Submit | Action::Resolve => change.solve(to, solution()),
        Action::Reopen => change.reopen(rules(), "x", true),
    }
}

proptest! {
    #[test]
    fn history_marks_and_sums_stay_true(steps in prop::collection::vec(step(), 1..60)) {
        let mut change = opened();
        let mut history = std::mem::take(&mut change.entries);
        let mut revision = 1;
        for step in steps {
            let by = if let Step::Pass(minutes) = step { SignedDuration::from_mins(minutes) } else { SignedDuration::from_secs(1) };
            change = later(&change, by);
            match step {
                Step::Do(index) => act(&mut change, Action::ALL[index]),
                Step::Pass(_) => {}
                Step::Reclassify(rank) => {
                    revision += 1;
                    change.reclassify(rules(), classification(revision, rank));
                }
            }
            change.sum_up();
            history.append(&mut change.entries);
            if let Some(next) = change.next_mark() {
                prop_assert!(next > change.now(), "what is due is marked");
                prop_assert!(!change.order.state.ends_episode(), "an ended work order waits for nothing");
            }
            let elapsed = begin().duration_until(change.now());
            prop_assert!(change.order.worked <= elapsed);
            let held_breach = change.clocks.iter().any(|kept| kept.breached.is_some());
            prop_assert_eq!(change.order.breached, held_breach);
prop_assert_eq!(change.order.episode, change.order.reopen_count + 1);
        }
        let sequences: Vec<i64> = history.iter().map(|entry| entry.sequence).collect();
        prop_assert_eq!(sequences, (1..=i64::try_from(history.len()).unwrap()).collect::<Vec<_>>());
        let mut marks: HashMap<(i32, String), Vec<Mark>> = HashMap::new();
        for entry in history.iter().filter(|entry| entry.kind == EntryKind::ClockMarked) {
            marks.entry((entry.episode, entry.clock.clone())).or_default().push(entry.mark.unwrap());
        }
        for (clock, given) in marks {
            for mark in &given {
                prop_assert_eq!(given.iter().filter(|other| *other == mark).count(), 1, "{:?} {:?}", clock, given);
            }
            prop_assert!(!(given.contains(&Mark::Met) && given.contains(&Mark::StoppedLate)), "{:?} {:?}", clock, given);
        }
        for entry in history.iter().filter(|entry| entry.kind == EntryKind::ClockMarked) {
            let (at, due) = (entry.at, entry.due_time.unwrap());
            match entry.mark.unwrap() {
                Mark::Warned => {}
                Mark::Breached => prop_assert!(due <= at, "{:?}", entry),
                Mark::Met => prop_assert!(at <= due, "{:?}", entry),
                Mark::StoppedLate => prop_assert!(due < at, "{:?}", entry),
            }
        }
    }
}
