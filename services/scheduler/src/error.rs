//! What this room alone refuses; everything else is one of the chassis' refusals.

use huiyin_chassis::Refusal;
use huiyin_proto::scheduler::v1::ErrorReason;
use tonic::Code;

use crate::calendar::domain::CalendarError;

const DOMAIN: &str = "huiyin.scheduler";

/// A refusal of this room. Names are resource names.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Work cannot start on what nobody is assigned to.
    #[error("nobody is assigned to {work_order}")]
    AssigneeMissing { work_order: String },
    /// The agent takes no work now.
    #[error("{agent} takes no work now")]
    AgentUnavailable { agent: String },
    /// The agent has work that is not resolved.
    #[error("{agent} still has {open} open work orders")]
    AgentHasWork { agent: String, open: i32 },
    /// Another agent has this subject.
    #[error("{subject} is an agent already: {agent}")]
    SubjectTaken { subject: String, agent: String },
    /// There is no such team; `field` is where it was named.
    #[error("there is no team {team}")]
    TeamUnknown { team: String, field: String },
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let refusal = |code, reason: ErrorReason| Self::new(code, DOMAIN, reason.as_str_name(), error.to_string());
        match &error {
            Error::AssigneeMissing { work_order } => {
                refusal(Code::FailedPrecondition, ErrorReason::AssigneeMissing).with("resource", work_order)
            }
            Error::AgentUnavailable { agent } => {
                refusal(Code::FailedPrecondition, ErrorReason::AgentUnavailable).with("agent", agent)
            }
            Error::AgentHasWork { agent, open } => refusal(Code::FailedPrecondition, ErrorReason::AgentHasWork)
                .with("agent", agent)
                .with("open", open.to_string()),
            Error::SubjectTaken { subject, agent } => refusal(Code::AlreadyExists, ErrorReason::SubjectTaken)
                .with("subject", subject)
                .with("agent", agent),
            Error::TeamUnknown { team, field } => refusal(Code::InvalidArgument, ErrorReason::TeamUnknown)
                .with("team", team)
                .at_field(field, "is no team of the tenant"),
        }
    }
}

impl From<CalendarError> for Refusal {
    fn from(error: CalendarError) -> Self {
        let CalendarError::OutOfReach = error;
        Self::new(
            Code::FailedPrecondition,
            DOMAIN,
            ErrorReason::DeadlineOutOfReach.as_str_name(),
            error.to_string(),
        )
    }
}
