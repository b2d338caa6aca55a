//! A problem: where it stands, what it may become, what it counts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Error;

/// A problem is called by at most so many of its telling terms, where nobody gave it a title.
const TERMS_IN_TITLE: usize = 3;

/// Where a problem stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum State {
    /// It waits for people.
    Proposed,
    /// It is one.
    Accepted,
    /// A fix is released.
    Resolved,
    /// The fix did not help.
    Reopened,
    /// It is none; it goes on collecting.
    Rejected,
    /// It is the same as another.
    Merged,
}

impl State {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 6] = [
        Self::Proposed,
        Self::Accepted,
        Self::Resolved,
        Self::Reopened,
        Self::Rejected,
        Self::Merged,
    ];

    /// The word for it in errors.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Proposed => "PROPOSED",
            Self::Accepted => "ACCEPTED",
            Self::Resolved => "RESOLVED",
            Self::Reopened => "REOPENED",
            Self::Rejected => "REJECTED",
            Self::Merged => "MERGED",
        }
    }

    /// What people may make of it. A merge is taken back, not left by a decision.
    pub(crate) fn next(self) -> &'static [Self] {
        match self {
            Self::Proposed => &[Self::Accepted, Self::Rejected, Self::Merged],
            Self::Accepted | Self::Reopened => &[Self::Resolved, Self::Rejected, Self::Merged],
            Self::Resolved => &[Self::Reopened, Self::Merged],
            Self::Rejected => &[Self::Accepted, Self::Merged],
            Self::Merged => &[],
        }
    }

    /// That people may not make this of it.
    pub(crate) fn forbids(self) -> Error {
        Error::ProblemStateForbids {
            state: self.word(),
            allowed: self
                .next()
                .iter()
                .map(|next| next.word())
                .collect::<Vec<_>>()
                .join(", "),
        }
    }
}

/// How a problem came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A group passed the threshold.
    Group,
    /// Words came up.
    Topic,
    /// A person made it.
    Hand,
    /// A person split it off another.
    Split,
}

/// How a feedback came to its problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The problem was proposed for it.
    Proposal,
    /// It came later and fits.
    Fit,
    /// A person put it there.
    Hand,
    /// A person split it off another problem.
    Split,
}

/// A word that tells a problem's feedback from the rest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Term {
    pub(crate) term: String,
    /// How telling; more is more.
    pub(crate) score: f64,
    /// A person gave it.
    pub(crate) given: bool,
}

/// What a problem's feedback comes to.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Counts {
    pub(crate) feedbacks: i64,
    /// Known customers, each once.
    pub(crate) customers: i64,
    /// Feedbacks of nobody known.
    pub(crate) unknown: i64,
    /// Feedbacks that came about after a fix.
    pub(crate) recurrences: i64,
    pub(crate) first_seen: Option<Timestamp>,
    pub(crate) last_seen: Option<Timestamp>,
}

/// What is released against a problem.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fix {
    /// May be empty.
    pub(crate) version: String,
    pub(crate) time: Timestamp,
}

/// What feedback must be about, to be of a problem.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct About {
    /// Of the main dimension; empty for any.
    pub(crate) category: String,
    pub(crate) product_model: String,
    pub(crate) batch: String,
    /// True: only feedback of exactly this model, also where that is none. False: an empty one is any.
    pub(crate) of_model: bool,
    /// The same of the batch.
    pub(crate) of_batch: bool,
}

impl About {
    /// Whether feedback is about this.
    pub(crate) fn covers(&self, category: &str, product_model: &str, batch: &str) -> bool {
        let is = |wanted: &str, exactly: bool, given: &str| wanted == given || (wanted.is_empty() && !exactly);
        is(&self.category, false, category)
            && is(&self.product_model, self.of_model, product_model)
            && is(&self.batch, self.of_batch, batch)
    }

    /// How many of the three it says.
    pub(crate) fn narrowness(&self) -> usize {
        let said = [&self.category, &self.product_model, &self.batch];
        said.iter().filter(|text| !text.is_empty()).count()
    }
}

/// A problem.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problem {
    pub(crate) id: Uuid,
    pub(crate) number: String,
    pub(crate) title: String,
    /// False: the title is made of what it is about and its terms, and made anew with them.
    pub(crate) title_given: bool,
    pub(crate) description: String,
    pub(crate) about: About,
    pub(crate) state: State,
    pub(crate) origin: Origin,
    /// What it is about is all that it has in common: it fits without terms.
    pub(crate) whole_group: bool,
    /// The most telling first.
    pub(crate) terms: Vec<Term>,
    pub(crate) merged_into: Option<Uuid>,
    /// Where it stood before it was merged.
    pub(crate) before_merge: Option<State>,
    /// How many feedbacks it had when it was rejected last.
    pub(crate) rejected_count: i64,
    pub(crate) fix: Option<Fix>,
    pub(crate) counts: Counts,
    /// The etag; 0 before it was first kept.
    pub(crate) revision: i32,
    pub(crate) author: String,
    pub(crate) create_time: Timestamp,
    pub(crate) update_time: Timestamp,
}

/// A move from state to state.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Transition {
    pub(crate) revision: i32,
    /// None for the first.
    pub(crate) from: Option<State>,
    pub(crate) to: State,
    /// Masked.
    pub(crate) reason: String,
    pub(crate) actor: String,
    pub(crate) create_time: Timestamp,
}

impl Problem {
    /// A new one, without feedback; its title is what it is about where none is given.
    pub(crate) fn new(id: Uuid, number: String, about: About, origin: Origin, author: &str, now: Timestamp) -> Self {
        let state = match origin {
            Origin::Group | Origin::Topic => State::Proposed,
            Origin::Hand | Origin::Split => State::Accepted,
        };
        let mut new = Self {
            id,
            number,
            title: String::new(),
            title_given: false,
            description: String::new(),
            about,
            state,
            origin,
            whole_group: false,
            terms: Vec::new(),
            merged_into: None,
            before_merge: None,
            rejected_count: 0,
            fix: None,
            counts: Counts::default(),
            revision: 0,
            author: author.to_owned(),
            create_time: now,
            update_time: now,
        };
        new.entitle();
        new
    }

    /// Takes a decision of people.
    ///
    /// # Errors
    /// Where it cannot become that.
    pub(crate) fn become_state(&mut self, state: State) -> Result<(), Error> {
        if !self.state.next().contains(&state) {
            return Err(self.state.forbids());
        }
        self.state = state;
        Ok(())
    }

    /// It is none.
    ///
    /// # Errors
    /// As [`Self::become_state`].
    pub(crate) fn reject(&mut self) -> Result<(), Error> {
        self.become_state(State::Rejected)?;
        self.rejected_count = self.counts.feedbacks;
        Ok(())
    }

    /// It is the same as another, which is no merged or rejected one.
    ///
    /// # Errors
    /// As [`Self::become_state`].
    pub(crate) fn merge_into(&mut self, target: &Self) -> Result<(), Error> {
        if matches!(target.state, State::Merged | State::Rejected) {
            return Err(target.state.forbids());
        }
        let before = self.state;
        self.become_state(State::Merged)?;
        self.before_merge = Some(before);
        self.merged_into = Some(target.id);
        Ok(())
    }

    /// It is one of its own again; the problem that it was merged into.
    ///
    /// # Errors
    /// Where it was not merged.
    pub(crate) fn unmerge(&mut self) -> Result<Uuid, Error> {
        match (self.merged_into.take(), self.before_merge.take()) {
            (Some(target), Some(before)) => {
                self.state = before;
                Ok(target)
            }
            _ => Err(self.state.forbids()),
        }
    }

    /// Rejected, and grown by so much since: it is proposed again.
    pub(crate) fn grows_back(&mut self, factor: f64) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "counts of feedback are far below 2⁵²")]
        let grown = self.counts.feedbacks as f64 >= self.rejected_count as f64 * factor;
        let back = self.state == State::Rejected && grown && self.counts.feedbacks > self.rejected_count;
        if back {
            self.state = State::Proposed;
        }
        back
    }

    /// Whether what happened then came about after a fix.
    pub(crate) fn recurs_at(&self, seen: Timestamp) -> bool {
        self.fix.as_ref().is_some_and(|fix| seen > fix.time)
    }

    /// Makes the title, where nobody gave one.
    pub(crate) fn entitle(&mut self) {
        if self.title_given {
            return;
        }
        let terms: Vec<&str> = self
            .terms
            .iter()
            .take(TERMS_IN_TITLE)
            .map(|term| term.term.as_str())
            .collect();
        let terms = terms.join("、");
        let about = &self.about;
        let parts = [&about.category, &about.product_model, &about.batch, &terms];
        let parts: Vec<&str> = parts
            .into_iter()
            .map(String::as_str)
            .filter(|part| !part.is_empty())
            .collect();
        self.title = if parts.is_empty() {
            self.number.clone()
        } else {
            parts.join(" · ")
        };
    }

    /// Keeps of the terms that were worked out those that still hold, and those that people gave.
    pub(crate) fn keep_terms(&mut self, holds: impl Fn(&str) -> bool) -> bool {
        let before = self.terms.len();
        self.terms.retain(|term| term.given || holds(&term.term));
        self.entitle();
        before != self.terms.len()
    }

    /// How much of its telling terms a text says, 0 … 1, where it fits: about the same, and enough of them.
    pub(crate) fn fits(&self, about: (&str, &str, &str), says: impl Fn(&str) -> bool, least: f64) -> Option<f64> {
        if !self.about.covers(about.0, about.1, about.2) {
            return None;
        }
        let all: f64 = self.terms.iter().map(|term| term.score).sum();
        let said: f64 = self
            .terms
            .iter()
            .filter(|term| says(&term.term))
            .map(|term| term.score)
            .sum();
        let share = if all > 0.0 { said / all } else { 0.0 };
        (self.whole_group || (all > 0.0 && share >= least)).then_some(share)
    }

    /// Whether a group with these terms is this problem's: nobody proposes it a second time.
    pub(crate) fn is_of(&self, about: &About, whole_group: bool, terms: &[Term]) -> bool {
        let said = |about: &About| [about.category.clone(), about.product_model.clone(), about.batch.clone()];
        if said(&self.about) != said(about) {
            return false;
        }
        let shared = terms
            .iter()
            .filter(|term| self.terms.iter().any(|own| own.term == term.term))
            .count();
        whole_group || self.whole_group || shared * 2 >= self.terms.len().min(terms.len())
    }
}

/// The number of a problem, of a day written YYYYMMDD.
pub(crate) fn number(day: i32, sequence: i64) -> String {
    format!("PB{day:08}{sequence:03}")
}
