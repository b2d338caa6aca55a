//! What screening says, on the wire.

use huiyin_chassis::Tenant;
use huiyin_proto::intake::v1;

use super::{
    domain::{Aspect, Finding},
    service::Similar,
};
use crate::events::FEEDBACKS;

/// What was found.
pub(crate) fn findings(tenant: &Tenant, findings: &[Finding]) -> Vec<v1::Finding> {
    findings
        .iter()
        .map(|finding| v1::Finding {
            kind: finding.kind as i32,
            reasons: finding.reasons.iter().map(|reason| *reason as i32).collect(),
            feedback: finding
                .feedback
                .map(|id| tenant.child(FEEDBACKS, id))
                .unwrap_or_default(),
        })
        .collect()
}

/// What is missing, each with the words that ask for it, as far as there are any.
pub(crate) fn missing(missing: &[Aspect], words: Vec<String>) -> Vec<v1::MissingDetail> {
    let words = words.into_iter().map(Some).chain(std::iter::repeat(None));
    missing
        .iter()
        .zip(words)
        .map(|(aspect, words)| v1::MissingDetail {
            aspect: *aspect as i32,
            guidance: words.unwrap_or_default(),
        })
        .collect()
}

/// What says nearly the same.
pub(crate) fn similar(tenant: &Tenant, similar: Vec<Similar>) -> Vec<v1::SimilarFeedback> {
    similar
        .into_iter()
        .map(|near| v1::SimilarFeedback {
            feedback: tenant.child(FEEDBACKS, near.id),
            relation: near.relation as i32,
            similarity: near.similarity,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screening::domain::{FindingKind, Reason, State, nearness::Relation};

    /// Numbers that are stored and sent mean the same on both sides.
    #[test]
    fn the_numbers_of_the_domain_are_those_of_the_proto() {
        for number in 1..100 {
            assert_eq!(Aspect::of(number).is_some(), v1::Aspect::try_from(number).is_ok());
            assert_eq!(Relation::of(number).is_some(), v1::Relation::try_from(number).is_ok());
        }
        assert_eq!(State::Quarantined as i32, v1::FeedbackState::Quarantined as i32);
        assert_eq!(State::Duplicate as i32, v1::FeedbackState::Duplicate as i32);
        assert_eq!(FindingKind::Duplicate as i32, v1::FindingKind::Duplicate as i32);
        assert_eq!(FindingKind::Irrelevant as i32, v1::FindingKind::Irrelevant as i32);
        assert_eq!(
            Reason::SameFingerprint as i32,
            v1::FindingReason::SameFingerprint as i32
        );
        assert_eq!(Reason::NoWords as i32, v1::FindingReason::NoWords as i32);
    }
}
