//! The profiles in effect, kept ready. Whoever takes feedback in asks for one each time, and must not pay a round trip for it:
//! a replica that activates a version follows at once, the others within [`FRESH`].

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use huiyin_chassis::{Clock, Database, Refusal, Tenant, Transaction, shelf};
use jiff::{SignedDuration, Timestamp};

use super::domain::{Profile, rulebook::Rulebook};

/// So long is what was read taken for what is in effect.
const FRESH: SignedDuration = SignedDuration::from_secs(2);
/// So many tenants are kept; beyond, the table is emptied, and fills again.
const MOST: usize = 10_000;

/// Those of all tenants. Clones share them.
#[derive(Clone)]
pub(crate) struct Profiles {
    clock: Clock,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    by_tenant: HashMap<Tenant, (Arc<Rulebook>, Timestamp)>,
    /// Rises with every activation here: what was read before one is not kept after it.
    activations: u64,
}

impl Profiles {
    /// None is kept yet.
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            kept: Arc::default(),
        }
    }

    /// The one in effect.
    pub(crate) async fn active(&self, database: &Database, tenant: &Tenant) -> Result<Arc<Rulebook>, Refusal> {
        if let Some(rulebook) = self.fresh(tenant) {
            return Ok(rulebook);
        }
        let mut tx = database.tenant(tenant).await?;
        let rulebook = self.active_in(&mut tx, tenant).await?;
        tx.commit().await?;
        Ok(rulebook)
    }

    /// The one in effect, for who has a transaction already.
    pub(crate) async fn active_in(&self, tx: &mut Transaction, tenant: &Tenant) -> Result<Arc<Rulebook>, Refusal> {
        if let Some(rulebook) = self.fresh(tenant) {
            return Ok(rulebook);
        }
        let activations = self.kept().activations;
        let (profile, version) = shelf::active::<Profile>(tx, tenant).await?;
        let rulebook = self.ready(tenant, version, &profile)?;
        let now = self.clock.now();
        let mut kept = self.kept();
        if kept.activations == activations {
            if kept.by_tenant.len() >= MOST {
                kept.by_tenant.clear();
            }
            kept.by_tenant.insert(tenant.clone(), (rulebook.clone(), now));
        }
        Ok(rulebook)
    }

    /// A version was put into effect here.
    pub(crate) fn activated(&self, tenant: &Tenant) {
        let mut kept = self.kept();
        kept.activations += 1;
        kept.by_tenant.remove(tenant);
    }

    /// The same version is not made ready twice.
    fn ready(&self, tenant: &Tenant, version: i32, profile: &Profile) -> Result<Arc<Rulebook>, Refusal> {
        let before = self.kept().by_tenant.get(tenant).map(|(rulebook, _)| rulebook.clone());
        if let Some(rulebook) = before.filter(|rulebook| rulebook.version == version) {
            return Ok(rulebook);
        }
        let rulebook = Rulebook::new(version, profile).map_err(|violations| {
            Refusal::fault(anyhow::anyhow!(
                "version {version} of the validation profile does not hold: {violations:?}"
            ))
        })?;
        Ok(Arc::new(rulebook))
    }

    fn fresh(&self, tenant: &Tenant) -> Option<Arc<Rulebook>> {
        let now = self.clock.now();
        let kept = self.kept();
        let (rulebook, read) = kept.by_tenant.get(tenant)?;
        (now.duration_since(*read) < FRESH).then(|| rulebook.clone())
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
