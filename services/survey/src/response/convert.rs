//! Answers between proto and domain.

use huiyin_chassis::{Tenant, sql};
use huiyin_proto::{event::v1 as event, survey::v1};

use super::domain::{Answer, Response, Score};
use crate::names;

/// What a customer sent.
pub(crate) fn answer(request: v1::SubmitResponseRequest) -> Answer {
    Answer {
        scores: request
            .scores
            .into_iter()
            .map(|score| Score {
                dimension: score.dimension,
                value: score.value,
            })
            .collect(),
        // The codec has refused a request that does not say it.
        solved: request.solved.unwrap_or_default(),
        comment: request.comment,
        reason: request.reason,
    }
}

/// An answer for the wire.
pub(crate) fn response(tenant: &Tenant, response: Response) -> v1::Response {
    let verdict = response.verdict;
    v1::Response {
        name: names::response(tenant, &response.survey, response.id),
        invitation: names::invitation(tenant, &response.survey, response.invitation),
        survey_version: response.survey_version,
        work_order: response.work_order,
        episode: response.episode,
        feedback: response.feedback,
        scores: scores(&verdict.scores),
        satisfaction: verdict.satisfaction,
        solved: verdict.solved,
        comment: verdict.comment,
        reason: verdict.reason,
        reopen: verdict.reopen,
        create_time: Some(sql::to_proto(response.create_time)),
    }
}

/// Scores for the wire, in answers and events alike.
pub(crate) fn scores(scores: &[Score]) -> Vec<event::Score> {
    scores
        .iter()
        .map(|score| event::Score {
            dimension: score.dimension.clone(),
            value: score.value,
        })
        .collect()
}
