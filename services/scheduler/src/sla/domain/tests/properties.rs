//! What holds for any calendar, any target and any course of things.

use proptest::prelude::*;

use super::*;
use crate::{
    calendar::domain::{
        CalendarError, HORIZON,
        properties::{calendar, moment as any_moment},
    },
    sla::domain::{Run, State, due, explain, reckoning::Budget, retarget, state, warn_time},
};

fn target() -> impl Strategy<Value = Target> {
    let basis = prop::sample::select(vec![TimeBasis::Calendar, TimeBasis::Business]);
    let rule = prop::sample::select(vec![WorkingDayRule::EndOfNthDay, WorkingDayRule::ElapsedBusinessTime]);
    prop_oneof![
        (1..300 * 3600_i64, basis)
            .prop_map(|(seconds, basis)| Target::Elapsed(SignedDuration::from_secs(seconds), basis)),
        (1..30_u32, rule).prop_map(|(days, rule)| Target::WorkingDays(days, rule)),
    ]
}

/// Something that may happen, and how many seconds after the thing before.
#[derive(Debug, Clone)]
enum Step {
    Happens(Happening),
    Retargeted(i32),
}

fn step() -> impl Strategy<Value = (i64, Step)> {
    let happening = prop_oneof![
        6 => prop::sample::select(StateCategory::ALL[..4].to_vec()).prop_map(Happening::Entered),
        1 => prop::sample::select(StateCategory::ALL.to_vec()).prop_map(Happening::Entered),
        1 => prop::sample::select(vec![Happening::Acknowledged, Happening::Assigned, Happening::CustomerInformed]),
    ];
    let what = prop_oneof![4 => happening.prop_map(Step::Happens), 1 => (0..5).prop_map(Step::Retargeted)];
    (0..8 * 24 * 3600_i64, what)
}

/// The built-in policy with a clock more that is slow to start, and a rule less: rank 4 has no deadline.
fn wide_policy() -> Policy {
    let mut policy = Policy::built_in();
    policy.clocks.push(ClockDefinition {
        start_in: vec![StateCategory::Active],
        stop_in: vec![StateCategory::Verifying],
        ..definition("plan")
    });
    policy.rules.push(rule(
        "plan",
        "plan",
        Condition::default(),
        hours(4, TimeBasis::Business),
    ));
    for rule in &mut policy.rules {
        if rule.condition == Condition::default() {
            rule.condition.priority_ranks = vec![2, 3];
        }
    }
    policy
}

/// Budgets of which some are out of reach in a calendar that works little, even from one run and not from the next.
fn budget() -> impl Strategy<Value = Budget> {
    let basis = prop::sample::select(vec![TimeBasis::Business, TimeBasis::Business, TimeBasis::Calendar]);
    let seconds = prop_oneof![0..2 * 3600_i64, 0..300 * 3600_i64, 0..8784 * 3600_i64];
    (seconds, basis).prop_map(|(seconds, basis)| Budget {
        amount: SignedDuration::from_secs(seconds),
        basis,
    })
}

/// Microseconds: a moment, some days, or years.
fn length() -> impl Strategy<Value = i64> {
    const DAY: i64 = 24 * 3600 * 1_000_000;
    prop_oneof![3 => 0..3_i64, 4 => 0..9 * DAY, 1 => 0..500 * DAY, 1 => 0..12 * 366 * DAY]
}

/// Runs with pauses between them, the last without an end.
fn runs() -> impl Strategy<Value = Vec<Run>> {
    (any_moment(), prop::collection::vec((length(), length()), 0..8)).prop_map(|(start, parts)| {
        let mut runs = vec![Run { from: start, to: None }];
        let mut at = start;
        for (run, pause) in parts {
            at += SignedDuration::from_micros(run);
            runs.last_mut().unwrap().to = Some(at);
            at += SignedDuration::from_micros(pause);
            runs.push(Run { from: at, to: None });
        }
        runs
    })
}

/// The plain definition of [`Budget::used_up`]: of what is left, each run takes what it has.
fn used_up_run_by_run(budget: Budget, runs: &[Run], calendar: &Calendar) -> Result<Timestamp, CalendarError> {
    let mut left = budget.amount;
    for run in runs {
        let due = match budget.basis {
            TimeBasis::Business => calendar.add_working(run.from, left)?,
            TimeBasis::Calendar if left <= HORIZON => run.from + left,
            TimeBasis::Calendar => return Err(CalendarError::OutOfReach),
        };
        match run.to {
            Some(to) if due > to => left -= budget.counted(run.from, to, calendar),
            _ => return Ok(due),
        }
    }
    Err(CalendarError::OutOfReach)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn a_budget_is_used_up_where_its_runs_say_so_one_by_one(calendar in calendar(), budget in budget(), runs in runs()) {
        prop_assert_eq!(budget.used_up(&runs, &calendar), used_up_run_by_run(budget, &runs, &calendar));
    }

    #[test]
    fn a_pause_moves_the_deadline_by_what_was_paused(
        calendar in calendar(), target in target(), start in any_moment(), part in 0..100_u32, paused in 0..30 * 24 * 3600_i64,
    ) {
        let policy = policy(target);
        let mut clock = open(&policy, &Facts::default(), start).remove(0);
        let Ok(Some(before)) = deadline(&clock, &calendar) else { return Ok(()) };
        // Somewhere on the way to the deadline, but not at it.
        let begin = start + SignedDuration::from_secs(start.duration_until(before).as_secs() * i64::from(part) / 100);
        let end = begin + SignedDuration::from_secs(paused);
        enter(&mut clock, &policy, StateCategory::Waiting, begin);
        enter(&mut clock, &policy, StateCategory::Active, end);
        let Ok(Some(after)) = deadline(&clock, &calendar) else { return Ok(()) };
        let budget = Budget::of(target, start, &calendar).unwrap();
        if begin < before {
            prop_assert_eq!(budget.counted(before, after, &calendar), budget.counted(begin, end, &calendar));
        }
        prop_assert!(before <= after);
    }

    #[test]
    fn a_longer_target_is_never_due_earlier(calendar in calendar(), start in any_moment(), days in 1..20_u32, more in 0..5_u32, seconds in 1..200_000_i64, extra in 0..200_000_i64) {
        let due = |target| deadline(&open(&policy(target), &Facts::default(), start).remove(0), &calendar).ok().flatten();
        for rule in [WorkingDayRule::EndOfNthDay, WorkingDayRule::ElapsedBusinessTime] {
            if let (Some(less), Some(more)) = (due(Target::WorkingDays(days, rule)), due(Target::WorkingDays(days + more, rule))) {
                prop_assert!(less <= more);
            }
        }
        for basis in [TimeBasis::Calendar, TimeBasis::Business] {
            let target = |seconds| Target::Elapsed(SignedDuration::from_secs(seconds), basis);
            if let (Some(less), Some(more)) = (due(target(seconds)), due(target(seconds + extra))) {
                prop_assert!(less <= more);
            }
        }
    }

    #[test]
    fn there_and_back_again_is_the_same_deadline(calendar in calendar(), start in any_moment(), there in 0..5, steps in prop::collection::vec(step(), 0..10)) {
        let policy = wide_policy();
        let facts = |rank| Facts { priority_rank: rank, ..Facts::default() };
        let mut at = start;
        for mut clock in open(&policy, &facts(1), start) {
            for (seconds, step) in &steps {
                at += SignedDuration::from_secs(*seconds);
                if let Step::Happens(happening) = step {
                    apply(&mut clock, &policy, *happening, &moment(at));
                }
            }
            let before = deadline(&clock, &calendar);
            retarget(&mut clock, &policy, Versions { policy: 9, calendar: 9 }, &facts(there), &moment(at));
            retarget(&mut clock, &policy, VERSIONS, &facts(1), &moment(at));
            prop_assert_eq!(deadline(&clock, &calendar), before);
        }
    }

    #[test]
    fn whatever_happens_in_a_year_a_clock_tells_one_story(calendar in calendar(), start in any_moment(), rank in 0..5, steps in prop::collection::vec(step(), 0..90)) {
        let policy = wide_policy();
        let facts = |rank| Facts { priority_rank: rank, ..Facts::default() };
        let mut clocks = open(&policy, &facts(rank), start);
        let mut now = start;
        for (seconds, step) in steps {
            now += SignedDuration::from_secs(seconds);
            for clock in &mut clocks {
                let before = state(clock);
                let length = clock.log.len();
                match &step {
                    Step::Happens(happening) => {
                        let change = apply(clock, &policy, *happening, &moment(now));
                        prop_assert_eq!(change == Change::None, state(clock) == before, "{:?} {:?}", change, clock);
                        // Once more: nothing more.
                        let again = clock.clone();
                        prop_assert_eq!(apply(clock, &policy, *happening, &moment(now)), Change::None);
                        prop_assert_eq!(&*clock, &again);
                    }
                    Step::Retargeted(rank) => {
                        retarget(clock, &policy, VERSIONS, &facts(*rank), &moment(now));
                        prop_assert_eq!(state(clock), before);
                    }
                }
                prop_assert!(before != State::Stopped || clock.log.len() == length, "a stopped clock was written to");
                tells_one_story(clock, &calendar, now)?;
            }
        }
    }
}

fn tells_one_story(clock: &Clock, calendar: &Calendar, now: Timestamp) -> Result<(), TestCaseError> {
    let stored = serde_json::to_string(clock).unwrap();
    prop_assert_eq!(&serde_json::from_str::<Clock>(&stored).unwrap(), clock);
    let (Ok(told), Ok(timer), Ok(warn)) = (
        due(clock, calendar, now),
        deadline(clock, calendar),
        warn_time(clock, calendar),
    ) else {
        return Ok(());
    };
    prop_assert_eq!(told.is_some(), clock.is_held() && clock.start_time().is_some());
    match state(clock) {
        State::Running => prop_assert_eq!(timer, told),
        State::Paused => prop_assert!(timer.is_none() || timer == told),
        State::Pending | State::Stopped => prop_assert_eq!(timer, None),
    }
    if let (Some(warn), Some(due)) = (warn, timer) {
        prop_assert!(warn <= due);
    }
    let stopped_in_effect = clock.is_held() && clock.start_time().is_some() && clock.stop_time().is_some();
    prop_assert_eq!(outcome(clock, calendar).unwrap().is_some(), stopped_in_effect);

    let Some(explained) = explain(clock, calendar, now).unwrap() else {
        prop_assert_eq!(told, None);
        return Ok(());
    };
    prop_assert_eq!(Some(explained.due), told);
    let mut at = explained.start;
    let mut counted = SignedDuration::ZERO;
    for segment in &explained.segments {
        prop_assert!(
            segment.from == at && segment.from < segment.to,
            "a hole or an overlap at {}",
            at
        );
        prop_assert!(
            segment.counted == SignedDuration::ZERO || segment.counted == segment.from.duration_until(segment.to)
        );
        at = segment.to;
        counted += segment.counted;
    }
    if explained.segments.len() < 1000 {
        prop_assert_eq!(at, explained.due);
        let budget = Budget::of(clock.terms.target.unwrap(), explained.start, calendar).unwrap();
        prop_assert_eq!(counted, budget.amount);
    }
    Ok(())
}
