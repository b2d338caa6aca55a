//! The fact of one feedback, and how each change moves it.
//!
//! Changes of one source come in order; those of different sources come in any order. Each source therefore moves fields of its
//! own, and what depends on two of them (the priority in effect) is worked out when it is read: the fact is the same in the end.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::change::{Change, Mark, Order, Priority, Score, State, Submission};

/// All that is known of one feedback.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fact {
    pub(crate) feedback: Uuid,
    pub(crate) submission: Option<Submission>,
    /// It says what another one says, and counts as that one (001-12).
    #[serde(default)]
    pub(crate) merged: bool,
    pub(crate) classification: Option<Classification>,
    pub(crate) work_order: Option<WorkOrder>,
    /// In order.
    pub(crate) episodes: Vec<Episode>,
    /// By episode, then by key.
    pub(crate) clocks: Vec<Clock>,
    pub(crate) messages_delivered: i64,
    pub(crate) messages_dead: i64,
    pub(crate) last_event_time: Timestamp,
}

/// The classification with the highest revision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Classification {
    pub(crate) revision: i32,
    /// When the first revision was made.
    pub(crate) classify_time: Timestamp,
    /// When this one was.
    pub(crate) revise_time: Timestamp,
    pub(crate) category: String,
    pub(crate) priority: Priority,
    pub(crate) sentiment: i32,
    pub(crate) impact: i32,
}

/// The work order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct WorkOrder {
    pub(crate) id: Uuid,
    pub(crate) open_time: Option<Timestamp>,
    pub(crate) state: Option<State>,
    pub(crate) team: String,
    pub(crate) episode: i32,
    pub(crate) assignments: i32,
    pub(crate) notes: i32,
    /// The last change of its priority after it was opened.
    pub(crate) retargeted: Option<(Timestamp, Priority)>,
}

/// One attempt at a resolution, and what the customer said of it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Episode {
    pub(crate) episode: i32,
    pub(crate) resolve_time: Option<Timestamp>,
    pub(crate) working_us: Option<i64>,
    pub(crate) reopen_time: Option<Timestamp>,
    pub(crate) invitation: String,
    pub(crate) invite_time: Option<Timestamp>,
    pub(crate) answer: Option<Answer>,
}

/// What a customer answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) time: Timestamp,
    pub(crate) scores: Vec<Score>,
    /// In millionths.
    pub(crate) satisfaction: i64,
    pub(crate) solved: bool,
}

/// An SLA clock of one episode.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Clock {
    pub(crate) clock: String,
    pub(crate) episode: i32,
    pub(crate) due_time: Option<Timestamp>,
    pub(crate) warn_time: Option<Timestamp>,
    /// The deadline that passed, not the moment at which that was noticed.
    pub(crate) breach_time: Option<Timestamp>,
    pub(crate) stop_time: Option<Timestamp>,
    pub(crate) mark: Option<Mark>,
}

impl Fact {
    /// Nothing is known yet.
    pub(crate) fn new(feedback: Uuid) -> Self {
        Self {
            feedback,
            submission: None,
            merged: false,
            classification: None,
            work_order: None,
            episodes: Vec::new(),
            clocks: Vec::new(),
            messages_delivered: 0,
            messages_dead: 0,
            last_event_time: Timestamp::UNIX_EPOCH,
        }
    }

    /// Takes a change in.
    pub(crate) fn apply(&mut self, change: Change, time: Timestamp) {
        self.last_event_time = self.last_event_time.max(time);
        match change {
            Change::Submitted(submission) => self.submission = Some(submission),
            Change::Merged { merged } => self.merged = merged,
            Change::Classified {
                revision,
                category,
                priority,
                sentiment,
                impact,
            } => {
                self.classify(Classification {
                    revision,
                    classify_time: time,
                    revise_time: time,
                    category,
                    priority,
                    sentiment,
                    impact,
                });
            }
            Change::Opened { order, deadlines } => {
                let episode = order.episode;
                let work_order = self.order(order, time);
                work_order.open_time = Some(time);
                work_order.state = Some(State::New);
                for deadline in deadlines {
                    self.clock(&deadline.clock, episode).due_time = Some(deadline.due_time);
                }
            }
            Change::Assigned { order, assignment } => {
                let work_order = self.order(order, time);
                work_order.assignments = work_order.assignments.max(assignment);
            }
            Change::Progressed { order, note } => {
                let work_order = self.order(order, time);
                work_order.notes = work_order.notes.max(note);
            }
            Change::Transitioned { order, to, working_us } => {
                let episode = order.episode;
                self.order(order, time).state = Some(to);
                if to == State::Resolved {
                    let episode = self.episode(episode);
                    episode.resolve_time = Some(time);
                    episode.working_us = working_us;
                }
            }
            Change::Retargeted {
                order,
                priority,
                deadlines,
            } => {
                let episode = order.episode;
                self.order(order, time).retargeted = Some((time, priority));
                for deadline in deadlines {
                    let clock = self.clock(&deadline.clock, episode);
                    if clock.stop_time.is_none() {
                        clock.due_time = Some(deadline.due_time);
                    }
                }
            }
            Change::Marked {
                order,
                clock,
                mark,
                due_time,
            } => {
                let episode = order.episode;
                self.order(order, time);
                self.clock(&clock, episode).take(mark, due_time, time);
            }
            Change::Invited { episode, invitation } => {
                let episode = self.episode(episode);
                episode.invitation = invitation;
                episode.invite_time = Some(time);
            }
            Change::Answered {
                episode,
                invitation,
                scores,
                satisfaction,
                solved,
            } => {
                let episode = self.episode(episode);
                episode.invitation = invitation;
                episode.answer = Some(Answer {
                    time,
                    scores,
                    satisfaction,
                    solved,
                });
            }
        }
    }

    /// The priority in effect: the classification's, or that of the work order where it was changed there later.
    pub(crate) fn priority(&self) -> Option<&Priority> {
        let classified = self
            .classification
            .as_ref()
            .map(|found| (found.revise_time, &found.priority));
        let retargeted = self
            .work_order
            .as_ref()
            .and_then(|order| order.retargeted.as_ref())
            .map(|(at, priority)| (*at, priority));
        match (classified, retargeted) {
            (Some((revised, priority)), Some((at, _))) if revised > at => Some(priority),
            (_, Some((_, priority))) | (Some((_, priority)), None) => Some(priority),
            (None, None) => None,
        }
    }

    /// Main category in effect; empty before there is one.
    pub(crate) fn category(&self) -> &str {
        self.classification.as_ref().map_or("", |found| found.category.as_str())
    }

    /// True where the work order was refused: duplicate, test data, irrelevant.
    pub(crate) fn is_rejected(&self) -> bool {
        self.state() == Some(State::Rejected)
    }

    /// The resolution that stands: there is none before the first, after a reopening, or of a rejected one.
    pub(crate) fn resolution(&self) -> Option<(Timestamp, &Episode)> {
        let order = self.work_order.as_ref()?;
        if !matches!(order.state, Some(State::Resolved | State::Closed)) {
            return None;
        }
        let episode = self.episodes.iter().find(|found| found.episode == order.episode)?;
        Some((episode.resolve_time?, episode))
    }

    /// Where the work order stands.
    pub(crate) fn state(&self) -> Option<State> {
        self.work_order.as_ref().and_then(|order| order.state)
    }

    fn classify(&mut self, mut new: Classification) {
        if let Some(old) = &mut self.classification {
            let first = old.classify_time.min(new.classify_time);
            old.classify_time = first;
            new.classify_time = first;
            if new.revision <= old.revision {
                return;
            }
        }
        self.classification = Some(new);
    }

    /// The work order after one of its events: a higher episode says that the one before was reopened.
    fn order(&mut self, order: Order, time: Timestamp) -> &mut WorkOrder {
        let before = self.work_order.as_ref().map_or(order.episode, |known| known.episode);
        if order.episode > before {
            let reopened = self.episode(order.episode - 1);
            reopened.reopen_time = reopened.reopen_time.or(Some(time));
        }
        let known = self.work_order.get_or_insert_with(|| WorkOrder {
            id: order.work_order,
            open_time: None,
            state: None,
            team: String::new(),
            episode: order.episode,
            assignments: 0,
            notes: 0,
            retargeted: None,
        });
        known.episode = known.episode.max(order.episode);
        if !order.team.is_empty() {
            known.team = order.team;
        }
        known
    }

    fn episode(&mut self, episode: i32) -> &mut Episode {
        let at = self
            .episodes
            .binary_search_by_key(&episode, |found| found.episode)
            .unwrap_or_else(|at| {
                self.episodes.insert(
                    at,
                    Episode {
                        episode,
                        ..Episode::default()
                    },
                );
                at
            });
        &mut self.episodes[at]
    }

    fn clock(&mut self, key: &str, episode: i32) -> &mut Clock {
        let place = |found: &Clock| (found.episode, found.clock.as_str()).cmp(&(episode, key));
        let at = self.clocks.binary_search_by(place).unwrap_or_else(|at| {
            self.clocks.insert(
                at,
                Clock {
                    clock: key.to_owned(),
                    episode,
                    ..Clock::default()
                },
            );
            at
        });
        &mut self.clocks[at]
    }
}

impl Clock {
    fn take(&mut self, mark: Mark, due_time: Option<Timestamp>, time: Timestamp) {
        self.mark = Some(mark);
        self.due_time = due_time.or(self.due_time);
        match mark {
            Mark::Warned => self.warn_time = Some(time),
            Mark::Breached => self.breach_time = due_time.or(Some(time)),
            Mark::Met | Mark::StoppedLate => self.stop_time = Some(time),
        }
    }

    /// True where it stopped in time, by the deadline in force at that moment.
    pub(crate) fn is_met(&self) -> bool {
        self.stop_time.is_some() && self.mark == Some(Mark::Met)
    }

    /// When its deadline passed, where it did: an open clock that is overdue has breached like one that stopped late, and one
    /// that met a deadline set later has not.
    pub(crate) fn breached(&self) -> Option<Timestamp> {
        if self.is_met() {
            return None;
        }
        let late = if self.mark == Some(Mark::StoppedLate) {
            self.stop_time
        } else {
            None
        };
        self.breach_time.or(late)
    }
}

#[cfg(test)]
#[path = "domain_tests.rs"]
mod tests;
