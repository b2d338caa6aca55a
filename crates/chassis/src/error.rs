//! What a service answers when it does not do what was asked: a canonical code, a documented reason, and never more than
//! the caller may know.

use std::{collections::HashMap, time::Duration};

use huiyin_proto::{codec, r#type::v1::ErrorReason};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// A refusal on its way to the caller. Rooms turn their own errors into one; the edge turns it into a [`Status`].
#[derive(Debug)]
pub struct Refusal {
    code: Code,
    domain: String,
    reason: String,
    message: String,
    metadata: HashMap<String, String>,
    violations: Vec<(String, String)>,
    retry_after: Option<Duration>,
}

impl Refusal {
    /// A refusal for a reason of one service: `domain` is `huiyin.<service>`, `reason` the name of a value of the
    /// `ErrorReason` in its proto package (`ErrorReason::X.as_str_name()`).
    #[must_use]
    pub fn new(code: Code, domain: &str, reason: &str, message: impl Into<String>) -> Self {
        Self {
            code,
            domain: domain.to_owned(),
            reason: reason.trim_start_matches("ERROR_REASON_").to_owned(),
            message: message.into(),
            metadata: HashMap::new(),
            violations: Vec::new(),
            retry_after: None,
        }
    }

    fn shared(code: Code, reason: ErrorReason, message: impl Into<String>) -> Self {
        Self::new(code, "huiyin", reason.as_str_name(), message)
    }

    /// Adds an entry to the metadata of the reason.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.metadata.insert(key.to_owned(), value.into());
        self
    }

    /// The caller may come back after `retry_after`.
    #[must_use]
    pub fn after(mut self, retry_after: Duration) -> Self {
        self.retry_after = Some(retry_after);
        self
    }

    /// Adds a field that the refusal is about, with what is wrong about it.
    #[must_use]
    pub fn at_field(mut self, field: &str, description: impl Into<String>) -> Self {
        self.violations.push((field.to_owned(), description.into()));
        self
    }

    /// Nothing of this name is in the caller's reach.
    #[must_use]
    pub fn not_found(name: &str) -> Self {
        Self::shared(
            Code::NotFound,
            ErrorReason::ResourceNotFound,
            format!("{name} was not found"),
        )
        .with("resource", name)
    }

    /// Something of this name is there already.
    #[must_use]
    pub fn exists(name: &str) -> Self {
        Self::shared(
            Code::AlreadyExists,
            ErrorReason::ResourceExists,
            format!("{name} exists already"),
        )
        .with("resource", name)
    }

    /// Fields break rules that cannot stand in the proto: each with what is wrong about it.
    #[must_use]
    pub fn invalid(violations: Vec<(String, String)>) -> Self {
        let fields: Vec<&str> = violations.iter().map(|(field, _)| field.as_str()).collect();
        let fields = fields.join(", ");
        let mut refusal = Self::shared(
            Code::InvalidArgument,
            ErrorReason::FieldsInvalid,
            format!("invalid fields: {fields}"),
        )
        .with("fields", fields);
        refusal.violations = violations;
        refusal
    }

    /// One field breaks a rule.
    #[must_use]
    pub fn invalid_field(field: &str, description: impl Into<String>) -> Self {
        Self::invalid(vec![(field.to_owned(), description.into())])
    }

    /// The caller's etag is not the current one.
    #[must_use]
    pub fn etag_mismatch(name: &str) -> Self {
        Self::shared(
            Code::Aborted,
            ErrorReason::EtagMismatch,
            format!("{name} was changed in the meantime"),
        )
        .with("resource", name)
    }

    /// The resource's state does not allow this; `allowed` are the methods or states that it does allow.
    #[must_use]
    pub fn state_forbids(name: &str, state: &str, allowed: &[&str]) -> Self {
        Self::shared(
            Code::FailedPrecondition,
            ErrorReason::StateForbids,
            format!("{name} is {state}"),
        )
        .with("resource", name)
        .with("state", state)
        .with("allowed", allowed.join(", "))
    }

    /// The request id was used for another body.
    #[must_use]
    pub fn request_id_reused() -> Self {
        Self::shared(
            Code::AlreadyExists,
            ErrorReason::RequestIdReused,
            "the request id was used before for another request",
        )
    }

    /// The page token belongs to another query, or is none of ours.
    #[must_use]
    pub fn page_token_invalid() -> Self {
        Self::shared(
            Code::InvalidArgument,
            ErrorReason::PageTokenInvalid,
            "the page token does not belong to this query",
        )
    }

    /// The cursor is older than what is kept.
    #[must_use]
    pub fn cursor_expired() -> Self {
        Self::shared(
            Code::OutOfRange,
            ErrorReason::CursorExpired,
            "the cursor is older than what is kept",
        )
    }

    /// No valid credentials; `why` says which kind of failure, never a secret.
    #[must_use]
    pub fn unauthenticated(why: &str) -> Self {
        Self::shared(Code::Unauthenticated, ErrorReason::CredentialsInvalid, why)
    }

    /// The caller's roles do not grant the permission.
    #[must_use]
    pub fn permission_missing(permission: &str) -> Self {
        Self::shared(
            Code::PermissionDenied,
            ErrorReason::PermissionMissing,
            format!("permission {permission} is missing"),
        )
        .with("permission", permission)
    }

    /// The caller is an API key, where only a person will do.
    #[must_use]
    pub fn person_required() -> Self {
        Self::shared(
            Code::PermissionDenied,
            ErrorReason::PersonRequired,
            "only a person may do this",
        )
    }

    /// Somebody asked the operation to stop.
    #[must_use]
    pub fn operation_cancelled() -> Self {
        Self::shared(
            Code::Cancelled,
            ErrorReason::OperationCancelled,
            "the operation was cancelled",
        )
    }

    /// The answer was not ready in time.
    #[must_use]
    pub fn deadline_passed() -> Self {
        Self::shared(
            Code::DeadlineExceeded,
            ErrorReason::DeadlinePassed,
            "the answer was not ready in time",
        )
    }

    /// The service is at its limit; the caller may come back after `retry_after`.
    #[must_use]
    pub fn overloaded(retry_after: Duration) -> Self {
        let mut refusal = Self::shared(
            Code::ResourceExhausted,
            ErrorReason::Overloaded,
            "the service is at its limit",
        );
        refusal.retry_after = Some(retry_after);
        refusal
    }

    /// There were too many calls of this tenant or caller, as `limit` says; the next is welcome after `retry_after`.
    #[must_use]
    pub fn rate_limited(limit: &str, retry_after: Duration) -> Self {
        let mut refusal = Self::shared(
            Code::ResourceExhausted,
            ErrorReason::RateLimited,
            format!("too many calls of this {limit}"),
        )
        .with("limit", limit);
        refusal.retry_after = Some(retry_after);
        refusal
    }

    /// Something that the service needs cannot be reached; what it was is logged, not answered.
    #[must_use]
    pub fn unavailable(cause: impl std::fmt::Display) -> Self {
        tracing::warn!(error = %cause, "a dependency is unavailable");
        Self::shared(
            Code::Unavailable,
            ErrorReason::DependencyUnavailable,
            "a dependency of the service is unavailable",
        )
    }

    /// A fault of ours: logged in full under an incident id, answered with that id and nothing else.
    #[must_use]
    pub fn fault(cause: impl Into<anyhow::Error>) -> Self {
        let cause = cause.into();
        let incident = crate::secret::to_text(&crate::secret::random_bytes::<9>());
        tracing::error!(incident, error = format!("{cause:#}"), "fault");
        Self::shared(
            Code::Internal,
            ErrorReason::Fault,
            format!("internal fault, incident {incident}"),
        )
        .with("incident", incident)
    }

    /// Our code panicked: a fault like another.
    #[must_use]
    pub fn panicked(panic: &(dyn std::any::Any + Send)) -> Self {
        let said = panic.downcast_ref::<&str>().copied();
        let said = said.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Self::fault(anyhow::anyhow!("panic: {}", said.unwrap_or("without a message")))
    }

    /// The canonical code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// True where the same call may go well a little later without anybody doing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self.code,
            Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted | Code::Aborted
        )
    }

    /// Every violated field with what is wrong about it.
    #[must_use]
    pub fn violations(&self) -> &[(String, String)] {
        &self.violations
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        if refusal.domain == "huiyin" && !refusal.violations.is_empty() {
            return codec::fields_invalid(refusal.violations);
        }
        let mut details = ErrorDetails::new();
        for (field, description) in refusal.violations {
            details.add_bad_request_violation(field, description);
        }
        details.set_error_info(refusal.reason, refusal.domain, refusal.metadata);
        if let Some(delay) = refusal.retry_after {
            details.set_retry_info(Some(delay));
        }
        Status::with_error_details(refusal.code, refusal.message, details)
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        if is_outage(&error) {
            Self::unavailable(error)
        } else if is_unstorable(&error) {
            Self::invalid_field("request", "holds U+0000, or a time or number that no database can keep")
        } else {
            Self::fault(error)
        }
    }
}

/// True where a value came in that text, times or numbers of Postgres cannot be: only a caller can have sent it.
fn is_unstorable(error: &sqlx::Error) -> bool {
    // 22021: U+0000 in text; 22P05: the same in JSON; 22008: a time out of range; 22003: a number out of range.
    has_code(error, &["22021", "22P05", "22008", "22003"])
}

/// True where the database could not be reached or was on its way down, rather than refusing what it was asked.
fn is_outage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_) => true,
        // 08: connection; 57P: operator intervention; 57014, 55P03: a statement or a lock took too long; 53: out of
        // resources; 40: serialization failure or deadlock, gone on a retry.
        error => has_code(error, &["08", "57P", "57014", "55P03", "53", "40"]),
    }
}

/// True where the database refused with an SQLSTATE that begins with one of these.
pub(crate) fn has_code(error: &sqlx::Error, beginnings: &[&str]) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| beginnings.iter().any(|beginning| code.starts_with(beginning)))
}

/// The violated constraint of a failed write, so that a room can say what it means.
#[must_use]
pub fn violated_constraint(error: &sqlx::Error) -> Option<&str> {
    error.as_database_error().and_then(|error| error.constraint())
}
