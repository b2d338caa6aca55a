//! The room's settings.

use std::time::Duration;

use huiyin_chassis::ServiceConfig;
use huiyin_events::EventsConfig;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;

/// The settings of notification; `config.example.toml` shows them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What every service needs.
    pub service: ServiceConfig,
    /// Its event log and what it consumes.
    #[serde(default)]
    pub events: EventsConfig,
    /// What secrets are sealed with.
    pub vault: VaultConfig,
    /// How messages are worded.
    #[serde(default)]
    pub wording: WordingConfig,
    /// How often and how long delivery is tried.
    #[serde(default)]
    pub delivery: DeliveryConfig,
    /// Where mail is handed in; without it nothing goes by mail, and customers with a mail address are told in their inbox.
    #[serde(default)]
    pub mail: Option<MailConfig>,
    /// Posting to the tenants' endpoints.
    #[serde(default)]
    pub webhooks: WebhooksConfig,
}

/// What secrets are sealed with.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VaultConfig {
    /// At least 32 bytes, the same in every replica and for ever: what was sealed with it opens with nothing else.
    #[schemars(with = "String")]
    pub key: SecretString,
}

/// How messages are worded.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WordingConfig {
    /// BCP 47 tag of the language in which assignees and supervisors are told.
    pub staff_locale: String,
    /// IANA time zone in which times are said.
    pub time_zone: String,
    /// The link that a customer is asked to rate by; `{token}` stands for the token of the invitation.
    pub survey_link: String,
}

impl Default for WordingConfig {
    fn default() -> Self {
        Self {
            staff_locale: "zh-CN".to_owned(),
            time_zone: "Asia/Shanghai".to_owned(),
            // Behind the `#`: a token there is in no server's log.
            survey_link: "https://localhost/survey#{token}".to_owned(),
        }
    }
}

/// How often and how long delivery is tried.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DeliveryConfig {
    /// A message is dead after so many attempts that failed; at least 1.
    pub attempts: u32,
    /// Milliseconds to the second attempt; doubled for each further one, and shortened by up to a half at random.
    pub base_ms: u64,
    /// Milliseconds that no pause is longer than.
    pub cap_ms: u64,
    /// So many mails, and so many posts, are under way at once; at least 1.
    pub concurrency: usize,
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        Self {
            attempts: 8,
            base_ms: 5_000,
            cap_ms: 3_600_000,
            concurrency: 32,
        }
    }
}

/// Where mail is handed in.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MailConfig {
    /// Name of the server.
    pub host: String,
    /// Its port; 465 with `tls`, 587 with `starttls`, 25 without either where it is left out.
    pub port: Option<u16>,
    /// How the connection is encrypted.
    #[serde(default)]
    pub tls: MailTls,
    /// As whom; without it nobody logs in.
    pub username: Option<String>,
    /// With which password.
    #[schemars(with = "Option<String>")]
    pub password: Option<SecretString>,
    /// The sender, e.g. `回音 <echo@example.com>`.
    pub from: String,
    /// Milliseconds that the server may take for an answer.
    #[serde(default = "default_timeout_ms")]
    pub timeout_ms: u64,
}

/// How a connection to the mail server is encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// From the first byte.
    Tls,
    /// From STARTTLS on, which the server must know.
    #[default]
    Starttls,
    /// Not at all: a relay on the same machine.
    None,
}

/// Posting to the tenants' endpoints.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WebhooksConfig {
    /// True permits plain HTTP and addresses inside the operator's own network.
    pub allow_private: bool,
    /// Milliseconds that an endpoint may take for an answer.
    pub timeout_ms: u64,
}

impl Default for WebhooksConfig {
    fn default() -> Self {
        Self {
            allow_private: false,
            timeout_ms: default_timeout_ms(),
        }
    }
}

fn default_timeout_ms() -> u64 {
    10_000
}

impl WebhooksConfig {
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_example_configuration_is_one() {
        let config: super::Config =
            huiyin_chassis::config::parse("notification", include_str!("../config.example.toml")).unwrap();
        assert_eq!(config.delivery.attempts, 8);
        assert_eq!(config.mail.unwrap().tls, super::MailTls::Starttls);
        assert!(!config.webhooks.allow_private);
    }
}
