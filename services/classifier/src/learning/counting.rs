//! What the examples are made of: their features, counted once, from the text's side and from the feature's.

use super::{
    features::{FAMILIES, Scratch},
    training::Untrainable,
    vocabulary::{Row, Vocabulary},
};
use crate::reading::fold::fold;

/// Occurrences of features in all examples together: what fits into memory several times over.
const MOST_OCCURRENCES: usize = 40_000_000;
/// Features of a model, and cells of its weight matrix; where there are more, those that fewest texts have go first.
const MOST_FEATURES: usize = 500_000;
const MOST_CELLS: usize = 16_000_000;

/// Counted examples.
pub(super) struct Counts {
    pub(super) keys: Vec<u32>,
    /// Where the families of each text begin in `cells`, and one end more.
    starts: Vec<usize>,
    cells: Vec<(u32, f32)>,
    /// Where the texts of each column begin in `texts`, and one end more.
    columns: Vec<usize>,
    texts: Vec<u32>,
}

impl Counts {
    /// Counts the features of texts, each with what others found in it, of which a model has `width` weights each.
    pub(super) fn new<'a>(
        examples: impl Iterator<Item = (&'a str, &'a [u32])> + Clone,
        width: usize,
    ) -> Result<Self, Untrainable> {
        let mut scratch = Scratch::default();
        let mut seen: Vec<u32> = Vec::new();
        for (text, hints) in examples.clone() {
            scratch.read(&fold(text), hints, true);
            for family in &scratch.keys {
                seen.extend(family.chunk_by(|a, b| a == b).map(|same| same[0]));
            }
            if seen.len() > MOST_OCCURRENCES {
                return Err(Untrainable::TooMuch);
            }
        }
        let keys = frequent(seen, MOST_FEATURES.min(MOST_CELLS / width));
        let vocabulary = Vocabulary::new(keys, Vec::new());
        let mut starts = vec![0];
        let mut cells = Vec::new();
        for (text, hints) in examples {
            scratch.read(&fold(text), hints, true);
            vocabulary.count(&mut scratch);
            starts.extend(scratch.row.ends.iter().map(|end| cells.len() + end));
            cells.extend_from_slice(&scratch.row.cells);
        }
        let keys = vocabulary.keys().to_vec();
        let (columns, texts) = by_column(keys.len(), &starts, &cells);
        Ok(Self {
            keys,
            starts,
            cells,
            columns,
            texts,
        })
    }

    /// Fills `row` with the counts of one text.
    pub(super) fn row(&self, text: usize, row: &mut Row) {
        let starts = &self.starts[text * FAMILIES..=(text + 1) * FAMILIES];
        row.cells.clear();
        row.cells.extend_from_slice(&self.cells[starts[0]..starts[FAMILIES]]);
        for (end, start) in row.ends.iter_mut().zip(&starts[1..]) {
            *end = start - starts[0];
        }
    }

    /// How much each column says: by how few of the chosen texts have it, and by how far the labels of those are from
    /// what labels are elsewhere.
    pub(super) fn importance(&self, answers: &[usize], labels: usize, chosen: &[bool]) -> Vec<f32> {
        let mut known = vec![0.0_f32; labels];
        let mut total = 0.0;
        for (answer, _) in answers.iter().zip(chosen).filter(|(_, chosen)| **chosen) {
            known[*answer] += 1.0;
            total += 1.0;
        }
        let prior: Vec<f32> = known
            .iter()
            .map(|known| (known + 1.0) / (total + labels as f32))
            .collect();
        let mut with = vec![0.0_f32; labels];
        let mut touched = Vec::new();
        let mut importance = Vec::with_capacity(self.keys.len());
        for range in self.columns.windows(2) {
            for text in &self.texts[range[0]..range[1]] {
                if chosen[*text as usize] {
                    let answer = answers[*text as usize];
                    if with[answer] == 0.0 {
                        touched.push(answer);
                    }
                    with[answer] += 1.0;
                }
            }
            let texts: f32 = touched.iter().map(|label| with[*label]).sum();
            let odds = |share: f32| (share / (1.0 - share)).ln();
            let mut telling = 0.0_f32;
            for label in touched.drain(..) {
                let expected = prior[label];
                let share = (with[label] + labels as f32 * expected) / (texts + labels as f32);
                telling = telling.max((odds(share) - odds(expected)).abs());
                with[label] = 0.0;
            }
            let rarity = ((total + 1.0) / (texts + 1.0)).ln() + 1.0;
            // What none of the chosen has must count as little for the others as an unknown word does later.
            importance.push(if texts > 0.0 { rarity * (1.0 + telling) } else { 0.0 });
        }
        importance
    }
}

/// The keys that most texts have, sorted: as many as fit, and all that are in equally many texts or none.
fn frequent(mut seen: Vec<u32>, most: usize) -> Vec<u32> {
    seen.sort_unstable();
    let texts = || seen.chunk_by(|a, b| a == b).map(|same| (same[0], same.len()));
    let mut numbers: Vec<usize> = texts().map(|(_, texts)| texts).collect();
    numbers.sort_unstable_by(|a, b| b.cmp(a));
    let too_few = numbers.get(most).copied().unwrap_or(0);
    texts()
        .filter(|(_, texts)| *texts > too_few)
        .map(|(key, _)| key)
        .collect()
}

/// For each column the texts that have it.
fn by_column(columns: usize, starts: &[usize], cells: &[(u32, f32)]) -> (Vec<usize>, Vec<u32>) {
    let mut begins = vec![0; columns + 1];
    for (column, _) in cells {
        begins[*column as usize + 1] += 1;
    }
    for column in 0..columns {
        begins[column + 1] += begins[column];
    }
    let mut next = begins.clone();
    let mut texts = vec![0; cells.len()];
    for (text, range) in (0_u32..).zip(starts.windows(FAMILIES + 1).step_by(FAMILIES)) {
        for (column, _) in &cells[range[0]..range[FAMILIES]] {
            let place = &mut next[*column as usize];
            texts[*place] = text;
            *place += 1;
        }
    }
    (begins, texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rarest_features_go_first_where_there_are_too_many() {
        let seen = vec![5, 1, 5, 2, 2, 5, 9];
        assert_eq!(frequent(seen.clone(), 4), [1, 2, 5, 9]);
        assert_eq!(frequent(seen.clone(), 3), [2, 5]);
        assert_eq!(frequent(seen.clone(), 1), [5]);
        assert_eq!(frequent(seen, 0), [0; 0]);
    }

    #[test]
    fn what_only_one_label_has_says_more_than_what_all_have_and_what_nobody_has_nothing() {
        let texts = ["闪 的", "闪 的", "慢 的", "慢 的", "新"];
        let counts = Counts::new(texts.into_iter().map(|text| (text, [].as_slice())), 1).unwrap();
        let importance = counts.importance(&[0, 0, 1, 1, 1], 2, &[true, true, true, true, false]);
        let of = |text: &str| {
            let mut scratch = Scratch::default();
            scratch.read(&fold(text), &[], true);
            importance[counts.keys.binary_search(&scratch.keys[0][0]).unwrap()]
        };
        assert!(of("闪") > 1.5 * of("的"));
        assert_eq!(of("新"), 0.0);
    }
}
