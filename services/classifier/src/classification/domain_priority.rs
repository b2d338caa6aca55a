//! The priority of a classification: what the model says of what is known, scores and votes of people, and what holds.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    domain::{Classification, Correction},
    domain_review::{Review, ReviewState, Reviewer},
};
use crate::{
    domain::{Label, Priority},
    error::Error,
    priority::{
        check::counting,
        decide::decide,
        domain::{Decision, Facts, Given, Scores},
        models::Model,
    },
    reading::{
        fold,
        lexicon::Lexicon,
        verdict::{self, Statement, Verdict},
    },
};

/// What a model said, and what it went by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Decided {
    pub(crate) decision: Decision,
    pub(crate) facts: Facts,
}

/// What was said at first, before any correction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Computed {
    #[serde(flatten)]
    pub(crate) verdict: Verdict,
    pub(crate) priority: Priority,
    /// Key of the last override that changed the priority; empty where none did.
    pub(crate) override_rule: String,
    pub(crate) basis: String,
    /// None in what was classified before there were models.
    #[serde(default)]
    pub(crate) decided: Option<Decided>,
}

/// What a correction goes by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules<'r> {
    pub(crate) lexicon: &'r Lexicon,
    pub(crate) model: &'r Model,
    /// How many have the same problem; 0 where that is not known.
    pub(crate) customers: i32,
}

/// Scores that a person gave.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scoring {
    /// The revision that it made.
    pub(crate) revision: i32,
    pub(crate) author: String,
    /// Masked; may be empty.
    pub(crate) reason: String,
    /// By dimension.
    pub(crate) scores: BTreeMap<String, i32>,
    pub(crate) create_time: Timestamp,
}

impl Computed {
    /// What the model makes of what was read; `customers` are those with the same problem, 0 where that is not known.
    pub(crate) fn new(verdict: Verdict, statement: &Statement<'_>, customers: i32, model: &Model) -> Self {
        let facts = Facts {
            categories: verdict.labels.iter().map(|label| label.category.clone()).collect(),
            main_categories: main_categories(&verdict.labels),
            tier: statement.tier,
            impact: verdict.impact,
            impact_words: verdict::impact_words(verdict.impact, verdict.spoken_impact.as_ref()),
            channel: statement.channel,
            urgency: statement.urgency,
            emotion_level: statement.emotion_level,
            sentiment: verdict.sentiment,
            product_model: statement.product_model.to_owned(),
            terms: terms(&verdict),
            customers,
        };
        let decision = decide(model.version, &model.content, &facts, &Scores::new());
        Self {
            priority: decision.priority.clone(),
            override_rule: decision.override_rule(),
            basis: basis(&verdict.category, &verdict.found_by, &decision.steps),
            verdict,
            decided: Some(Decided { decision, facts }),
        }
    }
}

/// Why, in one sentence (判定依据, 001-37).
fn basis(category: &str, found_by: &str, steps: &str) -> String {
    format!("{category} {found_by}; {steps}")
}

/// The first label of each dimension.
pub(super) fn main_categories(labels: &[Label]) -> Vec<String> {
    let mut known = BTreeSet::new();
    let first = labels.iter().filter(|label| known.insert(label.dimension.as_str()));
    first.map(|label| label.category.clone()).collect()
}

/// The words that were found and not negated, each once, folded.
fn terms(verdict: &Verdict) -> Vec<String> {
    let found = verdict.spans.iter().filter(|span| !span.negated);
    let terms: BTreeSet<String> = found.map(|span| fold::fold_term(&span.term)).collect();
    terms.into_iter().collect()
}

impl Classification {
    /// Takes scores that a person gives (001-34): the next revision. They were looked at already.
    ///
    /// # Errors
    /// Scores that count already.
    pub(crate) fn score(
        &mut self,
        rules: Rules<'_>,
        (author, reason): (&str, String),
        scores: BTreeMap<String, i32>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let known = self.scores();
        let same = |(key, score): (&String, &i32)| known.get(key).is_some_and(|given| given.score == *score);
        if scores.iter().all(same) {
            return Err(Error::NothingCorrected);
        }
        self.next_revision(now);
        self.scorings.push(Scoring {
            revision: self.revision,
            author: author.to_owned(),
            reason,
            scores,
            create_time: now,
        });
        self.prioritise(rules, now);
        Ok(())
    }

    /// Takes an approval of the priority: the next revision.
    ///
    /// # Errors
    /// What [`Review::vote`] refuses.
    pub(crate) fn approve(&mut self, reviewer: Reviewer<'_>, now: Timestamp) -> Result<(), Error> {
        let revision = self.revision + 1;
        self.review_in_progress()?.vote(reviewer, true, revision, now)?;
        self.next_revision(now);
        self.settle_basis();
        Ok(())
    }

    /// Takes a rejection, and the level that holds instead, as set by the reviewer: the next revision.
    ///
    /// # Errors
    /// What [`Review::vote`] refuses; a level that the model does not have, or the one under review.
    pub(crate) fn reject(
        &mut self,
        model: &Model,
        reviewer: Reviewer<'_>,
        priority: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let revision = self.revision + 1;
        let (author, reason) = (reviewer.author.to_owned(), reviewer.reason.clone());
        let held = self.priority.key.clone();
        let review = self.review_in_progress()?;
        let mut after = review.clone();
        after.vote(reviewer, false, revision, now)?;
        let level = level(model, priority)?;
        if level.key == held {
            return Err(Error::NothingCorrected);
        }
        *review = after;
        self.next_revision(now);
        self.priority = level;
        self.corrections.push(Correction {
            revision,
            author,
            reason,
            category: None,
            labels: Vec::new(),
            priority: Some(self.priority.key.clone()),
            sentiment: None,
            impact: None,
            create_time: now,
        });
        self.settle_basis();
        Ok(())
    }

    /// Marks a review whose time has passed; false where it is over, or was marked.
    pub(crate) fn escalate(&mut self, round: i32, now: Timestamp) -> bool {
        let Some(review) = &mut self.review else { return false };
        if review.round != round || review.state != ReviewState::Pending || review.escalated {
            return false;
        }
        review.escalated = true;
        self.next_revision(now);
        true
    }

    /// The round of a review that has begun and is to be escalated at a time.
    pub(crate) fn review_to_escalate(&self) -> Option<(i32, Timestamp)> {
        let review = self.review.as_ref()?;
        let pending = review.state == ReviewState::Pending && !review.escalated;
        pending.then_some((review.round, review.escalate_time?))
    }

    fn review_in_progress(&mut self) -> Result<&mut Review, Error> {
        self.review.as_mut().ok_or(Error::ReviewNotPending {
            state: ReviewState::NotNeeded.word(),
        })
    }

    pub(super) fn next_revision(&mut self, now: Timestamp) {
        self.revision += 1;
        self.update_time = now;
    }

    /// True where a person set the priority: it stays, whatever the model says.
    pub(crate) fn is_set_by_hand(&self) -> bool {
        self.set_by(|correction| correction.priority.is_some()).is_some()
    }

    /// The scores that people gave, the newest of each dimension.
    pub(crate) fn scores(&self) -> Scores {
        let given = |scoring: &Scoring| {
            let said = format!("by {}", scoring.author);
            let given = move |(key, score): (String, i32)| {
                let said = said.clone();
                (key, Given { score, said })
            };
            scoring.scores.clone().into_iter().map(given)
        };
        self.scorings.iter().flat_map(given).collect()
    }

    /// What is known now.
    fn facts(&self, customers: i32) -> Facts {
        let emotion_level = self.decided.as_ref().map_or(0, |decided| decided.facts.emotion_level);
        Facts {
            categories: self.labels.iter().map(|label| label.category.clone()).collect(),
            main_categories: main_categories(&self.labels),
            tier: self.feedback.tier,
            impact: self.impact,
            impact_words: verdict::impact_words(self.impact, self.spoken_impact().as_ref()),
            channel: self.feedback.channel,
            urgency: self.stated_urgency,
            emotion_level,
            sentiment: self.sentiment,
            product_model: self.feedback.product_model.clone(),
            terms: terms(&self.computed.verdict),
            customers,
        }
    }

    /// Asks the model; its answer holds unless a person set the priority.
    pub(super) fn prioritise(&mut self, rules: Rules<'_>, now: Timestamp) {
        let facts = self.facts(rules.customers);
        let content = &rules.model.content;
        let decision = decide(rules.model.version, content, &facts, &counting(content, self.scores()));
        if !self.is_set_by_hand() {
            self.priority = decision.priority.clone();
        }
        self.decided = Some(Decided { decision, facts });
        self.ask_for_review(rules.model, now);
        self.settle_basis();
    }

    /// True where the priority is the one that a rejecting reviewer set: nobody needs to confirm it.
    fn is_set_by_rejection(&self) -> bool {
        let set = self
            .corrections
            .iter()
            .rev()
            .find(|correction| correction.priority.is_some());
        let votes = self.review.iter().flat_map(|review| &review.votes);
        set.is_some_and(|set| {
            votes
                .filter(|vote| !vote.approved)
                .any(|vote| vote.revision == set.revision)
        })
    }

    /// Begins a review where the level has a gate and was not reviewed, and ends one of a level that holds no longer.
    pub(super) fn ask_for_review(&mut self, model: &Model, now: Timestamp) {
        if self.is_set_by_rejection() {
            return;
        }
        let level = &self.priority;
        let is_of_level = |review: &&mut Review| review.priority.key == level.key;
        match (model.content.gate(&level.key), self.review.as_mut()) {
            (Some(_), Some(review))
                if is_of_level(&review) && matches!(review.state, ReviewState::Pending | ReviewState::Approved) => {}
            (Some(gate), before) => {
                let round = before.map_or(0, |review| review.round) + 1;
                self.review = Some(Review::begin(gate, self.priority.clone(), round, now));
            }
            (None, Some(review)) if matches!(review.state, ReviewState::Pending | ReviewState::Approved) => {
                review.state = ReviewState::NotNeeded;
            }
            (None, _) => {}
        }
    }

    /// Says why this priority holds; of what was erased nothing is said.
    pub(super) fn settle_basis(&mut self) {
        if self.basis.is_empty() {
            return;
        }
        let Some(decided) = &self.decided else {
            return; // of before there were models: its basis stays as it was said
        };
        let found_by = self
            .category_set_by()
            .filter(|_| self.category != self.computed.verdict.category)
            .map_or(self.computed.verdict.found_by.clone(), |by| format!("set by {by}"));
        let set = self
            .corrections
            .iter()
            .rev()
            .find(|correction| correction.priority.is_some());
        let steps = match set {
            Some(set) => format!(
                "impact {} – priority {} set by {}: {}",
                decided.facts.impact_words, self.priority.key, set.author, set.reason
            ),
            None => decided.decision.steps.clone(),
        };
        let review = self.review.as_ref().map(Review::words).unwrap_or_default();
        self.basis = basis(&self.category, &found_by, &steps) + &review;
    }
}

/// The level of a key.
///
/// # Errors
/// Where the model has none.
pub(super) fn level(model: &Model, key: &str) -> Result<Priority, Error> {
    let model = &model.content;
    model.level(key).ok_or_else(|| Error::PriorityUnknown {
        priority: key.to_owned(),
        allowed: model.keys().join(", "),
    })
}
