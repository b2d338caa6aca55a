//! What the tests of intake stand on: a running service, clients, and a look into its database.

use std::net::SocketAddr;

use huiyin_chassis::Running;
use huiyin_proto::{
    event::v1::{Event, FeedbackSubmitted, event::Payload},
    intake::v1::{CreateFeedbackRequest, Feedback, intake_service_client::IntakeServiceClient},
    r#type::v1::Channel,
};
use huiyin_testkit::{Connection, Stage};
use prost::Message as _;
use sqlx::{Connection as _, PgConnection};
use tonic::Status;
use tonic_types::StatusExt as _;

pub(crate) type Client = IntakeServiceClient<Connection>;

/// The tenant that the tests act in.
pub(crate) const ACME: &str = "tenants/acme";
const SETTINGS: &str = "[vault]\nkey = \"0123456789abcdef0123456789abcdef\"\n";

pub(crate) struct Stand {
    pub(crate) stage: Stage,
    running: Running,
}

impl Stand {
    pub(crate) async fn new() -> Self {
        Self::with("").await
    }

    /// With more settings, as TOML.
    pub(crate) async fn with(settings: &str) -> Self {
        Self::on(Stage::new().await, settings).await
    }

    /// On a stage that has neighbours.
    pub(crate) async fn on(stage: Stage, settings: &str) -> Self {
        let config = stage.config("intake", &format!("{SETTINGS}{settings}")).await;
        let running = intake::start(config, stage.context()).await.unwrap();
        Self { stage, running }
    }

    /// A second replica on the same database.
    pub(crate) async fn replica(&self) -> Running {
        let config = self.stage.config_with("intake", &self.stage.database_url(), SETTINGS);
        intake::start(config, self.stage.context()).await.unwrap()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.running.address
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
        let rows: Vec<Vec<u8>> = sqlx::query_scalar("SELECT event FROM events.outbox ORDER BY id")
            .fetch_all(&mut self.database().await)
            .await
            .unwrap();
        rows.iter()
            .map(|row| {
                let mut event = Event::decode(row.as_slice()).unwrap();
                match event.payload.take() {
                    Some(Payload::FeedbackSubmitted(submitted)) => (event, submitted),
                    other => panic!("not an event of intake: {other:?}"),
                }
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
