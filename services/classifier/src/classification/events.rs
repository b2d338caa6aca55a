//! A feedback that intake has accepted comes in.

use huiyin_chassis::{Refusal, Tenant, Transaction, name};
use huiyin_proto::event::v1::FeedbackSubmitted;

use super::{convert, service};
use crate::room::Room;

/// Classifies it, in the transaction of the event.
///
/// # Errors
/// A fault where the event does not say which feedback it is about.
pub(crate) async fn submitted(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    submitted: &FeedbackSubmitted,
) -> Result<(), Refusal> {
    let digest = submitted
        .feedback
        .as_ref()
        .ok_or_else(|| Refusal::fault(anyhow::anyhow!("the event names no feedback")))?;
    let id = name::stored_uuid(&digest.feedback)?;
    let feedback = convert::feedback(digest);
    let statement = convert::submitted(submitted, &feedback);
    service::classify(room, tx, tenant, id, &feedback, statement).await
}
