//! The pieces of a text that decided, as a verdict shows them.

use serde::{Deserialize, Serialize};

use super::{
    fold::Folded,
    lexicon::{Lexicon, Role},
    scan::Scanned,
    score,
};

/// A verdict shows so many of the words that decided; a text with more is a book.
const SPANS: usize = 200;

/// What a span speaks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Spoken {
    Category { dimension: String, category: String },
    Sentiment,
    Impact,
}

/// A piece of the text that took part in the decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Span {
    pub(crate) spoken: Spoken,
    /// The taxonomy's word.
    pub(crate) term: String,
    /// First code point of the original text.
    pub(crate) start: u32,
    /// The one behind it.
    pub(crate) end: u32,
    pub(crate) negated: bool,
    /// What it counted for; 0 where it was turned around or excluded.
    pub(crate) weight: f64,
    /// Key of the rule that matched; empty for a word.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) rule: String,
}

/// The words that spoke for the category: each once, three at most.
pub(super) fn deciding_terms(spans: &[Span], category: &str) -> String {
    let mut terms: Vec<&str> = Vec::new();
    for span in spans.iter().filter(|span| span.weight > 0.0) {
        if let Spoken::Category { category: found, .. } = &span.spoken
            && (found == category
                || category
                    .strip_prefix(found.as_str())
                    .is_some_and(|rest| rest.starts_with('.')))
            && !terms.contains(&span.term.as_str())
        {
            terms.push(&span.term);
        }
    }
    match terms.len() {
        0 => "as no keyword was found".to_owned(),
        1..=3 => format!("by “{}”", terms.join("”, “")),
        more => format!("by “{}” and {} more", terms[..3].join("”, “"), more - 3),
    }
}

/// What speaks in a text, in its order; [`SPANS`] at most.
pub(super) fn spans(lexicon: &Lexicon, folded: &Folded, scanned: &Scanned) -> Vec<Span> {
    let mut spans = Vec::new();
    for hit in &scanned.hits {
        for (role, term) in &lexicon.entries[hit.entry].roles {
            if !hit.counts(lexicon, role) {
                continue;
            }
            let (spoken, weight) = match role {
                Role::Keyword {
                    category: index,
                    weight,
                } => {
                    let category = &lexicon.categories[*index];
                    let counts_not = hit.negated || scanned.is_excluded(lexicon, *index, hit);
                    let spoken = Spoken::Category {
                        dimension: lexicon.dimensions[category.dimension].clone(),
                        category: category.key.clone(),
                    };
                    (spoken, if counts_not { 0.0 } else { *weight })
                }
                Role::Tone(weight) => (Spoken::Sentiment, score::tone(hit, *weight)),
                Role::Impact(impact) => (
                    Spoken::Impact,
                    if hit.negated {
                        0.0
                    } else {
                        f64::from(*impact as u8) + 1.0
                    },
                ),
                Role::Negation | Role::Degree(_) | Role::Rhetorical | Role::Sarcasm | Role::Exclusion(_) => continue,
            };
            let place = folded.original(&(hit.start..hit.end));
            spans.push(Span {
                spoken,
                term: term.to_string(),
                start: place.start,
                end: place.end,
                negated: if matches!(role, Role::Tone(_)) {
                    hit.negated != hit.asked
                } else {
                    hit.negated
                },
                weight,
                rule: lexicon.entries[hit.entry]
                    .rule
                    .as_deref()
                    .unwrap_or_default()
                    .to_owned(),
            });
            if spans.len() == SPANS {
                return spans;
            }
        }
    }
    spans
}
