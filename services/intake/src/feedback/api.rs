//! The edge: decode, call, encode. The only file that knows what a gRPC status is.

use std::{pin::Pin, sync::Arc};

use futures::{Stream, StreamExt as _, TryStreamExt as _};
use huiyin_chassis::{Caller, Refusal, name, repeat::Repeatable, server::Language, sql};
use huiyin_proto::intake::v1::{
    BatchCreateFeedbacksRequest, BatchCreateFeedbacksResponse, CreateFeedbackRequest, Feedback, GetFeedbackRequest,
    ImportFeedbacksRequest, ImportFeedbacksResponse, ListFeedbacksRequest, ListFeedbacksResponse, RevealContactRequest,
    RevealContactResponse, WatchFeedbacksRequest, WatchFeedbacksResponse, intake_service_server::IntakeService,
};
use prost::Message as _;
use tonic::{Request, Response, Status, Streaming};

use crate::feedback::{convert, import};
use crate::{events::FEEDBACKS, room::Room};

/// The server of `huiyin.intake.v1.IntakeService`.
pub(crate) struct Api(pub(crate) Arc<Room>);

/// The answer to a batch says more than the batch, and no client takes more than 4 MiB where nobody has told it to.
const MOST_BATCH_BYTES: usize = 3 << 20;

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Takes one feedback in, whichever way it came: every adapter of `channel` ends here as the RPC does, once it knows the caller
/// and has the rules of the proto kept. What is wrong is said in `language`; what looks like a loop of machines is set aside.
///
/// # Errors
/// As those of CreateFeedback.
pub(crate) async fn take(
    room: &Room,
    caller: &Caller,
    request: CreateFeedbackRequest,
    repeat: Option<Repeatable>,
    language: Language,
    is_loop: bool,
) -> Result<Feedback, Refusal> {
    let tenant = name::parent(caller, &request.parent)?;
    let feedback = request.feedback.unwrap_or_default();
    convert::require_own(&tenant, [&feedback])?;
    let mut draft = convert::draft(feedback);
    draft.is_loop = is_loop;
    room.create(tenant, &caller.subject, draft, repeat, language).await
}

/// What [`take`] would say of a feedback that comes with so many files: see `Room::foresee`.
///
/// # Errors
/// As those of CreateFeedback.
pub(crate) async fn foresee(
    room: &Room,
    caller: &Caller,
    request: CreateFeedbackRequest,
    files: usize,
    repeat: &Repeatable,
    language: Language,
) -> Result<Option<Feedback>, Refusal> {
    let tenant = name::parent(caller, &request.parent)?;
    let draft = convert::draft_with(request.feedback.unwrap_or_default(), files);
    room.foresee(&tenant, draft, repeat, language).await
}

#[tonic::async_trait]
impl IntakeService for Api {
    async fn create_feedback(&self, request: Request<CreateFeedbackRequest>) -> Result<Response<Feedback>, Status> {
        let caller = Caller::of(&request)?;
        let language = Language::of(&request);
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let repeat = Repeatable::new(&tenant, &caller, "CreateFeedback", &request.request_id, &request)?;
        Ok(Response::new(
            take(&self.0, &caller, request, repeat, language, false).await?,
        ))
    }

    async fn batch_create_feedbacks(
        &self,
        request: Request<BatchCreateFeedbacksRequest>,
    ) -> Result<Response<BatchCreateFeedbacksResponse>, Status> {
        let caller = Caller::of(&request)?;
        let language = Language::of(&request);
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let repeat = Repeatable::new(&tenant, &caller, "BatchCreateFeedbacks", &request.request_id, &request)?;
        if request.encoded_len() > MOST_BATCH_BYTES {
            let problem = format!("are more than {MOST_BATCH_BYTES} bytes together: hand them in in parts");
            return Err(Refusal::invalid_field("feedbacks", problem).into());
        }
        convert::require_own(&tenant, &request.feedbacks)?;
        let drafts = request.feedbacks.into_iter().map(convert::draft).collect();
        Ok(Response::new(
            self.0
                .create_all(&tenant, &caller.subject, drafts, repeat, language)
                .await?,
        ))
    }

    type ImportFeedbacksStream = Answers<ImportFeedbacksResponse>;

    async fn import_feedbacks(
        &self,
        request: Request<Streaming<ImportFeedbacksRequest>>,
    ) -> Result<Response<Self::ImportFeedbacksStream>, Status> {
        let caller = Caller::of(&request)?;
        let (author, language) = (caller.subject.clone(), Language::of(&request));
        let incoming = request
            .into_inner()
            .map(move |message| convert::incoming(message?, &caller, language).map_err(Status::from));
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
        let page = self.0.list(&tenant, request.paging(), false).await?;
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
        let parts = futures::stream::try_unfold(
            (Arc::clone(&self.0), tenant, watch),
            |(room, tenant, mut watch)| async move {
                let before = watch.here();
                let watched = room.watched(&tenant, &mut watch).await?;
                let parts = convert::watched(&tenant, watched, &before);
                Ok::<_, Status>(Some((parts, (room, tenant, watch))))
            },
        );
        let answers = parts
            .map_ok(|parts| futures::stream::iter(parts.into_iter().map(Ok)))
            .try_flatten();
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
