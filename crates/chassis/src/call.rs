//! The call that is being worked on: what calls that it makes in turn must pass on.

use tokio::time::Instant;

tokio::task_local! {
    static CURRENT: Call;
}

/// What a call passes on to the calls it makes.
#[derive(Debug, Clone)]
pub struct Call {
    /// Who called first, for the audit trail.
    pub caller: String,
    /// The id under which the caller can ask for this call.
    pub request_id: String,
    /// When the answer must be ready.
    pub deadline: Instant,
}

/// Runs `work` as part of `call`.
pub(crate) async fn within<T>(call: Call, work: impl Future<Output = T>) -> T {
    CURRENT.scope(call, work).await
}

/// The call that is being worked on; `None` in ticks and consumers.
#[must_use]
pub fn current() -> Option<Call> {
    CURRENT.try_with(Clone::clone).ok()
}
