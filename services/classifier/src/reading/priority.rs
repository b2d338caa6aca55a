//! How urgent: matrix impact × tier, the floor of the stated urgency, then the first override whose conditions hold
//! (000-29, 002-21 … 002-23, 003-21). Each step says what it did.

use crate::{
    domain::{Impact, Priority, Tier},
    taxonomy::domain::{Effect, Override, PriorityModel},
};

/// What priority is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'i> {
    pub(crate) impact: Impact,
    pub(crate) tier: Tier,
    /// 0 not stated, 1 normal, 2 urgent, 3 critical.
    pub(crate) urgency: i32,
    /// Keys of all categories.
    pub(crate) categories: &'i [&'i str],
}

/// The answer of the model.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decision {
    pub(crate) priority: Priority,
    /// Key of the override that decided; empty where none did.
    pub(crate) override_rule: String,
    /// What was done, step by step, for the basis.
    pub(crate) steps: String,
}

/// Asks the model. A model that was checked when it was made names a level for everything; where one does not, the least
/// urgent level holds.
pub(crate) fn decide(model: &PriorityModel, inputs: Inputs<'_>) -> Decision {
    let least = model.levels.last().map_or(
        Priority {
            key: "P3".to_owned(),
            rank: 3,
        },
        |level| Priority {
            key: level.key.clone(),
            rank: level.rank,
        },
    );
    let level = |key: &str| model.level(key).unwrap_or_else(|| least.clone());
    let cell = model
        .matrix
        .iter()
        .find(|cell| cell.impact == inputs.impact && cell.tier == inputs.tier);
    let mut priority = cell.map_or_else(|| least.clone(), |cell| level(&cell.priority));
    let mut steps = format!("× tier {} gives {}", inputs.tier.word(), priority.key);
    if let Some(floor) = model
        .urgency_floors
        .iter()
        .find(|floor| floor.urgency == inputs.urgency)
    {
        let floor = level(&floor.priority);
        if floor.rank < priority.rank {
            steps.push_str(&format!(
                ", stated urgency {} raises it to {}",
                urgency_word(inputs.urgency),
                floor.key
            ));
            priority = floor;
        }
    }
    let mut override_rule = String::new();
    if let Some(rule) = model.overrides.iter().find(|rule| holds(rule, inputs)) {
        let wanted = level(&rule.priority);
        let decides = match rule.effect {
            Effect::AtLeast => wanted.rank < priority.rank,
            Effect::AtMost => wanted.rank > priority.rank,
            Effect::Exactly => wanted.rank != priority.rank,
        };
        if decides {
            steps.push_str(&format!(", rule {} makes it {}: {}", rule.key, wanted.key, rule.reason));
            priority = wanted;
            override_rule = rule.key.clone();
        }
    }
    Decision {
        priority,
        override_rule,
        steps,
    }
}

fn holds(rule: &Override, inputs: Inputs<'_>) -> bool {
    let of_category = |wanted: &String| {
        inputs
            .categories
            .iter()
            .any(|category| is_at_or_below(category, wanted))
    };
    (rule.categories.is_empty() || rule.categories.iter().any(of_category))
        && (rule.tiers.is_empty() || rule.tiers.contains(&inputs.tier))
        && (rule.impacts.is_empty() || rule.impacts.contains(&inputs.impact))
}

fn is_at_or_below(category: &str, parent: &str) -> bool {
    category
        .strip_prefix(parent)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn urgency_word(urgency: i32) -> &'static str {
    match urgency {
        1 => "normal",
        2 => "urgent",
        3 => "critical",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::taxonomy::builtin::Builtin;

    fn decided(impact: Impact, tier: Tier, urgency: i32, category: &str) -> (String, String) {
        let model = Builtin::load().unwrap().content.priority_model;
        let decision = decide(
            &model,
            Inputs {
                impact,
                tier,
                urgency,
                categories: &[category],
            },
        );
        (decision.priority.key, decision.override_rule)
    }

    /// 000-29: impact × tier.
    #[test]
    fn the_matrix_decides_where_nothing_else_does() {
        for (impact, tier, wanted) in [
            (Impact::Minor, Tier::New, "P3"),
            (Impact::Minor, Tier::Existing, "P3"),
            (Impact::Minor, Tier::Vip, "P2"),
            (Impact::Serious, Tier::New, "P2"),
            (Impact::Serious, Tier::Existing, "P2"),
            (Impact::Serious, Tier::Vip, "P1"),
            (Impact::Fatal, Tier::New, "P1"),
            (Impact::Fatal, Tier::Existing, "P1"),
            (Impact::Fatal, Tier::Vip, "P0"),
        ] {
            assert_eq!(
                decided(impact, tier, 0, "function.crash"),
                (wanted.to_owned(), String::new()),
                "{impact:?} {tier:?}"
            );
        }
    }

    /// 003-21: an agent's urgency raises and never lowers.
    #[test]
    fn a_stated_urgency_is_a_floor() {
        assert_eq!(decided(Impact::Minor, Tier::New, 1, "function").0, "P3");
        assert_eq!(decided(Impact::Minor, Tier::New, 2, "function").0, "P1");
        assert_eq!(decided(Impact::Minor, Tier::New, 3, "function").0, "P0");
        assert_eq!(decided(Impact::Fatal, Tier::Vip, 2, "function").0, "P0");
    }

    /// 002-21, 002-23: safety first, suggestions last, whatever the matrix and the urgency say.
    #[test]
    fn an_override_has_the_last_word() {
        assert_eq!(
            decided(Impact::Minor, Tier::New, 0, "safety.food"),
            ("P0".to_owned(), "safety-first".to_owned())
        );
        assert_eq!(
            decided(Impact::Fatal, Tier::Vip, 3, "suggestion"),
            ("P3".to_owned(), "suggestions-wait".to_owned())
        );
        assert_eq!(
            decided(Impact::Fatal, Tier::Vip, 0, "safety"),
            ("P0".to_owned(), String::new()),
            "it was P0 already"
        );
        assert_eq!(
            decided(Impact::Minor, Tier::New, 0, "safetynet"),
            ("P3".to_owned(), String::new()),
            "a prefix is no parent"
        );
    }

    proptest::proptest! {
        #[test]
        fn more_urgent_inputs_never_make_it_less_urgent(impact in 0..3_usize, tier in 0..3_usize, urgency in 0..4) {
            let model = Builtin::load().unwrap().content.priority_model;
            let rank = |impact: usize, urgency| {
                let inputs = Inputs { impact: Impact::ALL[impact], tier: Tier::ALL[tier], urgency, categories: &["function"] };
                decide(&model, inputs).priority.rank
            };
            proptest::prop_assert!(rank(impact, urgency) >= rank(2, urgency));
            proptest::prop_assert!(rank(impact, urgency) >= rank(impact, 3));
            proptest::prop_assert!(rank(impact, urgency) <= rank(0, urgency));
        }
    }
}
