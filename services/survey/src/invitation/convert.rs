//! Invitations between proto and domain.

use huiyin_chassis::{Refusal, Tenant, sql};
use huiyin_proto::{event::v1::WorkOrderDigest, survey::v1};
use prost::Message as _;

use super::domain::{Invitation, Resolution, State};
use crate::{
    names,
    survey::domain::{Language, Survey},
};

/// What a resolution that the scheduler told of means to this room.
///
/// # Errors
/// A fault where the event does not say which feedback it is about.
pub(crate) fn resolution(digest: &WorkOrderDigest) -> Result<Resolution, Refusal> {
    let feedback = digest.feedback.as_ref().ok_or_else(|| {
        Refusal::fault(anyhow::anyhow!(
            "{} was resolved, but its event does not say which feedback it handles",
            digest.work_order
        ))
    })?;
    Ok(Resolution {
        work_order: digest.work_order.clone(),
        episode: digest.episode,
        feedback: feedback.feedback.clone(),
        customer: feedback.customer.clone(),
        digest: digest.encode_to_vec(),
    })
}

/// What the scheduler told of the work order when it was resolved.
///
/// # Errors
/// A fault where it was stored as something else.
pub(crate) fn digest(about: &Resolution) -> Result<WorkOrderDigest, Refusal> {
    WorkOrderDigest::decode(about.digest.as_slice()).map_err(Refusal::fault)
}

/// What is kept of a work order's digest once its customer is erased.
///
/// # Errors
/// A fault where it is none.
pub(crate) fn without_customer(digest: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut digest = WorkOrderDigest::decode(digest).map_err(Refusal::fault)?;
    huiyin_events::strip::work_order(&mut digest);
    Ok(digest.encode_to_vec())
}

/// An invitation for the wire.
pub(crate) fn invitation(tenant: &Tenant, invitation: Invitation) -> v1::Invitation {
    v1::Invitation {
        name: names::invitation(tenant, &invitation.survey, invitation.id),
        survey_version: invitation.survey_version,
        state: state(invitation.state).into(),
        response: invitation
            .response
            .map(|response| names::response(tenant, &invitation.survey, response))
            .unwrap_or_default(),
        work_order: invitation.about.work_order,
        episode: invitation.about.episode,
        feedback: invitation.about.feedback,
        customer: invitation.about.customer,
        create_time: Some(sql::to_proto(invitation.create_time)),
        expire_time: Some(sql::to_proto(invitation.expire_time)),
        answer_time: invitation.answer_time.map(sql::to_proto),
    }
}

fn state(state: State) -> v1::InvitationState {
    match state {
        State::Issued => v1::InvitationState::Issued,
        State::Answered => v1::InvitationState::Answered,
        State::Expired => v1::InvitationState::Expired,
        State::Superseded => v1::InvitationState::Superseded,
    }
}

/// What the bearer of a token sees, in the first language of `accept_language` that we speak, else in the one in which the
/// customer is answered, else in English.
///
/// # Errors
/// A fault where the invitation's digest was stored as something else.
pub(crate) fn form(invitation: &Invitation, survey: &Survey, accept_language: &str) -> Result<v1::SurveyForm, Refusal> {
    let digest = digest(&invitation.about)?;
    let feedback = digest.feedback.unwrap_or_default();
    let language = Language::accepted(accept_language)
        .or_else(|| Language::accepted(&feedback.language))
        .unwrap_or(Language::English);
    let definition = &survey.definition;
    let dimensions = definition.dimensions.iter().map(|dimension| v1::FormDimension {
        key: dimension.key.clone(),
        label: dimension.label.of(language).to_owned(),
        min_score: *crate::response::domain::SCORES.start(),
        max_score: *crate::response::domain::SCORES.end(),
    });
    Ok(v1::SurveyForm {
        title: definition.title.of(language).to_owned(),
        introduction: definition.introduction.of(language).to_owned(),
        dimensions: dimensions.collect(),
        language: language.tag().to_owned(),
        feedback_number: feedback.number,
        excerpt: digest.excerpt,
        expire_time: Some(sql::to_proto(invitation.expire_time)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_have_the_numbers_of_the_proto() {
        for inner in [State::Issued, State::Answered, State::Expired, State::Superseded] {
            assert_eq!(i32::from(inner.number()), state(inner) as i32);
            assert_eq!(
                state(inner).as_str_name(),
                format!("INVITATION_STATE_{}", inner.name().to_uppercase())
            );
        }
    }
}
