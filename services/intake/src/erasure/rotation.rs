//! Wrapping keys anew, and sealing anew what was sealed before customers had keys.

use huiyin_chassis::{Refusal, Tenant, Transaction};

use super::store_keys::{self as store, Old};
use crate::{
    customer::store::{Asked, know},
    feedback::domain::Verbatim,
    room::Room,
    vault::{Sealed, Vault},
};

/// So much is done by one call, so that it ends within its deadline.
const KEYS: i64 = 2000;
const FEEDBACKS: i64 = 300;

/// What one call did.
pub(crate) struct Turn {
    pub(crate) rotated: i64,
    pub(crate) resealed: i64,
    pub(crate) left: i64,
}

impl Room {
    /// Wraps some keys anew and seals some feedbacks anew.
    pub(crate) async fn rotate_keys(&self, tenant: &Tenant) -> Result<Turn, Refusal> {
        let newest = self.vault.newest();
        let mut tx = self.ledger.database.tenant(tenant).await?;
        let mut keys = Vec::new();
        for (owner, bytes, version) in store::old_keys(&mut tx, tenant, newest, KEYS).await? {
            let key = self
                .vault
                .unwrap(tenant, owner, &crate::vault::Wrapped { bytes, version })?;
            keys.push((owner, self.vault.wrap(tenant, owner, &key)?));
        }
        store::rewrap(&mut tx, tenant, &keys).await?;
        tx.commit().await?;

        let mut tx = self.ledger.database.tenant(tenant).await?;
        let old = store::old_feedbacks(&mut tx, tenant, FEEDBACKS).await?;
        for feedback in &old {
            self.reseal(&mut tx, tenant, feedback).await?;
        }
        let left = store::left(&mut tx, tenant, newest).await?;
        tx.commit().await?;
        let count = |count: usize| i64::try_from(count).map_err(Refusal::fault);
        Ok(Turn {
            rotated: count(keys.len())?,
            resealed: count(old.len())?,
            left,
        })
    }

    async fn reseal(&self, tx: &mut Transaction, tenant: &Tenant, old: &Old) -> Result<(), Refusal> {
        let (candidate, wrapped) = self.vault.new_key(tenant, old.owner)?;
        let asked = vec![Asked {
            id: old.owner,
            candidate: Some(&wrapped.bytes),
        }];
        let (mut known, _) = know(tx, tenant, asked, wrapped.version).await?;
        let key = match known.remove(&old.owner).and_then(|known| known.key) {
            Some(stored) if stored != wrapped => self.vault.unwrap(tenant, old.owner, &stored)?,
            _ => candidate,
        };
        let contact = match &old.contact_sealed {
            Some(sealed) if Vault::is_old(sealed) => {
                let address = self.vault.contact(tenant, old.id, None, sealed)?;
                Some(key.seal(tenant, old.id, Sealed::Contact, address.as_bytes())?)
            }
            other => other.clone(),
        };
        let words = Verbatim {
            title: old.title.clone(),
            description: old.description.clone(),
            expectation: old.expectation.clone(),
            ..Verbatim::default()
        };
        let verbatim = if words.is_empty() {
            None
        } else {
            let bytes = serde_json::to_vec(&words).map_err(Refusal::fault)?;
            Some(key.seal(tenant, old.id, Sealed::Verbatim, &bytes)?)
        };
        store::reseal(tx, tenant, old.id, contact.as_deref(), verbatim.as_deref()).await
    }
}
