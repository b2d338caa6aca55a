//! `ReviewService`: the RPCs of the review queue.

use std::sync::Arc;

use huiyin_chassis::{Caller, Refusal, Tenant, name, repeat::Repeatable};
use huiyin_proto::classifier::v1::{self, review_service_server::ReviewService};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{
    agreement, convert,
    service::{self, Given, Named},
    store_agreement::Which,
};
use crate::room::Room;

/// The room behind `ReviewService`.
pub(crate) struct Api {
    room: Arc<Room>,
}

impl Api {
    pub(crate) fn new(room: Arc<Room>) -> Self {
        Self { room }
    }
}

fn item_of(caller: &Caller, name: &str) -> Result<(Tenant, Uuid), Refusal> {
    name::child_uuid(caller, name, convert::REVIEW_ITEMS)
}

fn named<'n>(caller: &'n Caller, (tenant, id): &'n (Tenant, Uuid), name: &'n str) -> Named<'n> {
    Named {
        tenant,
        id: *id,
        name,
        person: &caller.subject,
    }
}

#[tonic::async_trait]
impl ReviewService for Api {
    async fn list_review_items(
        &self,
        request: Request<v1::ListReviewItemsRequest>,
    ) -> Result<Response<v1::ListReviewItemsResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let page = service::list(&self.room, &tenant, request.paging(), &caller.subject).await?;
        Ok(Response::new(v1::ListReviewItemsResponse {
            review_items: page.entries,
            next_page_token: page.next_page_token,
        }))
    }

    async fn get_review_item(
        &self,
        request: Request<v1::GetReviewItemRequest>,
    ) -> Result<Response<v1::ReviewItem>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let item = item_of(&caller, &request.name)?;
        let named = named(&caller, &item, &request.name);
        Ok(Response::new(service::get(&self.room, named).await?))
    }

    async fn claim_review_item(
        &self,
        request: Request<v1::ClaimReviewItemRequest>,
    ) -> Result<Response<v1::ReviewItem>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let item = item_of(&caller, &request.name)?;
        let repeat = Repeatable::new(&item.0, &caller, "ClaimReviewItem", &request.request_id, &request)?;
        let named = named(&caller, &item, &request.name);
        let lease = convert::lease(request.lease.as_ref());
        Ok(Response::new(service::claim(&self.room, named, lease, repeat).await?))
    }

    async fn claim_next_review_item(
        &self,
        request: Request<v1::ClaimNextReviewItemRequest>,
    ) -> Result<Response<v1::ClaimNextReviewItemResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let task = match request.task.as_str() {
            "" => None,
            task => match name::child(&caller, task, convert::TASKS)? {
                (of, id) if of == tenant => Some(id),
                _ => return Err(Refusal::not_found(task).into()),
            },
        };
        let repeat = Repeatable::new(&tenant, &caller, "ClaimNextReviewItem", &request.request_id, &request)?;
        let lease = convert::lease(request.lease.as_ref());
        let whose = (task, caller.subject.as_str());
        let answer = service::claim_next(&self.room, &tenant, whose, lease, repeat).await?;
        Ok(Response::new(answer))
    }

    async fn resolve_review_item(
        &self,
        request: Request<v1::ResolveReviewItemRequest>,
    ) -> Result<Response<v1::ReviewItem>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let item = item_of(&caller, &request.name)?;
        let named = named(&caller, &item, &request.name);
        let given = Given {
            label: &request.label,
            comment: &request.comment,
            etag: &request.etag,
            repeat: Repeatable::new(&item.0, &caller, "ResolveReviewItem", &request.request_id, &request)?,
        };
        Ok(Response::new(service::resolve(&self.room, named, given).await?))
    }

    async fn skip_review_item(
        &self,
        request: Request<v1::SkipReviewItemRequest>,
    ) -> Result<Response<v1::ReviewItem>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let item = item_of(&caller, &request.name)?;
        let named = named(&caller, &item, &request.name);
        Ok(Response::new(service::release(&self.room, named, true).await?))
    }

    async fn release_review_item(
        &self,
        request: Request<v1::ReleaseReviewItemRequest>,
    ) -> Result<Response<v1::ReviewItem>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let item = item_of(&caller, &request.name)?;
        let named = named(&caller, &item, &request.name);
        Ok(Response::new(service::release(&self.room, named, false).await?))
    }

    async fn get_agreement(
        &self,
        request: Request<v1::GetAgreementRequest>,
    ) -> Result<Response<v1::Agreement>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let (tenant, task) = name::child(&caller, &request.name, convert::TASKS)?;
        let (from, until) = convert::stretch(request.start_time.as_ref(), request.end_time.as_ref())?;
        let which = Which {
            task,
            from,
            until,
            reason: convert::reason(request.reason),
        };
        Ok(Response::new(agreement::get(&self.room, &tenant, which).await?))
    }
}
