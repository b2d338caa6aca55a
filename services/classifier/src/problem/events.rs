//! What is told of problems: `ProblemChanged`, without a word of anybody's.

use huiyin_chassis::{Tenant, sql};
use huiyin_events::{NewEvent, Payload};
use huiyin_proto::event::v1::ProblemChanged;

use super::{
    convert::{PROBLEMS, state_number},
    domain::{Problem, State},
};

/// That a problem has changed. `from` is where it stood, none for a new one; `added` and `removed` are names of feedbacks.
pub(super) fn changed(
    tenant: &Tenant,
    problem: &Problem,
    from: Option<State>,
    (added, removed): (Vec<String>, Vec<String>),
    actor: &str,
) -> NewEvent {
    let Problem { about, counts, fix, .. } = problem;
    let name = tenant.child(PROBLEMS, problem.id);
    NewEvent {
        subject: name.clone(),
        actor: actor.to_owned(),
        payload: Payload::ProblemChanged(ProblemChanged {
            problem: name,
            number: problem.number.clone(),
            revision: problem.revision,
            from: from.map_or(0, state_number),
            state: state_number(problem.state),
            category: about.category.clone(),
            product_model: about.product_model.clone(),
            batch: about.batch.clone(),
            feedback_count: counts.feedbacks,
            customer_count: counts.customers,
            unknown_customer_count: counts.unknown,
            recurrence_count: counts.recurrences,
            merged_into: problem
                .merged_into
                .map(|into| tenant.child(PROBLEMS, into))
                .unwrap_or_default(),
            fix_version: fix.as_ref().map(|fix| fix.version.clone()).unwrap_or_default(),
            fix_time: fix.as_ref().map(|fix| sql::to_proto(fix.time)),
            added_feedbacks: added,
            removed_feedbacks: removed,
        }),
    }
}
