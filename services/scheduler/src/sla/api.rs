//! The RPCs of the SLA policy: thin, in the order of the service.

use huiyin_chassis::{
    Caller, Refusal, name,
    repeat::Repeatable,
    server::Language,
    shelf::{Edition, Kept as _, NewEdition, Shelf, Which, named},
};
use huiyin_proto::scheduler::v1;
use tonic::{Request, Response, Status};

use super::{convert, domain::Policy, service};
use crate::calendar;

/// See the proto.
pub(crate) async fn get_sla_policy(
    shelf: &Shelf,
    request: Request<v1::GetSlaPolicyRequest>,
) -> Result<Response<v1::SlaPolicy>, Status> {
    let caller = Caller::of(&request)?;
    let name = request.into_inner().name;
    let (tenant, which) = named(&caller, &name, Policy::COLLECTION)?;
    let edition = shelf.get(&tenant, &name, which).await?;
    Ok(Response::new(convert::edition(&tenant, &edition)))
}

/// See the proto.
pub(crate) async fn list_sla_policies(
    shelf: &Shelf,
    request: Request<v1::ListSlaPoliciesRequest>,
) -> Result<Response<v1::ListSlaPoliciesResponse>, Status> {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let tenant = name::parent(&caller, &request.parent)?;
    let page = shelf.list(&tenant, request.paging()).await?;
    let sla_policies = page
        .entries
        .iter()
        .map(|edition| convert::edition(&tenant, edition))
        .collect();
    Ok(Response::new(v1::ListSlaPoliciesResponse {
        sla_policies,
        next_page_token: page.next_page_token,
    }))
}

/// See the proto.
pub(crate) async fn create_sla_policy(
    shelf: &Shelf,
    request: Request<v1::CreateSlaPolicyRequest>,
) -> Result<Response<v1::SlaPolicy>, Status> {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let tenant = name::parent(&caller, &request.parent)?;
    let repeatable = Repeatable::new(&tenant, &caller, "CreateSlaPolicy", &request.request_id, &request)?;
    let (title, content) = convert::new_edition(request.sla_policy.unwrap_or_default(), "sla_policy")?;
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
pub(crate) async fn activate_sla_policy(
    shelf: &Shelf,
    request: Request<v1::ActivateSlaPolicyRequest>,
) -> Result<Response<v1::SlaPolicy>, Status> {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let (tenant, which) = named(&caller, &request.name, Policy::COLLECTION)?;
    let Which::Version(version) = which else {
        return Err(Refusal::not_found(&request.name).into());
    };
    let repeatable = Repeatable::new(&tenant, &caller, "ActivateSlaPolicy", &request.request_id, &request)?;
    let say = |edition: &Edition<Policy>| convert::edition(&tenant, edition);
    Ok(Response::new(
        shelf
            .activate(&tenant, &request.name, version, &request.etag, repeatable, say)
            .await?,
    ))
}

/// See the proto.
pub(crate) async fn compute_deadline(
    shelf: &Shelf,
    request: Request<v1::ComputeDeadlineRequest>,
) -> Result<Response<v1::ComputeDeadlineResponse>, Status> {
    let caller = Caller::of(&request)?;
    let language = Language::of(&request);
    let request = request.into_inner();
    let tenant = name::parent(&caller, &request.parent)?;
    let question = convert::question(&request)?;
    let calendar = match request.calendar {
        Some(calendar) => {
            let (_, calendar) = calendar::convert::new_edition(calendar, "calendar")?;
            service::CalendarToUse::Tried(Box::new(calendar))
        }
        None => request
            .calendar_version
            .map_or(service::CalendarToUse::Active, service::CalendarToUse::Version),
    };
    let answer = service::compute(shelf, &tenant, &question, calendar).await?;
    Ok(Response::new(convert::answer(&question, answer, language)))
}
