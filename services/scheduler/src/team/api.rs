//! The RPCs of teams: thin, in the order of the service.

use huiyin_chassis::{Caller, name, repeat::Repeatable};
use huiyin_proto::scheduler::v1;
use tonic::{Request, Response, Status};

use super::{
    convert,
    service::{self, Said},
};
use crate::{agent::service::Edit, room::Room};

const COLLECTION: &str = "teams";

type Answer = Result<Response<v1::Team>, Status>;

/// See the proto.
pub(crate) async fn get_team(room: &Room, request: Request<v1::GetTeamRequest>) -> Answer {
    let caller = Caller::of(&request)?;
    let name = request.into_inner().name;
    let (tenant, id) = name::child(&caller, &name, COLLECTION)?;
    let team = service::get(room, &tenant, id, &name).await?;
    Ok(Response::new(convert::team(&tenant, &team)))
}

/// See the proto.
pub(crate) async fn list_teams(
    room: &Room,
    request: Request<v1::ListTeamsRequest>,
) -> Result<Response<v1::ListTeamsResponse>, Status> {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let tenant = name::parent(&caller, &request.parent)?;
    let page = service::list(room, &tenant, request.paging()).await?;
    let teams = page.entries.iter().map(|team| convert::team(&tenant, team)).collect();
    Ok(Response::new(v1::ListTeamsResponse {
        teams,
        next_page_token: page.next_page_token,
    }))
}

/// See the proto.
pub(crate) async fn create_team(room: &Room, request: Request<v1::CreateTeamRequest>) -> Answer {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let tenant = name::parent(&caller, &request.parent)?;
    let repeat = Repeatable::new(&tenant, &caller, "CreateTeam", &request.request_id, &request)?;
    let v1::Team {
        display_name,
        department,
        ..
    } = request.team.unwrap_or_default();
    Ok(Response::new(
        service::create(
            room,
            &tenant,
            request.team_id,
            Said {
                display_name,
                department,
            },
            repeat,
        )
        .await?,
    ))
}

/// See the proto.
pub(crate) async fn update_team(room: &Room, request: Request<v1::UpdateTeamRequest>) -> Answer {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let team = request.team.clone().unwrap_or_default();
    let (tenant, id) = name::child(&caller, &team.name, COLLECTION)?;
    let repeat = Repeatable::new(&tenant, &caller, "UpdateTeam", &request.request_id, &request)?;
    let etags = [request.etag, team.etag.clone()];
    let edit = Edit {
        id,
        name: &team.name,
        etags: &etags,
        paths: request.update_mask.as_ref().map(|mask| mask.paths.as_slice()),
    };
    let said = Said {
        display_name: team.display_name.clone(),
        department: team.department.clone(),
    };
    Ok(Response::new(service::update(room, &tenant, edit, said, repeat).await?))
}
