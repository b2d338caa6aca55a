//! A priority model as data: levels, scored dimensions, bands, overrides, gates; and what it says of a case.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    domain::{Impact, Priority, Sentiment, Tier},
    taxonomy::domain::LocalName,
};

/// What a model orders (C-03).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UsedFor {
    /// Each feedback, and with it its deadlines.
    Case,
    /// Problems and improvements.
    Improvement,
}

impl UsedFor {
    pub(crate) const ALL: [Self; 2] = [Self::Case, Self::Improvement];

    /// The word for it in resource names.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Case => "case",
            Self::Improvement => "improvement",
        }
    }
}

/// How the scores become one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Aggregator {
    Sum,
    WeightedSum,
    Product,
    GeometricMean,
    Max,
    LookupMatrix,
}

impl Aggregator {
    /// True where weights count.
    pub(crate) fn is_weighted(self) -> bool {
        matches!(self, Self::WeightedSum | Self::GeometricMean)
    }

    /// True where a score of 0 would swallow the others.
    pub(crate) fn multiplies(self) -> bool {
        matches!(self, Self::Product | Self::GeometricMean)
    }
}

/// Which end of a scale is more urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Direction {
    HigherIsMore,
    LowerIsMore,
}

/// Where the scores of a dimension come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    /// People; until then the rules, then the default.
    Manual,
    /// Rules, by anything that is known.
    Rule,
    /// Rules, by what was read from the text alone.
    Classifier,
}

/// When a rule is for a case: everything that is given must hold, a list where any of its entries does.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Condition {
    pub(crate) categories: Vec<String>,
    pub(crate) tiers: Vec<Tier>,
    pub(crate) impacts: Vec<Impact>,
    /// Numbers of `huiyin.type.v1.Channel`.
    pub(crate) channels: Vec<i32>,
    /// 0 not stated, 1 normal, 2 urgent, 3 critical.
    pub(crate) urgencies: Vec<i32>,
    pub(crate) product_models: Vec<String>,
    /// Words that were found and not negated.
    pub(crate) terms: Vec<String>,
    pub(crate) sentiments: Vec<Sentiment>,
    /// 0 is no condition.
    pub(crate) min_emotion_level: i32,
    /// 0 is no condition.
    pub(crate) min_customers: i32,
}

/// What a score stands for (001-35).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Anchor {
    pub(crate) score: i32,
    pub(crate) text: String,
}

/// A score, and when it is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ScoreRule {
    pub(crate) condition: Condition,
    pub(crate) score: i32,
}

/// One thing that is scored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Dimension {
    pub(crate) key: String,
    pub(crate) display_name: LocalName,
    pub(crate) min: i32,
    pub(crate) max: i32,
    /// Above 0; 1 where the aggregator has no weights.
    pub(crate) weight: f64,
    pub(crate) direction: Direction,
    pub(crate) anchors: Vec<Anchor>,
    pub(crate) source: Source,
    /// The first whose condition holds gives the score.
    pub(crate) rules: Vec<ScoreRule>,
    pub(crate) default_score: Option<i32>,
}

impl Dimension {
    /// What a score counts for: with the direction turned so that more is more urgent.
    pub(crate) fn counted(&self, score: i32) -> f64 {
        f64::from(match self.direction {
            Direction::HigherIsMore => score,
            Direction::LowerIsMore => self.min + self.max - score,
        })
    }

    /// True where the score lies on the scale.
    pub(crate) fn has(&self, score: i32) -> bool {
        (self.min..=self.max).contains(&score)
    }
}

/// One cell of a lookup matrix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cell {
    pub(crate) scores: Vec<i32>,
    pub(crate) composite: f64,
}

/// From which composite on a level is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Band {
    pub(crate) priority: String,
    pub(crate) min_score: f64,
}

/// One level of priority.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Level {
    pub(crate) key: String,
    /// 0 is the most urgent.
    pub(crate) rank: i32,
    pub(crate) label: LocalName,
}

impl Level {
    /// The level as others know it.
    pub(crate) fn priority(&self) -> Priority {
        Priority {
            key: self.key.clone(),
            rank: self.rank,
        }
    }
}

/// What an override does to the priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Effect {
    /// This or more urgent.
    AtLeast,
    /// This or less urgent.
    AtMost,
    /// This.
    Exactly,
}

/// A rule above the bands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Override {
    pub(crate) key: String,
    pub(crate) condition: Condition,
    pub(crate) effect: Effect,
    pub(crate) priority: String,
    pub(crate) reason: String,
}

/// Whose approval a gate waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReviewMode {
    All,
    Any,
}

/// A level that people confirm together (001-39).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Gate {
    pub(crate) priority: String,
    pub(crate) roles: Vec<String>,
    pub(crate) mode: ReviewMode,
    /// After so many seconds without a decision it is escalated; none: never.
    pub(crate) timeout_seconds: Option<i64>,
}

/// What people may set by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manual {
    pub(crate) allowed: bool,
    /// Of scores; a priority always says why.
    pub(crate) reason_required: bool,
}

/// A model. Never changes after it is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Content {
    /// Most urgent first; ranks 0, 1, 2 …
    pub(crate) levels: Vec<Level>,
    pub(crate) dimensions: Vec<Dimension>,
    pub(crate) aggregator: Aggregator,
    /// Of a lookup matrix, otherwise empty.
    pub(crate) cells: Vec<Cell>,
    /// Most urgent first.
    pub(crate) bands: Vec<Band>,
    /// Key of the level where a score is missing; empty where none can be.
    pub(crate) unscored_priority: String,
    pub(crate) overrides: Vec<Override>,
    pub(crate) gates: Vec<Gate>,
    pub(crate) manual: Manual,
    /// Two customers have the same problem within so many days.
    pub(crate) same_problem_days: i32,
}

impl Content {
    /// The level of a key.
    pub(crate) fn level(&self, key: &str) -> Option<Priority> {
        self.levels.iter().find(|level| level.key == key).map(Level::priority)
    }

    /// The keys of the levels, most urgent first.
    pub(crate) fn keys(&self) -> Vec<&str> {
        self.levels.iter().map(|level| level.key.as_str()).collect()
    }

    /// The dimension of a key.
    pub(crate) fn dimension(&self, key: &str) -> Option<&Dimension> {
        self.dimensions.iter().find(|dimension| dimension.key == key)
    }

    /// The gate of a level.
    pub(crate) fn gate(&self, priority: &str) -> Option<&Gate> {
        self.gates.iter().find(|gate| gate.priority == priority)
    }

    /// Every condition in it.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = &Condition> {
        let rules = self.dimensions.iter().flat_map(|dimension| &dimension.rules);
        rules
            .map(|rule| &rule.condition)
            .chain(self.overrides.iter().map(|rule| &rule.condition))
    }

    /// Up to how many it matters how many customers have the same problem; 0 where it does not.
    pub(crate) fn most_customers(&self) -> i32 {
        let asked = self.conditions().map(|condition| condition.min_customers);
        asked.max().unwrap_or(0)
    }
}

/// What is known of a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Facts {
    pub(crate) categories: Vec<String>,
    /// The first label of each dimension: what it is, and not what stands beside it. Empty where nobody knows which those are.
    #[serde(default)]
    pub(crate) main_categories: Vec<String>,
    pub(crate) tier: Tier,
    pub(crate) impact: Impact,
    /// The impact and where it comes from, as a basis says it.
    pub(crate) impact_words: String,
    pub(crate) channel: i32,
    /// 0 not stated, 1 normal, 2 urgent, 3 critical.
    pub(crate) urgency: i32,
    /// 0 not stated, 1 calm … 5 furious.
    pub(crate) emotion_level: i32,
    pub(crate) sentiment: Sentiment,
    pub(crate) product_model: String,
    /// Words of the taxonomy that were found and not negated, folded.
    pub(crate) terms: Vec<String>,
    /// How many customers have the same problem, counted as far as the model asks; 0 where that is not known.
    pub(crate) customers: i32,
}

/// A score that somebody gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) score: i32,
    /// Who, as a basis says it; empty where it was asked with the question.
    pub(crate) said: String,
}

/// Scores that somebody gave, by dimension.
pub(crate) type Scores = BTreeMap<String, Given>;

/// The score of a dimension in a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Scored {
    pub(crate) dimension: String,
    /// None where it is missing.
    pub(crate) score: Option<i32>,
    /// Where it came from: who gave it, what the rule went by; empty where it was asked with the question.
    pub(crate) said: String,
    /// True where a rule gave it.
    pub(crate) by_rule: bool,
}

/// An override that held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Hit {
    pub(crate) key: String,
    pub(crate) effect: Effect,
    pub(crate) priority: Priority,
    pub(crate) reason: String,
    /// True where it changed the priority.
    pub(crate) decided: bool,
}

/// What a model says, with all that it went by (001-37).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Decision {
    pub(crate) model_version: i32,
    pub(crate) scores: Vec<Scored>,
    /// None where a score is missing.
    pub(crate) composite: Option<f64>,
    /// Before overrides.
    pub(crate) banded: Priority,
    pub(crate) overrides: Vec<Hit>,
    pub(crate) priority: Priority,
    /// What was done, step by step, for the basis.
    pub(crate) steps: String,
    /// Roles that confirm this level together.
    pub(crate) review_roles: Vec<String>,
}

impl Decision {
    /// Key of the last override that changed the priority; empty where none did.
    pub(crate) fn override_rule(&self) -> String {
        let decided = self.overrides.iter().rev().find(|hit| hit.decided);
        decided.map(|hit| hit.key.clone()).unwrap_or_default()
    }
}

/// What is said of a version beside its content.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Head {
    pub(crate) used_for: UsedFor,
    /// 0 is the built-in one.
    pub(crate) version: i32,
    /// Key of the preset that it was made from; may be empty.
    pub(crate) preset: String,
    pub(crate) display_name: String,
    pub(crate) change_reason: String,
    pub(crate) author: String,
    pub(crate) active: bool,
    /// Raised when it is activated or another takes its place: the etag.
    pub(crate) revision: i32,
    pub(crate) create_time: Timestamp,
    pub(crate) activate_time: Option<Timestamp>,
}

/// A version that somebody wants to make.
#[derive(Debug, Clone)]
pub(crate) struct NewModel {
    pub(crate) used_for: UsedFor,
    pub(crate) preset: String,
    pub(crate) display_name: String,
    pub(crate) change_reason: String,
    pub(crate) content: Content,
}
