//! Configuration in layers: defaults, then a file, then the environment. A key that nobody knows is refused.

use std::{net::SocketAddr, path::Path, time::Duration};

use anyhow::Context as _;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    auth::{AuthConfig, IdentityConfig},
    client::NeighborsConfig,
    db::DatabaseConfig,
    rate::RatesConfig,
    telemetry::TelemetryConfig,
    tls::TlsConfig,
};

/// What every service needs, whatever it does. Stands under `[service]` in each service's file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceConfig {
    /// Where gRPC is served; port 0 takes a free one.
    #[schemars(with = "String")]
    pub listen: SocketAddr,
    /// Where health and metrics are served to those who look after the process, without TLS and without a token; port 0 takes a free
    /// one, nothing serves none. Health is also served where gRPC is.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub probe_listen: Option<SocketAddr>,
    /// Its certificate; nothing: it speaks without TLS.
    #[serde(default)]
    pub tls: Option<TlsConfig>,
    /// The service's own database.
    pub database: DatabaseConfig,
    /// Whom it believes.
    #[serde(default)]
    pub auth: AuthConfig,
    /// As whom it calls others.
    pub identity: IdentityConfig,
    /// Seals page tokens and cursors; the same in every replica.
    #[schemars(with = "String")]
    pub token_secret: SecretString,
    /// Where the other services are.
    #[serde(default)]
    pub neighbors: NeighborsConfig,
    /// Limits of its server.
    #[serde(default)]
    pub limits: Limits,
}

/// Limits of a server.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// A unary call that takes longer is answered DEADLINE_EXCEEDED; a caller may ask for less. Milliseconds.
    pub deadline_ms: u64,
    /// A request message may be this large. Bytes.
    pub message_bytes: usize,
    /// So many unary calls are worked on at once; more are refused with RESOURCE_EXHAUSTED.
    pub concurrency: usize,
    /// So many streams (imports, watches) are open at once; more are refused with RESOURCE_EXHAUSTED. They have a limit of
    /// their own, so that those who watch take no place from those who call.
    pub streams: usize,
    /// How often each tenant and each caller may call.
    pub rates: RatesConfig,
    /// After NOT_SERVING, calls are still taken for this long, so that load balancers hear of it. Milliseconds.
    pub drain_notice_ms: u64,
    /// Calls under way at the end of the notice have this long to finish; then they are cut. Milliseconds.
    pub drain_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline_ms: 30_000,
            message_bytes: 4 << 20,
            concurrency: 1024,
            streams: 1024,
            rates: RatesConfig::default(),
            drain_notice_ms: 0,
            drain_ms: 10_000,
        }
    }
}

impl Limits {
    pub(crate) fn deadline(&self) -> Duration {
        Duration::from_millis(self.deadline_ms)
    }
    pub(crate) fn drain_notice(&self) -> Duration {
        Duration::from_millis(self.drain_notice_ms)
    }
    /// The whole drain, and time to store what was taken in before it ended.
    pub(crate) fn patience(&self) -> Duration {
        self.drain_notice() + self.drain() + Duration::from_secs(10)
    }
    pub(crate) fn drain(&self) -> Duration {
        Duration::from_millis(self.drain_ms)
    }
}

/// What the process needs around its services.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProcessConfig {
    /// Traces, metrics and logs.
    pub telemetry: TelemetryConfig,
}

/// Reads the configuration of `service`: the file, where one is given, then variables `HUIYIN_<SERVICE>__SECTION__KEY`.
///
/// # Errors
/// Where the file cannot be read, a key is unknown, missing, or of another type. Values are never shown.
pub fn load<C: DeserializeOwned>(service: &str, file: Option<&Path>) -> anyhow::Result<C> {
    let prefix = format!("HUIYIN_{}", service.to_uppercase());
    let mut builder = config::Config::builder();
    if let Some(file) = file {
        builder = builder.add_source(config::File::from(file).format(config::FileFormat::Toml));
    }
    builder = builder.add_source(
        config::Environment::with_prefix(&prefix)
            .prefix_separator("__")
            // A value is text until somebody wants a number: a secret of digits stays what it is.
            .separator("__"),
    );
    let merged = builder
        .build()
        .with_context(|| format!("the configuration of {service}"))?;
    merged
        .try_deserialize()
        .with_context(|| format!("the configuration of {service}"))
}

/// Reads the configuration of `service` from TOML text; for tests and for `huiyin up`, which makes it.
///
/// # Errors
/// As [`load`].
pub fn parse<C: DeserializeOwned>(service: &str, text: &str) -> anyhow::Result<C> {
    toml::from_str(text).with_context(|| format!("the configuration of {service}"))
}
