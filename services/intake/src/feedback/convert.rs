//! Between what stands on the wire and what the room works with. From the wire: parsed, checked, or refused with every
//! violation.

use huiyin_chassis::{Caller, Refusal, Tenant, name, server::Language, sql};
use huiyin_proto::{codec, intake::v1, r#type::v1::Channel};
use prost::Message as _;
use uuid::Uuid;

use crate::feedback::{
    domain::{Attachment, Contact, ContactKind, Draft, Facts, Feedback, Product},
    import::{Incoming, Item, Opening, Outcome, Settled},
    service::Watched,
};
use crate::{
    error::Error,
    events::{ATTACHMENTS, CUSTOMERS, FEEDBACKS},
    screening,
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

/// A feedback as it was handed in; what breaks a rule of the tenant's is found later. The rules of the proto have been kept already.
pub(crate) fn draft(feedback: v1::Feedback) -> Draft {
    let mut no_moments = Vec::new();
    let mut time = |field: &'static str, time: Option<&prost_types::Timestamp>| {
        let parsed = sql::from_proto(time);
        if time.is_some() && parsed.is_none() {
            no_moments.push(field);
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
    Draft {
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
                    uploaded: uploaded(&attachment.attachment),
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
        no_moments,
        is_loop: false,
    }
}

/// The same of a feedback whose files are not uploaded yet: so many that nobody has stand for them.
pub(crate) fn draft_with(feedback: v1::Feedback, files: usize) -> Draft {
    let mut draft = draft(feedback);
    draft
        .facts
        .attachments
        .extend((1..).take(files).map(|number| Attachment {
            uri: String::new(),
            uploaded: Some(Uuid::from_u128(number)),
            media_type: String::new(),
            note: String::new(),
        }));
    draft
}

/// The id of an uploaded file; one that cannot be anybody's where the name is there and has none.
fn uploaded(name: &str) -> Option<Uuid> {
    let id = name.rsplit('/').next().filter(|id| !id.is_empty())?;
    Some(Uuid::try_parse(id).unwrap_or_default())
}

/// Refuses uploaded files of other tenants, which look as if they were not there.
///
/// # Errors
/// FAILED_PRECONDITION / ATTACHMENT_NOT_LINKABLE.
pub(crate) fn require_own<'f>(
    tenant: &Tenant,
    feedbacks: impl IntoIterator<Item = &'f v1::Feedback>,
) -> Result<(), Refusal> {
    let own = tenant.child(ATTACHMENTS, "");
    let mut references = feedbacks.into_iter().flat_map(|feedback| &feedback.attachments);
    match references.find(|reference| !reference.attachment.is_empty() && !reference.attachment.starts_with(&own)) {
        None => Ok(()),
        Some(foreign) => Err(Error::AttachmentNotLinkable {
            attachment: foreign.attachment.clone(),
        }
        .into()),
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

/// One message of an import. Items are checked one by one; what is wrong with one does not refuse the message.
///
/// # Errors
/// Where it both opens the import and carries items, has too many of them, or names a tenant that is not the caller's.
pub(crate) fn incoming(
    message: v1::ImportFeedbacksRequest,
    caller: &Caller,
    language: Language,
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
            language,
        }));
    }
    Ok(Incoming::Items(items.into_iter().map(item).collect()))
}

fn item(item: v1::ImportItem) -> Item {
    let sequence = item.sequence;
    let violations = codec::violations(&item);
    let draft = match item.feedback {
        None => Err(vec![("feedback".to_owned(), "is required".to_owned())]),
        Some(_) if !violations.is_empty() => Err(violations),
        Some(feedback)
            if feedback
                .attachments
                .iter()
                .any(|reference| !reference.attachment.is_empty()) =>
        {
            Err(vec![(
                "feedback.attachments".to_owned(),
                "must be URIs: files are uploaded for feedback that is created by itself".to_owned(),
            )])
        }
        Some(feedback) => Ok(draft(feedback)),
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
    let Feedback { facts, standing, .. } = feedback;
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
                attachment: attachment
                    .uploaded
                    .map(|id| tenant.child(ATTACHMENTS, id))
                    .unwrap_or_default(),
            })
            .collect(),
        occur_time: Some(sql::to_proto(feedback.occur_time)),
        create_time: Some(sql::to_proto(feedback.create_time)),
        author: feedback.author,
        thread_of: feedback
            .thread_of
            .map(|first| tenant.child(FEEDBACKS, first))
            .unwrap_or_default(),
        offline: is_offline(facts.channel),
        // Whoever handed it in is told, nobody else: see `Room::with_token`.
        status_token: String::new(),
        state: standing.state as i32,
        canonical: standing
            .canonical
            .map(|canonical| tenant.child(FEEDBACKS, canonical))
            .unwrap_or_default(),
        held: standing.held,
        findings: screening::convert::findings(tenant, &standing.findings),
        missing: screening::convert::missing(&standing.missing, feedback.guidance),
        contact_handling: feedback.handling as i32,
        state_reason: standing.reason,
        segments: feedback.segments,
    }
}

/// True for the channels that are marked as offline sources (离线来源, 000-13).
fn is_offline(channel: i32) -> bool {
    matches!(
        Channel::try_from(channel),
        Ok(Channel::Store | Channel::Paper | Channel::CustomerMeeting)
    )
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
        assert_eq!(draft(feedback).no_moments, ["occur_time"]);
    }
}
