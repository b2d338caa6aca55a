//! A model as bytes, and back: versioned, with a checksum, and nothing in them is believed.

use super::{
    calibration::Confidence,
    model::{Matrix, Model},
    vocabulary::Vocabulary,
};
use crate::reading::dictionary::dictionary;

/// Why bytes are no model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    /// They begin with something else.
    #[error("not a model")]
    Foreign,
    /// A later release wrote them.
    #[error("a version that is not known here")]
    Version,
    /// They were cut short, changed, or say what cannot be.
    #[error("damaged")]
    Damaged,
}

const MAGIC: &[u8; 4] = b"HYLM";
/// Of a model that takes what rules find or does not, where it does their version comes first.
const VERSION: u8 = 5;
const WITH_RULES: u8 = 6;
/// Of those that left nothing to chance yet.
const SURE: u8 = 3;
const SURE_WITH_RULES: u8 = 4;
/// Of those that did not look at words and signs either.
const WITHOUT_WORDS: u8 = 1;
const WITHOUT_WORDS_WITH_RULES: u8 = 2;
/// Magic, version and checksum.
const HEAD: usize = 9;
/// No number in a model is beyond this; so sums over any text stay finite.
const LARGEST: f32 = 1e6;

impl Model {
    /// The model as bytes.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut body = Writer::default();
        if let Some(rules) = self.rules {
            body.0.extend_from_slice(&rules.to_le_bytes());
        }
        body.count(self.labels.len());
        for label in &self.labels {
            body.count(label.len());
            body.0.extend_from_slice(label.as_bytes());
        }
        body.numbers(&[self.confidence.sharpness]);
        if self.with_words {
            body.numbers(&[self.confidence.chance]);
        }
        body.numbers(&self.matrix.intercept);
        body.count(self.vocabulary.keys().len());
        for key in self.vocabulary.keys() {
            body.0.extend_from_slice(&key.to_le_bytes());
        }
        body.numbers(self.vocabulary.importance());
        body.numbers(&self.matrix.scales);
        body.0.extend(self.matrix.cells.iter().map(|cell| cell.cast_unsigned()));

        let mut bytes = Vec::with_capacity(HEAD + body.0.len());
        bytes.extend_from_slice(MAGIC);
        bytes.push(match (self.with_words, self.rules) {
            (true, None) => VERSION,
            (true, Some(_)) => WITH_RULES,
            (false, None) => WITHOUT_WORDS,
            (false, Some(_)) => WITHOUT_WORDS_WITH_RULES,
        });
        bytes.extend_from_slice(&crc32fast::hash(&body.0).to_le_bytes());
        bytes.append(&mut body.0);
        bytes
    }

    /// The model that bytes hold. The first call takes a moment: call it beside the tasks. Memory is bounded by a small multiple of
    /// their length.
    ///
    /// # Errors
    /// They hold none, or none that can be trusted.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        let (head, body) = bytes.split_at_checked(HEAD).ok_or(Unreadable::Foreign)?;
        if !head.starts_with(MAGIC) {
            return Err(Unreadable::Foreign);
        }
        let version = head[MAGIC.len()];
        let shape = Shape {
            with_rules: matches!(version, WITH_RULES | SURE_WITH_RULES | WITHOUT_WORDS_WITH_RULES),
            with_words: matches!(version, VERSION | WITH_RULES | SURE | SURE_WITH_RULES),
            with_chance: matches!(version, VERSION | WITH_RULES),
        };
        if !matches!(version, WITHOUT_WORDS..=WITH_RULES) {
            return Err(Unreadable::Version);
        }
        if head[MAGIC.len() + 1..] != crc32fast::hash(body).to_le_bytes() {
            return Err(Unreadable::Damaged);
        }
        if shape.with_words {
            dictionary(); // here, and not with the first text that is read
        }
        Reader(body).model(shape).ok_or(Unreadable::Damaged)
    }
}

/// What a version of the bytes has.
struct Shape {
    with_rules: bool,
    with_words: bool,
    with_chance: bool,
}

#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn count(&mut self, count: usize) {
        // Training refuses what has more labels, features or letters than this counts.
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.0.extend_from_slice(&count.to_le_bytes());
    }

    fn numbers(&mut self, numbers: &[f32]) {
        for number in numbers {
            self.0.extend_from_slice(&number.to_le_bytes());
        }
    }
}

/// What is left to read; every step is `None` where there is too little of it.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn model(mut self, shape: Shape) -> Option<Model> {
        let rules = if shape.with_rules {
            let version = self.words(1)?.next().map(i32::from_le_bytes)?;
            Some(version).filter(|version| *version >= 0)
        } else {
            None
        };
        let labels = self.count()?;
        // A label takes four bytes at least, which bounds what a false count could reserve.
        let labels = (0..labels).map(|_| self.label()).collect::<Option<Vec<String>>>()?;
        if labels.len() < 2 {
            return None;
        }
        let width = Matrix::width(labels.len());
        let sharpness = *self.numbers(1)?.first()?;
        let chance = if shape.with_chance {
            *self.numbers(1)?.first()?
        } else {
            0.0
        };
        let intercept = self.numbers(width)?;
        let features = self.count()?;
        let keys: Vec<u32> = self.words(features)?.map(u32::from_le_bytes).collect();
        let importance = self.numbers(features)?;
        let scales = self.numbers(features)?;
        let cells = self.take(features.checked_mul(width)?)?;
        let plausible = self.0.is_empty()
            && sharpness > 0.0
            && (0.0..1.0).contains(&chance)
            && rules.is_some() == shape.with_rules
            && importance.iter().all(|importance| *importance >= 0.0)
            && keys.is_sorted_by(|a, b| a < b);
        plausible.then(|| Model {
            labels,
            vocabulary: Vocabulary::new(keys, importance),
            matrix: Matrix {
                width,
                scales,
                cells: cells.iter().map(|cell| cell.cast_signed()).collect(),
                intercept,
            },
            confidence: Confidence { sharpness, chance },
            rules,
            with_words: shape.with_words,
        })
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, left) = self.0.split_at_checked(length)?;
        self.0 = left;
        Some(taken)
    }

    fn words(&mut self, count: usize) -> Option<impl Iterator<Item = [u8; 4]> + use<'a>> {
        let (words, _) = self.take(count.checked_mul(4)?)?.as_chunks::<4>();
        Some(words.iter().copied())
    }

    fn count(&mut self) -> Option<usize> {
        let word = self.words(1)?.next()?;
        usize::try_from(u32::from_le_bytes(word)).ok()
    }

    fn label(&mut self) -> Option<String> {
        let length = self.count()?;
        String::from_utf8(self.take(length)?.to_vec()).ok()
    }

    fn numbers(&mut self, count: usize) -> Option<Vec<f32>> {
        let numbers: Vec<f32> = self.words(count)?.map(f32::from_le_bytes).collect();
        // Not a number is not smaller than anything, and so refused.
        numbers.iter().all(|number| number.abs() <= LARGEST).then_some(numbers)
    }
}
