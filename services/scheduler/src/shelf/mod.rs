//! The shelf on which calendars, SLA policies and routing policies stand in their versions: made whole, never changed,
//! one of each kind in effect, every earlier one a step back away.

pub(crate) mod list;
mod store;

use huiyin_chassis::{Clock, Database, Refusal, Tenant, Transaction, listing::PageTokenKey, repeat::Repeatable};
use jiff::Timestamp;
use prost::Message;
use serde::{Serialize, de::DeserializeOwned};

/// Something that stands on the shelf in versions.
pub(crate) trait Kept: Serialize + DeserializeOwned + Send {
    /// What tells it from the others in the table.
    const KIND: &'static str;
    /// Its collection in resource names.
    const COLLECTION: &'static str;

    /// Version 0 of every tenant.
    fn built_in() -> Self;
}

/// One version.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Edition<T> {
    /// 0 is the built-in one.
    pub(crate) version: i32,
    /// What people call it, and why it was made.
    pub(crate) title: Title,
    /// What it says.
    pub(crate) content: T,
    /// True for the one in effect.
    pub(crate) active: bool,
    /// Who made it.
    pub(crate) author: String,
    /// One more with each activation and each time that another takes its place.
    pub(crate) revision: i64,
    /// When it was made; `None` for the built-in one.
    pub(crate) create_time: Option<Timestamp>,
    /// When it was last activated.
    pub(crate) activate_time: Option<Timestamp>,
}

/// What people call a version, and why it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Title {
    /// What people call it.
    pub(crate) display_name: String,
    /// Why it was made (001-79).
    pub(crate) change_reason: String,
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
    pub(crate) fn name(&self, tenant: &Tenant) -> String {
        tenant.child(T::COLLECTION, self.version)
    }
}

/// What a caller names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// The one in effect.
    Active,
    /// A version.
    Version(i32),
}

impl Which {
    /// Reads the id in a resource name: a version or `active`.
    pub(crate) fn of(id: &str) -> Option<Self> {
        if id == "active" {
            Some(Self::Active)
        } else {
            id.parse().ok().filter(|version| *version >= 0).map(Self::Version)
        }
    }
}

/// The version in effect, with its number.
///
/// # Errors
/// UNAVAILABLE where the database is gone.
pub(crate) async fn active<T: Kept>(tx: &mut Transaction, tenant: &Tenant) -> Result<(T, i32), Refusal> {
    let edition = store::find::<T>(tx, tenant, Which::Active).await?;
    Ok(edition.map_or_else(|| (T::built_in(), 0), |edition| (edition.content, edition.version)))
}

/// A version by its number.
///
/// # Errors
/// NOT_FOUND where the tenant has no such version.
pub(crate) async fn version<T: Kept>(tx: &mut Transaction, tenant: &Tenant, version: i32) -> Result<T, Refusal> {
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
pub(crate) struct Shelf {
    /// Where the versions are.
    pub(crate) database: Database,
    /// When they are made.
    pub(crate) clock: Clock,
    /// Seals the page tokens of their lists.
    pub(crate) page_tokens: PageTokenKey,
}

/// A version to be made.
#[derive(Debug)]
pub(crate) struct NewEdition<T> {
    /// What people call it, and why it is made.
    pub(crate) title: Title,
    /// What it says; already checked.
    pub(crate) content: T,
    /// Who makes it.
    pub(crate) author: String,
}

impl Shelf {
    /// A version, or the one in effect.
    ///
    /// # Errors
    /// NOT_FOUND where the tenant has no such version.
    pub(crate) async fn get<T: Kept>(&self, tenant: &Tenant, name: &str, which: Which) -> Result<Edition<T>, Refusal> {
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
    pub(crate) async fn create<T: Kept, A: Message + Default>(
        &self,
        tenant: &Tenant,
        new: NewEdition<T>,
        only_look: bool,
        repeatable: Option<Repeatable>,
        say: impl Fn(&Edition<T>) -> A + Send,
    ) -> Result<A, Refusal> {
        let mut tx = self.database.tenant(tenant).await?;
        if let Some(repeatable) = &repeatable
            && let Some(answer) = repeatable.answered(&mut tx).await?
        {
            return Ok(answer);
        }
        store::lock::<T>(&mut tx, tenant).await?;
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
        if let Some(repeatable) = &repeatable {
            repeatable.answer(&mut tx, &self.clock, &answer).await?;
        }
        tx.commit().await?;
        Ok(answer)
    }

    /// Puts a version into effect, in the place of the one before. The active one stays as it is.
    ///
    /// # Errors
    /// NOT_FOUND where the tenant has no such version; ETAG_MISMATCH where it is not as the caller read it.
    pub(crate) async fn activate<T: Kept, A: Message + Default>(
        &self,
        tenant: &Tenant,
        name: &str,
        version: i32,
        etag: &str,
        repeatable: Option<Repeatable>,
        say: impl Fn(&Edition<T>) -> A + Send,
    ) -> Result<A, Refusal> {
        let mut tx = self.database.tenant(tenant).await?;
        if let Some(repeatable) = &repeatable
            && let Some(answer) = repeatable.answered(&mut tx).await?
        {
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
        let answer = say(&edition);
        if let Some(repeatable) = &repeatable {
            repeatable.answer(&mut tx, &self.clock, &answer).await?;
        }
        tx.commit().await?;
        Ok(answer)
    }
}
