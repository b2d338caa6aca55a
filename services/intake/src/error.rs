//! Why intake refuses, beyond what every service refuses for.

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
    /// The identity leads to another customer.
    #[error("the identity does not lead to {customer}")]
    IdentityNotLinked {
        /// The customer that it should be taken from.
        customer: String,
    },
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
            Error::IdentityNotLinked { customer } => {
                refusal(Code::FailedPrecondition, ErrorReason::IdentityNotLinked).with("customer", customer)
            }
            Error::ImportNotOpen => refusal(Code::FailedPrecondition, ErrorReason::ImportNotOpen),
        }
    }
}
