//! How good a model is on texts that it has not seen.

use super::{Model, Scratch};

/// What came of reading labelled texts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Evaluation {
    /// Share of the texts read as they are labelled, 0 to 1.
    pub(crate) accuracy: f32,
    /// Mean F1 of the labels that occur, in the examples or among the readings.
    pub(crate) macro_f1: f32,
    /// Expected calibration error over 15 bins of the highest probability, 0 to 1.
    pub(crate) ece: f32,
    /// How often a text of the label (row) was read as the label (column), row by row.
    pub(crate) confusion: Vec<u32>,
    /// In the order of the model's labels.
    pub(crate) labels: Vec<LabelEvaluation>,
}

/// How good a model is at one label; what there is no text for is 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LabelEvaluation {
    /// Share of the texts read as this label that have it.
    pub(crate) precision: f32,
    /// Share of the texts with this label that were read so.
    pub(crate) recall: f32,
    /// Harmonic mean of both.
    pub(crate) f1: f32,
    /// Texts with this label.
    pub(crate) texts: u32,
}

const BINS: usize = 15;

/// Reads the examples (a text, what the model's rules find in it, and its label's place) and compares.
pub(crate) fn evaluate(model: &Model, examples: &[(&str, Vec<u32>, usize)]) -> Evaluation {
    let mut scratch = Scratch::default();
    let mut tally = Tally::new(model.labels().len());
    for (text, hints, label) in examples {
        tally.add(model.read(text, hints, &mut scratch), *label);
    }
    tally.end()
}

/// Readings, counted one by one.
pub(super) struct Tally {
    labels: usize,
    confusion: Vec<u32>,
    /// Texts, right ones and sum of probabilities of each bin.
    bins: [(u32, u32, f32); BINS],
}

impl Tally {
    pub(super) fn new(labels: usize) -> Self {
        Self {
            labels,
            confusion: vec![0; labels * labels],
            bins: [(0, 0, 0.0); BINS],
        }
    }

    pub(super) fn add(&mut self, probabilities: &[f32], label: usize) {
        let (best, sure) = best(probabilities);
        self.confusion[label * self.labels + best] += 1;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a probability is between 0 and 1"
        )]
        let bin = &mut self.bins[((sure * BINS as f32) as usize).min(BINS - 1)];
        bin.0 += 1;
        bin.1 += u32::from(best == label);
        bin.2 += sure;
    }

    pub(super) fn end(self) -> Evaluation {
        let count = |label: usize, best: usize| self.confusion[label * self.labels + best];
        let share = |part: u32, whole: u32| if whole == 0 { 0.0 } else { part as f32 / whole as f32 };
        let mut labels = Vec::with_capacity(self.labels);
        let (mut f1s, mut occurring) = (0.0, 0.0);
        for label in 0..self.labels {
            let texts: u32 = (0..self.labels).map(|best| count(label, best)).sum();
            let read: u32 = (0..self.labels).map(|other| count(other, label)).sum();
            let right = count(label, label);
            let f1 = share(2 * right, texts + read);
            if texts + read > 0 {
                f1s += f1;
                occurring += 1.0;
            }
            labels.push(LabelEvaluation {
                precision: share(right, read),
                recall: share(right, texts),
                f1,
                texts,
            });
        }
        let texts: u32 = self.confusion.iter().sum();
        let right: u32 = (0..self.labels).map(|label| count(label, label)).sum();
        let gap: f32 = self
            .bins
            .iter()
            .map(|(_, right, sure)| (*right as f32 - sure).abs())
            .sum();
        Evaluation {
            accuracy: share(right, texts),
            macro_f1: if occurring > 0.0 { f1s / occurring } else { 0.0 },
            ece: if texts == 0 { 0.0 } else { gap / texts as f32 },
            confusion: self.confusion,
            labels,
        }
    }
}

/// The likeliest label and its probability; the first of equals.
pub(super) fn best(probabilities: &[f32]) -> (usize, f32) {
    let mut best = (0, f32::NEG_INFINITY);
    for (label, probability) in probabilities.iter().enumerate() {
        if *probability > best.1 {
            best = (label, *probability);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_texts_are_reckoned_as_by_hand() {
        let mut tally = Tally::new(3);
        tally.add(&[0.9, 0.1, 0.0], 0);
        tally.add(&[0.9, 0.1, 0.0], 0);
        tally.add(&[0.6, 0.4, 0.0], 1);
        tally.add(&[0.3, 0.7, 0.0], 1);
        let evaluation = tally.end();
        let close = |a: f32, b: f32| (a - b).abs() < 1e-5;
        assert!(close(evaluation.accuracy, 0.75));
        // F1 of 4/5 and 2/3; the third label does not occur and does not count.
        assert!(close(evaluation.macro_f1, (0.8 + 2.0 / 3.0) / 2.0));
        // Gaps of 0.2 over two texts, of 0.6 and of 0.3.
        assert!(close(evaluation.ece, (0.2 + 0.6 + 0.3) / 4.0));
        assert_eq!(evaluation.confusion, [2, 0, 0, 1, 1, 0, 0, 0, 0]);
        let second = evaluation.labels[1];
        assert!(close(second.precision, 1.0) && close(second.recall, 0.5) && second.texts == 2);
    }

    #[test]
    fn no_texts_are_no_reason_to_divide_by_nothing() {
        let evaluation = Tally::new(2).end();
        assert_eq!(
            (evaluation.accuracy, evaluation.macro_f1, evaluation.ece),
            (0.0, 0.0, 0.0)
        );
    }
}
