//! The edge of uploaded files: decode, call, encode.

use std::{pin::Pin, sync::Arc};

use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use huiyin_chassis::{Caller, Refusal, name, repeat::Repeatable};
use huiyin_proto::intake::v1::{
    Attachment, DeleteAttachmentRequest, DeleteAttachmentResponse, DownloadAttachmentRequest,
    DownloadAttachmentResponse, GetAttachmentRequest, ListAttachmentsRequest, ListAttachmentsResponse,
    UploadAttachmentRequest, UploadOpening, attachment_service_server::AttachmentService,
};
use tonic::{Request, Response, Status, Streaming};

use crate::attachment::convert;
use crate::{
    error::Error,
    events::{ATTACHMENTS, FEEDBACKS},
    room::Room,
};

/// One answer of a download holds at most so many bytes.
const MOST_BYTES: usize = 1 << 20;

/// The server of `huiyin.intake.v1.AttachmentService`.
pub(crate) struct Api(pub(crate) Arc<Room>);

#[tonic::async_trait]
impl AttachmentService for Api {
    async fn upload_attachment(
        &self,
        request: Request<Streaming<UploadAttachmentRequest>>,
    ) -> Result<Response<Attachment>, Status> {
        let caller = Caller::of(&request)?;
        let mut messages = request.into_inner();
        let not_open = || Status::from(Refusal::from(Error::UploadNotOpen));
        let first = messages.message().await?.ok_or_else(not_open)?;
        let opened = first.opening.filter(|_| first.chunk.is_empty()).ok_or_else(not_open)?;
        let (tenant, opening) = convert::opening(&opened, &caller)?;
        let repeat = |sha256: &_| {
            // The id is bound to the bytes as well.
            let body = UploadOpening {
                sha256: convert::hexadecimal(sha256),
                ..opened.clone()
            };
            Repeatable::new(&tenant, &caller, "UploadAttachment", &opened.request_id, &body)
        };
        let bytes = messages.map(|message| match message? {
            UploadAttachmentRequest { opening: Some(_), .. } => Err(not_open()),
            UploadAttachmentRequest { chunk, .. } => Ok(Bytes::from(chunk)),
        });
        let answer = self
            .0
            .upload(&tenant, &caller.subject, opening, repeat, Box::pin(bytes))
            .await?;
        Ok(Response::new(answer))
    }

    type DownloadAttachmentStream =
        Pin<Box<dyn Stream<Item = Result<DownloadAttachmentResponse, Status>> + Send + 'static>>;

    async fn download_attachment(
        &self,
        request: Request<DownloadAttachmentRequest>,
    ) -> Result<Response<Self::DownloadAttachmentStream>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let (tenant, id) = name::child_uuid(&caller, &request.name, ATTACHMENTS)?;
        let wanted = (request.offset.unsigned_abs(), request.length.unsigned_abs());
        let download = self.0.download(&tenant, id, wanted).await?;
        let first = DownloadAttachmentResponse {
            attachment: Some(convert::answer(&tenant, download.attachment)),
            offset: request.offset,
            chunk: Vec::new(),
        };
        let parts = download.bytes.flat_map(|part| futures::stream::iter(pieces(part)));
        // Where the next piece begins.
        let mut place = download.range.start;
        let parts = parts.map(move |piece| {
            let piece = piece?;
            let offset = i64::try_from(place).map_err(Refusal::fault)?;
            place += piece.len() as u64;
            Ok(DownloadAttachmentResponse {
                attachment: None,
                offset,
                chunk: piece.into(),
            })
        });
        let answers = futures::stream::iter([Ok(first)]).chain(parts);
        Ok(Response::new(Box::pin(answers)))
    }

    async fn get_attachment(&self, request: Request<GetAttachmentRequest>) -> Result<Response<Attachment>, Status> {
        let caller = Caller::of(&request)?;
        let (tenant, id) = name::child_uuid(&caller, &request.get_ref().name, ATTACHMENTS)?;
        let attachment = self.0.attachment(&tenant, id).await?;
        Ok(Response::new(convert::answer(&tenant, attachment)))
    }

    async fn list_attachments(
        &self,
        request: Request<ListAttachmentsRequest>,
    ) -> Result<Response<ListAttachmentsResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let (tenant, feedback) = name::child_uuid(&caller, &request.parent, FEEDBACKS)?;
        let page = self.0.attachments(&tenant, feedback, request.paging()).await?;
        Ok(Response::new(ListAttachmentsResponse {
            attachments: page
                .entries
                .into_iter()
                .map(|attachment| convert::answer(&tenant, attachment))
                .collect(),
            next_page_token: page.next_page_token,
        }))
    }

    async fn delete_attachment(
        &self,
        request: Request<DeleteAttachmentRequest>,
    ) -> Result<Response<DeleteAttachmentResponse>, Status> {
        let caller = Caller::of(&request)?;
        let (tenant, id) = name::child_uuid(&caller, &request.get_ref().name, ATTACHMENTS)?;
        self.0.delete_attachment(&tenant, id).await?;
        Ok(Response::new(DeleteAttachmentResponse {}))
    }
}

/// What the store gives at once, in pieces that any client takes.
fn pieces(part: Result<Bytes, Refusal>) -> Vec<Result<Bytes, Refusal>> {
    let mut part = match part {
        Ok(part) => part,
        Err(refusal) => return vec![Err(refusal)],
    };
    let mut pieces = Vec::new();
    while !part.is_empty() {
        pieces.push(Ok(part.split_to(part.len().min(MOST_BYTES))));
    }
    pieces
}
