//! The rules of a new model that one entry alone cannot break: every violation, each with its field.

use std::collections::HashSet;

use super::{
    decide::{range, rounded},
    domain::{Aggregator, Condition, Content, Dimension, Direction, Scores, Source},
};

/// Fields with what is wrong about them.
pub(crate) type Violations = Vec<(String, String)>;

/// A matrix has so many cells at most.
const CELLS: usize = 1000;

/// What keeps this content from becoming a version; empty where nothing does. Fields are those of the message `PriorityModel`;
/// `roles` are those that a token can name.
pub(crate) fn violations(content: &Content, roles: &[&str]) -> Violations {
    let mut found = Vec::new();
    levels(content, &mut found);
    dimensions(content, &mut found);
    cells(content, &mut found);
    bands(content, &mut found);
    unscored(content, &mut found);
    overrides(content, &mut found);
    gates(content, roles, &mut found);
    found
}

/// Categories in it that a taxonomy does not have: a rule that could never hold.
pub(crate) fn unknown_categories(content: &Content, knows: impl Fn(&str) -> bool) -> Violations {
    let mut found = Vec::new();
    let mut look = |condition: &Condition, field: String| {
        for (place, key) in condition.categories.iter().enumerate() {
            if !knows(key) {
                say(
                    &mut found,
                    format!("{field}.condition.categories[{place}]"),
                    format!("the taxonomy has no category {key}"),
                );
            }
        }
    };
    for (index, dimension) in content.dimensions.iter().enumerate() {
        for (place, rule) in dimension.rules.iter().enumerate() {
            look(&rule.condition, format!("dimensions[{index}].rules[{place}]"));
        }
    }
    for (index, rule) in content.overrides.iter().enumerate() {
        look(&rule.condition, format!("overrides[{index}]"));
    }
    found
}

/// What is wrong about scores that somebody gives; `by_hand` where only dimensions that people score may be named.
pub(crate) fn scores(content: &Content, given: &[(String, i32)], by_hand: bool) -> Violations {
    let mut found = Vec::new();
    let mut known = HashSet::new();
    for (index, (key, score)) in given.iter().enumerate() {
        let field = |name: &str| format!("scores[{index}].{name}");
        match content.dimension(key) {
            None => say(&mut found, field("dimension"), format!("there is no dimension {key}")),
            Some(dimension) if by_hand && dimension.source != Source::Manual => {
                say(&mut found, field("dimension"), format!("{key} is scored by rule"));
            }
            Some(dimension) if !dimension.has(*score) => say(
                &mut found,
                field("score"),
                format!("must lie between {} and {}", dimension.min, dimension.max),
            ),
            Some(_) => {}
        }
        if !known.insert(key) {
            say(&mut found, field("dimension"), format!("{key} is there already"));
        }
    }
    found
}

/// The scores that people gave and that count in this model.
pub(crate) fn counting(content: &Content, given: Scores) -> Scores {
    let counts = |key: &String| {
        content
            .dimension(key)
            .is_some_and(|dimension| dimension.source == Source::Manual)
    };
    given.into_iter().filter(|(key, _)| counts(key)).collect()
}

fn say(found: &mut Violations, field: String, problem: impl Into<String>) {
    found.push((field, problem.into()));
}

fn levels(content: &Content, found: &mut Violations) {
    let mut known = HashSet::new();
    for (index, level) in content.levels.iter().enumerate() {
        if !known.insert(&level.key) {
            say(
                found,
                format!("levels[{index}].key"),
                format!("{} is there already", level.key),
            );
        }
        if usize::try_from(level.rank).ok() != Some(index) {
            say(
                found,
                format!("levels[{index}].rank"),
                format!("must be {index}: most urgent first, without a gap"),
            );
        }
    }
}

fn dimensions(content: &Content, found: &mut Violations) {
    let mut known = HashSet::new();
    for (index, dimension) in content.dimensions.iter().enumerate() {
        let field = |name: &str| format!("dimensions[{index}].{name}");
        if !known.insert(&dimension.key) {
            say(found, field("key"), format!("{} is there already", dimension.key));
        }
        if dimension.min >= dimension.max {
            say(
                found,
                field("max"),
                format!("must be above min, which is {}", dimension.min),
            );
        }
        if content.aggregator.multiplies() && dimension.min < 1 {
            say(found, field("min"), "must be 1 or more where scores are multiplied");
        }
        if !dimension.weight.is_finite() || dimension.weight <= 0.0 {
            say(found, field("weight"), "must be a number above 0");
        } else if !content.aggregator.is_weighted() && dimension.weight.to_bits() != 1.0_f64.to_bits() {
            say(
                found,
                field("weight"),
                "counts only with WEIGHTED_SUM and GEOMETRIC_MEAN",
            );
        }
        anchors(dimension, index, found);
        rules(dimension, index, found);
        if let Some(score) = dimension.default_score
            && !dimension.has(score)
        {
            say(found, field("default_score"), on_the_scale(dimension));
        }
    }
}

fn on_the_scale(dimension: &Dimension) -> String {
    format!("must lie between {} and {}", dimension.min, dimension.max)
}

fn anchors(dimension: &Dimension, index: usize, found: &mut Violations) {
    let mut known = HashSet::new();
    for (place, anchor) in dimension.anchors.iter().enumerate() {
        let field = format!("dimensions[{index}].anchors[{place}].score");
        if !dimension.has(anchor.score) {
            say(found, field, on_the_scale(dimension));
        } else if !known.insert(anchor.score) {
            say(found, field, "has an anchor already");
        }
    }
}

fn rules(dimension: &Dimension, index: usize, found: &mut Violations) {
    for (place, rule) in dimension.rules.iter().enumerate() {
        let field = |name: &str| format!("dimensions[{index}].rules[{place}].{name}");
        if rule.condition.is_empty() {
            say(found, field("condition"), "asks for nothing");
        } else if dimension.source == Source::Classifier && !rule.condition.is_of_text() {
            say(
                found,
                field("condition"),
                "a CLASSIFIER dimension goes by categories, impact, sentiment and words alone",
            );
        }
        if !dimension.has(rule.score) {
            say(found, field("score"), on_the_scale(dimension));
        }
    }
    if dimension.source != Source::Manual && dimension.rules.is_empty() {
        say(
            found,
            format!("dimensions[{index}].rules"),
            "must not be empty: nobody else scores this dimension",
        );
    }
}

fn cells(content: &Content, found: &mut Violations) {
    if content.aggregator != Aggregator::LookupMatrix {
        if !content.cells.is_empty() {
            say(found, "cells".to_owned(), "are for LOOKUP_MATRIX alone");
        }
        return;
    }
    let sizes = content
        .dimensions
        .iter()
        .map(|dimension| usize::try_from(i64::from(dimension.max) - i64::from(dimension.min) + 1).unwrap_or(0));
    let combinations = sizes.fold(1_usize, usize::saturating_mul);
    if combinations > CELLS {
        say(
            found,
            "dimensions".to_owned(),
            format!("have {combinations} combinations; a matrix has {CELLS} at most"),
        );
        return;
    }
    let mut known = HashSet::new();
    let mut fitting = 0;
    for (index, cell) in content.cells.iter().enumerate() {
        let fits = cell.scores.len() == content.dimensions.len()
            && content
                .dimensions
                .iter()
                .zip(&cell.scores)
                .all(|(dimension, score)| dimension.has(*score));
        if !fits {
            say(
                found,
                format!("cells[{index}].scores"),
                "must hold a score on the scale of each dimension, in their order",
            );
        } else if !known.insert(&cell.scores) {
            say(found, format!("cells[{index}].scores"), "has a cell already");
        } else {
            fitting += 1;
        }
        if !cell.composite.is_finite() {
            say(found, format!("cells[{index}].composite"), "must be a number");
        }
    }
    if fitting < combinations {
        say(
            found,
            "cells".to_owned(),
            format!("have {fitting} of {combinations} combinations"),
        );
    }
    falling_cells(content, found);
}

/// A cell must not be below one that is less urgent by a single step: steps make up every way through the matrix.
fn falling_cells(content: &Content, found: &mut Violations) {
    for (index, cell) in content.cells.iter().enumerate() {
        for (place, dimension) in content.dimensions.iter().enumerate() {
            let mut less = cell.scores.clone();
            let Some(score) = less.get_mut(place) else { continue };
            *score = match dimension.direction {
                Direction::HigherIsMore => score.saturating_sub(1),
                Direction::LowerIsMore => score.saturating_add(1),
            };
            let below = content.cells.iter().find(|other| other.scores == less);
            if let Some(below) = below
                && below.composite > cell.composite
            {
                say(
                    found,
                    format!("cells[{index}].composite"),
                    format!("is below that of {less:?}, which is less urgent in {}", dimension.key),
                );
            }
        }
    }
}

fn bands(content: &Content, found: &mut Violations) {
    let mut before: Option<(f64, i32)> = None;
    for (index, band) in content.bands.iter().enumerate() {
        let field = |name: &str| format!("bands[{index}].{name}");
        if !band.min_score.is_finite() {
            say(found, field("min_score"), "must be a number");
            continue;
        }
        let level = content.level(&band.priority);
        if level.is_none() {
            say(found, field("priority"), format!("there is no level {}", band.priority));
        }
        if let Some((score, rank)) = before {
            if rounded(band.min_score) >= rounded(score) {
                say(found, field("min_score"), format!("must be below {score}: bands fall"));
            }
            if level.as_ref().is_some_and(|level| level.rank <= rank) {
                say(found, field("priority"), "must be less urgent than the one before");
            }
        }
        let rank = level.map_or_else(|| before.map_or(-1, |(_, rank)| rank), |level| level.rank);
        before = Some((band.min_score, rank));
    }
    let sound = !found
        .iter()
        .any(|(field, _)| field.starts_with("dimensions") || field.starts_with("cells"));
    if !sound {
        return; // a range of dimensions that do not fit says nothing
    }
    let Some((lowest, highest)) = range(content) else {
        return;
    };
    for (index, band) in content.bands.iter().enumerate() {
        if band.min_score.is_finite() && rounded(band.min_score) > highest {
            say(
                found,
                format!("bands[{index}].min_score"),
                format!("can never be reached: the highest composite is {highest}"),
            );
        }
    }
    if let Some(last) = content.bands.last()
        && last.min_score.is_finite()
        && rounded(last.min_score) > lowest
    {
        say(
            found,
            "bands".to_owned(),
            format!("end at {}; the lowest composite is {lowest}", last.min_score),
        );
    }
}

fn unscored(content: &Content, found: &mut Violations) {
    let field = || "unscored_priority".to_owned();
    if content.unscored_priority.is_empty() {
        let open = content
            .dimensions
            .iter()
            .find(|dimension| dimension.default_score.is_none());
        if let Some(open) = open {
            say(
                found,
                field(),
                format!(
                    "is required: {} has no default_score and may be without a score",
                    open.key
                ),
            );
        }
    } else {
        level_exists(content, &content.unscored_priority, field(), found);
    }
}

fn overrides(content: &Content, found: &mut Violations) {
    let mut known = HashSet::new();
    for (index, rule) in content.overrides.iter().enumerate() {
        let field = |name: &str| format!("overrides[{index}].{name}");
        if !known.insert(&rule.key) {
            say(found, field("key"), format!("{} is there already", rule.key));
        }
        if rule.condition.is_empty() {
            say(found, field("condition"), "asks for nothing");
        }
        level_exists(content, &rule.priority, field("priority"), found);
    }
}

fn gates(content: &Content, roles: &[&str], found: &mut Violations) {
    let mut known = HashSet::new();
    for (index, gate) in content.gates.iter().enumerate() {
        let field = format!("reviews[{index}].priority");
        if !known.insert(&gate.priority) {
            say(found, field.clone(), format!("{} has a gate already", gate.priority));
        }
        level_exists(content, &gate.priority, field, found);
        for (place, role) in gate.roles.iter().enumerate() {
            if !roles.contains(&role.as_str()) {
                say(
                    found,
                    format!("reviews[{index}].roles[{place}]"),
                    format!("there is no role {role} that reviews"),
                );
            }
        }
    }
}

fn level_exists(content: &Content, key: &str, field: String, found: &mut Violations) {
    if content.level(key).is_none() {
        say(found, field, format!("there is no level {key}"));
    }
}
