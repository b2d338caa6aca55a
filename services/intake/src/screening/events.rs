//! What screening tells the other services.

use huiyin_chassis::Tenant;
use huiyin_events::{NewEvent, Payload};
use huiyin_proto::{
    event::v1::{FeedbackMerged, FeedbackQuarantined, FeedbackReleased, FeedbackUnmerged},
    intake::v1::FindingKind,
};
use uuid::Uuid;

use crate::{
    events::{FEEDBACKS, digest},
    feedback::domain::Feedback,
};

/// A feedback was set aside, by screening where nobody gives a reason.
pub(crate) fn quarantined(tenant: &Tenant, feedback: &Feedback, actor: &str, reason: &str) -> NewEvent {
    let standing = &feedback.standing;
    let name = |kind: i32| {
        let kind = FindingKind::try_from(kind).unwrap_or_default();
        kind.as_str_name().trim_start_matches("FINDING_KIND_").to_owned()
    };
    let findings = if reason.is_empty() {
        standing
            .findings
            .iter()
            .map(|finding| name(finding.kind as i32))
            .collect()
    } else {
        Vec::new()
    };
    event(
        tenant,
        feedback,
        actor,
        Payload::FeedbackQuarantined(FeedbackQuarantined {
            feedback: Some(digest(tenant, feedback)),
            findings,
            reason: reason.to_owned(),
            held: standing.held,
        }),
    )
}

/// A feedback was let go; `held` says that its submission follows.
pub(crate) fn released(tenant: &Tenant, feedback: &Feedback, actor: &str, held: bool) -> NewEvent {
    event(
        tenant,
        feedback,
        actor,
        Payload::FeedbackReleased(FeedbackReleased {
            feedback: Some(digest(tenant, feedback)),
            reason: feedback.standing.reason.clone(),
            held,
        }),
    )
}

/// A feedback was merged into another.
pub(crate) fn merged(tenant: &Tenant, feedback: &Feedback, actor: &str, canonical: Uuid) -> NewEvent {
    event(
        tenant,
        feedback,
        actor,
        Payload::FeedbackMerged(FeedbackMerged {
            feedback: Some(digest(tenant, feedback)),
            canonical: tenant.child(FEEDBACKS, canonical),
            reason: feedback.standing.reason.clone(),
        }),
    )
}

/// A merge was taken back.
pub(crate) fn unmerged(tenant: &Tenant, feedback: &Feedback, actor: &str, canonical: Uuid, reason: &str) -> NewEvent {
    event(
        tenant,
        feedback,
        actor,
        Payload::FeedbackUnmerged(FeedbackUnmerged {
            feedback: Some(digest(tenant, feedback)),
            canonical: tenant.child(FEEDBACKS, canonical),
            reason: reason.to_owned(),
        }),
    )
}

fn event(tenant: &Tenant, feedback: &Feedback, actor: &str, payload: Payload) -> NewEvent {
    NewEvent {
        subject: tenant.child(FEEDBACKS, feedback.id),
        actor: actor.to_owned(),
        payload,
    }
}
