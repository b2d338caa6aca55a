//! The queue beside classifications: items are opened where a label is in doubt, and closed where it no longer is.

use huiyin_chassis::{Refusal, Tenant, Transaction};
use uuid::Uuid;

use super::{
    domain::{CloseReason, Item, Reason, Stage, Standing, is_dealt},
    store::{self, Of},
};
use crate::{
    model::{asking::Asked, domain::Task},
    reading::{
        answers::About,
        verdict::{Statement, Verdict},
    },
    room::Room,
};

/// What was read of a feedback.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'s> {
    pub(crate) classification: Uuid,
    pub(crate) statement: &'s Statement<'s>,
    pub(crate) verdict: &'s Verdict,
    pub(crate) asked: &'s Asked,
    /// What people said already; nobody is asked for it again.
    pub(crate) by_people: &'s [About],
}

/// A feedback was classified: opens an item for each task whose label is in doubt, or that deals this text to people.
///
/// # Errors
/// UNAVAILABLE where the database is gone.
pub(crate) async fn classified(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    seen: Seen<'_>,
) -> Result<(), Refusal> {
    for (task, standing) in standings(seen) {
        let dealt = |what, share| is_dealt(what, &task.id, seen.classification, share);
        let sampled = dealt("review", task.review_share).then_some(Reason::Sample);
        let Some(reason) = standing.doubt.or(sampled) else {
            continue;
        };
        let double_coded = dealt("double coding", task.double_coding_share);
        let stages = [Stage::First, Stage::Second];
        for stage in &stages[..1 + usize::from(double_coded)] {
            let of = (task.id.as_str(), seen.classification);
            let now = room.clock.now();
            let item = Item::new(room.clock.id(), of, (reason, &standing), (*stage, double_coded), now);
            store::insert(tx, tenant, &item).await?;
        }
    }
    Ok(())
}

/// A feedback was read anew, and its classification changed; that is held. What is in doubt now is opened, what no longer is, is closed.
///
/// # Errors
/// UNAVAILABLE where the database is gone.
pub(crate) async fn reclassified(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    seen: Seen<'_>,
) -> Result<(), Refusal> {
    for (task, standing) in standings(seen) {
        if standing.doubt.is_none() {
            let why = (CloseReason::Reclassified, room.clock.now());
            store::close(tx, tenant, seen.classification, Of::Task(&task.id), why).await?;
        }
    }
    classified(room, tx, tenant, seen).await
}

/// A person said what these dimensions are or, where it is true, the tendency; the classification is held.
///
/// # Errors
/// UNAVAILABLE where the database is gone.
pub(crate) async fn corrected(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    classification: Uuid,
    (dimensions, sentiment): (&[&str], bool),
) -> Result<(), Refusal> {
    if dimensions.is_empty() && !sentiment {
        return Ok(());
    }
    let why = (CloseReason::Corrected, room.clock.now());
    store::close(tx, tenant, classification, Of::Labels(dimensions, sentiment), why).await
}

/// What is said of a text for each task that has a queue. Where no text was kept, there is nothing for anybody to read.
fn standings(seen: Seen<'_>) -> impl Iterator<Item = (&Task, Standing)> {
    let has_text = !seen.statement.text.trim().is_empty();
    let is_said = move |task: &Task| task.about().is_some_and(|about| seen.by_people.contains(&about));
    let tasks = seen.asked.tasks.iter().filter(move |task| has_text && !is_said(task));
    tasks.filter_map(move |task| {
        let answer = seen.asked.answer_for(task);
        Some((task, Standing::of(task, seen.statement, seen.verdict, answer)?))
    })
}
