//! Why intake refuses, beyond what every service refuses for.

use std::time::Duration;

use huiyin_chassis::Refusal;
use huiyin_proto::intake::v1::ErrorReason;
use tonic::Code;

/// A refusal of intake's own.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The tenant has a feedback of this source and external id.
    #[error("there is a feedback with external id {external_id} already: {feedback}")]
    ExternalIdTaken {
        /// The external id.
        external_id: String,
        /// The name of the feedback that has it.
        feedback: String,
    },
    /// The first message of an import must open it, and no other may.
    #[error("an import begins with its opening, and has one only")]
    ImportNotOpen,
    /// What was sent is not signed by its source, or its time is too far from ours.
    #[error("the signature is missing or not valid: {0}")]
    SignatureInvalid(&'static str),
    /// The source takes nothing in.
    #[error("{source_name} is disabled")]
    SourceDisabled {
        /// The name of the source.
        source_name: String,
    },
    /// The source sends too often.
    #[error("{source_name} sends too often")]
    SourceTooFast {
        /// The name of the source.
        source_name: String,
        /// When it may send again.
        retry_after: Duration,
    },
    /// The body is not what its content type says.
    #[error("the body cannot be read: {0}")]
    BodyUnreadable(String),
    /// A page of another origin sent from a browser.
    #[error("pages of {0} may not send to this source")]
    OriginForbidden(String),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        let refusal =
            |code, reason: ErrorReason| Refusal::new(code, "huiyin.intake", reason.as_str_name(), message.clone());
        match error {
            Error::ExternalIdTaken { external_id, feedback } => {
                refusal(Code::AlreadyExists, ErrorReason::ExternalIdTaken)
                    .with("external_id", external_id)
                    .with("feedback", feedback)
            }
            Error::ImportNotOpen => refusal(Code::FailedPrecondition, ErrorReason::ImportNotOpen),
            Error::SignatureInvalid(problem) => {
                refusal(Code::Unauthenticated, ErrorReason::SignatureInvalid).with("problem", problem)
            }
            Error::SourceDisabled { source_name } => {
                refusal(Code::FailedPrecondition, ErrorReason::SourceDisabled).with("source", source_name)
            }
            Error::SourceTooFast {
                source_name,
                retry_after,
            } => refusal(Code::ResourceExhausted, ErrorReason::SourceTooFast)
                .with("source", source_name)
                .after(retry_after),
            Error::BodyUnreadable(problem) => {
                refusal(Code::InvalidArgument, ErrorReason::BodyUnreadable).with("problem", problem)
            }
            Error::OriginForbidden(origin) => {
                refusal(Code::PermissionDenied, ErrorReason::OriginForbidden).with("origin", origin)
            }
        }
    }
}
