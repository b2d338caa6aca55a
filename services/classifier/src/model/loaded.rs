//! Versions that are ready to read with, of all tenants together in a budget of memory. A version never changes, so what stands
//! here is never stale; which one is active is asked in every transaction.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use huiyin_chassis::{Refusal, Tenant, Transaction};
use jiff::Timestamp;

use super::{domain::Task, judging::aside, store_models};
use crate::learning::Model;

/// Tenant, task with the time when it was made, and version: a task that is made again begins at 1 again.
type Key = (Tenant, String, Timestamp, i32);

/// Those that were used last.
pub(crate) struct Loaded {
    kept: Mutex<Kept>,
    budget: usize,
}

#[derive(Default)]
struct Kept {
    by_key: HashMap<Key, Entry>,
    bytes: usize,
    /// Rises with every use; the smallest has not been used for longest.
    uses: u64,
}

struct Entry {
    model: Arc<Model>,
    bytes: usize,
    used: u64,
}

impl Loaded {
    /// With a budget in bytes, measured by what the versions take in the database; one is kept even if it is larger.
    pub(crate) fn new(budget: usize) -> Self {
        Self {
            kept: Mutex::default(),
            budget,
        }
    }

    /// A version; none where there is no such version.
    pub(crate) async fn version(
        &self,
        tx: &mut Transaction,
        tenant: &Tenant,
        task: &Task,
        version: i32,
    ) -> Result<Option<Arc<Model>>, Refusal> {
        let key = (tenant.clone(), task.id.clone(), task.create_time, version);
        if let Some(model) = self.take(&key) {
            return Ok(Some(model));
        }
        let Some(content) = store_models::content(tx, tenant, &task.id, version).await? else {
            return Ok(None);
        };
        let bytes = content.len();
        let model = aside(move || Model::from_bytes(&content))
            .await?
            .map_err(Refusal::fault)?;
        let model = Arc::new(model);
        self.put(key, model.clone(), bytes);
        Ok(Some(model))
    }

    fn take(&self, key: &Key) -> Option<Arc<Model>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.uses += 1;
        let now = kept.uses;
        let entry = kept.by_key.get_mut(key)?;
        entry.used = now;
        Some(entry.model.clone())
    }

    fn put(&self, key: Key, model: Arc<Model>, bytes: usize) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.uses += 1;
        let used = kept.uses;
        if let Some(before) = kept.by_key.insert(key, Entry { model, bytes, used }) {
            kept.bytes -= before.bytes;
        }
        kept.bytes += bytes;
        while kept.bytes > self.budget && kept.by_key.len() > 1 {
            let oldest = kept.by_key.iter().min_by_key(|(_, entry)| entry.used);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else {
                break;
            };
            if let Some(entry) = kept.by_key.remove(&oldest) {
                kept.bytes -= entry.bytes;
            }
        }
    }

    /// Forgets the versions of a task that is gone; nobody asks for them again.
    pub(super) fn forget(&self, tenant: &Tenant, task: &str) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = &mut *kept;
        kept.by_key.retain(|(owner, of, ..), entry| {
            let stays = owner != tenant || of != task;
            if !stays {
                kept.bytes -= entry.bytes;
            }
            stays
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learning::Options;

    #[test]
    fn what_was_not_used_for_longest_makes_room() {
        let labels = ["a".to_owned(), "b".to_owned()];
        let examples = [("好", 0), ("坏", 1), ("很好", 0), ("很坏", 1)];
        let model = Model::train(&labels, &examples, None, &Options::default(), &mut |_| true).unwrap();
        let model = Arc::new(model);
        let loaded = Loaded::new(100);
        let key = |version| {
            (
                Tenant::stored("acme").unwrap(),
                "t".to_owned(),
                Timestamp::UNIX_EPOCH,
                version,
            )
        };
        loaded.put(key(1), model.clone(), 40);
        loaded.put(key(2), model.clone(), 40);
        assert!(loaded.take(&key(1)).is_some());
        loaded.put(key(3), model.clone(), 40);
        assert!(loaded.take(&key(2)).is_none() && loaded.take(&key(1)).is_some());
        // A task that is made again has nothing of the one before, wherever that was deleted.
        let again = Timestamp::from_second(1).unwrap();
        assert!(
            loaded
                .take(&(Tenant::stored("acme").unwrap(), "t".to_owned(), again, 1))
                .is_none()
        );
        // One larger than the budget is kept, alone.
        loaded.put(key(4), model, 400);
        assert!(loaded.take(&key(4)).is_some() && loaded.take(&key(1)).is_none());
        loaded.forget(&Tenant::stored("acme").unwrap(), "t");
        assert!(loaded.take(&key(4)).is_none());
        assert_eq!(loaded.kept.lock().unwrap().bytes, 0);
    }
}
