//! What holds of a classification when its feedback is read anew, by another version of the taxonomy.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    domain::{Classification, Correction},
    domain_priority::{Computed, Rules},
};
use crate::{
    domain::UNCLASSIFIED,
    reading::{lexicon::Lexicon, verdict::Verdict},
    taxonomy::{
        examples::is_at_or_below,
        mapping::domain::{Fate, Mapped, fate},
    },
};

/// The versions of labels that people set, as in [`Classification::label_versions`].
pub(super) type LabelVersions = BTreeMap<String, i32>;

/// What becomes of the categories of earlier versions, by version.
pub(super) type Mappings = BTreeMap<i32, Vec<Mapped>>;

/// What a reading anew gives.
#[derive(Debug, PartialEq)]
pub(super) enum Anew {
    /// All that was said still holds, now by this version; of labels that people set, by these.
    Same(LabelVersions),
    /// The next revision.
    Changed(Box<Classification>),
    /// It would have to be read and no text of it is kept, or nobody says what becomes of the category that a person set.
    Unreadable,
}

impl Classification {
    /// Takes in what a version says: labels, tendency and category, and not yet what follows from them. `read` is what it says of the
    /// text, with the excerpt; none where no text is kept. Of what people set, category and labels become what the mapping from their
    /// version says, and the tendency stays. None where the category would have to be read and no text is kept, and where nobody says what
    /// becomes of a person's category.
    pub(super) fn reread(
        &self,
        lexicon: &Lexicon,
        read: Option<(Computed, String)>,
        mappings: &Mappings,
    ) -> Option<Self> {
        let has_text = read.is_some();
        let mut next = self.clone();
        next.taxonomy_version = lexicon.version;
        if let Some((computed, excerpt)) = read {
            next.take_in(computed, excerpt);
        }
        let is_set = self.category_set_by().is_some();
        if (is_set || !has_text) && self.category != UNCLASSIFIED {
            let later = |key: &str| lexicon.category_of(0, key).is_some();
            let key = match fate(from(mappings, self.taxonomy_version), later, &self.category) {
                Fate::Becomes(keys) => Some(best(keys, &next.computed.verdict, lexicon, 0)),
                Fate::Stays => Some(self.category.as_str()),
                Fate::ReadAnew if has_text => {
                    next.category_read_revision = self.revision + 1;
                    None
                }
                // What a person set is not taken away because nobody says what becomes of it.
                Fate::ReadAnew | Fate::Unknown => return None,
            };
            // A mapping names categories that there are, and of the same dimension.
            if let Some(category) = key.and_then(|key| lexicon.category_of(0, key))
                && (is_set || lexicon.categories[category].key != self.category)
            {
                next.set_label(lexicon, 0, Some(category));
            }
        } else if self.last_set(|correction| correction.category.as_deref()) == Some(UNCLASSIFIED) {
            next.set_label(lexicon, 0, None);
        }
        for (dimension, version) in &self.label_versions {
            next.keep_label(self, lexicon, (dimension.as_str(), has_text), from(mappings, *version));
        }
        Some(next)
    }

    /// Keeps the label of a dimension beside the main one that a person set, as what the mapping makes of it. One that the mapping has read
    /// anew is what was read, and the person's no longer. One of which nobody says what becomes of it, or that cannot be read anew, stays one
    /// of the version that it was said by: it holds up nothing else.
    fn keep_label(
        &mut self,
        before: &Self,
        lexicon: &Lexicon,
        (dimension, has_text): (&str, bool),
        mapping: &[Mapped],
    ) {
        let place = lexicon.dimensions.iter().position(|known| known == dimension);
        if place == Some(0) {
            // The main one now: its label is the category.
            self.label_versions.remove(dimension);
            return;
        }
        let later = |key: &str| place.and_then(|place| lexicon.category_of(place, key));
        let label = before.label_of(dimension);
        let key = match fate(mapping, |key| later(key).is_some(), label) {
            _ if label == UNCLASSIFIED => Some(label),
            Fate::Becomes(keys) => place.map(|place| best(keys, &self.computed.verdict, lexicon, place)),
            Fate::Stays => Some(label),
            Fate::ReadAnew if has_text => {
                self.label_versions.remove(dimension);
                return;
            }
            Fate::ReadAnew | Fate::Unknown => None,
        };
        if let Some((place, key)) = place.zip(key)
            && (key == UNCLASSIFIED || later(key).is_some())
        {
            self.set_label(lexicon, place, later(key));
            self.label_versions.insert(dimension.to_owned(), lexicon.version);
            return;
        }
        let kept = before.labels.iter().filter(|label| label.dimension == dimension);
        self.labels.retain(|label| label.dimension != dimension);
        let place = place.map_or(self.labels.len(), |place| lexicon.place_among(&self.labels, place));
        self.labels.splice(place..place, kept.cloned());
    }

    /// What the last correction that says something of this kind says.
    fn last_set<'c>(&'c self, says: impl Fn(&'c Correction) -> Option<&'c str>) -> Option<&'c str> {
        self.corrections.iter().rev().find_map(says)
    }

    /// What follows from it: impact, priority and review; a priority and an impact that people set stay.
    pub(super) fn anew(&self, mut reread: Self, rules: Rules<'_>, now: Timestamp) -> Anew {
        reread.settle(rules, None, now);
        let is_same = reread.category == self.category
            && reread.labels == self.labels
            && reread.sentiment == self.sentiment
            && reread.impact == self.impact
            && reread.priority == self.priority
            && reread.category_read_revision == self.category_read_revision
            && reread.label_versions.keys().eq(self.label_versions.keys());
        if is_same {
            return Anew::Same(reread.label_versions);
        }
        reread.next_revision(now);
        Anew::Changed(Box::new(reread))
    }

    fn take_in(&mut self, computed: Computed, excerpt: String) {
        let verdict = &computed.verdict;
        self.category.clone_from(&verdict.category);
        self.labels.clone_from(&verdict.labels);
        self.skills.clone_from(&verdict.skills);
        self.department.clone_from(&verdict.department);
        if self.set_by(|correction| correction.sentiment.is_some()).is_none() {
            self.sentiment = verdict.sentiment;
        }
        self.sentiment_score = verdict.sentiment_score;
        self.impact = verdict.impact;
        self.excerpt = excerpt;
        // What an agent heard stands there, also of feedback from before there were models.
        self.decided.clone_from(&computed.decided);
        self.computed = computed;
    }
}

/// What becomes of the categories of a version.
fn from(mappings: &Mappings, version: i32) -> &[Mapped] {
    mappings.get(&version).map(Vec::as_slice).unwrap_or_default()
}

/// Of the categories that one may become, the one for which most of the text speaks; the first where nothing does.
fn best<'k>(keys: &'k [String], verdict: &Verdict, lexicon: &Lexicon, dimension: usize) -> &'k str {
    let dimension = &lexicon.dimensions[dimension];
    verdict
        .labels
        .iter()
        .filter(|label| label.dimension == *dimension)
        .find_map(|label| keys.iter().find(|key| is_at_or_below(&label.category, key)))
        .or_else(|| keys.first())
        .map_or("", String::as_str)
}
