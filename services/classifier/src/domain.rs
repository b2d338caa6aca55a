//! The few words that all subjects of the room speak: impact, tendency, tier, priority, and the feedback itself.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How bad it is for the customer (000-26); the worse one is the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Impact {
    /// 轻微
    Minor,
    /// 严重
    Serious,
    /// 致命
    Fatal,
}

impl Impact {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 3] = [Self::Minor, Self::Serious, Self::Fatal];

    /// The word for it in a basis.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Minor => "minor",
            Self::Serious => "serious",
            Self::Fatal => "fatal",
        }
    }
}

/// Tendency of the wording (001-21).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sentiment {
    /// 消极
    Negative,
    /// 中性
    Neutral,
    /// 积极
    Positive,
}

impl Sentiment {
    /// The label of it, where models and people give labels.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Negative => "NEGATIVE",
            Self::Neutral => "NEUTRAL",
            Self::Positive => "POSITIVE",
        }
    }

    /// The one of a label.
    pub(crate) fn of_key(key: &str) -> Option<Self> {
        [Self::Negative, Self::Neutral, Self::Positive]
            .into_iter()
            .find(|sentiment| sentiment.key() == key)
    }
}

/// How highly the enterprise values the customer (000-32).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Tier {
    /// 新客户
    New,
    /// 老客户
    Existing,
    /// VIP客户
    Vip,
}

impl Tier {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 3] = [Self::New, Self::Existing, Self::Vip];

    /// The word for it in a basis.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Existing => "existing",
            Self::Vip => "VIP",
        }
    }
}

/// One level of the tenant's ordered list (C-01): code compares ranks, never keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Priority {
    /// The tenant's own key, e.g. `P0`.
    pub(crate) key: String,
    /// 0 is the most urgent.
    pub(crate) rank: i32,
}

/// A category of one dimension, as far as it was found in a text or set by a person.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Label {
    /// Key of the dimension.
    pub(crate) dimension: String,
    /// Key of the category.
    pub(crate) category: String,
    /// 0 … 1: the share of the dimension's evidence, or the calibrated confidence of a model; 1 where a person or an overriding rule
    /// set it.
    pub(crate) confidence: f64,
    /// Name of the version that gave it; empty where the dictionary or a person did.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) model: String,
    /// Key of the overriding rule that gave it; empty where none did.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) rule: String,
}

/// The category of a text in which nothing spoke for any.
pub(crate) const UNCLASSIFIED: &str = "unclassified";

/// What this room keeps of a feedback, as intake told it; frozen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Feedback {
    /// Resource name.
    pub(crate) name: String,
    /// Display number.
    pub(crate) number: String,
    /// Channel, as its number in `huiyin.type.v1.Channel`: this room makes no difference between channels.
    pub(crate) channel: i32,
    /// Resource name of the customer; empty where nobody is known.
    pub(crate) customer: String,
    /// Tier; one that was not said counts as existing.
    pub(crate) tier: Tier,
    /// True where the tier was said.
    pub(crate) tier_said: bool,
    /// Product model; may be empty.
    pub(crate) product_model: String,
    /// Batch number; may be empty.
    pub(crate) batch: String,
    /// When it happened or was said.
    pub(crate) occur_time: Option<Timestamp>,
    /// When it reached us.
    pub(crate) receive_time: Option<Timestamp>,
    /// BCP 47 tag of the language of the answers.
    pub(crate) language: String,
    /// True where the customer left an address.
    pub(crate) reachable: bool,
    /// The trace of the call by which it was taken in; empty where there was none.
    pub(crate) traceparent: String,
}

/// Who made what nobody made: version 0, and events that follow from others.
pub(crate) const SYSTEM: &str = "system";
