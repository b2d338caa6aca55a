//! What this room refuses for reasons of its own; all else is a [`Refusal`] of the chassis.

use huiyin_chassis::Refusal;
use huiyin_proto::survey::v1::ErrorReason;
use jiff::Timestamp;
use tonic::Code;

/// Why a token is of no use (any more).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// It belongs to no invitation, or is no token at all: not to be told apart.
    #[error("the token belongs to no invitation")]
    TokenUnknown,
    /// It was used.
    #[error("the invitation was answered already")]
    Answered,
    /// The time is over.
    #[error("the invitation could be answered until {0}")]
    Expired(Timestamp),
    /// The work order was reopened.
    #[error("the work order was reopened; its next resolution has an invitation of its own")]
    Superseded,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let (code, reason) = match error {
            Error::TokenUnknown => (Code::NotFound, ErrorReason::TokenUnknown),
            Error::Answered => (Code::FailedPrecondition, ErrorReason::InvitationAnswered),
            Error::Expired(_) => (Code::FailedPrecondition, ErrorReason::InvitationExpired),
            Error::Superseded => (Code::FailedPrecondition, ErrorReason::InvitationSuperseded),
        };
        let refusal = Self::new(code, "huiyin.survey", reason.as_str_name(), error.to_string());
        match error {
            Error::Expired(time) => refusal.with("expire_time", time.to_string()),
            _ => refusal,
        }
    }
}
