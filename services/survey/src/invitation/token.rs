//! The single-use token of an invitation: it says in which tenant its invitation lies, only a key of this
//! service can make it, and with that key it can be made again; stored is only its hash.
//!
//! `hys_` + URL-safe base64 of: length of the tenant's key (1 byte), that key, invitation (16), nonce (16),
//! HMAC-SHA-256 of tenant, invitation and nonce (32).

use huiyin_chassis::{Tenant, secret};
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use crate::config::TokensConfig;

const PREFIX: &str = "hys_";
/// Shorter keys are refused: they could be guessed from one token.
const MIN_KEY: usize = 16;

/// Makes tokens unlike those of an invitation before that had the same id, e.g. before a restored backup.
pub(crate) type Nonce = [u8; 16];

/// The keys that make tokens: the first makes, all verify.
pub(crate) struct Keys(Vec<SecretString>);

/// Who a verified token speaks for: whoever may answer this invitation. That it exists is not known yet.
#[derive(Debug, Clone)]
pub(crate) struct Bearer {
    /// The tenant in which the invitation lies; as trustworthy as the key.
    pub(crate) tenant: Tenant,
    pub(crate) invitation: Uuid,
    /// What must be stored with the invitation.
    pub(crate) token_hash: [u8; 32],
}

impl Keys {
    /// The configured keys.
    ///
    /// # Errors
    /// Where one is too short to be a secret.
    pub(crate) fn new(config: &TokensConfig) -> anyhow::Result<Self> {
        let keys: Vec<SecretString> = std::iter::once(&config.key)
            .chain(&config.former_keys)
            .cloned()
            .collect();
        anyhow::ensure!(
            keys.iter().all(|key| key.expose_secret().len() >= MIN_KEY),
            "a key in [tokens] is shorter than {MIN_KEY} bytes"
        );
        Ok(Self(keys))
    }

    /// The token of a new invitation.
    pub(crate) fn mint(&self, tenant: &Tenant, invitation: Uuid, nonce: &Nonce) -> String {
        // Holds because `new` puts the configured key first.
        self.0
            .first()
            .map(|key| write(key, tenant, invitation, nonce))
            .unwrap_or_default()
    }

    /// The token of an invitation that is out, made again; `None` where the key that made it is configured no longer.
    pub(crate) fn remake(&self, tenant: &Tenant, invitation: Uuid, nonce: &Nonce, hash: &[u8; 32]) -> Option<String> {
        let made = self.0.iter().map(|key| write(key, tenant, invitation, nonce));
        made.into_iter()
            .find(|token| secret::same(&secret::hash(token.as_bytes()), hash))
    }

    /// Whom a token speaks for; `None` where no key of ours made it, whatever is wrong with it.
    pub(crate) fn verify(&self, token: &str) -> Option<Bearer> {
        let bytes = secret::from_text(token.strip_prefix(PREFIX)?)?;
        let (&length, rest) = bytes.split_first()?;
        let (tenant, rest) = rest.split_at_checked(length.into())?;
        let (invitation, rest) = rest.split_at_checked(16)?;
        let (nonce, claimed) = rest.split_at_checked(16)?;
        // Every key is tried, so that the time does not tell which one came close.
        let ours = self.0.iter().fold(false, |ours, key| {
            ours | secret::same(claimed, &mac(key, tenant, invitation, nonce))
        });
        if !ours {
            return None;
        }
        Some(Bearer {
            tenant: Tenant::stored(std::str::from_utf8(tenant).ok()?).ok()?,
            invitation: Uuid::from_slice(invitation).ok()?,
            token_hash: secret::hash(token.as_bytes()),
        })
    }
}

fn write(key: &SecretString, tenant: &Tenant, invitation: Uuid, nonce: &Nonce) -> String {
    let (tenant, invitation) = (tenant.key().as_bytes(), invitation.as_bytes());
    // Holds because a tenant's key has at most 63 characters.
    let length = u8::try_from(tenant.len()).unwrap_or(u8::MAX);
    let bytes = [
        &[length],
        tenant,
        invitation,
        nonce,
        mac(key, tenant, invitation, nonce).as_slice(),
    ]
    .concat();
    format!("{PREFIX}{}", secret::to_text(&bytes))
}

fn mac(key: &SecretString, tenant: &[u8], invitation: &[u8], nonce: &[u8]) -> [u8; 32] {
    secret::keyed_hash(
        key.expose_secret().as_bytes(),
        &[b"survey invitation", tenant, invitation, nonce],
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys(key: &str, former: &[&str]) -> Keys {
        Keys::new(&TokensConfig {
            key: key.into(),
            former_keys: former.iter().map(|key| (*key).into()).collect(),
        })
        .unwrap()
    }

    fn tenant(key: &str) -> Tenant {
        Tenant::stored(key).unwrap()
    }

    const KEY: &str = "a key of sixteen and more";
    const ID: Uuid = Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0001);

    #[test]
    fn a_token_says_its_tenant_and_can_be_made_again() {
        let keys = keys(KEY, &[]);
        let token = keys.mint(&tenant("acme"), ID, &[7; 16]);
        let bearer = keys.verify(&token).unwrap();
        assert_eq!((bearer.tenant.key(), bearer.invitation), ("acme", ID));
        assert_eq!(
            keys.remake(&tenant("acme"), ID, &[7; 16], &bearer.token_hash),
            Some(token)
        );
    }

    #[test]
    fn a_former_key_verifies_and_remakes_but_does_not_mint() {
        let before = keys(KEY, &[]);
        let after = keys("another key, also long", &[KEY]);
        let token = before.mint(&tenant("acme"), ID, &[7; 16]);
        let hash = after.verify(&token).unwrap().token_hash;
        assert_eq!(after.remake(&tenant("acme"), ID, &[7; 16], &hash).unwrap(), token);
        assert_ne!(after.mint(&tenant("acme"), ID, &[7; 16]), token);
        assert!(keys("another key, also long", &[]).verify(&token).is_none());
    }

    #[test]
    fn a_short_key_is_refused() {
        assert!(
            Keys::new(&TokensConfig {
                key: "short".into(),
                former_keys: Vec::new()
            })
            .is_err()
        );
    }

    /// The longest tenant's token is within the limit of the proto.
    #[test]
    fn a_token_is_never_too_long_to_be_sent() {
        assert!(keys(KEY, &[]).mint(&tenant(&"a".repeat(63)), ID, &[7; 16]).len() <= 512);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_or_passes(token in "(hys_)?[A-Za-z0-9_\\-=+/]{0,200}") {
            prop_assert!(keys(KEY, &[]).verify(&token).is_none());
        }

        #[test]
        fn no_bytes_make_it_panic_or_pass(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let token = format!("hys_{}", secret::to_text(&bytes));
            prop_assert!(keys(KEY, &[]).verify(&token).is_none());
        }

        #[test]
        fn a_token_with_any_bit_turned_or_cut_off_anywhere_is_none(bit in 0usize..(1 + 4 + 16 + 16 + 32) * 8, length in 0usize..100) {
            let keys = keys(KEY, &[]);
            let token = keys.mint(&tenant("acme"), ID, &[7; 16]);
            let mut bytes = secret::from_text(token.strip_prefix("hys_").unwrap()).unwrap();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let turned = format!("hys_{}", secret::to_text(&bytes));
            prop_assert!(keys.verify(&turned).is_none());
            if length < token.len() {
                prop_assert!(keys.verify(&token[..length]).is_none());
            }
        }
    }
}
