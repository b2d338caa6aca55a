//! What of an event names or quotes a customer, and the event without it.

use huiyin_proto::{
    event::v1::{Event, WorkOrderDigest, event::Payload},
    r#type::v1::FeedbackDigest,
};

/// The names of the customer and the feedback that an event is about; none where it is about neither.
pub(crate) fn about(event: &Event) -> impl Iterator<Item = &str> {
    let digest = event.payload.as_ref().and_then(digest);
    digest
        .into_iter()
        .flat_map(|digest| [digest.customer.as_str(), digest.feedback.as_str()])
        .filter(|name| !name.is_empty())
}

/// Takes text and pseudonym out of an event that is about somebody erased; false where it is not, or had neither.
pub(crate) fn event(event: &mut Event, is_erased: impl Fn(&str) -> bool) -> bool {
    if !about(event).any(is_erased) {
        return false;
    }
    let before = event.clone();
    if let Some(payload) = &mut event.payload {
        strip(payload);
    }
    *event != before
}

/// Takes text and pseudonym out of a work order's digest, for rooms that keep one.
pub fn work_order(order: &mut WorkOrderDigest) {
    order.excerpt.clear();
    if let Some(digest) = &mut order.feedback {
        feedback(digest);
    }
}

fn feedback(digest: &mut FeedbackDigest) {
    digest.customer.clear();
    digest.reachable = false;
}

fn digest(payload: &Payload) -> Option<&FeedbackDigest> {
    let order = match payload {
        Payload::FeedbackSubmitted(said) => return said.feedback.as_ref(),
        Payload::FeedbackClassified(said) => return said.feedback.as_ref(),
        Payload::CustomerErased(_) | Payload::MessageSettled(_) => return None,
        Payload::WorkOrderOpened(said) => &said.work_order,
        Payload::WorkOrderAssigned(said) => &said.work_order,
        Payload::WorkOrderTransitioned(said) => &said.work_order,
        Payload::WorkOrderProgressed(said) => &said.work_order,
        Payload::WorkOrderRetargeted(said) => &said.work_order,
        Payload::SlaClockMarked(said) => &said.work_order,
        Payload::SurveyInvited(said) => &said.work_order,
        Payload::SurveyAnswered(said) => &said.work_order,
    };
    order.as_ref().and_then(|order| order.feedback.as_ref())
}

/// Every kind of event is named here: a new one does not compile until it is said what of it is text of or about a customer.
fn strip(payload: &mut Payload) {
    let order = match payload {
        Payload::FeedbackSubmitted(said) => {
            said.text.clear();
            said.feedback.iter_mut().for_each(feedback);
            return;
        }
        Payload::FeedbackClassified(said) => {
            said.excerpt.clear();
            // It quotes the words that spoke for the category.
            said.basis.clear();
            said.feedback.iter_mut().for_each(feedback);
            return;
        }
        Payload::CustomerErased(_) | Payload::MessageSettled(_) => return,
        Payload::WorkOrderOpened(said) => &mut said.work_order,
        Payload::WorkOrderAssigned(said) => {
            said.reason.clear();
            &mut said.work_order
        }
        Payload::WorkOrderTransitioned(said) => {
            said.reason.clear();
            said.resolution.clear();
            &mut said.work_order
        }
        Payload::WorkOrderProgressed(said) => {
            said.customer_text.clear();
            &mut said.work_order
        }
        Payload::WorkOrderRetargeted(said) => &mut said.work_order,
        Payload::SlaClockMarked(said) => &mut said.work_order,
        Payload::SurveyInvited(said) => &mut said.work_order,
        Payload::SurveyAnswered(said) => {
            said.reason.clear();
            &mut said.work_order
        }
    };
    order.iter_mut().for_each(work_order);
}
