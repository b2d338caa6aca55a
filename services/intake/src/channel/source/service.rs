//! Use cases of sources: add, read, list, change, enable, disable, give a new secret.

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    listing::{EntryId, Page, PageKey, PageRequest, Paging},
    repeat::{self, Repeatable},
    secret,
};
use jiff::Timestamp;

use super::{
    convert::{self, Shown},
    domain::Source,
    signature, store,
};
use crate::{error::Error, room::Room};

/// The collection in the names of sources.
pub(crate) const SOURCES: &str = "sources";
/// A tenant has at most so many.
const MOST: i64 = 1000;

/// What an update asks for.
pub(crate) struct Change {
    pub(crate) display_name: Option<String>,
    pub(crate) feedback_source: Option<String>,
    pub(crate) mappings: Option<Vec<(String, String)>>,
    pub(crate) fixed_fields: Option<Vec<(String, String)>>,
    pub(crate) keywords: Option<Vec<String>>,
    pub(crate) origins: Option<Vec<String>>,
    pub(crate) etag: String,
}

impl Room {
    pub(crate) async fn create_source(
        &self,
        tenant: &Tenant,
        repeat: Option<Repeatable>,
        mut source: Source,
    ) -> Result<Shown, Refusal> {
        checked(&source)?;
        let mut tx = self.ledger.database.tenant(tenant).await?;
        if let Some(answer) = self.answered_with_secret(&mut tx, tenant, repeat.as_ref()).await? {
            return Ok(answer);
        }
        if store::count(&mut tx, tenant).await? >= MOST {
            let problem = format!("{} has {MOST} sources already", tenant.name());
            return Err(Refusal::invalid_field("parent", problem));
        }
        let plain = signature::new_secret();
        source.secret = signature::seal(&self.vault, tenant, &source.id, &plain)?;
        if !store::add(&mut tx, tenant, &source).await? {
            return Err(Refusal::exists(&tenant.child(SOURCES, &source.id)));
        }
        let answer = self
            .answer_with_secret(&mut tx, tenant, repeat.as_ref(), &source, plain)
            .await?;
        tx.commit().await?;
        Ok(answer)
    }

    pub(crate) async fn get_source(&self, tenant: &Tenant, id: &str) -> Result<Shown, Refusal> {
        Ok(self.show_source(tenant, &self.source(tenant, id).await?))
    }

    /// The source of this id, to take in what it sends.
    ///
    /// # Errors
    /// NOT_FOUND where there is none.
    pub(crate) async fn source(&self, tenant: &Tenant, id: &str) -> Result<Source, Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        let source = store::get(&mut tx, tenant, id).await?;
        tx.commit().await?;
        source.ok_or_else(|| missing(tenant, id))
    }

    /// The secrets of a source that count now.
    pub(crate) fn secrets_of(&self, tenant: &Tenant, source: &Source, now: Timestamp) -> Result<Vec<String>, Refusal> {
        let previous = source.previous_secret_at(now).map(|(sealed, _)| sealed);
        std::iter::once(source.secret.as_slice())
            .chain(previous)
            .map(|sealed| signature::open(&self.vault, tenant, &source.id, sealed))
            .collect()
    }

    pub(crate) async fn list_sources(&self, tenant: &Tenant, paging: Paging<'_>) -> Result<Page<Shown>, Refusal> {
        let request = PageRequest::new(
            &self.page_tokens,
            tenant,
            SOURCES,
            paging.or_order_by("create_time"),
            (store::FIELDS, store::ORDER),
        )?;
        let mut tx = self.ledger.database.tenant(tenant).await?;
        let sources = store::list(&mut tx, tenant, &request).await?;
        tx.commit().await?;
        let page = request.page(&self.page_tokens, sources, |source| PageKey {
            time: source.create_time.as_microsecond(),
            id: EntryId::Text(source.id.clone()),
        });
        Ok(Page {
            entries: page
                .entries
                .iter()
                .map(|source| self.show_source(tenant, source))
                .collect(),
            next_page_token: page.next_page_token,
        })
    }

    pub(crate) async fn update_source(
        &self,
        tenant: &Tenant,
        repeat: Option<Repeatable>,
        id: &str,
        change: Change,
    ) -> Result<Shown, Refusal> {
        let etag = change.etag.clone();
        self.change_source(tenant, repeat, id, &etag, |source| {
            let before = source.clone();
            source.display_name = change.display_name.unwrap_or(before.display_name);
            source.feedback_source = change.feedback_source.unwrap_or(before.feedback_source);
            source.mappings = change.mappings.unwrap_or(before.mappings);
            source.fixed_fields = change.fixed_fields.unwrap_or(before.fixed_fields);
            source.keywords = change.keywords.unwrap_or(before.keywords);
            source.origins = change.origins.unwrap_or(before.origins);
            checked(source)?;
            Ok(true)
        })
        .await
    }

    pub(crate) async fn enable_source(
        &self,
        tenant: &Tenant,
        repeat: Option<Repeatable>,
        id: &str,
        etag: &str,
    ) -> Result<Shown, Refusal> {
        self.change_source(tenant, repeat, id, etag, |source| {
            source.disable_reason.clear();
            Ok(!std::mem::replace(&mut source.enabled, true))
        })
        .await
    }

    pub(crate) async fn disable_source(
        &self,
        tenant: &Tenant,
        repeat: Option<Repeatable>,
        id: &str,
        etag: &str,
        reason: &str,
    ) -> Result<Shown, Refusal> {
        self.change_source(tenant, repeat, id, etag, |source| {
            if !source.enabled {
                return Ok(false);
            }
            source.enabled = false;
            reason.clone_into(&mut source.disable_reason);
            Ok(true)
        })
        .await
    }

    /// Locks the source, checks the etag, changes it and keeps the answer; `change` says whether there was anything to change.
    async fn change_source(
        &self,
        tenant: &Tenant,
        repeat: Option<Repeatable>,
        id: &str,
        etag: &str,
        change: impl FnOnce(&mut Source) -> Result<bool, Refusal> + Send,
    ) -> Result<Shown, Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
            return Ok(answer);
        }
        let mut source = lock(&mut tx, tenant, id, etag).await?;
        if change(&mut source)? {
            source.revision += 1;
            source.update_time = self.ledger.clock.now();
            store::change(&mut tx, tenant, &source).await?;
        }
        let answer = self.show_source(tenant, &source);
        repeat::commit(tx, &self.ledger.clock, repeat.as_ref(), answer).await
    }

    pub(crate) async fn rotate_source_secret(
        &self,
        tenant: &Tenant,
        repeat: Option<Repeatable>,
        id: &str,
        etag: &str,
    ) -> Result<Shown, Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        if let Some(answer) = self.answered_with_secret(&mut tx, tenant, repeat.as_ref()).await? {
            return Ok(answer);
        }
        let mut source = lock(&mut tx, tenant, id, etag).await?;
        let plain = signature::new_secret();
        source.rotate(
            signature::seal(&self.vault, tenant, id, &plain)?,
            self.ledger.clock.now(),
        );
        source.revision += 1;
        source.update_time = self.ledger.clock.now();
        store::change(&mut tx, tenant, &source).await?;
        let answer = self
            .answer_with_secret(&mut tx, tenant, repeat.as_ref(), &source, plain)
            .await?;
        tx.commit().await?;
        Ok(answer)
    }

    fn show_source(&self, tenant: &Tenant, source: &Source) -> Shown {
        convert::source(tenant, source, String::new(), self.ledger.clock.now())
    }

    /// The answer that shows the secret. It is kept for a repeat with the secret sealed: no table holds one in the clear.
    async fn answer_with_secret(
        &self,
        tx: &mut Transaction,
        tenant: &Tenant,
        repeat: Option<&Repeatable>,
        source: &Source,
        plain: String,
    ) -> Result<Shown, Refusal> {
        let now = self.ledger.clock.now();
        if let Some(repeat) = repeat {
            let kept = convert::source(tenant, source, secret::to_text(&source.secret), now);
            repeat.answer(tx, &self.ledger.clock, &kept).await?;
        }
        Ok(convert::source(tenant, source, plain, now))
    }

    /// The kept answer, its secret opened.
    async fn answered_with_secret(
        &self,
        tx: &mut Transaction,
        tenant: &Tenant,
        repeat: Option<&Repeatable>,
    ) -> Result<Option<Shown>, Refusal> {
        let Some(repeat) = repeat else { return Ok(None) };
        let Some(mut answer) = repeat.answered::<Shown>(tx).await? else {
            return Ok(None);
        };
        let id = answer.name.rsplit('/').next().unwrap_or_default();
        let sealed = secret::from_text(&answer.secret).unwrap_or_default();
        answer.secret = signature::open(&self.vault, tenant, id, &sealed)?;
        Ok(Some(answer))
    }
}

fn checked(source: &Source) -> Result<(), Refusal> {
    let violations = source.check();
    if violations.is_empty() {
        Ok(())
    } else {
        Err(Refusal::invalid(violations))
    }
}

fn missing(tenant: &Tenant, id: &str) -> Refusal {
    Refusal::not_found(&tenant.child(SOURCES, id))
}

/// The source, locked, as long as it is the one that the caller saw.
async fn lock(tx: &mut Transaction, tenant: &Tenant, id: &str, etag: &str) -> Result<Source, Refusal> {
    let source = store::lock(tx, tenant, id).await?.ok_or_else(|| missing(tenant, id))?;
    if !etag.is_empty() && etag != source.etag() {
        return Err(Refusal::etag_mismatch(&tenant.child(SOURCES, id)));
    }
    Ok(source)
}

/// Refuses what a disabled source sends.
pub(crate) fn enabled(tenant: &Tenant, source: &Source) -> Result<(), Refusal> {
    if source.enabled {
        return Ok(());
    }
    Err(Error::SourceDisabled {
        source_name: tenant.child(SOURCES, &source.id),
    }
    .into())
}
