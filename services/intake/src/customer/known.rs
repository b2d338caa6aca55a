//! What a feedback gets from its customer on its way into the store, for a whole batch at once: the customer itself, the tier, the
//! segments of this moment, and the key that seals what nobody may see.

use std::collections::BTreeMap;

use huiyin_chassis::{Refusal, Tenant, Transaction};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{
    domain::Segments,
    store::{self, Known},
};
use crate::{
    feedback::domain::{Accepted, Secrets},
    vault::{DataKey, Sealed, Vault, Wrapped},
};

/// What is asked for one identity, or one feedback without one.
struct Wanted {
    seals: bool,
    candidate: Option<(DataKey, Wrapped)>,
}

/// Completes a batch of one tenant. Until the transaction ends nobody joins customers or erases one.
///
/// # Errors
/// UNAVAILABLE where the database is gone; a fault where a key cannot be unwrapped.
pub(crate) async fn complete(
    tx: &mut Transaction,
    vault: &Vault,
    tenant: &Tenant,
    batch: &mut [&mut Accepted],
) -> Result<(), Refusal> {
    let mut wanted: BTreeMap<Uuid, Wanted> = BTreeMap::new();
    for accepted in &*batch {
        let seals = !accepted.secrets.is_empty();
        if seals || accepted.token.is_some() {
            wanted
                .entry(accepted.key_owner())
                .or_insert(Wanted {
                    seals: false,
                    candidate: None,
                })
                .seals |= seals;
        }
    }
    if wanted.is_empty() {
        return Ok(());
    }
    for (owner, wanted) in &mut wanted {
        if wanted.seals {
            wanted.candidate = Some(vault.new_key(tenant, *owner)?);
        }
    }
    let asked = wanted
        .iter()
        .map(|(id, wanted)| store::Asked {
            id: *id,
            candidate: wanted.candidate.as_ref().map(|(_, wrapped)| wrapped.bytes.as_slice()),
        })
        .collect();
    let (known, segments) = store::know(tx, tenant, asked, vault.newest()).await?;
    let segments = segments.unwrap_or_else(Segments::built_in);
    let mut keys = BTreeMap::new();
    for (owner, wanted) in wanted {
        let Some((candidate, wrapped)) = wanted.candidate else {
            continue;
        };
        let stored = known.get(&owner).and_then(|known| known.key.clone());
        let key = match stored {
            Some(stored) if stored == wrapped => candidate,
            Some(stored) => vault.unwrap(tenant, owner, &stored)?,
            None => return Err(Refusal::fault(anyhow::anyhow!("no key was made for {owner}"))),
        };
        keys.insert(owner, key);
    }
    for accepted in batch.iter_mut() {
        if let Some(key) = keys.get(&accepted.key_owner()) {
            seal(tenant, key, accepted)?;
        }
        if let Some(known) = accepted.token.and_then(|token| known.get(&token)) {
            accepted.feedback.customer = Some(known.customer);
            if accepted.facts_tier() == 0 {
                accepted.feedback.facts.tier = known.attributes.tier;
            }
        }
    }
    freeze(tx, tenant, &segments, &known, batch).await
}

fn seal(tenant: &Tenant, key: &DataKey, accepted: &mut Accepted) -> Result<(), Refusal> {
    let id = accepted.feedback.id;
    let Secrets { contact, verbatim } = &accepted.secrets;
    let contact = contact
        .as_ref()
        .map(|address| key.seal(tenant, id, Sealed::Contact, address.as_bytes()))
        .transpose()?;
    let verbatim = if verbatim.is_empty() {
        None
    } else {
        let words = serde_json::to_vec(verbatim).map_err(Refusal::fault)?;
        Some(key.seal(tenant, id, Sealed::Verbatim, &words)?)
    };
    accepted.contact = contact;
    accepted.sealed_verbatim = verbatim;
    Ok(())
}

/// Freezes the segments on the feedbacks.
async fn freeze(
    tx: &mut Transaction,
    tenant: &Tenant,
    segments: &Segments,
    known: &BTreeMap<Uuid, Known>,
    batch: &mut [&mut Accepted],
) -> Result<(), Refusal> {
    let spans = segments.spans();
    let customers: Vec<Uuid> = batch.iter().filter_map(|accepted| accepted.feedback.customer).collect();
    let mut counts: BTreeMap<(Uuid, i32), i64> = BTreeMap::new();
    if let Some(now) = batch.iter().map(|accepted| accepted.feedback.create_time).min() {
        for (&span, &most) in &spans {
            for (customer, count) in store::count(tx, tenant, &customers, began(now, span), most).await? {
                counts.insert((customer, span), count);
            }
        }
    }
    for accepted in batch.iter_mut() {
        let Some(known) = accepted.token.and_then(|token| known.get(&token)) else {
            continue;
        };
        let mut attributes = known.attributes.clone();
        attributes.tier = accepted.feedback.facts.tier;
        let mut own = BTreeMap::new();
        for &span in spans.keys() {
            // This one included, and those of the batch that came before it.
            let count = counts.entry((known.customer, span)).or_default();
            *count += 1;
            own.insert(span, *count);
        }
        accepted.feedback.segments = segments.of(&attributes, accepted.feedback.create_time, &own);
    }
    Ok(())
}

/// When a span of days began; 0 is for ever.
pub(crate) fn began(now: Timestamp, days: i32) -> Timestamp {
    if days == 0 {
        return Timestamp::UNIX_EPOCH;
    }
    now.saturating_sub(SignedDuration::from_hours(24 * i64::from(days)))
        .unwrap_or(Timestamp::UNIX_EPOCH)
}
