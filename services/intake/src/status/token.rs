//! The token beside a number: `hyf_` + URL-safe base64 of version (1 byte), feedback (16) and the first half of a keyed hash of
//! tenant, feedback and version (16). It is made again whenever it is needed and stored nowhere.

use huiyin_chassis::{Tenant, secret};
use uuid::Uuid;

use crate::vault::Vault;

const PREFIX: &str = "hyf_";
/// Raised to make every token that is out worthless.
const VERSION: u8 = 1;
const MAC_BYTES: usize = 16;

/// The token of a feedback.
pub(crate) fn mint(vault: &Vault, tenant: &Tenant, feedback: Uuid) -> String {
    let mac = mac(vault, tenant.key(), feedback);
    let bytes = [&[VERSION], feedback.as_bytes().as_slice(), &mac].concat();
    format!("{PREFIX}{}", secret::to_text(&bytes))
}

/// The feedback that a token is of; `None` where it was not made for this tenant by us, whatever is wrong with it. Whether that
/// feedback is there is not known yet.
pub(crate) fn verify(vault: &Vault, tenant: &str, token: &str) -> Option<Uuid> {
    let bytes = secret::from_text(token.strip_prefix(PREFIX)?)?;
    let (version, rest) = bytes.split_first()?;
    let (feedback, claimed) = rest.split_at_checked(16)?;
    let feedback = Uuid::from_slice(feedback).ok()?;
    let same = secret::same(claimed, &mac(vault, tenant, feedback));
    (same && *version == VERSION).then_some(feedback)
}

fn mac(vault: &Vault, tenant: &str, feedback: Uuid) -> [u8; MAC_BYTES] {
    let hash = vault.keyed_hash(&[b"feedback status", tenant.as_bytes(), feedback.as_bytes(), &[VERSION]]);
    let mut mac = [0; MAC_BYTES];
    mac.copy_from_slice(&hash[..MAC_BYTES]);
    mac
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::VaultConfig;

    const ID: Uuid = Uuid::from_u128(7);

    fn vault(key: &str) -> Vault {
        Vault::new(&VaultConfig {
            key: key.into(),
            wrapping_keys: Default::default(),
        })
        .unwrap()
    }

    fn ours() -> Vault {
        vault("0123456789abcdef0123456789abcdef")
    }

    fn tenant(key: &str) -> Tenant {
        Tenant::stored(key).unwrap()
    }

    #[test]
    fn a_token_is_of_one_feedback_of_one_tenant_by_one_key() {
        let token = mint(&ours(), &tenant("acme"), ID);
        assert_eq!(token, mint(&ours(), &tenant("acme"), ID));
        assert_eq!(verify(&ours(), "acme", &token), Some(ID));
        assert_eq!(verify(&ours(), "globex", &token), None);
        assert_eq!(
            verify(&vault("another key of 32 characters, long"), "acme", &token),
            None
        );
        assert!(token.len() <= 128, "the proto takes it");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_or_passes(token in "(hyf_)?[A-Za-z0-9_\\-=+/]{0,120}") {
            prop_assert_eq!(verify(&ours(), "acme", &token), None);
        }

        #[test]
        fn a_token_with_any_bit_turned_is_none(bit in 0usize..33 * 8) {
            let token = mint(&ours(), &tenant("acme"), ID);
            let mut bytes = secret::from_text(token.strip_prefix(PREFIX).unwrap()).unwrap();
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(verify(&ours(), "acme", &format!("{PREFIX}{}", secret::to_text(&bytes))), None);
        }
    }
}
