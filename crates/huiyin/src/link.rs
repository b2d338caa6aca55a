//! The clients of all six services, with a caller's token.

use std::{collections::BTreeMap, path::Path, time::Duration};

use anyhow::Context as _;
use huiyin_proto::{
    analytics::v1::analytics_service_client::AnalyticsServiceClient,
    classifier::v1::{classifier_service_client::ClassifierServiceClient, model_service_client::ModelServiceClient},
    event::v1::event_log_service_client::EventLogServiceClient,
    google::longrunning::operations_client::OperationsClient,
    intake::v1::intake_service_client::IntakeServiceClient,
    notification::v1::notification_service_client::NotificationServiceClient,
    scheduler::v1::scheduler_service_client::SchedulerServiceClient,
    survey::v1::survey_service_client::SurveyServiceClient,
};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};

use crate::suite::{Files, SERVICES};

/// Pages of lists are large messages.
const MESSAGE_BYTES: usize = 256 << 20;

/// A way to each service.
#[derive(Debug, Clone)]
pub struct Link {
    channels: BTreeMap<&'static str, Channel>,
    bearer: Bearer,
    /// The tenant in which the caller acts, as `tenants/{tenant}`.
    pub parent: String,
}

/// A channel that carries the caller's token.
pub type Connection = InterceptedService<Channel, Bearer>;

/// Adds the token to each call.
#[derive(Debug, Clone)]
pub struct Bearer(MetadataValue<Ascii>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

impl Link {
    /// The suite of a folder, as its administrator; `HUIYIN_<SERVICE>_URL`, `HUIYIN_TOKEN` and `HUIYIN_TENANT` lead to
    /// another suite instead.
    ///
    /// # Errors
    /// Where there is neither a folder nor the variables.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let variable = |service: &str| std::env::var(format!("HUIYIN_{}_URL", service.to_uppercase())).ok();
        let mut urls: BTreeMap<&'static str, String> = SERVICES
            .iter()
            .filter_map(|service| Some((*service, variable(service)?)))
            .collect();
        let token = match std::env::var("HUIYIN_TOKEN") {
            Ok(token) => token,
            Err(_) => Files::existing(folder)?.admin_token()?,
        };
        if urls.len() < SERVICES.len() {
            let addresses = Files::existing(folder)?.addresses()?;
            for service in SERVICES {
                if let Some(address) = addresses.get(service) {
                    urls.entry(service).or_insert_with(|| format!("http://{address}"));
                }
            }
        }
        let tenant = std::env::var("HUIYIN_TENANT").unwrap_or_else(|_| "demo".to_owned());
        Self::new(&urls, &token, &tenant)
    }

    /// A link to the services at these URLs.
    ///
    /// # Errors
    /// Where a URL or the token is malformed.
    pub fn new(urls: &BTreeMap<&'static str, String>, token: &str, tenant: &str) -> anyhow::Result<Self> {
        let mut channels = BTreeMap::new();
        for (service, url) in urls {
            channels.insert(*service, channel(service, url)?);
        }
        let bearer = Bearer(format!("Bearer {token}").parse().context("the token")?);
        Ok(Self {
            channels,
            bearer,
            parent: format!("tenants/{tenant}"),
        })
    }

    /// The same caller, with another server in the place of a service.
    ///
    /// # Errors
    /// Where the URL is malformed.
    pub fn with(&self, service: &'static str, url: &str) -> anyhow::Result<Self> {
        let mut link = self.clone();
        link.channels.insert(service, channel(service, url)?);
        Ok(link)
    }

    /// The way to a service, for its other clients.
    #[must_use]
    pub fn connection(&self, service: &'static str) -> Connection {
        // Holds because `new` and `open` are given all six.
        let channel = self.channels.get(service).cloned();
        let channel = channel.unwrap_or_else(|| Endpoint::from_static("http://127.0.0.1:1").connect_lazy());
        InterceptedService::new(channel, self.bearer.clone())
    }

    /// Intake.
    #[must_use]
    pub fn intake(&self) -> IntakeServiceClient<Connection> {
        IntakeServiceClient::new(self.connection("intake")).max_decoding_message_size(MESSAGE_BYTES)
    }

    /// The classifier.
    #[must_use]
    pub fn classifier(&self) -> ClassifierServiceClient<Connection> {
        ClassifierServiceClient::new(self.connection("classifier")).max_decoding_message_size(MESSAGE_BYTES)
    }

    /// The classifier's models.
    #[must_use]
    pub fn models(&self) -> ModelServiceClient<Connection> {
        ModelServiceClient::new(self.connection("classifier")).max_decoding_message_size(MESSAGE_BYTES)
    }

    /// The long-running operations of a service.
    #[must_use]
    pub fn operations(&self, service: &'static str) -> OperationsClient<Connection> {
        OperationsClient::new(self.connection(service)).max_decoding_message_size(MESSAGE_BYTES)
    }

    /// The scheduler.
    #[must_use]
    pub fn scheduler(&self) -> SchedulerServiceClient<Connection> {
        SchedulerServiceClient::new(self.connection("scheduler")).max_decoding_message_size(MESSAGE_BYTES)
    }

    /// Notification.
    #[must_use]
    pub fn notification(&self) -> NotificationServiceClient<Connection> {
        NotificationServiceClient::new(self.connection("notification")).max_decoding_message_size(MESSAGE_BYTES)
    }

    /// Survey.
    #[must_use]
    pub fn survey(&self) -> SurveyServiceClient<Connection> {
        SurveyServiceClient::new(self.connection("survey")).max_decoding_message_size(MESSAGE_BYTES)
    }

    /// Analytics.
    #[must_use]
    pub fn analytics(&self) -> AnalyticsServiceClient<Connection> {
        AnalyticsServiceClient::new(self.connection("analytics")).max_decoding_message_size(MESSAGE_BYTES)
    }

    /// The event log of a service.
    #[must_use]
    pub fn events(&self, service: &'static str) -> EventLogServiceClient<Connection> {
        EventLogServiceClient::new(self.connection(service)).max_decoding_message_size(MESSAGE_BYTES)
    }
}

fn channel(service: &str, url: &str) -> anyhow::Result<Channel> {
    let endpoint = Endpoint::from_shared(url.to_owned()).with_context(|| format!("the URL of {service}"))?;
    Ok(endpoint.connect_timeout(Duration::from_secs(5)).connect_lazy())
}

/// Reads a list to its end, page by page: `list!(link.intake(), list_feedbacks, ListFeedbacksRequest { … }, feedbacks)`.
#[macro_export]
macro_rules! list {
    ($client:expr, $method:ident, $request:expr, $field:ident) => {{
        let mut client = $client;
        let mut request = $request;
        request.page_size = 1000;
        let mut all = Vec::new();
        loop {
            let page = client.$method(request.clone()).await?.into_inner();
            all.extend(page.$field);
            if page.next_page_token.is_empty() {
                break all;
            }
            request.page_token = page.next_page_token;
        }
    }};
}
