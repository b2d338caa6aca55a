//! The room's settings.

use std::collections::BTreeMap;

use huiyin_chassis::ServiceConfig;
use huiyin_events::EventsConfig;
use serde::Deserialize;

/// The settings of the scheduler; `config.example.toml` shows them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What every service needs.
    pub service: ServiceConfig,
    /// Its event log and what it consumes.
    #[serde(default)]
    pub events: EventsConfig,
    /// Display numbers.
    #[serde(default)]
    pub numbers: NumbersConfig,
}

/// How display numbers (`WO20261121001`) are made.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NumbersConfig {
    /// IANA time zone in which a number's date is said.
    pub time_zone: String,
    /// Those of tenants that live elsewhere, by their keys.
    pub time_zones: BTreeMap<String, String>,
}

impl Default for NumbersConfig {
    fn default() -> Self {
        Self { time_zone: "Asia/Shanghai".to_owned(), time_zones: BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_example_configuration_is_one() {
        let config: super::Config = huiyin_chassis::config::parse("scheduler", include_str!("../config.example.toml")).unwrap();
        assert_eq!(config.numbers.time_zone, super::NumbersConfig::default().time_zone);
    }
}
