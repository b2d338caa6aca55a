//! From the entries of a history to the events that tell other rooms of them, and from their events to what this room knows.

use huiyin_chassis::{Refusal, Tenant, sql};
use huiyin_events::{NewEvent, Payload};
use huiyin_proto::{
    event::v1::{
        Deadline, FeedbackClassified, SlaClockMarked, StateCategory, WorkOrderAssigned, WorkOrderDigest,
        WorkOrderOpened, WorkOrderProgressed, WorkOrderRetargeted, WorkOrderTransitioned,
    },
    r#type::v1 as shared,
};

use super::{
    change::Change,
    convert::{duration, mark_number, state_category},
    domain::{Classification, Entry, EntryKind, Feedback, Priority, State, WorkOrder},
};

/// The name of a work order.
pub(crate) fn name(tenant: &Tenant, order: &WorkOrder) -> String {
    tenant.child("workOrders", order.id)
}

/// What a change tells others, in the order in which it happened; each event with the work order as it is after all of it.
pub(crate) fn told(tenant: &Tenant, change: &Change) -> Vec<NewEvent> {
    let digest = digest(tenant, &change.order);
    let (mut assignment, mut note) = counts_before(change);
    let mut events = Vec::new();
    for entry in &change.entries {
        let payload = match entry.kind {
            EntryKind::Opened => Payload::WorkOrderOpened(WorkOrderOpened {
                work_order: Some(digest.clone()),
                deadlines: deadlines(change),
            }),
            // Its clock, where it has one, tells of it.
            EntryKind::Acknowledged => continue,
            EntryKind::Assigned => {
                assignment += 1;
                Payload::WorkOrderAssigned(WorkOrderAssigned {
                    work_order: Some(digest.clone()),
                    assignment,
                    reason: entry.reason.clone(),
                    due_time: change.order.due_time.map(sql::to_proto),
                })
            }
            EntryKind::Transitioned => Payload::WorkOrderTransitioned(transitioned(digest.clone(), change, entry)),
            EntryKind::Progressed => {
                note += 1;
                Payload::WorkOrderProgressed(WorkOrderProgressed {
                    work_order: Some(digest.clone()),
                    note,
                    stage: entry.stage.name().to_owned(),
                    customer_text: entry.customer_text.clone(),
                    promise_time: entry.promise_time.map(sql::to_proto),
                })
            }
            EntryKind::Retargeted => Payload::WorkOrderRetargeted(WorkOrderRetargeted {
                work_order: Some(digest.clone()),
                deadlines: deadlines(change),
            }),
            EntryKind::ClockMarked => Payload::SlaClockMarked(SlaClockMarked {
                work_order: Some(digest.clone()),
                clock: entry.clock.clone(),
                mark: mark_number(entry.mark),
                due_time: entry.due_time.map(sql::to_proto),
            }),
        };
        events.push(NewEvent {
            subject: digest.work_order.clone(),
            actor: entry.actor.clone(),
            payload,
        });
    }
    events
}

fn counts_before(change: &Change) -> (i32, i32) {
    change
        .before
        .as_ref()
        .map_or((0, 0), |before| (before.assignment_count, before.progress_count))
}

fn transitioned(digest: WorkOrderDigest, change: &Change, entry: &Entry) -> WorkOrderTransitioned {
    let solved = entry.state == State::Resolved;
    WorkOrderTransitioned {
        work_order: Some(digest),
        from: entry
            .previous_state
            .map_or(StateCategory::Unspecified, state_category)
            .into(),
        to: state_category(entry.state).into(),
        reason: entry.reason.clone(),
        resolution: entry
            .resolution
            .as_ref()
            .filter(|_| solved)
            .map(|resolution| resolution.text.clone())
            .unwrap_or_default(),
        working_duration: change.order.working_duration.filter(|_| solved).map(duration),
    }
}

fn deadlines(change: &Change) -> Vec<Deadline> {
    let held = change.clocks.iter().filter(|kept| kept.clock.is_held());
    held.filter_map(|kept| {
        let due_time = Some(sql::to_proto(kept.due_time?));
        Some(Deadline {
            clock: kept.clock.key.clone(),
            due_time,
        })
    })
    .collect()
}

fn digest(tenant: &Tenant, order: &WorkOrder) -> WorkOrderDigest {
    WorkOrderDigest {
        work_order: name(tenant, order),
        number: order.number.clone(),
        feedback: Some(feedback_digest(&order.feedback)),
        category: order.category.clone(),
        priority: Some(priority(&order.priority)),
        episode: order.episode,
        assignee: order.assignee.clone(),
        team: order.team.clone(),
        excerpt: order.excerpt.clone(),
    }
}

/// A feedback for the wire.
pub(crate) fn feedback_digest(feedback: &Feedback) -> shared::FeedbackDigest {
    let feedback = feedback.clone();
    shared::FeedbackDigest {
        feedback: feedback.name,
        number: feedback.number,
        channel: feedback.channel,
        customer: feedback.customer,
        tier: feedback.tier,
        product_model: feedback.product_model,
        batch: feedback.batch,
        occur_time: feedback.occur_time.map(sql::to_proto),
        receive_time: feedback.receive_time.map(sql::to_proto),
        language: feedback.language,
        reachable: feedback.reachable,
        traceparent: feedback.traceparent,
    }
}

/// A priority for the wire.
pub(crate) fn priority(priority: &Priority) -> shared::Priority {
    shared::Priority {
        key: priority.key.clone(),
        rank: priority.rank,
    }
}

/// What the classifier said, understood.
///
/// # Errors
/// A fault where it does not name the feedback or its priority: the event cannot have come from a classifier of ours.
pub(crate) fn classification(event: &FeedbackClassified) -> Result<Classification, Refusal> {
    let missing = |what: &str| Refusal::fault(anyhow::anyhow!("a FeedbackClassified event says no {what}"));
    let digest = event
        .feedback
        .clone()
        .filter(|digest| !digest.feedback.is_empty())
        .ok_or_else(|| missing("feedback"))?;
    let priority = event.priority.clone().ok_or_else(|| missing("priority"))?;
    Ok(Classification {
        feedback: Feedback {
            occur_time: sql::from_proto(digest.occur_time.as_ref()),
            receive_time: sql::from_proto(digest.receive_time.as_ref()),
            name: digest.feedback,
            number: digest.number,
            channel: digest.channel,
            customer: digest.customer,
            tier: digest.tier,
            product_model: digest.product_model,
            batch: digest.batch,
            language: digest.language,
            reachable: digest.reachable,
            traceparent: digest.traceparent,
        },
        revision: event.revision,
        category: event.category.clone(),
        priority: Priority {
            key: priority.key,
            rank: priority.rank,
        },
        skills: event.skills.clone(),
        basis: event.basis.clone(),
        excerpt: event.excerpt.clone(),
    })
}
