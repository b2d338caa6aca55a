//! The use cases of customers, each with its transaction.

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    repeat::{self, Repeatable},
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    convert::{self, Answer, SegmentAnswer},
    domain::{Attributes, Customer, Segments, masked},
    known::began,
    store,
};
use crate::{error::Error, events::CUSTOMERS, room::Room};

/// An edit of a customer.
pub(crate) struct Edit<'e> {
    pub(crate) id: Uuid,
    pub(crate) name: &'e str,
    pub(crate) etags: [&'e str; 2],
    pub(crate) paths: Option<&'e [String]>,
    pub(crate) said: Attributes,
}

impl Room {
    /// Reads a customer.
    pub(crate) async fn customer(&self, tenant: &Tenant, id: Uuid) -> Result<Customer, Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        let customer = self.read_customer(&mut tx, tenant, id).await?;
        tx.commit().await?;
        customer.ok_or_else(|| missing(tenant, id))
    }

    /// The customer whom an identity leads to, whether or not anything came from it.
    pub(crate) async fn resolve_customer(&self, tenant: &Tenant, token: Uuid) -> Result<Customer, Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        let id = resolved(&mut tx, tenant, token).await?;
        let customer = self.read_customer(&mut tx, tenant, id).await?;
        tx.commit().await?;
        Ok(customer.unwrap_or_else(|| Customer {
            id,
            attributes: Attributes::default(),
            segments: Vec::new(),
            history: Default::default(),
            identities: 0,
            revision: 0,
            update_time: None,
        }))
    }

    /// Says something of a customer.
    pub(crate) async fn update_customer(
        &self,
        tenant: &Tenant,
        edit: Edit<'_>,
        repeat: Option<Repeatable>,
    ) -> Result<Answer, Refusal> {
        let fields = masked(edit.paths, edit.said.given())
            .map_err(|path| Refusal::invalid_field("update_mask", format!("{path} cannot be set")))?;
        let mut tx = self.ledger.database.tenant(tenant).await?;
        if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
            return Ok(answer);
        }
        let now = self.ledger.clock.now();
        if self.read_customer(&mut tx, tenant, edit.id).await?.is_none() {
            return Err(missing(tenant, edit.id));
        }
        let before = store::said(&mut tx, tenant, edit.id, true).await?;
        let revision = before.as_ref().map_or(0, |said| said.revision);
        require_etag(&edit.etags, revision, edit.name)?;
        store::register(&mut tx, tenant, edit.id, now).await?;
        // Held from here on: who registered it meanwhile has said nothing yet.
        let mut said = store::said(&mut tx, tenant, edit.id, true)
            .await?
            .ok_or_else(|| missing(tenant, edit.id))?;
        said.attributes.set(&fields, edit.said);
        said.revision += 1;
        said.update_time = now;
        store::say(&mut tx, tenant, edit.id, &said).await?;
        self.answer(tx, tenant, edit.id, repeat.as_ref()).await
    }

    /// Joins the customers of these identities to that of the first.
    pub(crate) async fn link_identities(
        &self,
        tenant: &Tenant,
        tokens: &[Uuid],
        repeat: Option<Repeatable>,
    ) -> Result<Answer, Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
            return Ok(answer);
        }
        store::lock_all(&mut tx, tenant).await?;
        let customers = store::resolve(&mut tx, tenant, tokens).await?;
        let (Some(first), Some(target)) = (tokens.first(), customers.first().copied()) else {
            return Err(Refusal::invalid_field("identities", "must name one at least"));
        };
        store::lead(&mut tx, tenant, *first, target).await?;
        let mut joined = vec![target];
        for (token, customer) in tokens.iter().zip(&customers).skip(1) {
            if !joined.contains(customer) {
                store::join(&mut tx, tenant, *customer, target).await?;
                joined.push(*customer);
            }
            store::lead(&mut tx, tenant, *token, target).await?;
        }
        store::register(&mut tx, tenant, target, self.ledger.clock.now()).await?;
        self.answer(tx, tenant, target, repeat.as_ref()).await
    }

    /// Takes an identity away from a customer.
    pub(crate) async fn unlink_identity(
        &self,
        tenant: &Tenant,
        id: Uuid,
        token: Uuid,
        repeat: Option<Repeatable>,
    ) -> Result<Answer, Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
            return Ok(answer);
        }
        store::lock_all(&mut tx, tenant).await?;
        if self.read_customer(&mut tx, tenant, id).await?.is_none() {
            return Err(missing(tenant, id));
        }
        if resolved(&mut tx, tenant, token).await? != id {
            let customer = tenant.child(CUSTOMERS, id);
            return Err(Error::IdentityNotLinked { customer }.into());
        }
        // Never the pseudonym of its own hash again: that may have been erased in the meantime.
        let own = self.ledger.clock.id();
        store::lead(&mut tx, tenant, token, own).await?;
        store::move_feedback(&mut tx, tenant, token, id, own).await?;
        store::register(&mut tx, tenant, own, self.ledger.clock.now()).await?;
        self.answer(tx, tenant, own, repeat.as_ref()).await
    }

    /// The tenant's segments, their revision (0 for the built-in ones), and when they were set.
    pub(crate) async fn segments(&self, tenant: &Tenant) -> Result<(Segments, i64, Option<Timestamp>), Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        let set = store::segments(&mut tx, tenant, false).await?;
        tx.commit().await?;
        Ok(match set {
            Some((segments, revision, time)) => (segments, revision, Some(time)),
            None => (Segments::built_in(), 0, None),
        })
    }

    /// Sets the tenant's segments.
    pub(crate) async fn set_segments(
        &self,
        tenant: &Tenant,
        segments: Segments,
        etag: &str,
        name: &str,
        repeat: Option<Repeatable>,
    ) -> Result<SegmentAnswer, Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
            return Ok(answer);
        }
        let revision = store::segments(&mut tx, tenant, true)
            .await?
            .map_or(0, |(_, revision, _)| revision);
        require_etag(&[etag], revision, name)?;
        let now = self.ledger.clock.now();
        store::set_segments(&mut tx, tenant, &segments, revision + 1, now).await?;
        let answer = convert::segment_policy(tenant, segments, revision + 1, Some(now));
        repeat::commit(tx, &self.ledger.clock, repeat.as_ref(), answer).await
    }

    /// A customer; none where nobody is known by this id.
    pub(crate) async fn read_customer(
        &self,
        tx: &mut Transaction,
        tenant: &Tenant,
        id: Uuid,
    ) -> Result<Option<Customer>, Refusal> {
        let said = store::said(tx, tenant, id, false).await?;
        let (history, identities) = store::history(tx, tenant, id).await?;
        if said.is_none() && history.count == 0 && identities == 0 {
            return Ok(None);
        }
        let (attributes, revision, update_time) = match said {
            Some(said) => (said.attributes, said.revision, Some(said.update_time)),
            None => (Attributes::default(), 0, None),
        };
        let segments = store::segments(tx, tenant, false)
            .await?
            .map_or_else(Segments::built_in, |(segments, _, _)| segments);
        let now = self.ledger.clock.now();
        let mut counts = std::collections::BTreeMap::new();
        for (span, most) in segments.spans() {
            let counted = store::count(tx, tenant, &[id], began(now, span), most).await?;
            counts.insert(span, counted.first().map_or(0, |(_, count)| *count));
        }
        Ok(Some(Customer {
            id,
            segments: segments.of(&attributes, now, &counts),
            attributes,
            history,
            identities,
            revision,
            update_time,
        }))
    }

    async fn answer(
        &self,
        mut tx: Transaction,
        tenant: &Tenant,
        id: Uuid,
        repeat: Option<&Repeatable>,
    ) -> Result<Answer, Refusal> {
        let customer = self
            .read_customer(&mut tx, tenant, id)
            .await?
            .ok_or_else(|| missing(tenant, id))?;
        let answer = convert::customer(tenant, customer);
        repeat::commit(tx, &self.ledger.clock, repeat, answer).await
    }
}

async fn resolved(tx: &mut Transaction, tenant: &Tenant, token: Uuid) -> Result<Uuid, Refusal> {
    let found = store::resolve(tx, tenant, &[token]).await?;
    Ok(found.first().copied().unwrap_or(token))
}

/// Refuses where an etag was given that is not the current one.
pub(crate) fn require_etag(etags: &[&str], revision: i64, name: &str) -> Result<(), Refusal> {
    let current = revision.to_string();
    match etags.iter().any(|etag| !etag.is_empty() && **etag != current) {
        true => Err(Refusal::etag_mismatch(name)),
        false => Ok(()),
    }
}

pub(crate) fn missing(tenant: &Tenant, id: Uuid) -> Refusal {
    Refusal::not_found(&tenant.child(CUSTOMERS, id))
}
