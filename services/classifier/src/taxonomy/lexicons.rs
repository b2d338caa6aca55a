//! Taxonomies that are ready to read with. Which version is in effect is asked anew in every transaction, so that all replicas
//! follow an activation at once; a version never changes, so what stands here is never stale.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use huiyin_chassis::{Refusal, Tenant, Transaction};

use super::{builtin::Builtin, store};
use crate::reading::lexicon::Lexicon;

/// Tenant and version.
type Key = (Tenant, i32);

/// Those of all tenants: the built-in one, and the versions used last.
pub(crate) struct Lexicons {
    /// Version 0 as people wrote it.
    pub(crate) builtin: Builtin,
    builtin_lexicon: Arc<Lexicon>,
    kept: Mutex<Kept>,
    limit: usize,
    budget: usize,
}

#[derive(Default)]
struct Kept {
    by_version: HashMap<Key, (Arc<Lexicon>, u64)>,
    bytes: usize,
    /// Rises with every use; the smallest has not been used for longest.
    uses: u64,
}

impl Lexicons {
    /// With room for `limit` versions and so many bytes beside the built-in one; one is kept even if it is larger.
    ///
    /// # Errors
    /// Where the built-in taxonomy cannot be read.
    pub(crate) fn new(limit: usize, budget: usize) -> anyhow::Result<Self> {
        let builtin = Builtin::load()?;
        let builtin_lexicon = Arc::new(Lexicon::new(0, &builtin.content)?);
        Ok(Self {
            builtin,
            builtin_lexicon,
            kept: Mutex::default(),
            limit: limit.max(1),
            budget,
        })
    }

    /// The version in effect.
    pub(crate) async fn active(&self, tx: &mut Transaction, tenant: &Tenant) -> Result<Arc<Lexicon>, Refusal> {
        let version = store::active_version(tx, tenant).await?;
        let lexicon = self.version(tx, tenant, version).await?;
        lexicon.ok_or_else(|| {
            Refusal::fault(anyhow::anyhow!(
                "version {version} of the taxonomy is in effect and has no content"
            ))
        })
    }

    /// A version; none where the tenant has no such version.
    pub(crate) async fn version(
        &self,
        tx: &mut Transaction,
        tenant: &Tenant,
        version: i32,
    ) -> Result<Option<Arc<Lexicon>>, Refusal> {
        if version == 0 {
            return Ok(Some(self.builtin()));
        }
        let key = (tenant.clone(), version);
        if let Some(lexicon) = self.take(&key) {
            return Ok(Some(lexicon));
        }
        let Some(content) = store::content(tx, tenant, version).await? else {
            return Ok(None);
        };
        let lexicon = Arc::new(Lexicon::new(version, &content).map_err(Refusal::fault)?);
        self.put(key, lexicon.clone());
        Ok(Some(lexicon))
    }

    /// The built-in version.
    pub(crate) fn builtin(&self) -> Arc<Lexicon> {
        self.builtin_lexicon.clone()
    }

    fn take(&self, key: &Key) -> Option<Arc<Lexicon>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.uses += 1;
        let now = kept.uses;
        let (lexicon, used) = kept.by_version.get_mut(key)?;
        *used = now;
        Some(lexicon.clone())
    }

    fn put(&self, key: Key, lexicon: Arc<Lexicon>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.uses += 1;
        let now = kept.uses;
        kept.bytes += lexicon.bytes();
        if let Some((before, _)) = kept.by_version.insert(key, (lexicon, now)) {
            kept.bytes -= before.bytes();
        }
        while kept.by_version.len() > self.limit || kept.bytes > self.budget && kept.by_version.len() > 1 {
            let oldest = kept.by_version.iter().min_by_key(|(_, (_, used))| *used);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else {
                break;
            };
            if let Some((lexicon, _)) = kept.by_version.remove(&oldest) {
                kept.bytes -= lexicon.bytes();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_for_longest_makes_room() {
        let lexicons = Lexicons::new(2, usize::MAX).unwrap();
        let key = |version| (Tenant::stored("acme").unwrap(), version);
        lexicons.put(key(1), lexicons.builtin());
        lexicons.put(key(2), lexicons.builtin());
        assert!(lexicons.take(&key(1)).is_some());
        lexicons.put(key(3), lexicons.builtin());
        assert!(lexicons.take(&key(1)).is_some());
        assert!(lexicons.take(&key(2)).is_none());
        assert!(lexicons.take(&key(3)).is_some());
        // Nor is there room for many that are large.
        let small = Lexicons::new(100, lexicons.builtin().bytes()).unwrap();
        small.put(key(1), small.builtin());
        small.put(key(1), small.builtin());
        assert!(small.take(&key(1)).is_some());
        small.put(key(2), small.builtin());
        assert!(small.take(&key(1)).is_none() && small.take(&key(2)).is_some());
    }
}
