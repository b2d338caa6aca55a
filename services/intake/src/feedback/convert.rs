//! Between what stands on the wire and what the room works with. From the wire: parsed, checked, or refused with every
//! violation.

use huiyin_chassis::{Caller, Refusal, Tenant, name, sql};
use huiyin_proto::{codec, intake::v1};
use jiff::Timestamp;
use prost::Message as _;

use crate::feedback::{
    domain::{self, Attachment, Contact, ContactKind, Draft, Facts, Feedback, Product, Violation},
    import::{Incoming, Item, Opening, Outcome, Settled},
    service::Watched,
};
use crate::{
    error::Error,
    events::{CUSTOMERS, FEEDBACKS},
};

/// The same, for several at once.
pub(crate) use v1::BatchCreateFeedbacksResponse as Answers;
/// What a caller is shown of a feedback; also what is kept as the answer to a request with an id.
pub(crate) use v1::Feedback as Answer;

/// The language that a customer is answered in where none is said.
const DEFAULT_LANGUAGE: &str = "zh-CN";
/// An answer of a watch is about so large: far below the 4 MiB that a client takes where nobody has told it to take more.
const PART_BYTES: usize = 1 << 20;
/// One message of an import has at most so many items.
const MOST_ITEMS: usize = 1000;

/// A feedback as it was handed in, checked. The rules of the proto have been kept already.
pub(crate) fn draft(feedback: v1::Feedback, path: &str, now: Timestamp) -> Result<Draft, Vec<Violation>> {
    let mut violations = Vec::new();
    let mut time = |field: &str, time: Option<&prost_types::Timestamp>| {
        let parsed = sql::from_proto(time);
        if time.is_some() && parsed.is_none() {
            violations.push((format!("{path}.{field}"), "is not a moment of this calendar".to_owned()));
        }
        parsed
    };
    let product = feedback.product.unwrap_or_default();
    let purchase_time = time("product.purchase_time", product.purchase_time.as_ref());
    let occur_time = time("occur_time", feedback.occur_time.as_ref());
    let contact = feedback.contact.and_then(|contact| {
        Some(Contact {
            kind: ContactKind::of(contact.kind)?,
            address: contact.address,
        })
    });
    let draft = Draft {
        facts: Facts {
            channel: feedback.channel,
            product: Product {
                model: product.model,
                batch: product.batch,
                purchase_channel: product.purchase_channel,
                purchase_time,
                order_number: product.order_number,
                device: product.device,
                software_version: product.software_version,
            },
            frequency: feedback.frequency,
            impact: feedback.impact,
            demand: feedback.demand,
            urgency: feedback.urgency,
            emotion_level: feedback.emotion_level,
            tier: feedback.tier,
            external_id: feedback.external_id,
            source: feedback.source,
            language: if feedback.language.is_empty() {
                DEFAULT_LANGUAGE.to_owned()
            } else {
                feedback.language
            },
            attachments: feedback
                .attachments
                .into_iter()
                .map(|attachment| Attachment {
                    uri: attachment.uri,
                    media_type: attachment.media_type,
                    note: attachment.note,
                })
                .collect(),
        },
        title: feedback.title,
        description: feedback.description,
        expectation: feedback.expectation,
        customer_reference: feedback.customer_reference,
        contact,
        occur_time,
    };
    violations.extend(domain::check(&draft, now, path));
    if violations.is_empty() {
        Ok(draft)
    } else {
        Err(violations)
    }
}

/// What a watcher is told, in answers that any client takes; `before` leads to the first of them. Until the last of them is
/// there, whoever comes back is told them all again.
pub(crate) fn watched(tenant: &Tenant, watched: Watched, before: &str) -> Vec<v1::WatchFeedbacksResponse> {
    let mut parts = vec![v1::WatchFeedbacksResponse {
        checkpoint: watched.feedbacks.is_empty(),
        feedbacks: Vec::new(),
        cursor: before.to_owned(),
    }];
    let mut bytes = 0;
    for feedback in watched.feedbacks {
        let feedback = answer(tenant, feedback);
        let size = feedback.encoded_len();
        if bytes + size > PART_BYTES && bytes > 0 {
            parts.push(v1::WatchFeedbacksResponse {
                cursor: before.to_owned(),
                ..Default::default()
            });
            bytes = 0;
        }
        bytes += size;
        if let Some(part) = parts.last_mut() {
            part.feedbacks.push(feedback);
        }
    }
    if let Some(last) = parts.last_mut() {
        last.cursor = watched.cursor;
    }
    parts
}

/// Several feedbacks, all of them checked.
///
/// # Errors
/// INVALID_ARGUMENT with every violation in any of them.
pub(crate) fn drafts(feedbacks: Vec<v1::Feedback>, now: Timestamp) -> Result<Vec<Draft>, Refusal> {
    let mut drafts = Vec::with_capacity(feedbacks.len());
    let mut violations = Vec::new();
    for (index, feedback) in feedbacks.into_iter().enumerate() {
        match draft(feedback, &format!("feedbacks[{index}]"), now) {
            Ok(draft) => drafts.push(draft),
            Err(more) => violations.extend(more),
        }
    }
    if violations.is_empty() {
        Ok(drafts)
    } else {
        Err(Refusal::invalid(violations))
    }
}

/// One message of an import. Items are checked one by one; what is wrong with one does not refuse the message.
///
/// # Errors
/// Where it both opens the import and carries items, has too many of them, or names a tenant that is not the caller's.
pub(crate) fn incoming(
    message: v1::ImportFeedbacksRequest,
    caller: &Caller,
    now: Timestamp,
) -> Result<Incoming, Refusal> {
    let v1::ImportFeedbacksRequest { opening, items } = message;
    if items.len() > MOST_ITEMS {
        return Err(Refusal::invalid_field("items", format!("must be at most {MOST_ITEMS}")));
    }
    if let Some(opening) = opening {
        if !items.is_empty() {
            return Err(Error::ImportNotOpen.into());
        }
        let tenant = name::parent(caller, &opening.parent)?;
        return Ok(Incoming::Opening(Opening {
            tenant,
            import_id: opening.import_id,
            validate_only: opening.validate_only,
        }));
    }
    Ok(Incoming::Items(items.into_iter().map(|new| item(new, now)).collect()))
}

fn item(item: v1::ImportItem, now: Timestamp) -> Item {
    let sequence = item.sequence;
    let violations = codec::violations(&item);
    let draft = match item.feedback {
        None => Err(vec![("feedback".to_owned(), "is required".to_owned())]),
        Some(_) if !violations.is_empty() => Err(violations),
        Some(feedback) => draft(feedback, "feedback", now),
    };
    Item { sequence, draft }
}

/// What became of the items of a message.
pub(crate) fn settled(tenant: &Tenant, settled: Settled) -> v1::ImportFeedbacksResponse {
    let result = |(sequence, outcome)| v1::ImportResult {
        sequence,
        outcome: Some(result(tenant, outcome)),
    };
    v1::ImportFeedbacksResponse {
        settled_through: settled.through,
        results: settled.results.into_iter().map(result).collect(),
    }
}

fn result(tenant: &Tenant, outcome: Outcome) -> v1::import_result::Outcome {
    match outcome {
        Outcome::Accepted(id) => {
            v1::import_result::Outcome::Feedback(id.map(|id| tenant.child(FEEDBACKS, id)).unwrap_or_default())
        }
        Outcome::SettledBefore => v1::import_result::Outcome::SettledBefore(true),
        Outcome::Refused(violations) => {
            let violations = violations
                .into_iter()
                .map(|(field, description)| v1::FieldViolation { field, description })
                .collect();
            v1::import_result::Outcome::Refusal(v1::ImportRefusal { violations })
        }
    }
}

/// A feedback as a caller is shown it: what only ever comes in is not in it.
pub(crate) fn answer(tenant: &Tenant, feedback: Feedback) -> Answer {
    let Feedback { facts, .. } = feedback;
    let product = facts.product;
    let product = (product != Product::default()).then(|| v1::ProductContext {
        model: product.model,
        batch: product.batch,
        purchase_channel: product.purchase_channel,
        purchase_time: product.purchase_time.map(sql::to_proto),
        order_number: product.order_number,
        device: product.device,
        software_version: product.software_version,
    });
    v1::Feedback {
        name: tenant.child(FEEDBACKS, feedback.id),
        number: feedback.number,
        channel: facts.channel,
        title: feedback.title,
        description: feedback.description,
        expectation: feedback.expectation,
        product,
        frequency: facts.frequency,
        impact: facts.impact,
        demand: facts.demand,
        urgency: facts.urgency,
        emotion_level: facts.emotion_level,
        tier: facts.tier,
        customer_reference: String::new(),
        customer: feedback
            .customer
            .map(|customer| tenant.child(CUSTOMERS, customer))
            .unwrap_or_default(),
        contact: None,
        contact_kind: feedback.contact_kind.map_or(0, |kind| kind as i32),
        external_id: facts.external_id,
        source: facts.source,
        language: facts.language,
        attachments: facts
            .attachments
            .into_iter()
            .map(|attachment| v1::AttachmentReference {
                uri: attachment.uri,
                media_type: attachment.media_type,
                note: attachment.note,
            })
            .collect(),
        occur_time: Some(sql::to_proto(feedback.occur_time)),
        create_time: Some(sql::to_proto(feedback.create_time)),
        author: feedback.author,
        segments: feedback.segments,
    }
}

/// An address for the service that delivers.
pub(crate) fn contact(contact: Contact) -> v1::Contact {
    v1::Contact {
        kind: contact.kind as i32,
        address: contact.address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kinds of a contact are those of the proto, and none is missing.
    #[test]
    fn the_kinds_of_a_contact_are_those_of_the_proto() {
        for number in 0..100 {
            assert_eq!(
                ContactKind::of(number).is_some(),
                number != 0 && v1::ContactKind::try_from(number).is_ok()
            );
        }
    }

    #[test]
    fn a_time_that_is_none_is_not_taken_for_a_missing_one() {
        let time = Some(prost_types::Timestamp {
            seconds: i64::MAX,
            nanos: -1,
        });
        let feedback = v1::Feedback {
            description: "坏了".to_owned(),
            occur_time: time,
            ..Default::default()
        };
        let violations = draft(feedback, "feedback", Timestamp::UNIX_EPOCH).err().unwrap();
        assert_eq!(violations.len(), 1);
        assert_eq!(violations[0].0, "feedback.occur_time");
    }
}
