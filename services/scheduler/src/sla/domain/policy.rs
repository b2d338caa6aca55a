//! Which clocks work orders have, when they start, stand still and stop, and how long they may run (C-04, C-05, C-06).

use std::collections::HashSet;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{Facts, Terms, Versions};
use crate::condition::{Condition, shadowed};

/// The fixed categories on which states are mapped (C-11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum StateCategory {
    /// Nobody has taken it up (待处理).
    New,
    /// Somebody works on it (处理中).
    Active,
    /// Waits for somebody outside.
    Waiting,
    /// A solution waits to be confirmed (待验证).
    Verifying,
    /// Solved (已解决).
    Resolved,
    /// Closed (已关闭).
    Closed,
    /// Refused with a reason.
    Rejected,
}

impl StateCategory {
    /// All of them.
    pub(crate) const ALL: [Self; 7] = [
        Self::New,
        Self::Active,
        Self::Waiting,
        Self::Verifying,
        Self::Resolved,
        Self::Closed,
        Self::Rejected,
    ];

    /// True where it stops every clock.
    pub(crate) fn ends_episode(self) -> bool {
        matches!(self, Self::Resolved | Self::Closed | Self::Rejected)
    }
}

/// Something that happens to a work order without changing its state, and can stop a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Milestone {
    /// It was acknowledged, or work on it started (受理).
    Acknowledged,
    /// A person was assigned.
    Assigned,
    /// A person told the customer something (首次响应).
    CustomerInformed,
}

/// What "N working days" means (C-06).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum WorkingDayRule {
    /// N times the working time of a usual day, counted in working time.
    ElapsedBusinessTime,
    /// The end of work on the N-th working day after the day of the start. A pause moves it on by the working time that
    /// was paused.
    EndOfNthDay,
}

/// In which time a duration is meant (C-06).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum TimeBasis {
    /// By the clock on the wall, nights and holidays included.
    Calendar,
    /// Working time alone.
    Business,
}

/// How long something may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    /// So much time, in whole microseconds, more than none.
    Elapsed(SignedDuration, TimeBasis),
    /// So many working days.
    WorkingDays(u32, WorkingDayRule),
}

/// A clock that work orders can have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClockDefinition {
    /// Key, e.g. `first_response`.
    pub(crate) key: String,
    /// What people call it.
    pub(crate) display_name: String,
    /// It starts when the work order first is in one of these; empty: with the episode.
    pub(crate) start_in: Vec<StateCategory>,
    /// It stands still in these.
    pub(crate) pause_in: Vec<StateCategory>,
    /// It stops when the work order comes into one of these.
    pub(crate) stop_in: Vec<StateCategory>,
    /// It stops when one of these happens.
    pub(crate) stop_on: Vec<Milestone>,
    /// True: every episode has it; false: the first alone.
    pub(crate) every_episode: bool,
}

/// For these work orders this clock has this target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    /// Key, unique within the policy.
    pub(crate) key: String,
    /// For which work orders.
    pub(crate) condition: Condition,
    /// Key of the clock.
    pub(crate) clock: String,
    /// How long it may take.
    pub(crate) target: Target,
    /// The part of the target, in percent, after which the clock warns (003-42); 0: no warning.
    pub(crate) warn_percent: i32,
}

/// A tenant's deadlines. A clock takes its target from the first of its rules whose condition holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Policy {
    /// The clocks.
    pub(crate) clocks: Vec<ClockDefinition>,
    /// The rules, in order.
    pub(crate) rules: Vec<Rule>,
}

impl Policy {
    /// Version 0 of every tenant, as `SlaPolicy` in the proto tells it. Clocks of the past go by it: it never changes.
    pub(crate) fn built_in() -> Self {
        let clock = |key: &str, display_name: &str, stop_on: Vec<Milestone>| ClockDefinition {
            key: key.to_owned(),
            display_name: display_name.to_owned(),
            start_in: vec![],
            pause_in: vec![],
            stop_in: vec![],
            stop_on,
            every_episode: false,
        };
        let resolve = ClockDefinition {
            pause_in: vec![StateCategory::Waiting],
            every_episode: true,
            ..clock("resolve", "解决", vec![])
        };
        let rule = |clock: &str, key: &str, ranks: &[i32], target: Target| Rule {
            key: key.to_owned(),
            condition: Condition {
                priority_ranks: ranks.to_vec(),
                ..Condition::default()
            },
            clock: clock.to_owned(),
            target,
            warn_percent: 80,
        };
        let hours = |hours| Target::Elapsed(SignedDuration::from_hours(hours), TimeBasis::Calendar);
        Self {
            clocks: vec![
                clock("acknowledge", "受理", vec![Milestone::Acknowledged]),
                clock("first_response", "首次响应", vec![Milestone::CustomerInformed]),
                resolve,
            ],
            rules: vec![
                rule("acknowledge", "acknowledge", &[], hours(2)),
                rule("first_response", "first_response_0", &[0], hours(1)),
                rule("first_response", "first_response_1_2", &[1, 2], hours(24)),
                rule("first_response", "first_response_other", &[], hours(48)),
                rule("resolve", "resolve_0", &[0], hours(8)),
                rule("resolve", "resolve_1", &[1], hours(24)),
                rule("resolve", "resolve_2", &[2], hours(48)),
                rule(
                    "resolve",
                    "resolve_other",
                    &[],
                    Target::WorkingDays(7, WorkingDayRule::EndOfNthDay),
                ),
            ],
        }
    }

    /// The definition of a clock.
    pub(crate) fn clock(&self, key: &str) -> Option<&ClockDefinition> {
        self.clocks.iter().find(|clock| clock.key == key)
    }

    /// What a clock of a work order must keep.
    pub(super) fn terms(&self, clock: &str, versions: Versions, facts: &Facts) -> Terms {
        let rule = self
            .rules
            .iter()
            .find(|rule| rule.clock == clock && rule.condition.holds(facts));
        // A rule for a clock that is not defined has no effect; `problems` refuses it.
        let rule = rule.filter(|_| self.clock(clock).is_some());
        Terms {
            rule: rule.map(|rule| rule.key.clone()).unwrap_or_default(),
            target: rule.map(|rule| rule.target),
            warn_percent: rule.map_or(0, |rule| rule.warn_percent),
            versions,
        }
    }

    /// Everything that does not fit together: the field, and what is wrong about it.
    pub(crate) fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let mut keys = HashSet::new();
        for (index, clock) in self.clocks.iter().enumerate() {
            let field = |name: &str| format!("clocks[{index}].{name}");
            if !keys.insert(&clock.key) {
                problems.push((field("key"), format!("{} is the key of a clock before", clock.key)));
            }
            for (name, categories) in [("start_in", &clock.start_in), ("pause_in", &clock.pause_in)] {
                if categories.iter().any(|category| category.ends_episode()) {
                    problems.push((field(name), "RESOLVED, CLOSED and REJECTED stop every clock".to_owned()));
                }
            }
            for (name, categories) in [("pause_in", &clock.pause_in), ("start_in", &clock.start_in)] {
                if categories.iter().any(|category| clock.stop_in.contains(category)) {
                    problems.push((
                        field(name),
                        "a clock cannot also stop in a state in which it starts or stands still".to_owned(),
                    ));
                }
            }
        }
        let mut rules = HashSet::new();
        for (index, rule) in self.rules.iter().enumerate() {
            if !rules.insert(&rule.key) {
                problems.push((
                    format!("rules[{index}].key"),
                    format!("{} is the key of a rule before", rule.key),
                ));
            }
            if !keys.contains(&rule.clock) {
                problems.push((
                    format!("rules[{index}].clock"),
                    format!("there is no clock {}", rule.clock),
                ));
            }
        }
        for (late, early) in shadowed(
            &self.rules,
            |rule| &rule.condition,
            |one, other| one.clock == other.clock,
        ) {
            let early = &self.rules[early].key;
            problems.push((
                format!("rules[{late}].condition"),
                format!("never applies: rule {early} holds for all of it and comes before"),
            ));
        }
        problems
    }
}
