//! Use cases of endpoints: add, read, list, change, enable, disable, remove, give a new secret.

use huiyin_chassis::{
    Caller, Refusal, Tenant, Transaction,
    listing::{Field, Kind, Page, PageKey, PageRequest, Paging},
    repeat::{self, Repeatable},
    secret,
};
use uuid::Uuid;

use super::{
    convert::{self, Deleted, Shown},
    domain::Endpoint,
    signature, store,
};
use crate::{
    domain::{Medium, Purpose},
    events::Settled,
    message::domain::Lane,
    room::Room,
};

/// A tenant has at most so many: each event becomes one message for every endpoint that wants it.
const MOST: i64 = 100;
/// What the vault binds the secret of an endpoint to.
pub(crate) const SECRET: &str = "webhook secret";

const FIELDS: &[Field] = &[
    Field::of("state", Kind::Enum("huiyin.notification.v1.WebhookEndpointState")),
    Field::of("url", Kind::Text),
    Field::of("display_name", Kind::Text),
    Field::of("create_time", Kind::Time),
];
const ORDER: &[Field] = &[Field::of("create_time", Kind::Time)];

/// An endpoint that is to be added.
#[derive(Debug)]
pub(crate) struct NewEndpoint {
    pub(crate) display_name: String,
    pub(crate) url: String,
    pub(crate) purposes: Vec<Purpose>,
}

/// What an update asks for.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) display_name: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) purposes: Option<Vec<Purpose>>,
    pub(crate) etag: String,
}

impl Room {
    pub(crate) async fn create_endpoint(
        &self,
        tenant: &Tenant,
        repeat: Option<Repeatable>,
        new: NewEndpoint,
    ) -> Result<Shown, Refusal> {
        // Its name is looked up before the transaction, which would be open for as long as that takes. What comes of it counts
        // after the kept answer: a repeat gets that one wherever the name leads by now.
        let judged = self.poster.check(&new.url).await;
        let mut tx = self.database.tenant(tenant).await?;
        if let Some(answer) = self.answered_with_secret(&mut tx, tenant, repeat.as_ref()).await? {
            return Ok(answer);
        }
        judged?;
        if store::count(&mut tx, tenant).await? >= MOST {
            let problem = format!("{} has {MOST} endpoints already", tenant.name());
            return Err(Refusal::invalid_field("parent", problem));
        }
        let (id, now, plain) = (self.clock.id(), self.clock.now(), signature::new_secret());
        let endpoint = Endpoint {
            id,
            display_name: new.display_name,
            url: new.url,
            purposes: new.purposes,
            enabled: true,
            disable_reason: String::new(),
            secret: self.vault.seal(tenant, id, SECRET, &plain)?,
            previous_secret: None,
            revision: 1,
            create_time: now,
            update_time: now,
        };
        store::put(&mut tx, tenant, &endpoint).await?;
        let answer = self
            .answer_with_secret(&mut tx, tenant, repeat.as_ref(), &endpoint, plain)
            .await?;
        tx.commit().await?;
        Ok(answer)
    }

    pub(crate) async fn get_endpoint(&self, tenant: &Tenant, id: Uuid) -> Result<Shown, Refusal> {
        let mut tx = self.database.tenant(tenant).await?;
        let endpoint = store::get(&mut tx, tenant, id)
            .await?
            .ok_or_else(|| missing(tenant, id))?;
        Ok(self.show(tenant, &endpoint))
    }

    pub(crate) async fn list_endpoints(&self, tenant: &Tenant, paging: Paging<'_>) -> Result<Page<Shown>, Refusal> {
        let page = PageRequest::new(
            &self.page_tokens,
            tenant,
            "webhookEndpoints",
            paging.or_order_by("create_time"),
            (FIELDS, ORDER),
        )?;
        let mut tx = self.database.tenant(tenant).await?;
        let endpoints = store::list(&mut tx, tenant, &page).await?;
        let place = |endpoint: &Endpoint| PageKey {
            time: endpoint.create_time.as_microsecond(),
            id: endpoint.id.into(),
        };
        let page = page.page(&self.page_tokens, endpoints, place);
        let shown = page
            .entries
            .iter()
            .map(|endpoint| self.show(tenant, endpoint))
            .collect();
        Ok(Page {
            entries: shown,
            next_page_token: page.next_page_token,
        })
    }

    pub(crate) async fn update_endpoint(
        &self,
        tenant: &Tenant,
        repeat: Option<Repeatable>,
        id: Uuid,
        change: Change,
    ) -> Result<Shown, Refusal> {
        // As where one is added: before the transaction, and for no repeat.
        let judged = match &change.url {
            Some(url) => self.poster.check(url).await,
            None => Ok(()),
        };
        self.change_endpoint(tenant, repeat, id, &change.etag.clone(), async |endpoint, _| {
            judged?;
            endpoint.display_name = change.display_name.unwrap_or_else(|| endpoint.display_name.clone());
            endpoint.url = change.url.unwrap_or_else(|| endpoint.url.clone());
            endpoint.purposes = change.purposes.unwrap_or_else(|| endpoint.purposes.clone());
            Ok(true)
        })
        .await
    }

    pub(crate) async fn enable_endpoint(
        &self,
        tenant: &Tenant,
        repeat: Option<Repeatable>,
        id: Uuid,
        etag: &str,
    ) -> Result<Shown, Refusal> {
        self.change_endpoint(tenant, repeat, id, etag, async |endpoint, tx| {
            if endpoint.enabled {
                return Ok(false);
            }
            endpoint.enabled = true;
            endpoint.disable_reason.clear();
            store::set_attempts(tx, tenant, id, Some(self.clock.now())).await?;
            self.wake_after(tx, vec![Lane::Webhook]);
            Ok(true)
        })
        .await
    }

    pub(crate) async fn disable_endpoint(
        &self,
        tenant: &Tenant,
        repeat: Option<Repeatable>,
        id: Uuid,
        etag: &str,
        reason: &str,
    ) -> Result<Shown, Refusal> {
        self.change_endpoint(tenant, repeat, id, etag, async |endpoint, tx| {
            if !endpoint.enabled {
                return Ok(false);
            }
            endpoint.enabled = false;
            reason.clone_into(&mut endpoint.disable_reason);
            store::set_attempts(tx, tenant, id, None).await?;
            Ok(true)
        })
        .await
    }

    /// Locks the endpoint, checks the etag, changes it and keeps the answer; `change` says whether there was anything to change.
    async fn change_endpoint(
        &self,
        tenant: &Tenant,
        repeat: Option<Repeatable>,
        id: Uuid,
        etag: &str,
        change: impl AsyncFnOnce(&mut Endpoint, &mut Transaction) -> Result<bool, Refusal>,
    ) -> Result<Shown, Refusal> {
        let mut tx = self.database.tenant(tenant).await?;
        if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
            return Ok(answer);
        }
        let mut endpoint = lock(&mut tx, tenant, id, etag).await?;
        if change(&mut endpoint, &mut tx).await? {
            endpoint.revision += 1;
            endpoint.update_time = self.clock.now();
            store::put(&mut tx, tenant, &endpoint).await?;
        }
        let answer = self.show(tenant, &endpoint);
        repeat::commit(tx, &self.clock, repeat.as_ref(), answer).await
    }

    pub(crate) async fn delete_endpoint(
        &self,
        tenant: &Tenant,
        caller: &Caller,
        repeat: Option<Repeatable>,
        id: Uuid,
        etag: &str,
    ) -> Result<Deleted, Refusal> {
        let mut tx = self.database.tenant(tenant).await?;
        if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
            return Ok(answer);
        }
        lock(&mut tx, tenant, id, etag).await?;
        let ended = store::end_queued(&mut tx, tenant, id, "the endpoint was removed", self.clock.now()).await?;
        store::delete(&mut tx, tenant, id).await?;
        let settled = ended.iter().filter_map(|message| {
            let purpose = Purpose::of(message.purpose)?;
            let (id, work_order, attempts) = (message.id, message.work_order.as_str(), message.attempts);
            Some(
                Settled {
                    id,
                    work_order,
                    purpose,
                    medium: Medium::Webhook,
                    delivered: false,
                    attempts,
                }
                .event(tenant, &caller.subject),
            )
        });
        self.outbox.append_all(&mut tx, tenant, settled.collect()).await?;
        let answer = Deleted {
            dead_messages: i64::try_from(ended.len()).unwrap_or(i64::MAX),
        };
        repeat::commit(tx, &self.clock, repeat.as_ref(), answer).await
    }

    pub(crate) async fn rotate_secret(
        &self,
        tenant: &Tenant,
        repeat: Option<Repeatable>,
        id: Uuid,
        etag: &str,
    ) -> Result<Shown, Refusal> {
        let mut tx = self.database.tenant(tenant).await?;
        if let Some(answer) = self.answered_with_secret(&mut tx, tenant, repeat.as_ref()).await? {
            return Ok(answer);
        }
        let mut endpoint = lock(&mut tx, tenant, id, etag).await?;
        let plain = signature::new_secret();
        endpoint.rotate(self.vault.seal(tenant, id, SECRET, &plain)?, self.clock.now());
        endpoint.revision += 1;
        endpoint.update_time = self.clock.now();
        store::put(&mut tx, tenant, &endpoint).await?;
        let answer = self
            .answer_with_secret(&mut tx, tenant, repeat.as_ref(), &endpoint, plain)
            .await?;
        tx.commit().await?;
        Ok(answer)
    }

    fn show(&self, tenant: &Tenant, endpoint: &Endpoint) -> Shown {
        convert::endpoint(tenant, endpoint, String::new(), self.clock.now())
    }

    /// The answer that shows the secret. It is kept for a repeat with the secret sealed: no table holds one in the clear.
    async fn answer_with_secret(
        &self,
        tx: &mut Transaction,
        tenant: &Tenant,
        repeat: Option<&Repeatable>,
        endpoint: &Endpoint,
        plain: String,
    ) -> Result<Shown, Refusal> {
        if let Some(repeat) = repeat {
            let kept = convert::endpoint(tenant, endpoint, secret::to_text(&endpoint.secret), self.clock.now());
            repeat.answer(tx, &self.clock, &kept).await?;
        }
        Ok(convert::endpoint(tenant, endpoint, plain, self.clock.now()))
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
        let id = huiyin_chassis::name::stored_uuid(&answer.name)?;
        let sealed = secret::from_text(&answer.secret).unwrap_or_default();
        answer.secret = self.vault.open(tenant, id, SECRET, &sealed)?;
        Ok(Some(answer))
    }
}

fn missing(tenant: &Tenant, id: Uuid) -> Refusal {
    Refusal::not_found(&tenant.child("webhookEndpoints", id))
}

/// The endpoint, locked, as long as it is the one that the caller saw.
async fn lock(tx: &mut Transaction, tenant: &Tenant, id: Uuid, etag: &str) -> Result<Endpoint, Refusal> {
    let endpoint = store::lock(tx, tenant, id).await?.ok_or_else(|| missing(tenant, id))?;
    if !etag.is_empty() && etag != endpoint.etag() {
        return Err(Refusal::etag_mismatch(&tenant.child("webhookEndpoints", id)));
    }
    Ok(endpoint)
}
