//! What one fact contributes to the rollups, and the difference that a change of it makes.
//!
//! [`contributions`] is the only place that says what is counted where. A rollup is the sum of the contributions of all
//! facts; a change of a fact takes the old ones out and puts the new ones in. Whoever changes what a fact contributes
//! raises [`VERSION`]: the rollups of every tenant are then counted again from the facts.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;

use super::{
    level, span,
    totals::{self, Total},
};
use crate::fact::domain::Fact;

/// Raised with every change of what a fact contributes.
pub(crate) const VERSION: i32 = 1;

/// An answer of at least this is on target (001-76), in millionths.
const ON_TARGET: i64 = 4_000_000;

/// What is counted. Numbers stay: they are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i16)]
pub(crate) enum Measure {
    /// Feedback, when it was received.
    Received = 1,
    /// Of it, what was not rejected.
    Eligible = 2,
    /// Of that, what is resolved by now.
    EligibleResolved = 3,
    /// Feedback, at the resolution that stands.
    Resolved = 4,
    /// The working time of that resolution, in microseconds, by level.
    WorkingTime = 5,
    /// Resolutions, whether or not they stand.
    Resolution = 6,
    /// Of them, those that were reopened.
    Reopened = 7,
    /// SLA clocks that stopped in time, when they stopped.
    ClockMet = 8,
    /// SLA clocks whose deadline passed, when it passed.
    ClockBreached = 9,
    /// Survey answers, when they came, with their satisfaction in millionths.
    Answer = 10,
    /// Of them, those on target.
    AnswerOnTarget = 11,
}

/// The values of all dimensions; empty or 0 where one is not known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Segment {
    pub(crate) channel: i16,
    pub(crate) tier: i16,
    pub(crate) category: String,
    pub(crate) priority: String,
    pub(crate) product_model: String,
    pub(crate) batch: String,
    pub(crate) team: String,
    /// Only with the measures of clocks.
    pub(crate) clock: String,
}

/// Where something is counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) measure: Measure,
    /// The quarter of an hour.
    pub(crate) quarter: Timestamp,
    pub(crate) segment: Arc<Segment>,
    pub(crate) level: i16,
}

/// How many, and how much together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Aggregate {
    pub(crate) count: i64,
    pub(crate) sum: i64,
}

impl Aggregate {
    pub(crate) fn add(&mut self, other: Self) {
        self.count += other.count;
        self.sum += other.sum;
    }

    fn negative(self) -> Self {
        Self {
            count: -self.count,
            sum: -self.sum,
        }
    }

    pub(crate) fn is_nothing(self) -> bool {
        self.count == 0 && self.sum == 0
    }
}

/// Everything that a fact contributes.
pub(crate) fn contributions(fact: &Fact) -> Vec<(Key, Aggregate)> {
    let mut found = Contributions {
        segment: Arc::new(segment(fact)),
        entries: Vec::new(),
    };
    let resolution = fact.resolution();
    if let Some(submission) = &fact.submission {
        let received = submission.receive_time;
        found.one(Measure::Received, received);
        if !fact.is_rejected() {
            found.one(Measure::Eligible, received);
            if resolution.is_some() {
                found.one(Measure::EligibleResolved, received);
            }
        }
    }
    if let Some((time, episode)) = resolution {
        found.one(Measure::Resolved, time);
        if let Some(working) = episode.working_us {
            found.add(Measure::WorkingTime, time, level::of(working), working);
        }
    }
    for episode in &fact.episodes {
        if let Some(time) = episode.resolve_time {
            found.one(Measure::Resolution, time);
            if episode.reopen_time.is_some() {
                found.one(Measure::Reopened, time);
            }
        }
        if let Some(answer) = &episode.answer {
            found.add(Measure::Answer, answer.time, 0, answer.satisfaction);
            if answer.satisfaction >= ON_TARGET {
                found.one(Measure::AnswerOnTarget, answer.time);
            }
        }
    }
    for clock in &fact.clocks {
        let outcome = match (clock.stop_time, clock.breached()) {
            (_, Some(passed)) => Some((Measure::ClockBreached, passed)),
            (Some(stopped), None) if clock.is_met() => Some((Measure::ClockMet, stopped)),
            _ => None,
        };
        if let Some((measure, time)) = outcome {
            let segment = Segment {
                clock: clock.clock.clone(),
                ..(*found.segment).clone()
            };
            found.entries.push((
                Key {
                    measure,
                    quarter: span::quarter(time),
                    segment: Arc::new(segment),
                    level: 0,
                },
                Aggregate { count: 1, sum: 0 },
            ));
        }
    }
    found.entries
}

struct Contributions {
    segment: Arc<Segment>,
    entries: Vec<(Key, Aggregate)>,
}

impl Contributions {
    fn one(&mut self, measure: Measure, time: Timestamp) {
        self.add(measure, time, 0, 0);
    }

    fn add(&mut self, measure: Measure, time: Timestamp, level: i16, value: i64) {
        let key = Key {
            measure,
            quarter: span::quarter(time),
            segment: Arc::clone(&self.segment),
            level,
        };
        self.entries.push((key, Aggregate { count: 1, sum: value }));
    }
}

/// The values of all dimensions of a fact, as they are in effect now.
pub(crate) fn segment(fact: &Fact) -> Segment {
    let submission = fact.submission.as_ref();
    let text = |value: Option<&String>| value.cloned().unwrap_or_default();
    Segment {
        channel: submission.map_or(0, |known| known.channel),
        tier: submission.map_or(0, |known| known.tier),
        category: fact.category().to_owned(),
        priority: fact.priority().map(|priority| priority.key.clone()).unwrap_or_default(),
        product_model: text(submission.map(|known| &known.product_model)),
        batch: text(submission.map(|known| &known.batch)),
        team: text(fact.work_order.as_ref().map(|order| &order.team)),
        clock: String::new(),
    }
}

/// What changes of facts add to the rollups and totals, and take from them.
#[derive(Debug, Default)]
pub(crate) struct Delta {
    cells: BTreeMap<Key, Aggregate>,
    totals: BTreeMap<Total, i64>,
}

impl Delta {
    /// A fact takes the place of what it was before.
    pub(crate) fn replace(&mut self, before: Option<&Fact>, after: &Fact) {
        for (key, aggregate) in before.map(contributions).unwrap_or_default() {
            self.cells.entry(key).or_default().add(aggregate.negative());
        }
        for (key, aggregate) in contributions(after) {
            self.cells.entry(key).or_default().add(aggregate);
        }
        for (total, value) in before.map(totals::of).unwrap_or_default() {
            self.total(total, -value);
        }
        for (total, value) in totals::of(after) {
            self.total(total, value);
        }
    }

    /// Moves one total.
    pub(crate) fn total(&mut self, total: Total, by: i64) {
        *self.totals.entry(total).or_default() += by;
    }

    /// What the rollups are moved by.
    pub(crate) fn cells(&self) -> impl Iterator<Item = (&Key, Aggregate)> {
        self.cells
            .iter()
            .map(|(key, aggregate)| (key, *aggregate))
            .filter(|(_, aggregate)| !aggregate.is_nothing())
    }

    /// What the totals are moved by.
    pub(crate) fn totals(&self) -> impl Iterator<Item = (&Total, i64)> {
        self.totals
            .iter()
            .map(|(total, value)| (total, *value))
            .filter(|(_, value)| *value != 0)
    }
}

#[cfg(test)]
#[path = "domain_tests.rs"]
mod tests;
