//! Seals what must be used again in the clear but never lie in the database so: webhook secrets and survey tokens.

use aes_gcm::{
    Aes256Gcm, KeyInit as _,
    aead::{Aead as _, Payload},
};
use huiyin_chassis::{Refusal, Tenant, secret};
use secrecy::ExposeSecret as _;
use uuid::Uuid;

use crate::config::VaultConfig;

/// Bytes of a nonce.
const NONCE: usize = 12;

/// AES-256-GCM under the configured key. What is sealed opens only where it was sealed for: for another tenant, owner or
/// use it does not.
#[derive(Clone)]
pub(crate) struct Vault(Aes256Gcm);

impl Vault {
    /// # Errors
    /// Where the key is too short to be one.
    pub(crate) fn new(config: &VaultConfig) -> anyhow::Result<Self> {
        let key = config.key.expose_secret();
        anyhow::ensure!(key.len() >= 32, "vault.key must have at least 32 bytes");
        let key = secret::keyed_hash(key.as_bytes(), &[b"notification vault"]);
        Ok(Self(Aes256Gcm::new(&key.into())))
    }

    /// Seals `plain` for one use by one owner.
    pub(crate) fn seal(&self, tenant: &Tenant, owner: Uuid, used_as: &str, plain: &str) -> Result<Vec<u8>, Refusal> {
        let nonce = secret::random_bytes::<NONCE>();
        let bound = bound_to(tenant, owner, used_as);
        let sealed = self.0.encrypt(
            &nonce.into(),
            Payload {
                msg: plain.as_bytes(),
                aad: &bound,
            },
        );
        let sealed = sealed.map_err(|_| Refusal::fault(anyhow::anyhow!("a {used_as} cannot be sealed")))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what [`Vault::seal`] made for the same use and owner.
    pub(crate) fn open(&self, tenant: &Tenant, owner: Uuid, used_as: &str, sealed: &[u8]) -> Result<String, Refusal> {
        let fault = || {
            Refusal::fault(anyhow::anyhow!(
                "the {used_as} of {owner} does not open: was vault.key changed?"
            ))
        };
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().ok_or_else(fault)?;
        let bound = bound_to(tenant, owner, used_as);
        let plain = self
            .0
            .decrypt(
                &(*nonce).into(),
                Payload {
                    msg: sealed,
                    aad: &bound,
                },
            )
            .map_err(|_| fault())?;
        String::from_utf8(plain).map_err(|_| fault())
    }
}

fn bound_to(tenant: &Tenant, owner: Uuid, used_as: &str) -> Vec<u8> {
    [tenant.key(), &owner.to_string(), used_as].join("\u{1f}").into_bytes()
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(key: &str) -> Vault {
        Vault::new(&VaultConfig { key: key.into() }).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_for_its_own_use_alone() {
        let (one, other) = (
            vault("0123456789abcdef0123456789abcdef"),
            vault("f123456789abcdef0123456789abcdef"),
        );
        let (acme, globex) = (Tenant::stored("acme").unwrap(), Tenant::stored("globex").unwrap());
        let owner = Uuid::from_u128(7);
        let sealed = one.seal(&acme, owner, "secret", "whsec_x").unwrap();
        assert_eq!(one.open(&acme, owner, "secret", &sealed).unwrap(), "whsec_x");
        assert!(one.open(&globex, owner, "secret", &sealed).is_err());
        assert!(one.open(&acme, Uuid::from_u128(8), "secret", &sealed).is_err());
        assert!(one.open(&acme, owner, "token", &sealed).is_err());
        assert!(other.open(&acme, owner, "secret", &sealed).is_err());
        assert!(one.open(&acme, owner, "secret", &sealed[..5]).is_err());
    }

    #[test]
    fn a_short_key_is_refused() {
        assert!(Vault::new(&VaultConfig { key: "short".into() }).is_err());
    }
}
