//! How a model comes about: features are counted, weights fitted, their margins calibrated on texts held back.

use super::{
    calibration,
    features::Scratch,
    linear::{Problem, Rows, Weights},
    model::{Matrix, Model},
    vocabulary::Vocabulary,
};

/// What training goes by; the defaults serve every set of labels.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Decides the order of examples: the same seed, labels and examples give the same model.
    pub(crate) seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: 1 }
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
    /// More examples, labels or text than fit into memory.
    #[error("more to learn from than fits")]
    TooMuch,
    /// The caller wanted it so.
    #[error("stopped")]
    Stopped,
}

/// Parts of the examples; each is held back once from the weights that calibration looks at.
const PARTS: usize = 4;
/// Cells of the weight matrix; where labels are many, the rarest features go first.
const CELLS: usize = 24_000_000;
const COST: f32 = 0.5;

pub(super) fn train(
    labels: &[String],
    examples: &[(&str, usize)],
    options: &Options,
    keep_on: &mut dyn FnMut(f32) -> bool,
) -> Result<Model, Untrainable> {
    let mut counts = vec![0_usize; labels.len()];
    for (_, label) in examples {
        *counts.get_mut(*label).ok_or(Untrainable::UnknownLabel)? += 1;
    }
    if counts.iter().filter(|count| **count > 0).count() < 2 {
        return Err(Untrainable::OneLabel);
    }
    let width = Matrix::width(labels.len());
    let vocabulary = count_features(examples, CELLS / width);
    let mut rows = Rows::default();
    let mut scratch = Scratch::default();
    for (text, _) in examples {
        scratch.read(text);
        vocabulary.weigh(&mut scratch);
        rows.push(&scratch.row);
    }
    let answers: Vec<usize> = examples.iter().map(|(_, label)| *label).collect();
    let costs: Vec<f32> = counts
        .iter()
        .map(|count| COST * (examples.len() as f32 / (labels.len() as f32 * (*count).max(1) as f32)).sqrt())
        .collect();
    let problem = Problem {
        rows: &rows,
        answers: &answers,
        chosen: &[],
        columns: vocabulary.len(),
        costs: &costs,
        seed: options.seed,
    };
    let part = parts(&answers, counts.len(), options.seed);
    let mut held_margins = vec![0.0; examples.len() * labels.len()];
    let mut margins = Vec::new();
    let mut share = 0.1;
    for held in 0..PARTS {
        if !keep_on(share) {
            return Err(Untrainable::Stopped);
        }
        share += 0.9 / (PARTS + 1) as f32;
        let chosen: Vec<usize> = (0..examples.len()).filter(|at| part[*at] != held).collect();
        let problem = Problem {
            chosen: &chosen,
            ..problem
        };
        let weights = fit(&problem, labels.len())?;
        for at in (0..examples.len()).filter(|at| part[*at] == held) {
            weights.margins(rows.row(at), &mut margins);
            spread(&mut margins);
            held_margins[at * labels.len()..][..labels.len()].copy_from_slice(&margins);
        }
    }
    let sharpness = calibration::sharpness(&held_margins, &answers, labels.len());
    if !keep_on(share) {
        return Err(Untrainable::Stopped);
    }
    let all: Vec<usize> = (0..examples.len()).collect();
    let problem = Problem {
        chosen: &all,
        ..problem
    };
    let weights = fit(&problem, labels.len())?;
    let matrix = Matrix::quantize(&weights.cells, weights.width, weights.intercept);
    Ok(Model {
        labels: labels.to_vec(),
        vocabulary,
        matrix,
        sharpness,
    })
}
fn fit(problem: &Problem<'_>, labels: usize) -> Result<Weights, Untrainable> {
    let range = if labels == 2 { 1..2 } else { 0..labels };
    Weights::fit(problem, range, &|| true).ok_or(Untrainable::Stopped)
}

/// Two labels share one margin: what speaks for the second speaks against the first.
pub(super) fn spread(margins: &mut Vec<f32>) {
    if let [margin] = margins[..] {
        *margins = vec![-margin, margin];
    }
}

fn count_features(examples: &[(&str, usize)], at_most: usize) -> Vocabulary {
    let mut scratch = Scratch::default();
    let mut seen: Vec<u32> = Vec::new();
    for (text, _) in examples {
        scratch.read(text);
        for family in &scratch.keys {
            seen.extend(family.chunk_by(|a, b| a == b).map(|same| same[0]));
        }
    }
    seen.sort_unstable();
    let mindf = if examples.len() < 500 { 1 } else { 2 };
    let counted: Vec<(u32, usize)> = seen
        .chunk_by(|a, b| a == b)
        .filter(|same| same.len() >= mindf)
        .map(|same| (same[0], same.len()))
        .collect();
    let _ = at_most;
    let rarity = |texts: usize| ((examples.len() as f32 + 1.0) / (texts as f32 + 1.0)).ln() + 1.0;
    Vocabulary::new(
        counted.iter().map(|c| c.0).collect(),
        counted.iter().map(|c| rarity(c.1)).collect(),
        rarity(1),
    )
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
