//! The room's settings.

use huiyin_chassis::ServiceConfig;
use huiyin_events::EventsConfig;
use schemars::JsonSchema;
use serde::Deserialize;

/// The settings of the scheduler; `config.example.toml` shows them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What every service needs.
    pub service: ServiceConfig,
    /// Its event log and what it consumes.
    #[serde(default)]
    pub events: EventsConfig,
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_example_configuration_is_one() {
        let _: super::Config =
            huiyin_chassis::config::parse("scheduler", include_str!("../config.example.toml")).unwrap();
    }
}
