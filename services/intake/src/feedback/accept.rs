//! From a checked draft to what is stored: the id, the token of the customer, the masked words, what is to be sealed, where it stands.

use std::collections::BTreeMap;

use huiyin_chassis::{Clock, Tenant, mask::mask, telemetry};

use crate::{
    feedback::domain::{Accepted, ContactHandling, Draft, Feedback, Secrets, Verbatim, identity},
    screening::{self, domain::Standing},
    validation::service::Admitted,
    vault::Vault,
};

/// Accepts a draft in the name of `author`; its number is given later.
pub(crate) fn accept(clock: &Clock, vault: &Vault, tenant: &Tenant, author: &str, admitted: Admitted) -> Accepted {
    let standing = screening::service::standing(&admitted);
    let Admitted {
        draft,
        handling,
        guidance,
        screening,
        ..
    } = admitted;
    let (mut feedback, verbatim) = masked_feedback(clock, vault, tenant, &draft);
    feedback.author = author.to_owned();
    feedback.traceparent = telemetry::current_traceparent();
    feedback.is_reachable = handling == ContactHandling::Encrypted;
    feedback.standing = standing;
    feedback.handling = handling;
    feedback.guidance = guidance;
    let contact = draft
        .contact
        .filter(|_| handling == ContactHandling::Encrypted)
        .map(|contact| contact.address.trim().to_owned());
    Accepted {
        repeats: screening::service::seek(&screening, &feedback),
        token: feedback.customer,
        feedback,
        secrets: Secrets { contact, verbatim },
        contact: None,
        sealed_verbatim: None,
    }
}

/// A draft as everybody would see it, stored or not.
pub(crate) fn seen(clock: &Clock, vault: &Vault, tenant: &Tenant, draft: &Draft) -> Feedback {
    masked_feedback(clock, vault, tenant, draft).0
}

fn masked_feedback(clock: &Clock, vault: &Vault, tenant: &Tenant, draft: &Draft) -> (Feedback, Verbatim) {
    let now = clock.now();
    let mut facts = draft.facts.clone();
    for attachment in &mut facts.attachments {
        attachment.note = mask(&attachment.note);
    }
    let mut verbatim_product = BTreeMap::new();
    for (name, text) in facts.product.texts_mut() {
        if !text.is_empty()
            && let (shown, Some(said)) = masked(text)
        {
            *text = shown;
            verbatim_product.insert(name.to_owned(), said);
        }
    }
    let (title, verbatim_title) = masked(&draft.title);
    let (description, verbatim_description) = masked(&draft.description);
    let (expectation, verbatim_expectation) = masked(&draft.expectation);
    let feedback = Feedback {
        id: clock.id(),
        number: String::new(),
        facts,
        title,
        description,
        expectation,
        // As long as nothing else is known: see `customer::known`.
        customer: identity(draft).map(|(kind, normal)| vault.customer(tenant, kind, &normal)),
        segments: Vec::new(),
        contact_kind: draft.contact.as_ref().map(|contact| contact.kind),
        occur_time: draft.occur_time.unwrap_or(now),
        create_time: now,
        author: String::new(),
        traceparent: String::new(),
        thread_of: None,
        is_reachable: false,
        standing: Standing::default(),
        handling: ContactHandling::NoContact,
        guidance: Vec::new(),
    };
    let verbatim = Verbatim {
        title: verbatim_title,
        description: verbatim_description,
        expectation: verbatim_expectation,
        product: verbatim_product,
    };
    (feedback, verbatim)
}

/// What is shown of a text and, where that is not all of it, the text.
fn masked(text: &str) -> (String, Option<String>) {
    let shown = mask(text);
    if shown == text {
        (shown, None)
    } else {
        (shown, Some(text.to_owned()))
    }
}
