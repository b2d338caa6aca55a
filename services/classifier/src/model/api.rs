//! `ModelService`: the RPCs of tasks, examples and versions.

use std::sync::Arc;

use huiyin_chassis::{Caller, Refusal, Tenant, name, repeat::Repeatable};
use huiyin_proto::{
    classifier::v1::{self, model_service_server::ModelService},
    google::longrunning::Operation,
};
use prost::Message;
use tonic::{Request, Response, Status, Streaming};

use super::{
    asking, convert,
    domain::Counts,
    examples::{self, Import},
    shadow,
    tasks::{self, Change},
    training,
    versions::{self, Named, Wish},
};
use crate::room::Room;

/// A message of a stream carries at most so many examples.
const MOST_EXAMPLES: usize = 1000;
/// So many texts are tried at once; more belong into the hold-out.
const MOST_TRIED: usize = 200_000;
/// Of so many bytes together.
const MOST_TRIED_BYTES: usize = 256 << 20;

/// The room behind `ModelService`.
pub(crate) struct Api {
    room: Arc<Room>,
}

impl Api {
    pub(crate) fn new(room: Arc<Room>) -> Self {
        Self { room }
    }
}

fn task_of<'n>(caller: &Caller, name: &'n str) -> Result<(Tenant, &'n str), Refusal> {
    name::child(caller, name, convert::TASKS)
}

/// The parts of `tenants/{tenant}/tasks/{task}/models/{version}`.
fn model_of<'n>(caller: &Caller, name: &'n str) -> Result<(Tenant, &'n str, i32), Refusal> {
    let missing = || Refusal::not_found(name);
    let (task, version) = name.split_once("/models/").ok_or_else(missing)?;
    let version = version.parse().map_err(|_| missing())?;
    let (tenant, task) = task_of(caller, task).map_err(|_| missing())?;
    Ok((tenant, task, version))
}

fn named<'n>((tenant, task, version): &'n (Tenant, &'n str, i32)) -> Named<'n> {
    Named {
        tenant,
        task,
        version: *version,
    }
}

/// What is wished of a task, where nothing is forced.
fn wish<'w>(
    caller: &'w Caller,
    tenant: &Tenant,
    (method, request): (&'static str, &impl Message),
    (reason, etag, request_id): (&'w str, &'w str, &str),
) -> Result<Wish<'w>, Refusal> {
    Ok(Wish {
        author: &caller.subject,
        reason,
        force: false,
        etag,
        repeat: Repeatable::new(tenant, caller, method, request_id, request)?,
    })
}

fn few_enough(examples: &[v1::Example]) -> Result<(), Refusal> {
    if examples.len() > MOST_EXAMPLES {
        let problem = format!("at most {MOST_EXAMPLES} in a message");
        return Err(Refusal::invalid_field("examples", problem));
    }
    Ok(())
}

#[tonic::async_trait]
impl ModelService for Api {
    async fn create_task(&self, request: Request<v1::CreateTaskRequest>) -> Result<Response<v1::Task>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let repeat = Repeatable::new(&tenant, &caller, "CreateTask", &request.request_id, &request)?;
        let task = request.task.unwrap_or_default();
        let new = convert::new_task(task, request.task_id, &caller.subject, self.room.clock.now())?;
        Ok(Response::new(tasks::create(&self.room, &tenant, new, repeat).await?))
    }

    async fn get_task(&self, request: Request<v1::GetTaskRequest>) -> Result<Response<v1::Task>, Status> {
        let caller = Caller::of(&request)?;
        let (tenant, task) = task_of(&caller, &request.get_ref().name)?;
        Ok(Response::new(tasks::get(&self.room, &tenant, task).await?))
    }

    async fn list_tasks(
        &self,
        request: Request<v1::ListTasksRequest>,
    ) -> Result<Response<v1::ListTasksResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let page = tasks::list(&self.room, &tenant, request.paging()).await?;
        let tasks = page.entries.iter();
        Ok(Response::new(v1::ListTasksResponse {
            tasks: tasks
                .map(|task| convert::task(&tenant, task, Counts::default()))
                .collect(),
            next_page_token: page.next_page_token,
        }))
    }

    async fn update_task(&self, request: Request<v1::UpdateTaskRequest>) -> Result<Response<v1::Task>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let (tenant, task) = task_of(&caller, &request.name)?;
        let repeat = Repeatable::new(&tenant, &caller, "UpdateTask", &request.request_id, &request)?;
        let change = Change {
            display_name: request.display_name.clone(),
            threshold: request.threshold,
            hold_out_share: request.hold_out_share,
            review_share: request.review_share,
            double_coding_share: request.double_coding_share,
        };
        let answer = tasks::update(&self.room, &tenant, task, change, &request.etag, repeat).await?;
        Ok(Response::new(answer))
    }

    async fn delete_task(&self, request: Request<v1::DeleteTaskRequest>) -> Result<Response<()>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let (tenant, task) = task_of(&caller, &request.name)?;
        tasks::delete(&self.room, &tenant, task, &request.etag).await?;
        Ok(Response::new(()))
    }

    async fn import_examples(
        &self,
        request: Request<Streaming<v1::ImportExamplesRequest>>,
    ) -> Result<Response<v1::ImportExamplesResponse>, Status> {
        let caller = Caller::of(&request)?;
        let mut messages = request.into_inner();
        let mut open: Option<(String, Import)> = None;
        while let Some(message) = messages.message().await? {
            few_enough(&message.examples)?;
            let import = match &mut open {
                Some((parent, import)) if message.parent.is_empty() || message.parent == *parent => import,
                Some(_) => {
                    return Err(
                        Refusal::invalid_field("parent", "must be the same in all messages of a stream").into(),
                    );
                }
                None => {
                    let (tenant, task) = task_of(&caller, &message.parent)?;
                    let import = Import::open(&self.room, tenant, task).await?;
                    &mut open.insert((message.parent.clone(), import)).1
                }
            };
            let now = self.room.clock.now();
            let examples = message.examples.into_iter();
            let examples = examples
                .map(|example| convert::incoming(example, &caller.subject, now))
                .collect();
            import.take(&self.room, examples).await?;
        }
        let Some((_, import)) = open else {
            return Err(Refusal::invalid_field("parent", "must be said in the first message").into());
        };
        Ok(Response::new(convert::imported(import.imported)))
    }

    async fn list_examples(
        &self,
        request: Request<v1::ListExamplesRequest>,
    ) -> Result<Response<v1::ListExamplesResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let (tenant, task) = task_of(&caller, &request.parent)?;
        let page = examples::list(&self.room, &tenant, task, request.paging()).await?;
        let examples = page.entries.iter();
        Ok(Response::new(v1::ListExamplesResponse {
            examples: examples
                .map(|example| convert::example(&tenant, task, example))
                .collect(),
            next_page_token: page.next_page_token,
        }))
    }

    async fn delete_examples(
        &self,
        request: Request<v1::DeleteExamplesRequest>,
    ) -> Result<Response<v1::DeleteExamplesResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let (tenant, task) = task_of(&caller, &request.parent)?;
        let deleted = examples::delete(&self.room, &tenant, task, &request.ids).await?;
        Ok(Response::new(v1::DeleteExamplesResponse { deleted }))
    }

    async fn train_model(&self, request: Request<v1::TrainModelRequest>) -> Result<Response<Operation>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let (tenant, task) = task_of(&caller, &request.name)?;
        let repeat = Repeatable::new(&tenant, &caller, "TrainModel", &request.request_id, &request)?;
        let operation = training::start(&self.room, &tenant, task, &caller.subject, &request, repeat).await?;
        Ok(Response::new(operation))
    }

    async fn get_model(&self, request: Request<v1::GetModelRequest>) -> Result<Response<v1::Model>, Status> {
        let caller = Caller::of(&request)?;
        let model = model_of(&caller, &request.get_ref().name)?;
        let named = named(&model);
        Ok(Response::new(versions::get(&self.room, named).await?))
    }

    async fn list_models(
        &self,
        request: Request<v1::ListModelsRequest>,
    ) -> Result<Response<v1::ListModelsResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let (tenant, task) = task_of(&caller, &request.parent)?;
        let (task, page) = versions::list(&self.room, &tenant, task, request.paging()).await?;
        let models = page.entries.iter();
        Ok(Response::new(v1::ListModelsResponse {
            models: models.map(|version| convert::model(&tenant, &task, version)).collect(),
            next_page_token: page.next_page_token,
        }))
    }

    async fn get_confusion_matrix(
        &self,
        request: Request<v1::GetConfusionMatrixRequest>,
    ) -> Result<Response<v1::ConfusionMatrix>, Status> {
        let caller = Caller::of(&request)?;
        let model = model_of(&caller, &request.get_ref().name)?;
        let named = named(&model);
        let judgement = versions::judgement(&self.room, named).await?;
        Ok(Response::new(convert::confusion(&judgement)))
    }

    async fn evaluate_model(
        &self,
        request: Request<Streaming<v1::EvaluateModelRequest>>,
    ) -> Result<Response<v1::Evaluation>, Status> {
        let caller = Caller::of(&request)?;
        let mut messages = request.into_inner();
        let mut name = String::new();
        let mut texts = Vec::new();
        let mut bytes = 0;
        while let Some(message) = messages.message().await? {
            few_enough(&message.examples)?;
            if name.is_empty() {
                // Who may not see it hears so before sending all of it.
                model_of(&caller, &message.name)?;
                name = message.name;
            } else if !message.name.is_empty() && message.name != name {
                return Err(Refusal::invalid_field("name", "must be the same in all messages of a stream").into());
            }
            let more = convert::labelled(message.examples, texts.len())?;
            bytes += more.iter().map(|(text, _)| text.len()).sum::<usize>();
            texts.extend(more);
            if texts.len() > MOST_TRIED || bytes > MOST_TRIED_BYTES {
                let problem = format!("at most {MOST_TRIED} in a stream, of {MOST_TRIED_BYTES} bytes together");
                return Err(Refusal::invalid_field("examples", problem).into());
            }
        }
        let model = model_of(&caller, &name)?;
        let named = named(&model);
        let texts = (!texts.is_empty()).then_some(texts);
        let judgement = asking::evaluate(&self.room, named, texts).await?;
        Ok(Response::new(convert::evaluation(&judgement)))
    }

    async fn activate_model(&self, request: Request<v1::ActivateModelRequest>) -> Result<Response<v1::Task>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let model = model_of(&caller, &request.name)?;
        let said = (
            request.reason.as_str(),
            request.etag.as_str(),
            request.request_id.as_str(),
        );
        let wish = Wish {
            force: request.force,
            ..wish(&caller, &model.0, ("ActivateModel", &request), said)?
        };
        let named = named(&model);
        Ok(Response::new(versions::activate(&self.room, named, wish).await?))
    }

    async fn deactivate_model(
        &self,
        request: Request<v1::DeactivateModelRequest>,
    ) -> Result<Response<v1::Task>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let (tenant, task) = task_of(&caller, &request.name)?;
        let said = (
            request.reason.as_str(),
            request.etag.as_str(),
            request.request_id.as_str(),
        );
        let wish = wish(&caller, &tenant, ("DeactivateModel", &request), said)?;
        Ok(Response::new(
            versions::deactivate(&self.room, &tenant, task, wish).await?,
        ))
    }

    async fn rollback_model(&self, request: Request<v1::RollbackModelRequest>) -> Result<Response<v1::Task>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let (tenant, task) = task_of(&caller, &request.name)?;
        let said = (
            request.reason.as_str(),
            request.etag.as_str(),
            request.request_id.as_str(),
        );
        let wish = wish(&caller, &tenant, ("RollbackModel", &request), said)?;
        Ok(Response::new(
            versions::roll_back(&self.room, &tenant, task, wish).await?,
        ))
    }

    async fn set_shadow_model(
        &self,
        request: Request<v1::SetShadowModelRequest>,
    ) -> Result<Response<v1::Task>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let model = model_of(&caller, &request.name)?;
        let repeat = Repeatable::new(&model.0, &caller, "SetShadowModel", &request.request_id, &request)?;
        let named = named(&model);
        Ok(Response::new(
            shadow::set(&self.room, named, &request.etag, repeat).await?,
        ))
    }

    async fn clear_shadow_model(
        &self,
        request: Request<v1::ClearShadowModelRequest>,
    ) -> Result<Response<v1::Task>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let (tenant, task) = task_of(&caller, &request.name)?;
        let repeat = Repeatable::new(&tenant, &caller, "ClearShadowModel", &request.request_id, &request)?;
        Ok(Response::new(
            shadow::clear(&self.room, &tenant, task, &request.etag, repeat).await?,
        ))
    }

    async fn get_shadow_report(
        &self,
        request: Request<v1::GetShadowReportRequest>,
    ) -> Result<Response<v1::ShadowReport>, Status> {
        let caller = Caller::of(&request)?;
        let model = model_of(&caller, &request.get_ref().name)?;
        let named = named(&model);
        Ok(Response::new(shadow::report(&self.room, named).await?))
    }

    async fn predict(&self, request: Request<v1::PredictRequest>) -> Result<Response<v1::PredictResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let (tenant, task) = task_of(&caller, &request.name)?;
        let (version, readings) = asking::predict(&self.room, &tenant, task, request.version, request.texts).await?;
        Ok(Response::new(v1::PredictResponse {
            version,
            predictions: readings.into_iter().map(convert::prediction).collect(),
        }))
    }
}
