//! Between problems of the domain and those of the proto.

use huiyin_chassis::{Refusal, Tenant, mask::mask, sql, update::Taken};
use huiyin_proto::{classifier::v1, event::v1 as event};
use jiff::Timestamp;
use prost_types::FieldMask;

pub(super) use huiyin_proto::classifier::v1::{Problem as Answer, ProblemPolicy as PolicyAnswer};

use super::{
    domain::{Origin, Problem, Source, State, Term, Transition},
    domain_policy::{Kept, Policy},
    store_members::Member,
    topics::Found,
};

/// The collection of problems.
pub(super) const PROBLEMS: &str = "problems";
/// What can be changed of a problem.
const PATHS: [&str; 6] = ["title", "description", "category", "product_model", "batch", "terms"];

/// A state; none where it is not one of ours.
pub(super) fn state(number: i32) -> Option<State> {
    match event::ProblemState::try_from(number) {
        Ok(event::ProblemState::Proposed) => Some(State::Proposed),
        Ok(event::ProblemState::Accepted) => Some(State::Accepted),
        Ok(event::ProblemState::Resolved) => Some(State::Resolved),
        Ok(event::ProblemState::Reopened) => Some(State::Reopened),
        Ok(event::ProblemState::Rejected) => Some(State::Rejected),
        Ok(event::ProblemState::Merged) => Some(State::Merged),
        Ok(event::ProblemState::Unspecified) | Err(_) => None,
    }
}

/// The number of a state.
pub(super) fn state_number(state: State) -> i32 {
    match state {
        State::Proposed => event::ProblemState::Proposed,
        State::Accepted => event::ProblemState::Accepted,
        State::Resolved => event::ProblemState::Resolved,
        State::Reopened => event::ProblemState::Reopened,
        State::Rejected => event::ProblemState::Rejected,
        State::Merged => event::ProblemState::Merged,
    }
    .into()
}

/// An origin; none where it is not one of ours.
pub(super) fn origin(number: i32) -> Option<Origin> {
    match v1::ProblemOrigin::try_from(number) {
        Ok(v1::ProblemOrigin::Group) => Some(Origin::Group),
        Ok(v1::ProblemOrigin::Topic) => Some(Origin::Topic),
        Ok(v1::ProblemOrigin::Hand) => Some(Origin::Hand),
        Ok(v1::ProblemOrigin::Split) => Some(Origin::Split),
        Ok(v1::ProblemOrigin::Unspecified) | Err(_) => None,
    }
}

/// The number of an origin.
pub(super) fn origin_number(origin: Origin) -> i32 {
    match origin {
        Origin::Group => v1::ProblemOrigin::Group,
        Origin::Topic => v1::ProblemOrigin::Topic,
        Origin::Hand => v1::ProblemOrigin::Hand,
        Origin::Split => v1::ProblemOrigin::Split,
    }
    .into()
}

/// A source; none where it is not one of ours.
pub(super) fn source(number: i32) -> Option<Source> {
    match v1::MembershipSource::try_from(number) {
        Ok(v1::MembershipSource::Proposal) => Some(Source::Proposal),
        Ok(v1::MembershipSource::Fit) => Some(Source::Fit),
        Ok(v1::MembershipSource::Hand) => Some(Source::Hand),
        Ok(v1::MembershipSource::Split) => Some(Source::Split),
        Ok(v1::MembershipSource::Unspecified) | Err(_) => None,
    }
}

/// The number of a source.
pub(super) fn source_number(source: Source) -> i32 {
    match source {
        Source::Proposal => v1::MembershipSource::Proposal,
        Source::Fit => v1::MembershipSource::Fit,
        Source::Hand => v1::MembershipSource::Hand,
        Source::Split => v1::MembershipSource::Split,
    }
    .into()
}

/// What a person gives a problem; what is none is left as it is.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    pub(super) category: Option<String>,
    pub(super) product_model: Option<String>,
    pub(super) batch: Option<String>,
    /// Without any they are worked out.
    pub(super) terms: Option<Vec<Term>>,
}

/// What a person gives: the fields of the mask, all with `*`, and without a mask those that are not empty.
///
/// # Errors
/// A path that cannot be changed, and an empty title.
pub(super) fn given(problem: v1::Problem, paths: Option<&FieldMask>) -> Result<Given, Refusal> {
    let taken = Taken::new(paths, &PATHS)?;
    let text = |path: &str, text: String| taken.takes(path, !text.is_empty()).then_some(text);
    let given = Given {
        title: text("title", mask(&problem.title)),
        description: text("description", mask(&problem.description)),
        category: text("category", problem.category),
        product_model: text("product_model", problem.product_model),
        batch: text("batch", problem.batch),
        terms: taken
            .takes("terms", !problem.terms.is_empty())
            .then(|| problem.terms.into_iter().map(given_term).collect()),
    };
    if given.title.as_ref().is_some_and(|title| title.trim().is_empty()) {
        return Err(Refusal::invalid_field("problem.title", "must not be empty"));
    }
    Ok(given)
}

/// Terms stand as the classifier reads words.
fn given_term(term: v1::TellingTerm) -> Term {
    Term {
        term: crate::reading::fold::fold(&mask(&term.term)).text().to_owned(),
        score: if term.score > 0.0 { term.score } else { 1.0 },
        given: true,
    }
}

fn terms(terms: &[Term]) -> Vec<v1::TellingTerm> {
    let term = |term: &Term| v1::TellingTerm {
        term: term.term.clone(),
        score: term.score,
        given: term.given,
    };
    terms.iter().map(term).collect()
}

/// A problem for the wire, without samples and transitions.
pub(super) fn answer(tenant: &Tenant, problem: &Problem) -> Answer {
    let Problem { about, counts, .. } = problem;
    Answer {
        name: tenant.child(PROBLEMS, problem.id),
        number: problem.number.clone(),
        title: problem.title.clone(),
        description: problem.description.clone(),
        category: about.category.clone(),
        product_model: about.product_model.clone(),
        batch: about.batch.clone(),
        state: state_number(problem.state),
        origin: origin_number(problem.origin),
        terms: terms(&problem.terms),
        feedback_count: counts.feedbacks,
        customer_count: counts.customers,
        unknown_customer_count: counts.unknown,
        recurrence_count: counts.recurrences,
        first_seen_time: counts.first_seen.map(sql::to_proto),
        last_seen_time: counts.last_seen.map(sql::to_proto),
        merged_into: problem
            .merged_into
            .map(|into| tenant.child(PROBLEMS, into))
            .unwrap_or_default(),
        fix_version: problem.fix.as_ref().map(|fix| fix.version.clone()).unwrap_or_default(),
        fix_time: problem.fix.as_ref().map(|fix| sql::to_proto(fix.time)),
        samples: Vec::new(),
        transitions: Vec::new(),
        revision: problem.revision,
        etag: problem.revision.to_string(),
        author: problem.author.clone(),
        create_time: Some(sql::to_proto(problem.create_time)),
        update_time: Some(sql::to_proto(problem.update_time)),
    }
}

/// A problem with its samples and the moves that it has made.
pub(super) fn whole(
    tenant: &Tenant,
    problem: &Problem,
    samples: Vec<(String, String, String)>,
    moves: Vec<Transition>,
) -> Answer {
    let transition = |moved: Transition| v1::ProblemTransition {
        revision: moved.revision,
        from: moved.from.map_or(0, state_number),
        to: state_number(moved.to),
        reason: moved.reason,
        actor: moved.actor,
        create_time: Some(sql::to_proto(moved.create_time)),
    };
    Answer {
        samples: samples.into_iter().map(sample).collect(),
        transitions: moves.into_iter().map(transition).collect(),
        ..answer(tenant, problem)
    }
}

fn sample((feedback, number, excerpt): (String, String, String)) -> v1::ProblemSample {
    v1::ProblemSample {
        feedback,
        number,
        excerpt,
    }
}

/// A feedback of a problem for the wire.
pub(super) fn member(tenant: &Tenant, member: Member) -> v1::ProblemFeedback {
    v1::ProblemFeedback {
        classification: tenant.child("classifications", member.feedback),
        feedback: member.name,
        number: member.number,
        customer: member.customer,
        excerpt: member.excerpt,
        own_problem: tenant.child(PROBLEMS, member.own),
        source: source_number(member.source),
        actor: member.author,
        recurrence: member.recurrence,
        seen_time: Some(sql::to_proto(member.seen)),
        create_time: Some(sql::to_proto(member.create_time)),
    }
}

/// The policy that a person gives.
pub(super) fn given_policy(policy: &v1::ProblemPolicy) -> Policy {
    Policy {
        propose_groups: policy.propose_groups,
        propose_topics: policy.propose_topics,
        window_days: policy.window_days,
        min_feedbacks: policy.min_feedbacks,
        min_customers: policy.min_customers,
        by_product_model: policy.by_product_model,
        by_batch: policy.by_batch,
        near_text_similarity: policy.near_text_similarity,
        fit_share: policy.fit_share,
        regrowth_factor: policy.regrowth_factor,
        topic_days: policy.topic_days,
        topic_baseline_days: policy.topic_baseline_days,
        topic_min_score: policy.topic_min_score,
        topic_min_feedbacks: policy.topic_min_feedbacks,
    }
}

/// A policy for the wire.
pub(super) fn policy(tenant: &Tenant, kept: &Kept) -> PolicyAnswer {
    let Kept {
        policy,
        revision,
        author,
        update_time,
    } = kept;
    PolicyAnswer {
        name: format!("{}/problemPolicy", tenant.name()),
        propose_groups: policy.propose_groups,
        propose_topics: policy.propose_topics,
        window_days: policy.window_days,
        min_feedbacks: policy.min_feedbacks,
        min_customers: policy.min_customers,
        by_product_model: policy.by_product_model,
        by_batch: policy.by_batch,
        near_text_similarity: policy.near_text_similarity,
        fit_share: policy.fit_share,
        regrowth_factor: policy.regrowth_factor,
        topic_days: policy.topic_days,
        topic_baseline_days: policy.topic_baseline_days,
        topic_min_score: policy.topic_min_score,
        topic_min_feedbacks: policy.topic_min_feedbacks,
        etag: revision.to_string(),
        author: author.clone(),
        update_time: update_time.map(sql::to_proto),
    }
}

/// A time that a caller gives; none where it gives none.
///
/// # Errors
/// A time that no calendar has.
pub(super) fn time(field: &str, given: Option<&prost_types::Timestamp>) -> Result<Option<Timestamp>, Refusal> {
    match (given, sql::from_proto(given)) {
        (Some(_), None) => Err(Refusal::invalid_field(field, "is no time")),
        (_, time) => Ok(time),
    }
}

/// What has come up, for the wire.
pub(super) fn topics(found: Found) -> v1::ListEmergingTopicsResponse {
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let topics = found.topics.iter().map(|topic| v1::EmergingTopic {
        terms: terms(&topic.terms),
        feedback_count: count(topic.said.len()),
        baseline_count: count(topic.baseline),
        customer_count: count(topic.customers()),
        unknown_customer_count: count(topic.said.iter().filter(|said| said.customer.is_empty()).count()),
        samples: topic
            .said
            .iter()
            .take(5)
            .map(|said| sample((said.name.clone(), said.number.clone(), said.excerpt.clone())))
            .collect(),
        in_problems: count(topic.said.iter().filter(|said| said.in_problem).count()),
    });
    v1::ListEmergingTopicsResponse {
        topics: topics.collect(),
        feedback_count: count(found.recent),
        baseline_count: count(found.baseline),
        truncated: found.truncated,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lead_back_to_what_they_stand_for() {
        for value in State::ALL {
            assert_eq!(state(state_number(value)), Some(value));
        }
        for value in [Origin::Group, Origin::Topic, Origin::Hand, Origin::Split] {
            assert_eq!(origin(origin_number(value)), Some(value));
        }
        for value in [Source::Proposal, Source::Fit, Source::Hand, Source::Split] {
            assert_eq!(source(source_number(value)), Some(value));
        }
        assert_eq!((state(0), origin(0), source(0), state(99)), (None, None, None, None));
    }

    #[test]
    fn a_mask_says_what_is_taken_over() {
        let problem = || v1::Problem {
            title: "闪退，电话13912345678".to_owned(),
            ..v1::Problem::default()
        };
        let mask = |paths: &[&str]| FieldMask {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        };
        let taken = given(problem(), None).unwrap();
        assert!(taken.title.is_some_and(|title| title.contains("[手机号]")) && taken.batch.is_none());
        let taken = given(problem(), Some(&mask(&["batch"]))).unwrap();
        assert!(taken.title.is_none() && taken.batch == Some(String::new()));
        assert!(given(problem(), Some(&mask(&["*"]))).unwrap().terms.is_some());
        assert!(given(problem(), Some(&mask(&["state"]))).is_err());
        assert!(given(v1::Problem::default(), Some(&mask(&["title"]))).is_err());
    }
}
