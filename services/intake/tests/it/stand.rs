//! What the tests of intake stand on: a running service, clients, and a look into its database.

use std::net::SocketAddr;

use huiyin_chassis::Running;
use huiyin_proto::{
    event::v1::{Event, FeedbackSubmitted, event::Payload},
    intake::v1::{
        CreateFeedbackRequest, CreateSourceRequest, Feedback, ListFeedbacksRequest, Source as Sender,
        intake_service_client::IntakeServiceClient, source_service_client::SourceServiceClient,
    },
    r#type::v1::Channel,
};
use huiyin_testkit::{Connection, Source, Stage};
use sqlx::{Connection as _, PgConnection};
use tonic::Status;
use tonic_types::StatusExt as _;

pub(crate) type Client = IntakeServiceClient<Connection>;
pub(crate) type Sources = SourceServiceClient<Connection>;

/// The tenant that the tests act in.
pub(crate) const ACME: &str = "tenants/acme";
const SETTINGS: &str = "[vault]\nkey = \"0123456789abcdef0123456789abcdef\"\n";

pub(crate) struct Stand {
    pub(crate) stage: Stage,
    /// What the scheduler tells.
    pub(crate) scheduler: Source,
    running: Running,
}

impl Stand {
    pub(crate) async fn new() -> Self {
        Self::with("").await
    }

    /// With more settings, as TOML; they begin in the section `[attachments]`.
    pub(crate) async fn with(settings: &str) -> Self {
        let stage = Stage::new().await;
        let scheduler = stage.source("scheduler").await;
        Self::on(stage, scheduler, settings).await
    }

    /// On a stage that has neighbours; the scheduler is one of them.
    pub(crate) async fn on(stage: Stage, scheduler: Source, settings: &str) -> Self {
        let settings = format!("{}{settings}", fixed_settings(&stage));
        let config = stage.config("intake", &settings).await;
        let running = intake::start(config, stage.context()).await.unwrap();
        Self {
            stage,
            scheduler,
            running,
        }
    }

    /// A second replica on the same database.
    pub(crate) async fn replica(&self) -> Running {
        let settings = fixed_settings(&self.stage);
        let config = self.stage.config_with("intake", &self.stage.database_url(), &settings);
        intake::start(config, self.stage.context()).await.unwrap()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.running.address
    }

    /// Where else it listens: `http`, `mail`.
    pub(crate) fn other(&self, what: &str) -> SocketAddr {
        self.running.others[what]
    }

    /// Sources as somebody in `acme` keeps them.
    pub(crate) async fn sources(&self, subject: &str, tenant: &str, role: &str) -> Sources {
        let token = self.stage.token(subject, tenant, &[role]);
        SourceServiceClient::new(self.stage.connect(self.address(), &token).await)
    }

    /// A new source of `acme`; the answer shows its secret.
    pub(crate) async fn source(&self, id: &str, source: Sender) -> Sender {
        let request = CreateSourceRequest {
            parent: ACME.to_owned(),
            source_id: id.to_owned(),
            source: Some(source),
            request_id: String::new(),
        };
        let mut sources = self.sources("user:admin", "acme", "admin").await;
        sources.create_source(request).await.unwrap().into_inner()
    }

    /// All feedback, in the order in which it came.
    pub(crate) async fn feedbacks(&self) -> Vec<Feedback> {
        let request = ListFeedbacksRequest {
            parent: ACME.to_owned(),
            order_by: "create_time".to_owned(),
            page_size: 1000,
            ..ListFeedbacksRequest::default()
        };
        let mut client = self.client_of("user:wang", "acme", "agent").await;
        let mut feedbacks = client.list_feedbacks(request).await.unwrap().into_inner().feedbacks;
        feedbacks.sort_by(|left, right| left.number.cmp(&right.number));
        feedbacks
    }

    /// A caller with the rights of an enterprise back end in `acme`.
    pub(crate) async fn client(&self) -> Client {
        self.client_of("key:erp", "acme", "integration").await
    }

    pub(crate) async fn client_of(&self, subject: &str, tenant: &str, role: &str) -> Client {
        self.client_at(self.address(), &self.stage.token(subject, tenant, &[role]))
            .await
    }

    pub(crate) async fn client_at(&self, address: SocketAddr, token: &str) -> Client {
        IntakeServiceClient::new(self.stage.connect(address, token).await)
    }

    /// The database, past row-level security.
    pub(crate) async fn database(&self) -> PgConnection {
        PgConnection::connect(&self.stage.database_url()).await.unwrap()
    }

    /// The events of `FeedbackSubmitted`, in the order in which they were written.
    pub(crate) async fn events(&self) -> Vec<(Event, FeedbackSubmitted)> {
        let written = self.stage.written().await.into_iter();
        written
            .map(|mut event| match event.payload.take() {
                Some(Payload::FeedbackSubmitted(submitted)) => (event, submitted),
                other => panic!("not an event of intake: {other:?}"),
            })
            .collect()
    }

    /// How many feedbacks are stored.
    pub(crate) async fn stored(&self) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM feedback")
            .fetch_one(&mut self.database().await)
            .await
            .unwrap()
    }

    /// Stops it; ends when it has drained.
    pub(crate) async fn stop(self) -> Stage {
        self.running.stop().await.unwrap();
        self.stage
    }
}

/// What every replica on a stage has.
fn fixed_settings(stage: &Stage) -> String {
    format!(
        "{SETTINGS}[attachments]\nstore = \"{}\"\n",
        stage.folder().join("attachments").display()
    )
}

/// A feedback with no more than it must have.
pub(crate) fn feedback(description: &str) -> Feedback {
    Feedback {
        channel: Channel::WebForm.into(),
        description: description.to_owned(),
        ..Feedback::default()
    }
}

/// As [`feedback`], with an external id of the source `erp`.
pub(crate) fn external(description: &str, external_id: &str) -> Feedback {
    Feedback {
        external_id: external_id.to_owned(),
        source: "erp".to_owned(),
        ..feedback(description)
    }
}

/// A request id of the test's own choice.
pub(crate) fn request_id(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

pub(crate) fn create(feedback: Feedback) -> CreateFeedbackRequest {
    CreateFeedbackRequest {
        parent: ACME.to_owned(),
        feedback: Some(feedback),
        request_id: String::new(),
    }
}

/// A feedback as those see it who did not hand it in.
pub(crate) fn unheld(feedback: Feedback) -> Feedback {
    Feedback {
        status_token: String::new(),
        contact_handling: 0,
        ..feedback
    }
}

/// The reason of a refusal.
pub(crate) fn reason(status: &Status) -> String {
    status
        .get_details_error_info()
        .unwrap_or_else(|| panic!("{status:?} has no reason"))
        .reason
}

/// One entry of its metadata.
pub(crate) fn metadata(status: &Status, key: &str) -> String {
    status
        .get_details_error_info()
        .unwrap()
        .metadata
        .get(key)
        .cloned()
        .unwrap_or_default()
}

/// The fields that it names, sorted.
pub(crate) fn fields(status: &Status) -> Vec<String> {
    let violations = status
        .get_details_bad_request()
        .unwrap_or_else(|| panic!("{status:?} names no fields"))
        .field_violations;
    let mut fields: Vec<String> = violations.into_iter().map(|violation| violation.field).collect();
    fields.sort();
    fields
}
