//! The stage of every test: the room, intake's log, and people who call it.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use huiyin_chassis::Running;
use huiyin_proto::{
    classifier::v1::{
        self, classifier_service_client::ClassifierServiceClient,
        priority_model_service_client::PriorityModelServiceClient,
    },
    event::v1::{
        Event, FeedbackClassified, FeedbackSubmitted, GetEventFlowRequest, PartitionCursor, ReadEventsRequest,
        event::Payload, event_log_service_client::EventLogServiceClient,
    },
    r#type::v1::{Channel, CustomerTier, FeedbackDigest},
};
use huiyin_testkit::{Connection, Source, Stage, eventually};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

pub(crate) const TENANT: &str = "acme";
pub(crate) const PARENT: &str = "tenants/acme";
/// How long anything may take to come about.
pub(crate) const LIMIT: Duration = Duration::from_secs(15);

pub(crate) type Client = ClassifierServiceClient<Connection>;
pub(crate) type Priorities = PriorityModelServiceClient<Connection>;

pub(crate) struct Play {
    pub(crate) stage: Stage,
    pub(crate) intake: Source,
    pub(crate) running: Running,
    published: AtomicI64,
}

impl Play {
    pub(crate) async fn begin() -> Self {
        let stage = Stage::new().await;
        let intake = stage.source("intake").await;
        let config = stage.config("classifier", "").await;
        let running = classifier::start(config, stage.context()).await.unwrap();
        Self {
            stage,
            intake,
            running,
            published: AtomicI64::new(0),
        }
    }

    pub(crate) async fn client_of(&self, room: &Running, subject: &str, tenant: &str, roles: &[&str]) -> Client {
        let token = self.stage.token(subject, tenant, roles);
        ClassifierServiceClient::new(self.stage.connect(room.address, &token).await)
    }

    pub(crate) async fn client(&self, subject: &str, tenant: &str, roles: &[&str]) -> Client {
        self.client_of(&self.running, subject, tenant, roles).await
    }

    /// Somebody at the priority models.
    pub(crate) async fn priorities(&self, subject: &str, tenant: &str, roles: &[&str]) -> Priorities {
        let token = self.stage.token(subject, tenant, roles);
        PriorityModelServiceClient::new(self.stage.connect(self.running.address, &token).await)
    }

    /// The tenant's cases go by a preset from now on.
    pub(crate) async fn goes_by(&self, preset: &str) -> v1::PriorityModel {
        let mut boss = self.priorities("user:boss", TENANT, &["supervisor"]).await;
        let create = v1::CreatePriorityModelRequest {
            parent: PARENT.to_owned(),
            preset: preset.to_owned(),
            ..Default::default()
        };
        let made = boss.create_priority_model(create).await.unwrap().into_inner();
        let activate = v1::ActivatePriorityModelRequest {
            name: made.name,
            ..Default::default()
        };
        boss.activate_priority_model(activate).await.unwrap().into_inner()
    }

    /// A supervisor of the tenant.
    pub(crate) async fn boss(&self) -> Client {
        self.client("user:boss", TENANT, &["supervisor"]).await
    }

    /// Intake says something.
    pub(crate) fn submit(&self, tenant: &str, submitted: &FeedbackSubmitted) -> Event {
        let subject = submitted.feedback.as_ref().unwrap().feedback.clone();
        self.published.fetch_add(1, Ordering::Relaxed);
        self.intake
            .publish(tenant, &subject, Payload::FeedbackSubmitted(submitted.clone()))
    }

    /// The same event comes once more.
    pub(crate) fn submit_again(&self, event: &Event) {
        self.published.fetch_add(1, Ordering::Relaxed);
        self.intake.publish_again(event);
    }

    /// Intake takes in a text, and it is classified.
    pub(crate) async fn classified(&self, text: &str) -> v1::Classification {
        self.classified_as(&self.submitted(text)).await
    }

    pub(crate) async fn classified_as(&self, submitted: &FeedbackSubmitted) -> v1::Classification {
        self.submit(TENANT, submitted);
        let name = classification_of(submitted);
        let mut boss = self.boss().await;
        eventually("it is classified", LIMIT, async || {
            boss.get_classification(v1::GetClassificationRequest { name: name.clone() })
                .await
        })
        .await
        .into_inner()
    }

    pub(crate) fn submitted(&self, text: &str) -> FeedbackSubmitted {
        let id = self.stage.clock.id();
        let feedback = FeedbackDigest {
            feedback: format!("{PARENT}/feedbacks/{id}"),
            number: format!("FB20260302{:03}", self.published.load(Ordering::Relaxed) + 1),
            channel: Channel::InApp.into(),
            customer: format!("{PARENT}/customers/{}", Uuid::nil()),
            tier: CustomerTier::Existing.into(),
            product_model: "X1".to_owned(),
            language: "zh-CN".to_owned(),
            reachable: true,
            ..Default::default()
        };
        FeedbackSubmitted {
            feedback: Some(feedback),
            text: text.to_owned(),
            ..Default::default()
        }
    }

    /// Waits until the room has consumed everything that was published.
    pub(crate) async fn all_consumed(&self) {
        let mut log = self.log().await;
        eventually("everything is consumed", LIMIT, async || {
            let cursors = log
                .get_event_flow(GetEventFlowRequest {})
                .await
                .unwrap()
                .into_inner()
                .cursors;
            // Positions are dense: together they are as many as there were events.
            cursors.iter().map(|cursor| cursor.position).sum::<i64>() == self.published.load(Ordering::Relaxed)
        })
        .await;
    }

    pub(crate) async fn log(&self) -> EventLogServiceClient<Connection> {
        EventLogServiceClient::new(
            self.stage
                .connect(self.running.address, &self.stage.service_token("test"))
                .await,
        )
    }

    /// What the room told of a feedback, as soon as it is so much.
    pub(crate) async fn told(&self, feedback: &str, at_least: usize) -> Vec<(String, FeedbackClassified)> {
        eventually("enough is told", LIMIT, async || {
            let told = self.told_now(feedback).await;
            if told.len() >= at_least {
                Ok(told)
            } else {
                Err(format!("{told:?}"))
            }
        })
        .await
    }

    async fn told_now(&self, feedback: &str) -> Vec<(String, FeedbackClassified)> {
        let mut told = Vec::new();
        for event in self.all_told().await {
            if let Some(Payload::FeedbackClassified(classified)) = event.payload
                && event.subject == feedback
            {
                told.push((event.actor, classified));
            }
        }
        told
    }

    /// All that the room has told so far, in order for each subject.
    pub(crate) async fn all_told(&self) -> Vec<Event> {
        let cursors = (0..8)
            .map(|partition| PartitionCursor { partition, position: 0 })
            .collect();
        let request = ReadEventsRequest {
            cursors,
            follow: false,
            epoch: String::new(),
        };
        let mut answers = self.log().await.read_events(request).await.unwrap().into_inner();
        let mut told = Vec::new();
        while let Some(answer) = answers.message().await.unwrap() {
            told.extend(answer.events.into_iter().filter_map(|positioned| positioned.event));
        }
        told
    }
}

/// The name of the classification that a submitted feedback gets.
pub(crate) fn classification_of(submitted: &FeedbackSubmitted) -> String {
    submitted
        .feedback
        .as_ref()
        .unwrap()
        .feedback
        .replace("feedbacks", "classifications")
}

/// A correction of a classification, with nothing in it yet.
pub(crate) fn correction(name: &str) -> v1::CorrectClassificationRequest {
    v1::CorrectClassificationRequest {
        name: name.to_owned(),
        reason: "看过了".to_owned(),
        ..Default::default()
    }
}

/// Code and reason of a refusal.
pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String) {
    let status = answer.unwrap_err();
    (
        status.code(),
        status
            .get_details_error_info()
            .map(|info| info.reason)
            .unwrap_or_default(),
    )
}

/// The fields that a refusal names.
pub(crate) fn violated<T: std::fmt::Debug>(answer: Result<T, Status>) -> Vec<String> {
    let details = answer.unwrap_err().get_details_bad_request();
    details
        .into_iter()
        .flat_map(|details| details.field_violations)
        .map(|violation| violation.field)
        .collect()
}
