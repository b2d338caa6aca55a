//! For which work orders a rule is: the conditions that SLA rules and routing rules share.

pub(crate) mod convert;

use serde::{Deserialize, Serialize};

/// What the rules may look at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Facts {
    /// Rank of the priority; 0 is the most urgent (C-01).
    pub(crate) priority_rank: i32,
    /// Main category, e.g. `function.crash`.
    pub(crate) category: String,
    /// Number of the channel in `huiyin.type.v1.Channel`.
    pub(crate) channel: i32,
    /// Number of the tier in `huiyin.type.v1.CustomerTier`; 0, not said, counts as existing.
    pub(crate) tier: i32,
    /// Product model (000-28); empty where not said.
    pub(crate) product_model: String,
}

const TIER_NOT_SAID: i32 = 0;
const TIER_EXISTING: i32 = 2;

impl Facts {
    fn tier(&self) -> i32 {
        if self.tier == TIER_NOT_SAID {
            TIER_EXISTING
        } else {
            self.tier
        }
    }
}

/// Which work orders a rule is for: every list that is not empty must hold, and holds where any of its entries does.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Condition {
    /// Categories, each with what lies below it.
    pub(crate) categories: Vec<String>,
    /// Ranks of the priority.
    pub(crate) priority_ranks: Vec<i32>,
    /// Numbers of channels.
    pub(crate) channels: Vec<i32>,
    /// Numbers of tiers.
    pub(crate) tiers: Vec<i32>,
    /// Product models, exactly.
    pub(crate) product_models: Vec<String>,
}

impl Condition {
    /// True where the condition holds for a work order.
    pub(crate) fn holds(&self, facts: &Facts) -> bool {
        any(&self.categories, |category| lies_in(&facts.category, category))
            && any(&self.priority_ranks, |rank| *rank == facts.priority_rank)
            && any(&self.channels, |channel| *channel == facts.channel)
            && any(&self.tiers, |tier| *tier == facts.tier())
            && any(&self.product_models, |model| *model == facts.product_model)
    }

    /// True where this condition holds wherever `other` does: a rule with `other` that comes after one with this never
    /// applies.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        each_in(&self.categories, &other.categories, |own, theirs| lies_in(theirs, own))
            && each_in(&self.priority_ranks, &other.priority_ranks, |own, theirs| own == theirs)
            && each_in(&self.channels, &other.channels, |own, theirs| own == theirs)
            && each_in(&self.tiers, &other.tiers, |own, theirs| own == theirs)
            && each_in(&self.product_models, &other.product_models, |own, theirs| own == theirs)
    }
}

fn any<T>(list: &[T], holds: impl Fn(&T) -> bool) -> bool {
    list.is_empty() || list.iter().any(holds)
}

fn each_in<T>(own: &[T], theirs: &[T], holds: impl Fn(&T, &T) -> bool) -> bool {
    own.is_empty() || (!theirs.is_empty() && theirs.iter().all(|theirs| own.iter().any(|own| holds(own, theirs))))
}

/// True where `category` is `within` or lies below it.
fn lies_in(category: &str, within: &str) -> bool {
    category
        .strip_prefix(within)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// For every rule the index of an earlier one that leaves it nothing, if there is one. `same` says which rules compete.
pub(crate) fn shadowed<R>(
    rules: &[R],
    condition: impl Fn(&R) -> &Condition,
    same: impl Fn(&R, &R) -> bool,
) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (late, rule) in rules.iter().enumerate() {
        let earlier = rules[..late]
            .iter()
            .position(|earlier| same(earlier, rule) && condition(earlier).covers(condition(rule)));
        found.extend(earlier.map(|early| (late, early)));
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn facts() -> Facts {
        Facts {
            priority_rank: 1,
            category: "function.crash".to_owned(),
            channel: 6,
            tier: 3,
            product_model: "X1".to_owned(),
        }
    }

    #[test]
    fn every_list_must_hold_and_an_empty_one_always_does() {
        assert!(Condition::default().holds(&facts()));
        let both = Condition {
            categories: vec!["logistics".into(), "function".into()],
            tiers: vec![3],
            ..Condition::default()
        };
        assert!(both.holds(&facts()));
        assert!(!both.holds(&Facts { tier: 1, ..facts() }));
        assert!(!both.holds(&Facts {
            category: "price".into(),
            ..facts()
        }));
    }

    #[test]
    fn a_category_holds_for_what_lies_below_it_and_not_for_what_begins_alike() {
        let function = Condition {
            categories: vec!["function".into()],
            ..Condition::default()
        };
        assert!(function.holds(&Facts {
            category: "function".into(),
            ..facts()
        }));
        assert!(!function.holds(&Facts {
            category: "functional".into(),
            ..facts()
        }));
    }

    #[test]
    fn a_tier_that_was_not_said_counts_as_existing() {
        let existing = Condition {
            tiers: vec![2],
            ..Condition::default()
        };
        assert!(existing.holds(&Facts { tier: 0, ..facts() }));
        assert!(!existing.holds(&Facts { tier: 1, ..facts() }));
    }

    fn condition() -> impl Strategy<Value = Condition> {
        let categories = prop::collection::vec(prop::sample::select(vec!["a", "a.b", "a.b.c", "ab", "c"]), 0..3);
        let numbers = || prop::collection::vec(0..3_i32, 0..3);
        (categories, numbers(), numbers(), prop::collection::vec(1..4_i32, 0..3)).prop_map(
            |(categories, priority_ranks, channels, tiers)| Condition {
                categories: categories.into_iter().map(str::to_owned).collect(),
                priority_ranks,
                channels,
                tiers,
                product_models: Vec::new(),
            },
        )
    }

    proptest! {
        #[test]
        fn what_covers_a_condition_holds_wherever_it_holds(
            broad in condition(), narrow in condition(), category in "(a|a\\.b|a\\.b\\.c|ab|c)", rank in 0..3_i32, channel in 0..3_i32, tier in 0..4_i32,
        ) {
            let facts = Facts { priority_rank: rank, category, channel, tier, product_model: String::new() };
            if broad.covers(&narrow) && narrow.holds(&facts) {
                prop_assert!(broad.holds(&facts));
            }
        }
    }
}
