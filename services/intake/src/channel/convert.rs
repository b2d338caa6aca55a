//! From the fields that a source sent to the request that `CreateFeedback` takes, and from its refusals back to what was sent.

use huiyin_chassis::{Caller, Refusal, Tenant, enums, repeat::Repeatable, secret, sql};
use huiyin_proto::{
    codec,
    intake::v1::{self, AttachmentReference, Contact, ContactKind, CreateFeedbackRequest, Feedback, ProductContext},
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    fields::{Fields, Given},
    source::domain::Source,
};
use crate::feedback::domain::Violation;

/// What `CreateFeedback` takes.
pub(crate) use v1::CreateFeedbackRequest as Asked;
/// The answer to whoever sends.
pub(crate) use v1::Feedback as Taken;

/// The kinds of address that can be sent, the one that reaches a customer best first.
const CONTACTS: [(&str, ContactKind); 4] = [
    ("contact.email", ContactKind::Email),
    ("contact.phone", ContactKind::Phone),
    ("contact.im", ContactKind::Im),
    ("contact.inbox", ContactKind::Inbox),
];

/// The request that the fields make.
///
/// # Errors
/// Every value that is not one of its field's.
pub(crate) fn asked(tenant: &Tenant, source: &Source, fields: &Fields) -> Result<Asked, Vec<Violation>> {
    let mut violations = Vec::new();
    let text = |name: &str| fields.get(name).map(|given| given.value.clone()).unwrap_or_default();
    let mut named = |name: &str, of: &str| {
        let given = text(name);
        if given.is_empty() {
            return 0;
        }
        let number = enums::number(of, &given.to_uppercase()).filter(|number| *number != 0);
        number.unwrap_or_else(|| {
            let known: Vec<&str> = enums::values(of)
                .iter()
                .skip(1)
                .map(|(name, _)| name.as_str())
                .collect();
            violations.push((name.to_owned(), format!("must be one of {}", known.join(", "))));
            0
        })
    };
    let frequency = named("frequency", "huiyin.intake.v1.Frequency");
    let impact = named("impact", "huiyin.type.v1.Impact");
    let demand = named("demand", "huiyin.intake.v1.Demand");
    let urgency = named("urgency", "huiyin.intake.v1.Urgency");
    let tier = named("tier", "huiyin.type.v1.CustomerTier");
    let emotion_level = match text("emotion_level").as_str() {
        "" => 0,
        level => level.trim().parse().unwrap_or_else(|_| {
            violations.push((
                "emotion_level".to_owned(),
                "must be a whole number from 0 to 5".to_owned(),
            ));
            0
        }),
    };
    let mut moment = |name: &str| {
        let given = fields.get(name)?;
        let read = time(&given.value);
        if read.is_none() {
            let problem = "must be a time such as 2026-11-21T08:00:00+08:00, or seconds since 1970";
            violations.push((name.to_owned(), problem.to_owned()));
        }
        read.map(sql::to_proto)
    };
    let purchase_time = moment("product.purchase_time");
    let occur_time = moment("occur_time");
    let contact = contact(fields).map(|(kind, given)| Contact {
        kind: kind.into(),
        address: given.value.trim().to_owned(),
    });
    if !violations.is_empty() {
        return Err(violations);
    }
    let product = ProductContext {
        model: text("product.model"),
        batch: text("product.batch"),
        purchase_channel: text("product.purchase_channel"),
        purchase_time,
        order_number: text("product.order_number"),
        device: text("product.device"),
        software_version: text("product.software_version"),
    };
    let feedback = Feedback {
        channel: source.channel,
        title: text("title"),
        description: text("description"),
        expectation: text("expectation"),
        product: Some(product),
        frequency,
        impact,
        demand,
        urgency,
        emotion_level,
        tier,
        customer_reference: text("customer_reference"),
        contact,
        external_id: text("external_id"),
        source: feedback_source(source).to_owned(),
        language: text("language"),
        occur_time,
        ..Feedback::default()
    };
    Ok(CreateFeedbackRequest {
        parent: tenant.name(),
        feedback: Some(feedback),
        request_id: String::new(),
    })
}

/// Has the request refer to an uploaded file.
pub(crate) fn refer(asked: &mut Asked, attachment: String) {
    if let Some(feedback) = &mut asked.feedback {
        feedback.attachments.push(AttachmentReference {
            attachment,
            ..AttachmentReference::default()
        });
    }
}

/// The `source` of what a source sends.
pub(crate) fn feedback_source(source: &Source) -> &str {
    if source.feedback_source.is_empty() {
        &source.id
    } else {
        &source.feedback_source
    }
}

fn contact(fields: &Fields) -> Option<(ContactKind, &Given)> {
    CONTACTS
        .into_iter()
        .find_map(|(name, kind)| fields.get(name).map(|given| (kind, given)))
}

/// RFC 3339, or seconds since 1970; milliseconds where the number is too large to be seconds of this age.
fn time(text: &str) -> Option<Timestamp> {
    const YEAR_5138: u64 = 100_000_000_000;
    match text.trim().parse::<i64>() {
        Ok(number) if number.unsigned_abs() < YEAR_5138 => Timestamp::from_second(number).ok(),
        Ok(number) => Timestamp::from_millisecond(number).ok(),
        Err(_) => text.trim().parse().ok(),
    }
}

/// Binds a request to the sender's own id of it: the same id with the same content gets the same answer.
pub(crate) fn repeatable(tenant: &Tenant, caller: &Caller, id: &str, content: &[u8]) -> Result<Repeatable, Refusal> {
    let hash = secret::keyed_hash(b"channel request", &[caller.subject.as_bytes(), id.as_bytes()]);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    let request_id = uuid::Builder::from_custom_bytes(bytes).into_uuid();
    bound(tenant, caller, request_id, content)
}

fn bound(tenant: &Tenant, caller: &Caller, request_id: Uuid, content: &[u8]) -> Result<Repeatable, Refusal> {
    let request_id = request_id.to_string();
    Repeatable::new(tenant, caller, "CreateFeedback", &request_id, &content.to_vec())?
        .ok_or_else(|| Refusal::fault(anyhow::anyhow!("a request id is missing")))
}

/// What the request breaks of the rules of its proto; gRPC's own codec checks the requests that come that way.
pub(crate) fn violations(asked: &Asked) -> Vec<Violation> {
    codec::violations(asked)
}

/// A violated field of the request as the sender knows it: its name, and where it stood.
pub(crate) fn place<'f>(fields: &'f Fields, field: &str) -> (String, Option<&'f str>) {
    let name = field.strip_prefix("feedback.").unwrap_or(field);
    let name = if name.starts_with("contact") {
        let given = CONTACTS.iter().find(|(contact, _)| fields.contains_key(contact));
        given.map_or(name, |(contact, _)| *contact)
    } else {
        name
    };
    let pointer = fields
        .get(name)
        .map(|given| given.pointer.as_str())
        .filter(|pointer| !pointer.is_empty());
    (name.to_owned(), pointer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_in_three_ways() {
        let expected: Timestamp = "2026-03-02T01:00:00Z".parse().unwrap();
        for said in [
            "2026-03-02T09:00:00+08:00",
            "1772413200",
            "1772413200000",
            " 1772413200 ",
        ] {
            assert_eq!(time(said), Some(expected), "{said}");
        }
        for said in [
            "yesterday",
            "",
            "99999999999999999999",
            "9223372036854775807",
            "-9223372036854775808",
        ] {
            assert_eq!(time(said), None, "{said}");
        }
    }
}
