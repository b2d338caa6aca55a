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

/// Model and batch stay: they name a thing, were masked on their way in, and reports count on by them.
fn feedback(digest: &mut FeedbackDigest) {
    digest.customer.clear();
    digest.reachable = false;
}

/// The feedback that an event is about; none where it is about none, or many.
pub(crate) fn digest(payload: &Payload) -> Option<&FeedbackDigest> {
    let order = match payload {
        Payload::FeedbackSubmitted(said) => return said.feedback.as_ref(),
        Payload::FeedbackQuarantined(said) => return said.feedback.as_ref(),
        Payload::FeedbackReleased(said) => return said.feedback.as_ref(),
        Payload::FeedbackMerged(said) => return said.feedback.as_ref(),
        Payload::FeedbackUnmerged(said) => return said.feedback.as_ref(),
        Payload::FeedbackClassified(said) => return said.feedback.as_ref(),
        // A problem is about many, and its event carries no words.
        Payload::CustomerErased(_) | Payload::MessageSettled(_) | Payload::ProblemChanged(_) => return None,
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
        Payload::FeedbackQuarantined(said) => {
            said.reason.clear();
            said.feedback.iter_mut().for_each(feedback);
            return;
        }
        Payload::FeedbackReleased(said) => {
            said.reason.clear();
            said.feedback.iter_mut().for_each(feedback);
            return;
        }
        Payload::FeedbackMerged(said) => {
            said.reason.clear();
            said.feedback.iter_mut().for_each(feedback);
            return;
        }
        Payload::FeedbackUnmerged(said) => {
            said.reason.clear();
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
        Payload::CustomerErased(_) | Payload::MessageSettled(_) | Payload::ProblemChanged(_) => return,
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

#[cfg(test)]
mod tests {
    use huiyin_proto::event::v1::{
        FeedbackClassified, FeedbackMerged, FeedbackQuarantined, FeedbackReleased, FeedbackSubmitted, FeedbackUnmerged,
        MessageSettled, ProblemChanged, SlaClockMarked, SurveyAnswered, SurveyInvited, WorkOrderAssigned,
        WorkOrderOpened, WorkOrderProgressed, WorkOrderRetargeted, WorkOrderTransitioned,
    };
    use prost::Message as _;

    use super::*;

    const WORDS: &str = "紫色的雨伞";
    const CUSTOMER: &str = "tenants/acme/customers/1";

    fn events() -> Vec<Event> {
        let feedback = Some(FeedbackDigest {
            feedback: "tenants/acme/feedbacks/1".to_owned(),
            customer: CUSTOMER.to_owned(),
            reachable: true,
            ..FeedbackDigest::default()
        });
        let work_order = Some(WorkOrderDigest {
            feedback: feedback.clone(),
            excerpt: WORDS.to_owned(),
            ..WorkOrderDigest::default()
        });
        let words = || WORDS.to_owned();
        let payloads = [
            Payload::FeedbackSubmitted(FeedbackSubmitted {
                feedback: feedback.clone(),
                text: words(),
                ..Default::default()
            }),
            Payload::FeedbackQuarantined(FeedbackQuarantined {
                feedback: feedback.clone(),
                reason: words(),
                ..Default::default()
            }),
            Payload::FeedbackReleased(FeedbackReleased {
                feedback: feedback.clone(),
                reason: words(),
                ..Default::default()
            }),
            Payload::FeedbackMerged(FeedbackMerged {
                feedback: feedback.clone(),
                reason: words(),
                ..Default::default()
            }),
            Payload::FeedbackUnmerged(FeedbackUnmerged {
                feedback: feedback.clone(),
                reason: words(),
                ..Default::default()
            }),
            Payload::FeedbackClassified(FeedbackClassified {
                feedback,
                excerpt: words(),
                basis: words(),
                ..Default::default()
            }),
            Payload::WorkOrderOpened(WorkOrderOpened {
                work_order: work_order.clone(),
                ..Default::default()
            }),
            Payload::WorkOrderAssigned(WorkOrderAssigned {
                work_order: work_order.clone(),
                reason: words(),
                ..Default::default()
            }),
            Payload::WorkOrderTransitioned(WorkOrderTransitioned {
                work_order: work_order.clone(),
                reason: words(),
                resolution: words(),
                ..Default::default()
            }),
            Payload::WorkOrderProgressed(WorkOrderProgressed {
                work_order: work_order.clone(),
                customer_text: words(),
                ..Default::default()
            }),
            Payload::WorkOrderRetargeted(WorkOrderRetargeted {
                work_order: work_order.clone(),
                ..Default::default()
            }),
            Payload::SlaClockMarked(SlaClockMarked {
                work_order: work_order.clone(),
                ..Default::default()
            }),
            Payload::SurveyInvited(SurveyInvited {
                work_order: work_order.clone(),
                ..Default::default()
            }),
            Payload::SurveyAnswered(SurveyAnswered {
                work_order,
                reason: words(),
                satisfaction: 4.5,
                ..Default::default()
            }),
        ];
        payloads
            .into_iter()
            .map(|payload| Event {
                payload: Some(payload),
                ..Event::default()
            })
            .collect()
    }

    fn holds(event: &Event, text: &str) -> bool {
        let bytes = event.encode_to_vec();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    }

    /// 001-81: neither words nor pseudonym are left in any kind of event; what was counted is.
    #[test]
    fn what_is_stripped_names_and_quotes_nobody() {
        for mut said in events() {
            assert!(holds(&said, WORDS) && holds(&said, CUSTOMER));
            let mut others = said.clone();
            assert!(!event(&mut others, |name| name == "tenants/acme/customers/2"));
            assert_eq!(others, said, "another customer's");
            assert!(event(&mut said, |name| name == CUSTOMER));
            assert!(!holds(&said, WORDS) && !holds(&said, CUSTOMER), "{said:?}");
            assert!(holds(&said, "tenants/acme/feedbacks/1"));
            assert!(!event(&mut said, |_| true), "again changes nothing");
        }
    }

    #[test]
    fn an_event_about_nobody_stays() {
        let mut settled = Event {
            payload: Some(Payload::MessageSettled(MessageSettled::default())),
            ..Event::default()
        };
        assert!(!event(&mut settled, |_| true));
        let mut changed = Event {
            payload: Some(Payload::ProblemChanged(ProblemChanged {
                added_feedbacks: vec!["tenants/acme/feedbacks/1".to_owned()],
                ..Default::default()
            })),
            ..Event::default()
        };
        assert!(!event(&mut changed, |_| true), "a problem is many customers'");
        assert!(!event(&mut Event::default(), |_| true));
    }
}
