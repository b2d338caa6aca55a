//! The edge: decode, call, encode. The only file that knows what a gRPC status is.

use std::{pin::Pin, sync::Arc};

use futures::{Stream, StreamExt as _};
use huiyin_chassis::{Caller, Refusal, name, repeat::Repeatable, sql};
use huiyin_proto::intake::v1::{
    BatchCreateFeedbacksRequest, BatchCreateFeedbacksResponse, CreateFeedbackRequest, Feedback, GetFeedbackRequest,
    ImportFeedbacksRequest, ImportFeedbacksResponse, ListFeedbacksRequest, ListFeedbacksResponse, RevealContactRequest,
    RevealContactResponse, WatchFeedbacksRequest, WatchFeedbacksResponse, intake_service_server::IntakeService,
};
use tonic::{Request, Response, Status, Streaming};

use crate::{convert, events::FEEDBACKS, import, room::Room};

/// The server of `huiyin.intake.v1.IntakeService`.
pub(crate) struct Api(pub(crate) Arc<Room>);

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl IntakeService for Api {
    async fn create_feedback(&self, request: Request<CreateFeedbackRequest>) -> Result<Response<Feedback>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let repeat = Repeatable::new(&tenant, &caller, "CreateFeedback", &request.request_id, &request)?;
        let feedback = request.feedback.unwrap_or_default();
        let draft = convert::draft(feedback, "feedback", self.0.ledger.clock.now()).map_err(Refusal::invalid)?;
        Ok(Response::new(
            self.0.create(tenant, &caller.subject, draft, repeat).await?,
        ))
    }

    async fn batch_create_feedbacks(
        &self,
        request: Request<BatchCreateFeedbacksRequest>,
    ) -> Result<Response<BatchCreateFeedbacksResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let repeat = Repeatable::new(&tenant, &caller, "BatchCreateFeedbacks", &request.request_id, &request)?;
        let drafts = convert::drafts(request.feedbacks, self.0.ledger.clock.now())?;
        Ok(Response::new(
            self.0.create_all(&tenant, &caller.subject, drafts, repeat).await?,
        ))
    }

    type ImportFeedbacksStream = Answers<ImportFeedbacksResponse>;

    async fn import_feedbacks(
        &self,
        request: Request<Streaming<ImportFeedbacksRequest>>,
    ) -> Result<Response<Self::ImportFeedbacksStream>, Status> {
        let caller = Caller::of(&request)?;
        let (author, clock) = (caller.subject.clone(), self.0.ledger.clock.clone());
        let incoming = request
            .into_inner()
            .map(move |message| convert::incoming(message?, &caller, clock.now()).map_err(Status::from));
        let settled = import::run(Arc::clone(&self.0), author, incoming);
        Ok(Response::new(Box::pin(settled.map(|settled| {
            settled.map(|(tenant, settled)| convert::settled(&tenant, settled))
        }))))
    }

    async fn get_feedback(&self, request: Request<GetFeedbackRequest>) -> Result<Response<Feedback>, Status> {
        let caller = Caller::of(&request)?;
        let (tenant, id) = name::child_uuid(&caller, &request.get_ref().name, FEEDBACKS)?;
        Ok(Response::new(convert::answer(&tenant, self.0.get(&tenant, id).await?)))
    }

    async fn list_feedbacks(
        &self,
        request: Request<ListFeedbacksRequest>,
    ) -> Result<Response<ListFeedbacksResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let page = self
            .0
            .list(
                &tenant,
                (request.page_size, &request.page_token),
                &request.filter,
                &request.order_by,
            )
            .await?;
        Ok(Response::new(ListFeedbacksResponse {
            feedbacks: page
                .entries
                .into_iter()
                .map(|feedback| convert::answer(&tenant, feedback))
                .collect(),
            next_page_token: page.next_page_token,
        }))
    }

    type WatchFeedbacksStream = Answers<WatchFeedbacksResponse>;

    async fn watch_feedbacks(
        &self,
        request: Request<WatchFeedbacksRequest>,
    ) -> Result<Response<Self::WatchFeedbacksStream>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let watch = self.0.watch(&tenant, &request.start_cursor).await?;
        let answers = futures::stream::try_unfold(
            (Arc::clone(&self.0), tenant, watch),
            |(room, tenant, mut watch)| async move {
                let watched = room.watched(&tenant, &mut watch).await?;
                let feedbacks: Vec<Feedback> = watched
                    .feedbacks
                    .into_iter()
                    .map(|feedback| convert::answer(&tenant, feedback))
                    .collect();
                let answer = WatchFeedbacksResponse {
                    checkpoint: feedbacks.is_empty(),
                    feedbacks,
                    cursor: watched.cursor,
                };
                Ok(Some((answer, (room, tenant, watch))))
            },
        );
        Ok(Response::new(Box::pin(answers)))
    }

    async fn reveal_contact(
        &self,
        request: Request<RevealContactRequest>,
    ) -> Result<Response<RevealContactResponse>, Status> {
        let caller = Caller::of(&request)?;
        let (tenant, id) = name::child_uuid(&caller, &request.get_ref().name, FEEDBACKS)?;
        let (contact, create_time) = self.0.reveal_contact(&tenant, id, &caller.subject).await?;
        Ok(Response::new(RevealContactResponse {
            contact: contact.map(convert::contact),
            create_time: Some(sql::to_proto(create_time)),
        }))
    }
}
