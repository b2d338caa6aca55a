//! What a classification does: it opens the work order of its feedback or, corrected, moves its deadlines.

use huiyin_chassis::{Refusal, Tenant, Transaction};

use super::{
    change::Change,
    domain::{Classification, SYSTEM, WorkOrder},
    service::{active_rules, held, keep},
    store,
};
use crate::{assignment, room::Room};

/// A feedback was classified, or its classification corrected (000-52). The first that is seen of a feedback opens its work order;
/// a later one changes it where its revision is higher; the same again changes nothing.
pub(crate) async fn classified(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    classification: Classification,
) -> Result<(), Refusal> {
    match store::lock_by_feedback(tx, tenant, &classification.feedback.name).await? {
        None => open(room, tx, tenant, classification).await,
        Some(order) if classification.revision <= order.classification_revision => Ok(()),
        Some(order) => {
            let rules = active_rules(tx, tenant).await?;
            let mut change = held(room, tx, tenant, order, SYSTEM).await?;
            change.reclassify(rules, classification);
            keep(room, tx, tenant, &mut change, None).await
        }
    }
}

async fn open(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    classification: Classification,
) -> Result<(), Refusal> {
    let rules = active_rules(tx, tenant).await?;
    let basis = classification.basis.clone();
    let order = WorkOrder::opened(room.clock.id(), classification, rules.versions, room.clock.now());
    let mut change = Change::opening(order, rules, &basis);
    let assignment = assignment::service::find(tx, tenant, &change.order.facts(), &change.order.skills).await?;
    change.assign(&assignment);
    keep(room, tx, tenant, &mut change, None).await
}
