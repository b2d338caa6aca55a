//! How a model comes about: features are counted, weights fitted, their margins set right on texts held back.

use std::{
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use super::{
    bayes::bayes,
    calibration::Outcomes,
    counting::Counts,
    linear::{Problem, Rows, Weights},
    model::{Hints, Matrix, Model},
    vocabulary::{Row, Vocabulary},
};

/// What training goes by; the defaults serve every set of labels.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Decides the order of examples: the same seed, labels and examples give the same model.
    pub(crate) seed: u64,
    /// Threads that work at once, 1 or more; the model is the same whatever their number.
    pub(crate) threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: 1, threads: 2 }
    }
}

/// Why there is no model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Untrainable {
    /// All examples, if there are any, have one label: there is nothing to tell apart.
    #[error("fewer than two labels have examples")]
    OneLabel,
    /// An example points beyond the labels.
    #[error("an example has a label that is not among the labels")]
    UnknownLabel,
    /// More labels than anybody looks through: what is said of each beside each grows with their square.
    #[error("more than 1000 labels have examples")]
    TooManyLabels,
    /// More examples, labels or text than fit into memory.
    #[error("more to learn from than fits")]
    TooMuch,
    /// The caller wanted it so.
    #[error("stopped")]
    Stopped,
}

/// Parts of the examples; each is held back once from the weights that calibration looks at.
const PARTS: usize = 5;
/// What a mistake costs against large weights.
const COST: f32 = 0.5;
/// Labels from which on the cost grows with their number, and how far at most: each label is told from the rest by itself,
/// and the more there are, the fewer are its own examples, which have to outweigh the wish for small weights.
const MANY_LABELS: f32 = 20.0;
const DEAREST: f32 = 4.0;
/// How far the costs of labels make up for their frequency: 0 not at all, 1 wholly.
const EVENNESS: f32 = 0.75;
/// How far the weights may lean towards naive Bayes.
const SHARES: [f32; 7] = [0.0, 0.1, 0.2, 0.3, 0.45, 0.65, 0.9];
/// A model tells so many labels apart at most.
const MOST_LABELS: usize = 1_000;
/// Examples times labels: what fits into memory several times over.
const MOST_MARGINS: usize = 50_000_000;

pub(super) fn train(
    labels: &[String],
    examples: &[(&str, usize)],
    hints: Option<&Hints>,
    options: &Options,
    keep_on: &mut dyn FnMut(f32) -> bool,
) -> Result<Model, Untrainable> {
    let mut known = vec![0_usize; labels.len()];
    for (_, label) in examples {
        *known.get_mut(*label).ok_or(Untrainable::UnknownLabel)? += 1;
    }
    let labels_known = known.iter().filter(|known| **known > 0).count();
    if labels_known < 2 {
        return Err(Untrainable::OneLabel);
    }
    if labels.len() > MOST_LABELS {
        return Err(Untrainable::TooManyLabels);
    }
    if examples.len().saturating_mul(labels.len()) > MOST_MARGINS {
        return Err(Untrainable::TooMuch);
    }
    let answers: Vec<usize> = examples.iter().map(|(_, label)| *label).collect();
    let cost = COST * (labels_known as f32 / MANY_LABELS).clamp(1.0, DEAREST);
    let found = |at: usize| {
        hints
            .and_then(|hints| hints.found.get(at))
            .map_or(&[][..], Vec::as_slice)
    };
    let texts = examples.iter().enumerate().map(|(at, (text, _))| (*text, found(at)));
    let counts = Counts::new(texts, Matrix::width(labels.len()))?;
    let task = Task {
        part: parts(&answers, labels.len(), options.seed),
        costs: known
            .iter()
            .map(|known| {
                let even = examples.len() as f32 / (labels.len() as f32 * (*known).max(1) as f32);
                cost * even.powf(EVENNESS)
            })
            .collect(),
        answers,
        counts,
        labels: labels.len(),
        seed: options.seed,
    };
    let fits = task.fits(options.threads, keep_on)?;

    let mut held = vec![0.0; examples.len() * labels.len()];
    let mut held_bayes = held.clone();
    let mut all = None;
    for fit in fits {
        match fit {
            Fit::All(importance, weights, bayes) => all = Some((importance, weights, bayes)),
            Fit::Held(part, margins, bayes) => {
                let texts = (0..examples.len()).filter(|at| task.part[*at] == part);
                let rows = margins.chunks_exact(labels.len()).zip(bayes.chunks_exact(labels.len()));
                for (at, (margins, bayes)) in texts.zip(rows) {
                    let place = at * labels.len()..(at + 1) * labels.len();
                    held[place.clone()].copy_from_slice(margins);
                    held_bayes[place].copy_from_slice(bayes);
                }
            }
        }
    }
    let (importance, mut weights, bayes) = all.ok_or(Untrainable::Stopped)?;
    let (share, mut outcomes) = best_share(&held, &held_bayes, &task.answers, labels.len());
    weights.lean(&bayes, share);
    let shifts = outcomes.balance();
    let confidence = outcomes.confidence();
    let mut matrix = Matrix::quantize(&weights.cells, weights.width, weights.intercept);
    matrix.shift(&shifts);
    Ok(Model {
        labels: labels.to_vec(),
        vocabulary: Vocabulary::new(task.counts.keys, importance),
        matrix,
        confidence,
        rules: hints.map(|hints| hints.version),
        with_words: true,
    })
}

/// How far the weights had best lean towards naive Bayes, and what then comes of the texts that were held back from both.
fn best_share<'a>(held: &[f32], bayes: &[f32], answers: &'a [usize], labels: usize) -> (f32, Outcomes<'a>) {
    let leaning = |share: f32| Outcomes {
        margins: held.iter().zip(bayes).map(|(own, bayes)| own + share * bayes).collect(),
        answers,
        labels,
    };
    let doubts = SHARES.map(|share| (share, leaning(share).doubt()));
    let best = doubts
        .into_iter()
        .reduce(|best, next| if next.1 < best.1 { next } else { best });
    let share = best.map_or(0.0, |(share, _)| share);
    (share, leaning(share))
}

/// What is fitted, several times over.
struct Task {
    counts: Counts,
    answers: Vec<usize>,
    labels: usize,
    /// The part in which each example is held back.
    part: Vec<usize>,
    /// Cost of a mistake, by label.
    costs: Vec<f32>,
    seed: u64,
}

enum Fit {
    /// Importance and weights by all examples, and those of naive Bayes.
    All(Vec<f32>, Weights, Weights),
    /// A part, and the margins of its examples under weights that have not seen them, and under those of naive Bayes.
    Held(usize, Vec<f32>, Vec<f32>),
}

impl Task {
    /// Fits all examples, and all but each part.
    fn fits(&self, threads: usize, keep_on: &mut dyn FnMut(f32) -> bool) -> Result<Vec<Fit>, Untrainable> {
        /// How often the caller is asked, while nothing is done.
        const ASK: Duration = Duration::from_millis(100);
        let stopped = AtomicBool::new(false);
        let next = AtomicUsize::new(0);
        let (done, dones) = mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..threads.clamp(1, PARTS + 1) {
                let done = done.clone();
                scope.spawn(|| {
                    let done = done;
                    loop {
                        let turn = next.fetch_add(1, Ordering::Relaxed);
                        // The whole first: it takes longest.
                        let held = turn.checked_sub(1);
                        if turn > PARTS {
                            return;
                        }
                        let Some(fit) = self.fit(held, &|| !stopped.load(Ordering::Relaxed)) else {
                            return;
                        };
                        // Nobody listens any more only where the caller wanted it to end.
                        let _ = done.send(fit);
                    }
                });
            }
            drop(done);
            let mut fits = Vec::new();
            loop {
                if !keep_on((fits.len() + 1) as f32 / (PARTS + 2) as f32) {
                    stopped.store(true, Ordering::Relaxed);
                    return Err(Untrainable::Stopped);
                }
                match dones.recv_timeout(ASK) {
                    Ok(fit) => fits.push(fit),
                    Err(mpsc::RecvTimeoutError::Timeout) => {}
                    Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(fits),
                }
            }
        })
    }

    fn fit(&self, held: Option<usize>, on: &(dyn Fn() -> bool + Sync)) -> Option<Fit> {
        let chosen: Vec<bool> = self.part.iter().map(|part| Some(*part) != held).collect();
        let importance = self.counts.importance(&self.answers, self.labels, &chosen);
        let mut rows = Rows::default();
        let mut row = Row::default();
        for at in 0..self.answers.len() {
            self.counts.row(at, &mut row);
            row.weigh(&importance);
            rows.push(&row.cells);
        }
        let (seen, unseen): (Vec<usize>, Vec<usize>) = (0..chosen.len()).partition(|at| chosen[*at]);
        let problem = Problem {
            rows: &rows,
            answers: &self.answers,
            chosen: &seen,
            columns: importance.len(),
            costs: &self.costs,
            seed: self.seed,
        };
        // Of two labels the second is told from the first.
        let range = if self.labels == 2 { 1..2 } else { 0..self.labels };
        let weights = Weights::fit(&problem, range, on)?;
        let bayes = bayes(&problem, self.labels);
        let Some(part) = held else {
            return Some(Fit::All(importance, weights, bayes));
        };
        let all = |weights: &Weights| {
            let mut margins = Vec::new();
            let mut all = Vec::new();
            for at in &unseen {
                weights.margins(rows.row(*at), &mut margins);
                spread(&mut margins);
                all.extend_from_slice(&margins);
            }
            all
        };
        Some(Fit::Held(part, all(&weights), all(&bayes)))
    }
}

/// Two labels share one margin: what speaks for the second speaks against the first.
pub(super) fn spread(margins: &mut Vec<f32>) {
    if let [margin] = margins[..] {
        margins.insert(0, -margin);
    }
}

/// Deals the examples out so that each part has about as many of each label.
fn parts(answers: &[usize], labels: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..answers.len()).collect();
    fastrand::Rng::with_seed(seed).shuffle(&mut order);
    // Labels of a single example do not all fall into the first part.
    let mut dealt: Vec<usize> = (0..labels).collect();
    let mut part = vec![0; answers.len()];
    for at in order {
        let turn = &mut dealt[answers[at]];
        part[at] = *turn % PARTS;
        *turn += 1;
    }
    part
}
