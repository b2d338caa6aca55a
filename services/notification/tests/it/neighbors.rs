//! Stand-ins for the neighbours that the room asks: intake for addresses, survey for tokens.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use futures::Stream;
use huiyin_chassis::{Shutdown, Tasks};
use huiyin_proto::{intake::v1 as intake, survey::v1 as survey};
use tokio::net::TcpListener;
use tonic::{Request, Response, Status};

type Answer<T> = Result<Response<T>, Status>;
type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Intake as far as the room knows it: whose address is what.
#[derive(Debug, Clone, Default)]
pub(crate) struct Intake {
    contacts: Arc<Mutex<BTreeMap<String, intake::Contact>>>,
    down: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
}

impl Intake {
    /// Serves it until the tasks end.
    pub(crate) async fn serve(&self, tasks: &mut Tasks, shutdown: Shutdown) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = intake::intake_service_server::IntakeServiceServer::new(self.clone());
        let incoming = tonic::transport::server::TcpIncoming::from(listener);
        tasks.spawn("intake", async move {
            let router = tonic::transport::Server::builder().add_service(server);
            Ok(router
                .serve_with_incoming_shutdown(incoming, async move { shutdown.requested().await })
                .await?)
        });
        address
    }

    /// The customer of the feedback left this address.
    pub(crate) fn contact(&self, feedback: &str, kind: intake::ContactKind, address: &str) {
        let contact = intake::Contact {
            kind: kind.into(),
            address: address.to_owned(),
        };
        self.contacts.lock().unwrap().insert(feedback.to_owned(), contact);
    }

    /// Whether it can be reached.
    pub(crate) fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    /// How often it was asked for an address.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[tonic::async_trait]
impl intake::intake_service_server::IntakeService for Intake {
    async fn reveal_contact(
        &self,
        request: Request<intake::RevealContactRequest>,
    ) -> Answer<intake::RevealContactResponse> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.down.load(Ordering::SeqCst) {
            return Err(Status::unavailable("down"));
        }
        assert!(
            request.metadata().get("authorization").is_some(),
            "asked without an identity"
        );
        let contact = self.contacts.lock().unwrap().get(&request.into_inner().name).cloned();
        Ok(Response::new(intake::RevealContactResponse {
            contact,
            create_time: None,
        }))
    }

    async fn create_feedback(&self, _: Request<intake::CreateFeedbackRequest>) -> Answer<intake::Feedback> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn batch_create_feedbacks(
        &self,
        _: Request<intake::BatchCreateFeedbacksRequest>,
    ) -> Answer<intake::BatchCreateFeedbacksResponse> {
        Err(Status::unimplemented("not asked for"))
    }

    type ImportFeedbacksStream = Answers<intake::ImportFeedbacksResponse>;

    async fn import_feedbacks(
        &self,
        _: Request<tonic::Streaming<intake::ImportFeedbacksRequest>>,
    ) -> Answer<Self::ImportFeedbacksStream> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn get_feedback(&self, _: Request<intake::GetFeedbackRequest>) -> Answer<intake::Feedback> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn list_feedbacks(&self, _: Request<intake::ListFeedbacksRequest>) -> Answer<intake::ListFeedbacksResponse> {
        Err(Status::unimplemented("not asked for"))
    }

    type WatchFeedbacksStream = Answers<intake::WatchFeedbacksResponse>;

    async fn watch_feedbacks(&self, _: Request<intake::WatchFeedbacksRequest>) -> Answer<Self::WatchFeedbacksStream> {
        Err(Status::unimplemented("not asked for"))
    }
}

/// Survey as far as the room knows it: which invitation has which token. The token of `…/invitations/x` is `token-of-x`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Survey {
    answered: Arc<AtomicBool>,
}

impl Survey {
    /// All invitations are answered: there is nothing left to ask for.
    pub(crate) fn set_answered(&self) {
        self.answered.store(true, Ordering::SeqCst);
    }
}

#[tonic::async_trait]
impl survey::survey_service_server::SurveyService for Survey {
    async fn reveal_invitation_token(
        &self,
        request: Request<survey::RevealInvitationTokenRequest>,
    ) -> Answer<survey::RevealInvitationTokenResponse> {
        if self.answered.load(Ordering::SeqCst) {
            return Err(Status::failed_precondition("the invitation is answered"));
        }
        let name = request.into_inner().name;
        let token = format!("token-of-{}", name.rsplit('/').next().unwrap());
        Ok(Response::new(survey::RevealInvitationTokenResponse {
            token,
            expire_time: None,
        }))
    }

    async fn get_survey(&self, _: Request<survey::GetSurveyRequest>) -> Answer<survey::Survey> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn list_surveys(&self, _: Request<survey::ListSurveysRequest>) -> Answer<survey::ListSurveysResponse> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn update_survey(&self, _: Request<survey::UpdateSurveyRequest>) -> Answer<survey::Survey> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn get_invitation(&self, _: Request<survey::GetInvitationRequest>) -> Answer<survey::Invitation> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn list_invitations(
        &self,
        _: Request<survey::ListInvitationsRequest>,
    ) -> Answer<survey::ListInvitationsResponse> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn get_survey_form(&self, _: Request<survey::GetSurveyFormRequest>) -> Answer<survey::SurveyForm> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn submit_response(&self, _: Request<survey::SubmitResponseRequest>) -> Answer<survey::Response> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn get_response(&self, _: Request<survey::GetResponseRequest>) -> Answer<survey::Response> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn list_responses(&self, _: Request<survey::ListResponsesRequest>) -> Answer<survey::ListResponsesResponse> {
        Err(Status::unimplemented("not asked for"))
    }
}
