//! A classification: what the taxonomy said, what people changed, and what holds.

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

use super::{
    domain_priority::{Computed, Decided, Rules, Scoring, level},
    domain_review::Review,
};

use crate::{
    domain::{Feedback, Impact, Label, Priority, Sentiment, UNCLASSIFIED},
    error::Error,
    priority::models::Model,
    reading::{answers::About, lexicon::Lexicon},
};

/// What a person changed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Correction {
    /// The revision that it made.
    pub(crate) revision: i32,
    pub(crate) author: String,
    /// Masked.
    pub(crate) reason: String,
    pub(crate) category: Option<String>,
    /// Of dimensions beside the main one: key, and the category that was set.
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) priority: Option<String>,
    pub(crate) sentiment: Option<Sentiment>,
    pub(crate) impact: Option<Impact>,
    pub(crate) create_time: Timestamp,
}

/// What a person wants to change.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Change {
    pub(crate) author: String,
    /// Masked.
    pub(crate) reason: String,
    /// `unclassified` for none, here and in the labels.
    pub(crate) category: Option<String>,
    /// Of dimensions beside the main one, each of them there and named once: key and category.
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) priority: Option<String>,
    pub(crate) sentiment: Option<Sentiment>,
    pub(crate) impact: Option<Impact>,
    /// True: what it gives may be what holds already; then it says that a person looked.
    pub(crate) confirms: bool,
}

/// The classification of one feedback.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Classification {
    /// That of the feedback.
    pub(crate) id: Uuid,
    pub(crate) feedback: Feedback,
    /// As the agent stated it; the priority model asks for it at every correction.
    pub(crate) stated_urgency: i32,
    /// 1 for the first; the etag.
    pub(crate) revision: i32,
    pub(crate) taxonomy_version: i32,
    /// The revision in which a mapping had the category that a person set read anew; 0 where none did. What people set before it holds no
    /// longer.
    pub(crate) category_read_revision: i32,
    /// Dimensions beside the main one whose label is what a person said, or what became of that; each with the version of the taxonomy that
    /// this label is of. A category that stays, or one that is set later, says nothing of theirs.
    pub(crate) label_versions: BTreeMap<String, i32>,
    pub(crate) category: String,
    pub(crate) labels: Vec<Label>,
    pub(crate) sentiment: Sentiment,
    pub(crate) sentiment_score: f64,
    pub(crate) impact: Impact,
    pub(crate) priority: Priority,
    pub(crate) basis: String,
    pub(crate) skills: Vec<String>,
    pub(crate) department: String,
    pub(crate) excerpt: String,
    pub(crate) computed: Computed,
    /// What the model says of what is known and scored now; none in what was classified before there were models.
    pub(crate) decided: Option<Decided>,
    /// The joint review of the priority; none where there never was one.
    pub(crate) review: Option<Review>,
    /// Oldest first.
    pub(crate) corrections: Vec<Correction>,
    /// Oldest first; the newest of a dimension counts.
    pub(crate) scorings: Vec<Scoring>,
    pub(crate) create_time: Timestamp,
    pub(crate) update_time: Timestamp,
}

impl Classification {
    /// The first classification of a feedback: what the taxonomy and the model said holds.
    pub(crate) fn first(
        id: Uuid,
        feedback: Feedback,
        stated_urgency: i32,
        excerpt: String,
        computed: Computed,
        model: &Model,
        now: Timestamp,
    ) -> Self {
        let verdict = &computed.verdict;
        let mut first = Self {
            id,
            feedback,
            stated_urgency,
            revision: 1,
            taxonomy_version: verdict.taxonomy_version,
            category_read_revision: 0,
            label_versions: BTreeMap::new(),
            category: verdict.category.clone(),
            labels: verdict.labels.clone(),
            sentiment: verdict.sentiment,
            sentiment_score: verdict.sentiment_score,
            impact: verdict.impact,
            priority: computed.priority.clone(),
            basis: computed.basis.clone(),
            skills: verdict.skills.clone(),
            department: verdict.department.clone(),
            excerpt,
            decided: computed.decided.clone(),
            computed,
            review: None,
            corrections: Vec::new(),
            scorings: Vec::new(),
            create_time: now,
            update_time: now,
        };
        first.ask_for_review(model, now);
        first.settle_basis();
        first
    }

    /// The next revision. Category and priority are those of the taxonomy and the model in effect; a priority that a person set,
    /// now or before, stays, any other is worked out again.
    ///
    /// # Errors
    /// A category or priority that is not there, a priority where the model lets nobody set one, or a change of nothing.
    pub(crate) fn correct(&mut self, rules: Rules<'_>, change: Change, now: Timestamp) -> Result<(), Error> {
        let Rules { lexicon, model, .. } = rules;
        let mut labels = Vec::new();
        if let Some(key) = &change.category {
            labels.push((0, category_of(lexicon, 0, key, "category")?));
        }
        for (at, (dimension, key)) in change.labels.iter().enumerate() {
            if let Some(place) = lexicon.dimensions.iter().position(|known| known == dimension) {
                let field = format!("labels[{at}].category");
                labels.push((place, category_of(lexicon, place, key, &field)?));
            }
        }
        let level = change.priority.as_deref().map(|key| level(model, key)).transpose()?;
        if level.is_some() && !model.content.manual.allowed {
            return Err(Error::PriorityNotByHand { version: model.version });
        }
        if !change.confirms && !self.is_changed_by(&change) {
            return Err(Error::NothingCorrected);
        }
        self.next_revision(now);
        // A category or label that stays is one of the version that it was said by.
        if change.category.is_some() {
            self.taxonomy_version = lexicon.version;
        }
        for (dimension, _) in &change.labels {
            self.label_versions.insert(dimension.clone(), lexicon.version);
        }
        self.corrections.push(Correction {
            revision: self.revision,
            author: change.author,
            reason: change.reason,
            category: change.category,
            labels: change.labels,
            priority: change.priority,
            sentiment: change.sentiment,
            impact: change.impact,
            create_time: now,
        });
        for (dimension, category) in labels {
            self.set_label(lexicon, dimension, category);
        }
        if let Some(sentiment) = change.sentiment {
            self.sentiment = sentiment;
        }
        self.settle(rules, level, now);
        Ok(())
    }

    /// Makes a category the label of its dimension, as a person's is; none takes the label of that dimension away.
    pub(super) fn set_label(&mut self, lexicon: &Lexicon, dimension: usize, category: Option<usize>) {
        let category = category.map(|category| &lexicon.categories[category]);
        if dimension == 0 {
            category
                .map_or(UNCLASSIFIED, |category| &category.key)
                .clone_into(&mut self.category);
            self.skills = category.map(|category| category.skills.clone()).unwrap_or_default();
            self.department = category.map(|category| category.department.clone()).unwrap_or_default();
        }
        let key = &lexicon.dimensions[dimension];
        self.labels.retain(|label| label.dimension != *key);
        let Some(category) = category else { return };
        let place = lexicon.place_among(&self.labels, dimension);
        let label = Label {
            dimension: key.clone(),
            category: category.key.clone(),
            confidence: 1.0,
            ..Label::default()
        };
        self.labels.insert(place, label);
    }

    /// The category in effect of a dimension; `unclassified` where it has none.
    pub(super) fn label_of(&self, dimension: &str) -> &str {
        let mut labels = self.labels.iter();
        let found = labels.find(|label| label.dimension == dimension);
        found.map_or(UNCLASSIFIED, |label| &label.category)
    }

    /// What follows from category, tendency and what people set: impact, priority, review and basis.
    pub(super) fn settle(&mut self, rules: Rules<'_>, level: Option<Priority>, now: Timestamp) {
        let lexicon = rules.lexicon;
        let spoken = self.spoken_impact();
        let by_default = lexicon
            .categories
            .iter()
            .find(|known| known.key == self.category)
            .map_or(self.impact, |known| known.default_impact);
        self.impact = spoken.as_ref().map_or(by_default, |(impact, _)| *impact);
        if let Some(level) = level {
            self.priority = level;
        }
        self.prioritise(rules, now);
    }

    fn is_changed_by(&self, change: &Change) -> bool {
        change
            .category
            .as_ref()
            .is_some_and(|category| *category != self.category)
            || change
                .labels
                .iter()
                .any(|(dimension, category)| self.label_of(dimension) != category)
            || change
                .priority
                .as_ref()
                .is_some_and(|priority| *priority != self.priority.key)
            || change.sentiment.is_some_and(|sentiment| sentiment != self.sentiment)
            || change.impact.is_some_and(|impact| impact != self.impact)
    }

    /// The impact that a person set last, else the one that was stated or worded.
    pub(super) fn spoken_impact(&self) -> Option<(Impact, String)> {
        let set = self
            .corrections
            .iter()
            .rev()
            .find_map(|correction| Some((correction.impact?, format!("set by {}", correction.author))));
        set.or_else(|| self.computed.verdict.spoken_impact.clone())
    }

    /// What people said of it, in a correction or a review, where it still holds.
    pub(super) fn set_by_people(&self, lexicon: &Lexicon) -> Vec<About> {
        let main = lexicon.dimensions.first();
        let category = self.category_set_by().and(main);
        let dimensions = category.into_iter().chain(self.label_versions.keys());
        let sentiment = self.set_by(|correction| correction.sentiment.is_some());
        dimensions
            .cloned()
            .map(About::Dimension)
            .chain(sentiment.map(|_| About::Sentiment))
            .collect()
    }

    /// Who set the category, where it is still what a person said, or what became of that.
    pub(super) fn category_set_by(&self) -> Option<&str> {
        let since = self.category_read_revision;
        self.set_by(|correction| correction.category.is_some() && correction.revision > since)
    }

    /// Who set it last.
    pub(super) fn set_by(&self, sets: impl Fn(&Correction) -> bool) -> Option<&str> {
        self.corrections
            .iter()
            .rev()
            .find(|correction| sets(correction))
            .map(|correction| correction.author.as_str())
    }
}

/// The index of a category of a dimension, or none for `unclassified`.
fn category_of(lexicon: &Lexicon, dimension: usize, key: &str, field: &str) -> Result<Option<usize>, Error> {
    if key == UNCLASSIFIED {
        return Ok(None);
    }
    let found = lexicon.category_of(dimension, key);
    found.map(Some).ok_or_else(|| Error::CategoryUnknown {
        version: lexicon.version,
        category: key.to_owned(),
        field: field.to_owned(),
    })
}
