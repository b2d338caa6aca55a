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
}

/// A word that speaks for a category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Keyword {
    pub(crate) term: String,
    /// How much it counts; above 0.
    pub(crate) weight: f64,
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
