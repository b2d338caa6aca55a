//! What names a customer: addresses under lock and key, and pseudonyms that only the holder of the secret can make.

use aes_gcm::{
    Aes256Gcm, KeyInit as _,
    aead::{Aead as _, Payload},
};
use huiyin_chassis::{Refusal, Tenant, secret};
use secrecy::ExposeSecret as _;
use uuid::Uuid;

use crate::config::VaultConfig;

/// How an address is sealed; stands in front of it, so that another way can be read beside this one.
const AES_256_GCM: u8 = 1;
const NONCE_BYTES: usize = 12;
/// A shorter secret could be guessed, and with it every telephone number behind a pseudonym.
const LEAST_KEY_CHARACTERS: usize = 32;

/// Seals addresses and makes pseudonyms.
pub(crate) struct Vault(Vec<u8>);

impl Vault {
    /// # Errors
    /// Where the secret is too short.
    pub(crate) fn new(config: &VaultConfig) -> anyhow::Result<Self> {
        let key = config.key.expose_secret();
        anyhow::ensure!(
            key.chars().count() >= LEAST_KEY_CHARACTERS,
            "[vault] key needs at least {LEAST_KEY_CHARACTERS} characters"
        );
        Ok(Self(key.as_bytes().to_vec()))
    }

    /// Seals the address of a feedback's customer; it can be opened for this feedback alone.
    pub(crate) fn seal(&self, tenant: &Tenant, feedback: Uuid, address: &str) -> Result<Vec<u8>, Refusal> {
        let nonce: [u8; NONCE_BYTES] = secret::random_bytes();
        let sealed = self
            .cipher(tenant)
            .encrypt(
                &nonce.into(),
                Payload {
                    msg: address.as_bytes(),
                    aad: &bound_to(tenant, feedback),
                },
            )
            .map_err(|_| Refusal::fault(anyhow::anyhow!("an address cannot be sealed")))?;
        Ok([&[AES_256_GCM], nonce.as_slice(), &sealed].concat())
    }

    /// Opens what [`Vault::seal`] made.
    ///
    /// # Errors
    /// A fault where it was made with another secret, or for another feedback.
    pub(crate) fn open(&self, tenant: &Tenant, feedback: Uuid, sealed: &[u8]) -> Result<String, Refusal> {
        let fault = || {
            Refusal::fault(anyhow::anyhow!(
                "the address of feedback {feedback} cannot be opened: was [vault] key changed?"
            ))
        };
        let (way, rest) = sealed.split_first().ok_or_else(fault)?;
        let (nonce, message) = rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(fault)?;
        if *way != AES_256_GCM {
            return Err(fault());
        }
        let address = self
            .cipher(tenant)
            .decrypt(
                &(*nonce).into(),
                Payload {
                    msg: message,
                    aad: &bound_to(tenant, feedback),
                },
            )
            .map_err(|_| fault())?;
        String::from_utf8(address).map_err(|_| fault())
    }

    /// The pseudonym of a customer (001-14): the same for the same normal form within a tenant, never across tenants.
    pub(crate) fn customer(&self, tenant: &Tenant, kind: &str, normal: &str) -> Uuid {
        let hash = secret::keyed_hash(
            &self.0,
            &[b"customer", tenant.key().as_bytes(), kind.as_bytes(), normal.as_bytes()],
        );
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }

    fn cipher(&self, tenant: &Tenant) -> Aes256Gcm {
        let key = secret::keyed_hash(&self.0, &[b"contacts", tenant.key().as_bytes()]);
        Aes256Gcm::new(&key.into())
    }
}

fn bound_to(tenant: &Tenant, feedback: Uuid) -> Vec<u8> {
    [tenant.key().as_bytes(), b"/", feedback.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(key: &str) -> Vault {
        Vault::new(&VaultConfig { key: key.into() }).unwrap()
    }

    fn tenant(key: &str) -> Tenant {
        Tenant::stored(key).unwrap()
    }

    const KEY: &str = "0123456789abcdef0123456789abcdef";
    const OTHER_KEY: &str = "fedcba9876543210fedcba9876543210";

    #[test]
    fn an_address_opens_for_its_own_feedback_and_secret_alone() {
        let (feedback, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let sealed = vault(KEY).seal(&tenant("a"), feedback, "13800138000").unwrap();
        assert_eq!(vault(KEY).open(&tenant("a"), feedback, &sealed).unwrap(), "13800138000");
        assert!(vault(KEY).open(&tenant("a"), other, &sealed).is_err());
        assert!(vault(KEY).open(&tenant("b"), feedback, &sealed).is_err());
        assert!(vault(OTHER_KEY).open(&tenant("a"), feedback, &sealed).is_err());
        for end in 0..sealed.len() {
            assert!(vault(KEY).open(&tenant("a"), feedback, &sealed[..end]).is_err());
        }
        assert_ne!(sealed, vault(KEY).seal(&tenant("a"), feedback, "13800138000").unwrap());
    }

    /// 001-14.
    #[test]
    fn a_pseudonym_is_the_same_within_a_tenant_and_never_across() {
        let customer = |key, of, kind, normal| vault(key).customer(&tenant(of), kind, normal);
        let one = customer(KEY, "a", "phone", "13800138000");
        assert_eq!(one, customer(KEY, "a", "phone", "13800138000"));
        assert_ne!(one, customer(KEY, "b", "phone", "13800138000"));
        assert_ne!(one, customer(KEY, "a", "reference", "13800138000"));
        assert_ne!(one, customer(OTHER_KEY, "a", "phone", "13800138000"));
    }

    #[test]
    fn a_short_secret_is_refused() {
        assert!(Vault::new(&VaultConfig { key: "short".into() }).is_err());
    }
}
