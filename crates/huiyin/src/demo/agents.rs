//! Agents: take up, look into, tell, resolve, close.

use futures::{StreamExt as _, TryStreamExt as _};
use huiyin_chassis::{Clock, secret, sql};
use huiyin_proto::{
    event::v1::StateCategory,
    scheduler::v1::{
        AcknowledgeWorkOrderRequest, Agent, AssignWorkOrderRequest, CloseWorkOrderRequest, CreateAgentRequest,
        CreateTeamRequest, HoldWorkOrderRequest, Measure, NoteProgressRequest, Resolution, ResolveWorkOrderRequest,
        ResumeWorkOrderRequest, Skill, StartWorkOrderRequest, Team, WorkOrder, WorkOrderStage,
    },
};
use indicatif::ProgressBar;
use jiff::SignedDuration;
use tonic::Code;

use super::{DemoOptions, die, pace};
use crate::link::Link;

/// Who works here: id, name, team, skills with their levels.
type Hire = (&'static str, &'static str, &'static str, &'static [(&'static str, i32)]);
const STAFF: [Hire; 6] = [
    ("li-wei", "李伟", "software", &[("software", 5), ("product", 3)]),
    ("wang-fang", "王芳", "software", &[("software", 3), ("product", 4)]),
    ("zhang-min", "张敏", "hardware", &[("hardware", 5), ("product", 3)]),
    ("chen-jie", "陈洁", "logistics", &[("logistics", 4), ("payment", 3)]),
    ("liu-yang", "刘洋", "service", &[("service", 5), ("payment", 4)]),
    ("zhao-lei", "赵磊", "service", &[("service", 3), ("product", 5)]),
];

/// Why work goes on after it has waited.
const CONFIRMED: &str = "研发已确认原因";

/// What the agents did in one round.
#[derive(Debug, Default)]
pub(super) struct Worked {
    pub(super) steps: u64,
    pub(super) closed: u64,
}

/// Makes sure that somebody works here.
pub(super) async fn hire(link: &Link) -> anyhow::Result<()> {
    for (id, name, team, skills) in STAFF {
        let new = Team {
            display_name: team.to_owned(),
            ..Team::default()
        };
        let request = CreateTeamRequest {
            parent: link.parent.clone(),
            team_id: team.to_owned(),
            team: Some(new),
            request_id: String::new(),
        };
        unless_there(link.scheduler().create_team(request).await)?;
        let agent = Agent {
            subject: format!("user:{id}"),
            display_name: name.to_owned(),
            team: team.to_owned(),
            skills: skills
                .iter()
                .map(|(key, level)| Skill {
                    key: (*key).to_owned(),
                    level: *level,
                })
                .collect(),
            capacity_weight: 1,
            open_limit: 100_000,
            available: true,
            language: "zh-CN".to_owned(),
            ..Agent::default()
        };
        let request = CreateAgentRequest {
            parent: link.parent.clone(),
            agent_id: id.to_owned(),
            agent: Some(agent),
            request_id: String::new(),
        };
        unless_there(link.scheduler().create_agent(request).await)?;
    }
    Ok(())
}

fn unless_there<T>(outcome: Result<T, tonic::Status>) -> anyhow::Result<()> {
    match outcome {
        Ok(_) => Ok(()),
        Err(status) if status.code() == Code::AlreadyExists => Ok(()),
        Err(status) => Err(status.into()),
    }
}

/// Takes every open work order as far as agents alone can: to its resolution, or, where the customer has answered, to its end.
pub(super) async fn work(
    link: &Link,
    options: &DemoOptions,
    open: &[WorkOrder],
    bar: &ProgressBar,
) -> anyhow::Result<Worked> {
    let total = open.len();
    let done = std::sync::atomic::AtomicUsize::new(0);
    let done = &done;
    let working = futures::stream::iter(open.iter().map(|order| async move {
        let worked = take(link, options, order).await?;
        let done = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        if done.is_multiple_of(50) {
            bar.set_message(format!("agents: {done} of {total} work orders"));
        }
        anyhow::Ok(worked)
    }));
    let add = |sum: Worked, worked: Worked| async move {
        Ok(Worked {
            steps: sum.steps + worked.steps,
            closed: sum.closed + worked.closed,
        })
    };
    working
        .buffer_unordered(options.people)
        .try_fold(Worked::default(), add)
        .await
}

async fn take(link: &Link, options: &DemoOptions, order: &WorkOrder) -> anyhow::Result<Worked> {
    let mut client = link.scheduler();
    let mut order = order.clone();
    let mut worked = Worked::default();
    let mut patience = 30;
    let luck = die(options.seed, &order.name, order.episode);
    // A repeatable id per step: a step whose answer was lost is not done twice.
    let id = |order: &WorkOrder, step: &str| request_id(&order.name, order.episode, step);
    loop {
        pace(options).await;
        let (name, step) = (order.name.clone(), order.clone());
        let next = match order.state() {
            StateCategory::New if order.assignee.is_empty() => {
                let assignee = format!("{}/agents/{}", link.parent, STAFF[usize::from(luck) % STAFF.len()].0);
                let request_id = id(&step, "assign");
                client
                    .assign_work_order(AssignWorkOrderRequest {
                        name,
                        assignee,
                        reason: "已由主管指派".to_owned(),
                        etag: String::new(),
                        request_id,
                    })
                    .await
            }
            StateCategory::New if order.acknowledge_time.is_none() => {
                client
                    .acknowledge_work_order(AcknowledgeWorkOrderRequest {
                        name,
                        etag: String::new(),
                        request_id: id(&step, "acknowledge"),
                    })
                    .await
            }
            StateCategory::New => {
                client
                    .start_work_order(StartWorkOrderRequest {
                        name,
                        etag: String::new(),
                        request_id: id(&step, "start"),
                    })
                    .await
            }
            StateCategory::Active if luck < 15 && order.stage() == WorkOrderStage::Unspecified => {
                let promise = Clock::system().now() + SignedDuration::from_hours(72);
                let request = NoteProgressRequest {
                    name,
                    stage: WorkOrderStage::RemoteCheck as i32,
                    note: "远程排查中".to_owned(),
                    customer_text: "我们正在排查，预计3个工作日内给您方案".to_owned(),
                    promise_time: Some(sql::to_proto(promise)),
                    etag: String::new(),
                    request_id: id(&step, "note"),
                };
                client.note_progress(request).await
            }
            StateCategory::Active if luck < 5 && order.stage() != WorkOrderStage::WaitingRnd => {
                let note = NoteProgressRequest {
                    name,
                    stage: WorkOrderStage::WaitingRnd as i32,
                    note: "已转研发确认原因".to_owned(),
                    request_id: id(&step, "ask"),
                    ..NoteProgressRequest::default()
                };
                client.note_progress(note).await
            }
            StateCategory::Active if luck < 5 && order.state_reason != CONFIRMED => {
                let request = HoldWorkOrderRequest {
                    name,
                    reason: "待研发确认".to_owned(),
                    etag: String::new(),
                    request_id: id(&step, "hold"),
                };
                client.hold_work_order(request).await
            }
            StateCategory::Active | StateCategory::Verifying => {
                let resolution = Resolution {
                    measures: vec![Measure::Guidance as i32],
                    text: "已定位原因并处理，请您再试一次".to_owned(),
                    replaced_parts: Vec::new(),
                };
                client
                    .resolve_work_order(ResolveWorkOrderRequest {
                        name,
                        resolution: Some(resolution),
                        etag: String::new(),
                        request_id: id(&step, "resolve"),
                    })
                    .await
            }
            StateCategory::Waiting => {
                let request = ResumeWorkOrderRequest {
                    name,
                    reason: CONFIRMED.to_owned(),
                    etag: String::new(),
                    request_id: id(&step, "resume"),
                };
                client.resume_work_order(request).await
            }
            StateCategory::Resolved if super::customers::is_content(link, &order).await? => {
                let request = CloseWorkOrderRequest {
                    name,
                    reason: "客户已确认".to_owned(),
                    etag: String::new(),
                    request_id: id(&step, "close"),
                };
                client.close_work_order(request).await
            }
            _ => return Ok(worked),
        };
        match next {
            Ok(answer) => order = answer.into_inner(),
            // A service that is coming back, or out of breath: the same step again, under the same id.
            Err(status) if status.code() == Code::Unavailable && patience > 0 => {
                patience -= 1;
                tokio::time::sleep(std::time::Duration::from_millis(300)).await;
                continue;
            }
            // Somebody else, such as an answer that reopened it, was faster: next round.
            Err(status) if matches!(status.code(), Code::FailedPrecondition | Code::Aborted) => return Ok(worked),
            Err(status) => return Err(anyhow::Error::from(status).context(step.name)),
        }
        worked.steps += 1;
        worked.closed += u64::from(order.state() == StateCategory::Closed);
    }
}

fn request_id(name: &str, episode: i32, step: &str) -> String {
    let hash = secret::hash(format!("{name}/{episode}/{step}").as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}
