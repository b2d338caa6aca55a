//! What a model makes of facts and scores: scores → composite → band → overrides, each step with what it did (§G).

use super::domain::{
    Aggregator, Band, Content, Decision, Dimension, Direction, Effect, Facts, Given, Hit, Level, Scored, Scores,
};
use crate::domain::Priority;

/// Asks a model. One that was checked when it was made has a level for everything; where it has none, the least urgent level holds.
pub(crate) fn decide(version: i32, model: &Content, facts: &Facts, given: &Scores) -> Decision {
    let scores = scores(model, facts, given);
    let known: Option<Vec<i32>> = scores.iter().map(|scored| scored.score).collect();
    let composite = known.as_deref().and_then(|scores| composite(model, scores));
    let banded = match composite {
        Some(composite) => band(model, composite).map_or_else(|| least(model), |band| level(model, &band.priority)),
        None => level(model, &model.unscored_priority),
    };
    let mut steps = sum(model, &scores, composite);
    steps.push_str(&format!(" gives {}", banded.key));
    let mut priority = banded.clone();
    let mut overrides = Vec::new();
    // What stands beside the main label lowers nothing: a fault with a wish beside it is a fault.
    let of_main = Facts {
        categories: facts.main_categories.clone(),
        ..facts.clone()
    };
    for rule in &model.overrides {
        let lowers = rule.effect == Effect::AtMost && !facts.main_categories.is_empty();
        if rule.condition.held(if lowers { &of_main } else { facts }).is_none() {
            continue;
        }
        let wanted = level(model, &rule.priority);
        let (decided, verb) = match rule.effect {
            Effect::AtLeast => (wanted.rank < priority.rank, "raises"),
            Effect::AtMost => (wanted.rank > priority.rank, "lowers"),
            Effect::Exactly => (wanted.rank != priority.rank, "sets"),
        };
        if decided {
            steps.push_str(&format!(", {} {verb} it to {}: {}", rule.key, wanted.key, rule.reason));
            priority = wanted.clone();
        }
        overrides.push(Hit {
            key: rule.key.clone(),
            effect: rule.effect,
            priority: wanted,
            reason: rule.reason.clone(),
            decided,
        });
    }
    let review_roles = model
        .gate(&priority.key)
        .map(|gate| gate.roles.clone())
        .unwrap_or_default();
    Decision {
        model_version: version,
        scores,
        composite,
        banded,
        overrides,
        priority,
        steps,
        review_roles,
    }
}

fn least(model: &Content) -> Priority {
    model.levels.last().map_or(
        Priority {
            key: "P3".to_owned(),
            rank: 3,
        },
        Level::priority,
    )
}

fn level(model: &Content, key: &str) -> Priority {
    model.level(key).unwrap_or_else(|| least(model))
}

/// The score of each dimension: one that was given, else that of the first rule that holds, else the default.
fn scores(model: &Content, facts: &Facts, given: &Scores) -> Vec<Scored> {
    let score = |dimension: &Dimension| {
        if let Some(Given { score, said }) = given.get(&dimension.key)
            && dimension.has(*score)
        {
            return (Some(*score), said.clone(), false);
        }
        let by_rule = dimension
            .rules
            .iter()
            .find_map(|rule| Some((rule.score, rule.condition.held(facts)?)));
        match by_rule {
            Some((score, said)) => (Some(score), said, true),
            None => (
                dimension.default_score,
                dimension
                    .default_score
                    .map(|_| "by default".to_owned())
                    .unwrap_or_default(),
                false,
            ),
        }
    };
    model
        .dimensions
        .iter()
        .map(|dimension| {
            let (score, said, by_rule) = score(dimension);
            Scored {
                dimension: dimension.key.clone(),
                score,
                said,
                by_rule,
            }
        })
        .collect()
}

/// The composite of scores, one for each dimension; none where a matrix has no cell for them.
pub(crate) fn composite(model: &Content, scores: &[i32]) -> Option<f64> {
    let counted = || {
        model
            .dimensions
            .iter()
            .zip(scores)
            .map(|(dimension, score)| (dimension.counted(*score), dimension.weight))
    };
    let composite = match model.aggregator {
        Aggregator::Sum => counted().map(|(score, _)| score).sum(),
        Aggregator::WeightedSum => counted().map(|(score, weight)| score * weight).sum(),
        Aggregator::Product => counted().map(|(score, _)| score).product(),
        Aggregator::GeometricMean => {
            let weights: f64 = counted().map(|(_, weight)| weight).sum();
            let logarithms: f64 = counted().map(|(score, weight)| weight * score.ln()).sum();
            (logarithms / weights).exp()
        }
        Aggregator::Max => counted().map(|(score, _)| score).fold(f64::NEG_INFINITY, f64::max),
        Aggregator::LookupMatrix => model.cells.iter().find(|cell| cell.scores == scores)?.composite,
    };
    Some(rounded(composite))
}

/// To nine digits behind the point: 0.1 + 0.2 reaches a band that begins at 0.3.
pub(crate) fn rounded(composite: f64) -> f64 {
    (composite * 1e9).round() / 1e9
}

/// The band of a composite.
fn band(model: &Content, composite: f64) -> Option<&Band> {
    model.bands.iter().find(|band| composite >= rounded(band.min_score))
}

/// The lowest and the highest composite that scores on their scales can have; none for a matrix without cells.
pub(crate) fn range(model: &Content) -> Option<(f64, f64)> {
    if model.aggregator == Aggregator::LookupMatrix {
        let composites = model.cells.iter().map(|cell| cell.composite);
        let lowest = composites.clone().fold(f64::INFINITY, f64::min);
        let highest = composites.fold(f64::NEG_INFINITY, f64::max);
        return (lowest <= highest).then_some((lowest, highest));
    }
    // Every aggregator rises with what a score counts for, so the ends of the scales give the ends of the range.
    let end = |most: bool| {
        let scores: Vec<i32> = model
            .dimensions
            .iter()
            .map(|dimension| {
                let higher = dimension.direction == Direction::HigherIsMore;
                if higher == most { dimension.max } else { dimension.min }
            })
            .collect();
        composite(model, &scores)
    };
    end(false).zip(end(true))
}

/// How the scores became the composite: `scope 5 + urgency 4 + value 5 = 14`; for a matrix, what its dimensions stand for:
/// `impact serious × tier VIP`.
fn sum(model: &Content, scores: &[Scored], composite: Option<f64>) -> String {
    let missing: Vec<&str> = scores
        .iter()
        .filter(|scored| scored.score.is_none())
        .map(|scored| scored.dimension.as_str())
        .collect();
    if !missing.is_empty() {
        return format!("no score of {}", missing.join(", "));
    }
    if model.aggregator == Aggregator::LookupMatrix {
        let word = |scored: &Scored| {
            if scored.by_rule {
                scored.said.clone()
            } else {
                score_words(scored)
            }
        };
        return scores.iter().map(word).collect::<Vec<_>>().join(" × ");
    }
    let terms = scores.iter().zip(&model.dimensions).map(|(scored, dimension)| {
        let words = score_words(scored);
        let words = match dimension.direction {
            Direction::HigherIsMore => words,
            Direction::LowerIsMore => {
                let counted = scored.score.map_or(0.0, |score| dimension.counted(score));
                format!("{words} counted as {counted}")
            }
        };
        if model.aggregator.is_weighted() {
            format!("{} × {words}", dimension.weight)
        } else {
            words
        }
    });
    let terms: Vec<String> = terms.collect();
    let joined = match model.aggregator {
        Aggregator::Sum | Aggregator::WeightedSum => terms.join(" + "),
        Aggregator::Product => terms.join(" × "),
        Aggregator::GeometricMean => format!("geometric mean of {}", terms.join(", ")),
        Aggregator::Max | Aggregator::LookupMatrix => format!("greatest of {}", terms.join(", ")),
    };
    match composite {
        Some(composite) => format!("{joined} = {}", (composite * 1e3).round() / 1e3),
        None => joined,
    }
}

fn score_words(scored: &Scored) -> String {
    let score = scored.score.map(|score| score.to_string()).unwrap_or_default();
    if scored.said.is_empty() {
        format!("{} {score}", scored.dimension)
    } else {
        format!("{} {score} ({})", scored.dimension, scored.said)
    }
}
