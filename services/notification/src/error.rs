//! What this room refuses for reasons of its own.

use huiyin_chassis::Refusal;
use huiyin_proto::notification::v1::ErrorReason;
use thiserror::Error;
use tonic::Code;

/// A refusal of this room; every one is the caller's to mend.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum Error {
    /// A text of a template cannot be parsed or does not render.
    #[error("the {field} of the template is not well-formed in line {line}: {problem}")]
    TemplateMalformed {
        /// `subject` or `body`.
        field: &'static str,
        /// From 1.
        line: usize,
        /// What the template engine says.
        problem: String,
    },
    /// A template, or a preview, names variables that its purpose does not have.
    #[error("unknown variables {}; available are {}", unknown.join(", "), available.join(", "))]
    TemplateVariablesUnknown {
        /// Those.
        unknown: Vec<String>,
        /// Those that there are.
        available: Vec<String>,
    },
    /// Nothing is posted to this URL.
    #[error("webhooks cannot be sent to {url}: {why}")]
    UrlForbidden {
        /// The URL as given.
        url: String,
        /// What is wrong about it.
        why: &'static str,
    },
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let refusal = |reason: ErrorReason| {
            Self::new(
                Code::InvalidArgument,
                "huiyin.notification",
                reason.as_str_name(),
                error.to_string(),
            )
        };
        match &error {
            Error::TemplateMalformed { field, line, problem } => refusal(ErrorReason::TemplateMalformed)
                .with("field", *field)
                .with("line", line.to_string())
                .with("problem", problem),
            Error::TemplateVariablesUnknown { unknown, available } => refusal(ErrorReason::TemplateVariablesUnknown)
                .with("unknown", unknown.join(", "))
                .with("available", available.join(", ")),
            Error::UrlForbidden { url, .. } => refusal(ErrorReason::UrlForbidden).with("url", url),
        }
    }
}
