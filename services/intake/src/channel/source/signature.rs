//! Signatures as Standard Webhooks prescribes them, and the seal under which secrets lie in the table.

use aes_gcm::{
    Aes256Gcm, KeyInit as _,
    aead::{Aead as _, Payload},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, Mac as _};
use huiyin_chassis::{Refusal, Tenant, secret};
use sha2::Sha256;

use crate::vault::Vault;

const PREFIX: &str = "whsec_";
const NONCE_BYTES: usize = 12;
/// A header may carry the signatures of several secrets; more than this nobody has.
const MOST_SIGNATURES: usize = 8;

/// A new secret: `whsec_` and the base64 of 32 random bytes.
pub(crate) fn new_secret() -> String {
    format!("{PREFIX}{}", BASE64_STANDARD.encode(secret::random_bytes::<32>()))
}

/// True where one of the signatures in the header was made with one of the secrets, over id, timestamp and body. Takes the
/// same time wherever they differ.
pub(crate) fn holds(secrets: &[String], id: &str, timestamp: &str, body: &[u8], header: &str) -> bool {
    let given: Vec<Vec<u8>> = header
        .split_ascii_whitespace()
        .take(MOST_SIGNATURES)
        .filter_map(|signature| BASE64_STANDARD.decode(signature.strip_prefix("v1,")?).ok())
        .collect();
    let mut is_ours = false;
    for secret in secrets {
        let expected = mac(secret, id, timestamp, body);
        for signature in &given {
            is_ours |= secret::same(&expected, signature);
        }
    }
    is_ours
}

fn mac(secret: &str, id: &str, timestamp: &str, body: &[u8]) -> [u8; 32] {
    let key = BASE64_STANDARD
        .decode(secret.trim_start_matches(PREFIX))
        .unwrap_or_default();
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&key).expect("HMAC takes a key of any length");
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Seals a secret; it opens for its own source alone.
pub(crate) fn seal(vault: &Vault, tenant: &Tenant, source: &str, plain: &str) -> Result<Vec<u8>, Refusal> {
    let nonce: [u8; NONCE_BYTES] = secret::random_bytes();
    let (msg, aad) = (plain.as_bytes(), source.as_bytes());
    let sealed = cipher(vault, tenant).encrypt(&nonce.into(), Payload { msg, aad });
    let sealed = sealed.map_err(|_| Refusal::fault(anyhow::anyhow!("the secret of a source cannot be sealed")))?;
    Ok([nonce.as_slice(), &sealed].concat())
}

/// Opens what [`seal`] made.
///
/// # Errors
/// A fault where it was made with another key, or for another source.
pub(crate) fn open(vault: &Vault, tenant: &Tenant, source: &str, sealed: &[u8]) -> Result<String, Refusal> {
    let fault = || {
        Refusal::fault(anyhow::anyhow!(
            "the secret of source {source} cannot be opened: was [vault] key changed?"
        ))
    };
    let (nonce, msg) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or_else(fault)?;
    let aad = source.as_bytes();
    let plain = cipher(vault, tenant).decrypt(&(*nonce).into(), Payload { msg, aad });
    String::from_utf8(plain.map_err(|_| fault())?).map_err(|_| fault())
}

fn cipher(vault: &Vault, tenant: &Tenant) -> Aes256Gcm {
    Aes256Gcm::new(&vault.keyed_hash(&[b"source secrets", tenant.key().as_bytes()]).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::VaultConfig;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    /// The example that the specification's own libraries test with.
    #[test]
    fn the_signature_is_that_of_the_specification() {
        let (id, time, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", br#"{"test": 2432232314}"#);
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let secrets = [new_secret(), SECRET.to_owned()];
        assert!(holds(&secrets, id, time, body, signature));
        assert!(holds(&secrets, id, time, body, &format!("v1,AAAA v2,x {signature}")));
        assert!(!holds(&secrets, id, "1614265331", body, signature));
        assert!(!holds(&secrets, "msg", time, body, signature));
        assert!(!holds(&secrets, id, time, b"{}", signature));
        assert!(!holds(&secrets[..1], id, time, body, signature));
        assert!(!holds(&[], id, time, body, signature));
        for nothing in ["", "v1,", "v1", "v1,!", "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="] {
            assert!(!holds(&secrets, id, time, body, nothing), "{nothing}");
        }
    }

    #[test]
    fn a_secret_opens_for_its_own_source_alone() {
        let vault = |key: &str| {
            Vault::new(&VaultConfig {
                key: key.into(),
                wrapping_keys: Default::default(),
            })
            .unwrap()
        };
        let (one, other) = (
            vault("0123456789abcdef0123456789abcdef"),
            vault("fedcba9876543210fedcba9876543210"),
        );
        let (acme, globex) = (Tenant::stored("acme").unwrap(), Tenant::stored("globex").unwrap());
        let sealed = seal(&one, &acme, "website", SECRET).unwrap();
        assert_eq!(open(&one, &acme, "website", &sealed).unwrap(), SECRET);
        assert!(open(&one, &globex, "website", &sealed).is_err());
        assert!(open(&one, &acme, "app", &sealed).is_err());
        assert!(open(&other, &acme, "website", &sealed).is_err());
        assert!(open(&one, &acme, "website", &sealed[..7]).is_err());
    }
}
