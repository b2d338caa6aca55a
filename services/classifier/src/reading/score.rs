//! From the words of a text to its categories, its tendency and its impact.

use super::{
    lexicon::{Lexicon, Role},
    scan::{Hit, Scanned},
};
use crate::domain::{Impact, Label, Sentiment};

/// A category that scores at least this share of the best of its dimension stands beside it (001-30).
const CLOSE: f64 = 0.75;
/// So many labels at most in one dimension.
const LABELS: usize = 3;
/// What remains of a tone that is turned around: 不好 is not as bad as 坏.
const TURNED: f64 = 0.75;

/// The labels of a text with the index of the main category, where one of the main dimension was found.
pub(super) struct Categories {
    pub(super) labels: Vec<Label>,
    pub(super) main: Option<usize>,
}

/// What the words speak for each category with, those of which `counts` says so.
pub(super) fn votes(lexicon: &Lexicon, scanned: &Scanned, counts: impl Fn(&Hit) -> bool) -> Vec<f64> {
    let mut votes = vec![0.0; lexicon.categories.len()];
    for hit in scanned.hits.iter().filter(|hit| !hit.negated && counts(hit)) {
        for (role, _) in &lexicon.entries[hit.entry].roles {
            if let Role::Keyword { category, weight } = role
                && hit.counts(lexicon, role)
                && !scanned.is_excluded(lexicon, *category, hit)
            {
                votes[*category] += weight;
            }
        }
    }
    votes
}

/// The categories that the words speak for, dimension by dimension, the best first.
pub(super) fn categories(lexicon: &Lexicon, scanned: &Scanned) -> Categories {
    let votes = votes(lexicon, scanned, |_| true);
    let mut found = Categories {
        labels: Vec::new(),
        main: None,
    };
    for dimension in 0..lexicon.dimensions.len() {
        for (place, (category, confidence)) in best(lexicon, &votes, dimension).into_iter().enumerate() {
            if dimension == 0 && place == 0 {
                found.main = Some(category);
            }
            found.labels.push(Label {
                dimension: lexicon.dimensions[dimension].clone(),
                category: lexicon.categories[category].key.clone(),
                confidence: round(confidence),
                ..Label::default()
            });
        }
    }
    found
}

/// The best of a dimension and those that come close, with their shares. What speaks for a parent speaks for its children
/// too, where these have words of their own.
pub(super) fn best(lexicon: &Lexicon, votes: &[f64], dimension: usize) -> Vec<(usize, f64)> {
    let ancestors = |category: usize| {
        std::iter::successors(lexicon.categories[category].parent, |parent| {
            lexicon.categories[*parent].parent
        })
    };
    let voted = |category: &usize| votes[*category] > 0.0 && lexicon.categories[*category].dimension == dimension;
    let all: Vec<usize> = (0..votes.len()).filter(voted).collect();
    let total: f64 = all.iter().map(|category| votes[*category]).sum();
    let mut scored: Vec<(usize, f64)> = all
        .iter()
        .filter(|category| {
            !all.iter()
                .any(|other| ancestors(*other).any(|ancestor| ancestor == **category))
        })
        .map(|category| {
            (
                *category,
                votes[*category] + ancestors(*category).map(|ancestor| votes[ancestor]).sum::<f64>(),
            )
        })
        .collect();
    // Stable: of equal ones the first in the taxonomy wins.
    scored.sort_by(|one, other| other.1.total_cmp(&one.1));
    let least = scored.first().map_or(0.0, |(_, best)| best * CLOSE);
    scored.retain(|(_, score)| *score >= least);
    scored.truncate(LABELS);
    scored
        .into_iter()
        .map(|(category, score)| (category, score / total))
        .collect()
}

/// What a word of the sentiment lexicon counts for at its place.
pub(super) fn tone(hit: &Hit, weight: f64) -> f64 {
    let weight = weight * hit.factor;
    round(if hit.negated == hit.asked {
        weight
    } else {
        -weight * TURNED
    })
}

/// The score of some words, −1 … 1, and their tendency.
pub(super) fn sentiment<'h>(lexicon: &Lexicon, hits: impl IntoIterator<Item = &'h Hit>) -> (f64, Sentiment) {
    let mut sum = 0.0;
    for hit in hits {
        for (role, _) in &lexicon.entries[hit.entry].roles {
            if let Role::Tone(weight) = role
                && hit.counts(lexicon, role)
            {
                sum += tone(hit, *weight);
            }
        }
    }
    // One strong word is clear already; many more make it only a little clearer.
    let score = round(sum / (sum * sum + 1.0_f64).sqrt());
    let tendency = if score < lexicon.negative_below {
        Sentiment::Negative
    } else if score > lexicon.positive_above {
        Sentiment::Positive
    } else {
        Sentiment::Neutral
    };
    (score, tendency)
}

/// The worst impact that the words say, with the word that says it.
pub(super) fn impact(lexicon: &Lexicon, hits: &[Hit]) -> Option<(Impact, String)> {
    let mut worst: Option<(Impact, &str)> = None;
    for hit in hits.iter().filter(|hit| !hit.negated) {
        for (role, term) in &lexicon.entries[hit.entry].roles {
            if let Role::Impact(impact) = role
                && hit.counts(lexicon, role)
                && worst.is_none_or(|(known, _)| *impact > known)
            {
                worst = Some((*impact, term));
            }
        }
    }
    worst.map(|(impact, term)| (impact, term.to_owned()))
}

/// A praise of at least so much weight that stands between quotation marks is not meant as it is said.
const QUOTED: f64 = 0.5;
/// What opens and closes a quotation in a folded text, pair by pair.
const QUOTES: [(char, char); 4] = [('“', '”'), ('「', '」'), ('"', '"'), ('『', '』')];

/// True where the wording hints at sarcasm: a cue that is not turned around, or a quoted praise.
pub(super) fn sarcasm(lexicon: &Lexicon, text: &str, hits: &[Hit]) -> bool {
    hits.iter().filter(|hit| !hit.negated).any(|hit| {
        lexicon.entries[hit.entry].roles.iter().any(|(role, _)| match role {
            Role::Sarcasm => hit.counts(lexicon, role),
            Role::Tone(weight) => *weight >= QUOTED && hit.counts(lexicon, role) && is_quoted(text, hit),
            _ => false,
        })
    })
}

fn is_quoted(text: &str, hit: &Hit) -> bool {
    let before = text[..hit.start].chars().next_back();
    let behind = text[hit.end..].chars().next();
    QUOTES
        .iter()
        .any(|(opens, closes)| before == Some(*opens) && behind == Some(*closes))
}

/// Four places: what is shown is what is stored and compared.
pub(super) fn round(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}
