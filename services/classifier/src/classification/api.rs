//! The RPCs of classifications.

use huiyin_chassis::{Caller, Refusal, mask::mask, name, operations::Operation, repeat::Repeatable};
use huiyin_proto::classifier::v1;
use tonic::{Request, Response, Status};

use super::{
    convert,
    domain_review::Reviewer,
    reclassification,
    reviewing::{self, Target},
    service,
};
use crate::room::Room;

const COLLECTION: &str = "classifications";

/// See the proto.
pub(crate) async fn classify_text(
    room: &Room,
    request: Request<v1::ClassifyTextRequest>,
) -> Result<Response<v1::Verdict>, Status> {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let tenant = name::parent(&caller, &request.parent)?;
    let verdict = service::try_text(room, &tenant, request.taxonomy_version, convert::asked(&request)).await?;
    Ok(Response::new(convert::verdict(&verdict)?))
}

/// See the proto.
pub(crate) async fn get_classification(
    room: &Room,
    request: Request<v1::GetClassificationRequest>,
) -> Result<Response<v1::Classification>, Status> {
    let caller = Caller::of(&request)?;
    let name = request.into_inner().name;
    let (tenant, id) = name::child_uuid(&caller, &name, COLLECTION)?;
    let found = service::get(room, &tenant, id, &name).await?;
    Ok(Response::new(convert::answer(&tenant, &found)?))
}

/// See the proto.
pub(crate) async fn list_classifications(
    room: &Room,
    request: Request<v1::ListClassificationsRequest>,
) -> Result<Response<v1::ListClassificationsResponse>, Status> {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let tenant = name::parent(&caller, &request.parent)?;
    let page = service::list(room, &tenant, request.paging()).await?;
    let classifications = page
        .entries
        .iter()
        .map(|found| convert::answer(&tenant, found))
        .collect::<Result<_, _>>()?;
    Ok(Response::new(v1::ListClassificationsResponse {
        classifications,
        next_page_token: page.next_page_token,
    }))
}

/// See the proto.
pub(crate) async fn correct_classification(
    room: &Room,
    request: Request<v1::CorrectClassificationRequest>,
) -> Result<Response<v1::Classification>, Status> {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let (tenant, id) = name::child_uuid(&caller, &request.name, COLLECTION)?;
    let repeat = Repeatable::new(&tenant, &caller, "CorrectClassification", &request.request_id, &request)?;
    let change = convert::change(&request, &caller.subject);
    let answer = service::correct(room, &tenant, (id, &request.name), change, &request.etag, repeat).await?;
    Ok(Response::new(answer))
}

/// See the proto.
pub(crate) async fn score_classification(
    room: &Room,
    request: Request<v1::ScoreClassificationRequest>,
) -> Result<Response<v1::Classification>, Status> {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let (tenant, id) = name::child_uuid(&caller, &request.name, COLLECTION)?;
    let target = Target {
        id,
        name: &request.name,
        etag: &request.etag,
        repeat: Repeatable::new(&tenant, &caller, "ScoreClassification", &request.request_id, &request)?,
    };
    let given = crate::priority::convert::given(&request.scores);
    let by = (caller.subject.as_str(), mask(&request.reason));
    Ok(Response::new(reviewing::score(room, &tenant, target, by, given).await?))
}

/// See the proto.
pub(crate) async fn approve_priority(
    room: &Room,
    request: Request<v1::ApprovePriorityRequest>,
) -> Result<Response<v1::Classification>, Status> {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let (tenant, id) = name::child_uuid(&caller, &request.name, COLLECTION)?;
    let target = Target {
        id,
        name: &request.name,
        etag: &request.etag,
        repeat: Repeatable::new(&tenant, &caller, "ApprovePriority", &request.request_id, &request)?,
    };
    let reviewer = reviewer(&caller, &request.role, &request.reason)?;
    Ok(Response::new(
        reviewing::approve(room, &tenant, target, reviewer).await?,
    ))
}

/// See the proto.
pub(crate) async fn reject_priority(
    room: &Room,
    request: Request<v1::RejectPriorityRequest>,
) -> Result<Response<v1::Classification>, Status> {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let (tenant, id) = name::child_uuid(&caller, &request.name, COLLECTION)?;
    let target = Target {
        id,
        name: &request.name,
        etag: &request.etag,
        repeat: Repeatable::new(&tenant, &caller, "RejectPriority", &request.request_id, &request)?,
    };
    let reviewer = reviewer(&caller, &request.role, &request.reason)?;
    let answer = reviewing::reject(room, &tenant, target, reviewer, &request.priority).await?;
    Ok(Response::new(answer))
}

/// The reason goes out with events, so it is masked. Keys have no voice: whoever may make them would have as many as he likes.
fn reviewer<'r>(caller: &'r Caller, role: &'r str, reason: &str) -> Result<Reviewer<'r>, Refusal> {
    let caller = caller.as_person()?;
    Ok(Reviewer {
        author: &caller.subject,
        roles: &caller.roles,
        role,
        reason: mask(reason),
    })
}

/// See the proto.
pub(crate) async fn reclassify_feedbacks(
    room: &Room,
    request: Request<v1::ReclassifyFeedbacksRequest>,
) -> Result<Response<Operation>, Status> {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let tenant = name::parent(&caller, &request.parent)?;
    let repeat = Repeatable::new(&tenant, &caller, "ReclassifyFeedbacks", &request.request_id, &request)?;
    convert::which(&request)?; // what cannot be read is refused now, not when it is carried out
    Ok(Response::new(
        reclassification::start(room, &tenant, &caller.subject, &request, repeat).await?,
    ))
}
