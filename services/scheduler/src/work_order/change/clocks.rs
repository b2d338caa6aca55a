//! What a change does to the clocks of its work order, and the marks that they get.

use jiff::Timestamp;

use super::Change;
use crate::{
    sla::domain::{self as sla, Happening, Moment, Opening, Outcome},
    work_order::domain::{EntryKind, KeptClock, Mark, Marked, SYSTEM, WorkOrder},
};

impl Change {
    /// Gives the marks that are due: each at most once per clock and episode, whatever happens to timers and deadlines.
    pub(crate) fn mark_due(&mut self) {
        for index in 0..self.clocks.len() {
            let kept = &self.clocks[index];
            if !kept.clock.is_held() {
                continue;
            }
            let due = kept.due_time;
            if kept.warned.is_none() && kept.breached.is_none() && self.is_past(self.warn_time(index)) {
                self.clocks[index].warned = Some(Marked { at: self.now, due });
                self.mark(index, Mark::Warned, due, SYSTEM);
            }
            if self.clocks[index].breached.is_none() && self.is_past(self.deadline(index)) {
                self.clocks[index].breached = Some(Marked { at: self.now, due });
                self.mark(index, Mark::Breached, due, SYSTEM);
            }
        }
    }

    /// When the next mark is due; `None` where none is.
    pub(crate) fn next_mark(&self) -> Option<Timestamp> {
        let marks = |index: usize| {
            let kept = &self.clocks[index];
            let warning = if kept.warned.is_none() && kept.breached.is_none() {
                self.warn_time(index)
            } else {
                None
            };
            let breach = if kept.breached.is_none() {
                self.deadline(index)
            } else {
                None
            };
            warning.into_iter().chain(breach)
        };
        (0..self.clocks.len())
            .filter(|index| self.clocks[*index].clock.is_held())
            .flat_map(marks)
            .min()
    }

    pub(super) fn open_clocks(&mut self, cause: &str) {
        let opening = Opening {
            episode: self.order.episode,
            state: self.order.state,
        };
        let moment = Moment {
            at: self.now,
            actor: &self.actor,
            cause,
        };
        let clocks = sla::open_clocks(
            &self.rules.policy,
            self.rules.versions,
            &self.order.facts(),
            opening,
            &moment,
        );
        self.clocks = (0..)
            .zip(clocks)
            .map(|(place, clock)| KeptClock {
                clock,
                place,
                due_time: None,
                warned: None,
                breached: None,
                stopped: None,
            })
            .collect();
        for index in 0..self.clocks.len() {
            self.reckon(index);
        }
    }

    pub(super) fn happen(&mut self, happening: Happening, cause: &str) {
        for index in 0..self.clocks.len() {
            let moment = Moment {
                at: self.now,
                actor: &self.actor,
                cause,
            };
            let change = sla::apply(&mut self.clocks[index].clock, &self.rules.policy, happening, &moment);
            if change == sla::Change::None {
                continue;
            }
            self.reckon(index);
            if change == sla::Change::Stopped {
                self.stopped(index);
            }
        }
    }

    /// A clock did what it was for: in time, or late. The deadline in force when it stops decides (C-04), as it does in what
    /// explains the deadline: a clock that breached and then got a later deadline can still meet that.
    fn stopped(&mut self, index: usize) {
        let outcome = in_reach(
            sla::outcome(&self.clocks[index].clock, &self.rules.calendar),
            &self.order,
        );
        let (mark, due) = match outcome {
            Some(Outcome::Met { due }) => (Mark::Met, due),
            Some(Outcome::StoppedLate { due }) => (Mark::StoppedLate, due),
            None => return, // no rule gives the work order this clock
        };
        self.clocks[index].stopped = Some((
            mark,
            Marked {
                at: self.now,
                due: Some(due),
            },
        ));
        let actor = self.actor.clone();
        self.mark(index, mark, Some(due), &actor);
    }

    fn mark(&mut self, index: usize, mark: Mark, due: Option<Timestamp>, actor: &str) {
        let key = self.clocks[index].clock.key.clone();
        self.changed.push(key.clone());
        let entry = self.enter(EntryKind::ClockMarked);
        actor.clone_into(&mut entry.actor);
        entry.clock = key;
        entry.mark = Some(mark);
        entry.due_time = due;
    }

    /// Works out anew when a clock is due.
    pub(super) fn reckon(&mut self, index: usize) {
        let due = in_reach(
            sla::due(&self.clocks[index].clock, &self.rules.calendar, self.now),
            &self.order,
        );
        let kept = &mut self.clocks[index];
        kept.due_time = due;
        self.changed.push(kept.clock.key.clone());
    }

    fn warn_time(&self, index: usize) -> Option<Timestamp> {
        in_reach(
            sla::warn_time(&self.clocks[index].clock, &self.rules.calendar),
            &self.order,
        )
    }

    fn deadline(&self, index: usize) -> Option<Timestamp> {
        in_reach(
            sla::deadline(&self.clocks[index].clock, &self.rules.calendar),
            &self.order,
        )
    }

    fn is_past(&self, time: Option<Timestamp>) -> bool {
        time.is_some_and(|time| time <= self.now)
    }
}

/// A calendar without enough working time sets no deadline; that must not keep anybody from their work.
fn in_reach<T>(reckoned: Result<Option<T>, impl std::fmt::Display>, order: &WorkOrder) -> Option<T> {
    reckoned.unwrap_or_else(|error| {
        tracing::warn!(work_order = %order.id, %error, "a deadline cannot be reckoned");
        None
    })
}
