//! From a checked draft to what is stored: the id, the pseudonym, the sealed address, the masked words.

use huiyin_chassis::{Clock, Refusal, Tenant, mask::mask, telemetry};

use crate::feedback::domain::{Accepted, Draft, Feedback, Verbatim, identity};
use crate::vault::Vault;

/// Accepts a draft in the name of `author`; its number is given later.
pub(crate) fn accept(
    clock: &Clock,
    vault: &Vault,
    tenant: &Tenant,
    author: &str,
    draft: Draft,
) -> Result<Accepted, Refusal> {
    let id = clock.id();
    let now = clock.now();
    let customer = identity(&draft).map(|(kind, normal)| vault.customer(tenant, kind, &normal));
    let contact_kind = draft.contact.as_ref().map(|contact| contact.kind);
    let contact = draft
        .contact
        .map(|contact| vault.seal(tenant, id, contact.address.trim()))
        .transpose()?;
    let mut facts = draft.facts;
    for attachment in &mut facts.attachments {
        attachment.note = mask(&attachment.note);
    }
    let (title, verbatim_title) = masked(draft.title);
    let (description, verbatim_description) = masked(draft.description);
    let (expectation, verbatim_expectation) = masked(draft.expectation);
    Ok(Accepted {
        feedback: Feedback {
            id,
            number: String::new(),
            facts,
            title,
            description,
            expectation,
            customer,
            contact_kind,
            occur_time: draft.occur_time.unwrap_or(now),
            create_time: now,
            author: author.to_owned(),
            thread_of: None,
        },
        verbatim: Verbatim {
            title: verbatim_title,
            description: verbatim_description,
            expectation: verbatim_expectation,
        },
        contact,
        traceparent: telemetry::current_traceparent(),
    })
}

/// What is shown of a text and, where that is not all of it, the text.
fn masked(text: String) -> (String, Option<String>) {
    let shown = mask(&text);
    if shown == text {
        (shown, None)
    } else {
        (shown, Some(text))
    }
}
