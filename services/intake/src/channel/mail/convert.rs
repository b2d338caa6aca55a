//! From a letter to the request that `CreateFeedback` takes.

use huiyin_chassis::{Tenant, sql};
use huiyin_proto::intake::v1::{Contact, ContactKind, Feedback};
use jiff::Timestamp;

use super::domain::Letter;
use crate::channel::{
    convert::{self, Asked},
    fields::{Fields, Given},
    source::domain::Source,
};
use crate::feedback::domain::Violation;

/// The request that a letter makes. The fields that are the same for all mails of the source are those of the source; the
/// customer is known by the address, at which they are also told the result.
///
/// # Errors
/// Every value of the source's fixed fields that is not one of its field's.
pub(crate) fn asked(
    tenant: &Tenant,
    source: &Source,
    letter: &Letter,
    now: Timestamp,
) -> Result<Asked, Vec<Violation>> {
    let mut fields = Fields::new();
    for name in crate::channel::fields::NAMES {
        if let Some((_, value)) = source.fixed_fields.iter().find(|(field, _)| field == name) {
            let (value, pointer) = (value.clone(), String::new());
            fields.insert(name, Given { value, pointer });
        }
    }
    let mut asked = convert::asked(tenant, source, &fields)?;
    let feedback = asked.feedback.get_or_insert_with(Feedback::default);
    if feedback.title.is_empty() {
        feedback.title.clone_from(&letter.title);
    }
    if feedback.contact.is_none() && !letter.sender.is_empty() {
        feedback.contact = Some(Contact {
            kind: ContactKind::Email.into(),
            address: letter.sender.clone(),
        });
    }
    // A clock that is ahead does not make a mail unwelcome.
    let written = letter.date.filter(|date| *date <= now && *date > Timestamp::UNIX_EPOCH);
    feedback.occur_time = feedback.occur_time.or(written.map(sql::to_proto));
    Ok(asked)
}

/// Has the request say this.
pub(crate) fn describe(asked: &mut Asked, description: String) {
    if let Some(feedback) = &mut asked.feedback {
        feedback.description = description;
    }
}

/// The same request without an address: what stood there was none.
pub(crate) fn without_contact(mut asked: Asked) -> Asked {
    if let Some(feedback) = &mut asked.feedback {
        feedback.contact = None;
    }
    asked
}
