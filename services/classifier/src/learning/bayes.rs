//! Naive Bayes as weights: what it says of a text is a sum over its features too, so it can lean the fitted weights its way. It errs
//! less where there are few examples of a label, they err less where there are many.

use super::linear::{Problem, Weights};

/// What every label is taken to have of every feature beside what its examples have.
const SMOOTHING: f32 = 0.003;

/// Weights of the shape that [`Weights::fit`] gives for `labels` labels; their margins have a mean square of 1 on the rows that they are
/// made of.
pub(super) fn bayes(problem: &Problem<'_>, labels: usize) -> Weights {
    let mut cells = vec![SMOOTHING; problem.columns * labels];
    let mut totals = vec![SMOOTHING * problem.columns as f32; labels];
    let mut known = vec![0.0_f32; labels];
    for at in problem.chosen {
        let answer = problem.answers[*at];
        known[answer] += 1.0;
        for (column, value) in problem.rows.row(*at) {
            cells[*column as usize * labels + answer] += value;
            totals[answer] += value;
        }
    }
    for row in cells.chunks_exact_mut(labels) {
        for (cell, total) in row.iter_mut().zip(&totals) {
            *cell = (*cell / total).ln();
        }
        centre(row, &known);
    }
    let examples = problem.chosen.len() as f32;
    let share = |known: &f32| ((known + 1.0) / (examples + labels as f32)).ln();
    let mut intercept: Vec<f32> = known.iter().map(share).collect();
    centre(&mut intercept, &known);
    let mut weights = Weights {
        width: labels,
        cells,
        intercept,
    };
    let scale = 1.0 / weights.mean_square(problem).sqrt().max(f32::MIN_POSITIVE);
    if labels == 2 {
        weights = weights.of_second();
    }
    weights.cells.iter_mut().for_each(|cell| *cell *= scale);
    weights.intercept.iter_mut().for_each(|cell| *cell *= scale);
    weights
}

/// Takes the mean away, which says nothing about any label; a label of which nothing is known gets the least of the others.
fn centre(row: &mut [f32], known: &[f32]) {
    let of_known = || {
        row.iter()
            .zip(known)
            .filter(|(_, known)| **known > 0.0)
            .map(|(cell, _)| *cell)
    };
    let least = of_known().fold(f32::INFINITY, f32::min);
    let mean = of_known().sum::<f32>() / of_known().count().max(1) as f32;
    for (cell, known) in row.iter_mut().zip(known) {
        *cell = if *known > 0.0 { *cell } else { least } - mean;
    }
}

impl Weights {
    fn mean_square(&self, problem: &Problem<'_>) -> f32 {
        let mut margins = Vec::new();
        let mut total = 0.0;
        for at in problem.chosen {
            self.margins(problem.rows.row(*at), &mut margins);
            total += margins.iter().map(|margin| margin * margin).sum::<f32>() / self.width as f32;
        }
        total / problem.chosen.len().max(1) as f32
    }

    /// Of two labels, what speaks for the second.
    fn of_second(&self) -> Self {
        Self {
            width: 1,
            cells: self.cells.chunks_exact(2).map(|row| row[1]).collect(),
            intercept: vec![self.intercept[1]],
        }
    }

    /// Leans these weights towards others of the same shape.
    pub(super) fn lean(&mut self, towards: &Self, share: f32) {
        let cells = self.cells.iter_mut().zip(&towards.cells);
        let intercept = self.intercept.iter_mut().zip(&towards.intercept);
        cells.chain(intercept).for_each(|(own, other)| *own += share * other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learning::linear::Rows;

    fn of(rows: &[&[(u32, f32)]], answers: &[usize], labels: usize) -> Weights {
        let mut kept = Rows::default();
        rows.iter().for_each(|row| kept.push(row));
        let chosen: Vec<usize> = (0..answers.len()).collect();
        let problem = Problem {
            rows: &kept,
            answers,
            chosen: &chosen,
            columns: 3,
            costs: &vec![1.0; labels],
            seed: 1,
        };
        bayes(&problem, labels)
    }

    #[test]
    fn a_feature_speaks_for_the_label_whose_examples_have_it() {
        let rows: [&[(u32, f32)]; 4] = [&[(0, 1.0)], &[(0, 1.0), (2, 0.1)], &[(1, 1.0)], &[(2, 1.0)]];
        let three = of(&rows, &[0, 0, 1, 2], 3);
        for (column, label) in [(0, 0), (1, 1), (2, 2)] {
            let row = &three.cells[column * 3..][..3];
            assert!((0..3).all(|other| other == label || row[other] < row[label]), "{row:?}");
        }
        let two = of(&rows, &[0, 0, 1, 1], 2);
        assert!(two.cells[0] < 0.0 && two.cells[1] > 0.0);
        assert_eq!((two.width, two.intercept.len()), (1, 1));
    }

    #[test]
    fn a_label_without_examples_is_never_ahead() {
        let rows: [&[(u32, f32)]; 2] = [&[(0, 1.0)], &[(1, 1.0)]];
        let weights = of(&rows, &[0, 1], 3);
        assert!(weights.cells.chunks_exact(3).all(|row| row[2] <= row[0].min(row[1])));
        assert!(weights.intercept[2] <= weights.intercept[0]);
    }
}
