//! Use cases of API keys: make, read, list, change, rotate, revoke, verify.

use std::{num::NonZeroU32, sync::Arc};

use huiyin_chassis::{
    Caller, Refusal, Tenant, Transaction,
    auth::{self, ApiKeys, KnownKey},
    listing::{EntryId, Page, PageKey, PageRequest, Paging},
    rate::Rate,
    repeat::{self, Repeatable},
    secret,
};
use jiff::{SignedDuration, Timestamp};

use super::{
    convert::{self, Shown},
    domain::ApiKey,
    store,
};
use crate::room::Room;

/// The collection in the names of keys.
pub(crate) const API_KEYS: &str = "apiKeys";
/// A tenant has at most so many.
const MOST: i64 = 1000;
/// That a key is used is noted no more often than this.
const NOTED: SignedDuration = SignedDuration::from_mins(1);

/// What an update asks for.
pub(crate) struct Change {
    pub(crate) display_name: Option<String>,
    pub(crate) roles: Option<Vec<String>>,
    pub(crate) expire_time: Option<Option<Timestamp>>,
    pub(crate) calls_per_second: Option<i32>,
    pub(crate) etag: String,
}

impl Room {
    pub(crate) async fn create_api_key(
        &self,
        tenant: &Tenant,
        caller: &Caller,
        repeat: Option<Repeatable>,
        mut api_key: ApiKey,
    ) -> Result<Shown, Refusal> {
        allowed(&api_key, None, caller, api_key.create_time)?;
        let mut tx = self.ledger.database.tenant(tenant).await?;
        if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
            return Ok(answer);
        }
        if store::count(&mut tx, tenant).await? >= MOST {
            let problem = format!("{} has {MOST} API keys already", tenant.name());
            return Err(Refusal::invalid_field("parent", problem));
        }
        let key = auth::new_key_of(tenant, &api_key.id);
        api_key.hash = secret::hash(key.as_bytes()).to_vec();
        if !store::add(&mut tx, tenant, &api_key).await? {
            return Err(Refusal::exists(&tenant.child(API_KEYS, &api_key.id)));
        }
        self.show_key_once(tx, tenant, repeat, &api_key, key).await
    }

    pub(crate) async fn get_api_key(&self, tenant: &Tenant, id: &str) -> Result<Shown, Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        let api_key = store::get(&mut tx, tenant, id).await?;
        tx.commit().await?;
        Ok(self.show_api_key(tenant, &api_key.ok_or_else(|| missing(tenant, id))?))
    }

    pub(crate) async fn list_api_keys(&self, tenant: &Tenant, paging: Paging<'_>) -> Result<Page<Shown>, Refusal> {
        let request = PageRequest::new(
            &self.page_tokens,
            tenant,
            API_KEYS,
            paging.or_order_by("create_time"),
            (store::FIELDS, store::ORDER),
        )?;
        let mut tx = self.ledger.database.tenant(tenant).await?;
        let api_keys = store::list(&mut tx, tenant, &request).await?;
        tx.commit().await?;
        let page = request.page(&self.page_tokens, api_keys, |api_key| PageKey {
            time: api_key.create_time.as_microsecond(),
            id: EntryId::Text(api_key.id.clone()),
        });
        Ok(Page {
            entries: page
                .entries
                .iter()
                .map(|api_key| self.show_api_key(tenant, api_key))
                .collect(),
            next_page_token: page.next_page_token,
        })
    }

    pub(crate) async fn update_api_key(
        &self,
        tenant: &Tenant,
        caller: &Caller,
        repeat: Option<Repeatable>,
        id: &str,
        change: Change,
    ) -> Result<Shown, Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
            return Ok(answer);
        }
        let before = lock(&mut tx, tenant, id, &change.etag).await?;
        in_force(tenant, &before)?;
        let now = self.ledger.clock.now();
        let stood = before.expire_time;
        let mut api_key = ApiKey {
            display_name: change.display_name.unwrap_or(before.display_name),
            roles: change.roles.unwrap_or(before.roles),
            expire_time: change.expire_time.unwrap_or(before.expire_time),
            calls_per_second: change.calls_per_second.unwrap_or(before.calls_per_second),
            ..before
        };
        allowed(&api_key, stood, caller, now)?;
        self.store_change(&mut tx, tenant, &mut api_key).await?;
        let answer = self.show_api_key(tenant, &api_key);
        repeat::commit(tx, &self.ledger.clock, repeat.as_ref(), answer).await
    }

    pub(crate) async fn rotate_api_key(
        &self,
        tenant: &Tenant,
        caller: &Caller,
        repeat: Option<Repeatable>,
        id: &str,
        etag: &str,
        overlap: Option<prost_types::Duration>,
    ) -> Result<Shown, Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
            return Ok(answer);
        }
        let mut api_key = lock(&mut tx, tenant, id, etag).await?;
        in_force(tenant, &api_key)?;
        let now = self.ledger.clock.now();
        // Whoever gets the new key may do what it may do.
        allowed(&api_key, api_key.expire_time, caller, now)?;
        let key = auth::new_key_of(tenant, id);
        let hash = secret::hash(key.as_bytes()).to_vec();
        api_key.rotate(hash, convert::overlap_end(overlap, now), now);
        self.store_change(&mut tx, tenant, &mut api_key).await?;
        self.show_key_once(tx, tenant, repeat, &api_key, key).await
    }

    pub(crate) async fn revoke_api_key(
        &self,
        tenant: &Tenant,
        repeat: Option<Repeatable>,
        id: &str,
        etag: &str,
        reason: String,
    ) -> Result<Shown, Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
            return Ok(answer);
        }
        let mut api_key = lock(&mut tx, tenant, id, etag).await?;
        if !api_key.revoked {
            api_key.revoked = true;
            api_key.revoke_reason = reason;
            api_key.previous = None;
            self.store_change(&mut tx, tenant, &mut api_key).await?;
        }
        let answer = self.show_api_key(tenant, &api_key);
        repeat::commit(tx, &self.ledger.clock, repeat.as_ref(), answer).await
    }

    /// What the key of this hash may do and until when, where it is good; and that it is used.
    ///
    /// # Errors
    /// NOT_FOUND where it is not good.
    pub(crate) async fn verify_api_key(
        &self,
        tenant: &Tenant,
        id: &str,
        hash: &[u8],
    ) -> Result<(ApiKey, Option<Timestamp>), Refusal> {
        let now = self.ledger.clock.now();
        let mut tx = self.ledger.database.tenant(tenant).await?;
        let api_key = store::get(&mut tx, tenant, id).await?;
        let good = api_key.and_then(|api_key| Some((api_key.good_until(hash, now)?, api_key)));
        let Some((until, api_key)) = good else {
            return Err(missing(tenant, id));
        };
        let since = now.saturating_sub(NOTED).unwrap_or(now);
        if api_key.last_use_time.is_none_or(|last| last <= since) {
            store::used(&mut tx, tenant, id, since, now).await?;
        }
        tx.commit().await?;
        Ok((api_key, until))
    }

    async fn store_change(&self, tx: &mut Transaction, tenant: &Tenant, api_key: &mut ApiKey) -> Result<(), Refusal> {
        api_key.revision += 1;
        api_key.update_time = self.ledger.clock.now();
        store::change(tx, tenant, api_key).await
    }

    /// Keeps the answer without the key, and gives it with it: a key stands nowhere but in its owner's hands.
    async fn show_key_once(
        &self,
        tx: Transaction,
        tenant: &Tenant,
        repeat: Option<Repeatable>,
        api_key: &ApiKey,
        key: String,
    ) -> Result<Shown, Refusal> {
        let kept = self.show_api_key(tenant, api_key);
        let kept = repeat::commit(tx, &self.ledger.clock, repeat.as_ref(), kept).await?;
        Ok(Shown { key, ..kept })
    }

    fn show_api_key(&self, tenant: &Tenant, api_key: &ApiKey) -> Shown {
        convert::shown(tenant, api_key, String::new(), self.ledger.clock.now())
    }
}

/// The keys, for those who call intake itself.
pub(crate) struct OurKeys(pub(crate) Arc<Room>);

impl std::fmt::Debug for OurKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OurKeys")
    }
}

#[tonic::async_trait]
impl ApiKeys for OurKeys {
    async fn verify(&self, tenant: &Tenant, id: &str, hash: &[u8; 32]) -> Result<Option<KnownKey>, Refusal> {
        match self.0.verify_api_key(tenant, id, hash).await {
            Ok((api_key, until)) => Ok(Some(KnownKey {
                roles: api_key.roles,
                until,
                rate: u32::try_from(api_key.calls_per_second)
                    .ok()
                    .and_then(NonZeroU32::new)
                    .map(Rate::steady),
            })),
            Err(refusal) if refusal.code() == tonic::Code::NotFound => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }
}

/// Refuses a key that cannot be, and one that may do more than the caller. Who has got hold of a key must not keep a way in beyond its
/// end, nor take it from its owner: keys make no keys and change none.
fn allowed(api_key: &ApiKey, stood: Option<Timestamp>, caller: &Caller, now: Timestamp) -> Result<(), Refusal> {
    caller.as_person()?;
    let violations = api_key.check(stood, now);
    if !violations.is_empty() {
        return Err(Refusal::invalid(violations));
    }
    match api_key.beyond(caller) {
        Some(permission) => Err(Refusal::permission_missing(&permission)),
        None => Ok(()),
    }
}

fn in_force(tenant: &Tenant, api_key: &ApiKey) -> Result<(), Refusal> {
    if api_key.revoked {
        return Err(Refusal::state_forbids(
            &tenant.child(API_KEYS, &api_key.id),
            "REVOKED",
            &[],
        ));
    }
    Ok(())
}

fn missing(tenant: &Tenant, id: &str) -> Refusal {
    Refusal::not_found(&tenant.child(API_KEYS, id))
}

/// The key, locked, as long as it is the one that the caller saw.
async fn lock(tx: &mut Transaction, tenant: &Tenant, id: &str, etag: &str) -> Result<ApiKey, Refusal> {
    let api_key = store::lock(tx, tenant, id).await?.ok_or_else(|| missing(tenant, id))?;
    if !etag.is_empty() && etag != api_key.etag() {
        return Err(Refusal::etag_mismatch(&tenant.child(API_KEYS, id)));
    }
    Ok(api_key)
}
