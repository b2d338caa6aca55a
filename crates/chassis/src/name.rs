//! Resource names: `tenants/{tenant}/feedbacks/{feedback}` as a type, and the tenant as one that cannot be made up.

use std::fmt;

use uuid::Uuid;

use crate::{auth::Caller, error::Refusal};

/// A tenant whose data the holder may touch. It comes from a caller who may ([`Caller::tenant`]) or from an envelope that
/// a service stored itself; nowhere else.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tenant(String);

impl Tenant {
    /// The tenant of something that this suite stored itself, such as an event or a timer.
    /// The key is checked all the same: it goes into session settings.
    ///
    /// # Errors
    /// Where it is not a tenant's key: 1–63 of `a-z 0-9 -`, not beginning with `-`.
    pub fn stored(key: &str) -> Result<Self, Refusal> {
        if is_key(key) {
            Ok(Self(key.to_owned()))
        } else {
            Err(Refusal::fault(anyhow::anyhow!("{key:?} is not the key of a tenant")))
        }
    }

    /// The key, e.g. `acme`.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.0
    }

    /// The resource name, e.g. `tenants/acme`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("tenants/{}", self.0)
    }

    /// The name of a resource in one of the tenant's collections.
    #[must_use]
    pub fn child(&self, collection: &str, id: impl fmt::Display) -> String {
        format!("tenants/{}/{collection}/{id}", self.0)
    }
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// True for 1–63 of `a-z 0-9 -`, not beginning with `-`: the key of a tenant, or an id that its people choose.
pub(crate) fn is_key(key: &str) -> bool {
    (1..=63).contains(&key.len())
        && !key.starts_with('-')
        && key
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// The tenant of a `parent`, as the caller may see it.
///
/// # Errors
/// NOT_FOUND where it is not the caller's: not to be told from one that is missing.
pub fn parent(caller: &Caller, parent: &str) -> Result<Tenant, Refusal> {
    let key = parent.strip_prefix("tenants/").filter(|key| is_key(key));
    key.and_then(|key| caller.tenant(key))
        .ok_or_else(|| Refusal::not_found(parent))
}

/// The tenant and the id in a name `tenants/{tenant}/{collection}/{id}`.
///
/// # Errors
/// NOT_FOUND where the tenant is not the caller's or the name is not of this collection.
pub fn child<'n>(caller: &Caller, name: &'n str, collection: &str) -> Result<(Tenant, &'n str), Refusal> {
    let missing = || Refusal::not_found(name);
    let mut parts = name.split('/');
    let (Some("tenants"), Some(key), Some(found), Some(id), None) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(missing());
    };
    if found != collection || id.is_empty() {
        return Err(missing());
    }
    Ok((caller.tenant(key).ok_or_else(missing)?, id))
}

/// As [`child`], for collections whose ids are UUIDs.
///
/// # Errors
/// NOT_FOUND, also where the id is no UUID.
pub fn child_uuid(caller: &Caller, name: &str, collection: &str) -> Result<(Tenant, Uuid), Refusal> {
    let (tenant, id) = child(caller, name, collection)?;
    let id = Uuid::try_parse(id).map_err(|_| Refusal::not_found(name))?;
    Ok((tenant, id))
}

/// The UUID at the end of a name that this suite stored itself, e.g. in an event.
///
/// # Errors
/// A fault where there is none.
pub fn stored_uuid(name: &str) -> Result<Uuid, Refusal> {
    name.rsplit('/')
        .next()
        .and_then(|id| Uuid::try_parse(id).ok())
        .ok_or_else(|| Refusal::fault(anyhow::anyhow!("{name:?} does not end with an id")))
}
