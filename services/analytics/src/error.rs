//! What this room refuses for reasons of its own.

use huiyin_chassis::Refusal;
use huiyin_proto::analytics::v1::ErrorReason;
use tonic::Code;

/// A refusal of this room.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{metric} cannot be divided by {dimension}")]
    DimensionUnsuitable {
        metric: String,
        dimension: &'static str,
        allowed: String,
    },
    #[error("the answer would have more than {limit} rows")]
    AnswerTooLarge { limit: usize },
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let refusal = |reason: ErrorReason| {
            Self::new(
                Code::InvalidArgument,
                "huiyin.analytics",
                reason.as_str_name(),
                error.to_string(),
            )
        };
        match &error {
            Error::DimensionUnsuitable {
                metric,
                dimension,
                allowed,
            } => refusal(ErrorReason::DimensionUnsuitable)
                .with("metric", metric)
                .with("dimension", *dimension)
                .with("allowed", allowed),
            Error::AnswerTooLarge { limit } => refusal(ErrorReason::AnswerTooLarge).with("limit", limit.to_string()),
        }
    }
}
