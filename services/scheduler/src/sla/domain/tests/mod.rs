//! Deadlines by examples and by properties.

mod clocks;
mod limits;
mod policies;
mod properties;
mod starts;

use jiff::{SignedDuration, Timestamp};

use super::{
    Change, Clock, ClockDefinition, Facts, Happening, Milestone, Moment, Opening, Outcome, Policy, Rule, StateCategory,
    Target, TimeBasis, Versions, WorkingDayRule, apply, deadline, open_clocks, outcome,
};
use crate::{
    calendar::domain::{
        Calendar,
        tests::{at, shanghai_2026},
    },
    condition::Condition,
};

const VERSIONS: Versions = Versions { policy: 1, calendar: 1 };

fn moment(at: Timestamp) -> Moment<'static> {
    Moment {
        at,
        actor: "user:li.wei",
        cause: "test",
    }
}

fn hours(hours: i64, basis: TimeBasis) -> Target {
    Target::Elapsed(SignedDuration::from_hours(hours), basis)
}

fn days(days: u32) -> Target {
    Target::WorkingDays(days, WorkingDayRule::EndOfNthDay)
}

fn definition(key: &str) -> ClockDefinition {
    ClockDefinition {
        key: key.to_owned(),
        display_name: key.to_owned(),
        start_in: vec![],
        pause_in: vec![StateCategory::Waiting],
        stop_in: vec![],
        stop_on: vec![],
        every_episode: true,
    }
}

fn rule(key: &str, clock: &str, condition: Condition, target: Target) -> Rule {
    Rule {
        key: key.to_owned(),
        condition,
        clock: clock.to_owned(),
        target,
        warn_percent: 80,
    }
}

/// A policy of one clock `resolve` with one target.
fn policy(target: Target) -> Policy {
    Policy {
        clocks: vec![definition("resolve")],
        rules: vec![rule("all", "resolve", Condition::default(), target)],
    }
}

fn open(policy: &Policy, facts: &Facts, at: Timestamp) -> Vec<Clock> {
    open_clocks(
        policy,
        VERSIONS,
        facts,
        Opening {
            episode: 1,
            state: StateCategory::New,
        },
        &moment(at),
    )
}

fn enter(clock: &mut Clock, policy: &Policy, category: StateCategory, at: Timestamp) {
    apply(clock, policy, Happening::Entered(category), &moment(at));
}

/// When the only clock of a policy of this target would be due, by the wall clock.
fn due(calendar: &Calendar, target: Target, start: &str) -> String {
    let policy = policy(target);
    let clock = open(&policy, &Facts::default(), at(calendar, start)).remove(0);
    wall(calendar, deadline(&clock, calendar).unwrap().unwrap())
}

fn wall(calendar: &Calendar, time: Timestamp) -> String {
    calendar.zone().to_datetime(time).strftime("%Y-%m-%dT%H:%M").to_string()
}

fn milestone(milestone: Milestone) -> Happening {
    match milestone {
        Milestone::Acknowledged => Happening::Acknowledged,
        Milestone::Assigned => Happening::Assigned,
        Milestone::CustomerInformed => Happening::CustomerInformed,
    }
}

/// The only clock of a policy, and what happens to it.
struct Case {
    calendar: Calendar,
    policy: Policy,
    clock: Clock,
}

impl Case {
    fn new(target: Target, start: &str) -> Self {
        let (calendar, policy) = (shanghai_2026(), policy(target));
        let clock = open(&policy, &Facts::default(), at(&calendar, start)).remove(0);
        Self {
            calendar,
            policy,
            clock,
        }
    }

    fn enter(&mut self, category: StateCategory, time: &str) -> Change {
        apply(
            &mut self.clock,
            &self.policy,
            Happening::Entered(category),
            &moment(at(&self.calendar, time)),
        )
    }

    fn deadline(&self) -> Option<String> {
        deadline(&self.clock, &self.calendar)
            .unwrap()
            .map(|due| wall(&self.calendar, due))
    }

    fn outcome(&self) -> Option<Outcome> {
        outcome(&self.clock, &self.calendar).unwrap()
    }
}
