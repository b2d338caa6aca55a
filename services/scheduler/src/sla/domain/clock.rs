//! One clock of one episode of a work order: a log of start, pause, resume, stop and retarget.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Facts,
    policy::{ClockDefinition, Milestone, Policy, StateCategory, Target},
};

/// Something that happened to a work order, beside that it was opened ([`open_clocks`]) or changed priority or category
/// ([`retarget`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happening {
    /// It was acknowledged, or work on it started (受理).
    Acknowledged,
    /// A person was assigned.
    Assigned,
    /// A person told the customer something. An automatic message is no happening (C-20).
    CustomerInformed,
    /// It came into a state.
    Entered(StateCategory),
}

/// When something happened, who did it, and in which words the log says so.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment<'a> {
    /// When.
    pub(crate) at: Timestamp,
    /// Who: the caller's subject, or `system`.
    pub(crate) actor: &'a str,
    /// What, e.g. `ACTIVE to WAITING`.
    pub(crate) cause: &'a str,
}

/// The versions that a clock goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Versions {
    /// Of the SLA policy.
    pub(crate) policy: i32,
    /// Of the calendar.
    pub(crate) calendar: i32,
}

/// The episode that begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opening {
    /// Its number, from 1.
    pub(crate) episode: i32,
    /// The state in which it begins.
    pub(crate) state: StateCategory,
}

/// What a clock must keep, and where that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Terms {
    /// Key of the rule that set the target; empty where no rule did.
    pub(crate) rule: String,
    /// How long it may run. `None`: no rule gives the work order this clock. Its log is kept all the same, without
    /// marks or deadline, so that a later change of priority or category finds what it would have found from the
    /// beginning.
    pub(crate) target: Option<Target>,
    /// The part of the target, in percent, after which it warns; 0: no warning.
    pub(crate) warn_percent: i32,
    /// The versions that it goes by.
    pub(crate) versions: Versions,
}

/// What an entry of the log says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EntryKind {
    /// It began to run.
    Start,
    /// It stood still from here.
    Pause,
    /// It ran on from here.
    Resume,
    /// It stopped for good in this episode.
    Stop,
    /// Other terms took the place of those before, reckoned from the same start.
    Retarget,
}

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// What it says.
    pub(crate) kind: EntryKind,
    /// When.
    pub(crate) at: Timestamp,
    /// Who.
    pub(crate) actor: String,
    /// What caused it.
    pub(crate) cause: String,
    /// The terms from here on (start, retarget).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) terms: Option<Terms>,
}

/// The log of a clock, oldest first.
pub(crate) type ClockLog = Vec<Entry>;

/// A clock of one episode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Clock {
    /// Its key in the policy, e.g. `resolve`.
    pub(crate) key: String,
    /// The episode that it belongs to.
    pub(crate) episode: i32,
    /// What it must keep now.
    pub(crate) terms: Terms,
    /// What happened to it; empty until it starts.
    pub(crate) log: ClockLog,
}

/// Whether a clock runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Its start has not come.
    Pending,
    /// It runs.
    Running,
    /// It stands still.
    Paused,
    /// It stopped for good in this episode; `outcome` says whether in time.
    Stopped,
}

/// What a happening did to a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// Nothing.
    None,
    /// It began to run.
    Started,
    /// It stands still.
    Paused,
    /// It runs on.
    Resumed,
    /// It did what it was for: `outcome` says whether in time.
    Stopped,
    /// It ended without having to: the work order was rejected, or ended before the clock began. No mark.
    Ended,
}

impl Clock {
    /// True where a rule gives the work order this clock: only such a clock is shown, warns and breaches.
    pub(crate) fn is_held(&self) -> bool {
        self.terms.target.is_some()
    }

    /// When it began to run.
    pub(crate) fn start_time(&self) -> Option<Timestamp> {
        self.log
            .iter()
            .find(|entry| entry.kind == EntryKind::Start)
            .map(|entry| entry.at)
    }

    /// When it stopped.
    pub(crate) fn stop_time(&self) -> Option<Timestamp> {
        self.log
            .last()
            .filter(|entry| entry.kind == EntryKind::Stop)
            .map(|entry| entry.at)
    }

    fn write(&mut self, kind: EntryKind, moment: &Moment<'_>) {
        // A log goes forward, whatever the clocks of two machines say.
        let at = self.log.last().map_or(moment.at, |last| last.at.max(moment.at));
        let terms = matches!(kind, EntryKind::Start | EntryKind::Retarget).then(|| self.terms.clone());
        self.log.push(Entry {
            kind,
            at,
            actor: moment.actor.to_owned(),
            cause: moment.cause.to_owned(),
            terms,
        });
    }
}

/// Whether a clock runs.
pub(crate) fn state(clock: &Clock) -> State {
    let last = clock.log.iter().rev().find(|entry| entry.kind != EntryKind::Retarget);
    match last.map(|entry| entry.kind) {
        None => State::Pending,
        Some(EntryKind::Pause) => State::Paused,
        Some(EntryKind::Stop) => State::Stopped,
        Some(EntryKind::Start | EntryKind::Resume | EntryKind::Retarget) => State::Running,
    }
}

/// The clocks of an episode that begins: one for each that the policy defines for it, those without a rule for the work
/// order included ([`Clock::is_held`] tells them apart). Those that begin with the episode, or in its first state, run.
pub(crate) fn open_clocks(
    policy: &Policy,
    versions: Versions,
    facts: &Facts,
    opening: Opening,
    moment: &Moment<'_>,
) -> Vec<Clock> {
    let definitions = policy
        .clocks
        .iter()
        .filter(|clock| clock.every_episode || opening.episode == 1);
    definitions
        .map(|definition| {
            let terms = policy.terms(&definition.key, versions, facts);
            let mut clock = Clock {
                key: definition.key.clone(),
                episode: opening.episode,
                terms,
                log: ClockLog::new(),
            };
            if definition.start_in.is_empty() {
                clock.write(EntryKind::Start, moment);
            }
            enter(&mut clock, definition, opening.state, moment);
            clock
        })
        .collect()
}

/// Lets a clock know what happened. `policy` is the version that stands in its terms. Telling it the same twice changes
/// nothing more.
///
/// A clock that has not started cannot stop: what would stop it passes it by, but for the end of the episode.
pub(crate) fn apply(clock: &mut Clock, policy: &Policy, happening: Happening, moment: &Moment<'_>) -> Change {
    let definition = policy.clock(&clock.key);
    let milestone = match happening {
        Happening::Entered(category) => {
            return match definition {
                Some(definition) => enter(clock, definition, category, moment),
                None => end(clock, category, moment),
            };
        }
        Happening::Acknowledged => Milestone::Acknowledged,
        Happening::Assigned => Milestone::Assigned,
        Happening::CustomerInformed => Milestone::CustomerInformed,
    };
    let stops = definition.is_some_and(|definition| definition.stop_on.contains(&milestone));
    if stops && matches!(state(clock), State::Running | State::Paused) {
        clock.write(EntryKind::Stop, moment);
        return Change::Stopped;
    }
    Change::None
}

fn enter(clock: &mut Clock, definition: &ClockDefinition, category: StateCategory, moment: &Moment<'_>) -> Change {
    if category.ends_episode() {
        return end(clock, category, moment);
    }
    let before = state(clock);
    if before == State::Pending && definition.start_in.contains(&category) {
        clock.write(EntryKind::Start, moment);
    }
    match state(clock) {
        State::Pending | State::Stopped => return Change::None,
        State::Running | State::Paused if definition.stop_in.contains(&category) => {
            clock.write(EntryKind::Stop, moment);
            return Change::Stopped;
        }
        State::Running if definition.pause_in.contains(&category) => clock.write(EntryKind::Pause, moment),
        State::Paused if !definition.pause_in.contains(&category) => clock.write(EntryKind::Resume, moment),
        State::Running | State::Paused => {}
    }
    match (before, state(clock)) {
        (State::Pending, State::Running) => Change::Started,
        (State::Pending | State::Running, State::Paused) => Change::Paused,
        (State::Paused, State::Running) => Change::Resumed,
        _ => Change::None,
    }
}

/// RESOLVED, CLOSED and REJECTED stop every clock; the last without a mark.
fn end(clock: &mut Clock, category: StateCategory, moment: &Moment<'_>) -> Change {
    let before = state(clock);
    if !category.ends_episode() || before == State::Stopped {
        return Change::None;
    }
    clock.write(EntryKind::Stop, moment);
    if before == State::Pending || category == StateCategory::Rejected {
        Change::Ended
    } else {
        Change::Stopped
    }
}

/// Gives a clock the terms that a policy and calendar have for a work order now, reckoned from the same start: a
/// priority that goes up and down again leaves the deadline where it was. True where the terms changed. A clock that
/// has stopped keeps those it stopped with.
///
/// A policy that does not know the clock, or has no rule for it, leaves it without target ([`Clock::is_held`]). A clock
/// that only the new policy defines comes with the next episode: what happened before is not in its log.
pub(crate) fn retarget(
    clock: &mut Clock,
    policy: &Policy,
    versions: Versions,
    facts: &Facts,
    moment: &Moment<'_>,
) -> bool {
    let terms = policy.terms(&clock.key, versions, facts);
    let state = state(clock);
    if state == State::Stopped || terms == clock.terms {
        return false;
    }
    clock.terms = terms;
    if state != State::Pending {
        clock.write(EntryKind::Retarget, moment);
    }
    true
}
