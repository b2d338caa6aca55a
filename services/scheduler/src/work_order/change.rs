//! What one call, event or timer does to a work order and its clocks: pure steps, kept together until they are stored.

mod clocks;

use jiff::Timestamp;

use super::{
    domain::{
        Classification, Entry, EntryKind, FALLBACK, KeptClock, Priority, Resolution, SYSTEM, Stage, State, WorkOrder,
        state_name,
    },
    transitions::{Action, leads_to},
};
use crate::{
    calendar::domain::Calendar,
    sla::domain::{self as sla, Happening, Moment, Policy, Versions},
};

/// The versions that an episode goes by, at hand.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) versions: Versions,
    pub(crate) policy: Policy,
    pub(crate) calendar: Calendar,
}

/// To whom a work order goes, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assignment {
    /// Subject of the agent; empty where the team has it.
    pub(crate) assignee: String,
    /// Key of the team.
    pub(crate) team: String,
    /// The rule, or the words of the person who assigned.
    pub(crate) reason: String,
}

/// Progress to note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) stage: Stage,
    pub(crate) note: String,
    pub(crate) customer_text: String,
    pub(crate) promise_time: Option<Timestamp>,
}

/// A work order, its clocks, and what happened to them since they were read.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) order: WorkOrder,
    /// The clocks of the present episode.
    pub(crate) clocks: Vec<KeptClock>,
    /// Keys of the clocks that changed.
    pub(crate) changed: Vec<String>,
    /// What happened, in order.
    pub(crate) entries: Vec<Entry>,
    /// How it was before; `None` where it is being opened.
    pub(crate) before: Option<WorkOrder>,
    rules: Rules,
    actor: String,
    now: Timestamp,
}

impl Change {
    /// Of a work order as it was read. What was due before this change is marked first: it was so, even if its timer is late.
    pub(crate) fn of(order: WorkOrder, clocks: Vec<KeptClock>, rules: Rules, actor: &str, now: Timestamp) -> Self {
        let before = Some(order.clone());
        // Histories go forward, whatever the clocks of two machines say.
        let now = now.max(order.update_time);
        let mut change = Self {
            order,
            clocks,
            changed: vec![],
            entries: vec![],
            before,
            rules,
            actor: actor.to_owned(),
            now,
        };
        change.mark_due();
        change
    }

    /// Of a work order that is being opened.
    pub(crate) fn opening(order: WorkOrder, rules: Rules, basis: &str) -> Self {
        let now = order.create_time;
        let mut change = Self {
            order,
            clocks: vec![],
            changed: vec![],
            entries: vec![],
            before: None,
            rules,
            actor: SYSTEM.to_owned(),
            now,
        };
        let (category, priority) = (change.order.category.clone(), change.order.priority.clone());
        let entry = change.enter(EntryKind::Opened);
        entry.reason = basis.to_owned();
        entry.team = FALLBACK.to_owned();
        entry.category = category;
        entry.priority = Some(priority);
        change.open_clocks("opened");
        change
    }

    /// True where there is something to store.
    pub(crate) fn happened(&self) -> bool {
        !self.changed.is_empty() || self.before.as_ref() != Some(&self.order)
    }

    /// When it happens.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// Where an action would lead; `None` where the state does not allow it.
    pub(crate) fn leads_to(&self, action: Action) -> Option<State> {
        leads_to(self.order.state, action)
    }

    /// Somebody takes notice (受理).
    pub(crate) fn acknowledge(&mut self) {
        if self.order.acknowledged_episode >= self.order.episode {
            return;
        }
        let actor = self.actor.clone();
        self.order.acknowledged_episode = self.order.episode;
        self.order.acknowledge_time.get_or_insert(self.now);
        if self.order.first_contact.is_empty() {
            self.order.first_contact = actor;
        }
        self.enter(EntryKind::Acknowledged);
        self.happen(Happening::Acknowledged, "acknowledged");
    }

    /// It goes to somebody. Whether the state allows it was asked before: a reopening assigns too.
    pub(crate) fn assign(&mut self, assignment: &Assignment) {
        let Assignment { assignee, team, reason } = assignment;
        self.order.assignee.clone_from(assignee);
        self.order.team.clone_from(team);
        self.order.assignment_count += 1;
        if self.order.first_contact.is_empty() {
            self.order.first_contact.clone_from(assignee);
        }
        let entry = self.enter(EntryKind::Assigned);
        entry.assignee.clone_from(assignee);
        entry.team.clone_from(team);
        entry.reason.clone_from(reason);
        if !assignee.is_empty() {
            self.happen(Happening::Assigned, "assigned");
        }
    }

    /// Work begins.
    pub(crate) fn start(&mut self) {
        self.acknowledge();
        self.order.start_time.get_or_insert(self.now);
        self.move_to(State::Active, "", None);
    }

    /// Somebody notes progress (003-40). A word to the customer, or the stage CONTACTED, is a response (首次响应).
    pub(crate) fn note_progress(&mut self, progress: &Progress) {
        let Progress {
            stage,
            note,
            customer_text,
            promise_time,
        } = progress;
        if *stage != Stage::None {
            self.order.stage = *stage;
        }
        self.order.progress_count += 1;
        if promise_time.is_some() {
            self.order.promise_time = *promise_time;
        }
        let entry = self.enter(EntryKind::Progressed);
        entry.note.clone_from(note);
        entry.customer_text.clone_from(customer_text);
        entry.promise_time = *promise_time;
        if !customer_text.is_empty() || *stage == Stage::Contacted {
            self.order.first_response_time.get_or_insert(self.now);
            self.happen(Happening::CustomerInformed, "customer informed");
        }
    }

    /// It moves to another state, where it is not proposed or solved, begun or reopened.
    pub(crate) fn go(&mut self, to: State, reason: &str) {
        if to == State::Closed {
            self.order.close_time = Some(self.now);
        }
        self.move_to(to, reason, None);
    }

    /// A solution is proposed (VERIFYING) or final (RESOLVED).
    pub(crate) fn solve(&mut self, to: State, resolution: Resolution) {
        self.order.resolution = Some(resolution.clone());
        if to == State::Resolved {
            self.order.resolution_count += 1;
            self.order.resolve_time = Some(self.now);
        }
        self.move_to(to, "", Some(resolution));
    }

    /// It is taken up again: the next episode, by the rules that are in effect now, with fresh clocks (003-51). It goes back to
    /// whoever had it; where nobody has it any more it is NEW, and somebody must be found.
    pub(crate) fn reopen(&mut self, rules: Rules, reason: &str, still_there: bool) {
        if !still_there {
            self.order.assignee.clear();
        }
        self.order.episode += 1;
        self.order.reopen_count += 1;
        self.order.stage = Stage::None;
        self.order.versions = rules.versions;
        self.rules = rules;
        self.clocks.clear();
        self.changed.clear();
        let to = if self.order.assignee.is_empty() {
            State::New
        } else {
            State::Active
        };
        let cause = self.enter_state(to, reason, None);
        self.open_clocks(&cause);
    }

    /// The classification was corrected. Category and priority follow it, at an end too: a reopening goes by them. So do the
    /// deadlines of an open episode, reckoned from the same start by the rules that are in effect now.
    pub(crate) fn reclassify(&mut self, rules: Rules, classification: Classification) {
        if classification.revision <= self.order.classification_revision {
            return;
        }
        self.order.classification_revision = classification.revision;
        self.order.skills = classification.skills;
        let Classification {
            category,
            priority,
            basis,
            ..
        } = classification;
        if (&category, &priority) == (&self.order.category, &self.order.priority) {
            return;
        }
        self.order.category.clone_from(&category);
        self.order.priority = priority.clone();
        let entry = self.enter(EntryKind::Retargeted);
        entry.category = category;
        entry.priority = Some(priority);
        entry.reason = basis;
        if self.order.state.ends_episode() {
            return;
        }
        self.order.versions = rules.versions;
        self.rules = rules;
        let facts = self.order.facts();
        for index in 0..self.clocks.len() {
            let moment = Moment {
                at: self.now,
                actor: &self.actor,
                cause: "retargeted",
            };
            if sla::retarget(
                &mut self.clocks[index].clock,
                &self.rules.policy,
                self.rules.versions,
                &facts,
                &moment,
            ) {
                self.reckon(index);
            }
        }
        // The new deadline may lie in the past.
        self.mark_due();
    }

    /// Brings what lists show up to date with the clocks.
    pub(crate) fn sum_up(&mut self) {
        let held = || self.clocks.iter().filter(|kept| kept.clock.is_held());
        self.order.due_time = held()
            .find(|kept| kept.clock.key == "resolve")
            .and_then(|kept| kept.due_time);
        self.order.next_due_time = held()
            .filter(|kept| sla::state(&kept.clock) == sla::State::Running)
            .filter_map(|kept| kept.due_time)
            .min();
        self.order.breached = held().any(|kept| kept.breached.is_some());
        self.order.update_time = self.now;
    }

    fn move_to(&mut self, to: State, reason: &str, resolution: Option<Resolution>) {
        let cause = self.enter_state(to, reason, resolution);
        self.happen(Happening::Entered(to), &cause);
    }

    /// The state alone, without what it does to the clocks; answers with what a log says of it.
    fn enter_state(&mut self, to: State, reason: &str, resolution: Option<Resolution>) -> String {
        let from = self.order.state;
        if matches!(from, State::New | State::Active | State::Verifying) {
            let worked = self.rules.calendar.working_between(self.order.state_time, self.now);
            self.order.worked = self.order.worked.saturating_add(worked);
        }
        if to == State::Resolved {
            self.order.working_duration = Some(self.order.worked);
        }
        self.order.state = to;
        self.order.state_time = self.now;
        reason.clone_into(&mut self.order.state_reason);
        let entry = self.enter(EntryKind::Transitioned);
        entry.previous_state = Some(from);
        reason.clone_into(&mut entry.reason);
        entry.resolution = resolution;
        format!("{} to {}", state_name(from), state_name(to))
    }

    /// A new entry of the history, for its kind to be filled in.
    fn enter(&mut self, kind: EntryKind) -> &mut Entry {
        self.order.entry_count += 1;
        self.entries.push(Entry {
            sequence: self.order.entry_count,
            kind,
            at: self.now,
            actor: self.actor.clone(),
            episode: self.order.episode,
            state: self.order.state,
            previous_state: None,
            stage: self.order.stage,
            reason: String::new(),
            note: String::new(),
            customer_text: String::new(),
            promise_time: None,
            assignee: String::new(),
            team: String::new(),
            category: String::new(),
            priority: None::<Priority>,
            resolution: None,
            clock: String::new(),
            mark: None,
            due_time: None,
        });
        let last = self.entries.len() - 1;
        &mut self.entries[last]
    }
}

#[cfg(test)]
mod tests;
