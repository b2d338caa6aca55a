//! The rules of taking feedback in: what is accepted, who its customer is, how it is numbered.

use std::collections::BTreeMap;

use jiff::{Timestamp, tz::TimeZone};
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, Region};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::screening::domain::Standing;

/// A field and what is wrong about it.
pub(crate) type Violation = (String, String);

/// What is said about a feedback and stored as it was said. Numbers of enums are those of the wire.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Facts {
    pub(crate) channel: i32,
    pub(crate) product: Product,
    pub(crate) frequency: i32,
    pub(crate) impact: i32,
    pub(crate) demand: i32,
    pub(crate) urgency: i32,
    pub(crate) emotion_level: i32,
    pub(crate) tier: i32,
    pub(crate) external_id: String,
    pub(crate) source: String,
    pub(crate) language: String,
    pub(crate) attachments: Vec<Attachment>,
}

/// Which thing the feedback is about (000-23).
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Product {
    pub(crate) model: String,
    pub(crate) batch: String,
    pub(crate) purchase_channel: String,
    pub(crate) purchase_time: Option<Timestamp>,
    pub(crate) order_number: String,
    pub(crate) device: String,
    pub(crate) software_version: String,
}

/// Where a piece of evidence lies (000-24): at a URI, or with us.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Attachment {
    /// Empty where it was uploaded.
    pub(crate) uri: String,
    /// The uploaded file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) uploaded: Option<Uuid>,
    pub(crate) media_type: String,
    pub(crate) note: String,
}

/// A feedback as it was handed in. Not `Debug`: it holds what names a person.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) facts: Facts,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) expectation: String,
    pub(crate) customer_reference: String,
    pub(crate) contact: Option<Contact>,
    pub(crate) occur_time: Option<Timestamp>,
    /// Fields that hold what is no moment of this calendar.
    pub(crate) no_moments: Vec<&'static str>,
    /// It says what its sender has just said over and over, as machines do that answer one another: it is set aside, whatever the policy.
    pub(crate) is_loop: bool,
}

/// An address of the customer. Not `Debug`: it names a person.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Contact {
    pub(crate) kind: ContactKind,
    pub(crate) address: String,
}

/// What kind of address it is (001-15); the number is that of the wire and of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContactKind {
    Phone = 1,
    Email = 2,
    Inbox = 3,
    Im = 4,
    Webhook = 5,
}

impl ContactKind {
    /// The kind of a number.
    pub(crate) fn of(number: i32) -> Option<Self> {
        [Self::Phone, Self::Email, Self::Inbox, Self::Im, Self::Webhook]
            .into_iter()
            .find(|kind| *kind as i32 == number)
    }
}

/// What became of the contact that came along (C-07); the number is that of the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContactHandling {
    /// None came along, or nobody asks any more.
    NoContact = 0,
    Encrypted = 1,
    TypeOnly = 2,
    Discarded = 3,
}

/// A feedback as everybody may see it: what names a person is masked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Feedback {
    pub(crate) id: Uuid,
    /// Given just before it is stored; empty until then.
    pub(crate) number: String,
    pub(crate) facts: Facts,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) expectation: String,
    pub(crate) customer: Option<Uuid>,
    /// The segments that hold of the customer when it is stored; frozen.
    pub(crate) segments: Vec<String>,
    pub(crate) contact_kind: Option<ContactKind>,
    pub(crate) occur_time: Timestamp,
    pub(crate) create_time: Timestamp,
    pub(crate) author: String,
    /// The trace of the call that brought it; empty where there was none.
    pub(crate) traceparent: String,
    /// The first of the thread that it goes on with; known once that is stored beside it.
    pub(crate) thread_of: Option<Uuid>,
    /// An address is stored.
    pub(crate) is_reachable: bool,
    /// Where it stands (001-12).
    pub(crate) standing: Standing,
    /// What became of the contact; for the answer to whoever handed it in.
    pub(crate) handling: ContactHandling,
    /// The words that ask for what is missing; for the same answer.
    pub(crate) guidance: Vec<String>,
}

/// A feedback on its way into the store, with what nobody may see. Not `Debug` for that reason.
pub(crate) struct Accepted {
    pub(crate) feedback: Feedback,
    /// The keyed hash of what the customer is recognised by.
    pub(crate) token: Option<Uuid>,
    /// What is sealed just before it is stored.
    pub(crate) secrets: Secrets,
    /// The sealed address.
    pub(crate) contact: Option<Vec<u8>>,
    /// The sealed words.
    pub(crate) sealed_verbatim: Option<Vec<u8>>,
    /// By what it is recognised where the tenant sets aside what is said twice.
    pub(crate) repeats: Option<Seek>,
}

/// What is looked for among what came before.
pub(crate) struct Seek {
    pub(crate) fingerprint: Vec<u8>,
    /// From this id on.
    pub(crate) since: Uuid,
    /// It is set aside for another reason already.
    pub(crate) is_aside: bool,
}

impl Accepted {
    /// Whose key seals it: the identity's, its own where there is none.
    pub(crate) fn key_owner(&self) -> Uuid {
        self.token.unwrap_or(self.feedback.id)
    }

    /// The tier that was said; 0 where none was.
    pub(crate) fn facts_tier(&self) -> i32 {
        self.feedback.facts.tier
    }
}

/// What nobody may see. Not `Debug`.
#[derive(Default)]
pub(crate) struct Secrets {
    /// The address.
    pub(crate) contact: Option<String>,
    /// The words as they came, where they differ from what is shown.
    pub(crate) verbatim: Verbatim,
}

impl Secrets {
    pub(crate) fn is_empty(&self) -> bool {
        self.contact.is_none() && self.verbatim.is_empty()
    }
}

/// The customer's words as they came (001-11); `None` where nothing in them had to be masked. Not `Debug`.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Verbatim {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expectation: Option<String>,
    /// Fields of the product.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) product: BTreeMap<String, String>,
}

impl Product {
    /// The fields that are free text, each with its name.
    pub(crate) fn texts_mut(&mut self) -> [(&'static str, &mut String); 5] {
        [
            ("model", &mut self.model),
            ("batch", &mut self.batch),
            ("purchase_channel", &mut self.purchase_channel),
            ("device", &mut self.device),
            ("software_version", &mut self.software_version),
        ]
    }
}

impl Verbatim {
    pub(crate) fn is_empty(&self) -> bool {
        self.title.is_none() && self.description.is_none() && self.expectation.is_none() && self.product.is_empty()
    }
}

/// By what the customer is recognised again: the caller's reference, else the address; the kind and the normal form.
pub(crate) fn identity(draft: &Draft) -> Option<(&'static str, String)> {
    identity_of(&draft.customer_reference, draft.contact.as_ref())
}

/// The same of a reference and an address.
pub(crate) fn identity_of(reference: &str, contact: Option<&Contact>) -> Option<(&'static str, String)> {
    let reference = reference.trim();
    if !reference.is_empty() {
        return Some(("reference", reference.to_owned()));
    }
    let Contact { kind, address } = contact?;
    let address = address.trim();
    Some(match kind {
        ContactKind::Phone => ("phone", normal_phone(address)),
        ContactKind::Email => ("email", address.to_lowercase()),
        ContactKind::Inbox => ("inbox", address.to_owned()),
        ContactKind::Im => ("im", address.to_owned()),
        ContactKind::Webhook => ("webhook", address.to_owned()),
    })
}

/// Of a Chinese number the digits alone, without the country code: people write theirs in many ways. Of another one `+` and the
/// country code too, without which it could be somebody's in China.
fn normal_phone(address: &str) -> String {
    let digits: String = address.chars().filter(char::is_ascii_digit).collect();
    let abroad = match digits.strip_prefix("00") {
        Some(code) => Some(code),
        None => address.starts_with('+').then_some(digits.as_str()),
    };
    if let Some(abroad) = abroad.filter(|code| !code.starts_with("86")) {
        // By the rules of its country: a 0 that is dialled there alone is no part of it.
        return match PHONE_NUMBER_UTIL.parse(address, Some(Region::CN)) {
            Ok(number) => PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164).into_owned(),
            Err(_) => format!("+{abroad}"),
        };
    }
    let national = match digits.strip_prefix("0086") {
        Some(national) => national,
        None if address.starts_with('+') => digits.strip_prefix("86").unwrap_or(&digits),
        // Without a plus, 86 begins a country code only before a whole mobile number.
        None => digits
            .strip_prefix("86")
            .filter(|rest| rest.len() == 11)
            .unwrap_or(&digits),
    };
    national.to_owned()
}

/// The date of a moment in a zone, as YYYYMMDD.
pub(crate) fn day(at: Timestamp, zone: &TimeZone) -> i32 {
    let date = zone.to_datetime(at).date();
    i32::from(date.year()) * 10_000 + i32::from(date.month()) * 100 + i32::from(date.day())
}

/// A display number (001-13): it widens where three digits do not do (C-21).
pub(crate) fn number(day: i32, sequence: i64) -> String {
    format!("FB{day:08}{sequence:03}")
}

#[cfg(test)]
pub(crate) mod tests;
