//! A trained model: what it reads in a text, and what of the text made it read so.

use std::ops::Range;

use super::{
    calibration::Confidence,
    features::{READ_AT_MOST, Scratch},
    training::{self, Options, Untrainable},
    vocabulary::Vocabulary,
};
use crate::reading::fold::{Folded, fold};

/// A linear classifier over hashed n-grams, with calibrated probabilities.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(super) labels: Vec<String>,
    pub(super) vocabulary: Vocabulary,
    pub(super) matrix: Matrix,
    /// What its margins mean.
    pub(super) confidence: Confidence,
    /// The version of the rules whose findings are features of it; none where it was trained without.
    pub(super) rules: Option<i32>,
    /// False where it was trained by a release that did not yet look at words and signs.
    pub(super) with_words: bool,
}

/// What rules found in texts, beside their words.
#[derive(Debug, Clone)]
pub(crate) struct Hints {
    /// The version of the rules.
    pub(crate) version: i32,
    /// Of each example, in their order; see [`super::hint`].
    pub(crate) found: Vec<Vec<u32>>,
}

/// Weights of one byte each, with a scale for each feature.
#[derive(Debug, Clone)]
pub(super) struct Matrix {
    pub(super) width: usize,
    pub(super) scales: Vec<f32>,
    pub(super) cells: Vec<i8>,
    pub(super) intercept: Vec<f32>,
}

impl Matrix {
    /// Cells for each feature: two labels share one.
    pub(super) fn width(labels: usize) -> usize {
        if labels == 2 { 1 } else { labels }
    }

    pub(super) fn quantize(weights: &[f32], width: usize, intercept: Vec<f32>) -> Self {
        let mut scales = Vec::with_capacity(weights.len() / width.max(1));
        let mut cells = Vec::with_capacity(weights.len());
        for row in weights.chunks_exact(width) {
            let scale = row.iter().fold(0.0, |most: f32, weight| most.max(weight.abs())) / 127.0;
            scales.push(scale);
            #[expect(
                clippy::cast_possible_truncation,
                reason = "between -127 and 127 by the choice of the scale"
            )]
            cells.extend(row.iter().map(|weight| {
                if scale == 0.0 {
                    0
                } else {
                    (weight / scale).round() as i8
                }
            }));
        }
        Self {
            width,
            scales,
            cells,
            intercept,
        }
    }

    /// Adds to the margin of each label; of two labels, half of what the second gets more than the first.
    pub(super) fn shift(&mut self, shifts: &[f32]) {
        match (&mut self.intercept[..], shifts) {
            ([intercept], [first, second]) => *intercept += (second - first) / 2.0,
            (intercept, shifts) => intercept
                .iter_mut()
                .zip(shifts)
                .for_each(|(intercept, shift)| *intercept += shift),
        }
    }

    fn margins(&self, row: &[(u32, f32)], margins: &mut Vec<f32>) {
        margins.clear();
        margins.extend_from_slice(&self.intercept);
        for (column, value) in row {
            let value = value * self.scales[*column as usize];
            let cells = &self.cells[*column as usize * self.width..][..self.width];
            for (margin, cell) in margins.iter_mut().zip(cells) {
                *margin += value * f32::from(*cell);
            }
        }
    }

    fn weight(&self, column: u32, label: usize) -> f32 {
        self.scales[column as usize] * f32::from(self.cells[column as usize * self.width + label])
    }
}

/// A piece of a text that spoke for a label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Evidence {
    /// Code points of the text, from and to.
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// How much it spoke for it, above 0, in the units of the margin.
    pub(crate) weight: f32,
}

impl Model {
    /// Learns to tell the labels apart; an example is a text and its label's place in `labels`. Where rules found something in the texts,
    /// `hints` says what: whoever asks the model later says what the same rules find.
    ///
    /// `keep_on` is asked now and then, with the share that is done; false ends the training.
    ///
    /// # Errors
    /// There is nothing to tell apart, an example has a label that is none, there is too much, or `keep_on` said no.
    pub(crate) fn train(
        labels: &[String],
        examples: &[(&str, usize)],
        hints: Option<&Hints>,
        options: &Options,
        keep_on: &mut dyn FnMut(f32) -> bool,
    ) -> Result<Self, Untrainable> {
        training::train(labels, examples, hints, options, keep_on)
    }

    /// The version of the rules whose findings it wants to be told.
    pub(crate) fn rules(&self) -> Option<i32> {
        self.rules
    }

    /// The labels, in the order of the probabilities.
    pub(crate) fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The probability of each label; they sum up to 1. `hints` are what its rules find in the text.
    pub(crate) fn read<'a>(&self, text: &str, hints: &[u32], scratch: &'a mut Scratch) -> &'a [f32] {
        self.read_folded(&fold(text), hints, scratch)
    }

    /// The same of a text that was folded already.
    pub(crate) fn read_folded<'a>(&self, folded: &Folded, hints: &[u32], scratch: &'a mut Scratch) -> &'a [f32] {
        scratch.read(folded, hints, self.with_words);
        self.vocabulary.count(scratch);
        let Scratch { row, margins, .. } = scratch;
        row.weigh(self.vocabulary.importance());
        self.matrix.margins(&row.cells, margins);
        training::spread(margins);
        self.confidence.weigh(margins);
        margins
    }

    /// What of a text spoke most for a label: at most so many pieces, the strongest first.
    pub(crate) fn explain(&self, text: &str, hints: &[u32], label: usize, at_most: usize) -> Vec<Evidence> {
        if label >= self.labels.len() {
            return Vec::new();
        }
        let mut scratch = Scratch::default();
        scratch.read(&fold(text), hints, self.with_words);
        self.vocabulary.count(&mut scratch);
        scratch.row.weigh(self.vocabulary.importance());
        let mut row = std::mem::take(&mut scratch.row.cells);
        row.sort_unstable_by_key(|cell| cell.0);
        let value = |column: u32| {
            row.binary_search_by_key(&column, |cell| cell.0)
                .ok()
                .map(|at| row[at].1)
        };
        // Each token gets its share of every feature that covers it.
        let mut weights = vec![0.0; READ_AT_MOST];
        let places = scratch.places(text, self.with_words, |key, tokens| {
            if let Some(column) = self.vocabulary.column(key)
                && let Some(value) = value(column)
            {
                let share = value * self.leaning(column, label) / tokens.len() as f32;
                weights[tokens].iter_mut().for_each(|weight| *weight += share);
            }
        });
        strongest(&places, &weights, at_most)
    }

    /// How much a feature speaks for a label rather than for the others.
    fn leaning(&self, column: u32, label: usize) -> f32 {
        match (self.matrix.width, label) {
            (1, 0) => -self.matrix.weight(column, 0),
            (1, _) => self.matrix.weight(column, 0),
            _ => self.matrix.weight(column, label),
        }
    }
}

/// Neighbouring tokens that speak for the label make one piece; those that hardly do are left out.
fn strongest(places: &[Range<u32>], weights: &[f32], at_most: usize) -> Vec<Evidence> {
    const HARDLY: f32 = 0.2;
    let most = weights.iter().copied().fold(0.0, f32::max);
    let tokens: Vec<(&Range<u32>, f32)> = places.iter().zip(weights.iter().copied()).collect();
    let speaks = |weight: f32| weight > 0.0 && weight >= HARDLY * most;
    let mut evidence: Vec<Evidence> = tokens
        .chunk_by(|a, b| speaks(a.1) == speaks(b.1))
        .filter(|run| speaks(run[0].1))
        .map(|run| Evidence {
            start: run[0].0.start,
            end: run[run.len() - 1].0.end,
            weight: run.iter().map(|token| token.1).sum(),
        })
        .collect();
    evidence.sort_by(|a, b| b.weight.total_cmp(&a.weight).then(a.start.cmp(&b.start)));
    evidence.truncate(at_most);
    evidence
}
