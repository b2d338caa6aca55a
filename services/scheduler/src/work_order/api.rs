//! The RPCs of work orders: thin, in the order of the service.

use std::sync::Arc;

use futures::stream::{self, BoxStream, StreamExt as _};
use huiyin_chassis::{Caller, Refusal, Tenant, mask::mask, name, repeat::Repeatable, server::Language};
use huiyin_proto::scheduler::v1;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{
    convert,
    read::{self, Follower},
    service::{self, Call, Command, To},
};
use crate::{room::Room, sla};

const COLLECTION: &str = "workOrders";

type Answer = Result<Response<v1::WorkOrder>, Status>;

/// See the proto.
pub(crate) async fn get_work_order(room: &Room, request: Request<v1::GetWorkOrderRequest>) -> Answer {
    let caller = Caller::of(&request)?;
    let name = request.into_inner().name;
    let (tenant, id) = name::child_uuid(&caller, &name, COLLECTION)?;
    Ok(Response::new(read::get(room, &tenant, id, &name).await?))
}

/// See the proto.
pub(crate) async fn list_work_orders(
    room: &Room,
    request: Request<v1::ListWorkOrdersRequest>,
) -> Result<Response<v1::ListWorkOrdersResponse>, Status> {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let tenant = name::parent(&caller, &request.parent)?;
    let (work_orders, next_page_token) = read::list(room, &tenant, request.paging()).await?;
    Ok(Response::new(v1::ListWorkOrdersResponse {
        work_orders,
        next_page_token,
    }))
}

/// What a watcher gets.
pub(crate) type WatchStream = BoxStream<'static, Result<v1::WatchWorkOrdersResponse, Status>>;

/// See the proto.
pub(crate) async fn watch_work_orders(
    room: Arc<Room>,
    request: Request<v1::WatchWorkOrdersRequest>,
) -> Result<Response<WatchStream>, Status> {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let tenant = name::parent(&caller, &request.parent)?;
    let follower = Follower::new(room, tenant, &request.start_cursor).await?;
    let answers = stream::unfold(Some(follower), async |follower| {
        let mut follower = follower?;
        match follower.next().await {
            Ok(read::Changed { orders, cursor }) => {
                let answer = v1::WatchWorkOrdersResponse {
                    checkpoint: orders.is_empty(),
                    work_orders: orders,
                    cursor,
                };
                Some((Ok(answer), Some(follower)))
            }
            Err(refusal) => Some((Err(Status::from(refusal)), None)),
        }
    });
    Ok(Response::new(answers.boxed()))
}

/// What all methods that change a work order say alike.
macro_rules! call {
    ($request:ident, $method:literal) => {{
        let caller = Caller::of(&$request)?;
        let request = $request.into_inner();
        let (tenant, id) = name::child_uuid(&caller, &request.name, COLLECTION)?;
        let repeat = Repeatable::new(&tenant, &caller, $method, &request.request_id, &request)?;
        let call = Call {
            tenant,
            id,
            name: request.name.clone(),
            etag: request.etag.clone(),
            actor: caller.subject.clone(),
            repeat,
        };
        (caller, request, call)
    }};
}

/// See the proto.
pub(crate) async fn acknowledge_work_order(room: &Room, request: Request<v1::AcknowledgeWorkOrderRequest>) -> Answer {
    let (_, _, call) = call!(request, "AcknowledgeWorkOrder");
    perform(room, call, Command::Acknowledge).await
}

/// See the proto.
pub(crate) async fn assign_work_order(room: &Room, request: Request<v1::AssignWorkOrderRequest>) -> Answer {
    let (caller, request, call) = call!(request, "AssignWorkOrder");
    let to = assignee(&caller, &call.tenant, &request.assignee)?;
    perform(
        room,
        call,
        Command::Assign {
            to,
            reason: mask(&request.reason),
        },
    )
    .await
}

/// Somebody of the same tenant as the work order.
fn assignee(caller: &Caller, tenant: &Tenant, assignee: &str) -> Result<To, Refusal> {
    let agent = name::child(caller, assignee, "agents").map(|(of, id)| (of, To::Agent(id.to_owned())));
    let (of, to) =
        agent.or_else(|_| name::child(caller, assignee, "teams").map(|(of, id)| (of, To::Team(id.to_owned()))))?;
    if of == *tenant {
        Ok(to)
    } else {
        Err(Refusal::not_found(assignee))
    }
}

/// See the proto.
pub(crate) async fn start_work_order(room: &Room, request: Request<v1::StartWorkOrderRequest>) -> Answer {
    let (_, _, call) = call!(request, "StartWorkOrder");
    perform(room, call, Command::Start).await
}

/// See the proto.
pub(crate) async fn note_progress(room: &Room, request: Request<v1::NoteProgressRequest>) -> Answer {
    let (_, request, call) = call!(request, "NoteProgress");
    let progress = convert::progress(&request)?;
    perform(room, call, Command::NoteProgress(progress)).await
}

/// See the proto.
pub(crate) async fn hold_work_order(room: &Room, request: Request<v1::HoldWorkOrderRequest>) -> Answer {
    let (_, request, call) = call!(request, "HoldWorkOrder");
    perform(
        room,
        call,
        Command::Hold {
            reason: mask(&request.reason),
        },
    )
    .await
}

/// See the proto.
pub(crate) async fn resume_work_order(room: &Room, request: Request<v1::ResumeWorkOrderRequest>) -> Answer {
    let (_, request, call) = call!(request, "ResumeWorkOrder");
    perform(
        room,
        call,
        Command::Resume {
            reason: mask(&request.reason),
        },
    )
    .await
}

/// See the proto.
pub(crate) async fn submit_for_verification(room: &Room, request: Request<v1::SubmitForVerificationRequest>) -> Answer {
    let (_, request, call) = call!(request, "SubmitForVerification");
    perform(room, call, Command::Submit(convert::resolution(request.resolution))).await
}

/// See the proto.
pub(crate) async fn resolve_work_order(room: &Room, request: Request<v1::ResolveWorkOrderRequest>) -> Answer {
    let (_, request, call) = call!(request, "ResolveWorkOrder");
    perform(room, call, Command::Resolve(convert::resolution(request.resolution))).await
}

/// See the proto.
pub(crate) async fn reopen_work_order(room: &Room, request: Request<v1::ReopenWorkOrderRequest>) -> Answer {
    let (_, request, call) = call!(request, "ReopenWorkOrder");
    perform(
        room,
        call,
        Command::Reopen {
            reason: mask(&request.reason),
        },
    )
    .await
}

/// See the proto.
pub(crate) async fn close_work_order(room: &Room, request: Request<v1::CloseWorkOrderRequest>) -> Answer {
    let (_, request, call) = call!(request, "CloseWorkOrder");
    perform(
        room,
        call,
        Command::Close {
            reason: mask(&request.reason),
        },
    )
    .await
}

/// See the proto.
pub(crate) async fn reject_work_order(room: &Room, request: Request<v1::RejectWorkOrderRequest>) -> Answer {
    let (_, request, call) = call!(request, "RejectWorkOrder");
    perform(
        room,
        call,
        Command::Reject {
            reason: mask(&request.reason),
        },
    )
    .await
}

async fn perform(room: &Room, call: Call, command: Command) -> Answer {
    Ok(Response::new(service::perform(room, call, command).await?))
}

/// See the proto.
pub(crate) async fn list_work_order_history(
    room: &Room,
    request: Request<v1::ListWorkOrderHistoryRequest>,
) -> Result<Response<v1::ListWorkOrderHistoryResponse>, Status> {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let (tenant, id) = name::child_uuid(&caller, &request.parent, COLLECTION)?;
    let (entries, next_page_token) = read::history(room, &tenant, id, &request.parent, request.paging()).await?;
    let events = entries.into_iter().map(convert::entry).collect();
    Ok(Response::new(v1::ListWorkOrderHistoryResponse {
        events,
        next_page_token,
    }))
}

/// See the proto.
pub(crate) async fn explain_deadline(
    room: &Room,
    request: Request<v1::ExplainDeadlineRequest>,
) -> Result<Response<v1::DeadlineExplanation>, Status> {
    let caller = Caller::of(&request)?;
    let language = Language::of(&request);
    let request = request.into_inner();
    let name = request.name;
    let (tenant, id, key) = clock_name(&caller, &name)?;
    let found = read::clock(room, &tenant, id, key, request.episode, &name).await?;
    let work_order = tenant.child(COLLECTION, id);
    let missing = || Refusal::not_found(&name);
    let shown = convert::clock(&found.clock, &work_order, &found.calendars, found.now).ok_or_else(missing)?;
    let clock = &found.clock.clock;
    let calendar = found
        .calendars
        .get(&clock.terms.versions.calendar)
        .ok_or_else(missing)?;
    Ok(Response::new(sla::convert::explanation(
        clock, shown, calendar, found.now, language,
    )?))
}

/// The parts of `tenants/{tenant}/workOrders/{work_order}/slaClocks/{clock}`.
fn clock_name<'n>(caller: &Caller, name: &'n str) -> Result<(Tenant, Uuid, &'n str), Refusal> {
    let missing = || Refusal::not_found(name);
    let (order, key) = name.split_once("/slaClocks/").ok_or_else(missing)?;
    let (tenant, id) = name::child_uuid(caller, order, COLLECTION).map_err(|_| missing())?;
    Ok((tenant, id, key))
}
