//! A review item: when a label is in doubt, whose it is, and what is settled by it.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::{
    domain::UNCLASSIFIED,
    error::Error,
    model::domain::{BUCKETS, Target, Task, bucket},
    reading::{
        answers::Answer,
        verdict::{Statement, Verdict},
    },
};

/// How long somebody has an item where it is not said.
pub(super) const DEFAULT_LEASE: SignedDuration = SignedDuration::from_mins(15);

/// Why a person is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The active model was less sure than its task asks.
    ModelUnsure,
    /// Without a model: no word spoke for anything.
    NothingFound,
    /// Without a model: words spoke for several.
    WordsUnsure,
    /// Nothing was in doubt.
    Sample,
}

/// Which label of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    First,
    Second,
    Adjudication,
}

/// Where an item stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Open,
    /// Open, with a lease that has not lapsed.
    Claimed,
    Resolved,
    Closed,
}

/// Why an item is closed although nobody resolved it; erasure closes too, in its own SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CloseReason {
    Corrected,
    Reclassified,
    Erased,
}

/// What is said of a text for a task, before people look.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Standing {
    /// The label in effect.
    pub(super) found: String,
    /// What the active model thought likeliest; empty where none is active.
    pub(super) guess: String,
    pub(super) confidence: f64,
    /// None where nothing is in doubt.
    pub(super) doubt: Option<Reason>,
}

impl Standing {
    /// How the label of a task came about; none for a task whose labels feedback does not get.
    pub(super) fn of(
        task: &Task,
        statement: &Statement<'_>,
        verdict: &Verdict,
        answer: Option<&Answer>,
    ) -> Option<Self> {
        let (found, by_words, is_settled) = match task.target {
            Target::Labels => return None,
            Target::Dimension => {
                let mut labels = verdict.labels.iter();
                let label = labels.find(|label| label.dimension == task.dimension);
                let by_words = label.map_or(0.0, |label| label.confidence);
                let is_settled = label.is_some_and(|label| !label.model.is_empty() || !label.rule.is_empty());
                (
                    label.map_or(UNCLASSIFIED, |label| &label.category),
                    by_words,
                    is_settled,
                )
            }
            // A tendency by the wording alone is in no doubt: a text without a tone is neutral.
            Target::Sentiment => (
                verdict.sentiment.key(),
                verdict.sentiment_score.abs(),
                answer.is_none() || statement.tells_tendency() || !verdict.sentiment_model.is_empty(),
            ),
        };
        let doubt = match answer {
            _ if is_settled => None,
            Some(answer) if !answer.sure => Some(Reason::ModelUnsure),
            Some(_) => None,
            None if found == UNCLASSIFIED => Some(Reason::NothingFound),
            None => (by_words < task.threshold).then_some(Reason::WordsUnsure),
        };
        Some(Self {
            found: found.to_owned(),
            guess: answer.map(|answer| answer.label.clone()).unwrap_or_default(),
            confidence: answer.map_or(by_words, |answer| answer.confidence),
            doubt,
        })
    }
}

/// True for the share of classifications that a hash of their ids deals out: the same for ever, and a greater share only adds to it.
pub(super) fn is_dealt(what: &str, task: &str, classification: Uuid, share: f64) -> bool {
    let place = bucket(&format!("{what}/{task}"), &classification.to_string());
    f64::from(place) < share * f64::from(BUCKETS)
}

/// One label that a person is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item {
    pub(crate) id: Uuid,
    pub(crate) task: String,
    pub(crate) classification: Uuid,
    pub(crate) stage: Stage,
    pub(crate) double_coded: bool,
    pub(crate) reason: Reason,
    pub(crate) confidence: f64,
    pub(crate) found: String,
    pub(crate) guess: String,
    /// Of an adjudication, in order.
    pub(crate) candidates: Vec<String>,
    pub(crate) state: State,
    pub(crate) close_reason: Option<CloseReason>,
    /// Whoever has it, or resolved it; empty for nobody.
    pub(crate) assignee: String,
    pub(crate) lease_expire_time: Option<Timestamp>,
    pub(crate) skipped_by: Vec<String>,
    /// Empty before it is given.
    pub(crate) label: String,
    /// Masked.
    pub(crate) comment: String,
    pub(crate) resolve_time: Option<Timestamp>,
    /// True while another person still has to label the same text without knowing this label.
    pub(crate) hidden: bool,
    /// The etag.
    pub(crate) revision: i32,
    pub(crate) create_time: Timestamp,
    pub(crate) update_time: Timestamp,
    /// Masked; none where it is not kept or was not asked for.
    pub(crate) text: Option<String>,
}

/// What a label settles.
#[derive(Debug, PartialEq)]
pub(super) enum Outcome {
    /// This is the label of the text.
    Settled(String),
    /// Somebody else has to say theirs.
    Waits,
    /// The two differ: what a third person decides between, in order.
    Differ(Vec<String>),
}

impl Item {
    /// An item that waits. `id` is new.
    pub(super) fn new(
        id: Uuid,
        (task, classification): (&str, Uuid),
        (reason, standing): (Reason, &Standing),
        (stage, double_coded): (Stage, bool),
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            task: task.to_owned(),
            classification,
            stage,
            double_coded,
            reason,
            confidence: standing.confidence,
            found: standing.found.clone(),
            guess: standing.guess.clone(),
            candidates: Vec::new(),
            state: State::Open,
            close_reason: None,
            assignee: String::new(),
            lease_expire_time: None,
            skipped_by: Vec::new(),
            label: String::new(),
            comment: String::new(),
            resolve_time: None,
            hidden: false,
            revision: 1,
            create_time: now,
            update_time: now,
            text: None,
        }
    }

    /// The adjudication of a text of which this is one of the labels.
    pub(super) fn adjudication(&self, id: Uuid, candidates: Vec<String>, now: Timestamp) -> Self {
        let standing = Standing {
            found: self.found.clone(),
            guess: self.guess.clone(),
            confidence: self.confidence,
            doubt: None,
        };
        let of = (self.task.as_str(), self.classification);
        Self {
            candidates,
            ..Self::new(id, of, (self.reason, &standing), (Stage::Adjudication, true), now)
        }
    }

    /// Whether this person may work on it; `others` are the other items of the same text and task.
    ///
    /// # Errors
    /// It is done, somebody else has it, or this person has labelled the text or is about to.
    fn admit(&self, person: &str, others: &[Self]) -> Result<(), Error> {
        self.must_wait()?;
        if let State::Claimed = self.state
            && self.assignee != person
        {
            let until = self.lease_expire_time.map(|time| time.to_string());
            return Err(Error::ReviewItemTaken {
                until: until.unwrap_or_default(),
            });
        }
        let has = |other: &Self| matches!(other.state, State::Claimed | State::Resolved) && other.assignee == person;
        if others.iter().any(has) {
            return Err(Error::ReviewedByTheSame);
        }
        Ok(())
    }

    fn must_wait(&self) -> Result<(), Error> {
        match self.state {
            State::Open | State::Claimed => Ok(()),
            State::Resolved => Err(Error::ReviewItemDone { state: "resolved" }),
            State::Closed => Err(Error::ReviewItemDone { state: "closed" }),
        }
    }

    /// Somebody takes it into work.
    ///
    /// # Errors
    /// See [`Item::admit`].
    pub(super) fn claim(
        &mut self,
        person: &str,
        others: &[Self],
        lease: SignedDuration,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.admit(person, others)?;
        self.state = State::Claimed;
        person.clone_into(&mut self.assignee);
        self.lease_expire_time = Some(now.checked_add(lease).unwrap_or(Timestamp::MAX));
        self.touch(now);
        Ok(())
    }

    /// Gives it back, where somebody has it; `skip`: this person is not to get it again by themselves.
    ///
    /// # Errors
    /// It is done, or somebody else has it.
    pub(super) fn release(&mut self, person: &str, skip: bool, now: Timestamp) -> Result<bool, Error> {
        self.admit(person, &[])?;
        let skips = skip && !self.skipped_by.iter().any(|known| known == person);
        if !skips && self.state == State::Open {
            return Ok(false);
        }
        if skips {
            self.skipped_by.push(person.to_owned());
        }
        self.state = State::Open;
        self.assignee.clear();
        self.lease_expire_time = None;
        self.touch(now);
        Ok(true)
    }

    /// Somebody gives the label, claimed before or not.
    ///
    /// # Errors
    /// See [`Item::admit`].
    pub(super) fn resolve(
        &mut self,
        person: &str,
        others: &[Self],
        (label, comment): (String, String),
        now: Timestamp,
    ) -> Result<Outcome, Error> {
        self.admit(person, others)?;
        self.state = State::Resolved;
        person.clone_into(&mut self.assignee);
        self.lease_expire_time = None;
        self.label = label;
        self.comment = comment;
        self.resolve_time = Some(now);
        self.touch(now);
        if self.stage == Stage::Adjudication || !self.double_coded {
            return Ok(Outcome::Settled(self.label.clone()));
        }
        let other = others.iter().find(|other| other.stage != Stage::Adjudication);
        Ok(match other {
            Some(other) if other.state != State::Resolved => Outcome::Waits,
            Some(other) if other.label != self.label => {
                let mut candidates = vec![self.label.clone(), other.label.clone()];
                candidates.sort_unstable();
                Outcome::Differ(candidates)
            }
            _ => Outcome::Settled(self.label.clone()),
        })
    }

    fn touch(&mut self, now: Timestamp) {
        self.revision += 1;
        self.update_time = now;
    }
}
