//! What can be configured.

use std::{collections::BTreeMap, net::SocketAddr, num::NonZeroU32};

use huiyin_chassis::ServiceConfig;
use huiyin_events::EventsConfig;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;

/// The configuration of intake.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What every service needs.
    pub service: ServiceConfig,
    /// Its event log.
    #[serde(default)]
    pub events: EventsConfig,
    /// Keeps contacts and pseudonyms.
    pub vault: VaultConfig,
    /// Display numbers.
    #[serde(default)]
    pub numbers: NumbersConfig,
    /// The group commit.
    #[serde(default)]
    pub writer: WriterConfig,
    /// Forms and connectors.
    #[serde(default)]
    pub http: HttpConfig,
    /// Mailboxes.
    #[serde(default)]
    pub mail: MailConfig,
    /// Files that come along with feedback.
    #[serde(default)]
    pub attachments: AttachmentsConfig,
}

/// Keeps contacts and pseudonyms.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VaultConfig {
    /// The secret from which every tenant's keys are derived: at least 32 characters, the same in every replica. Whoever
    /// loses it loses the contacts, and customers get other pseudonyms from then on. Never changes.
    #[schemars(with = "String")]
    pub key: SecretString,
    /// Keys that wrap the customers' keys, by version, from 2 on; version 1 is `key`. The highest wraps; an older one can go when
    /// `RotateKeys` says that nothing is left.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub wrapping_keys: BTreeMap<String, SecretString>,
}

/// Display numbers.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NumbersConfig {
    /// IANA name of the zone whose date stands in a number (001-13).
    pub time_zone: String,
    /// Tenants that live in another zone: key → IANA name.
    pub time_zones: BTreeMap<String, String>,
}

impl Default for NumbersConfig {
    fn default() -> Self {
        Self {
            time_zone: "Asia/Shanghai".to_owned(),
            time_zones: BTreeMap::new(),
        }
    }
}

/// The group commit.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WriterConfig {
    /// So many batches are committed at the same time, each writer on a thread and two connections of its own; at least 1.
    /// More make smaller batches: worth it only where the way to the database is long.
    pub writers: usize,
    /// A batch holds at most so many feedbacks; at least 1.
    pub batch: usize,
    /// So many feedbacks wait for a writer; further callers wait to be let in. At least 1.
    pub queue: usize,
}

impl Default for WriterConfig {
    fn default() -> Self {
        Self {
            writers: 1,
            batch: 500,
            queue: 4096,
        }
    }
}

/// Forms and connectors, on a port of their own.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Where they are served; port 0 takes a free one, nothing serves none.
    #[schemars(with = "Option<String>")]
    pub listen: Option<SocketAddr>,
    /// A body may be this large. Bytes.
    pub body_bytes: usize,
    /// So many requests are worked on at once; at least 1.
    pub concurrency: usize,
    /// So many connections are open at once, and as many bodies held at most; at least 1.
    pub connections: usize,
    /// A request that takes longer is answered 504. Milliseconds.
    pub deadline_ms: u64,
    /// Each source may send so often; at least 1.
    pub per_second: NonZeroU32,
    /// And so much at once, after a pause; at least 1.
    pub burst: NonZeroU32,
    /// The time in a signature may be so far from ours. Seconds.
    pub tolerance_seconds: i64,
    /// So long a page may be open before its form is sent. Hours; below 48, for so long answers are kept.
    pub ticket_hours: i64,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            listen: None,
            body_bytes: 4 << 20,
            concurrency: 64,
            connections: 256,
            deadline_ms: 30_000,
            per_second: const { NonZeroU32::new(50).unwrap() },
            burst: const { NonZeroU32::new(200).unwrap() },
            tolerance_seconds: 300,
            ticket_hours: 12,
        }
    }
}

/// Mailboxes, received from the enterprise's own mail server.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MailConfig {
    /// Where mail is received; port 0 takes a free one, nothing receives none.
    #[schemars(with = "Option<String>")]
    pub listen: Option<SocketAddr>,
    /// What is spoken there.
    pub protocol: MailProtocol,
    /// As which host we greet.
    pub host: String,
    /// Address → whose mailbox it is. Other recipients are refused.
    pub mailboxes: BTreeMap<String, MailboxConfig>,
    /// A mail may be this large. Bytes.
    pub message_bytes: usize,
    /// So many connections at once; at least 1.
    pub connections: usize,
    /// A peer that is silent for longer is left. Milliseconds.
    pub timeout_ms: u64,
    /// The same words from the same sender, so often within a day, are a loop of machines and become no feedback any more.
    pub repeats: i64,
}

impl Default for MailConfig {
    fn default() -> Self {
        Self {
            listen: None,
            protocol: MailProtocol::Lmtp,
            host: "huiyin".to_owned(),
            mailboxes: BTreeMap::new(),
            message_bytes: 25 << 20,
            connections: 64,
            timeout_ms: 300_000,
            repeats: 3,
        }
    }
}

/// What is spoken with the mail server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MailProtocol {
    /// RFC 2033: each recipient is answered for.
    Lmtp,
    /// RFC 5321.
    Smtp,
}

/// Whose mailbox an address is.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MailboxConfig {
    /// The tenant's key.
    pub tenant: String,
    /// The id of its source.
    pub source: String,
}

/// Files that come along with feedback.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AttachmentsConfig {
    /// Where their bytes lie: a folder, made when the first file comes, or a URL such as `s3://bucket/prefix`.
    pub store: String,
    /// Options of that store, e.g. `aws_endpoint`, `aws_region`, `aws_access_key_id`, `aws_secret_access_key`.
    #[schemars(with = "BTreeMap<String, String>")]
    pub store_options: BTreeMap<String, SecretString>,
    /// A file has at most so many bytes.
    pub file_bytes: u64,
    /// A tenant uploads at most so many bytes in a day (UTC), of those that it does not hold yet.
    pub day_bytes: u64,
    /// What belongs to no feedback is removed after so many hours; at least 1.
    pub unlinked_hours: u32,
    /// So often is what broken uploads left in the store looked for. Seconds, at least 1.
    pub sweep_s: u32,
    /// Which files are taken, by what their bytes are: MIME types, or `image/*` for every image.
    pub types: Vec<String>,
    /// Who looks for malware; nobody where it is left out.
    pub scanner: Option<ScannerConfig>,
}

/// A scanner that speaks the protocol of clamd.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScannerConfig {
    /// `tcp://host:port`, or `unix:/path/of/the/socket`.
    pub address: String,
    /// A scan that takes longer is tried again later. Milliseconds.
    #[serde(default = "default_scan_ms")]
    pub timeout_ms: u64,
}

fn default_scan_ms() -> u64 {
    60_000
}

impl Default for AttachmentsConfig {
    fn default() -> Self {
        let types = [
            "image/*",
            "audio/*",
            "video/*",
            "application/pdf",
            "text/plain",
            "text/csv",
            "application/json",
            "application/msword",
            "application/vnd.ms-excel",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        ];
        Self {
            store: "data/attachments".to_owned(),
            store_options: BTreeMap::new(),
            file_bytes: 50 << 20,
            day_bytes: 10 << 30,
            unlinked_hours: 24,
            sweep_s: 3600,
            types: types.map(str::to_owned).to_vec(),
            scanner: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_a_configuration() {
        let example = include_str!("../config.example.toml");
        let config: Config = huiyin_chassis::config::parse("intake", example).unwrap();
        assert_eq!(config.writer.writers, WriterConfig::default().writers);
        assert_eq!(config.numbers.time_zone, NumbersConfig::default().time_zone);
        assert_eq!(config.http.body_bytes, HttpConfig::default().body_bytes);
        assert_eq!(config.mail.mailboxes["feedback@example.com"].tenant, "acme");
        let (shown, default) = (config.attachments, AttachmentsConfig::default());
        assert_eq!(
            (shown.file_bytes, shown.day_bytes),
            (default.file_bytes, default.day_bytes)
        );
        assert_eq!(
            (shown.unlinked_hours, shown.sweep_s),
            (default.unlinked_hours, default.sweep_s)
        );
        assert_eq!(shown.types, default.types);
    }

    #[test]
    fn a_key_that_nobody_knows_is_refused() {
        let example = format!("{}\n[writers]\ncount = 2\n", include_str!("../config.example.toml"));
        assert!(huiyin_chassis::config::parse::<Config>("intake", &example).is_err());
    }
}
