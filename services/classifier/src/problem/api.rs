//! `ProblemService`: the RPCs of problems.

use std::sync::Arc;

use huiyin_chassis::{Caller, Refusal, Tenant, mask::mask, name, repeat::Repeatable};
use huiyin_proto::classifier::v1::{self, problem_service_server::ProblemService};
use prost::Message;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{
    convert::{self, PROBLEMS},
    deciding, members, merging, policies,
    service::{self, Wish},
    topics::{self, Wanted},
};
use crate::room::Room;

/// The room behind `ProblemService`.
pub(crate) struct Api {
    room: Arc<Room>,
}

impl Api {
    pub(crate) fn new(room: Arc<Room>) -> Self {
        Self { room }
    }
}

/// What the requests of changes have in common.
trait Asks: Message {
    /// Name, etag, reason and id of the request.
    fn parts(&self) -> (&str, &str, &str, &str);
}

/// The tenant that a request is about, and the problem.
fn problem_of(caller: &Caller, name: &str) -> Result<(Tenant, Uuid), Refusal> {
    name::child_uuid(caller, name, PROBLEMS)
}

/// What is wished of the problem that a request names.
fn wish<'w>(
    caller: &'w Caller,
    (tenant, id): &'w (Tenant, Uuid),
    method: &'static str,
    request: &'w impl Asks,
) -> Result<Wish<'w>, Refusal> {
    let (_, etag, reason, request_id) = request.parts();
    Ok(Wish {
        tenant,
        id: *id,
        etag,
        actor: &caller.subject,
        // It goes into the history of the problem, which outlives the customers.
        reason: mask(reason),
        repeat: Repeatable::new(tenant, caller, method, request_id, request)?,
    })
}

/// The ids of feedbacks, all of the tenant.
fn feedbacks(caller: &Caller, names: &[String]) -> Result<Vec<Uuid>, Refusal> {
    names
        .iter()
        .map(|name| Ok(name::child_uuid(caller, name, "feedbacks")?.1))
        .collect()
}

macro_rules! asks {
    ($($request:ident),*; without a reason: $($silent:ident),*) => {
        $(impl Asks for v1::$request {
            fn parts(&self) -> (&str, &str, &str, &str) {
                (&self.name, &self.etag, &self.reason, &self.request_id)
            }
        })*
        $(impl Asks for v1::$silent {
            fn parts(&self) -> (&str, &str, &str, &str) {
                (&self.name, &self.etag, "", &self.request_id)
            }
        })*
    };
}

asks!(
    AcceptProblemRequest,
    RejectProblemRequest,
    ResolveProblemRequest,
    ReopenProblemRequest,
    MergeProblemsRequest,
    UnmergeProblemRequest,
    SplitProblemRequest;
    without a reason: AddFeedbacksToProblemRequest, RemoveFeedbacksFromProblemRequest
);

#[tonic::async_trait]
impl ProblemService for Api {
    async fn get_problem(&self, request: Request<v1::GetProblemRequest>) -> Result<Response<v1::Problem>, Status> {
        let caller = Caller::of(&request)?;
        let (tenant, id) = problem_of(&caller, &request.get_ref().name)?;
        Ok(Response::new(service::get(&self.room, &tenant, id).await?))
    }

    async fn list_problems(
        &self,
        request: Request<v1::ListProblemsRequest>,
    ) -> Result<Response<v1::ListProblemsResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let page = service::list(&self.room, &tenant, request.paging()).await?;
        Ok(Response::new(v1::ListProblemsResponse {
            problems: page
                .entries
                .iter()
                .map(|found| convert::answer(&tenant, found))
                .collect(),
            next_page_token: page.next_page_token,
        }))
    }

    async fn create_problem(
        &self,
        request: Request<v1::CreateProblemRequest>,
    ) -> Result<Response<v1::Problem>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let wish = Wish {
            tenant: &tenant,
            id: Uuid::nil(),
            etag: "",
            actor: &caller.subject,
            reason: mask(&request.reason),
            repeat: Repeatable::new(&tenant, &caller, "CreateProblem", &request.request_id, &request)?,
        };
        let feedbacks = feedbacks(&caller, &request.feedbacks)?;
        let given = convert::given(request.problem.unwrap_or_default(), None)?;
        Ok(Response::new(
            service::create(&self.room, wish, given, &feedbacks).await?,
        ))
    }

    async fn update_problem(
        &self,
        request: Request<v1::UpdateProblemRequest>,
    ) -> Result<Response<v1::Problem>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let problem = request.problem.clone().unwrap_or_default();
        let (tenant, id) = problem_of(&caller, &problem.name)?;
        let etag = problem.etag.clone();
        let wish = Wish {
            tenant: &tenant,
            id,
            etag: &etag,
            actor: &caller.subject,
            reason: String::new(),
            repeat: Repeatable::new(&tenant, &caller, "UpdateProblem", &request.request_id, &request)?,
        };
        let given = convert::given(problem, request.update_mask.as_ref())?;
        Ok(Response::new(service::update(&self.room, wish, given).await?))
    }

    async fn accept_problem(
        &self,
        request: Request<v1::AcceptProblemRequest>,
    ) -> Result<Response<v1::Problem>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let problem = problem_of(&caller, &request.name)?;
        let wish = wish(&caller, &problem, "AcceptProblem", &request)?;
        Ok(Response::new(deciding::accept(&self.room, wish).await?))
    }

    async fn reject_problem(
        &self,
        request: Request<v1::RejectProblemRequest>,
    ) -> Result<Response<v1::Problem>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let problem = problem_of(&caller, &request.name)?;
        let wish = wish(&caller, &problem, "RejectProblem", &request)?;
        Ok(Response::new(deciding::reject(&self.room, wish).await?))
    }

    async fn resolve_problem(
        &self,
        request: Request<v1::ResolveProblemRequest>,
    ) -> Result<Response<v1::Problem>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let problem = problem_of(&caller, &request.name)?;
        let version = mask(&request.fix_version);
        let time = convert::time("fix_time", request.fix_time.as_ref())?;
        let wish = wish(&caller, &problem, "ResolveProblem", &request)?;
        Ok(Response::new(deciding::resolve(&self.room, wish, version, time).await?))
    }

    async fn reopen_problem(
        &self,
        request: Request<v1::ReopenProblemRequest>,
    ) -> Result<Response<v1::Problem>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let problem = problem_of(&caller, &request.name)?;
        let wish = wish(&caller, &problem, "ReopenProblem", &request)?;
        Ok(Response::new(deciding::reopen(&self.room, wish).await?))
    }

    async fn merge_problems(
        &self,
        request: Request<v1::MergeProblemsRequest>,
    ) -> Result<Response<v1::Problem>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let problem = problem_of(&caller, &request.name)?;
        let sources = request.sources.iter().map(|name| Ok(problem_of(&caller, name)?.1));
        let sources: Vec<Uuid> = sources.collect::<Result<_, Refusal>>()?;
        let wish = wish(&caller, &problem, "MergeProblems", &request)?;
        Ok(Response::new(merging::merge(&self.room, wish, &sources).await?))
    }

    async fn unmerge_problem(
        &self,
        request: Request<v1::UnmergeProblemRequest>,
    ) -> Result<Response<v1::Problem>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let problem = problem_of(&caller, &request.name)?;
        let wish = wish(&caller, &problem, "UnmergeProblem", &request)?;
        Ok(Response::new(merging::unmerge(&self.room, wish).await?))
    }

    async fn split_problem(&self, request: Request<v1::SplitProblemRequest>) -> Result<Response<v1::Problem>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let problem = problem_of(&caller, &request.name)?;
        let feedbacks = feedbacks(&caller, &request.feedbacks)?;
        let title = mask(&request.title);
        let wish = wish(&caller, &problem, "SplitProblem", &request)?;
        Ok(Response::new(
            merging::split(&self.room, wish, &feedbacks, title).await?,
        ))
    }

    async fn add_feedbacks_to_problem(
        &self,
        request: Request<v1::AddFeedbacksToProblemRequest>,
    ) -> Result<Response<v1::Problem>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let problem = problem_of(&caller, &request.name)?;
        let feedbacks = feedbacks(&caller, &request.feedbacks)?;
        let moves = request.r#move;
        let wish = wish(&caller, &problem, "AddFeedbacksToProblem", &request)?;
        Ok(Response::new(members::add(&self.room, wish, &feedbacks, moves).await?))
    }

    async fn remove_feedbacks_from_problem(
        &self,
        request: Request<v1::RemoveFeedbacksFromProblemRequest>,
    ) -> Result<Response<v1::Problem>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let problem = problem_of(&caller, &request.name)?;
        let feedbacks = feedbacks(&caller, &request.feedbacks)?;
        let wish = wish(&caller, &problem, "RemoveFeedbacksFromProblem", &request)?;
        Ok(Response::new(members::remove(&self.room, wish, &feedbacks).await?))
    }

    async fn list_problem_feedbacks(
        &self,
        request: Request<v1::ListProblemFeedbacksRequest>,
    ) -> Result<Response<v1::ListProblemFeedbacksResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let (tenant, id) = problem_of(&caller, &request.parent)?;
        let page = members::list(&self.room, &tenant, id, request.paging()).await?;
        let members = page.entries.into_iter();
        Ok(Response::new(v1::ListProblemFeedbacksResponse {
            feedbacks: members.map(|member| convert::member(&tenant, member)).collect(),
            next_page_token: page.next_page_token,
        }))
    }

    async fn list_emerging_topics(
        &self,
        request: Request<v1::ListEmergingTopicsRequest>,
    ) -> Result<Response<v1::ListEmergingTopicsResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let wanted = Wanted {
            baseline_from: convert::time("baseline_start_time", request.baseline_start_time.as_ref())?,
            from: convert::time("start_time", request.start_time.as_ref())?,
            until: convert::time("end_time", request.end_time.as_ref())?,
            min_score: Some(request.min_score).filter(|score| *score > 0.0),
            min_feedbacks: Some(request.min_feedbacks).filter(|least| *least > 0),
            most: match request.page_size {
                0 => 20,
                most => usize::try_from(most).unwrap_or(20),
            },
            category: request.category,
        };
        let found = topics::list(&self.room, &tenant, wanted).await?;
        Ok(Response::new(convert::topics(found)))
    }

    async fn get_problem_policy(
        &self,
        request: Request<v1::GetProblemPolicyRequest>,
    ) -> Result<Response<v1::ProblemPolicy>, Status> {
        let caller = Caller::of(&request)?;
        let tenant = policy_of(&caller, &request.get_ref().name)?;
        Ok(Response::new(policies::get(&self.room, &tenant).await?))
    }

    async fn update_problem_policy(
        &self,
        request: Request<v1::UpdateProblemPolicyRequest>,
    ) -> Result<Response<v1::ProblemPolicy>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let given = request.policy.clone().unwrap_or_default();
        let tenant = policy_of(&caller, &given.name)?;
        let repeat = Repeatable::new(&tenant, &caller, "UpdateProblemPolicy", &request.request_id, &request)?;
        let by = (given.etag.as_str(), caller.subject.as_str());
        let answer = policies::update(&self.room, &tenant, convert::given_policy(&given), by, repeat).await?;
        Ok(Response::new(answer))
    }
}

/// The tenant of `tenants/{tenant}/problemPolicy`.
fn policy_of(caller: &Caller, name: &str) -> Result<Tenant, Refusal> {
    let missing = || Refusal::not_found(name);
    let parent = name.strip_suffix("/problemPolicy").ok_or_else(missing)?;
    name::parent(caller, parent).map_err(|_| missing())
}
