//! What the clauses of a text say of each of its categories: who praises the food and scolds the rider says two things.

use serde::{Deserialize, Serialize};

use super::{
    fold::Folded,
    lexicon::{Lexicon, Role},
    scan::{Hit, Scanned},
    score, sentence,
};
use crate::domain::{Label, Sentiment};

/// A verdict has no more of them.
const ASPECTS: usize = 50;

/// One clause about one category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Aspect {
    pub(crate) dimension: String,
    pub(crate) category: String,
    /// First code point of the original text.
    pub(crate) start: u32,
    /// The one behind it.
    pub(crate) end: u32,
    pub(crate) sentiment: Sentiment,
    pub(crate) sentiment_score: f64,
}

/// Every clause in which something speaks for a label, in the order of the text.
pub(super) fn aspects(lexicon: &Lexicon, folded: &Folded, scanned: &Scanned, labels: &[Label]) -> Vec<Aspect> {
    let mut aspects = Vec::new();
    let labels: Vec<(usize, &Label)> = labels
        .iter()
        .filter_map(|label| {
            let known = |known: &super::lexicon::Resolved| known.key == label.category;
            Some((lexicon.categories.iter().position(known)?, label))
        })
        .collect();
    let mut rest = scanned.hits.as_slice();
    for clause in sentence::clauses(folded.text()) {
        let (hits, behind) = rest.split_at(rest.partition_point(|hit| hit.start < clause.end));
        rest = behind;
        if hits.is_empty() {
            continue;
        }
        for (category, label) in &labels {
            if !hits.iter().any(|hit| speaks_for(lexicon, scanned, hit, *category)) {
                continue;
            }
            if aspects.len() == ASPECTS {
                return aspects;
            }
            let (sentiment_score, sentiment) = score::sentiment(lexicon, hits);
            let place = folded.original(&clause);
            aspects.push(Aspect {
                dimension: label.dimension.clone(),
                category: label.category.clone(),
                start: place.start,
                end: place.end,
                sentiment,
                sentiment_score,
            });
        }
    }
    aspects
}

/// What speaks for a category, or for one above it, unless it is turned around or excluded.
fn speaks_for(lexicon: &Lexicon, scanned: &Scanned, hit: &Hit, category: usize) -> bool {
    !hit.negated
        && lexicon.entries[hit.entry].roles.iter().any(|(role, _)| {
            matches!(role, Role::Keyword { category: of, .. }
                if hit.counts(lexicon, role)
                    && lexicon.lineage(category).any(|above| above == *of)
                    && !scanned.is_excluded(lexicon, *of, hit))
        })
}
