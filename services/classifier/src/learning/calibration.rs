//! Margins as probabilities: a softmax whose temperature was found on texts that the weights had not seen.

/// Turns margins into probabilities, in place.
pub(super) fn softmax(margins: &mut [f32], sharpness: f32) {
    let highest = margins.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut total = 0.0;
    for margin in margins.iter_mut() {
        *margin = ((*margin - highest) * sharpness).exp();
        total += *margin;
    }
    for margin in margins.iter_mut() {
        *margin /= total;
    }
}

/// The sharpness (1 / temperature) under which the answers are likeliest.
pub(super) fn sharpness(margins: &[f32], answers: &[usize], labels: usize) -> f32 {
    let (mut low, mut high) = (f32::ln(0.05), f32::ln(50.0));
    let loss = |log: f32| unlikelihood(margins, answers, labels, log.exp());
    const GOLDEN: f32 = 0.618_034;
    let (mut a, mut b) = (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
    let (mut at_a, mut at_b) = (loss(a), loss(b));
    while high - low > 0.01 {
        if at_a < at_b {
            (high, b, at_b) = (b, a, at_a);
            a = high - GOLDEN * (high - low);
            at_a = loss(a);
        } else {
            (low, a, at_a) = (a, b, at_b);
            b = low + GOLDEN * (high - low);
            at_b = loss(b);
        }
    }
    f32::midpoint(low, high).exp()
}

/// Mean negative log likelihood of answers, each taken as Platt does, as a little less than certain: few and easily
/// separated examples would else make a model that is never in doubt.
fn unlikelihood(margins: &[f32], answers: &[usize], labels: usize, sharpness: f32) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of examples")]
    let doubt = 1.0 / (answers.len() as f64 + 2.0);
    let mut total = 0.0;
    for (margins, answer) in margins.chunks_exact(labels).zip(answers) {
        let highest = margins.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f32 = margins
            .iter()
            .map(|margin| ((margin - highest) * sharpness).exp())
            .sum();
        let level = f64::from(sum.ln());
        let surprise = |margin: f32| level - f64::from((margin - highest) * sharpness);
        let mean = margins.iter().map(|margin| surprise(*margin)).sum::<f64>() / labels as f64;
        total += (1.0 - doubt) * surprise(margins[*answer]) + doubt * mean;
    }
    total
}
