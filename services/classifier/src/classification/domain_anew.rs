//! What holds of a classification when its feedback is read anew, by another version of the taxonomy.

use jiff::Timestamp;

use super::domain::{Classification, main_category};
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
    /// All that was said still holds.
    Same,
    /// The next revision.
    Changed(Box<Classification>),
    /// It would have to be read, and no text of it is kept.
    Unreadable,
}

impl Classification {
    /// Reads it anew. `read` is what the version says of its text, with the excerpt; none where no text is kept. Of what people set, the
    /// category becomes what the mapping says, and priority, tendency and impact stay.
    pub(super) fn anew(
        &self,
        lexicon: &Lexicon,
        read: Option<(Verdict, String)>,
        mapping: &[Mapped],
        now: Timestamp,
    ) -> Anew {
        let has_text = read.is_some();
        let mut next = self.clone();
        next.taxonomy_version = lexicon.version;
        if let Some((verdict, excerpt)) = read {
            next.take_in(verdict, excerpt);
        }
        let is_set = self.set_by(|correction| correction.category.is_some()).is_some();
        if (is_set || !has_text) && self.category != UNCLASSIFIED {
            let later = |key: &str| main_category(lexicon, key).is_ok();
            let key = match fate(mapping, later, &self.category) {
                Fate::Becomes(keys) => Some(best(keys, &next.computed, lexicon)),
                Fate::Stays => Some(self.category.as_str()),
                Fate::ReadAnew if has_text => None,
                Fate::ReadAnew => return Anew::Unreadable,
            };
            // A mapping names categories that there are, and of the same dimension.
            if let Some(category) = key.and_then(|key| main_category(lexicon, key).ok())
                && (is_set || lexicon.categories[category].key != self.category)
            {
                next.set_category(lexicon, category);
            }
        }
        next.settle(lexicon, None);
        let is_same = next.category == self.category
            && next.labels == self.labels
            && next.sentiment == self.sentiment
            && next.impact == self.impact
            && next.priority == self.priority;
        if is_same {
            return Anew::Same;
        }
        next.revision += 1;
        next.update_time = now;
        Anew::Changed(Box::new(next))
    }

    fn take_in(&mut self, verdict: Verdict, excerpt: String) {
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
        self.computed = verdict;
    }
}

/// Of the categories that one may become, the one for which most of the text speaks; the first where nothing does.
fn best<'k>(keys: &'k [String], verdict: &Verdict, lexicon: &Lexicon) -> &'k str {
    let main = lexicon.dimensions.first().map_or("", String::as_str);
    verdict
        .labels
        .iter()
        .filter(|label| label.dimension == main)
        .find_map(|label| keys.iter().find(|key| is_at_or_below(&label.category, key)))
        .or_else(|| keys.first())
        .map_or("", String::as_str)
}
