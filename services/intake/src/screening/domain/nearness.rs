//! How near two texts are: the part of their sequences of three characters that both have (Jaccard), and sketches by which the
//! near ones are found among many without comparing with all (MinHash, locality-sensitive hashing).

use std::collections::HashSet;

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::text::{fold, letters};

/// So many bands of so many hashes: two texts share a band with probability 1 − (1 − sʳ)ᵇ at similarity s, that is 0.99997 at
/// 0.9, 0.997 at 0.8, and 0.66 at 0.5. Every band is a row of the table.
pub(crate) const BANDS: usize = 8;
const ROWS: usize = 3;
const HASHES: usize = BANDS * ROWS;
/// Texts are compared by at most so many characters: nobody repeats more than this by hand, and a sketch costs time.
const LONGEST: usize = 4000;
/// From here on two texts are linked.
const LINKED: f64 = 0.9;
/// From here on it is proposed that they are the same.
const PROPOSED: f64 = 0.8;
/// From here on they are shown as alike.
const SIMILAR: f64 = 0.5;

/// How near two feedbacks are; numbers are those of the wire and of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Relation {
    Exact = 1,
    Linked = 2,
    Proposed = 3,
    Similar = 4,
}

impl Relation {
    /// The relation of a number.
    pub(crate) fn of(number: i32) -> Option<Self> {
        [Self::Exact, Self::Linked, Self::Proposed, Self::Similar]
            .into_iter()
            .find(|relation| *relation as i32 == number)
    }
}

/// What is compared of a text.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    grams: HashSet<u64>,
    /// Numbers and words that turn the meaning around, in order: where they differ, the texts do not say the same.
    turns: Vec<String>,
}

impl Profile {
    /// Of a text as people wrote it.
    pub(crate) fn of(text: &str) -> Self {
        let folded = fold(text);
        let letters: Vec<char> = folded.chars().filter(|c| c.is_alphanumeric()).take(LONGEST).collect();
        let mut grams = HashSet::with_capacity(letters.len());
        if letters.len() < 3 {
            if !letters.is_empty() {
                grams.insert(hash(&letters));
            }
        } else {
            grams.extend(letters.windows(3).map(hash));
        }
        Self {
            grams,
            turns: turns(&letters),
        }
    }

    /// The part of the sequences of either that both have: 0 … 1, and 0 where one of them has none.
    pub(crate) fn similarity(&self, other: &Self) -> f64 {
        let (few, many) = if self.grams.len() < other.grams.len() {
            (self, other)
        } else {
            (other, self)
        };
        let both = few.grams.intersection(&many.grams).count();
        let either = few.grams.len() + many.grams.len() - both;
        if either == 0 {
            return 0.0;
        }
        // At most a few thousand each: exact in a float.
        f64::from(u32::try_from(both).unwrap_or(u32::MAX)) / f64::from(u32::try_from(either).unwrap_or(u32::MAX))
    }

    /// How near another text is, with the similarity; none below [`SIMILAR`].
    pub(crate) fn relation(&self, other: &Self) -> Option<(Relation, f64)> {
        let similarity = self.similarity(other);
        let relation = if similarity >= LINKED && self.turns == other.turns {
            Relation::Linked
        } else if similarity >= PROPOSED {
            Relation::Proposed
        } else if similarity >= SIMILAR {
            Relation::Similar
        } else {
            return None;
        };
        Some((relation, similarity))
    }

    /// The bands of the text's sketch; none where it has nothing to compare. Texts that share one may be near.
    pub(crate) fn bands(&self) -> Vec<i64> {
        if self.grams.is_empty() {
            return Vec::new();
        }
        let mut least = [u64::MAX; HASHES];
        for gram in &self.grams {
            for (place, least) in (0u64..).zip(&mut least) {
                *least = (*least).min(mix(
                    gram ^ mix(place.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
                ));
            }
        }
        (0u64..)
            .zip(least.chunks(ROWS))
            .map(|(band, rows)| {
                let band = rows.iter().fold(mix(band ^ 0x5bd1_e995), |hash, row| mix(hash ^ row));
                band.cast_signed()
            })
            .collect()
    }
}

/// By what the same thing said again is recognised: text, customer and product.
pub(crate) fn fingerprint(text: &str, customer: Option<Uuid>, product: &str) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(letters(&fold(text)).as_bytes());
    hash.update([0]);
    hash.update(customer.unwrap_or_default().as_bytes());
    hash.update(letters(&fold(product)).as_bytes());
    hash.finalize()[..16].to_vec()
}

/// Numbers, and characters that negate.
fn turns(letters: &[char]) -> Vec<String> {
    let mut turns = Vec::new();
    let mut number = String::new();
    for character in letters {
        if character.is_numeric() || "一二三四五六七八九十百千".contains(*character) {
            number.push(*character);
            continue;
        }
        if !number.is_empty() {
            turns.push(std::mem::take(&mut number));
        }
        if "不没无未非别勿".contains(*character) {
            turns.push(character.to_string());
        }
    }
    if !number.is_empty() {
        turns.push(number);
    }
    turns
}

/// The same in every process and version: hashes are stored.
fn hash(characters: &[char]) -> u64 {
    characters.iter().fold(0xcbf2_9ce4_8422_2325, |hash, character| {
        mix(hash ^ u64::from(*character))
    })
}

/// Spreads the bits (the finaliser of SplitMix64).
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests;
