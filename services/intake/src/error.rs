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
    /// The first message of an upload must open it, and no other may.
    #[error("an upload begins with its opening, and has one only")]
    UploadNotOpen,
    /// A file is too large.
    #[error("the file has more than {limit} bytes")]
    AttachmentTooLarge {
        /// How many bytes a file may have.
        limit: u64,
    },
    /// A file is of a type that is not taken.
    #[error("files of type {media_type} are not taken")]
    AttachmentTypeRefused {
        /// What its bytes are.
        media_type: String,
    },
    /// Other bytes arrived than the caller said.
    #[error("the bytes do not have the SHA-256 that was said")]
    AttachmentHashMismatch,
    /// The tenant has uploaded as much as it may in a day.
    #[error("no more than {limit} bytes can be uploaded in a day")]
    AttachmentQuotaExceeded {
        /// How many bytes a day has.
        limit: u64,
    },
    /// The scanner has not looked at a file yet.
    #[error("the file has not been scanned yet")]
    AttachmentNotScanned,
    /// A file holds malware.
    #[error("the file holds malware: {signature}")]
    AttachmentInfected {
        /// What the scanner calls it.
        signature: String,
    },
    /// A file that a feedback comes with is not there, or belongs to another.
    #[error("{attachment} is not there, or belongs to another feedback")]
    AttachmentNotLinkable {
        /// The name of the file.
        attachment: String,
    },
    /// No feedback has this number and token.
    #[error("no feedback has this number and token")]
    StatusUnknown,
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
            Error::UploadNotOpen => refusal(Code::FailedPrecondition, ErrorReason::UploadNotOpen),
            Error::AttachmentTooLarge { limit } => {
                refusal(Code::InvalidArgument, ErrorReason::AttachmentTooLarge).with("limit_bytes", limit.to_string())
            }
            Error::AttachmentTypeRefused { media_type } => {
                refusal(Code::InvalidArgument, ErrorReason::AttachmentTypeRefused).with("media_type", media_type)
            }
            Error::AttachmentHashMismatch => refusal(Code::InvalidArgument, ErrorReason::AttachmentHashMismatch),
            Error::AttachmentQuotaExceeded { limit } => {
                refusal(Code::ResourceExhausted, ErrorReason::AttachmentQuotaExceeded)
                    .with("limit_bytes", limit.to_string())
            }
            Error::AttachmentNotScanned => refusal(Code::FailedPrecondition, ErrorReason::AttachmentNotScanned),
            Error::AttachmentInfected { signature } => {
                refusal(Code::FailedPrecondition, ErrorReason::AttachmentInfected).with("signature", signature)
            }
            Error::AttachmentNotLinkable { attachment } => {
                refusal(Code::FailedPrecondition, ErrorReason::AttachmentNotLinkable).with("attachment", attachment)
            }
            Error::StatusUnknown => refusal(Code::NotFound, ErrorReason::StatusUnknown),
        }
    }
}
