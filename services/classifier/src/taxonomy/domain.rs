//! A taxonomy: dimensions, categories with their keywords, and lexicons.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::Impact;

/// A name in the languages of the suite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct LocalName {
    pub(crate) zh_cn: String,
    /// Empty is taken from `zh_cn`.
    pub(crate) zh_tw: String,
    /// Empty is taken from `zh_cn`.
    pub(crate) en: String,
}

/// One way of looking at a feedback.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Dimension {
    pub(crate) key: String,
    pub(crate) display_name: LocalName,
    /// True where every feedback must have a category of it.
    #[serde(default)]
    pub(crate) required: bool,
}

/// A word that speaks for a category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Keyword {
    pub(crate) term: String,
    /// How much it counts; above 0.
    pub(crate) weight: f64,
}

/// What a rule looks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Pattern {
    /// Words in this order, with at most `gap` code points between one and the next.
    Phrase { parts: Vec<String>, gap: usize },
    /// A regular expression, held against the folded text.
    Regex(String),
}

impl Pattern {
    /// As a span shows it: `屏幕…碎`, `/订单\d+/`.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Phrase { parts, .. } => parts.join("…"),
            Self::Regex(pattern) => format!("/{pattern}/"),
        }
    }
}

/// What speaks for a category beyond single words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rule {
    /// Unique within the category.
    pub(crate) key: String,
    pub(crate) pattern: Pattern,
    /// How much each match counts; above 0.
    pub(crate) weight: f64,
    /// Empty is no condition.
    #[serde(default)]
    pub(crate) product_models: Vec<String>,
    /// Numbers of `huiyin.type.v1.Channel`; empty is no condition.
    #[serde(default)]
    pub(crate) channels: Vec<i32>,
    /// True: its category wins over models and other words.
    #[serde(default)]
    pub(crate) overrides: bool,
}

/// A text that belongs to a category, or looks as if it did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Example {
    pub(crate) text: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) product_model: String,
    /// Number of its channel; 0 for none.
    #[serde(default)]
    pub(crate) channel: i32,
}

/// A text that does not belong to a category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct CounterExample {
    #[serde(flatten)]
    pub(crate) example: Example,
    /// The neighbour that it belongs to, `unclassified` for none; empty for any but this one.
    #[serde(default)]
    pub(crate) category: String,
}

/// A category with its entry in the dictionary (001-40).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Category {
    /// Dotted from its root.
    pub(crate) key: String,
    pub(crate) dimension: String,
    pub(crate) display_name: LocalName,
    pub(crate) definition: String,
    pub(crate) boundary: String,
    pub(crate) keywords: Vec<Keyword>,
    /// Empty takes those of the parent.
    pub(crate) skills: Vec<String>,
    /// Empty takes that of the parent.
    pub(crate) department: String,
    /// None takes that of the parent, at the root minor.
    pub(crate) default_impact: Option<Impact>,
    #[serde(default)]
    pub(crate) rules: Vec<Rule>,
    /// Words that take the vote of this category, and of those below it, out of their sentence.
    #[serde(default)]
    pub(crate) exclusions: Vec<String>,
    /// Tests: they belong here or below.
    #[serde(default)]
    pub(crate) examples: Vec<Example>,
    /// Tests: they do not.
    #[serde(default)]
    pub(crate) counter_examples: Vec<CounterExample>,
}

/// A word of the sentiment lexicon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SentimentTerm {
    pub(crate) term: String,
    /// −1 … 1, not 0.
    pub(crate) weight: f64,
}

/// A word that strengthens (above 1) or weakens (below 1) what follows it. One with exactly 1 stands for itself: it hides the
/// shorter words that it holds (不知道 is no 不) and ends the reach of what stands before it (但是, but).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct DegreeTerm {
    pub(crate) term: String,
    pub(crate) factor: f64,
}

/// How the tendency of a text is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SentimentModel {
    pub(crate) terms: Vec<SentimentTerm>,
    pub(crate) negations: Vec<String>,
    pub(crate) degrees: Vec<DegreeTerm>,
    /// A score below is negative.
    pub(crate) negative_below: f64,
    /// A score above is positive.
    pub(crate) positive_above: f64,
    /// Beginnings of rhetorical questions: they turn tones around, and nothing else.
    #[serde(default)]
    pub(crate) rhetoricals: Vec<String>,
    /// Words that hint at sarcasm.
    #[serde(default)]
    pub(crate) sarcasm_cues: Vec<String>,
}

/// A word that says how bad it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ImpactTerm {
    pub(crate) term: String,
    pub(crate) impact: Impact,
}

/// All that the classifier goes by. Never changes after it is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Content {
    /// The first is the main one.
    pub(crate) dimensions: Vec<Dimension>,
    /// Parents before children.
    pub(crate) categories: Vec<Category>,
    pub(crate) sentiment: SentimentModel,
    pub(crate) impact_terms: Vec<ImpactTerm>,
}

impl Content {
    /// The category itself, then its parents up to the root.
    pub(crate) fn lineage<'c>(&'c self, key: &'c str) -> impl Iterator<Item = &'c Category> {
        let prefixes = std::iter::successors(Some(key), |key| key.rsplit_once('.').map(|(parent, _)| parent));
        prefixes.filter_map(|key| self.categories.iter().find(|category| category.key == key))
    }

    /// The skills that a category calls for: its own, or those of the nearest parent that has any.
    pub(crate) fn skills(&self, key: &str) -> Vec<String> {
        self.lineage(key)
            .find(|category| !category.skills.is_empty())
            .map(|category| category.skills.clone())
            .unwrap_or_default()
    }

    /// The department of a category; empty where none is named.
    pub(crate) fn department(&self, key: &str) -> String {
        self.lineage(key)
            .find(|category| !category.department.is_empty())
            .map(|category| category.department.clone())
            .unwrap_or_default()
    }

    /// The impact of a category where nobody says any.
    pub(crate) fn default_impact(&self, key: &str) -> Impact {
        self.lineage(key)
            .find_map(|category| category.default_impact)
            .unwrap_or(Impact::Minor)
    }
}

/// What is said of a version beside its content.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Head {
    /// 0 is the built-in one.
    pub(crate) version: i32,
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
pub(crate) struct NewTaxonomy {
    pub(crate) display_name: String,
    pub(crate) change_reason: String,
    pub(crate) content: Content,
}
