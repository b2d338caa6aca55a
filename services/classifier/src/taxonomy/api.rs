//! The RPCs of taxonomies.

use huiyin_chassis::{Caller, Refusal, name, repeat::Repeatable};
use huiyin_proto::classifier::v1;
use tonic::{Request, Response, Status};

use super::{
    convert::{self, WithBroken as _},
    service::{self, Which},
};
use crate::room::Room;

const COLLECTION: &str = "taxonomies";

type Answer = Result<Response<v1::Taxonomy>, Status>;

/// See the proto.
pub(crate) async fn get_taxonomy(room: &Room, request: Request<v1::GetTaxonomyRequest>) -> Answer {
    let caller = Caller::of(&request)?;
    let name = request.into_inner().name;
    let (tenant, id) = name::child(&caller, &name, COLLECTION)?;
    let (head, content) = service::get(room, &tenant, which(&name, id)?, &name).await?;
    Ok(Response::new(convert::taxonomy(&tenant, &head, Some(&content))))
}

/// See the proto.
pub(crate) async fn check_taxonomy(room: &Room, request: Request<v1::CheckTaxonomyRequest>) -> Answer {
    let caller = Caller::of(&request)?;
    let name = request.into_inner().name;
    let (tenant, id) = name::child(&caller, &name, COLLECTION)?;
    let (head, broken) = service::check(room, &tenant, which(&name, id)?, &name).await?;
    Ok(Response::new(
        convert::taxonomy(&tenant, &head, None).with_broken(&broken)?,
    ))
}

/// See the proto.
pub(crate) async fn diff_taxonomies(
    room: &Room,
    request: Request<v1::DiffTaxonomiesRequest>,
) -> Result<Response<v1::DiffTaxonomiesResponse>, Status> {
    let caller = Caller::of(&request)?;
    let v1::DiffTaxonomiesRequest { name, base_version } = request.into_inner();
    let (tenant, id) = name::child(&caller, &name, COLLECTION)?;
    let differences = service::compare(room, &tenant, which(&name, id)?, &name, base_version).await?;
    Ok(Response::new(v1::DiffTaxonomiesResponse {
        differences: differences.into_iter().map(convert::difference).collect(),
    }))
}

/// See the proto.
pub(crate) async fn list_taxonomies(
    room: &Room,
    request: Request<v1::ListTaxonomiesRequest>,
) -> Result<Response<v1::ListTaxonomiesResponse>, Status> {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let tenant = name::parent(&caller, &request.parent)?;
    let page = service::list(room, &tenant, request.paging()).await?;
    let taxonomies = page
        .entries
        .iter()
        .map(|head| convert::taxonomy(&tenant, head, None))
        .collect();
    Ok(Response::new(v1::ListTaxonomiesResponse {
        taxonomies,
        next_page_token: page.next_page_token,
    }))
}

/// See the proto.
pub(crate) async fn create_taxonomy(room: &Room, request: Request<v1::CreateTaxonomyRequest>) -> Answer {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let tenant = name::parent(&caller, &request.parent)?;
    let repeat = Repeatable::new(&tenant, &caller, "CreateTaxonomy", &request.request_id, &request)?;
    let new = convert::new_taxonomy(request.taxonomy.unwrap_or_default())?;
    Ok(Response::new(
        service::create(room, &tenant, &caller.subject, new, request.validate_only, repeat).await?,
    ))
}

/// See the proto.
pub(crate) async fn activate_taxonomy(room: &Room, request: Request<v1::ActivateTaxonomyRequest>) -> Answer {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let (tenant, id) = name::child(&caller, &request.name, COLLECTION)?;
    let version = version(&request.name, id)?;
    let repeat = Repeatable::new(&tenant, &caller, "ActivateTaxonomy", &request.request_id, &request)?;
    Ok(Response::new(
        service::activate(room, &tenant, version, &request.name, &request.etag, repeat).await?,
    ))
}

fn which(name: &str, id: &str) -> Result<Which, Refusal> {
    if id == "active" {
        Ok(Which::Active)
    } else {
        version(name, id).map(Which::Version)
    }
}

fn version(name: &str, id: &str) -> Result<i32, Refusal> {
    id.parse().map_err(|_| Refusal::not_found(name))
}
