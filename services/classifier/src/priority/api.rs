//! The RPCs of priority models; those of one classification's scores and review are delegated to it.

use std::sync::Arc;

use huiyin_chassis::{Caller, Refusal, Tenant, name, repeat::Repeatable, shelf::Which, sql};
use huiyin_proto::classifier::v1::{self, priority_model_service_server::PriorityModelService};
use tonic::{Request, Response, Status};

use super::{
    convert,
    domain::UsedFor,
    service::{self, Candidate, From},
    simulate::{self, Simulation},
};
use crate::{classification, room::Room};

const COLLECTION: &str = "priorityModels";

/// The room behind the RPCs of PriorityModelService.
pub(crate) struct Api {
    room: Arc<Room>,
}

impl Api {
    pub(crate) fn new(room: Arc<Room>) -> Self {
        Self { room }
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl PriorityModelService for Api {
    async fn list_priority_presets(
        &self,
        request: Request<v1::ListPriorityPresetsRequest>,
    ) -> Answer<v1::ListPriorityPresetsResponse> {
        let caller = Caller::of(&request)?;
        name::parent(&caller, &request.into_inner().parent)?;
        let presets = self.room.priorities.presets().iter().map(convert::preset).collect();
        Ok(Response::new(v1::ListPriorityPresetsResponse { presets }))
    }

    async fn get_priority_model(&self, request: Request<v1::GetPriorityModelRequest>) -> Answer<v1::PriorityModel> {
        let caller = Caller::of(&request)?;
        let name = request.into_inner().name;
        let (tenant, used_for, which) = version(&caller, &name)?;
        let (head, content) = service::get(&self.room, &tenant, (used_for, which), &name).await?;
        Ok(Response::new(convert::model(&tenant, &head, Some(&content))))
    }

    async fn list_priority_models(
        &self,
        request: Request<v1::ListPriorityModelsRequest>,
    ) -> Answer<v1::ListPriorityModelsResponse> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let page = service::list(&self.room, &tenant, request.paging()).await?;
        Ok(Response::new(v1::ListPriorityModelsResponse {
            priority_models: page
                .entries
                .iter()
                .map(|head| convert::model(&tenant, head, None))
                .collect(),
            next_page_token: page.next_page_token,
        }))
    }

    async fn create_priority_model(
        &self,
        request: Request<v1::CreatePriorityModelRequest>,
    ) -> Answer<v1::PriorityModel> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let repeat = Repeatable::new(&tenant, &caller, "CreatePriorityModel", &request.request_id, &request)?;
        let from = match request.priority_model {
            Some(model) => From::Whole(Box::new(convert::new_model(model, "priority_model")?)),
            None => From::Preset {
                key: request.preset,
                used_for: convert::used_for(request.r#use),
            },
        };
        let answer = service::create(
            &self.room,
            &tenant,
            &caller.subject,
            from,
            request.validate_only,
            repeat,
        );
        Ok(Response::new(answer.await?))
    }

    async fn activate_priority_model(
        &self,
        request: Request<v1::ActivatePriorityModelRequest>,
    ) -> Answer<v1::PriorityModel> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let (tenant, used_for, which) = version(&caller, &request.name)?;
        let Which::Version(version) = which else {
            return Err(Refusal::not_found(&request.name).into());
        };
        let repeat = Repeatable::new(&tenant, &caller, "ActivatePriorityModel", &request.request_id, &request)?;
        let named = (request.name.as_str(), request.etag.as_str());
        let answer = service::activate(&self.room, &tenant, (used_for, version), named, &caller.subject, repeat);
        Ok(Response::new(answer.await?))
    }

    async fn rollback_priority_model(
        &self,
        request: Request<v1::RollbackPriorityModelRequest>,
    ) -> Answer<v1::PriorityModel> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let (tenant, used_for, _) = version(&caller, &request.name)?;
        let repeat = Repeatable::new(&tenant, &caller, "RollbackPriorityModel", &request.request_id, &request)?;
        let named = (request.name.as_str(), request.etag.as_str());
        let answer = service::roll_back(&self.room, &tenant, used_for, named, &caller.subject, repeat);
        Ok(Response::new(answer.await?))
    }

    async fn simulate_priority_model(
        &self,
        request: Request<v1::SimulatePriorityModelRequest>,
    ) -> Answer<v1::SimulatePriorityModelResponse> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let candidate = candidate(&caller, &tenant, request.preset, &request.priority_model, request.draft)?;
        let time = (
            sql::from_proto(request.start_time.as_ref()),
            sql::from_proto(request.end_time.as_ref()),
        );
        let simulation = simulate::simulate(&self.room, &tenant, candidate, time, request.limit).await?;
        Ok(Response::new(simulated(simulation)))
    }

    async fn score_priority(&self, request: Request<v1::ScorePriorityRequest>) -> Answer<v1::PriorityDecision> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let candidate = candidate(&caller, &tenant, request.preset, &request.priority_model, request.draft)?;
        let facts = convert::facts(request.facts.unwrap_or_default());
        let given = convert::given(&request.scores);
        let decision = service::score(&self.room, &tenant, candidate, given, &facts).await?;
        Ok(Response::new(convert::decision(&decision)))
    }

    async fn score_classification(
        &self,
        request: Request<v1::ScoreClassificationRequest>,
    ) -> Answer<v1::Classification> {
        classification::api::score_classification(&self.room, request).await
    }

    async fn approve_priority(&self, request: Request<v1::ApprovePriorityRequest>) -> Answer<v1::Classification> {
        classification::api::approve_priority(&self.room, request).await
    }

    async fn reject_priority(&self, request: Request<v1::RejectPriorityRequest>) -> Answer<v1::Classification> {
        classification::api::reject_priority(&self.room, request).await
    }
}

/// The tenant, the use and the version in a name `tenants/{tenant}/priorityModels/{use}-{version}`.
fn version(caller: &Caller, name: &str) -> Result<(Tenant, UsedFor, Which), Refusal> {
    let missing = || Refusal::not_found(name);
    let (tenant, id) = name::child(caller, name, COLLECTION)?;
    let (key, version) = id.split_once('-').ok_or_else(missing)?;
    let used_for = UsedFor::ALL
        .into_iter()
        .find(|used_for| used_for.key() == key)
        .ok_or_else(missing)?;
    Ok((tenant, used_for, Which::of(version).ok_or_else(missing)?))
}

/// The one of three that a request names.
fn candidate(
    caller: &Caller,
    tenant: &Tenant,
    preset: String,
    model: &str,
    draft: Option<v1::PriorityModel>,
) -> Result<Candidate, Refusal> {
    if let Some(draft) = draft {
        return Ok(Candidate::Draft(Box::new(convert::new_model(draft, "draft")?)));
    }
    if model.is_empty() {
        return Ok(Candidate::Preset(preset));
    }
    let (owner, used_for, which) = version(caller, model)?;
    if owner != *tenant {
        return Err(Refusal::not_found(model));
    }
    Ok(Candidate::Version {
        used_for,
        which,
        name: model.to_owned(),
    })
}

fn simulated(simulation: Simulation) -> v1::SimulatePriorityModelResponse {
    #[expect(clippy::cast_precision_loss, reason = "at most 50,000 of them")]
    let share = |count: i64| count as f64 / simulation.considered.max(1) as f64;
    v1::SimulatePriorityModelResponse {
        levels: simulation
            .levels
            .iter()
            .map(|level| v1::SimulatedLevel {
                priority: Some(convert::priority(&level.priority)),
                before: level.before,
                after: level.after,
                share_before: share(level.before),
                share_after: share(level.after),
            })
            .collect(),
        considered: simulation.considered,
        truncated: simulation.truncated,
        oldest_time: simulation.oldest_time.map(sql::to_proto),
        raised: simulation.raised,
        lowered: simulation.lowered,
        changes: simulation
            .changes
            .into_iter()
            .map(|change| v1::SimulatedChange {
                classification: change.classification,
                number: change.number,
                before: Some(convert::priority(&change.before)),
                after: Some(convert::priority(&change.after)),
                steps: change.steps,
            })
            .collect(),
        set_by_hand: simulation.set_by_hand,
        reviews: simulation.reviews,
        unscored: simulation.unscored,
    }
}
