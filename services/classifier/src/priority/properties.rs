//! What holds for every model that passes the check: any dimensions, aggregator, direction, bands and overrides.

use proptest::prelude::*;

use super::{
    check,
    decide::{composite, decide, range},
    domain::{
        Aggregator, Band, Cell, Condition, Content, Dimension, Direction, Effect, Facts, Level, Manual, Override,
        Scores, Source,
    },
    golden::{facts, given},
};
use crate::{domain::Impact, taxonomy::domain::LocalName};

fn name() -> LocalName {
    LocalName {
        zh_cn: "名".to_owned(),
        zh_tw: String::new(),
        en: String::new(),
    }
}

fn dimension(index: usize, (min, span, weight, lower): (i32, i32, f64, bool)) -> Dimension {
    Dimension {
        key: format!("d{index}"),
        display_name: name(),
        min,
        max: min + span,
        weight,
        direction: if lower {
            Direction::LowerIsMore
        } else {
            Direction::HigherIsMore
        },
        anchors: Vec::new(),
        source: Source::Manual,
        rules: Vec::new(),
        default_score: None,
    }
}

/// Every combination of scores.
fn combinations(dimensions: &[Dimension]) -> Vec<Vec<i32>> {
    dimensions.iter().fold(vec![Vec::new()], |before, dimension| {
        let longer = |scores: &Vec<i32>| {
            let scores = scores.clone();
            (dimension.min..=dimension.max).map(move |score| [scores.clone(), vec![score]].concat())
        };
        before.iter().flat_map(longer).collect()
    })
}

fn aggregators() -> impl Strategy<Value = Aggregator> {
    prop_oneof![
        Just(Aggregator::Sum),
        Just(Aggregator::WeightedSum),
        Just(Aggregator::Product),
        Just(Aggregator::GeometricMean),
        Just(Aggregator::Max),
        Just(Aggregator::LookupMatrix),
    ]
}

fn effects() -> impl Strategy<Value = Effect> {
    prop_oneof![Just(Effect::AtLeast), Just(Effect::AtMost), Just(Effect::Exactly)]
}

/// A model that passes the check: its bands are cut into the range of its composites.
fn models() -> impl Strategy<Value = Content> {
    let dimensions = prop::collection::vec((1..4_i32, 1..5_i32, 0.1..4.0_f64, any::<bool>()), 1..4);
    let cuts = prop::collection::vec(0.01..1.0_f64, 0..5);
    let overrides = prop::collection::vec((effects(), 0..16_usize), 0..5);
    (dimensions, aggregators(), cuts, overrides).prop_map(|(dimensions, aggregator, cuts, overrides)| {
        let weighted = aggregator.is_weighted();
        let dimensions: Vec<Dimension> = dimensions
            .into_iter()
            .enumerate()
            .map(|(index, (min, span, weight, lower))| {
                dimension(index, (min, span, if weighted { weight } else { 1.0 }, lower))
            })
            .collect();
        let square = |scores: &Vec<i32>| {
            let counted = dimensions
                .iter()
                .zip(scores)
                .map(|(dimension, score)| dimension.counted(*score));
            counted.map(|score| score * score).sum::<f64>()
        };
        let cells = match aggregator {
            Aggregator::LookupMatrix => combinations(&dimensions)
                .into_iter()
                .map(|scores| Cell {
                    composite: square(&scores),
                    scores,
                })
                .collect(),
            _ => Vec::new(),
        };
        let mut content = Content {
            levels: Vec::new(),
            dimensions,
            aggregator,
            cells,
            bands: Vec::new(),
            unscored_priority: String::new(),
            overrides: Vec::new(),
            gates: Vec::new(),
            manual: Manual {
                allowed: true,
                reason_required: true,
            },
            same_problem_days: 7,
        };
        let (lowest, highest) = range(&content).unwrap();
        let mut bounds: Vec<f64> = cuts.iter().map(|cut| lowest + cut * (highest - lowest)).collect();
        bounds.sort_by(|one, other| other.total_cmp(one));
        bounds.dedup_by(|one, other| (*one - *other).abs() < 1e-6);
        bounds.retain(|bound| bound - lowest > 1e-6);
        bounds.push(lowest);
        content.bands = bounds
            .into_iter()
            .enumerate()
            .map(|(rank, min_score)| Band {
                priority: format!("P{rank}"),
                min_score,
            })
            .collect();
        let levels = content.bands.len().max(2);
        content.levels = (0..levels)
            .map(|rank| Level {
                key: format!("P{rank}"),
                rank: i32::try_from(rank).unwrap(),
                label: name(),
            })
            .collect();
        content.unscored_priority = format!("P{}", levels - 1);
        content.overrides = overrides
            .into_iter()
            .enumerate()
            .map(|(index, (effect, rank))| Override {
                key: format!("o{index}"),
                // Every second one is for what is fatal.
                condition: Condition {
                    impacts: vec![if index % 2 == 0 { Impact::Fatal } else { Impact::Minor }],
                    ..Condition::default()
                },
                effect,
                priority: format!("P{}", rank % levels),
                reason: "r".to_owned(),
            })
            .collect();
        content
    })
}

fn with_impact(fatal: bool) -> Facts {
    let impact = if fatal { Impact::Fatal } else { Impact::Minor };
    Facts { impact, ..facts() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// §G: bands cover everything: each combination of scores has a composite within the range, and a band.
    #[test]
    fn every_combination_of_scores_has_a_band(model in models()) {
        prop_assert_eq!(check::violations(&model, &[]), Vec::new());
        let (lowest, highest) = range(&model).unwrap();
        for scores in combinations(&model.dimensions) {
            let value = composite(&model, &scores).unwrap();
            prop_assert!((lowest - 1e-9..=highest + 1e-9).contains(&value), "{} {:?}", value, (lowest, highest));
            prop_assert!(model.bands.iter().any(|band| value >= band.min_score - 1e-9));
        }
    }

    /// §G: a score that gets more urgent, by the direction of its dimension, never makes the level less urgent, whatever overrides hold.
    #[test]
    fn more_urgent_scores_never_make_it_less_urgent(model in models(), fatal in any::<bool>()) {
        let facts = with_impact(fatal);
        let rank = |scores: &[i32]| decide(1, &model, &facts, &given(&model, scores)).priority.rank;
        for scores in combinations(&model.dimensions) {
            for (place, dimension) in model.dimensions.iter().enumerate() {
                let mut more = scores.clone();
                more[place] += if dimension.direction == Direction::HigherIsMore { 1 } else { -1 };
                if dimension.has(more[place]) {
                    prop_assert!(rank(&more) <= rank(&scores), "{:?} after {:?}", more, scores);
                }
            }
        }
    }

    /// 002-21 … 002-23: overrides are applied in their order: each bounds what the ones before it gave, and the last one that holds is kept.
    #[test]
    fn the_last_override_that_holds_is_kept(model in models(), fatal in any::<bool>()) {
        let facts = with_impact(fatal);
        let scores: Vec<i32> = model.dimensions.iter().map(|dimension| dimension.min).collect();
        let decision = decide(1, &model, &facts, &given(&model, &scores));
        let holding = model.overrides.iter().filter(|rule| rule.condition.impacts.contains(&facts.impact));
        let keys: Vec<&String> = holding.map(|rule| &rule.key).collect();
        let hit: Vec<&String> = decision.overrides.iter().map(|hit| &hit.key).collect();
        prop_assert_eq!(keys, hit);
        let folded = decision.overrides.iter().fold(decision.banded.rank, |rank, hit| match hit.effect {
            Effect::AtLeast => rank.min(hit.priority.rank),
            Effect::AtMost => rank.max(hit.priority.rank),
            Effect::Exactly => hit.priority.rank,
        });
        prop_assert_eq!(decision.priority.rank, folded);
        if let Some(last) = decision.overrides.last() {
            match last.effect {
                Effect::AtLeast => prop_assert!(decision.priority.rank <= last.priority.rank),
                Effect::AtMost => prop_assert!(decision.priority.rank >= last.priority.rank),
                Effect::Exactly => prop_assert_eq!(&decision.priority, &last.priority),
            }
        }
    }

    /// A missing score never gives a composite, and the level is the one that the model states, before overrides.
    #[test]
    fn a_missing_score_gives_the_stated_level(model in models()) {
        let decision = decide(1, &model, &facts(), &Scores::new());
        prop_assert_eq!(decision.composite, None);
        prop_assert_eq!(decision.banded.key, model.unscored_priority);
    }
}
