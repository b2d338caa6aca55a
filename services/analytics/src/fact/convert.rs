//! Facts for the wire.

use huiyin_chassis::{Tenant, sql};
use huiyin_proto::{
    analytics::v1::{ClassificationFact, ClockFact, EpisodeFact, FeedbackFact, WorkOrderFact},
    event::v1 as event,
    r#type::v1::{FeedbackDigest, Priority},
};
use jiff::Timestamp;
use prost_types::Duration;

use super::{
    change::Mark,
    domain::{Clock, Episode, Fact, WorkOrder},
    store::state_number,
};

/// All that is known of one feedback.
pub(crate) fn fact(tenant: &Tenant, fact: &Fact) -> FeedbackFact {
    FeedbackFact {
        name: tenant.child("feedbackFacts", fact.feedback),
        feedback: Some(digest(tenant, fact)),
        classification: fact.classification.as_ref().map(|found| ClassificationFact {
            revision: found.revision,
            classify_time: Some(sql::to_proto(found.classify_time)),
            category: found.category.clone(),
            priority: fact.priority().map(|priority| Priority {
                key: priority.key.clone(),
                rank: priority.rank,
            }),
            sentiment: found.sentiment,
            impact: found.impact,
        }),
        work_order: fact.work_order.as_ref().map(|order| work_order(tenant, order)),
        episodes: fact.episodes.iter().map(episode).collect(),
        clocks: fact.clocks.iter().map(clock).collect(),
        messages_delivered: small(fact.messages_delivered),
        messages_dead: small(fact.messages_dead),
        last_event_time: Some(sql::to_proto(fact.last_event_time)),
    }
}

fn digest(tenant: &Tenant, fact: &Fact) -> FeedbackDigest {
    let feedback = tenant.child("feedbacks", fact.feedback);
    let Some(known) = &fact.submission else {
        return FeedbackDigest {
            feedback,
            ..FeedbackDigest::default()
        };
    };
    FeedbackDigest {
        feedback,
        number: known.number.clone(),
        channel: known.channel.into(),
        customer: known.customer.clone(),
        tier: known.tier.into(),
        product_model: known.product_model.clone(),
        batch: known.batch.clone(),
        occur_time: time(known.occur_time),
        receive_time: Some(sql::to_proto(known.receive_time)),
        language: known.language.clone(),
        reachable: known.reachable,
        traceparent: String::new(),
    }
}

fn work_order(tenant: &Tenant, order: &WorkOrder) -> WorkOrderFact {
    WorkOrderFact {
        work_order: tenant.child("workOrders", order.id),
        open_time: time(order.open_time),
        state: order.state.map_or(0, |state| state_number(state).into()),
        team: order.team.clone(),
        assignments: order.assignments,
        notes: order.notes,
    }
}

fn episode(episode: &Episode) -> EpisodeFact {
    let answer = episode.answer.as_ref();
    let scores = answer.map(|answer| answer.scores.as_slice()).unwrap_or_default();
    EpisodeFact {
        episode: episode.episode,
        resolve_time: time(episode.resolve_time),
        working_duration: episode.working_us.map(duration),
        reopen_time: time(episode.reopen_time),
        invitation: episode.invitation.clone(),
        invite_time: time(episode.invite_time),
        answer_time: time(answer.map(|answer| answer.time)),
        scores: scores
            .iter()
            .map(|score| event::Score {
                dimension: score.dimension.clone(),
                value: score.value,
            })
            .collect(),
        satisfaction: answer.map_or(0.0, |answer| millionths(answer.satisfaction)),
        solved: answer.is_some_and(|answer| answer.solved),
    }
}

fn clock(clock: &Clock) -> ClockFact {
    let mark = match clock.mark {
        None => event::SlaMark::Unspecified,
        Some(Mark::Warned) => event::SlaMark::Warned,
        Some(Mark::Breached) => event::SlaMark::Breached,
        Some(Mark::Met) => event::SlaMark::Met,
        Some(Mark::StoppedLate) => event::SlaMark::StoppedLate,
    };
    ClockFact {
        clock: clock.clock.clone(),
        episode: clock.episode,
        due_time: time(clock.due_time),
        warn_time: time(clock.warn_time),
        breach_time: time(clock.breach_time),
        stop_time: time(clock.stop_time),
        mark: mark.into(),
    }
}

fn time(time: Option<Timestamp>) -> Option<prost_types::Timestamp> {
    time.map(sql::to_proto)
}

fn duration(microseconds: i64) -> Duration {
    let nanos = i32::try_from(microseconds % 1_000_000 * 1000).unwrap_or_default();
    Duration {
        seconds: microseconds / 1_000_000,
        nanos,
    }
}

#[expect(clippy::cast_precision_loss, reason = "at most five millions")]
fn millionths(whole: i64) -> f64 {
    whole as f64 / 1_000_000.0
}

fn small(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
