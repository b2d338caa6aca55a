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
}

/// Keeps contacts and pseudonyms.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultConfig {
    /// The secret from which every tenant's keys are derived: at least 32 characters, the same in every replica. Whoever
    /// loses it loses the contacts, and customers get other pseudonyms from then on. Never changes.
    pub key: SecretString,
    /// Keys that wrap the customers' keys, by version, from 2 on; version 1 is `key`. The highest wraps; an older one can go when
    /// `RotateKeys` says that nothing is left.
    #[serde(default)]
    pub wrapping_keys: BTreeMap<String, SecretString>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_a_configuration() {
        let example = include_str!("../config.example.toml");
        let config: Config = huiyin_chassis::config::parse("intake", example).unwrap();
        assert_eq!(config.writer.writers, WriterConfig::default().writers);
        assert_eq!(config.numbers.time_zone, NumbersConfig::default().time_zone);
    }

    #[test]
    fn a_key_that_nobody_knows_is_refused() {
        let example = format!("{}\n[writers]\ncount = 2\n", include_str!("../config.example.toml"));
        assert!(huiyin_chassis::config::parse::<Config>("intake", &example).is_err());
    }
}
