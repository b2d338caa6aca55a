//! The RPCs of agents: thin, in the order of the service.

use huiyin_chassis::{Caller, name, repeat::Repeatable};
use huiyin_proto::scheduler::v1;
use tonic::{Request, Response, Status};

use super::{
    convert,
    service::{self, Edit, NewAgent},
};
use crate::room::Room;

const COLLECTION: &str = "agents";

type Answer = Result<Response<v1::Agent>, Status>;

/// See the proto.
pub(crate) async fn get_agent(room: &Room, request: Request<v1::GetAgentRequest>) -> Answer {
    let caller = Caller::of(&request)?;
    let name = request.into_inner().name;
    let (tenant, id) = name::child(&caller, &name, COLLECTION)?;
    let agent = service::get(room, &tenant, id, &name).await?;
    Ok(Response::new(convert::agent(&tenant, &agent)))
}

/// See the proto.
pub(crate) async fn list_agents(
    room: &Room,
    request: Request<v1::ListAgentsRequest>,
) -> Result<Response<v1::ListAgentsResponse>, Status> {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let tenant = name::parent(&caller, &request.parent)?;
    let page = service::list(room, &tenant, request.paging()).await?;
    let agents = page
        .entries
        .iter()
        .map(|agent| convert::agent(&tenant, agent))
        .collect();
    Ok(Response::new(v1::ListAgentsResponse {
        agents,
        next_page_token: page.next_page_token,
    }))
}

/// See the proto.
pub(crate) async fn create_agent(room: &Room, request: Request<v1::CreateAgentRequest>) -> Answer {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let tenant = name::parent(&caller, &request.parent)?;
    let repeat = Repeatable::new(&tenant, &caller, "CreateAgent", &request.request_id, &request)?;
    let agent = request.agent.unwrap_or_default();
    let new = NewAgent {
        id: request.agent_id,
        subject: agent.subject.clone(),
        profile: convert::profile(agent),
    };
    Ok(Response::new(service::create(room, &tenant, new, repeat).await?))
}

/// See the proto.
pub(crate) async fn update_agent(room: &Room, request: Request<v1::UpdateAgentRequest>) -> Answer {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let agent = request.agent.clone().unwrap_or_default();
    let name = agent.name.clone();
    let (tenant, id) = name::child(&caller, &name, COLLECTION)?;
    let repeat = Repeatable::new(&tenant, &caller, "UpdateAgent", &request.request_id, &request)?;
    let etags = [request.etag, agent.etag.clone()];
    let edit = Edit {
        id,
        name: &name,
        etags: &etags,
        paths: request.update_mask.as_ref().map(|mask| mask.paths.as_slice()),
    };
    Ok(Response::new(
        service::update(room, &tenant, edit, convert::profile(agent), repeat).await?,
    ))
}

/// See the proto.
pub(crate) async fn delete_agent(room: &Room, request: Request<v1::DeleteAgentRequest>) -> Answer {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let (tenant, id) = name::child(&caller, &request.name, COLLECTION)?;
    let repeat = Repeatable::new(&tenant, &caller, "DeleteAgent", &request.request_id, &request)?;
    Ok(Response::new(
        service::delete(room, &tenant, id, &request.name, &request.etag, repeat).await?,
    ))
}
