//! The presets that ship, read from the files in `builtin/priority/` that people edit.

use jiff::Timestamp;
use serde::Deserialize;

use super::domain::{
    Aggregator, Anchor, Band, Cell, Condition, Content, Dimension, Direction, Gate, Level, Manual, Override,
    ReviewMode, ScoreRule, Source, UsedFor,
};
use crate::taxonomy::domain::LocalName;

/// In the order in which they are listed.
const FILES: [(&str, &str); 7] = [
    ("after-sales", include_str!("../../builtin/priority/after-sales.toml")),
    (
        "strategy-text",
        include_str!("../../builtin/priority/strategy-text.toml"),
    ),
    (
        "strategy-table",
        include_str!("../../builtin/priority/strategy-table.toml"),
    ),
    (
        "strategy-product",
        include_str!("../../builtin/priority/strategy-product.toml"),
    ),
    ("ecommerce", include_str!("../../builtin/priority/ecommerce.toml")),
    ("tech-support", include_str!("../../builtin/priority/tech-support.toml")),
    (
        "product-optimization",
        include_str!("../../builtin/priority/product-optimization.toml"),
    ),
];

/// A week, where a model does not say (§G leaves it open).
pub(crate) const SAME_PROBLEM_DAYS: i32 = 7;

/// A model that ships.
#[derive(Debug, Clone)]
pub(crate) struct Preset {
    pub(crate) key: &'static str,
    pub(crate) used_for: UsedFor,
    pub(crate) display_name: String,
    pub(crate) change_reason: String,
    pub(crate) made: Timestamp,
    pub(crate) content: Content,
}

/// Key of the preset that is version 0 of every tenant.
pub(crate) fn builtin_key(used_for: UsedFor) -> &'static str {
    match used_for {
        UsedFor::Case => "after-sales",
        UsedFor::Improvement => "product-optimization",
    }
}

/// Simplified, traditional, English.
type Name = [String; 3];

fn local([zh_cn, zh_tw, en]: Name) -> LocalName {
    LocalName { zh_cn, zh_tw, en }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    used_for: UsedFor,
    display_name: String,
    change_reason: String,
    made: Timestamp,
    aggregator: Aggregator,
    levels: Vec<LevelEntry>,
    dimensions: Vec<DimensionEntry>,
    matrix: Option<Matrix>,
    bands: Vec<Band>,
    #[serde(default)]
    unscored_priority: String,
    #[serde(default)]
    overrides: Vec<Override>,
    #[serde(default)]
    reviews: Vec<ReviewEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LevelEntry {
    key: String,
    label: Name,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DimensionEntry {
    key: String,
    name: Name,
    min: i32,
    max: i32,
    weight: Option<f64>,
    direction: Option<Direction>,
    source: Source,
    default: Option<i32>,
    /// What each score stands for, from `min` on.
    #[serde(default)]
    anchors: Vec<String>,
    #[serde(default)]
    rules: Vec<RuleEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleEntry {
    when: Condition,
    score: i32,
}

/// Of two dimensions: a row for each score of the first, a column for each of the second.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Matrix {
    rows: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReviewEntry {
    priority: String,
    roles: Vec<String>,
    mode: ReviewMode,
    timeout_hours: Option<i64>,
}

/// Reads the files that were compiled in.
///
/// # Errors
/// Where one of them cannot be read; a test reads them all.
pub(crate) fn load() -> anyhow::Result<Vec<Preset>> {
    FILES
        .into_iter()
        .map(|(key, text)| {
            let file: File = toml::from_str(text).map_err(|error| anyhow::anyhow!("preset {key}: {error}"))?;
            Ok(preset(key, file))
        })
        .collect()
}

fn preset(key: &'static str, file: File) -> Preset {
    let dimensions: Vec<Dimension> = file.dimensions.into_iter().map(dimension).collect();
    Preset {
        key,
        used_for: file.used_for,
        display_name: file.display_name,
        change_reason: file.change_reason,
        made: file.made,
        content: Content {
            levels: file
                .levels
                .into_iter()
                .zip(0..)
                .map(|(level, rank)| Level {
                    key: level.key,
                    rank,
                    label: local(level.label),
                })
                .collect(),
            cells: file.matrix.map(|matrix| cells(matrix, &dimensions)).unwrap_or_default(),
            dimensions,
            aggregator: file.aggregator,
            bands: file.bands,
            unscored_priority: file.unscored_priority,
            overrides: file.overrides,
            gates: file.reviews.into_iter().map(gate).collect(),
            manual: Manual {
                allowed: true,
                reason_required: true,
            },
            same_problem_days: SAME_PROBLEM_DAYS,
        },
    }
}

fn dimension(entry: DimensionEntry) -> Dimension {
    Dimension {
        key: entry.key,
        display_name: local(entry.name),
        min: entry.min,
        max: entry.max,
        weight: entry.weight.unwrap_or(1.0),
        direction: entry.direction.unwrap_or(Direction::HigherIsMore),
        anchors: entry
            .anchors
            .into_iter()
            .zip(entry.min..)
            .map(|(text, score)| Anchor { score, text })
            .collect(),
        source: entry.source,
        rules: entry
            .rules
            .into_iter()
            .map(|rule| ScoreRule {
                condition: rule.when,
                score: rule.score,
            })
            .collect(),
        default_score: entry.default,
    }
}

fn cells(matrix: Matrix, dimensions: &[Dimension]) -> Vec<Cell> {
    let first = |index: usize| dimensions.get(index).map_or(1, |dimension| dimension.min);
    let rows = matrix.rows.into_iter().zip(first(0)..);
    rows.flat_map(|(row, score)| {
        row.into_iter().zip(first(1)..).map(move |(composite, other)| Cell {
            scores: vec![score, other],
            composite,
        })
    })
    .collect()
}

fn gate(entry: ReviewEntry) -> Gate {
    Gate {
        priority: entry.priority,
        roles: entry.roles,
        mode: entry.mode,
        timeout_seconds: entry.timeout_hours.map(|hours| hours * 3600),
    }
}
