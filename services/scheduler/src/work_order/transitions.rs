//! Which method is allowed in which state, and where it leads (C-11, 003-72): the table at `WorkOrder.state` of the proto.

use super::domain::State;

/// What somebody does to a work order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Takes notice of it (受理).
    Acknowledge,
    /// Gives it to a person or team.
    Assign,
    /// Begins the work.
    Start,
    /// Notes progress.
    NoteProgress,
    /// Waits for somebody outside.
    Hold,
    /// Goes on.
    Resume,
    /// Proposes a solution.
    Submit,
    /// Solves it.
    Resolve,
    /// Takes it up again.
    Reopen,
    /// Closes it after an audit.
    Close,
    /// Refuses it.
    Reject,
}

impl Action {
    /// All of them.
    pub(crate) const ALL: [Self; 11] = [
        Self::Acknowledge,
        Self::Assign,
        Self::Start,
        Self::NoteProgress,
        Self::Hold,
        Self::Resume,
        Self::Submit,
        Self::Resolve,
        Self::Reopen,
        Self::Close,
        Self::Reject,
    ];

    /// The method that does it.
    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::Acknowledge => "AcknowledgeWorkOrder",
            Self::Assign => "AssignWorkOrder",
            Self::Start => "StartWorkOrder",
            Self::NoteProgress => "NoteProgress",
            Self::Hold => "HoldWorkOrder",
            Self::Resume => "ResumeWorkOrder",
            Self::Submit => "SubmitForVerification",
            Self::Resolve => "ResolveWorkOrder",
            Self::Reopen => "ReopenWorkOrder",
            Self::Close => "CloseWorkOrder",
            Self::Reject => "RejectWorkOrder",
        }
    }
}

/// Where an action leads from a state; `None` where it is not allowed. What leads where it came from changes no state.
/// A reopened work order that nobody is assigned to is NEW, whatever this says.
pub(crate) fn leads_to(state: State, action: Action) -> Option<State> {
    use State::{Active, Closed, New, Rejected, Resolved, Verifying, Waiting};
    match (action, state) {
        (Action::Acknowledge, New | Active | Waiting | Verifying | Resolved) => Some(state),
        (Action::Assign | Action::NoteProgress, New | Active | Waiting | Verifying) => Some(state),
        (Action::Start, New) | (Action::Resume, Waiting | Verifying) => Some(Active),
        (Action::Hold, Active) => Some(Waiting),
        (Action::Submit, Active) => Some(Verifying),
        (Action::Resolve, Active | Verifying) => Some(Resolved),
        (Action::Reopen, Resolved | Closed | Rejected) => Some(Active),
        (Action::Close, Resolved) => Some(Closed),
        (Action::Reject, New | Active | Waiting) => Some(Rejected),
        _ => None,
    }
}

/// The methods that a state allows.
pub(crate) fn allowed(state: State) -> Vec<&'static str> {
    Action::ALL
        .into_iter()
        .filter(|action| leads_to(state, *action).is_some())
        .map(Action::method)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::work_order::domain::state_name;

    /// The rows of the table in the proto: method, states that it is allowed in, and where it leads.
    fn documented() -> Vec<(String, Vec<String>, String)> {
        let proto = include_str!("../../../../proto/huiyin/scheduler/v1/work_order.proto");
        let all: Vec<String> = State::ALL
            .into_iter()
            .map(|state| state_name(state).to_owned())
            .collect();
        proto
            .lines()
            .filter_map(|line| line.trim().strip_prefix("//   "))
            .filter_map(|row| {
                let columns: Vec<&str> = row
                    .split("  ")
                    .map(str::trim)
                    .filter(|column| !column.is_empty())
                    .collect();
                let (method, from, to) = (*columns.first()?, *columns.get(1)?, *columns.get(2)?);
                Action::ALL.into_iter().find(|action| action.method() == method)?;
                let from = match from.strip_prefix("any but ") {
                    Some(but) => all
                        .iter()
                        .filter(|state| !but.contains(state.as_str()))
                        .cloned()
                        .collect(),
                    None => from
                        .split(", ")
                        .filter(|word| all.iter().any(|state| state == word))
                        .map(str::to_owned)
                        .collect(),
                };
                Some((method.to_owned(), from, to.to_owned()))
            })
            .collect()
    }

    /// C-11, 003-72: what the proto promises is what happens, for every method in every state.
    #[test]
    fn every_pair_of_method_and_state_does_what_the_proto_says() {
        let rows = documented();
        assert_eq!(rows.len(), 12, "the table in the proto was not read whole: {rows:?}");
        for action in Action::ALL {
            for state in State::ALL {
                let row = rows.iter().find(|(method, from, _)| {
                    method == action.method() && from.iter().any(|name| name == state_name(state))
                });
                let promised = row.map(|(_, _, to)| {
                    if to == "the same" {
                        state_name(state)
                    } else {
                        to.as_str()
                    }
                });
                assert_eq!(
                    leads_to(state, action).map(state_name),
                    promised,
                    "{} in {}",
                    action.method(),
                    state_name(state)
                );
            }
        }
    }

    #[test]
    fn every_state_can_be_left_or_is_left_alone_for_good_by_nobody() {
        for state in State::ALL {
            assert!(
                Action::ALL
                    .into_iter()
                    .any(|action| leads_to(state, action).is_some_and(|next| next != state)),
                "{}",
                state_name(state)
            );
        }
    }

    proptest! {
        /// Whatever is tried in whatever order, an ended work order goes on by a reopening alone, and what is refused is not among
        /// what is named as allowed.
        #[test]
        fn an_end_is_left_by_a_reopening_alone(tried in prop::collection::vec(0..Action::ALL.len(), 0..60)) {
            let mut state = State::New;
            for action in tried.into_iter().map(|index| Action::ALL[index]) {
                let next = leads_to(state, action);
                prop_assert_eq!(next.is_some(), allowed(state).contains(&action.method()));
                let Some(next) = next else { continue };
                if state.ends_episode() && !next.ends_episode() {
                    prop_assert_eq!(action, Action::Reopen);
                }
                prop_assert!(next != State::New || state == State::New);
                state = next;
            }
        }
    }
}
