//! The service as the proto has it: every method, delegated to its subject.

use std::sync::Arc;

use huiyin_proto::scheduler::v1::{self, scheduler_service_server::SchedulerService};
use tonic::{Request, Response, Status};

use crate::{agent, calendar, room::Room, routing, sla, team, work_order};

/// The room behind its RPCs.
pub(crate) struct Api {
    room: Arc<Room>,
}

impl Api {
    pub(crate) fn new(room: Arc<Room>) -> Self {
        Self { room }
    }
}

#[tonic::async_trait]
impl SchedulerService for Api {
    async fn get_work_order(
        &self,
        request: Request<v1::GetWorkOrderRequest>,
    ) -> Result<Response<v1::WorkOrder>, Status> {
        work_order::api::get_work_order(&self.room, request).await
    }

    async fn list_work_orders(
        &self,
        request: Request<v1::ListWorkOrdersRequest>,
    ) -> Result<Response<v1::ListWorkOrdersResponse>, Status> {
        work_order::api::list_work_orders(&self.room, request).await
    }

    type WatchWorkOrdersStream = work_order::api::WatchStream;

    async fn watch_work_orders(
        &self,
        request: Request<v1::WatchWorkOrdersRequest>,
    ) -> Result<Response<Self::WatchWorkOrdersStream>, Status> {
        work_order::api::watch_work_orders(self.room.clone(), request).await
    }

    async fn acknowledge_work_order(
        &self,
        request: Request<v1::AcknowledgeWorkOrderRequest>,
    ) -> Result<Response<v1::WorkOrder>, Status> {
        work_order::api::acknowledge_work_order(&self.room, request).await
    }

    async fn assign_work_order(
        &self,
        request: Request<v1::AssignWorkOrderRequest>,
    ) -> Result<Response<v1::WorkOrder>, Status> {
        work_order::api::assign_work_order(&self.room, request).await
    }

    async fn start_work_order(
        &self,
        request: Request<v1::StartWorkOrderRequest>,
    ) -> Result<Response<v1::WorkOrder>, Status> {
        work_order::api::start_work_order(&self.room, request).await
    }

    async fn note_progress(
        &self,
        request: Request<v1::NoteProgressRequest>,
    ) -> Result<Response<v1::WorkOrder>, Status> {
        work_order::api::note_progress(&self.room, request).await
    }

    async fn hold_work_order(
        &self,
        request: Request<v1::HoldWorkOrderRequest>,
    ) -> Result<Response<v1::WorkOrder>, Status> {
        work_order::api::hold_work_order(&self.room, request).await
    }

    async fn resume_work_order(
        &self,
        request: Request<v1::ResumeWorkOrderRequest>,
    ) -> Result<Response<v1::WorkOrder>, Status> {
        work_order::api::resume_work_order(&self.room, request).await
    }

    async fn submit_for_verification(
        &self,
        request: Request<v1::SubmitForVerificationRequest>,
    ) -> Result<Response<v1::WorkOrder>, Status> {
        work_order::api::submit_for_verification(&self.room, request).await
    }

    async fn resolve_work_order(
        &self,
        request: Request<v1::ResolveWorkOrderRequest>,
    ) -> Result<Response<v1::WorkOrder>, Status> {
        work_order::api::resolve_work_order(&self.room, request).await
    }

    async fn reopen_work_order(
        &self,
        request: Request<v1::ReopenWorkOrderRequest>,
    ) -> Result<Response<v1::WorkOrder>, Status> {
        work_order::api::reopen_work_order(&self.room, request).await
    }

    async fn close_work_order(
        &self,
        request: Request<v1::CloseWorkOrderRequest>,
    ) -> Result<Response<v1::WorkOrder>, Status> {
        work_order::api::close_work_order(&self.room, request).await
    }

    async fn reject_work_order(
        &self,
        request: Request<v1::RejectWorkOrderRequest>,
    ) -> Result<Response<v1::WorkOrder>, Status> {
        work_order::api::reject_work_order(&self.room, request).await
    }

    async fn list_work_order_history(
        &self,
        request: Request<v1::ListWorkOrderHistoryRequest>,
    ) -> Result<Response<v1::ListWorkOrderHistoryResponse>, Status> {
        work_order::api::list_work_order_history(&self.room, request).await
    }

    async fn explain_deadline(
        &self,
        request: Request<v1::ExplainDeadlineRequest>,
    ) -> Result<Response<v1::DeadlineExplanation>, Status> {
        work_order::api::explain_deadline(&self.room, request).await
    }

    async fn compute_deadline(
        &self,
        request: Request<v1::ComputeDeadlineRequest>,
    ) -> Result<Response<v1::ComputeDeadlineResponse>, Status> {
        sla::api::compute_deadline(&self.room.shelf, request).await
    }

    async fn get_agent(&self, request: Request<v1::GetAgentRequest>) -> Result<Response<v1::Agent>, Status> {
        agent::api::get_agent(&self.room, request).await
    }

    async fn list_agents(
        &self,
        request: Request<v1::ListAgentsRequest>,
    ) -> Result<Response<v1::ListAgentsResponse>, Status> {
        agent::api::list_agents(&self.room, request).await
    }

    async fn create_agent(&self, request: Request<v1::CreateAgentRequest>) -> Result<Response<v1::Agent>, Status> {
        agent::api::create_agent(&self.room, request).await
    }

    async fn update_agent(&self, request: Request<v1::UpdateAgentRequest>) -> Result<Response<v1::Agent>, Status> {
        agent::api::update_agent(&self.room, request).await
    }

    async fn delete_agent(&self, request: Request<v1::DeleteAgentRequest>) -> Result<Response<v1::Agent>, Status> {
        agent::api::delete_agent(&self.room, request).await
    }

    async fn get_team(&self, request: Request<v1::GetTeamRequest>) -> Result<Response<v1::Team>, Status> {
        team::api::get_team(&self.room, request).await
    }

    async fn list_teams(
        &self,
        request: Request<v1::ListTeamsRequest>,
    ) -> Result<Response<v1::ListTeamsResponse>, Status> {
        team::api::list_teams(&self.room, request).await
    }

    async fn create_team(&self, request: Request<v1::CreateTeamRequest>) -> Result<Response<v1::Team>, Status> {
        team::api::create_team(&self.room, request).await
    }

    async fn update_team(&self, request: Request<v1::UpdateTeamRequest>) -> Result<Response<v1::Team>, Status> {
        team::api::update_team(&self.room, request).await
    }

    async fn get_calendar(&self, request: Request<v1::GetCalendarRequest>) -> Result<Response<v1::Calendar>, Status> {
        calendar::api::get_calendar(&self.room.shelf, request).await
    }

    async fn list_calendars(
        &self,
        request: Request<v1::ListCalendarsRequest>,
    ) -> Result<Response<v1::ListCalendarsResponse>, Status> {
        calendar::api::list_calendars(&self.room.shelf, request).await
    }

    async fn create_calendar(
        &self,
        request: Request<v1::CreateCalendarRequest>,
    ) -> Result<Response<v1::Calendar>, Status> {
        calendar::api::create_calendar(&self.room.shelf, request).await
    }

    async fn activate_calendar(
        &self,
        request: Request<v1::ActivateCalendarRequest>,
    ) -> Result<Response<v1::Calendar>, Status> {
        calendar::api::activate_calendar(&self.room.shelf, request).await
    }

    async fn get_sla_policy(
        &self,
        request: Request<v1::GetSlaPolicyRequest>,
    ) -> Result<Response<v1::SlaPolicy>, Status> {
        sla::api::get_sla_policy(&self.room.shelf, request).await
    }

    async fn list_sla_policies(
        &self,
        request: Request<v1::ListSlaPoliciesRequest>,
    ) -> Result<Response<v1::ListSlaPoliciesResponse>, Status> {
        sla::api::list_sla_policies(&self.room.shelf, request).await
    }

    async fn create_sla_policy(
        &self,
        request: Request<v1::CreateSlaPolicyRequest>,
    ) -> Result<Response<v1::SlaPolicy>, Status> {
        sla::api::create_sla_policy(&self.room.shelf, request).await
    }

    async fn activate_sla_policy(
        &self,
        request: Request<v1::ActivateSlaPolicyRequest>,
    ) -> Result<Response<v1::SlaPolicy>, Status> {
        sla::api::activate_sla_policy(&self.room.shelf, request).await
    }

    async fn get_routing_policy(
        &self,
        request: Request<v1::GetRoutingPolicyRequest>,
    ) -> Result<Response<v1::RoutingPolicy>, Status> {
        routing::api::get_routing_policy(&self.room.shelf, request).await
    }

    async fn list_routing_policies(
        &self,
        request: Request<v1::ListRoutingPoliciesRequest>,
    ) -> Result<Response<v1::ListRoutingPoliciesResponse>, Status> {
        routing::api::list_routing_policies(&self.room.shelf, request).await
    }

    async fn create_routing_policy(
        &self,
        request: Request<v1::CreateRoutingPolicyRequest>,
    ) -> Result<Response<v1::RoutingPolicy>, Status> {
        routing::api::create_routing_policy(&self.room.shelf, request).await
    }

    async fn activate_routing_policy(
        &self,
        request: Request<v1::ActivateRoutingPolicyRequest>,
    ) -> Result<Response<v1::RoutingPolicy>, Status> {
        routing::api::activate_routing_policy(&self.room.shelf, request).await
    }
}
