//! What names a customer: addresses and verbatim words under lock and key, and pseudonyms that only the holder of the secret makes.
//!
//! Envelopes (000-22): a data key per identity seals ([`DataKey`]), the tenant's key wraps it, and that is derived from a key of a
//! version, which a [`KeyProvider`] has. Whoever deletes a data key shreds what it sealed.

mod keys;

use aes_gcm::{
    Aes256Gcm, KeyInit as _,
    aead::{Aead as _, Payload},
};
use ed25519_dalek::{Signer as _, SigningKey, Verifier as _, VerifyingKey};
use huiyin_chassis::{Refusal, Tenant, secret};
use uuid::Uuid;

use crate::config::VaultConfig;
use keys::{ConfiguredKeys, KeyProvider};

/// How something is sealed; stands in front of it, so that another way can be read beside this one.
/// By a key of the tenant: how addresses were sealed before customers had keys.
const BY_TENANT: u8 = 1;
/// By a data key.
const BY_DATA_KEY: u8 = 2;
const NONCE_BYTES: usize = 12;

/// Seals, wraps, signs, and makes pseudonyms.
pub(crate) struct Vault {
    /// Makes pseudonyms and certificates; never changes.
    secret: Vec<u8>,
    keys: Box<dyn KeyProvider>,
}

/// A key that seals what belongs to one identity, or one feedback without one. Not `Debug`.
pub(crate) struct DataKey([u8; 32]);

/// A data key as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Wrapped {
    pub(crate) bytes: Vec<u8>,
    pub(crate) version: i32,
}

/// What is sealed; it cannot be opened as something else.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sealed {
    Contact,
    Verbatim,
}

impl Vault {
    /// # Errors
    /// Where a secret is too short, or a version none.
    pub(crate) fn new(config: &VaultConfig) -> anyhow::Result<Self> {
        let keys = ConfiguredKeys::new(config)?;
        Ok(Self {
            secret: keys.first().to_vec(),
            keys: Box::new(keys),
        })
    }

    /// A new data key for an owner, and how it is stored.
    pub(crate) fn new_key(&self, tenant: &Tenant, owner: Uuid) -> Result<(DataKey, Wrapped), Refusal> {
        let key = DataKey(secret::random_bytes());
        let wrapped = self.wrap(tenant, owner, &key)?;
        Ok((key, wrapped))
    }

    /// The version that wraps now.
    pub(crate) fn newest(&self) -> i32 {
        self.keys.newest()
    }

    /// The key, wrapped with the newest version.
    pub(crate) fn wrap(&self, tenant: &Tenant, owner: Uuid, key: &DataKey) -> Result<Wrapped, Refusal> {
        let version = self.keys.newest();
        Ok(Wrapped {
            bytes: seal(&self.tenant_key(tenant, version)?, &bound(tenant, owner, "key"), &key.0)?,
            version,
        })
    }

    /// The key that was wrapped.
    ///
    /// # Errors
    /// A fault where it was wrapped for another owner, or its version is not configured any more.
    pub(crate) fn unwrap(&self, tenant: &Tenant, owner: Uuid, wrapped: &Wrapped) -> Result<DataKey, Refusal> {
        let opened = open(
            &self.tenant_key(tenant, wrapped.version)?,
            &bound(tenant, owner, "key"),
            &wrapped.bytes,
        );
        let key = opened.and_then(|bytes| bytes.try_into().ok());
        key.map(DataKey).ok_or_else(|| {
            Refusal::fault(anyhow::anyhow!(
                "the key of {owner} cannot be unwrapped: was a key of [vault] changed?"
            ))
        })
    }

    /// Opens the address of a feedback, whichever way it was sealed; `key` is that of its identity, where there is one.
    ///
    /// # Errors
    /// A fault where it was made with another secret, or for another feedback.
    pub(crate) fn contact(
        &self,
        tenant: &Tenant,
        feedback: Uuid,
        key: Option<&DataKey>,
        sealed: &[u8],
    ) -> Result<String, Refusal> {
        let fault = || {
            Refusal::fault(anyhow::anyhow!(
                "the address of feedback {feedback} cannot be opened: was [vault] key changed?"
            ))
        };
        let address = match (sealed.split_first(), key) {
            (Some((&BY_TENANT, rest)), _) => open(
                &Self::derived(&self.secret, tenant),
                &[tenant.key().as_bytes(), b"/", feedback.as_bytes()].concat(),
                rest,
            ),
            (Some((&BY_DATA_KEY, _)), Some(key)) => key.open(tenant, feedback, Sealed::Contact, sealed),
            _ => None,
        };
        address
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(fault)
    }

    /// True where it was sealed before there were data keys.
    pub(crate) fn is_old(sealed: &[u8]) -> bool {
        sealed.first() == Some(&BY_TENANT)
    }

    /// The pseudonym of an identity (001-14): the same for the same normal form within a tenant, never across tenants.
    pub(crate) fn customer(&self, tenant: &Tenant, kind: &str, normal: &str) -> Uuid {
        let hash = secret::keyed_hash(
            &self.secret,
            &[b"customer", tenant.key().as_bytes(), kind.as_bytes(), normal.as_bytes()],
        );
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }

    /// A hash that only holders of the secret can make; the first part says what it is for.
    pub(crate) fn keyed_hash(&self, parts: &[&[u8]]) -> [u8; 32] {
        secret::keyed_hash(&self.secret, parts)
    }

    /// Signs a hash in the name of the tenant; the signature and the key that verifies it.
    pub(crate) fn sign(&self, tenant: &Tenant, hash: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let key = self.signing_key(tenant);
        (
            key.sign(hash).to_bytes().to_vec(),
            key.verifying_key().to_bytes().to_vec(),
        )
    }

    /// True where the tenant's own key signed it.
    pub(crate) fn is_signed(&self, tenant: &Tenant, hash: &[u8], signature: &[u8], public_key: &[u8]) -> bool {
        let own: VerifyingKey = self.signing_key(tenant).verifying_key();
        let Ok(signature) = ed25519_dalek::Signature::from_slice(signature) else {
            return false;
        };
        own.as_bytes() == public_key && own.verify(hash, &signature).is_ok()
    }

    fn signing_key(&self, tenant: &Tenant) -> SigningKey {
        SigningKey::from_bytes(&secret::keyed_hash(
            &self.secret,
            &[b"certificates", tenant.key().as_bytes()],
        ))
    }

    fn tenant_key(&self, tenant: &Tenant, version: i32) -> Result<[u8; 32], Refusal> {
        let key = self.keys.key(version).ok_or_else(|| {
            Refusal::fault(anyhow::anyhow!(
                "[vault] has no key of version {version}, and something is wrapped with it"
            ))
        })?;
        Ok(secret::keyed_hash(key, &[b"data keys", tenant.key().as_bytes()]))
    }

    fn derived(secret: &[u8], tenant: &Tenant) -> [u8; 32] {
        secret::keyed_hash(secret, &[b"contacts", tenant.key().as_bytes()])
    }
}

impl DataKey {
    /// Seals something of a feedback; it can be opened for this feedback alone.
    pub(crate) fn seal(&self, tenant: &Tenant, feedback: Uuid, what: Sealed, text: &[u8]) -> Result<Vec<u8>, Refusal> {
        let sealed = seal(&self.0, &bound(tenant, feedback, what.name()), text)?;
        Ok([&[BY_DATA_KEY], sealed.as_slice()].concat())
    }

    /// Opens what [`DataKey::seal`] made; none where it was sealed otherwise.
    pub(crate) fn open(&self, tenant: &Tenant, feedback: Uuid, what: Sealed, sealed: &[u8]) -> Option<Vec<u8>> {
        let rest = sealed.strip_prefix(&[BY_DATA_KEY])?;
        open(&self.0, &bound(tenant, feedback, what.name()), rest)
    }
}

impl Sealed {
    fn name(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Verbatim => "verbatim",
        }
    }
}

fn seal(key: &[u8; 32], aad: &[u8], msg: &[u8]) -> Result<Vec<u8>, Refusal> {
    let nonce: [u8; NONCE_BYTES] = secret::random_bytes();
    let sealed = Aes256Gcm::new(key.into())
        .encrypt(&nonce.into(), Payload { msg, aad })
        .map_err(|_| Refusal::fault(anyhow::anyhow!("something cannot be sealed")))?;
    Ok([nonce.as_slice(), &sealed].concat())
}

fn open(key: &[u8; 32], aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, msg) = sealed.split_first_chunk::<NONCE_BYTES>()?;
    Aes256Gcm::new(key.into())
        .decrypt(&(*nonce).into(), Payload { msg, aad })
        .ok()
}

fn bound(tenant: &Tenant, id: Uuid, what: &str) -> Vec<u8> {
    [tenant.key().as_bytes(), b"/", id.as_bytes(), b"/", what.as_bytes()].concat()
}

#[cfg(test)]
mod tests;
