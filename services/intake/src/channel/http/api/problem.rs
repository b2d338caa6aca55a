//! A refusal as a problem document (RFC 9457): its reason, a sentence in the sender's language, every violated field.

use std::collections::BTreeMap;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use huiyin_chassis::{
    Refusal,
    server::{Language, sentence},
};
use serde::Serialize;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::channel::{convert, fields::Fields};

/// Why a request was refused, with the fields that it was understood to have.
pub(super) struct Failure {
    refusal: Refusal,
    fields: Fields,
    /// Where the code does not say it all.
    status: Option<StatusCode>,
}

impl From<Refusal> for Box<Failure> {
    fn from(refusal: Refusal) -> Self {
        Failure::new(refusal, Fields::new())
    }
}

impl Failure {
    pub(super) fn new(refusal: Refusal, fields: Fields) -> Box<Self> {
        Box::new(Self {
            refusal,
            fields,
            status: None,
        })
    }

    pub(super) fn too_large(most: usize) -> Box<Self> {
        let problem = format!("it is larger than {most} bytes, or broke off");
        let mut failure = Self::new(crate::error::Error::BodyUnreadable(problem).into(), Fields::new());
        failure.status = Some(StatusCode::PAYLOAD_TOO_LARGE);
        failure
    }
}

#[derive(Serialize)]
struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: String,
    status: u16,
    detail: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    violations: Vec<Violation>,
}

#[derive(Serialize)]
struct Violation {
    field: String,
    /// Where in the body it stood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
    description: String,
}

/// The answer, and the reason for whoever counts.
pub(super) fn response(failure: Failure, language: Language) -> (String, Response) {
    let Failure {
        refusal,
        fields,
        status,
    } = failure;
    let violations = refusal.violations().iter().map(|(field, description)| {
        let (field, pointer) = convert::place(&fields, field);
        Violation {
            field,
            pointer: pointer.map(str::to_owned),
            description: description.clone(),
        }
    });
    let violations = violations.collect();
    let refused = Status::from(refusal);
    let info = refused.get_details_error_info();
    let (reason, metadata) = info.map_or_else(Default::default, |info| (info.reason, info.metadata));
    let code = status.unwrap_or_else(|| status_of(refused.code()));
    let problem = Problem {
        kind: format!("urn:huiyin:reason:{reason}"),
        title: reason.clone(),
        status: code.as_u16(),
        detail: sentence(&refused, language),
        metadata: metadata.into_iter().collect(),
        violations,
    };
    let mut response = (code, Json(problem)).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    if let Some(delay) = refused.get_details_retry_info().and_then(|retry| retry.retry_delay) {
        // Whole seconds, and not too early.
        let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    (reason, response)
}

fn status_of(code: Code) -> StatusCode {
    match code {
        Code::InvalidArgument | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted | Code::FailedPrecondition => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
