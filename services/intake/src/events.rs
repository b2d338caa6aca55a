//! The events that intake tells: feedback was accepted, a customer was erased; what screening tells stands in its folder. And what
//! it does with those of the scheduler: customers see how their feedback stands.

use huiyin_chassis::{Refusal, Tenant, Transaction, name, sql};
use huiyin_events::{Consume, Erased, Event, NewEvent, Payload, Whose};
use huiyin_proto::{
    event::v1::{CustomerErased, FeedbackSubmitted},
    intake::v1::Demand,
    r#type::v1::FeedbackDigest,
};
use uuid::Uuid;

use crate::{
    erasure::{convert::ERASURES, store::Erasure},
    feedback::domain::Feedback,
    room::Room,
    status,
};

/// The collection in the names of feedbacks.
pub(crate) const FEEDBACKS: &str = "feedbacks";
/// The collection in the names of customers.
pub(crate) const CUSTOMERS: &str = "customers";
/// The collection in the names of uploaded files.
pub(crate) const ATTACHMENTS: &str = "attachments";

impl Consume for Room {
    async fn consume(&self, tx: &mut Transaction, event: &Event) -> Result<(), Refusal> {
        let tenant = Tenant::stored(&event.tenant)?;
        let at = sql::from_proto(event.occur_time.as_ref());
        status::service::told(tx, &tenant, event, at.unwrap_or_else(|| self.ledger.clock.now())).await
    }

    /// Feedbacks and what hangs on them, of a customer whose keys are gone already: see `erasure::service`.
    async fn erase(&self, tx: &mut Transaction, whose: &Whose) -> Result<Erased, Refusal> {
        let feedbacks: Vec<Uuid> = whose
            .feedbacks
            .iter()
            .map(|feedback| name::stored_uuid(feedback))
            .collect::<Result<_, _>>()?;
        self.erase_around(tx, &whose.tenant, &feedbacks).await
    }

    /// Intake hands out what it holds itself: see `erasure::export`.
    async fn export(&self, _: &mut Transaction, _: &Whose) -> Result<Vec<String>, Refusal> {
        Ok(Vec::new())
    }
}

/// A feedback was accepted and stored.
pub(crate) fn submitted(tenant: &Tenant, feedback: &Feedback) -> NewEvent {
    let Feedback { facts, .. } = feedback;
    let text: Vec<&str> = [&feedback.title, &feedback.description, &feedback.expectation]
        .into_iter()
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    NewEvent {
        subject: tenant.child(FEEDBACKS, feedback.id),
        actor: feedback.author.clone(),
        payload: Payload::FeedbackSubmitted(FeedbackSubmitted {
            feedback: Some(digest(tenant, feedback)),
            text: text.join("\n"),
            stated_impact: facts.impact,
            stated_urgency: facts.urgency,
            emotion_level: facts.emotion_level,
            demand: demand(facts.demand),
            segments: feedback.segments.clone(),
        }),
    }
}

/// What every room may know of a feedback.
pub(crate) fn digest(tenant: &Tenant, feedback: &Feedback) -> FeedbackDigest {
    let Feedback { facts, .. } = feedback;
    FeedbackDigest {
        feedback: tenant.child(FEEDBACKS, feedback.id),
        number: feedback.number.clone(),
        channel: facts.channel,
        customer: feedback
            .customer
            .map(|customer| tenant.child(CUSTOMERS, customer))
            .unwrap_or_default(),
        tier: facts.tier,
        product_model: facts.product.model.clone(),
        batch: facts.product.batch.clone(),
        occur_time: Some(sql::to_proto(feedback.occur_time)),
        receive_time: Some(sql::to_proto(feedback.create_time)),
        language: facts.language.clone(),
        reachable: feedback.is_reachable,
        traceparent: feedback.traceparent.clone(),
    }
}

/// A customer was erased in every service.
pub(crate) fn erased(tenant: &Tenant, erasure: &Erasure) -> NewEvent {
    NewEvent {
        subject: tenant.child(CUSTOMERS, erasure.customer),
        actor: erasure.author.clone(),
        payload: Payload::CustomerErased(CustomerErased {
            erasure: tenant.child(ERASURES, erasure.id),
            customers: erasure.customers.iter().map(|id| tenant.child(CUSTOMERS, id)).collect(),
        }),
    }
}

/// The name of what the customer asks for, without its prefix; empty where nothing was said.
fn demand(number: i32) -> String {
    match Demand::try_from(number) {
        Ok(Demand::Unspecified) | Err(_) => String::new(),
        Ok(demand) => demand.as_str_name().trim_start_matches("DEMAND_").to_owned(),
    }
}
