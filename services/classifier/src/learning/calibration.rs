//! Margins as probabilities: shifts, a temperature and a share of chance that were found on texts which the weights had not seen.

/// What margins mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Confidence {
    /// 1 / temperature, above 0.
    pub(super) sharpness: f32,
    /// Share of the texts whose labels nothing in them tells, 0 to 1: of them any label may be right, however far one is ahead.
    pub(super) chance: f32,
}

impl Confidence {
    /// Turns margins into probabilities, in place.
    pub(super) fn weigh(self, margins: &mut [f32]) {
        let highest = highest(margins);
        let mut total = 0.0;
        for margin in margins.iter_mut() {
            *margin = ((*margin - highest) * self.sharpness).exp();
            total += *margin;
        }
        let (sure, each) = (1.0 - self.chance, self.chance / margins.len() as f32);
        for margin in margins.iter_mut() {
            *margin = sure * *margin / total + each;
        }
    }
}

fn highest(margins: &[f32]) -> f32 {
    margins.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

/// Margins of examples, row by row, and what they are labelled.
pub(super) struct Outcomes<'a> {
    pub(super) margins: Vec<f32>,
    pub(super) answers: &'a [usize],
    pub(super) labels: usize,
}

/// Labels that are few enough, and examples of each on the average that are many enough, for shifts to mean something.
const FEW_LABELS: usize = 32;
const ENOUGH_EXAMPLES: usize = 50;

impl Outcomes<'_> {
    /// Shifts the margins so that rare labels are found as well as frequent ones without much loss of right answers;
    /// gives what was added to each label.
    pub(super) fn balance(&mut self) -> Vec<f32> {
        /// Each label is looked at again once the others have moved.
        const ROUNDS: usize = 2;
        let mut shifts = vec![0.0; self.labels];
        if self.labels > FEW_LABELS || self.answers.len() < ENOUGH_EXAMPLES * self.labels {
            return shifts;
        }
        for label in (0..self.labels).cycle().take(ROUNDS * self.labels) {
            let shift = self.best_shift(label);
            shifts[label] += shift;
            for margins in self.margins.chunks_exact_mut(self.labels) {
                margins[label] += shift;
            }
        }
        shifts
    }

    /// The shift of one label's margins under which accuracy and macro-F1 together are highest; the smallest of equals.
    fn best_shift(&self, label: usize) -> f32 {
        const STEP: f32 = 0.05;
        const STEPS: i16 = 12;
        // The best of the other labels, and by how much it is ahead.
        let rivals: Vec<(usize, f32)> = self
            .margins
            .chunks_exact(self.labels)
            .map(|margins| {
                let others = (0..self.labels).filter(|other| *other != label);
                let (rival, margin) = others.fold((label, f32::NEG_INFINITY), |best, other| {
                    if margins[other] > best.1 {
                        (other, margins[other])
                    } else {
                        best
                    }
                });
                (rival, margin - margins[label])
            })
            .collect();
        let mut shifts: Vec<f32> = (-STEPS..=STEPS).map(|step| f32::from(step) * STEP).collect();
        shifts.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
        let mut best = (0.0, f64::NEG_INFINITY);
        for shift in shifts {
            let read = rivals
                .iter()
                .map(|(rival, ahead)| if shift > *ahead { label } else { *rival });
            let goodness = goodness(read.zip(self.answers.iter().copied()), self.labels);
            if goodness > best.1 {
                best = (shift, goodness);
            }
        }
        best.0
    }

    /// What makes the answers likeliest.
    pub(super) fn confidence(&self) -> Confidence {
        /// Shares of chance, from none to as much as people who label texts disagree.
        const CHANCES: [f32; 6] = [0.005, 0.01, 0.02, 0.035, 0.06, 0.1];
        let mut best = self.sharpest(0.0);
        for chance in CHANCES {
            let next = self.sharpest(chance);
            if next.1 >= best.1 {
                break;
            }
            best = next;
        }
        best.0
    }

    /// The sharpness under which the answers are likeliest, and how unlikely they then are.
    fn sharpest(&self, chance: f32) -> (Confidence, f64) {
        const GOLDEN: f32 = 0.618_034;
        let (mut low, mut high) = (f32::ln(0.05), f32::ln(50.0));
        let confidence = |log: f32| Confidence {
            sharpness: log.exp(),
            chance,
        };
        let loss = |log: f32| self.surprise(confidence(log));
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
        (confidence(f32::midpoint(low, high)), at_a.min(at_b))
    }

    /// How unlikely the answers are at best, where nothing is left to chance.
    pub(super) fn doubt(&self) -> f64 {
        self.sharpest(0.0).1
    }

    /// How unlikely the answers are, as a sum of negative logarithms. As Platt does, each is taken as a little less than
    /// certain: few and easily separated examples would else make a model that is never in doubt.
    fn surprise(&self, confidence: Confidence) -> f64 {
        let Confidence { sharpness, chance } = confidence;
        let doubt = 1.0 / (self.answers.len() as f64 + 2.0);
        let mut total = 0.0;
        for (margins, answer) in self.margins.chunks_exact(self.labels).zip(self.answers) {
            let highest = highest(margins);
            let scaled = |margin: &f32| (margin - highest) * sharpness;
            let sum: f32 = margins.iter().map(|margin| scaled(margin).exp()).sum();
            let level = f64::from(sum.ln());
            let own = f64::from(scaled(&margins[*answer]));
            let told = if chance == 0.0 {
                level - own
            } else {
                let chance = f64::from(chance);
                -((1.0 - chance) * (own - level).exp() + chance / self.labels as f64).ln()
            };
            let mean = level - margins.iter().map(|margin| f64::from(scaled(margin))).sum::<f64>() / self.labels as f64;
            total += (1.0 - doubt) * told + doubt * mean;
        }
        total
    }
}

/// Accuracy plus macro-F1 of pairs of what was read and what is right.
fn goodness(pairs: impl Iterator<Item = (usize, usize)>, labels: usize) -> f64 {
    let mut right = vec![0_u32; labels];
    let mut said = vec![0_u32; labels];
    let mut total = 0.0;
    for (read, answer) in pairs {
        said[read] += 1;
        said[answer] += 1;
        right[answer] += u32::from(read == answer);
        total += 1.0;
    }
    let f1 = |label: usize| f64::from(2 * right[label]) / f64::from(said[label].max(1));
    f64::from(right.iter().sum::<u32>()) / total + (0..labels).map(f1).sum::<f64>() / labels as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sharper_is_surer_and_never_says_another_label(
            margins in prop::collection::vec(-3.0_f32..3.0, 2..20),
            sharpness in 0.1_f32..10.0,
            chance in 0.0_f32..0.2,
        ) {
            let (mut dull, mut sharp) = (margins.clone(), margins);
            Confidence { sharpness, chance }.weigh(&mut dull);
            Confidence { sharpness: sharpness * 1.5, chance }.weigh(&mut sharp);
            let most = |probabilities: &[f32]| probabilities.iter().copied().fold(0.0, f32::max);
            prop_assert!((dull.iter().sum::<f32>() - 1.0).abs() < 1e-4);
            prop_assert!(most(&sharp) >= most(&dull) - 1e-5);
            let best = dull.iter().position(|probability| *probability == most(&dull)).unwrap();
            prop_assert!(sharp[best] >= most(&sharp) - 1e-5);
        }
    }

    #[test]
    fn margins_that_are_right_three_times_of_four_become_three_quarters() {
        let answers: Vec<usize> = (0..4_000).map(|at| usize::from(at % 4 == 0)).collect();
        let outcomes = Outcomes {
            margins: [0.5, -0.5].repeat(answers.len()),
            answers: &answers,
            labels: 2,
        };
        let mut probabilities = [0.5, -0.5];
        outcomes.confidence().weigh(&mut probabilities);
        assert!((probabilities[0] - 0.75).abs() < 0.01, "{probabilities:?}");
    }

    #[test]
    fn however_far_a_label_is_ahead_it_is_no_surer_than_it_is_often_right() {
        // Three of four are clear, one hardly; of either, one in twenty is labelled otherwise.
        let answers: Vec<usize> = (0..4_000).map(|at| usize::from(at % 20 == 0)).collect();
        let margins = (0..4_000).flat_map(|at| if at % 4 == 1 { [0.4, -0.4] } else { [4.0, -4.0] });
        let outcomes = Outcomes {
            margins: margins.collect(),
            answers: &answers,
            labels: 2,
        };
        let confidence = outcomes.confidence();
        assert!((0.06..=0.1).contains(&confidence.chance), "{confidence:?}");
        let mut probabilities = [4.0, -4.0];
        confidence.weigh(&mut probabilities);
        assert!((probabilities[0] - 14.0 / 15.0).abs() < 0.03, "{probabilities:?}");
    }

    #[test]
    fn a_rare_label_that_always_comes_second_is_lifted() {
        // One in ten is rare, and a little ahead of where it is not.
        let answers: Vec<usize> = (0..500).map(|at| usize::from(at % 10 == 0)).collect();
        let margins = answers
            .iter()
            .flat_map(|answer| if *answer == 1 { [0.2, 0.1] } else { [0.6, -0.4] });
        let mut outcomes = Outcomes {
            margins: margins.collect(),
            answers: &answers,
            labels: 2,
        };
        let shifts = outcomes.balance();
        assert!(shifts[1] - shifts[0] > 0.1, "{shifts:?}");
        assert!(
            outcomes
                .margins
                .chunks(2)
                .zip(&answers)
                .all(|(margins, answer)| (margins[1] > margins[0]) == (*answer == 1))
        );
    }

    #[test]
    fn few_examples_move_nothing() {
        let mut outcomes = Outcomes {
            margins: vec![1.0, 0.0, 1.0, 0.0],
            answers: &[1, 1],
            labels: 2,
        };
        assert_eq!(outcomes.balance(), [0.0, 0.0]);
    }
}
