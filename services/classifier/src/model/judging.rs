//! How good a version is: read over texts whose labels are known, and timed by the processor's own clock.

use huiyin_chassis::Refusal;
use rustix::time::{ClockId, clock_gettime};

use super::{
    domain::{Judgement, LabelJudgement, Labelled},
    reader::Reader,
};
use crate::learning::{self, Scratch};

/// Shorter measurements say little: the texts are read again until so many seconds of processor time have gone.
const LEAST_SECONDS: f64 = 0.1;
/// But not more often than this.
const MOST_ROUNDS: usize = 50;

/// Reads the texts and compares. Takes a while: not for an async task.
pub(super) fn judge(reader: &Reader, texts: &[Labelled], threshold: f64) -> Judgement {
    let model = &reader.model;
    let place = |label: &str| model.labels().iter().position(|known| known == label);
    let known: Vec<(&str, Vec<u32>, usize)> = texts
        .iter()
        .filter_map(|(text, label)| Some((text.as_str(), reader.hints(text), place(label)?)))
        .collect();
    let evaluation = learning::evaluate(model, &known);
    let (covered, covered_right) = covered(reader, texts, threshold);
    let (all, sure) = (whole(texts.len()), whole(covered));
    let share = |part: f64, of: f64| if of == 0.0 { 0.0 } else { part / of };
    Judgement {
        texts: count(texts.len()),
        accuracy: f64::from(evaluation.accuracy) * share(whole(known.len()), all),
        macro_f1: evaluation.macro_f1.into(),
        ece: evaluation.ece.into(),
        labels: model
            .labels()
            .iter()
            .zip(&evaluation.labels)
            .map(|(label, found)| LabelJudgement {
                label: label.clone(),
                precision: found.precision.into(),
                recall: found.recall.into(),
                f1: found.f1.into(),
                texts: found.texts.into(),
            })
            .collect(),
        confusion: evaluation.confusion,
        texts_per_cpu_second: speed(reader, texts),
        coverage: share(sure, all),
        covered_accuracy: share(whole(covered_right), sure),
        unknown_texts: count(texts.len() - known.len()),
    }
}

/// The share of texts whose label it gives.
pub(super) fn accuracy(reader: &Reader, texts: &[Labelled]) -> f64 {
    let mut scratch = Scratch::default();
    let right = texts.iter().filter(|(text, label)| {
        let (best, _) = best(reader.read(text, &mut scratch));
        reader.model.labels().get(best) == Some(label)
    });
    whole(right.count()) / whole(texts.len().max(1))
}

/// On how many texts it is sure enough, and in how many of those it is right.
fn covered(reader: &Reader, texts: &[Labelled], threshold: f64) -> (usize, usize) {
    let mut scratch = Scratch::default();
    let (mut covered, mut right) = (0, 0);
    for (text, label) in texts {
        let (best, confidence) = best(reader.read(text, &mut scratch));
        if f64::from(confidence) >= threshold {
            covered += 1;
            right += usize::from(reader.model.labels().get(best) == Some(label));
        }
    }
    (covered, right)
}

/// Texts read in a second of processor time, on one core; looking for what rules find is part of it.
fn speed(reader: &Reader, texts: &[Labelled]) -> f64 {
    let mut scratch = Scratch::default();
    let began = processor_seconds();
    let mut read = 0;
    for _ in 0..MOST_ROUNDS {
        for (text, _) in texts {
            // Whatever is read is looked at, or reading could be optimised away.
            read += usize::from(!reader.read(text, &mut scratch).is_empty());
        }
        if processor_seconds() - began >= LEAST_SECONDS {
            break;
        }
    }
    let seconds = processor_seconds() - began;
    if seconds > 0.0 { whole(read) / seconds } else { 0.0 }
}

/// What this thread has had of the processor.
fn processor_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    #[expect(clippy::cast_precision_loss, reason = "seconds of a thread")]
    let seconds = time.tv_sec as f64 + time.tv_nsec as f64 / 1e9;
    seconds
}

/// The place of the likeliest label, and how likely it is.
pub(super) fn best(probabilities: &[f32]) -> (usize, f32) {
    let mut best = (0, 0.0);
    for (place, probability) in probabilities.iter().enumerate() {
        if *probability > best.1 {
            best = (place, *probability);
        }
    }
    best
}

fn count(texts: usize) -> i64 {
    i64::try_from(texts).unwrap_or(i64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "counts of texts")]
fn whole(texts: usize) -> f64 {
    texts as f64
}

/// Does what takes the processor for long, beside the async tasks.
///
/// # Errors
/// A fault where it panics.
pub(crate) async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    let worked = tokio::task::spawn_blocking(work).await;
    worked.map_err(|error| Refusal::fault(anyhow::anyhow!("work beside the tasks: {error}")))
}
