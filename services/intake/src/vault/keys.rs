//! Where the keys come from that wrap the others: the configuration, file or environment, today.

use std::collections::BTreeMap;

use anyhow::Context as _;
use secrecy::ExposeSecret as _;

use crate::config::VaultConfig;

/// A shorter secret could be guessed, and with it every telephone number behind a pseudonym.
const LEAST_KEY_CHARACTERS: usize = 32;

/// Has the keys, by version. A key management service would be another one.
pub(super) trait KeyProvider: Send + Sync {
    /// The version that wraps what is wrapped from now on.
    fn newest(&self) -> i32;
    /// The key of a version; none where it is not there any more.
    fn key(&self, version: i32) -> Option<&[u8]>;
}

/// Keys of the configuration. `key` is version 1.
pub(super) struct ConfiguredKeys(BTreeMap<i32, Vec<u8>>);

impl ConfiguredKeys {
    pub(super) fn new(config: &VaultConfig) -> anyhow::Result<Self> {
        let mut keys = BTreeMap::new();
        keys.insert(1, checked("key", config.key.expose_secret())?);
        for (version, key) in &config.wrapping_keys {
            let version: i32 =
                version.parse().ok().filter(|version| *version > 1).with_context(|| {
                    format!("[vault] wrapping_keys: {version:?} is no version; versions begin with 2")
                })?;
            keys.insert(version, checked("wrapping_keys", key.expose_secret())?);
        }
        Ok(Self(keys))
    }

    /// The key of version 1, which is always there.
    pub(super) fn first(&self) -> &[u8] {
        self.0.get(&1).map_or(&[], Vec::as_slice)
    }
}

impl KeyProvider for ConfiguredKeys {
    fn newest(&self) -> i32 {
        self.0.keys().next_back().copied().unwrap_or(1)
    }

    fn key(&self, version: i32) -> Option<&[u8]> {
        self.0.get(&version).map(Vec::as_slice)
    }
}

fn checked(name: &str, key: &str) -> anyhow::Result<Vec<u8>> {
    anyhow::ensure!(
        key.chars().count() >= LEAST_KEY_CHARACTERS,
        "[vault] {name} needs at least {LEAST_KEY_CHARACTERS} characters"
    );
    Ok(key.as_bytes().to_vec())
}
