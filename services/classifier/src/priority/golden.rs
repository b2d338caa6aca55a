//! The numbers of the source documents, as they must come out (§G), and what each preset was made for.

use std::collections::BTreeMap;

use super::{
    check,
    decide::decide,
    domain::{Content, Decision, Facts, Given, Scores, UsedFor},
    models::Models,
    presets::{self, Preset},
};
use crate::{
    domain::{Impact, Sentiment, Tier},
    taxonomy::builtin::Builtin,
};

/// A case of which nothing is known: minor, an existing customer.
pub(super) fn facts() -> Facts {
    Facts {
        categories: Vec::new(),
        main_categories: Vec::new(),
        tier: Tier::Existing,
        impact: Impact::Minor,
        impact_words: "minor".to_owned(),
        channel: 2,
        urgency: 0,
        emotion_level: 0,
        sentiment: Sentiment::Neutral,
        product_model: String::new(),
        terms: Vec::new(),
        customers: 0,
    }
}

pub(super) fn preset(key: &str) -> Preset {
    let found = presets::load().unwrap().into_iter().find(|preset| preset.key == key);
    found.unwrap_or_else(|| panic!("{key}"))
}

/// Scores in the order of the dimensions.
pub(super) fn given(content: &Content, scores: &[i32]) -> Scores {
    let given = |score: &i32| Given {
        score: *score,
        said: String::new(),
    };
    content
        .dimensions
        .iter()
        .zip(scores)
        .map(|(dimension, score)| (dimension.key.clone(), given(score)))
        .collect()
}

fn scored(preset: &Preset, scores: [i32; 3]) -> (f64, String) {
    let decision = decide(0, &preset.content, &facts(), &given(&preset.content, &scores));
    (decision.composite.unwrap(), decision.priority.key)
}

fn asked(key: &str, facts: &Facts) -> Decision {
    decide(0, &preset(key).content, facts, &Scores::new())
}

fn level(key: &str, facts: &Facts) -> String {
    asked(key, facts).priority.key
}

/// How many of the 125 combinations of three scores each level gets, most urgent first.
fn shares(key: &str) -> Vec<i32> {
    let preset = preset(key);
    let mut counts: BTreeMap<String, i32> = BTreeMap::new();
    for scope in 1..=5 {
        for urgency in 1..=5 {
            for value in 1..=5 {
                *counts.entry(scored(&preset, [scope, urgency, value]).1).or_default() += 1;
            }
        }
    }
    counts.into_values().collect()
}

/// 001-34 … 001-36, §G: the text of 001, with its first example and every edge of its bands.
#[test]
fn the_text_of_001_gives_its_bands() {
    let text = preset("strategy-text");
    for (scores, composite, wanted) in [
        ([5, 4, 5], 14.0, "P0"),
        ([3, 2, 4], 9.0, "P0"),
        ([3, 3, 2], 8.0, "P1"),
        ([2, 2, 3], 7.0, "P1"),
        ([2, 2, 2], 6.0, "P2"),
        ([1, 2, 2], 5.0, "P2"),
        ([1, 1, 2], 4.0, "P3"),
        ([1, 1, 1], 3.0, "P3"),
        ([5, 5, 5], 15.0, "P0"),
    ] {
        assert_eq!(scored(&text, scores), (composite, wanted.to_owned()), "{scores:?}");
    }
}

/// §G: both rows of table 2 of 001 exactly: 9 is P1 there.
#[test]
fn the_table_of_001_gives_both_its_rows() {
    let table = preset("strategy-table");
    assert_eq!(scored(&table, [5, 4, 5]), (14.0, "P0".to_owned()));
    assert_eq!(scored(&table, [3, 2, 4]), (9.0, "P1".to_owned()));
    assert_eq!(scored(&table, [4, 2, 4]), (10.0, "P0".to_owned()));
}

/// §G: the literal reading of "×".
#[test]
fn the_product_reading_gives_100_and_24() {
    let product = preset("strategy-product");
    assert_eq!(scored(&product, [5, 4, 5]), (100.0, "P0".to_owned()));
    assert_eq!(scored(&product, [3, 2, 4]), (24.0, "P0".to_owned()));
}

/// §G: the share of the 125 combinations that each reading gives P0 / P1 / P2 / P3.
#[test]
fn the_readings_share_out_the_125_combinations_as_counted() {
    assert_eq!(shares("strategy-product"), [96, 7, 9, 13]);
    assert_eq!(shares("strategy-text"), [72, 33, 16, 4]);
    assert_eq!(shares("strategy-table"), [53, 52, 16, 4]);
}

/// 001-35: every score of every dimension of 001 and 004 has its anchor.
#[test]
fn every_score_has_an_anchor() {
    for preset in presets::load().unwrap() {
        for dimension in &preset.content.dimensions {
            let anchored: Vec<i32> = dimension.anchors.iter().map(|anchor| anchor.score).collect();
            let scale: Vec<i32> = (dimension.min..=dimension.max).collect();
            assert_eq!(anchored, scale, "{} {}", preset.key, dimension.key);
        }
    }
}

/// 001-34, 001-37: the basis shows the sum and who gave the scores.
#[test]
fn the_steps_show_the_sum() {
    let text = preset("strategy-text");
    let decision = decide(0, &text.content, &facts(), &given(&text.content, &[5, 4, 5]));
    assert_eq!(decision.steps, "scope 5 + urgency 4 + value 5 = 14 gives P0");
    let mut by_hand = given(&text.content, &[3, 2]);
    by_hand.get_mut("scope").unwrap().said = "by user:li".to_owned();
    let decision = decide(0, &text.content, &facts(), &by_hand);
    assert_eq!(
        decision.steps,
        "scope 3 (by user:li) + urgency 2 + value 3 (by default) = 8 gives P1"
    );
    let product = preset("strategy-product");
    let decision = decide(0, &product.content, &facts(), &given(&product.content, &[3, 2, 4]));
    assert_eq!(decision.steps, "scope 3 × urgency 2 × value 4 = 24 gives P0");
}

/// 001-39: all three readings of 001 have operations, product and technical leads confirm a P0.
#[test]
fn a_top_priority_of_001_is_reviewed_by_three_roles() {
    for key in ["strategy-text", "strategy-table", "strategy-product"] {
        let preset = preset(key);
        let decision = decide(0, &preset.content, &facts(), &given(&preset.content, &[5, 5, 5]));
        assert_eq!(
            decision.review_roles,
            ["operations_lead", "product_lead", "technical_lead"]
        );
        let decision = decide(0, &preset.content, &facts(), &given(&preset.content, &[1, 1, 2]));
        assert!(decision.review_roles.is_empty());
    }
}

/// 000-29: impact × tier.
#[test]
fn the_matrix_of_000_decides_where_nothing_else_does() {
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
        let facts = Facts {
            impact,
            tier,
            ..facts()
        };
        let decision = asked("after-sales", &facts);
        assert_eq!(decision.priority.key, wanted, "{impact:?} {tier:?}");
        assert_eq!(decision.override_rule(), "");
    }
}

fn case(impact: Impact, tier: Tier, urgency: i32, category: &str) -> Facts {
    Facts {
        impact,
        tier,
        urgency,
        categories: vec![category.to_owned()],
        ..facts()
    }
}

/// 003-21: an agent's urgency raises and never lowers.
#[test]
fn a_stated_urgency_is_a_floor() {
    let level = |impact, tier, urgency| level("after-sales", &case(impact, tier, urgency, "function"));
    assert_eq!(level(Impact::Minor, Tier::New, 1), "P3");
    assert_eq!(level(Impact::Minor, Tier::New, 2), "P1");
    assert_eq!(level(Impact::Minor, Tier::New, 3), "P0");
    assert_eq!(level(Impact::Fatal, Tier::Vip, 2), "P0");
}

/// 002-21, 002-23: safety first, suggestions last, whatever the matrix and the urgency say.
#[test]
fn an_override_has_the_last_word() {
    let decided = |facts: Facts| {
        let decision = asked("after-sales", &facts);
        (decision.priority.key.clone(), decision.override_rule())
    };
    let wanted = |level: &str, rule: &str| (level.to_owned(), rule.to_owned());
    assert_eq!(
        decided(case(Impact::Minor, Tier::New, 0, "safety.food")),
        wanted("P0", "safety-first")
    );
    assert_eq!(
        decided(case(Impact::Fatal, Tier::Vip, 3, "suggestion")),
        wanted("P3", "suggestions-wait")
    );
    assert_eq!(
        decided(case(Impact::Fatal, Tier::Vip, 0, "safety")),
        wanted("P0", ""),
        "it was P0 already"
    );
    assert_eq!(
        decided(case(Impact::Minor, Tier::New, 0, "safetynet")),
        wanted("P3", ""),
        "a prefix is no parent"
    );
    let both = Facts {
        categories: vec!["suggestion".to_owned(), "safety.fire".to_owned()],
        ..facts()
    };
    let decision = asked("after-sales", &both);
    assert_eq!(decision.priority.key, "P0", "a suggestion about a fire is a fire");
    let hits: Vec<(&str, bool)> = decision
        .overrides
        .iter()
        .map(|hit| (hit.key.as_str(), hit.decided))
        .collect();
    assert_eq!(hits, [("suggestions-wait", false), ("safety-first", true)]);
}

/// 002-23, 003-21: a wish beside a fault lowers nothing; the wish alone is as low as ever, whatever else is labelled beside it.
#[test]
fn a_suggestion_beside_a_fault_lowers_nothing() {
    let labelled = |categories: &[&str], main: &[&str]| {
        let all = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        Facts {
            categories: all(categories),
            main_categories: all(main),
            ..case(Impact::Serious, Tier::Vip, 3, "")
        }
    };
    let both = ["function.crash", "suggestion", "app"];
    for (preset, main, wanted) in [
        ("after-sales", ["function.crash", "app"], "P0"),
        ("after-sales", ["suggestion", "app"], "P3"),
    ] {
        assert_eq!(level(preset, &labelled(&both, &main)), wanted, "{preset} {main:?}");
    }
    let safe = labelled(&["suggestion", "safety.fire"], &["suggestion"]);
    assert_eq!(level("after-sales", &safe), "P0", "what raises goes by every label");
}

/// 002-20 … 002-23: group complaints, high-value need and safety high; orders and service medium; suggestions and questions low.
#[test]
fn the_rules_of_002_hold() {
    let level = |facts: &Facts| level("ecommerce", facts);
    let of = |category: &str| case(Impact::Minor, Tier::Existing, 0, category);
    assert_eq!(level(&of("collective")), "high");
    assert_eq!(level(&of("safety.food")), "high");
    let delayed = |customers| Facts {
        customers,
        ..of("logistics.delay")
    };
    assert_eq!(
        (level(&delayed(9)), level(&delayed(10))),
        ("medium".to_owned(), "high".to_owned())
    );
    assert_eq!(level(&case(Impact::Minor, Tier::Vip, 2, "price")), "high");
    assert_eq!(level(&case(Impact::Minor, Tier::Existing, 2, "price")), "medium");
    assert_eq!(
        (level(&of("order")), level(&of("service.attitude"))),
        ("medium".to_owned(), "medium".to_owned())
    );
    assert_eq!(level(&case(Impact::Fatal, Tier::Vip, 0, "suggestion.feature")), "low");
    assert_eq!(level(&case(Impact::Serious, Tier::Existing, 0, "consultation")), "low");
    assert_eq!(
        level(&case(Impact::Serious, Tier::Existing, 2, "consultation")),
        "medium"
    );
}

/// 003-21, C-02: the agent's choice is the priority.
#[test]
fn the_agent_of_003_chooses() {
    let chosen = |urgency| level("tech-support", &case(Impact::Fatal, Tier::Vip, urgency, "safety"));
    assert_eq!([0, 1, 2, 3].map(chosen), ["normal", "normal", "urgent", "critical"]);
}

/// 004-21 … 004-23: what is wide, urgent and cheap comes first; cost counts inversely.
#[test]
fn the_wide_urgent_and_cheap_comes_first() {
    let preset = preset("product-optimization");
    assert_eq!(preset.used_for, UsedFor::Improvement);
    let of = |scores| scored(&preset, scores);
    assert_eq!(of([5, 5, 1]), (5.0, "now".to_owned()));
    assert_eq!(of([5, 5, 5]).1, "next", "dear");
    assert_eq!(of([4, 4, 1]).1, "now");
    assert_eq!(of([1, 1, 1]).1, "later", "cheap alone is no reason");
    assert_eq!(of([1, 1, 5]), (1.0, "later".to_owned()));
    assert!(of([3, 3, 1]).0 > of([3, 3, 2]).0);
    let unscored = decide(0, &preset.content, &facts(), &given(&preset.content, &[5, 5]));
    assert_eq!((unscored.composite, unscored.priority.key.as_str()), (None, "later"));
    assert_eq!(unscored.steps, "no score of cost gives later");
}

/// C-01, C-02: what ships keeps the rules that hold for others, and names nothing that is not there.
#[test]
fn every_preset_keeps_the_rules_of_every_other_model() {
    let taxonomy = Builtin::load().unwrap().content;
    let roles = ["operations_lead", "product_lead", "technical_lead"];
    for preset in presets::load().unwrap() {
        assert_eq!(check::violations(&preset.content, &roles), Vec::new(), "{}", preset.key);
        let known = |key: &str| taxonomy.categories.iter().any(|category| category.key == key);
        assert_eq!(
            check::unknown_categories(&preset.content, known),
            Vec::new(),
            "{}",
            preset.key
        );
    }
    let models = Models::new().unwrap();
    assert_eq!(models.presets().len(), 7);
    assert_eq!(models.builtin(UsedFor::Case).content, preset("after-sales").content);
}

/// 001-35: 负面舆情 is words in a text; a rule may go by them.
#[test]
fn a_word_of_the_text_can_be_a_condition() {
    let mut content = preset("after-sales").content;
    content.overrides[0].condition = super::domain::Condition {
        terms: vec!["曝光".to_owned()],
        ..Default::default()
    };
    let with = |terms: &[&str]| Facts {
        terms: terms.iter().map(|term| (*term).to_owned()).collect(),
        ..facts()
    };
    assert_eq!(decide(1, &content, &with(&["曝光"]), &Scores::new()).priority.key, "P1");
    assert_eq!(decide(1, &content, &with(&["闪退"]), &Scores::new()).priority.key, "P3");
}
