//! What holds of a classification when its feedback is read anew, by another version of the taxonomy.

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

/// What a reading anew gives.
#[derive(Debug, PartialEq)]
pub(super) enum Anew {
    /// All that was said still holds, now by this version.
    Same,
    /// The next revision.
    Changed(Box<Classification>),
    /// It would have to be read and no text of it is kept, or nobody says what becomes of the category that a person set.
    Unreadable,
}

impl Classification {
    /// Takes in what a version says: labels, tendency and category, and not yet what follows from them. `read` is what it says of the
    /// text, with the excerpt; none where no text is kept. Of what people set, the category becomes what the mapping says, and the
    /// tendency stays. None where it would have to be read and no text is kept, and where nobody says what becomes of a person's label.
    pub(super) fn reread(
        &self,
        lexicon: &Lexicon,
        read: Option<(Computed, String)>,
        mapping: &[Mapped],
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
            let key = match fate(mapping, later, &self.category) {
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
        for (dimension, key) in lexicon.dimensions.iter().enumerate().skip(1) {
            let of_dimension = |correction: &'_ Correction| correction.labels.iter().any(|(known, _)| known == key);
            if self.set_by(of_dimension).is_some() {
                next.keep_label(self.label_of(key), lexicon, (dimension, has_text), mapping)?;
            }
        }
        Some(next)
    }

    /// Keeps the label of a dimension beside the main one that a person set, as what the mapping makes of it; one that is to be read anew is
    /// what was read. None where no text is kept for that, and where nobody says what becomes of it.
    fn keep_label(
        &mut self,
        label: &str,
        lexicon: &Lexicon,
        (dimension, has_text): (usize, bool),
        mapping: &[Mapped],
    ) -> Option<()> {
        if label == UNCLASSIFIED {
            self.set_label(lexicon, dimension, None);
            return Some(());
        }
        let later = |key: &str| lexicon.category_of(dimension, key).is_some();
        let key = match fate(mapping, later, label) {
            Fate::Becomes(keys) => best(keys, &self.computed.verdict, lexicon, dimension),
            Fate::Stays => label,
            Fate::ReadAnew if has_text => return Some(()),
            Fate::ReadAnew | Fate::Unknown => return None,
        };
        if let Some(category) = lexicon.category_of(dimension, key) {
            self.set_label(lexicon, dimension, Some(category));
        }
        Some(())
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
            && reread.category_read_revision == self.category_read_revision;
        if is_same {
            return Anew::Same;
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
