//! What the customer may know of what others told: of each event the public fields, and no other.

use huiyin_chassis::{Refusal, Tenant, mask::mask, name, sql};
use huiyin_events::{Event, Payload};
use huiyin_proto::event::v1::{StateCategory, WorkOrderDigest};
use uuid::Uuid;

use crate::status::domain::{Category, Said};

/// The stage of a work order that waits for our own engineers (003-40).
const WAITING_RND: &str = "WAITING_RND";

/// What an event says of a feedback to its customer; `None` where nothing.
///
/// # Errors
/// A fault where the event names no feedback: it cannot have come from a scheduler of ours.
pub(crate) fn said(tenant: &Tenant, event: &Event) -> Result<Option<(Uuid, Said)>, Refusal> {
    let (digest, said) = match &event.payload {
        Some(Payload::WorkOrderTransitioned(moved)) => {
            let Some(to) = category(moved.to()) else {
                return Ok(None);
            };
            let resolution = mask(&moved.resolution);
            (&moved.work_order, Said::Moved { to, resolution })
        }
        Some(Payload::WorkOrderProgressed(progress)) => {
            let said = Said::Progressed {
                waits_for_us: (!progress.stage.is_empty()).then_some(progress.stage == WAITING_RND),
                customer_text: mask(&progress.customer_text),
                promise_time: sql::from_proto(progress.promise_time.as_ref()),
            };
            (&progress.work_order, said)
        }
        _ => return Ok(None),
    };
    Ok(Some((feedback(tenant, digest.as_ref())?, said)))
}

fn feedback(tenant: &Tenant, digest: Option<&WorkOrderDigest>) -> Result<Uuid, Refusal> {
    let feedback = digest.and_then(|digest| digest.feedback.as_ref());
    let name = feedback.map(|feedback| feedback.feedback.as_str()).unwrap_or_default();
    let id = name::stored_uuid(name)?;
    if name == tenant.child(crate::events::FEEDBACKS, id) {
        Ok(id)
    } else {
        Err(Refusal::fault(anyhow::anyhow!("{name:?} is no feedback of {tenant}")))
    }
}

fn category(category: StateCategory) -> Option<Category> {
    Some(match category {
        StateCategory::Unspecified => return None,
        StateCategory::New => Category::New,
        StateCategory::Active => Category::Active,
        StateCategory::Waiting => Category::Waiting,
        StateCategory::Verifying => Category::Verifying,
        StateCategory::Resolved => Category::Resolved,
        StateCategory::Closed => Category::Closed,
        StateCategory::Rejected => Category::Rejected,
    })
}
