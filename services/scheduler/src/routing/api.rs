//! The RPCs of the routing policy: thin, in the order of the service.

use huiyin_chassis::{
    Caller, Refusal, name,
    repeat::Repeatable,
    shelf::{Edition, Kept as _, NewEdition, Shelf, Which, named},
};
use huiyin_proto::scheduler::v1;
use tonic::{Request, Response, Status};

use super::{convert, domain::Policy, service};

/// See the proto.
pub(crate) async fn get_routing_policy(
    shelf: &Shelf,
    request: Request<v1::GetRoutingPolicyRequest>,
) -> Result<Response<v1::RoutingPolicy>, Status> {
    let caller = Caller::of(&request)?;
    let name = request.into_inner().name;
    let (tenant, which) = named(&caller, &name, Policy::COLLECTION)?;
    let edition = shelf.get(&tenant, &name, which).await?;
    Ok(Response::new(convert::edition(&tenant, &edition)))
}

/// See the proto.
pub(crate) async fn list_routing_policies(
    shelf: &Shelf,
    request: Request<v1::ListRoutingPoliciesRequest>,
) -> Result<Response<v1::ListRoutingPoliciesResponse>, Status> {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let tenant = name::parent(&caller, &request.parent)?;
    let page = shelf.list(&tenant, request.paging()).await?;
    let routing_policies = page
        .entries
        .iter()
        .map(|edition| convert::edition(&tenant, edition))
        .collect();
    Ok(Response::new(v1::ListRoutingPoliciesResponse {
        routing_policies,
        next_page_token: page.next_page_token,
    }))
}

/// See the proto.
pub(crate) async fn create_routing_policy(
    shelf: &Shelf,
    request: Request<v1::CreateRoutingPolicyRequest>,
) -> Result<Response<v1::RoutingPolicy>, Status> {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let tenant = name::parent(&caller, &request.parent)?;
    let repeatable = Repeatable::new(&tenant, &caller, "CreateRoutingPolicy", &request.request_id, &request)?;
    let (title, content) = convert::new_edition(request.routing_policy.unwrap_or_default(), "routing_policy")?;
    let mut tx = shelf.database.tenant(&tenant).await?;
    service::require_teams(&mut tx, &tenant, &content).await?;
    tx.rollback().await;
    let new = NewEdition {
        title,
        content,
        author: caller.subject,
    };
    let say = |edition: &Edition<Policy>| convert::edition(&tenant, edition);
    Ok(Response::new(
        shelf
            .create(&tenant, new, request.validate_only, repeatable, say)
            .await?,
    ))
}

/// See the proto.
pub(crate) async fn activate_routing_policy(
    shelf: &Shelf,
    request: Request<v1::ActivateRoutingPolicyRequest>,
) -> Result<Response<v1::RoutingPolicy>, Status> {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let (tenant, which) = named(&caller, &request.name, Policy::COLLECTION)?;
    let Which::Version(version) = which else {
        return Err(Refusal::not_found(&request.name).into());
    };
    let repeatable = Repeatable::new(&tenant, &caller, "ActivateRoutingPolicy", &request.request_id, &request)?;
    let say = |edition: &Edition<Policy>| convert::edition(&tenant, edition);
    Ok(Response::new(
        shelf
            .activate(&tenant, &request.name, version, &request.etag, repeatable, say)
            .await?,
    ))
}
