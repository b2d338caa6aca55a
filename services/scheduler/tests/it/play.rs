//! The stage of every test: the room, its neighbours' logs, and people who call it.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use huiyin_chassis::{Running, name};
use huiyin_proto::{
    event::v1::{
        Event, FeedbackClassified, GetEventFlowRequest, PartitionCursor, ReadEventsRequest, SurveyAnswered,
        WorkOrderDigest, event::Payload, event_log_service_client::EventLogServiceClient,
    },
    scheduler::v1::{self, scheduler_service_client::SchedulerServiceClient},
    r#type::v1::{Channel, CustomerTier, FeedbackDigest, Priority},
};
use huiyin_testkit::{Connection, Source, Stage, eventually};
use jiff::SignedDuration;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

pub(crate) const TENANT: &str = "acme";
pub(crate) const PARENT: &str = "tenants/acme";
/// How long anything may take to come about.
pub(crate) const LIMIT: Duration = Duration::from_secs(15);

pub(crate) type Client = SchedulerServiceClient<Connection>;

pub(crate) struct Play {
    pub(crate) stage: Stage,
    pub(crate) classifier: Source,
    pub(crate) survey: Source,
    pub(crate) running: Running,
    classified: AtomicI64,
    answered: AtomicI64,
}

impl Play {
    pub(crate) async fn begin() -> Self {
        let stage = Stage::new().await;
        let classifier = stage.source("classifier").await;
        let survey = stage.source("survey").await;
        let config = stage.config("scheduler", "").await;
        let running = scheduler::start(config, stage.context()).await.unwrap();
        Self {
            stage,
            classifier,
            survey,
            running,
            classified: AtomicI64::new(0),
            answered: AtomicI64::new(0),
        }
    }

    /// A second replica on the same database.
    pub(crate) async fn second_room(&self) -> Running {
        let config = self.stage.config_with("scheduler", &self.stage.database_url(), "");
        scheduler::start(config, self.stage.context()).await.unwrap()
    }

    pub(crate) async fn client(&self, subject: &str, tenant: &str, roles: &[&str]) -> Client {
        let token = self.stage.token(subject, tenant, roles);
        SchedulerServiceClient::new(self.stage.connect(self.running.address, &token).await)
    }

    /// A supervisor of the tenant.
    pub(crate) async fn boss(&self) -> Client {
        self.client("user:boss", TENANT, &["supervisor"]).await
    }

    pub(crate) fn advance(&self, by: SignedDuration) {
        self.stage.clock.advance(by);
    }

    /// The classifier says something; the subject is the feedback.
    pub(crate) fn classify(&self, classified: &FeedbackClassified) -> Event {
        let feedback = classified.feedback.as_ref().unwrap().feedback.clone();
        self.classified.fetch_add(1, Ordering::Relaxed);
        self.classifier
            .publish(TENANT, &feedback, Payload::FeedbackClassified(classified.clone()))
    }

    /// The same event comes once more.
    pub(crate) fn classify_again(&self, event: &Event) {
        self.classified.fetch_add(1, Ordering::Relaxed);
        self.classifier.publish_again(event);
    }

    /// The classifier says something, and the work order is there.
    pub(crate) async fn open(&self, classified: &FeedbackClassified) -> v1::WorkOrder {
        self.classify(classified);
        let feedback = &classified.feedback.as_ref().unwrap().feedback;
        let mut boss = self.boss().await;
        eventually("the work order is there", LIMIT, async || {
            of_feedback(&mut boss, feedback).await
        })
        .await
    }

    /// A customer answered of a work order's episode.
    pub(crate) fn answer(&self, order: &v1::WorkOrder, episode: i32, reopen: bool) {
        let digest = WorkOrderDigest {
            work_order: order.name.clone(),
            episode,
            ..Default::default()
        };
        let answered = SurveyAnswered {
            work_order: Some(digest),
            reopen,
            reason: "仍然打不开".to_owned(),
            ..Default::default()
        };
        self.answered.fetch_add(1, Ordering::Relaxed);
        self.survey.publish(
            TENANT,
            &order.name.replace("workOrders", "surveys"),
            Payload::SurveyAnswered(answered),
        );
    }

    /// Waits until the room has consumed everything that was published.
    pub(crate) async fn all_consumed(&self) {
        let mut log = self.log().await;
        let wanted = [("classifier", &self.classified), ("survey", &self.answered)];
        eventually("everything is consumed", LIMIT, async || {
            let cursors = log
                .get_event_flow(GetEventFlowRequest {})
                .await
                .unwrap()
                .into_inner()
                .cursors;
            // Positions are dense: together they are as many as there were events.
            let consumed = |source| {
                cursors
                    .iter()
                    .filter(|cursor| cursor.source == source)
                    .map(|cursor| cursor.position)
                    .sum::<i64>()
            };
            wanted
                .iter()
                .all(|(source, published)| consumed(*source) == published.load(Ordering::Relaxed))
        })
        .await;
    }

    async fn log(&self) -> EventLogServiceClient<Connection> {
        let token = self.stage.service_token("test");
        EventLogServiceClient::new(self.stage.connect(self.running.address, &token).await)
    }

    /// What the room told of a work order so far, in order.
    pub(crate) async fn told(&self, order: &str) -> Vec<Event> {
        let mut log = self.log().await;
        let cursors = (0..8)
            .map(|partition| PartitionCursor { partition, position: 0 })
            .collect();
        let mut answers = log
            .read_events(ReadEventsRequest {
                cursors,
                follow: false,
                epoch: String::new(),
            })
            .await
            .unwrap()
            .into_inner();
        let mut events = Vec::new();
        while let Some(answer) = answers.message().await.unwrap() {
            events.extend(
                answer
                    .events
                    .into_iter()
                    .filter_map(|positioned| positioned.event)
                    .filter(|event| event.subject == order),
            );
        }
        events
    }

    /// Waits until the room has told so many things of a work order, and gives them in short.
    pub(crate) async fn told_in_short(&self, order: &str, at_least: usize) -> Vec<String> {
        eventually("enough is told", LIMIT, async || {
            let events = self.told(order).await;
            let short: Vec<String> = events.iter().map(in_short).collect();
            if short.len() >= at_least {
                Ok(short)
            } else {
                Err(format!("{short:?}"))
            }
        })
        .await
    }

    /// A team, and people in it.
    pub(crate) async fn team(&self, id: &str) {
        let team = Some(v1::Team {
            display_name: id.to_owned(),
            ..Default::default()
        });
        self.boss()
            .await
            .create_team(v1::CreateTeamRequest {
                parent: PARENT.to_owned(),
                team_id: id.to_owned(),
                team,
                ..Default::default()
            })
            .await
            .unwrap();
    }

    pub(crate) async fn agent(&self, id: &str, agent: v1::Agent) -> v1::Agent {
        let request = v1::CreateAgentRequest {
            parent: PARENT.to_owned(),
            agent_id: id.to_owned(),
            agent: Some(agent),
            ..Default::default()
        };
        self.boss().await.create_agent(request).await.unwrap().into_inner()
    }
}

/// What an event says, in a few words.
fn in_short(event: &Event) -> String {
    let state = |state: i32| {
        huiyin_proto::event::v1::StateCategory::try_from(state)
            .unwrap()
            .as_str_name()
            .trim_start_matches("STATE_CATEGORY_")
            .to_lowercase()
    };
    match event.payload.as_ref().unwrap() {
        Payload::WorkOrderOpened(_) => "opened".to_owned(),
        Payload::WorkOrderAssigned(told) => {
            let order = told.work_order.as_ref().unwrap();
            format!("assigned {} to {}@{}", told.assignment, order.assignee, order.team)
        }
        Payload::WorkOrderTransitioned(told) => format!("{} to {}", state(told.from), state(told.to)),
        Payload::WorkOrderProgressed(told) => format!("progress {}", told.note),
        Payload::WorkOrderRetargeted(_) => "retargeted".to_owned(),
        Payload::SlaClockMarked(told) => {
            let mark = huiyin_proto::event::v1::SlaMark::try_from(told.mark)
                .unwrap()
                .as_str_name()
                .trim_start_matches("SLA_MARK_")
                .to_lowercase();
            format!("{} {mark}", told.clock)
        }
        other => panic!("the scheduler tells no {other:?}"),
    }
}

/// The work order of a feedback.
pub(crate) async fn of_feedback(client: &mut Client, feedback: &str) -> Option<v1::WorkOrder> {
    let filter = format!("feedback.feedback = \"{feedback}\"");
    let request = v1::ListWorkOrdersRequest {
        parent: PARENT.to_owned(),
        filter,
        ..Default::default()
    };
    let mut found = client.list_work_orders(request).await.unwrap().into_inner().work_orders;
    assert!(found.len() <= 1, "more than one work order for {feedback}");
    found.pop()
}

pub(crate) async fn get(client: &mut Client, name: &str) -> v1::WorkOrder {
    client
        .get_work_order(v1::GetWorkOrderRequest { name: name.to_owned() })
        .await
        .unwrap()
        .into_inner()
}

/// `f1` → `FB20260302001`.
fn display_number(feedback: &str) -> String {
    let place = feedback.trim_start_matches(|c: char| !c.is_ascii_digit());
    if place.is_empty() {
        format!("FB{feedback}")
    } else {
        format!("FB20260302{place:0>3}")
    }
}

/// A classification as most tests want one: rank 1, a customer of no tier, software called for.
pub(crate) fn classified(feedback: &str) -> FeedbackClassified {
    FeedbackClassified {
        feedback: Some(FeedbackDigest {
            feedback: format!("{PARENT}/feedbacks/{feedback}"),
            number: display_number(feedback),
            channel: Channel::InApp.into(),
            customer: format!("{PARENT}/customers/c1"),
            tier: CustomerTier::Existing.into(),
            product_model: "X1".to_owned(),
            language: "zh-CN".to_owned(),
            reachable: true,
            ..Default::default()
        }),
        revision: 1,
        category: "function.crash".to_owned(),
        priority: Some(Priority {
            key: "P1".to_owned(),
            rank: 1,
        }),
        basis: "严重 × 老客户".to_owned(),
        skills: vec!["software".to_owned()],
        excerpt: "打开就闪退".to_owned(),
        ..Default::default()
    }
}

/// An agent of a team with skills.
pub(crate) fn agent(subject: &str, team: &str, skills: &[(&str, i32)]) -> v1::Agent {
    v1::Agent {
        subject: subject.to_owned(),
        display_name: subject.to_owned(),
        team: team.to_owned(),
        skills: skills
            .iter()
            .map(|(key, level)| v1::Skill {
                key: (*key).to_owned(),
                level: *level,
            })
            .collect(),
        available: true,
        ..Default::default()
    }
}

pub(crate) fn solution() -> Option<v1::Resolution> {
    Some(v1::Resolution {
        measures: vec![v1::Measure::CodeFix.into()],
        text: "已发布修复版本 1.2".to_owned(),
        replaced_parts: vec![],
    })
}

pub(crate) fn clock<'o>(order: &'o v1::WorkOrder, key: &str) -> &'o v1::SlaClock {
    order
        .sla_clocks
        .iter()
        .find(|clock| clock.key == key)
        .unwrap_or_else(|| panic!("{} has no clock {key}", order.name))
}

pub(crate) fn seconds(time: Option<prost_types::Timestamp>) -> i64 {
    time.expect("a time is set").seconds
}

/// The reason of a refusal, and its metadata entry.
pub(crate) fn reason(status: &Status) -> String {
    status
        .get_error_details()
        .error_info()
        .map(|info| info.reason.clone())
        .unwrap_or_default()
}

pub(crate) fn metadata(status: &Status, key: &str) -> String {
    status
        .get_error_details()
        .error_info()
        .and_then(|info| info.metadata.get(key).cloned())
        .unwrap_or_default()
}

pub(crate) fn violated(status: &Status) -> Vec<String> {
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let details = status.get_error_details();
    details
        .bad_request()
        .map(|bad| {
            bad.field_violations
                .iter()
                .map(|violation| violation.field.clone())
                .collect()
        })
        .unwrap_or_default()
}

#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, Status>, code: Code, why: &str) -> Status {
    let status = answer.expect_err("it should have been refused");
    assert_eq!((status.code(), reason(&status).as_str()), (code, why), "{status:?}");
    status
}

/// The id at the end of a name.
pub(crate) fn id(name: &str) -> String {
    name::stored_uuid(name).unwrap().to_string()
}
