//! The RPCs of mappings.

use huiyin_chassis::{Caller, Refusal, name, repeat::Repeatable};
use huiyin_proto::classifier::v1;
use tonic::{Request, Response, Status};

use super::{
    convert,
    service::{self, Said},
};
use crate::room::Room;

const TAXONOMIES: &str = "taxonomies";

type Answer = Result<Response<v1::TaxonomyMapping>, Status>;

/// See the proto.
pub(crate) async fn map_taxonomy(room: &Room, request: Request<v1::MapTaxonomyRequest>) -> Answer {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let (tenant, id) = name::child(&caller, &request.name, TAXONOMIES)?;
    let version = number(&request.name, id)?;
    let repeat = Repeatable::new(&tenant, &caller, "MapTaxonomy", &request.request_id, &request)?;
    let mapping = request.mapping.unwrap_or_default();
    let said = Said {
        version,
        name: &request.name,
        from_version: mapping.from_version,
        categories: convert::mapped(mapping.categories),
        author: &caller.subject,
        etag: &request.etag,
        validate_only: request.validate_only,
    };
    Ok(Response::new(service::say(room, &tenant, said, repeat).await?))
}

/// See the proto.
pub(crate) async fn get_taxonomy_mapping(room: &Room, request: Request<v1::GetTaxonomyMappingRequest>) -> Answer {
    let caller = Caller::of(&request)?;
    let name = request.into_inner().name;
    let not_found = || Refusal::not_found(&name);
    let (taxonomy, from_version) = name.split_once("/mappings/").ok_or_else(not_found)?;
    let (tenant, id) = name::child(&caller, taxonomy, TAXONOMIES)?;
    let version = number(&name, id)?;
    let from_version = number(&name, from_version)?;
    let mapping = service::get(room, &tenant, version, from_version)
        .await?
        .ok_or_else(not_found)?;
    Ok(Response::new(convert::mapping(&tenant, &mapping)))
}

fn number(name: &str, id: &str) -> Result<i32, Refusal> {
    id.parse().map_err(|_| Refusal::not_found(name))
}
