//! The features that count: which were seen often enough, and how telling each is by how few texts have it.

use super::features::{FAMILIES, Scratch};

/// Features with the columns of the weight matrix that they stand for.
#[derive(Debug, Clone)]
pub(super) struct Vocabulary {
    /// Sorted; the place of a key is its column.
    keys: Vec<u32>,
    /// Inverse document frequency of each column.
    rarity: Vec<f32>,
    /// What a feature weighs that is not in here, in the length of a text: as much as the rarest that is.
    unseen: f32,
    /// Open addressing over the keys: column + 1, or 0 where nothing is.
    slots: Vec<u32>,
}

impl Vocabulary {
    /// A vocabulary of sorted keys with their rarities.
    pub(super) fn new(keys: Vec<u32>, rarity: Vec<f32>, unseen: f32) -> Self {
        let size = (keys.len() * 2).next_power_of_two();
        let mut slots = vec![0; size];
        for (column, key) in (1u32..).zip(&keys) {
            let mut slot = *key as usize & (size - 1);
            while slots[slot] != 0 {
                slot = (slot + 1) & (size - 1);
            }
            slots[slot] = column;
        }
        Self {
            keys,
            rarity,
            unseen,
            slots,
        }
    }

    pub(super) fn keys(&self) -> &[u32] {
        &self.keys
    }

    pub(super) fn rarity(&self) -> &[f32] {
        &self.rarity
    }

    pub(super) fn unseen(&self) -> f32 {
        self.unseen
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The column of a feature.
    pub(super) fn column(&self, key: u32) -> Option<u32> {
        let mask = self.slots.len() - 1;
        let mut slot = key as usize & mask;
        loop {
            let column = self.slots[slot].checked_sub(1)?;
            if self.keys[column as usize] == key {
                return Some(column);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// Fills `scratch.row` from `scratch.keys`: columns with their values.
    pub(super) fn weigh(&self, scratch: &mut Scratch) {
        let Scratch { keys, row, .. } = scratch;
        row.clear();
        for family in keys {
            let begin = row.len();
            let mut squares = 0.0;
            for same in family.chunk_by(|a, b| a == b) {
                #[expect(clippy::cast_precision_loss, reason = "a text has far fewer features than 2^24")]
                let often = 1.0 + (same.len() as f32).ln();
                if let Some(column) = self.column(same[0]) {
                    let value = often * self.rarity[column as usize];
                    squares += value * value;
                    row.push((column, value));
                } else {
                    squares += (often * self.unseen).powi(2);
                }
            }
            let scale = 1.0 / (f32::sqrt(squares * FAMILIES as f32)).max(f32::MIN_POSITIVE);
            for (_, value) in &mut row[begin..] {
                *value *= scale;
            }
        }
    }
}
