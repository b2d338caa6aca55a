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
        if let Some(reason) = reason(task, &standing, seen.classification) {
            open(room, tx, tenant, (task, seen.classification), (reason, &standing)).await?;
        }
    }
    Ok(())
}

/// Why people are asked, where they are.
fn reason(task: &Task, standing: &Standing, classification: Uuid) -> Option<Reason> {
    let sampled = is_dealt("review", &task.id, classification, task.review_share).then_some(Reason::Sample);
    standing.doubt.or(sampled)
}

/// Asks for one label or, of the share that is labelled twice, for both; for nothing where people were asked before.
async fn open(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    (task, classification): (&Task, Uuid),
    why: (Reason, &Standing),
) -> Result<(), Refusal> {
    let double_coded = is_dealt("double coding", &task.id, classification, task.double_coding_share);
    let stages = [Stage::First, Stage::Second];
    for stage in &stages[..1 + usize::from(double_coded)] {
        let of = (task.id.as_str(), classification);
        let item = Item::new(room.clock.id(), of, why, (*stage, double_coded), room.clock.now());
        if !store::insert(tx, tenant, &item).await? {
            // A second label beside a first one of before would wait for it in vain.
            break;
        }
    }
    Ok(())
}

/// A feedback was read anew, and its classification changed; that is held. What is in doubt now, or dealt to people, is opened, or says what
/// is in effect now; what is neither any more is closed.
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
        let (of, now) = ((task, seen.classification), room.clock.now());
        match reason(task, &standing, seen.classification) {
            Some(reason) => {
                store::renew(
                    tx,
                    tenant,
                    (task.id.as_str(), seen.classification),
                    (reason, &standing),
                    now,
                )
                .await?;
                open(room, tx, tenant, of, (reason, &standing)).await?;
            }
            None => {
                let why = (CloseReason::Reclassified, now);
                store::close(tx, tenant, seen.classification, Of::Task(&task.id), why).await?;
            }
        }
    }
    Ok(())
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
