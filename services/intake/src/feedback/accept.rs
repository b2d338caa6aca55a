//! From a checked draft to what is stored: the id, the token of the customer, the masked words, and what is to be sealed.

use huiyin_chassis::{Clock, Tenant, mask::mask, telemetry};

use crate::feedback::domain::{Accepted, Draft, Feedback, Secrets, Verbatim, identity};
use crate::vault::Vault;

/// Accepts a draft in the name of `author`; its number is given later.
pub(crate) fn accept(clock: &Clock, vault: &Vault, tenant: &Tenant, author: &str, draft: Draft) -> Accepted {
    let id = clock.id();
    let now = clock.now();
    let token = identity(&draft).map(|(kind, normal)| vault.customer(tenant, kind, &normal));
    let contact_kind = draft.contact.as_ref().map(|contact| contact.kind);
    let contact = draft.contact.map(|contact| contact.address.trim().to_owned());
    let mut facts = draft.facts;
    for attachment in &mut facts.attachments {
        attachment.note = mask(&attachment.note);
    }
    let (title, verbatim_title) = masked(draft.title);
    let (description, verbatim_description) = masked(draft.description);
    let (expectation, verbatim_expectation) = masked(draft.expectation);
    Accepted {
        feedback: Feedback {
            id,
            number: String::new(),
            facts,
            title,
            description,
            expectation,
            // As long as nothing else is known: see `customer::known`.
            customer: token,
            segments: Vec::new(),
            contact_kind,
            occur_time: draft.occur_time.unwrap_or(now),
            create_time: now,
            author: author.to_owned(),
        },
        token,
        secrets: Secrets {
            contact,
            verbatim: Verbatim {
                title: verbatim_title,
                description: verbatim_description,
                expectation: verbatim_expectation,
            },
        },
        contact: None,
        sealed_verbatim: None,
        traceparent: telemetry::current_traceparent(),
    }
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
