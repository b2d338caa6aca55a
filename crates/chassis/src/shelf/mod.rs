//! The shelf on which what a tenant settles stands in its versions (a calendar, a policy, a profile): made whole, never changed,
//! one of each thing in effect, every earlier one a step back away.
//!
//! The room brings the table. Its columns: `tenant_id`, `kind` where several things share it, `version` (integer), `display_name`,
//! `change_reason`, `author`, `content` (jsonb, null in version 0), `active`, `revision` (bigint), `create_time`, `activate_time`.

mod list;
mod store;

use jiff::Timestamp;
use prost::Message;
use serde::{Serialize, de::DeserializeOwned};

pub use self::list::{FIELDS, ORDERS};
use crate::{
    auth::Caller,
    clock::Clock,
    db::{Database, Transaction},
    error::Refusal,
    listing::PageTokenKey,
    name::{self, Tenant},
    repeat::{self, Repeatable},
};

/// Something that stands on the shelf in versions.
pub trait Kept: Serialize + DeserializeOwned + Send {
    /// The table of its versions.
    const TABLE: &'static str;
    /// Its word in the column `kind`, where the table holds others beside it.
    const KIND: Option<&'static str>;
    /// Its collection in resource names.
    const COLLECTION: &'static str;

    /// Version 0 of every tenant.
    fn built_in() -> Self;
}

/// One version.
#[derive(Debug, Clone, PartialEq)]
pub struct Edition<T> {
    /// 0 is the built-in one.
    pub version: i32,
    /// What people call it, and why it was made.
    pub title: Title,
    /// What it says.
    pub content: T,
    /// True for the one in effect.
    pub active: bool,
    /// Who made it.
    pub author: String,
    /// One more with each activation and each time that another takes its place.
    pub revision: i64,
    /// When it was made; `None` for the built-in one.
    pub create_time: Option<Timestamp>,
    /// When it was last activated.
    pub activate_time: Option<Timestamp>,
}

/// What people call a version, and why it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title {
    /// What people call it.
    pub display_name: String,
    /// Why it was made (001-79).
    pub change_reason: String,
}

impl<T: Kept> Edition<T> {
    /// The built-in one of a tenant that never had another.
    fn built_in() -> Self {
        Self {
            version: 0,
            title: Title {
                display_name: store::BUILT_IN.to_owned(),
                change_reason: store::BUILT_IN.to_owned(),
            },
            content: T::built_in(),
            active: true,
            author: "system".to_owned(),
            revision: 0,
            create_time: None,
            activate_time: None,
        }
    }

    /// Its resource name.
    #[must_use]
    pub fn name(&self, tenant: &Tenant) -> String {
        tenant.child(T::COLLECTION, self.version)
    }
}

/// What a caller names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The one in effect.
    Active,
    /// A version.
    Version(i32),
}

impl Which {
    /// Reads the id in a resource name: a version or `active`.
    #[must_use]
    pub fn of(id: &str) -> Option<Self> {
        if id == "active" {
            Some(Self::Active)
        } else {
            id.parse().ok().filter(|version| *version >= 0).map(Self::Version)
        }
    }
}

/// The tenant and the version in a name `tenants/{tenant}/{collection}/{version}`.
///
/// # Errors
/// NOT_FOUND where the tenant is not the caller's, or the name is not that of a version in this collection.
pub fn named(caller: &Caller, name: &str, collection: &str) -> Result<(Tenant, Which), Refusal> {
    let (tenant, id) = name::child(caller, name, collection)?;
    let which = Which::of(id).ok_or_else(|| Refusal::not_found(name))?;
    Ok((tenant, which))
}

/// The version in effect, with its number.
///
/// # Errors
/// UNAVAILABLE where the database is gone.
pub async fn active<T: Kept>(tx: &mut Transaction, tenant: &Tenant) -> Result<(T, i32), Refusal> {
    let edition = store::find::<T>(tx, tenant, Which::Active).await?;
    Ok(edition.map_or_else(|| (T::built_in(), 0), |edition| (edition.content, edition.version)))
}

/// A version by its number.
///
/// # Errors
/// NOT_FOUND where the tenant has no such version.
pub async fn version<T: Kept>(tx: &mut Transaction, tenant: &Tenant, version: i32) -> Result<T, Refusal> {
    if version == 0 {
        return Ok(T::built_in());
    }
    let edition = store::find::<T>(tx, tenant, Which::Version(version)).await?;
    edition
        .map(|edition| edition.content)
        .ok_or_else(|| Refusal::not_found(&tenant.child(T::COLLECTION, version)))
}

/// The shelf.
#[derive(Debug, Clone)]
pub struct Shelf {
    /// Where the versions are.
    pub database: Database,
    /// When they are made.
    pub clock: Clock,
    /// Seals the page tokens of their lists.
    pub page_tokens: PageTokenKey,
}

/// A version to be made.
#[derive(Debug)]
pub struct NewEdition<T> {
    /// What people call it, and why it is made.
    pub title: Title,
    /// What it says; already checked.
    pub content: T,
    /// Who makes it.
    pub author: String,
}

impl Shelf {
    /// A version, or the one in effect.
    ///
    /// # Errors
    /// NOT_FOUND where the tenant has no such version.
    pub async fn get<T: Kept>(&self, tenant: &Tenant, name: &str, which: Which) -> Result<Edition<T>, Refusal> {
        let mut tx = self.database.tenant(tenant).await?;
        match store::find(&mut tx, tenant, which).await? {
            Some(edition) => Ok(edition),
            None if matches!(which, Which::Active | Which::Version(0)) => Ok(Edition::built_in()),
            None => Err(Refusal::not_found(name)),
        }
    }

    /// Makes a new version, not yet in effect; `only_look` says what would be made. `say` puts it into words for the
    /// caller.
    ///
    /// # Errors
    /// REQUEST_ID_REUSED where the id was used for another body.
    pub async fn create<T: Kept, A: Message + Default>(
        &self,
        tenant: &Tenant,
        new: NewEdition<T>,
        only_look: bool,
        repeat: Option<Repeatable>,
        say: impl Fn(&Edition<T>) -> A + Send,
    ) -> Result<A, Refusal> {
        let mut tx = self.database.tenant(tenant).await?;
        if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
            return Ok(answer);
        }
        if !only_look {
            store::lock::<T>(&mut tx, tenant).await?;
        }
        let NewEdition { title, content, author } = new;
        let edition = Edition {
            version: store::last_version::<T>(&mut tx, tenant).await? + 1,
            title,
            content,
            active: false,
            author,
            revision: 0,
            create_time: Some(self.clock.now()),
            activate_time: None,
        };
        let answer = say(&edition);
        if only_look {
            tx.rollback().await;
            return Ok(answer);
        }
        store::insert(&mut tx, tenant, &edition).await?;
        repeat::commit(tx, &self.clock, repeat.as_ref(), answer).await
    }

    /// Puts a version into effect, in the place of the one before. The active one stays as it is.
    ///
    /// # Errors
    /// NOT_FOUND where the tenant has no such version; ETAG_MISMATCH where it is not as the caller read it.
    pub async fn activate<T: Kept, A: Message + Default>(
        &self,
        tenant: &Tenant,
        name: &str,
        version: i32,
        etag: &str,
        repeat: Option<Repeatable>,
        say: impl Fn(&Edition<T>) -> A + Send,
    ) -> Result<A, Refusal> {
        let mut tx = self.database.tenant(tenant).await?;
        if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
            return Ok(answer);
        }
        store::lock::<T>(&mut tx, tenant).await?;
        let mut edition: Edition<T> = store::find(&mut tx, tenant, Which::Version(version))
            .await?
            .ok_or_else(|| Refusal::not_found(name))?;
        if !etag.is_empty() && etag != edition.revision.to_string() {
            return Err(Refusal::etag_mismatch(name));
        }
        if !edition.active {
            edition = Edition {
                active: true,
                revision: edition.revision + 1,
                activate_time: Some(self.clock.now()),
                ..edition
            };
            store::activate(&mut tx, tenant, &edition).await?;
        }
        repeat::commit(tx, &self.clock, repeat.as_ref(), say(&edition)).await
    }
}
