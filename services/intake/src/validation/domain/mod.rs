//! What a tenant takes in (C-07, C-09): the content of a validation profile, and what of it a feedback breaks.

pub(crate) mod formats;
pub(crate) mod problem;
pub(crate) mod rulebook;
pub(crate) mod vagueness;

use serde::{Deserialize, Serialize};

use crate::screening::domain::{Aspect, Policy};

/// The content of one version.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Profile {
    /// In order: the first that is for a channel counts.
    pub(crate) rules: Vec<ChannelRules>,
    /// In order: the first that has a model counts.
    pub(crate) product_types: Vec<ProductType>,
    pub(crate) screening: Policy,
}

/// The rules of some channels. Channels are numbers of the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChannelRules {
    pub(crate) key: String,
    /// Empty: all.
    pub(crate) channels: Vec<i32>,
    pub(crate) required: Vec<RequiredField>,
    /// In characters as people count them.
    pub(crate) min_description_length: usize,
    pub(crate) contact: ContactPolicy,
    pub(crate) vagueness: VaguenessPolicy,
    /// Empty: any.
    pub(crate) sources: Vec<String>,
    /// Empty: anything.
    pub(crate) external_id_pattern: String,
    /// Empty: anything.
    pub(crate) order_number_pattern: String,
}

impl Default for ChannelRules {
    fn default() -> Self {
        Self {
            key: "built-in".to_owned(),
            channels: Vec::new(),
            required: Vec::new(),
            min_description_length: 0,
            contact: ContactPolicy::Encrypted,
            vagueness: VaguenessPolicy::Flag,
            sources: Vec::new(),
            external_id_pattern: String::new(),
            order_number_pattern: String::new(),
        }
    }
}

/// A part of a feedback that can be made obligatory; numbers are those of the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RequiredField {
    Title = 1,
    Expectation = 2,
    Contact = 3,
    CustomerReference = 4,
    ProductModel = 5,
    ProductBatch = 6,
    PurchaseChannel = 7,
    PurchaseTime = 8,
    OrderNumber = 9,
    Device = 10,
    SoftwareVersion = 11,
    ExternalId = 12,
    Source = 13,
    OccurTime = 14,
    Attachment = 15,
}

impl RequiredField {
    const ALL: [Self; 15] = [
        Self::Title,
        Self::Expectation,
        Self::Contact,
        Self::CustomerReference,
        Self::ProductModel,
        Self::ProductBatch,
        Self::PurchaseChannel,
        Self::PurchaseTime,
        Self::OrderNumber,
        Self::Device,
        Self::SoftwareVersion,
        Self::ExternalId,
        Self::Source,
        Self::OccurTime,
        Self::Attachment,
    ];

    /// The field of a number.
    pub(crate) fn of(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|field| *field as i32 == number)
    }

    /// Its path within a feedback.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Expectation => "expectation",
            Self::Contact => "contact",
            Self::CustomerReference => "customer_reference",
            Self::ProductModel => "product.model",
            Self::ProductBatch => "product.batch",
            Self::PurchaseChannel => "product.purchase_channel",
            Self::PurchaseTime => "product.purchase_time",
            Self::OrderNumber => "product.order_number",
            Self::Device => "product.device",
            Self::SoftwareVersion => "product.software_version",
            Self::ExternalId => "external_id",
            Self::Source => "source",
            Self::OccurTime => "occur_time",
            Self::Attachment => "attachments",
        }
    }
}

/// What is done with contacts (C-07); numbers are those of the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ContactPolicy {
    None = 1,
    TypeOnly = 2,
    Encrypted = 3,
    Required = 4,
}

impl ContactPolicy {
    /// The policy of a number.
    pub(crate) fn of(number: i32) -> Option<Self> {
        [Self::None, Self::TypeOnly, Self::Encrypted, Self::Required]
            .into_iter()
            .find(|policy| *policy as i32 == number)
    }
}

/// What is done with a vague description; numbers are those of the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum VaguenessPolicy {
    Refuse = 1,
    Guide = 2,
    Flag = 3,
}

impl VaguenessPolicy {
    /// The policy of a number.
    pub(crate) fn of(number: i32) -> Option<Self> {
        [Self::Refuse, Self::Guide, Self::Flag]
            .into_iter()
            .find(|policy| *policy as i32 == number)
    }
}

/// A type of product, and what a complaint about it must say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProductType {
    pub(crate) key: String,
    /// Empty: every model, and none.
    pub(crate) model_prefixes: Vec<String>,
    pub(crate) aspects: Vec<Aspect>,
    /// The tenant's own words for some of them.
    pub(crate) guidance: Vec<(Aspect, Sentence)>,
}

/// A sentence in three languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sentence {
    pub(crate) en: String,
    pub(crate) zh_cn: String,
    pub(crate) zh_tw: String,
}
