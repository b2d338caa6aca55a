//! The settings of the room.

use huiyin_chassis::ServiceConfig;
use huiyin_events::EventsConfig;
use schemars::JsonSchema;
use serde::Deserialize;

/// `config.example.toml` shows every section.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What every service needs.
    pub service: ServiceConfig,
    /// Its event log and those that it follows.
    #[serde(default)]
    pub events: EventsConfig,
    /// How events are counted.
    #[serde(default)]
    pub counting: CountingConfig,
    /// How questions are answered.
    #[serde(default)]
    pub query: QueryConfig,
}

/// How events are counted.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CountingConfig {
    /// So many events at most are counted in one transaction.
    pub batch: u32,
    /// The ids of counted events are kept this long, so that the same event read again changes nothing; longer than any
    /// source keeps its log. Days.
    pub remember_days: u32,
}

impl Default for CountingConfig {
    fn default() -> Self {
        Self {
            batch: 2000,
            remember_days: 14,
        }
    }
}

/// How questions are answered.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct QueryConfig {
    /// Percentiles of so many samples at most are exact; of more they come from logarithmic classes, within 1 %.
    pub exact_samples: u32,
    /// A question waits this long at most for what was taken in before it to be counted. Milliseconds.
    pub patience_ms: u64,
}

impl Default for QueryConfig {
    fn default() -> Self {
        Self {
            exact_samples: 50_000,
            patience_ms: 2000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_a_configuration_of_this_service() {
        let example = include_str!("../config.example.toml");
        let config: Config = huiyin_chassis::config::parse("analytics", example).unwrap();
        assert_eq!(config.counting.batch, CountingConfig::default().batch);
        assert_eq!(config.query.exact_samples, QueryConfig::default().exact_samples);
    }
}
