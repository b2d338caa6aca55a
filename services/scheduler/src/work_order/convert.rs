//! Work orders on the wire, and what callers say about them.

use std::collections::BTreeMap;

use huiyin_chassis::{Refusal, Tenant, mask::mask, sql};
pub(crate) use huiyin_proto::scheduler::v1::WorkOrder as Answer;
use huiyin_proto::{
    event::v1::{SlaMark, StateCategory},
    scheduler::v1,
};
use jiff::{SignedDuration, Timestamp};

use super::{
    change::Progress,
    domain::{Entry, KeptClock, Mark, Resolution, Stage, State, WorkOrder, state_number},
    events::{feedback_digest, name, priority},
};
use crate::{calendar::domain::Calendar, sla};

/// Calendars by their versions.
pub(crate) type Calendars = BTreeMap<i32, Calendar>;

/// A work order as it stands now.
pub(crate) fn work_order(
    tenant: &Tenant,
    order: &WorkOrder,
    clocks: &[KeptClock],
    calendars: &Calendars,
    now: Timestamp,
) -> Answer {
    let name = name(tenant, order);
    let held = clocks.iter().filter(|kept| kept.clock.is_held());
    let sla_clocks: Vec<v1::SlaClock> = held.filter_map(|kept| clock(kept, &name, calendars, now)).collect();
    let order = order.clone();
    v1::WorkOrder {
        name,
        number: order.number,
        feedback: Some(feedback_digest(&order.feedback)),
        category: order.category,
        priority: Some(priority(&order.priority)),
        state: state_category(order.state).into(),
        stage: order.stage as i32,
        state_reason: order.state_reason,
        episode: order.episode,
        assignee: order.assignee,
        team: order.team,
        first_contact: order.first_contact,
        assignment_count: order.assignment_count,
        progress_count: order.progress_count,
        resolution_count: order.resolution_count,
        reopen_count: order.reopen_count,
        due_time: sla_clocks
            .iter()
            .find(|clock| clock.key == "resolve")
            .and_then(|clock| clock.due_time),
        next_due_time: order.next_due_time.map(sql::to_proto),
        sla_clocks,
        breached: order.breached,
        resolution: order.resolution.map(resolution_to_proto),
        promise_time: order.promise_time.map(sql::to_proto),
        working_duration: order.working_duration.map(duration),
        excerpt: order.excerpt,
        etag: order.revision.to_string(),
        create_time: Some(sql::to_proto(order.create_time)),
        update_time: Some(sql::to_proto(order.update_time)),
        acknowledge_time: order.acknowledge_time.map(sql::to_proto),
        first_response_time: order.first_response_time.map(sql::to_proto),
        start_time: order.start_time.map(sql::to_proto),
        resolve_time: order.resolve_time.map(sql::to_proto),
        close_time: order.close_time.map(sql::to_proto),
    }
}

/// A clock as it stands now; `None` where its calendar is not at hand.
pub(crate) fn clock(kept: &KeptClock, work_order: &str, calendars: &Calendars, now: Timestamp) -> Option<v1::SlaClock> {
    let calendar = calendars.get(&kept.clock.terms.versions.calendar)?;
    let given = [
        kept.warned.map(|marked| (Mark::Warned, marked)),
        kept.breached.map(|marked| (Mark::Breached, marked)),
        kept.stopped,
    ];
    let marks = given.into_iter().flatten().map(|(mark, marked)| v1::SlaClockMark {
        mark: mark as i32,
        mark_time: Some(sql::to_proto(marked.at)),
        due_time: marked.due.map(sql::to_proto),
    });
    Some(sla::convert::clock(
        &kept.clock,
        calendar,
        work_order,
        marks.collect(),
        now,
    ))
}

/// An entry of a history.
pub(crate) fn entry(entry: Entry) -> v1::WorkOrderEvent {
    v1::WorkOrderEvent {
        sequence: entry.sequence,
        kind: entry.kind as i32,
        occur_time: Some(sql::to_proto(entry.at)),
        actor: entry.actor,
        episode: entry.episode,
        state: state_category(entry.state).into(),
        previous_state: entry
            .previous_state
            .map_or(StateCategory::Unspecified, state_category)
            .into(),
        stage: entry.stage as i32,
        reason: entry.reason,
        note: entry.note,
        customer_text: entry.customer_text,
        promise_time: entry.promise_time.map(sql::to_proto),
        assignee: entry.assignee,
        team: entry.team,
        category: entry.category,
        priority: entry.priority.as_ref().map(priority),
        resolution: entry.resolution.map(resolution_to_proto),
        clock: entry.clock,
        mark: mark_number(entry.mark),
        due_time: entry.due_time.map(sql::to_proto),
    }
}

/// A solution as a caller sends it, without what names a person: it goes to the customer and into events.
pub(crate) fn resolution(resolution: Option<v1::Resolution>) -> Resolution {
    let v1::Resolution {
        measures,
        text,
        replaced_parts,
    } = resolution.unwrap_or_default();
    Resolution {
        measures,
        text: mask(&text),
        replaced_parts: replaced_parts.iter().map(|part| mask(part)).collect(),
    }
}

fn resolution_to_proto(resolution: Resolution) -> v1::Resolution {
    let Resolution {
        measures,
        text,
        replaced_parts,
    } = resolution;
    v1::Resolution {
        measures,
        text,
        replaced_parts,
    }
}

/// Progress as a caller sends it.
///
/// # Errors
/// FIELDS_INVALID where nothing is noted, or a promise is none, lies in the past, or comes without a text for the customer.
pub(crate) fn progress(request: &v1::NoteProgressRequest) -> Result<Progress, Refusal> {
    let mut problems = Vec::new();
    let mut problem = |field: &str, what: &str| problems.push((field.to_owned(), what.to_owned()));
    let stage = Stage::of(request.stage).unwrap_or_default();
    let (note, customer_text) = (request.note.trim(), request.customer_text.trim());
    if stage == Stage::None && note.is_empty() && customer_text.is_empty() {
        for field in ["stage", "note", "customer_text"] {
            problem(field, "one of stage, note and customer_text must be given");
        }
    }
    let promise_time = sql::from_proto(request.promise_time.as_ref());
    if request.promise_time.is_some() {
        if promise_time.is_none() {
            problem("promise_time", "is not a moment of this calendar");
        }
        if customer_text.is_empty() {
            problem("customer_text", "must say what is promised");
        }
    }
    if problems.is_empty() {
        Ok(Progress {
            stage,
            note: mask(note),
            customer_text: mask(customer_text),
            promise_time,
        })
    } else {
        Err(Refusal::invalid(problems))
    }
}

/// A state for the wire; the numbers are the same.
pub(crate) fn state_category(state: State) -> StateCategory {
    StateCategory::try_from(i32::from(state_number(state))).unwrap_or_default()
}

/// The number of a mark on the wire.
pub(crate) fn mark_number(mark: Option<Mark>) -> i32 {
    mark.map_or(SlaMark::Unspecified as i32, |mark| mark as i32)
}

/// A duration for the wire.
pub(crate) fn duration(duration: SignedDuration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: duration.as_secs(),
        nanos: duration.subsec_nanos(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work_order::domain::state_name;

    #[test]
    fn states_and_marks_are_numbered_as_in_the_proto() {
        for state in State::ALL {
            assert_eq!(
                state_category(state).as_str_name(),
                format!("STATE_CATEGORY_{}", state_name(state))
            );
        }
        for mark in [Mark::Warned, Mark::Breached, Mark::Met, Mark::StoppedLate] {
            let name = SlaMark::try_from(mark as i32).unwrap().as_str_name();
            assert_eq!(name, format!("SLA_MARK_{}", mark.name().to_uppercase()));
        }
    }

    #[test]
    fn every_problem_of_a_progress_note_is_named() {
        let fields = |request: v1::NoteProgressRequest| {
            progress(&request).map_err(|refusal| {
                refusal
                    .violations()
                    .iter()
                    .map(|(field, _)| field.clone())
                    .collect::<Vec<_>>()
            })
        };
        assert_eq!(
            fields(v1::NoteProgressRequest::default()).unwrap_err(),
            ["stage", "note", "customer_text"]
        );
        let promise = v1::NoteProgressRequest {
            note: "x".to_owned(),
            promise_time: Some(prost_types::Timestamp {
                seconds: i64::MAX,
                nanos: 0,
            }),
            ..Default::default()
        };
        assert_eq!(fields(promise).unwrap_err(), ["promise_time", "customer_text"]);
        let noted = v1::NoteProgressRequest {
            note: "回电13800138000".to_owned(),
            ..Default::default()
        };
        assert_eq!(fields(noted).unwrap().note, "回电[手机号]");
    }
}
