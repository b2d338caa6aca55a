//! The features that a model knows, and how much each of them says.

use super::features::{FAMILIES, SIGNS, Scratch, WORDS};

/// Features with the columns of the weight matrix that they stand for.
#[derive(Debug, Clone)]
pub(super) struct Vocabulary {
    /// Sorted; the place of a key is its column.
    keys: Vec<u32>,
    /// How much each column says, whatever it speaks for.
    importance: Vec<f32>,
    /// Where the keys begin that share their highest bits, and one end more; sorted keys leave a search nothing to fear
    /// from keys that somebody made up.
    starts: Vec<u32>,
    /// How far down those bits are.
    shift: u32,
}

/// The features of a text: columns with values, the families one after the other.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) cells: Vec<(u32, f32)>,
    /// Where each family ends.
    pub(super) ends: [usize; FAMILIES],
}

impl Vocabulary {
    /// A vocabulary of sorted keys; `importance` has one for each.
    pub(super) fn new(keys: Vec<u32>, importance: Vec<f32>) -> Self {
        let shift = u32::BITS - keys.len().max(2).ilog2().min(24);
        let mut starts = vec![0; (1 << (u32::BITS - shift)) + 1];
        for key in &keys {
            starts[(key >> shift) as usize + 1] += 1;
        }
        for bucket in 1..starts.len() {
            starts[bucket] += starts[bucket - 1];
        }
        Self {
            keys,
            importance,
            starts,
            shift,
        }
    }

    pub(super) fn keys(&self) -> &[u32] {
        &self.keys
    }

    pub(super) fn importance(&self) -> &[f32] {
        &self.importance
    }

    /// The column of a feature.
    pub(super) fn column(&self, key: u32) -> Option<u32> {
        let bucket = (key >> self.shift) as usize;
        let (start, end) = (self.starts[bucket], self.starts[bucket + 1]);
        let place = self.keys[start as usize..end as usize].binary_search(&key).ok()?;
        // A column is below 2^32, since keys differ.
        Some(start + u32::try_from(place).ok()?)
    }

    /// Fills `scratch.row` with how often each known feature of `scratch.keys` occurs, dampened.
    pub(super) fn count(&self, scratch: &mut Scratch) {
        let Scratch { keys, row, .. } = scratch;
        row.cells.clear();
        for (family, end) in keys.iter().zip(&mut row.ends) {
            for same in family.chunk_by(|a, b| a == b) {
                if let Some(column) = self.column(same[0]) {
                    row.cells.push((column, 1.0 + (same.len() as f32).ln()));
                }
            }
            *end = row.cells.len();
        }
    }
}

impl Row {
    /// Makes values of counts: each family gets the length that is its due, all together the length 1.
    pub(super) fn weigh(&mut self, importance: &[f32]) {
        let mut squares = [0.0_f32; FAMILIES];
        let mut begin = 0;
        for (squares, end) in squares.iter_mut().zip(self.ends) {
            for (column, value) in &mut self.cells[begin..end] {
                *value *= importance[*column as usize];
                *squares += *value * *value;
            }
            begin = end;
        }
        let dues = dues(squares.map(|squares| squares > 0.0));
        let mut begin = 0;
        for ((due, squares), end) in dues.into_iter().zip(squares).zip(self.ends) {
            if squares > 0.0 {
                let scale = (due / squares).sqrt();
                self.cells[begin..end].iter_mut().for_each(|(_, value)| *value *= scale);
            }
            begin = end;
        }
    }
}

/// What of the square of a text's length is due to each family that is present: the words get theirs, the signs a little, and the others
/// the same of what is left.
fn dues(present: [bool; FAMILIES]) -> [f32; FAMILIES] {
    const OF_WORDS: f32 = 0.4;
    const OF_SIGNS: f32 = 0.03;
    let is_other = |family: usize| present[family] && family != WORDS && family != SIGNS;
    let others = (0..FAMILIES).filter(|family| is_other(*family)).count() as f32;
    let signs = match (present[SIGNS], present[WORDS] || others > 0.0) {
        (false, _) => 0.0,
        (true, true) => OF_SIGNS,
        (true, false) => 1.0,
    };
    let words = match (present[WORDS], others > 0.0) {
        (false, _) => 0.0,
        (true, true) => OF_WORDS,
        (true, false) => 1.0,
    };
    std::array::from_fn(|family| match family {
        SIGNS => signs,
        WORDS => (1.0 - signs) * words,
        _ if is_other(family) => (1.0 - signs) * (1.0 - words) / others,
        _ => 0.0,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_key_has_its_place_and_no_other_has_one(keys in prop::collection::btree_set(any::<u32>(), 0..300), other in any::<u32>()) {
            let list: Vec<u32> = keys.iter().copied().collect();
            let vocabulary = Vocabulary::new(list.clone(), vec![1.0; list.len()]);
            for (column, key) in (0..).zip(&list) {
                prop_assert_eq!(vocabulary.column(*key), Some(column));
            }
            let known: &BTreeSet<u32> = &keys;
            prop_assert_eq!(vocabulary.column(other).is_some(), known.contains(&other));
        }
    }

    proptest! {
        #[test]
        fn a_text_has_the_length_1_whatever_families_it_has(present in prop::array::uniform5(any::<bool>())) {
            let total: f32 = dues(present).iter().sum();
            let expected = if present.contains(&true) { 1.0 } else { 0.0 };
            prop_assert!((total - expected).abs() < 1e-6, "{:?}", dues(present));
        }
    }

    #[test]
    fn families_get_what_is_due_to_them() {
        let mut row = Row {
            cells: vec![(0, 1.0), (1, 2.0), (2, 5.0), (3, 7.0)],
            ends: [2, 3, 3, 4, 4],
        };
        row.weigh(&[1.0, 0.5, 3.0, 1.0]);
        let square = |range: std::ops::Range<usize>| row.cells[range].iter().map(|cell| cell.1 * cell.1).sum::<f32>();
        assert!((square(0..2) - 0.3).abs() < 1e-6);
        assert!((square(2..3) - 0.3).abs() < 1e-6);
        assert!((square(3..4) - 0.4).abs() < 1e-6);
    }
}
