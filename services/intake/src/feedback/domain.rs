//! The rules of taking feedback in: what is accepted, who its customer is, how it is numbered.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A field and what is wrong about it.
pub(crate) type Violation = (String, String);

/// So far may the clocks of callers and of other replicas be ahead of ours.
const SKEW: SignedDuration = SignedDuration::from_secs(60);

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

/// Where a piece of evidence lies (000-24).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Attachment {
    pub(crate) uri: String,
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
    /// The trace of the call that brought it.
    pub(crate) traceparent: String,
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
}

impl Verbatim {
    pub(crate) fn is_empty(&self) -> bool {
        self.title.is_none() && self.description.is_none() && self.expectation.is_none()
    }
}

/// Nothing that anybody complains about happened before this.
const EARLIEST: Timestamp = Timestamp::constant(-2_208_988_800, 0); // 1900-01-01

/// What the rules of the proto do not say: every violation, its field beginning with `path`.
pub(crate) fn check(draft: &Draft, now: Timestamp, path: &str) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut violated = |field: &str, problem: &str| violations.push((format!("{path}.{field}"), problem.to_owned()));
    let Draft { facts, .. } = draft;
    let Facts { product, .. } = facts;
    if draft.description.trim().is_empty() {
        violated("description", "must say something");
    }
    for (field, time) in [
        ("occur_time", draft.occur_time),
        ("product.purchase_time", product.purchase_time),
    ] {
        match time {
            Some(time) if time > now.saturating_add(SKEW).unwrap_or(now) => {
                violated(field, "must not lie in the future")
            }
            Some(time) if time < EARLIEST => violated(field, "must not lie before 1900"),
            _ => {}
        }
    }
    if let Some(problem) = draft.contact.as_ref().and_then(malformed) {
        violated("contact.address", problem);
    }
    for (field, text) in [
        ("title", &draft.title),
        ("description", &draft.description),
        ("expectation", &draft.expectation),
        ("product.model", &product.model),
        ("product.batch", &product.batch),
        ("product.purchase_channel", &product.purchase_channel),
        ("product.order_number", &product.order_number),
        ("product.device", &product.device),
        ("product.software_version", &product.software_version),
        ("external_id", &facts.external_id),
        ("source", &facts.source),
    ] {
        // The one character that Postgres cannot store.
        if text.contains('\0') {
            violated(field, "must not contain the character U+0000");
        }
    }
    for (index, attachment) in facts.attachments.iter().enumerate() {
        if attachment.note.contains('\0') {
            violated(
                &format!("attachments[{index}].note"),
                "must not contain the character U+0000",
            );
        }
    }
    violations
}

/// What is wrong with an address of its kind (003-70).
pub(crate) fn malformed(contact: &Contact) -> Option<&'static str> {
    let address = contact.address.trim();
    let is_well_formed = match contact.kind {
        ContactKind::Phone => is_phone(address),
        ContactKind::Email => is_mail(address),
        ContactKind::Webhook => is_url(address),
        ContactKind::Inbox | ContactKind::Im => !address.is_empty() && !address.contains(char::is_control),
    };
    if is_well_formed {
        return None;
    }
    Some(match contact.kind {
        ContactKind::Phone => "must be a telephone number of 5 to 15 digits, such as +86 138 0013 8000",
        ContactKind::Email => "must be a mail address, such as li@example.com",
        ContactKind::Webhook => "must be a URL with http or https",
        ContactKind::Inbox | ContactKind::Im => "must name an account",
    })
}

fn is_phone(address: &str) -> bool {
    let digits = address.bytes().filter(u8::is_ascii_digit).count();
    let number = address.strip_prefix('+').unwrap_or(address);
    (5..=15).contains(&digits)
        && number
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b" -().".contains(&byte))
}

fn is_mail(address: &str) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else {
        return false;
    };
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    (1..=64).contains(&local.len())
        && !local.contains(|c: char| c.is_whitespace() || c.is_control() || c == '@')
        && domain.contains('.')
        && domain.split('.').all(is_label)
}

fn is_url(address: &str) -> bool {
    let rest = address
        .strip_prefix("https://")
        .or_else(|| address.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        !host.is_empty() && !host.contains('@') && !rest.contains(|c: char| c.is_whitespace() || c.is_control())
    })
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

/// The digits alone, without the country code of China: people write their number in many ways.
fn normal_phone(address: &str) -> String {
    let digits: String = address.chars().filter(char::is_ascii_digit).collect();
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
mod tests;
