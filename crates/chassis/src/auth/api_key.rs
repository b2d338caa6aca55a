//! API keys: `hyk_<id>_<secret>`, of which only the hash is kept.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Caller;
use crate::secret;

/// One API key, as configured.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyConfig {
    /// Names the key in logs; letters, digits and `-`.
    pub id: String,
    /// SHA-256 of the whole key, URL-safe base64 without padding.
    pub hash: String,
    /// The tenant that it acts in.
    pub tenant: String,
    /// Its roles.
    pub roles: Vec<String>,
}

/// A new key and what to configure for it. The key itself is shown once and kept nowhere.
#[must_use]
pub fn new_api_key(id: &str, tenant: &str, roles: &[&str]) -> (String, ApiKeyConfig) {
    let key = format!("hyk_{id}_{}", secret::random_token());
    let hash = secret::to_text(&secret::hash(key.as_bytes()));
    let roles = roles.iter().map(|role| (*role).to_owned()).collect();
    (
        key,
        ApiKeyConfig {
            id: id.to_owned(),
            hash,
            tenant: tenant.to_owned(),
            roles,
        },
    )
}

/// The caller of a key; every configured key is compared, so that the time does not tell which one came close.
pub(super) fn find(keys: &[ApiKeyConfig], key: &str) -> Option<Caller> {
    let hash = secret::to_text(&secret::hash(key.as_bytes()));
    let mut found = None;
    for candidate in keys {
        if secret::same(candidate.hash.as_bytes(), hash.as_bytes()) {
            found = Some(Caller {
                subject: format!("key:{}", candidate.id),
                tenant: Some(candidate.tenant.clone()),
                roles: candidate.roles.clone(),
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_by_its_hash_alone() {
        let (key, config) = new_api_key("erp", "acme", &["integration"]);
        assert!(!config.hash.contains(&key));
        assert_eq!(find(std::slice::from_ref(&config), &key).unwrap().subject, "key:erp");
        assert_eq!(find(&[config], &format!("{key}x")), None);
    }
}
