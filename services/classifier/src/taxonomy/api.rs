//! The RPCs of taxonomies.

use huiyin_chassis::{
    Caller, Refusal, name,
    repeat::Repeatable,
    shelf::{Which, named},
};
use huiyin_proto::classifier::v1;
use tonic::{Request, Response, Status};

use super::{
    convert::{self, WithBroken as _},
    service,
};
use crate::room::Room;

const COLLECTION: &str = "taxonomies";

type Answer = Result<Response<v1::Taxonomy>, Status>;

/// See the proto.
pub(crate) async fn get_taxonomy(room: &Room, request: Request<v1::GetTaxonomyRequest>) -> Answer {
    let caller = Caller::of(&request)?;
    let name = request.into_inner().name;
    let (tenant, which) = named(&caller, &name, COLLECTION)?;
    let (head, content) = service::get(room, &tenant, which, &name).await?;
    Ok(Response::new(convert::taxonomy(&tenant, &head, Some(&content))))
}

/// See the proto.
pub(crate) async fn check_taxonomy(room: &Room, request: Request<v1::CheckTaxonomyRequest>) -> Answer {
    let caller = Caller::of(&request)?;
    let name = request.into_inner().name;
    let (tenant, which) = named(&caller, &name, COLLECTION)?;
    let (head, broken) = service::check(room, &tenant, which, &name).await?;
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
    let (tenant, which) = named(&caller, &name, COLLECTION)?;
    let differences = service::compare(room, &tenant, which, &name, base_version).await?;
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
    let (tenant, Which::Version(version)) = named(&caller, &request.name, COLLECTION)? else {
        return Err(Refusal::not_found(&request.name).into());
    };
    let repeat = Repeatable::new(&tenant, &caller, "ActivateTaxonomy", &request.request_id, &request)?;
    Ok(Response::new(
        service::activate(room, &tenant, version, &request.name, &request.etag, repeat).await?,
    ))
}
