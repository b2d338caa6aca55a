//! Each rule of a new model, broken: its field is named, and no other.

use super::{
    check::{scores, unknown_categories, violations},
    domain::{Aggregator, Anchor, Band, Cell, Condition, Content, Direction, Gate, ReviewMode, Source},
    golden::preset,
};

const ROLES: [&str; 3] = ["operations_lead", "product_lead", "technical_lead"];

fn fields(key: &str, change: impl FnOnce(&mut Content)) -> Vec<String> {
    let mut content = preset(key).content;
    change(&mut content);
    violations(&content, &ROLES)
        .into_iter()
        .map(|(field, _)| field)
        .collect()
}

fn sum(change: impl FnOnce(&mut Content)) -> Vec<String> {
    fields("strategy-text", change)
}

fn matrix(change: impl FnOnce(&mut Content)) -> Vec<String> {
    fields("after-sales", change)
}

#[test]
fn levels_have_keys_of_their_own_and_ranks_without_a_gap() {
    assert_eq!(sum(|model| model.levels[3].rank = 7), ["levels[3].rank"]);
    assert_eq!(
        sum(|model| model.levels[3].key = "P2".to_owned()),
        ["levels[3].key", "bands[3].priority"]
    );
}

#[test]
fn dimensions_have_scales_that_hold_what_is_on_them() {
    assert_eq!(
        sum(|model| {
            let again = model.dimensions[0].clone();
            model.dimensions.push(again);
            model.bands[3].min_score = 4.0;
        }),
        ["dimensions[3].key"]
    );
    assert_eq!(
        sum(|model| model.dimensions[0].max = 1).first().unwrap(),
        "dimensions[0].max"
    );
    assert_eq!(sum(|model| model.dimensions[0].weight = 2.0), ["dimensions[0].weight"]);
    assert_eq!(
        sum(|model| model.dimensions[0].weight = f64::NAN),
        ["dimensions[0].weight"]
    );
    assert_eq!(
        sum(|model| model.dimensions[0].default_score = Some(6)),
        ["dimensions[0].default_score"]
    );
    assert_eq!(
        sum(|model| model.dimensions[0].anchors.push(Anchor {
            score: 5,
            text: "again".to_owned()
        })),
        ["dimensions[0].anchors[5].score"]
    );
    assert_eq!(
        sum(|model| model.dimensions[0].rules[1].score = 0),
        ["dimensions[0].rules[1].score"]
    );
    assert_eq!(
        sum(|model| model.dimensions[0].rules[1].condition = Condition::default()),
        ["dimensions[0].rules[1].condition"]
    );
    assert_eq!(
        fields("strategy-product", |model| model.dimensions[0].min = 0),
        ["dimensions[0].min"]
    );
}

#[test]
fn a_dimension_that_nobody_scores_has_rules() {
    assert_eq!(
        matrix(|model| model.dimensions[1].rules.clear()),
        ["dimensions[1].rules"]
    );
    assert_eq!(
        matrix(|model| model.dimensions[1].source = Source::Classifier),
        [
            "dimensions[1].rules[0].condition",
            "dimensions[1].rules[1].condition",
            "dimensions[1].rules[2].condition"
        ],
        "a tier is not read from the text"
    );
}

#[test]
fn a_matrix_has_a_cell_for_everything_and_never_falls() {
    assert_eq!(
        matrix(|model| {
            model.cells.remove(0);
        }),
        ["cells"]
    );
    assert_eq!(
        matrix(|model| model.cells[1].scores = vec![1, 1]),
        ["cells[1].scores", "cells"]
    );
    assert_eq!(
        matrix(|model| model.cells[1].scores = vec![1, 9]),
        ["cells[1].scores", "cells"]
    );
    assert_eq!(matrix(|model| model.cells[4].composite = 1.0), ["cells[4].composite"]);
    assert_eq!(
        matrix(|model| model.dimensions[0].direction = Direction::LowerIsMore).len(),
        6,
        "turned around, each row is above the one that is more urgent"
    );
    assert_eq!(
        sum(|model| model.cells.push(Cell {
            scores: vec![1, 1, 1],
            composite: 1.0
        })),
        ["cells"]
    );
    assert_eq!(
        matrix(|model| model.dimensions[0].max = 1000),
        ["dimensions"],
        "3,000 combinations"
    );
}

/// §G: bands fall, and cover the whole range of the composite.
#[test]
fn bands_fall_and_cover_the_whole_range() {
    assert_eq!(sum(|model| model.bands[3].min_score = 4.0), ["bands"]);
    assert_eq!(sum(|model| model.bands[1].min_score = 9.0), ["bands[1].min_score"]);
    assert_eq!(sum(|model| model.bands[0].min_score = 16.0), ["bands[0].min_score"]);
    assert_eq!(
        sum(|model| model.bands[0].min_score = f64::INFINITY),
        ["bands[0].min_score"]
    );
    assert_eq!(
        sum(|model| model.bands.swap(1, 2)),
        ["bands[2].min_score", "bands[2].priority"]
    );
    assert_eq!(
        sum(|model| model.bands[2].priority = "P9".to_owned()),
        ["bands[2].priority"]
    );
    assert_eq!(
        sum(|model| model.bands.insert(
            1,
            Band {
                priority: "P0".to_owned(),
                min_score: 8.0
            }
        )),
        ["bands[1].priority"]
    );
    assert_eq!(
        sum(|model| model.aggregator = Aggregator::Max),
        ["bands[0].min_score", "bands[1].min_score", "bands"],
        "the greatest of three is between 1 and 5"
    );
}

#[test]
fn what_may_be_without_a_score_has_a_level_for_it() {
    assert_eq!(
        sum(|model| model.dimensions[0].default_score = None),
        ["unscored_priority"]
    );
    assert_eq!(
        sum(|model| model.unscored_priority = "P9".to_owned()),
        ["unscored_priority"]
    );
}

#[test]
fn overrides_and_gates_name_what_is_there() {
    assert_eq!(
        matrix(|model| {
            model.overrides[1].key = model.overrides[0].key.clone();
            model.overrides[2].condition = Condition::default();
            model.overrides[3].priority = "P9".to_owned();
        }),
        ["overrides[1].key", "overrides[2].condition", "overrides[3].priority"]
    );
    let gate = |priority: &str, role: &str| Gate {
        priority: priority.to_owned(),
        roles: vec![role.to_owned()],
        mode: ReviewMode::Any,
        timeout_seconds: None,
    };
    assert_eq!(
        sum(|model| model.gates.extend([
            gate("P0", "product_lead"),
            gate("P7", "product_lead"),
            gate("P1", "agent")
        ])),
        ["reviews[1].priority", "reviews[2].priority", "reviews[3].roles[0]"]
    );
}

#[test]
fn a_category_that_the_taxonomy_does_not_have_is_named() {
    let mut content = preset("after-sales").content;
    content.overrides[3].condition.categories.push("nonsense".to_owned());
    let found: Vec<String> = unknown_categories(&content, |key| key != "nonsense")
        .into_iter()
        .map(|(field, _)| field)
        .collect();
    assert_eq!(found, ["overrides[3].condition.categories[1]"]);
}

/// 001-34: scores lie on the scale of a dimension that people score, each once.
#[test]
fn scores_fit_the_model() {
    let content = preset("strategy-text").content;
    let given = |key: &str, score| (key.to_owned(), score);
    let fields = |given: &[(String, i32)], by_hand| {
        let found = scores(&content, given, by_hand);
        found.into_iter().map(|(field, _)| field).collect::<Vec<_>>()
    };
    assert!(fields(&[given("scope", 5), given("urgency", 1)], true).is_empty());
    assert_eq!(
        fields(
            &[
                given("scope", 6),
                given("cost", 1),
                given("value", 0),
                given("value", 2)
            ],
            true
        ),
        [
            "scores[0].score",
            "scores[1].dimension",
            "scores[2].score",
            "scores[3].dimension"
        ]
    );
    let by_rule = preset("after-sales").content;
    assert_eq!(scores(&by_rule, &[given("impact", 3)], true).len(), 1);
    assert!(scores(&by_rule, &[given("impact", 3)], false).is_empty());
}
