//! One-vs-rest support vector machines with squared hinge, for many labels at once, by dual coordinate descent.

/// Sparse rows, one for each text.
#[derive(Debug, Default)]
pub(super) struct Rows {
    ends: Vec<usize>,
    cells: Vec<(u32, f32)>,
}

impl Rows {
    pub(super) fn push(&mut self, cells: &[(u32, f32)]) {
        self.cells.extend_from_slice(cells);
        self.ends.push(self.cells.len());
    }

    pub(super) fn row(&self, at: usize) -> &[(u32, f32)] {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.cells[start..self.ends[at]]
    }
}

#[derive(Clone, Copy)]
/// What to fit: the rows that count, and what is said of them.
pub(super) struct Problem<'a> {
    pub(super) rows: &'a Rows,
    /// Label of each row.
    pub(super) answers: &'a [usize],
    /// The rows to learn from.
    pub(super) chosen: &'a [usize],
    pub(super) columns: usize,
    /// Cost of a mistake on a row, by its label.
    pub(super) costs: &'a [f32],
    pub(super) seed: u64,
}

/// Weights of some labels: a row for each feature, and an intercept.
pub(super) struct Weights {
    pub(super) width: usize,
    pub(super) cells: Vec<f32>,
    pub(super) intercept: Vec<f32>,
}

/// Passes over the rows; more of them change no answer.
const PASSES: usize = 20;
/// A pass that moved no dual variable by more than this was the last one.
const SETTLED: f32 = 0.02;

impl Weights {
    /// Margins of one row.
    pub(super) fn margins(&self, row: &[(u32, f32)], margins: &mut Vec<f32>) {
        margins.clear();
        margins.extend_from_slice(&self.intercept);
        for (column, value) in row {
            let at = *column as usize * self.width;
            for (margin, weight) in margins.iter_mut().zip(&self.cells[at..at + self.width]) {
                *margin += value * weight;
            }
        }
    }

    /// Fits the labels of `range`; `None` where `on` said no.
    pub(super) fn fit(problem: &Problem<'_>, range: std::ops::Range<usize>, on: &dyn Fn() -> bool) -> Option<Self> {
        let width = range.len();
        let mut weights = Self {
            width,
            cells: vec![0.0; problem.columns * width],
            intercept: vec![0.0; width],
        };
        let mut random = fastrand::Rng::with_seed(problem.seed);
        let mut order: Vec<usize> = (0..problem.chosen.len()).collect();
        let mut duals = vec![0.0_f32; order.len() * width];
        let squares: Vec<f32> = problem
            .chosen
            .iter()
            .map(|at| {
                1.0 + problem
                    .rows
                    .row(*at)
                    .iter()
                    .map(|(_, value)| value * value)
                    .sum::<f32>()
            })
            .collect();
        let mut margins = Vec::new();
        let mut steps: Vec<(usize, f32)> = Vec::new();
        for _ in 0..PASSES {
            if !on() {
                return None;
            }
            random.shuffle(&mut order);
            let mut farthest = 0.0_f32;
            for &place in &order {
                let at = problem.chosen[place];
                let (row, answer) = (problem.rows.row(at), problem.answers[at]);
                weights.margins(row, &mut margins);
                let softness = 0.5 / problem.costs[answer];
                let duals = &mut duals[place * width..(place + 1) * width];
                steps.clear();
                for (label, (dual, margin)) in duals.iter_mut().zip(&margins).enumerate() {
                    let side = if range.start + label == answer { 1.0 } else { -1.0 };
                    let slope = side * margin - 1.0 + softness * *dual;
                    let moved = (*dual - slope / (squares[place] + softness)).max(0.0);
                    let step = moved - *dual;
                    if step.abs() > 1e-6 {
                        *dual = moved;
                        steps.push((label, step * side));
                        farthest = farthest.max(step.abs());
                    }
                }
                weights.step(row, &steps);
            }
            if farthest < SETTLED {
                break;
            }
        }
        Some(weights)
    }

    fn step(&mut self, row: &[(u32, f32)], steps: &[(usize, f32)]) {
        if steps.is_empty() {
            return;
        }
        for (column, value) in row {
            let weights = &mut self.cells[*column as usize * self.width..][..self.width];
            for (label, step) in steps {
                weights[*label] += value * step;
            }
        }
        for (label, step) in steps {
            self.intercept[*label] += step;
        }
    }
}
