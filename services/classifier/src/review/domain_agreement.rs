//! How well people agree: shares and Cohen's kappa, over all categories and for each.

use std::collections::BTreeMap;

/// Two labels of one text, and how many texts have these two.
pub(super) type Pair = (String, String, i64);

/// What is counted, for people.
pub(super) const DEFINITION: &str = "Coders: texts that two people labelled independently; agreement is the share in which both gave the same \
     label (of one category: 2 × both / times either gave it), kappa is Cohen's: (observed − expected) / (1 − expected), expected from \
     how often each of the two gave each label. Machine: of texts whose label people settled, the share in which the label in effect \
     before was left.";

/// How two people agree.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Coders {
    pub(super) pairs: i64,
    pub(super) agreed: i64,
    pub(super) agreement: Option<f64>,
    pub(super) kappa: Option<f64>,
}

/// How people agree with what was said before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Machine {
    pub(super) reviewed: i64,
    pub(super) confirmed: i64,
}

impl Machine {
    pub(super) fn corrected(self) -> i64 {
        self.reviewed - self.confirmed
    }

    pub(super) fn agreement(self) -> Option<f64> {
        share(self.confirmed, self.reviewed)
    }
}

/// What is said of the labels of a task.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Agreement {
    pub(super) coders: Coders,
    pub(super) machine: Machine,
    /// By category, in order.
    pub(super) categories: Vec<(String, Coders, Machine)>,
}

/// Of one category: how often each of the two gave it, how often both, and what people made of it where it was in effect.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    one: i64,
    other: i64,
    both: i64,
    reviewed: i64,
    confirmed: i64,
}

impl Agreement {
    /// `coded`: the labels of two people. `settled`: the label in effect before, and the one that people settled on. Each pair is looked at
    /// once: there are as many as categories times categories.
    pub(super) fn of(coded: &[Pair], settled: &[Pair]) -> Self {
        let mut counts: BTreeMap<&str, Counts> = BTreeMap::new();
        for (one, other, texts) in coded {
            counts.entry(one).or_default().one += texts;
            let of_other = counts.entry(other).or_default();
            of_other.other += texts;
            if one == other {
                of_other.both += texts;
            }
        }
        for (before, after, texts) in settled {
            counts.entry(after).or_default();
            let of_before = counts.entry(before).or_default();
            of_before.reviewed += texts;
            if before == after {
                of_before.confirmed += texts;
            }
        }
        let sum = |of: fn(&Counts) -> i64| counts.values().map(of).sum::<i64>();
        let (pairs, agreed) = (sum(|count| count.one), sum(|count| count.both));
        Self {
            coders: Coders {
                pairs,
                agreed,
                agreement: share(agreed, pairs),
                kappa: kappa(pairs, agreed, counts.values().map(|count| (count.one, count.other))),
            },
            machine: Machine {
                reviewed: sum(|count| count.reviewed),
                confirmed: sum(|count| count.confirmed),
            },
            categories: counts
                .iter()
                .map(|(label, count)| ((*label).to_owned(), count.coders(pairs), count.machine()))
                .collect(),
        }
    }
}

impl Counts {
    /// Whether a text is of this category, as two people say; `all` are the pairs of all categories.
    fn coders(self, all: i64) -> Coders {
        let either = self.one + self.other - self.both;
        Coders {
            pairs: either,
            agreed: self.both,
            agreement: share(2 * self.both, self.one + self.other),
            kappa: kappa(
                all,
                all - either + self.both,
                [(self.one, self.other), (all - self.one, all - self.other)],
            ),
        }
    }

    fn machine(self) -> Machine {
        Machine {
            reviewed: self.reviewed,
            confirmed: self.confirmed,
        }
    }
}

/// Cohen's kappa; `given` has how often each of the two gave each label. None where chance alone makes them agree always.
fn kappa(pairs: i64, agreed: i64, given: impl IntoIterator<Item = (i64, i64)>) -> Option<f64> {
    let observed = share(agreed, pairs)?;
    let shares = given
        .into_iter()
        .map(|(one, other)| Some(share(one, pairs)? * share(other, pairs)?));
    let expected: f64 = shares.sum::<Option<f64>>()?;
    // One label alone: its shares are 1 exactly.
    (expected < 1.0).then(|| ((observed - expected) / (1.0 - expected)).clamp(-1.0, 1.0))
}

#[expect(clippy::cast_precision_loss, reason = "counts of texts")]
fn share(part: i64, of: i64) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pair(one: &str, other: &str, texts: i64) -> Pair {
        (one.to_owned(), other.to_owned(), texts)
    }

    fn close(found: Option<f64>, wanted: f64) {
        let found = found.unwrap();
        assert!((found - wanted).abs() < 1e-9, "{found} is not {wanted}");
    }

    /// The example of Cohen's article as every textbook has it: 50 grants, 20 and 15 alike, 5 and 10 not.
    #[test]
    fn the_textbook_has_a_kappa_of_0_4() {
        let coded = [
            pair("yes", "yes", 20),
            pair("yes", "no", 5),
            pair("no", "yes", 10),
            pair("no", "no", 15),
        ];
        let found = Agreement::of(&coded, &[]);
        assert_eq!((found.coders.pairs, found.coders.agreed), (50, 35));
        close(found.coders.agreement, 0.7);
        close(found.coders.kappa, 0.4);
        let [(no, no_coders, _), (yes, yes_coders, _)] = found.categories.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!((no.as_str(), yes.as_str()), ("no", "yes"));
        // Of two categories, each is told apart as well as both are.
        close(no_coders.kappa, 0.4);
        close(yes_coders.kappa, 0.4);
        assert_eq!((yes_coders.pairs, yes_coders.agreed), (35, 20));
        close(yes_coders.agreement, 40.0 / 55.0);
    }

    #[test]
    fn one_label_alone_says_nothing_of_agreement_beyond_chance() {
        let found = Agreement::of(&[pair("a", "a", 7)], &[]);
        assert_eq!((found.coders.agreement, found.coders.kappa), (Some(1.0), None));
        let nothing = Agreement::of(&[], &[]);
        assert_eq!(
            (
                nothing.coders.agreement,
                nothing.coders.kappa,
                nothing.machine.agreement()
            ),
            (None, None, None)
        );
    }

    #[test]
    fn what_people_left_is_confirmed_and_counts_for_the_label_that_was_there() {
        let settled = [pair("a", "a", 3), pair("a", "b", 1), pair("b", "a", 2)];
        let found = Agreement::of(&[], &settled);
        assert_eq!(
            (
                found.machine.reviewed,
                found.machine.confirmed,
                found.machine.corrected()
            ),
            (6, 3, 3)
        );
        let of = |key: &str| found.categories.iter().find(|(label, ..)| label == key).unwrap().2;
        assert_eq!((of("a").agreement(), of("b").agreement()), (Some(0.75), Some(0.0)));
    }

    prop_compose! {
        fn pairs()(pairs in prop::collection::vec((0..4_u8, 0..4_u8, 1..20_i64), 0..12)) -> Vec<Pair> {
            pairs.iter().map(|(one, other, texts)| pair(&one.to_string(), &other.to_string(), *texts)).collect()
        }
    }

    proptest! {
        #[test]
        fn kappa_lies_between_minus_1_and_1_and_does_not_care_who_is_first(coded in pairs()) {
            let turned: Vec<Pair> = coded.iter().map(|(one, other, texts)| (other.clone(), one.clone(), *texts)).collect();
            let (found, turned) = (Agreement::of(&coded, &[]), Agreement::of(&turned, &[]));
            let same = |one: Option<f64>, other: Option<f64>| match (one, other) {
                (Some(one), Some(other)) => (one - other).abs() < 1e-9 && (-1.0..=1.0).contains(&one),
                (one, other) => one == other,
            };
            let all = |found: &Agreement| {
                let categories = found.categories.iter().map(|(_, coders, _)| coders.clone());
                std::iter::once(found.coders.clone()).chain(categories).collect::<Vec<Coders>>()
            };
            for (one, other) in all(&found).into_iter().zip(all(&turned)) {
                prop_assert!(same(one.kappa, other.kappa), "{one:?} {other:?}");
                prop_assert!(same(one.agreement, other.agreement));
                prop_assert_eq!((one.pairs, one.agreed), (other.pairs, other.agreed));
            }
        }

        #[test]
        fn who_always_agrees_on_several_labels_has_a_kappa_of_1(labels in prop::collection::vec(0..4_u8, 2..12)) {
            let coded: Vec<Pair> = labels.iter().map(|label| pair(&label.to_string(), &label.to_string(), 1)).collect();
            let found = Agreement::of(&coded, &[]).coders;
            let several = labels.iter().any(|label| *label != labels[0]);
            prop_assert_eq!(found.agreement, Some(1.0));
            prop_assert_eq!(found.kappa.is_some(), several);
            prop_assert!(found.kappa.is_none_or(|kappa| (kappa - 1.0).abs() < 1e-9));
        }
    }
}
