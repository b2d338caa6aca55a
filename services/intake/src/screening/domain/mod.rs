//! The rules of what counts (001-12): where a feedback stands, what screening finds in it, how near two of them are.

pub(crate) mod nearness;
pub(crate) mod phrases;
pub(crate) mod screen;
pub(crate) mod text;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Where a feedback stands; numbers are those of the wire and of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Accepted = 1,
    Quarantined = 2,
    Duplicate = 3,
}

impl State {
    /// The state of a number; what a newer version stored counts as accepted.
    pub(crate) fn of(number: i32) -> Self {
        [Self::Accepted, Self::Quarantined, Self::Duplicate]
            .into_iter()
            .find(|state| *state as i32 == number)
            .unwrap_or(Self::Accepted)
    }

    /// Its name in refusals.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Accepted => "ACCEPTED",
            Self::Quarantined => "QUARANTINED",
            Self::Duplicate => "DUPLICATE",
        }
    }
}

/// What screening found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Finding {
    pub(crate) kind: FindingKind,
    pub(crate) reasons: Vec<Reason>,
    /// Of a duplicate: what said it first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) feedback: Option<Uuid>,
}

/// What screening looks for; numbers are those of the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FindingKind {
    TestData = 1,
    Spam = 2,
    Irrelevant = 3,
    Duplicate = 4,
}

/// Why screening says so; numbers are those of the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    TestWords = 1,
    Keyboard = 2,
    Placeholder = 3,
    Advertising = 4,
    Link = 5,
    Solicitation = 6,
    Repetition = 7,
    NoWords = 8,
    NoMeaning = 9,
    Gibberish = 10,
    SameFingerprint = 11,
}

/// What is done with what screening finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    #[default]
    Flag,
    Quarantine,
}

/// What a tenant does with what screening finds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Policy {
    pub(crate) test_data: Action,
    pub(crate) spam: Action,
    pub(crate) irrelevant: Action,
    pub(crate) duplicate: Action,
    /// How far back the like is looked for.
    pub(crate) window: SignedDuration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            test_data: Action::Flag,
            spam: Action::Flag,
            irrelevant: Action::Flag,
            duplicate: Action::Flag,
            window: SignedDuration::from_hours(7 * 24),
        }
    }
}

impl Policy {
    /// What is done with one finding.
    pub(crate) fn action(&self, kind: FindingKind) -> Action {
        match kind {
            FindingKind::TestData => self.test_data,
            FindingKind::Spam => self.spam,
            FindingKind::Irrelevant => self.irrelevant,
            FindingKind::Duplicate => self.duplicate,
        }
    }

    /// True where one of the findings sets a feedback aside.
    pub(crate) fn sets_aside(&self, findings: &[Finding]) -> bool {
        findings
            .iter()
            .any(|finding| self.action(finding.kind) == Action::Quarantine)
    }
}

/// Where a feedback stands, and why.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Standing {
    pub(crate) state: State,
    /// What it was merged into.
    pub(crate) canonical: Option<Uuid>,
    /// True while no other service was told of it.
    pub(crate) held: bool,
    /// What screening found when it came in.
    pub(crate) findings: Vec<Finding>,
    /// What its description lacks.
    pub(crate) missing: Vec<Aspect>,
    /// The masked words of whoever moved it last.
    pub(crate) reason: String,
    /// Where it stood before it was merged.
    pub(crate) before_merge: Option<(State, String)>,
}

impl Default for Standing {
    fn default() -> Self {
        Self {
            state: State::Accepted,
            canonical: None,
            held: false,
            findings: Vec::new(),
            missing: Vec::new(),
            reason: String::new(),
            before_merge: None,
        }
    }
}

impl Standing {
    /// True where it says nothing that a feedback without one does not.
    pub(crate) fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Set aside by a person.
    pub(crate) fn quarantine(&mut self, reason: String) -> Result<(), Forbidden> {
        self.require(State::Accepted, &["ReleaseFeedback", "UnmergeFeedback"])?;
        self.state = State::Quarantined;
        self.reason = reason;
        Ok(())
    }

    /// Let go; true where the other services must be told of it now.
    pub(crate) fn release(&mut self, reason: String) -> Result<bool, Forbidden> {
        self.require(State::Quarantined, &["QuarantineFeedback", "UnmergeFeedback"])?;
        self.state = State::Accepted;
        self.reason = reason;
        Ok(std::mem::take(&mut self.held))
    }

    /// Merged into another, which must be no duplicate itself: so no two ever lead to each other.
    pub(crate) fn merge(&mut self, canonical: Uuid, reason: String) -> Result<(), Forbidden> {
        self.require_no_duplicate()?;
        let before = (self.state, std::mem::replace(&mut self.reason, reason));
        self.before_merge = Some(before);
        self.state = State::Duplicate;
        self.canonical = Some(canonical);
        Ok(())
    }

    /// It may be merged, or be what others are merged into.
    pub(crate) fn require_no_duplicate(&self) -> Result<(), Forbidden> {
        if self.state == State::Duplicate {
            return Err(Forbidden {
                state: self.state,
                allowed: &["UnmergeFeedback"],
            });
        }
        Ok(())
    }

    /// The merge never happened; returns what it was merged into.
    pub(crate) fn unmerge(&mut self) -> Result<Uuid, Forbidden> {
        let forbidden = Forbidden {
            state: self.state,
            allowed: &["MergeFeedbacks"],
        };
        if self.state != State::Duplicate {
            return Err(forbidden);
        }
        let canonical = self.canonical.take().ok_or(forbidden)?;
        let (state, reason) = self.before_merge.take().unwrap_or((State::Accepted, String::new()));
        self.state = state;
        self.reason = reason;
        Ok(canonical)
    }

    fn require(&self, state: State, allowed: &'static [&'static str]) -> Result<(), Forbidden> {
        if self.state == state {
            return Ok(());
        }
        Err(Forbidden {
            state: self.state,
            allowed,
        })
    }
}

/// The state does not allow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Forbidden {
    pub(crate) state: State,
    pub(crate) allowed: &'static [&'static str],
}

/// What makes a complaint something that can be acted on (000-15); numbers are those of the wire and of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Aspect {
    Model = 1,
    Version = 2,
    Step = 3,
    Symptom = 4,
    Expectation = 5,
}

impl Aspect {
    /// All of them.
    pub(crate) const ALL: [Self; 5] = [Self::Model, Self::Version, Self::Step, Self::Symptom, Self::Expectation];

    /// The aspect of a number.
    pub(crate) fn of(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|aspect| *aspect as i32 == number)
    }
}

#[cfg(test)]
mod tests;
