//! Settings of the event log: `[events]` in each service's file.

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;

/// Where events are fanned out, and for how long they are kept.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EventsConfig {
    /// `redis://host:port`; not set: everything is read over gRPC.
    #[schemars(with = "Option<String>")]
    pub redis_url: Option<SecretString>,
    /// The streams are `<prefix>:<service>:<epoch>:<partition>`; two suites on one Redis need two prefixes.
    pub redis_prefix: String,
    /// About so many entries are kept in each stream; what is older is read over gRPC.
    pub redis_kept: usize,
    /// Days for which events are kept in Postgres, at least 1. A consumer that is away for longer loses events.
    pub kept_days: i32,
}

impl Default for EventsConfig {
    fn default() -> Self {
        Self {
            redis_url: None,
            redis_prefix: "huiyin".to_owned(),
            redis_kept: 10_000,
            kept_days: 7,
        }
    }
}
