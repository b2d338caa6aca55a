//! API keys, of which only the hash is kept: `hyk_<id>_<secret>` where they are configured, `hyk_<tenant>_<id>_<secret>` where they
//! were made by RPC.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Caller;
use crate::{
    name::{Tenant, is_key},
    secret,
};

/// What the subjects of keys begin with.
pub(super) const SUBJECT: &str = "key:";

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

/// A new key for RPC to show, once.
#[must_use]
pub fn new_key_of(tenant: &Tenant, id: &str) -> String {
    format!("hyk_{}_{id}_{}", tenant.key(), secret::random_token())
}

/// Whose key it says it is, and which; none where it cannot have been made by RPC. Neither a tenant nor an id has a `_`.
pub(super) fn parse(key: &str) -> Option<(Tenant, &str)> {
    let (tenant, rest) = key.strip_prefix("hyk_")?.split_once('_')?;
    let (id, secret) = rest.split_once('_')?;
    let is_one = is_key(tenant) && is_key(id) && !secret.is_empty();
    Some((is_one.then(|| Tenant::stored(tenant).ok()).flatten()?, id))
}

/// The caller of a configured key; every configured key is compared, so that the time does not tell which one came close.
pub(super) fn find(keys: &[ApiKeyConfig], key: &str) -> Option<Caller> {
    let hash = secret::to_text(&secret::hash(key.as_bytes()));
    let mut found = None;
    for candidate in keys {
        if secret::same(candidate.hash.as_bytes(), hash.as_bytes()) {
            found = Some(Caller {
                subject: format!("{SUBJECT}{}", candidate.id),
                tenant: Some(candidate.tenant.clone()),
                roles: candidate.roles.clone(),
                rate: None,
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
