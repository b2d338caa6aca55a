//! Between classifications of the domain and those of the proto and the events.

mod numbers;

use huiyin_chassis::{Refusal, Tenant, mask::mask, sql};
use huiyin_proto::{
    classifier::v1,
    event::v1::{self as event, FeedbackClassified, FeedbackSubmitted},
    r#type::v1 as shared,
};

pub(crate) use huiyin_proto::classifier::v1::Classification as Answer;
pub(super) use huiyin_proto::classifier::v1::{
    CategoryConfusion as Confusion, ReclassificationCheckpoint as Checkpoint, ReclassifyFeedbacksRequest as Asked,
    ReclassifyFeedbacksResponse as Reclassified,
};

pub(crate) use numbers::{impact, impact_number, sentiment, sentiment_number, tier, tier_number};

use super::{
    domain::{Change, Classification, Correction},
    domain_priority::{Computed, Decided, Scoring},
    domain_review::{Review, ReviewState, Vote},
    store_anew::Which,
};
use crate::{
    domain::{Feedback, Label, Tier},
    priority::convert::{decision, priority, review_mode_number},
    reading::{
        aspect::Aspect,
        span::{Span, Spoken},
        verdict::Statement,
    },
    review::convert::stretch,
};

/// What this room keeps of a feedback that was told.
pub(super) fn feedback(digest: &shared::FeedbackDigest) -> Feedback {
    Feedback {
        name: digest.feedback.clone(),
        number: digest.number.clone(),
        channel: digest.channel,
        customer: digest.customer.clone(),
        tier: tier(digest.tier).unwrap_or(Tier::Existing),
        tier_said: tier(digest.tier).is_some(),
        product_model: digest.product_model.clone(),
        batch: digest.batch.clone(),
        occur_time: sql::from_proto(digest.occur_time.as_ref()),
        receive_time: sql::from_proto(digest.receive_time.as_ref()),
        language: digest.language.clone(),
        reachable: digest.reachable,
        traceparent: digest.traceparent.clone(),
    }
}

/// The text of a feedback with what was stated with it.
pub(super) fn submitted<'s>(submitted: &'s FeedbackSubmitted, feedback: &'s Feedback) -> Statement<'s> {
    Statement {
        text: &submitted.text,
        tier: feedback.tier,
        product_model: &feedback.product_model,
        channel: feedback.channel,
        impact: impact(submitted.stated_impact),
        urgency: submitted.stated_urgency,
        emotion_level: submitted.emotion_level,
    }
}

/// A text to classify.
pub(super) fn asked(request: &v1::ClassifyTextRequest) -> Statement<'_> {
    Statement {
        text: &request.text,
        tier: tier(request.tier).unwrap_or(Tier::Existing),
        impact: impact(request.stated_impact),
        urgency: request.stated_urgency,
        emotion_level: request.emotion_level,
        product_model: &request.product_model,
        channel: request.channel,
    }
}

/// What a caller wants to correct; an empty field leaves what holds. The reason goes out with events, so it is masked.
pub(super) fn change(request: &v1::CorrectClassificationRequest, author: &str) -> Change {
    let label = |label: &v1::DimensionLabel| (label.dimension.clone(), label.category.clone());
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Change {
        author: author.to_owned(),
        reason: mask(&request.reason),
        category: given(&request.category),
        labels: request.labels.iter().map(label).collect(),
        priority: given(&request.priority),
        sentiment: sentiment(request.sentiment),
        impact: impact(request.impact),
        confirms: false,
    }
}

/// Which feedback a caller wants to have read anew.
///
/// # Errors
/// Times that no calendar has, and a stretch that ends before it begins.
pub(super) fn which(asked: &Asked) -> Result<Which, Refusal> {
    let (from, until) = stretch(asked.start_time.as_ref(), asked.end_time.as_ref())?;
    Ok(Which {
        category: asked.category.clone(),
        from,
        until,
        begun: None,
    })
}

fn digest(feedback: &Feedback) -> shared::FeedbackDigest {
    shared::FeedbackDigest {
        feedback: feedback.name.clone(),
        number: feedback.number.clone(),
        channel: feedback.channel,
        customer: feedback.customer.clone(),
        tier: if feedback.tier_said {
            tier_number(feedback.tier)
        } else {
            0
        },
        product_model: feedback.product_model.clone(),
        batch: feedback.batch.clone(),
        occur_time: feedback.occur_time.map(sql::to_proto),
        receive_time: feedback.receive_time.map(sql::to_proto),
        language: feedback.language.clone(),
        reachable: feedback.reachable,
        traceparent: feedback.traceparent.clone(),
    }
}

fn labels(labels: &[Label]) -> Vec<event::Label> {
    let label = |label: &Label| event::Label {
        dimension: label.dimension.clone(),
        category: label.category.clone(),
        confidence: label.confidence,
        model: label.model.clone(),
        rule: label.rule.clone(),
    };
    labels.iter().map(label).collect()
}

/// The number of where a review stands.
pub(super) fn review_number(review: Option<&Review>) -> i32 {
    match review.map(|review| review.state) {
        None | Some(ReviewState::NotNeeded) => event::PriorityReviewState::Unspecified,
        Some(ReviewState::Pending) => event::PriorityReviewState::Pending,
        Some(ReviewState::Approved) => event::PriorityReviewState::Approved,
        Some(ReviewState::Rejected) => event::PriorityReviewState::Rejected,
    }
    .into()
}

/// True where a review is pending and its time has passed.
pub(super) fn is_escalated(review: Option<&Review>) -> bool {
    review.is_some_and(|review| review.escalated && review.state == ReviewState::Pending)
}

/// What was said at first, for the wire.
pub(super) fn verdict(computed: &Computed) -> Result<v1::Verdict, Refusal> {
    let verdict = &computed.verdict;
    Ok(v1::Verdict {
        taxonomy_version: verdict.taxonomy_version,
        category: verdict.category.clone(),
        labels: labels(&verdict.labels),
        sentiment: sentiment_number(verdict.sentiment),
        sentiment_score: verdict.sentiment_score,
        impact: impact_number(verdict.impact),
        priority: Some(priority(&computed.priority)),
        override_rule: computed.override_rule.clone(),
        basis: computed.basis.clone(),
        decision: decided(computed.decided.as_ref()),
        skills: verdict.skills.clone(),
        department: verdict.department.clone(),
        spans: verdict.spans.iter().map(span).collect::<Result<_, _>>()?,
        missing_dimensions: verdict.missing_dimensions.clone(),
        sarcasm_hint: verdict.sarcasm_hint,
        aspects: verdict.aspects.iter().map(aspect).collect::<Result<_, _>>()?,
        sentiment_model: verdict.sentiment_model.clone(),
    })
}

fn aspect(aspect: &Aspect) -> Result<v1::Aspect, Refusal> {
    Ok(v1::Aspect {
        dimension: aspect.dimension.clone(),
        category: aspect.category.clone(),
        start: i32::try_from(aspect.start).map_err(Refusal::fault)?,
        end: i32::try_from(aspect.end).map_err(Refusal::fault)?,
        sentiment: sentiment_number(aspect.sentiment),
        sentiment_score: aspect.sentiment_score,
    })
}

/// A piece of the text that took part in a decision, for the wire.
pub(crate) fn span(span: &Span) -> Result<v1::Span, Refusal> {
    let (role, dimension, category) = match &span.spoken {
        Spoken::Category { dimension, category } => (v1::SpanRole::Category, dimension.clone(), category.clone()),
        Spoken::Sentiment => (v1::SpanRole::Sentiment, String::new(), String::new()),
        Spoken::Impact => (v1::SpanRole::Impact, String::new(), String::new()),
    };
    Ok(v1::Span {
        role: role.into(),
        dimension,
        category,
        term: span.term.clone(),
        start: i32::try_from(span.start).map_err(Refusal::fault)?,
        end: i32::try_from(span.end).map_err(Refusal::fault)?,
        negated: span.negated,
        weight: span.weight,
        rule: span.rule.clone(),
    })
}

fn correction(correction: &Correction) -> v1::Correction {
    v1::Correction {
        revision: correction.revision,
        author: correction.author.clone(),
        reason: correction.reason.clone(),
        category: correction.category.clone().unwrap_or_default(),
        priority: correction.priority.clone().unwrap_or_default(),
        sentiment: correction.sentiment.map_or(0, sentiment_number),
        impact: correction.impact.map_or(0, impact_number),
        create_time: Some(sql::to_proto(correction.create_time)),
        labels: correction
            .labels
            .iter()
            .map(|(dimension, category)| v1::DimensionLabel {
                dimension: dimension.clone(),
                category: category.clone(),
            })
            .collect(),
    }
}

fn decided(decided: Option<&Decided>) -> Option<v1::PriorityDecision> {
    decided.map(|decided| decision(&decided.decision))
}

fn scoring(scoring: &Scoring) -> v1::PriorityScoring {
    let score = |(dimension, score): (&String, &i32)| v1::DimensionScore {
        dimension: dimension.clone(),
        score: *score,
    };
    v1::PriorityScoring {
        revision: scoring.revision,
        author: scoring.author.clone(),
        reason: scoring.reason.clone(),
        scores: scoring.scores.iter().map(score).collect(),
        create_time: Some(sql::to_proto(scoring.create_time)),
    }
}

fn review(review: &Review) -> v1::PriorityReview {
    let vote = |vote: &Vote| v1::ReviewVote {
        role: vote.role.clone(),
        author: vote.author.clone(),
        approved: vote.approved,
        reason: vote.reason.clone(),
        create_time: Some(sql::to_proto(vote.create_time)),
    };
    v1::PriorityReview {
        state: review_number(Some(review)),
        round: review.round,
        priority: Some(priority(&review.priority)),
        roles: review.roles.clone(),
        mode: review_mode_number(review.mode),
        votes: review.votes.iter().map(vote).collect(),
        start_time: Some(sql::to_proto(review.start_time)),
        escalate_time: review.escalate_time.map(sql::to_proto),
        escalated: review.escalated,
    }
}

/// A classification for the wire.
pub(super) fn answer(tenant: &Tenant, found: &Classification) -> Result<Answer, Refusal> {
    Ok(Answer {
        name: tenant.child("classifications", found.id),
        feedback: Some(digest(&found.feedback)),
        revision: found.revision,
        taxonomy_version: found.taxonomy_version,
        category: found.category.clone(),
        labels: labels(&found.labels),
        sentiment: sentiment_number(found.sentiment),
        sentiment_score: found.sentiment_score,
        impact: impact_number(found.impact),
        priority: Some(priority(&found.priority)),
        basis: found.basis.clone(),
        skills: found.skills.clone(),
        department: found.department.clone(),
        excerpt: found.excerpt.clone(),
        computed: Some(verdict(&found.computed)?),
        corrections: found.corrections.iter().map(correction).collect(),
        decision: decided(found.decided.as_ref()),
        review: found.review.as_ref().map(review),
        scorings: found.scorings.iter().map(scoring).collect(),
        etag: found.revision.to_string(),
        create_time: Some(sql::to_proto(found.create_time)),
        update_time: Some(sql::to_proto(found.update_time)),
    })
}

/// What others are told of it.
pub(super) fn told(found: &Classification) -> FeedbackClassified {
    FeedbackClassified {
        feedback: Some(digest(&found.feedback)),
        revision: found.revision,
        taxonomy_version: found.taxonomy_version,
        category: found.category.clone(),
        labels: labels(&found.labels),
        sentiment: sentiment_number(found.sentiment),
        sentiment_score: found.sentiment_score,
        impact: impact_number(found.impact),
        priority: Some(priority(&found.priority)),
        basis: found.basis.clone(),
        skills: found.skills.clone(),
        excerpt: found.excerpt.clone(),
        priority_review: review_number(found.review.as_ref()),
        priority_review_escalated: is_escalated(found.review.as_ref()),
        priority_model_version: found
            .decided
            .as_ref()
            .map_or(0, |decided| decided.decision.model_version),
    }
}
