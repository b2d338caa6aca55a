//! What the vault keeps, and from whom.

use super::*;

const KEY: &str = "0123456789abcdef0123456789abcdef";
const OTHER_KEY: &str = "fedcba9876543210fedcba9876543210";

fn vault(key: &str) -> Vault {
    with(key, &[])
}

fn with(key: &str, wrapping: &[(&str, &str)]) -> Vault {
    let wrapping_keys = wrapping
        .iter()
        .map(|(version, key)| ((*version).to_owned(), (*key).into()))
        .collect();
    Vault::new(&VaultConfig {
        key: key.into(),
        wrapping_keys,
    })
    .unwrap()
}

fn tenant(key: &str) -> Tenant {
    Tenant::stored(key).unwrap()
}

/// 000-22.
#[test]
fn an_address_opens_for_its_own_feedback_and_key_alone() {
    let (feedback, other, owner) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
    let (key, wrapped) = vault(KEY).new_key(&tenant("a"), owner).unwrap();
    let sealed = key
        .seal(&tenant("a"), feedback, Sealed::Contact, b"13800138000")
        .unwrap();
    let again = vault(KEY).unwrap(&tenant("a"), owner, &wrapped).unwrap();
    let open = |tenant: &Tenant, feedback, sealed: &[u8]| vault(KEY).contact(tenant, feedback, Some(&again), sealed);
    assert_eq!(open(&tenant("a"), feedback, &sealed).unwrap(), "13800138000");
    assert!(open(&tenant("a"), other, &sealed).is_err());
    assert!(open(&tenant("b"), feedback, &sealed).is_err());
    assert!(again.open(&tenant("a"), feedback, Sealed::Verbatim, &sealed).is_none());
    for end in 0..sealed.len() {
        assert!(open(&tenant("a"), feedback, &sealed[..end]).is_err());
    }
    assert!(
        vault(KEY).contact(&tenant("a"), feedback, None, &sealed).is_err(),
        "shredded"
    );
    assert!(vault(OTHER_KEY).unwrap(&tenant("a"), owner, &wrapped).is_err());
    assert!(vault(KEY).unwrap(&tenant("b"), owner, &wrapped).is_err());
    assert!(vault(KEY).unwrap(&tenant("a"), other, &wrapped).is_err());
}

#[test]
fn what_was_sealed_before_customers_had_keys_still_opens() {
    let feedback = Uuid::from_u128(1);
    let key = Vault::derived(KEY.as_bytes(), &tenant("a"));
    let aad = [b"a/".as_slice(), feedback.as_bytes()].concat();
    let sealed = [&[BY_TENANT], seal(&key, &aad, b"li@example.com").unwrap().as_slice()].concat();
    assert!(Vault::is_old(&sealed));
    assert_eq!(
        vault(KEY).contact(&tenant("a"), feedback, None, &sealed).unwrap(),
        "li@example.com"
    );
    assert!(vault(OTHER_KEY).contact(&tenant("a"), feedback, None, &sealed).is_err());
}

#[test]
fn a_key_that_is_wrapped_anew_opens_the_same_and_the_old_version_can_go() {
    let owner = Uuid::from_u128(3);
    let old = vault(KEY);
    let (key, wrapped) = old.new_key(&tenant("a"), owner).unwrap();
    let sealed = key.seal(&tenant("a"), owner, Sealed::Verbatim, b"words").unwrap();
    let both = with(KEY, &[("2", OTHER_KEY)]);
    assert_eq!((old.newest(), both.newest(), wrapped.version), (1, 2, 1));
    let key = both.unwrap(&tenant("a"), owner, &wrapped).unwrap();
    let anew = both.wrap(&tenant("a"), owner, &key).unwrap();
    assert_eq!(anew.version, 2);
    assert!(old.unwrap(&tenant("a"), owner, &anew).is_err());
    let key = both.unwrap(&tenant("a"), owner, &anew).unwrap();
    assert_eq!(
        key.open(&tenant("a"), owner, Sealed::Verbatim, &sealed).unwrap(),
        b"words"
    );
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
    assert_eq!(
        one,
        with(KEY, &[("2", OTHER_KEY)]).customer(&tenant("a"), "phone", "13800138000"),
        "a new wrapping key changes no pseudonym"
    );
}

#[test]
fn a_signature_is_that_of_one_tenant() {
    let (signature, public) = vault(KEY).sign(&tenant("a"), b"hash");
    assert!(vault(KEY).is_signed(&tenant("a"), b"hash", &signature, &public));
    assert!(!vault(KEY).is_signed(&tenant("b"), b"hash", &signature, &public));
    assert!(!vault(KEY).is_signed(&tenant("a"), b"other", &signature, &public));
    assert!(!vault(KEY).is_signed(&tenant("a"), b"hash", &[], &public));
}

#[test]
fn a_short_secret_and_a_version_that_is_none_are_refused() {
    let config = |key: &str, version: &str, wrapping: &str| VaultConfig {
        key: key.into(),
        wrapping_keys: [(version.to_owned(), wrapping.into())].into(),
    };
    assert!(Vault::new(&config("short", "2", KEY)).is_err());
    assert!(Vault::new(&config(KEY, "2", "short")).is_err());
    assert!(Vault::new(&config(KEY, "1", OTHER_KEY)).is_err());
    assert!(Vault::new(&config(KEY, "two", OTHER_KEY)).is_err());
}
