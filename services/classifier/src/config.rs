//! The room's settings.

use huiyin_chassis::ServiceConfig;
use huiyin_events::EventsConfig;
use schemars::JsonSchema;
use serde::Deserialize;

/// The settings of the classifier; `config.example.toml` shows them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What every service needs.
    pub service: ServiceConfig,
    /// Its event log and what it consumes.
    #[serde(default)]
    pub events: EventsConfig,
    /// Taxonomies.
    #[serde(default)]
    pub taxonomies: TaxonomiesConfig,
    /// Trained models.
    #[serde(default)]
    pub models: ModelsConfig,
}

/// How trained models are kept ready.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ModelsConfig {
    /// So many megabytes of versions, of all tenants together, are kept ready to read with; each counts for what it takes in
    /// the database, some 5 to 15 MB.
    pub memory_mb: usize,
}

impl Default for ModelsConfig {
    fn default() -> Self {
        Self { memory_mb: 512 }
    }
}

/// How taxonomies are kept ready.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TaxonomiesConfig {
    /// So many versions, of all tenants together, are kept ready to read with; the built-in one always is. A version of a
    /// few thousand words takes about a megabyte.
    pub kept: usize,
    /// And so many megabytes of them. A regular expression counts for half of one, which searching with it may take.
    pub memory_mb: usize,
}

impl Default for TaxonomiesConfig {
    fn default() -> Self {
        Self {
            kept: 128,
            memory_mb: 256,
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_example_configuration_is_one() {
        let config: super::Config =
            huiyin_chassis::config::parse("classifier", include_str!("../config.example.toml")).unwrap();
        assert_eq!(config.taxonomies.kept, super::TaxonomiesConfig::default().kept);
        assert_eq!(
            config.taxonomies.memory_mb,
            super::TaxonomiesConfig::default().memory_mb
        );
        assert_eq!(config.models.memory_mb, super::ModelsConfig::default().memory_mb);
    }
}
