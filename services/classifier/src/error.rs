//! What this room alone refuses; everything else is one of the chassis' refusals.

use huiyin_chassis::Refusal;
use huiyin_proto::classifier::v1::ErrorReason;
use tonic::Code;

const DOMAIN: &str = "huiyin.classifier";

/// A refusal of this room.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// The main dimension has no such category.
    #[error("version {version} of the taxonomy has no category {category}")]
    CategoryUnknown { version: i32, category: String },
    /// The model has no such level.
    #[error("there is no priority {priority}; there are {allowed}")]
    PriorityUnknown { priority: String, allowed: String },
    /// It gives nothing, or only what holds already.
    #[error("the correction changes nothing")]
    NothingCorrected,
    /// The model lets nobody set a priority.
    #[error("version {version} of the priority model does not let people set a priority")]
    PriorityNotByHand { version: i32 },
    /// There is no review to speak in.
    #[error("the review of the priority is {state}")]
    ReviewNotPending { state: &'static str },
    /// The reviewer holds no role that the review waits for.
    #[error("the review waits for other roles: {roles}")]
    ReviewerRoleMissing { roles: String },
    /// The person or the role has spoken.
    #[error("the review has a vote of this person or of the role {role} already")]
    ReviewedAlready { role: String },
    /// The built-in version is in effect, and was never replaced.
    #[error("there is no earlier version of the priority model to go back to")]
    NothingToRollBack,
    /// The version gives examples of its own dictionary another category; each with its field and what is wrong about it.
    #[error("version {version} of the taxonomy does not keep {} of its own examples", examples.len())]
    ExamplesBroken {
        version: i32,
        examples: Vec<(String, String)>,
    },
}

/// So many bytes of broken examples travel in the trailers, which hold each more than once; CheckTaxonomy has all.
const SHOWN_BYTES: usize = 2048;

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let with_code =
            |code: Code, reason: ErrorReason| Self::new(code, DOMAIN, reason.as_str_name(), error.to_string());
        let refusal = |reason| with_code(Code::InvalidArgument, reason);
        match &error {
            Error::CategoryUnknown { version, category } => refusal(ErrorReason::CategoryUnknown)
                .with("version", version.to_string())
                .with("category", category)
                .at_field("category", "is no category of the main dimension"),
            Error::PriorityUnknown { priority, allowed } => refusal(ErrorReason::PriorityUnknown)
                .with("priority", priority)
                .with("allowed", allowed)
                .at_field("priority", "is no level of the priority model"),
            Error::NothingCorrected => refusal(ErrorReason::NothingCorrected),
            Error::PriorityNotByHand { version } => {
                with_code(Code::FailedPrecondition, ErrorReason::PriorityNotByHand).with("version", version.to_string())
            }
            Error::ReviewNotPending { state } => {
                with_code(Code::FailedPrecondition, ErrorReason::ReviewNotPending).with("state", *state)
            }
            Error::ReviewerRoleMissing { roles } => {
                with_code(Code::PermissionDenied, ErrorReason::ReviewerRoleMissing).with("roles", roles)
            }
            Error::ReviewedAlready { role } => {
                with_code(Code::FailedPrecondition, ErrorReason::ReviewedAlready).with("role", role)
            }
            Error::NothingToRollBack => with_code(Code::FailedPrecondition, ErrorReason::NothingToRollBack),
            Error::ExamplesBroken { version, examples } => {
                let refused = with_code(Code::FailedPrecondition, ErrorReason::ExamplesBroken)
                    .with("version", version.to_string())
                    .with("count", examples.len().to_string());
                let mut bytes = 0;
                let fit = |(field, problem): &&(String, String)| {
                    bytes += field.len() + problem.len();
                    bytes <= SHOWN_BYTES
                };
                let shown: Vec<&(String, String)> = examples.iter().take_while(fit).collect();
                let more = examples.len() - shown.len();
                let refused = shown
                    .into_iter()
                    .fold(refused, |refused, (field, problem)| refused.at_field(field, problem));
                if more > 0 {
                    refused.at_field("…", format!("and {more} more"))
                } else {
                    refused
                }
            }
        }
    }
}
