//! What the survey room is told: see config.example.toml.

use huiyin_chassis::ServiceConfig;
use huiyin_events::EventsConfig;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;

/// The configuration of the survey room.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What every service needs.
    pub service: ServiceConfig,
    /// How events are read and kept.
    #[serde(default)]
    pub events: EventsConfig,
    /// The tokens of invitations.
    pub tokens: TokensConfig,
}

/// What makes the tokens of invitations. There is no default: whoever knows the key can answer for any customer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokensConfig {
    /// Makes and verifies tokens; at least 16 bytes, the same in every replica.
    #[schemars(with = "String")]
    pub key: SecretString,
    /// Keys of before, which still verify (and remake) the tokens that were made with them.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub former_keys: Vec<SecretString>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_a_configuration() {
        let config: Config = huiyin_chassis::config::parse("survey", include_str!("../config.example.toml")).unwrap();
        assert!(crate::invitation::token::Keys::new(&config.tokens).is_ok());
    }

    #[test]
    fn a_secret_does_not_print_itself() {
        let config: Config = huiyin_chassis::config::parse("survey", include_str!("../config.example.toml")).unwrap();
        assert!(!format!("{config:?}").contains("a long secret"));
    }
}
