//! The clients of all six services, with a caller's token or key.

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
    Code, Request, Response, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};
use tonic_types::StatusExt as _;

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

/// Adds the token or key to each call.
#[derive(Debug, Clone)]
pub struct Bearer {
    header: &'static str,
    value: MetadataValue<Ascii>,
}

impl Bearer {
    fn new(header: &'static str, value: &str) -> anyhow::Result<Self> {
        let mut value: MetadataValue<Ascii> = value.parse().with_context(|| format!("what goes into {header}"))?;
        value.set_sensitive(true);
        Ok(Self { header, value })
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert(self.header, self.value.clone());
        Ok(request)
    }
}

impl Link {
    /// The suite of a folder, as its administrator; `HUIYIN_<SERVICE>_URL`, `HUIYIN_TOKEN` or `HUIYIN_API_KEY`, and
    /// `HUIYIN_TENANT` lead to another suite instead. Where that speaks TLS, public authorities are believed and those in
    /// `HUIYIN_CA_FILE`; the certificate in `HUIYIN_CERTIFICATE_FILE` is shown, with `HUIYIN_KEY_FILE`; and a service that is called by
    /// another name than its own, through a forwarded port say, has that of `HUIYIN_TLS_NAME`, in which `{service}` stands for it.
    ///
    /// # Errors
    /// Where there is neither a folder nor the variables, or a file cannot be read.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let variable = |service: &str| std::env::var(format!("HUIYIN_{}_URL", service.to_uppercase())).ok();
        let mut urls: BTreeMap<&'static str, String> = SERVICES
            .iter()
            .filter_map(|service| Some((*service, variable(service)?)))
            .collect();
        let bearer = match (std::env::var("HUIYIN_API_KEY"), std::env::var("HUIYIN_TOKEN")) {
            (Ok(key), _) => Bearer::new("x-api-key", &key)?,
            (_, Ok(token)) => Bearer::new("authorization", &format!("Bearer {token}"))?,
            _ => Bearer::new(
                "authorization",
                &format!("Bearer {}", Files::existing(folder)?.admin_token()?),
            )?,
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
        Self::through(&urls, &Tls::open()?, bearer, &tenant)
    }

    /// A link to the services at these URLs.
    ///
    /// # Errors
    /// Where a URL or the token is malformed.
    pub fn new(urls: &BTreeMap<&'static str, String>, token: &str, tenant: &str) -> anyhow::Result<Self> {
        let bearer = Bearer::new("authorization", &format!("Bearer {token}"))?;
        Self::through(urls, &Tls::default(), bearer, tenant)
    }

    fn through(urls: &BTreeMap<&'static str, String>, tls: &Tls, bearer: Bearer, tenant: &str) -> anyhow::Result<Self> {
        let mut channels = BTreeMap::new();
        for (service, url) in urls {
            channels.insert(*service, channel(service, url, tls)?);
        }
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
        link.channels.insert(service, channel(service, url, &Tls::default())?);
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

/// Who is believed, and as whom we come.
#[derive(Debug, Default)]
struct Tls {
    config: ClientTlsConfig,
    /// What the services' certificates hold for, with `{service}` in it; none where that is the host of the URL.
    name: Option<String>,
}

impl Tls {
    /// As the variables say.
    fn open() -> anyhow::Result<Self> {
        let file = |variable: &str| match std::env::var_os(variable) {
            Some(path) => std::fs::read(&path)
                .map(Some)
                .with_context(|| format!("{variable}: {}", Path::new(&path).display())),
            None => Ok(None),
        };
        let mut config = ClientTlsConfig::new();
        if let Some(authorities) = file("HUIYIN_CA_FILE")? {
            config = config.ca_certificate(Certificate::from_pem(authorities));
        }
        config = match (file("HUIYIN_CERTIFICATE_FILE")?, file("HUIYIN_KEY_FILE")?) {
            (Some(certificate), Some(key)) => config.identity(Identity::from_pem(certificate, key)),
            (None, None) => config,
            _ => anyhow::bail!("HUIYIN_CERTIFICATE_FILE and HUIYIN_KEY_FILE go together"),
        };
        Ok(Self {
            config,
            name: std::env::var("HUIYIN_TLS_NAME").ok(),
        })
    }

    fn towards(&self, service: &str) -> ClientTlsConfig {
        let config = self.config.clone().with_enabled_roots();
        match &self.name {
            Some(name) => config.domain_name(name.replace("{service}", service)),
            None => config,
        }
    }
}

fn channel(service: &str, url: &str, tls: &Tls) -> anyhow::Result<Channel> {
    let mut endpoint = Endpoint::from_shared(url.to_owned()).with_context(|| format!("the URL of {service}"))?;
    if url.starts_with("https:") {
        huiyin_chassis::install_crypto();
        endpoint = endpoint
            .tls_config(tls.towards(service))
            .with_context(|| format!("TLS towards {service}"))?;
    }
    Ok(endpoint.connect_timeout(Duration::from_secs(5)).connect_lazy())
}

/// Makes a call, and once more whenever the service says that there were too many and when the next is welcome: an audit of many calls
/// is slower under a rate limit, and ends.
///
/// # Errors
/// What the service refuses otherwise.
pub async fn paced<T, F>(mut call: impl FnMut() -> F) -> Result<T, Status>
where
    F: Future<Output = Result<Response<T>, Status>>,
{
    loop {
        match Box::pin(call()).await {
            Ok(response) => return Ok(response.into_inner()),
            Err(status) => {
                let retry = status.get_details_retry_info().and_then(|info| info.retry_delay);
                match retry.filter(|_| status.code() == Code::ResourceExhausted) {
                    Some(delay) => tokio::time::sleep(delay).await,
                    None => return Err(status),
                }
            }
        }
    }
}

/// Reads a list to its end, page by page: `list!(link.intake(), list_feedbacks, ListFeedbacksRequest { … }, feedbacks)`.
#[macro_export]
macro_rules! list {
    ($client:expr, $method:ident, $request:expr, $field:ident) => {{
        let client = $client;
        let mut request = $request;
        request.page_size = 1000;
        let mut all = Vec::new();
        loop {
            let page = $crate::link::paced(|| {
                let (mut client, request) = (client.clone(), request.clone());
                async move { client.$method(request).await }
            })
            .await?;
            all.extend(page.$field);
            if page.next_page_token.is_empty() {
                break all;
            }
            request.page_token = page.next_page_token;
        }
    }};
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tonic_types::ErrorDetails;

    use super::*;

    #[tokio::test]
    async fn a_call_that_came_too_soon_comes_again_and_any_other_refusal_is_final() {
        let too_soon = || {
            let details = ErrorDetails::with_retry_info(Some(Duration::ZERO));
            Status::with_error_details(Code::ResourceExhausted, "too many", details)
        };
        let calls = Cell::new(0);
        let answer = paced(|| async {
            calls.set(calls.get() + 1);
            if calls.get() < 3 {
                Err(too_soon())
            } else {
                Ok(Response::new(calls.get()))
            }
        });
        assert_eq!(answer.await.unwrap(), 3);
        for refusal in [Status::unavailable("away"), Status::resource_exhausted("no room")] {
            let refused = paced(|| async { Err::<Response<()>, _>(refusal.clone()) })
                .await
                .unwrap_err();
            assert_eq!(refused.code(), refusal.code());
        }
    }
}
