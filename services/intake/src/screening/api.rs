//! The RPCs of `ScreeningService`: decode, call, encode.

use std::sync::Arc;

use huiyin_chassis::{Caller, Refusal, Tenant, name, repeat::Repeatable};
use huiyin_proto::intake::v1::{self, screening_service_server::ScreeningService};
use prost::Message;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{
    convert,
    service::{Move, Mover},
};
use crate::{events::FEEDBACKS, feedback, room::Room};

/// The server of `huiyin.intake.v1.ScreeningService`.
pub(crate) struct Api(pub(crate) Arc<Room>);

impl Api {
    /// Moves a feedback; `said` are its name, the reason and the id of the request.
    async fn moved<R: Message>(
        &self,
        request: Request<R>,
        (method, way): (&'static str, Move),
        said: fn(&R) -> [&str; 3],
    ) -> Result<Response<v1::Feedback>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let [name, reason, request_id] = said(&request);
        let (tenant, id) = name::child_uuid(&caller, name, FEEDBACKS)?;
        let mover = Mover {
            tenant: &tenant,
            actor: &caller.subject,
            reason,
            repeat: Repeatable::new(&tenant, &caller, method, request_id, &request)?,
        };
        let say = |feedback| feedback::convert::answer(&tenant, feedback);
        Ok(Response::new(self.0.move_feedback(mover, id, way, say).await?))
    }
}

#[tonic::async_trait]
impl ScreeningService for Api {
    async fn quarantine_feedback(
        &self,
        request: Request<v1::QuarantineFeedbackRequest>,
    ) -> Result<Response<v1::Feedback>, Status> {
        self.moved(request, ("QuarantineFeedback", Move::Quarantine), |request| {
            [&request.name, &request.reason, &request.request_id]
        })
        .await
    }

    async fn release_feedback(
        &self,
        request: Request<v1::ReleaseFeedbackRequest>,
    ) -> Result<Response<v1::Feedback>, Status> {
        self.moved(request, ("ReleaseFeedback", Move::Release), |request| {
            [&request.name, &request.reason, &request.request_id]
        })
        .await
    }

    async fn list_quarantined_feedbacks(
        &self,
        request: Request<v1::ListQuarantinedFeedbacksRequest>,
    ) -> Result<Response<v1::ListQuarantinedFeedbacksResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let page = self.0.list(&tenant, request.paging(), true).await?;
        Ok(Response::new(v1::ListQuarantinedFeedbacksResponse {
            feedbacks: page
                .entries
                .into_iter()
                .map(|feedback| feedback::convert::answer(&tenant, feedback))
                .collect(),
            next_page_token: page.next_page_token,
        }))
    }

    async fn merge_feedbacks(
        &self,
        request: Request<v1::MergeFeedbacksRequest>,
    ) -> Result<Response<v1::MergeFeedbacksResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let (tenant, canonical) = name::child_uuid(&caller, &request.name, FEEDBACKS)?;
        let ids = merged(&caller, &tenant, canonical, &request.feedbacks)?;
        let mover = Mover {
            tenant: &tenant,
            actor: &caller.subject,
            reason: &request.reason,
            repeat: Repeatable::new(&tenant, &caller, "MergeFeedbacks", &request.request_id, &request)?,
        };
        let say = |canonical, merged: Vec<_>| v1::MergeFeedbacksResponse {
            canonical: Some(feedback::convert::answer(&tenant, canonical)),
            merged: merged
                .into_iter()
                .map(|feedback| feedback::convert::answer(&tenant, feedback))
                .collect(),
        };
        Ok(Response::new(self.0.merge(mover, canonical, &ids, say).await?))
    }

    async fn unmerge_feedback(
        &self,
        request: Request<v1::UnmergeFeedbackRequest>,
    ) -> Result<Response<v1::Feedback>, Status> {
        self.moved(request, ("UnmergeFeedback", Move::Unmerge), |request| {
            [&request.name, &request.reason, &request.request_id]
        })
        .await
    }

    async fn find_similar_feedbacks(
        &self,
        request: Request<v1::FindSimilarFeedbacksRequest>,
    ) -> Result<Response<v1::FindSimilarFeedbacksResponse>, Status> {
        let caller = Caller::of(&request)?;
        let (tenant, id) = name::child_uuid(&caller, &request.get_ref().name, FEEDBACKS)?;
        let (similar, compared) = self.0.similar(&tenant, id).await?;
        Ok(Response::new(v1::FindSimilarFeedbacksResponse {
            similar: convert::similar(&tenant, similar),
            compared,
        }))
    }
}

/// The feedbacks to merge: of the same tenant, and none of them the one that they are merged into.
fn merged(caller: &Caller, tenant: &Tenant, canonical: Uuid, names: &[String]) -> Result<Vec<Uuid>, Refusal> {
    let mut ids = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        let field = format!("feedbacks[{index}]");
        let (of, id) = name::child_uuid(caller, name, FEEDBACKS)?;
        if of != *tenant {
            return Err(Refusal::not_found(name));
        }
        if id == canonical {
            return Err(Refusal::invalid_field(
                &field,
                "is the one that the others are merged into",
            ));
        }
        if ids.contains(&id) {
            return Err(Refusal::invalid_field(&field, "is there twice"));
        }
        ids.push(id);
    }
    Ok(ids)
}
