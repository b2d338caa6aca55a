//! Between review items of the domain and those of the proto.

use huiyin_chassis::{Refusal, Tenant, sql};
use huiyin_proto::classifier::v1;
use jiff::{SignedDuration, Timestamp};

pub(super) use huiyin_proto::classifier::v1::{
    Agreement as AgreementAnswer, ClaimNextReviewItemResponse as NextAnswer, ReviewItem as ItemAnswer,
};

use super::{
    domain::{CloseReason, DEFAULT_LEASE, Item, Reason, Stage, State},
    domain_agreement::{Agreement, Coders, DEFINITION, Machine},
};

/// The part of a name behind `tenants/{tenant}/`.
pub(super) const REVIEW_ITEMS: &str = "reviewItems";
/// The same of a task.
pub(super) const TASKS: &str = "tasks";

/// A reason; none where the number is none of ours.
pub(super) fn reason(number: i32) -> Option<Reason> {
    match v1::ReviewReason::try_from(number) {
        Ok(v1::ReviewReason::ModelUnsure) => Some(Reason::ModelUnsure),
        Ok(v1::ReviewReason::NothingFound) => Some(Reason::NothingFound),
        Ok(v1::ReviewReason::WordsUnsure) => Some(Reason::WordsUnsure),
        Ok(v1::ReviewReason::Sample) => Some(Reason::Sample),
        Ok(v1::ReviewReason::Unspecified) | Err(_) => None,
    }
}

/// The number of a reason.
pub(super) fn reason_number(reason: Reason) -> i32 {
    match reason {
        Reason::ModelUnsure => v1::ReviewReason::ModelUnsure,
        Reason::NothingFound => v1::ReviewReason::NothingFound,
        Reason::WordsUnsure => v1::ReviewReason::WordsUnsure,
        Reason::Sample => v1::ReviewReason::Sample,
    }
    .into()
}

/// A stage; none where the number is none of ours.
pub(super) fn stage(number: i32) -> Option<Stage> {
    match v1::ReviewStage::try_from(number) {
        Ok(v1::ReviewStage::First) => Some(Stage::First),
        Ok(v1::ReviewStage::Second) => Some(Stage::Second),
        Ok(v1::ReviewStage::Adjudication) => Some(Stage::Adjudication),
        Ok(v1::ReviewStage::Unspecified) | Err(_) => None,
    }
}

/// The number of a stage.
pub(super) fn stage_number(stage: Stage) -> i32 {
    match stage {
        Stage::First => v1::ReviewStage::First,
        Stage::Second => v1::ReviewStage::Second,
        Stage::Adjudication => v1::ReviewStage::Adjudication,
    }
    .into()
}

/// A state; none where the number is none of ours.
pub(super) fn state(number: i32) -> Option<State> {
    match v1::ReviewState::try_from(number) {
        Ok(v1::ReviewState::Open) => Some(State::Open),
        Ok(v1::ReviewState::Claimed) => Some(State::Claimed),
        Ok(v1::ReviewState::Resolved) => Some(State::Resolved),
        Ok(v1::ReviewState::Closed) => Some(State::Closed),
        Ok(v1::ReviewState::Unspecified) | Err(_) => None,
    }
}

/// The number of a state.
pub(super) fn state_number(state: State) -> i32 {
    match state {
        State::Open => v1::ReviewState::Open,
        State::Claimed => v1::ReviewState::Claimed,
        State::Resolved => v1::ReviewState::Resolved,
        State::Closed => v1::ReviewState::Closed,
    }
    .into()
}

/// Why it is closed; none where it is not.
pub(super) fn close_reason(number: i32) -> Option<CloseReason> {
    match v1::ReviewCloseReason::try_from(number) {
        Ok(v1::ReviewCloseReason::Corrected) => Some(CloseReason::Corrected),
        Ok(v1::ReviewCloseReason::Reclassified) => Some(CloseReason::Reclassified),
        Ok(v1::ReviewCloseReason::Erased) => Some(CloseReason::Erased),
        Ok(v1::ReviewCloseReason::Unspecified) | Err(_) => None,
    }
}

/// The number of it.
pub(super) fn close_reason_number(reason: Option<CloseReason>) -> i32 {
    match reason {
        None => v1::ReviewCloseReason::Unspecified,
        Some(CloseReason::Corrected) => v1::ReviewCloseReason::Corrected,
        Some(CloseReason::Reclassified) => v1::ReviewCloseReason::Reclassified,
        Some(CloseReason::Erased) => v1::ReviewCloseReason::Erased,
    }
    .into()
}

/// For how long somebody wants an item.
pub(super) fn lease(said: Option<&prost_types::Duration>) -> SignedDuration {
    said.map_or(DEFAULT_LEASE, |said| SignedDuration::new(said.seconds, said.nanos))
}

/// A stretch of time; what is not said is no condition.
///
/// # Errors
/// Times that no calendar has, and a stretch that ends before it begins.
pub(crate) fn stretch(
    start: Option<&prost_types::Timestamp>,
    end: Option<&prost_types::Timestamp>,
) -> Result<(Option<Timestamp>, Option<Timestamp>), Refusal> {
    let time = |field: &str, said: Option<&prost_types::Timestamp>| match (said, sql::from_proto(said)) {
        (Some(_), None) => Err(Refusal::invalid_field(field, "is no time")),
        (_, time) => Ok(time),
    };
    match (time("start_time", start)?, time("end_time", end)?) {
        (Some(start), Some(end)) if end <= start => {
            Err(Refusal::invalid_field("end_time", "must be later than start_time"))
        }
        stretch => Ok(stretch),
    }
}

/// An item, as `reader` may see it.
pub(super) fn item(tenant: &Tenant, item: &Item, reader: &str) -> ItemAnswer {
    let resolved = item.state == State::Resolved;
    let shows = resolved && (!item.hidden || item.assignee == reader);
    let shown = |text: &str| if shows { text.to_owned() } else { String::new() };
    ItemAnswer {
        name: tenant.child(REVIEW_ITEMS, item.id),
        classification: tenant.child("classifications", item.classification),
        task: tenant.child(TASKS, &item.task),
        reason: reason_number(item.reason),
        stage: stage_number(item.stage),
        state: state_number(item.state),
        close_reason: close_reason_number(item.close_reason),
        double_coded: item.double_coded,
        found_label: item.found.clone(),
        guessed_label: item.guess.clone(),
        confidence: item.confidence,
        candidates: item.candidates.clone(),
        text: item.text.clone().unwrap_or_default(),
        assignee: item.assignee.clone(),
        lease_expire_time: item.lease_expire_time.map(sql::to_proto),
        label: shown(&item.label),
        confirmed: shows && item.label == item.found,
        comment: shown(&item.comment),
        resolve_time: item.resolve_time.map(sql::to_proto),
        etag: item.revision.to_string(),
        create_time: Some(sql::to_proto(item.create_time)),
        update_time: Some(sql::to_proto(item.update_time)),
    }
}

fn coders(coders: &Coders) -> v1::CoderAgreement {
    v1::CoderAgreement {
        pairs: coders.pairs,
        agreed: coders.agreed,
        agreement: coders.agreement,
        kappa: coders.kappa,
    }
}

fn machine(machine: Machine) -> v1::MachineAgreement {
    v1::MachineAgreement {
        reviewed: machine.reviewed,
        confirmed: machine.confirmed,
        corrected: machine.corrected(),
        agreement: machine.agreement(),
    }
}

/// How well people agree on the labels of a task.
pub(super) fn agreement(tenant: &Tenant, task: &str, agreement: &Agreement) -> AgreementAnswer {
    let categories = agreement.categories.iter();
    AgreementAnswer {
        name: format!("{}/agreement", tenant.child(TASKS, task)),
        definition: DEFINITION.to_owned(),
        coders: Some(coders(&agreement.coders)),
        machine: Some(machine(agreement.machine)),
        categories: categories
            .map(|(category, by_people, by_machine)| v1::CategoryAgreement {
                category: category.clone(),
                coders: Some(coders(by_people)),
                machine: Some(machine(*by_machine)),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_enum_survives_the_wire() {
        for found in [
            Reason::ModelUnsure,
            Reason::NothingFound,
            Reason::WordsUnsure,
            Reason::Sample,
        ] {
            assert_eq!(reason(reason_number(found)), Some(found));
        }
        for found in [Stage::First, Stage::Second, Stage::Adjudication] {
            assert_eq!(stage(stage_number(found)), Some(found));
        }
        for found in [State::Open, State::Claimed, State::Resolved, State::Closed] {
            assert_eq!(state(state_number(found)), Some(found));
        }
        let closed = [CloseReason::Corrected, CloseReason::Reclassified, CloseReason::Erased].map(Some);
        for found in closed.into_iter().chain([None]) {
            assert_eq!(close_reason(close_reason_number(found)), found);
        }
        assert_eq!((reason(0), stage(9), state(-1)), (None, None, None));
    }
}
