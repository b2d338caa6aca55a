//! The events that intake tells: feedback was accepted, a customer was erased. It consumes none.

use huiyin_chassis::{Tenant, sql};
use huiyin_events::{NewEvent, Payload};
use huiyin_proto::{
    event::v1::{CustomerErased, FeedbackSubmitted},
    intake::v1::Demand,
    r#type::v1::FeedbackDigest,
};

use crate::{
    erasure::{convert::ERASURES, store::Erasure},
    feedback::domain::Feedback,
};

/// The collection in the names of feedbacks.
pub(crate) const FEEDBACKS: &str = "feedbacks";
/// The collection in the names of customers.
pub(crate) const CUSTOMERS: &str = "customers";

/// A feedback was accepted and stored.
pub(crate) fn submitted(tenant: &Tenant, feedback: &Feedback) -> NewEvent {
    let Feedback { facts, .. } = feedback;
    let subject = tenant.child(FEEDBACKS, feedback.id);
    let digest = FeedbackDigest {
        feedback: subject.clone(),
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
        reachable: feedback.contact_kind.is_some(),
    };
    let text: Vec<&str> = [&feedback.title, &feedback.description, &feedback.expectation]
        .into_iter()
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    NewEvent {
        subject,
        actor: feedback.author.clone(),
        payload: Payload::FeedbackSubmitted(FeedbackSubmitted {
            feedback: Some(digest),
            text: text.join("\n"),
            stated_impact: facts.impact,
            stated_urgency: facts.urgency,
            emotion_level: facts.emotion_level,
            demand: demand(facts.demand),
            segments: feedback.segments.clone(),
        }),
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
