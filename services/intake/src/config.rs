//! What can be configured.

use std::collections::BTreeMap;

use huiyin_chassis::ServiceConfig;
use huiyin_events::EventsConfig;
use secrecy::SecretString;
use serde::Deserialize;

/// The configuration of intake.
#[derive(Debug, Clone, Deserialize)]
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
    /// Files that come along with feedback.
    #[serde(default)]
    pub attachments: AttachmentsConfig,
}

/// Keeps contacts and pseudonyms.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultConfig {
    /// The secret from which every tenant's keys are derived: at least 32 characters, the same in every replica. Whoever
    /// loses it loses the contacts, and customers get other pseudonyms from then on.
    pub key: SecretString,
}

/// Display numbers.
#[derive(Debug, Clone, Deserialize)]
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
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WriterConfig {
    /// So many batches are committed at the same time; at least 1. More make smaller batches: worth it only where the way to
    /// the database is long.
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

/// Files that come along with feedback.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AttachmentsConfig {
    /// Where their bytes lie: a folder, made when the first file comes, or a URL such as `s3://bucket/prefix`.
    pub store: String,
    /// Options of that store, e.g. `aws_endpoint`, `aws_region`, `aws_access_key_id`, `aws_secret_access_key`.
    pub store_options: BTreeMap<String, SecretString>,
    /// A file has at most so many bytes.
    pub file_bytes: u64,
    /// A tenant uploads at most so many bytes in a day (UTC).
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
#[derive(Debug, Clone, Deserialize)]
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
