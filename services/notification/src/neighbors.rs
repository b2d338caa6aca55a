//! Whom the room asks: intake for a customer's address, survey for an invitation's token.

use huiyin_chassis::client::{self, Neighbor};
use huiyin_proto::{
    intake::v1::{ContactKind, RevealContactRequest, intake_service_client::IntakeServiceClient},
    survey::v1::{RevealInvitationTokenRequest, survey_service_client::SurveyServiceClient},
};
use tonic::{Code, Status};

/// The neighbours.
#[derive(Debug, Clone)]
pub(crate) struct Neighbors {
    intake: IntakeServiceClient<Neighbor>,
    survey: SurveyServiceClient<Neighbor>,
}

/// What a neighbour answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked<T> {
    /// This.
    Found(T),
    /// There is none, and asking again would not change that; why.
    Nothing(String),
    /// It could not be asked now; why.
    Later(String),
}

impl Neighbors {
    /// # Errors
    /// Where one of them is not configured.
    pub(crate) fn connect(others: &client::Neighbors) -> anyhow::Result<Self> {
        Ok(Self {
            intake: IntakeServiceClient::new(others.connect("intake")?),
            survey: SurveyServiceClient::new(others.connect("survey")?),
        })
    }

    /// The mail address that the customer of a feedback left; nothing where none or one of another kind.
    pub(crate) async fn mail_address(&self, feedback: &str) -> Asked<String> {
        let request = RevealContactRequest {
            name: feedback.to_owned(),
        };
        match self.intake.clone().reveal_contact(request).await {
            Ok(answer) => match answer.into_inner().contact {
                Some(contact) if contact.kind() == ContactKind::Email => Asked::Found(contact.address),
                _ => Asked::Nothing("the customer left no mail address".to_owned()),
            },
            Err(status) if status.code() == Code::NotFound => {
                Asked::Nothing("intake does not know the feedback".to_owned())
            }
            Err(status) => later("intake", &status),
        }
    }

    /// The token of an invitation that waits for its answer.
    pub(crate) async fn invitation_token(&self, invitation: &str) -> Asked<String> {
        let request = RevealInvitationTokenRequest {
            name: invitation.to_owned(),
        };
        match self.survey.clone().reveal_invitation_token(request).await {
            Ok(answer) => Asked::Found(answer.into_inner().token),
            Err(status) if matches!(status.code(), Code::FailedPrecondition | Code::NotFound) => {
                Asked::Nothing(status.message().to_owned())
            }
            Err(status) => later("survey", &status),
        }
    }
}

fn later<T>(service: &str, status: &Status) -> Asked<T> {
    tracing::warn!(service, code = ?status.code(), message = status.message(), "a neighbour cannot be asked; the message waits");
    Asked::Later(format!("{service} cannot be asked: {:?}", status.code()))
}
