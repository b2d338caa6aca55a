//! Models that are ready to decide with. Which version is in effect is asked anew in every transaction, so that all replicas follow
//! an activation at once; a version never changes, so what stands here is never stale.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use huiyin_chassis::{Refusal, Tenant, Transaction};

use super::{
    domain::{Content, UsedFor},
    presets::{self, Preset},
    store,
};
use crate::reading::fold;

/// So many versions, of all tenants together, are kept ready; a model takes a few kilobytes.
const KEPT: usize = 512;

/// A version, ready.
#[derive(Debug, PartialEq)]
pub(crate) struct Model {
    pub(crate) version: i32,
    /// With its words folded.
    pub(crate) content: Content,
    /// As far as customers with the same problem are counted; 0: nobody asks.
    pub(crate) most_customers: i32,
}

impl Model {
    /// Makes a version ready.
    pub(crate) fn new(version: i32, mut content: Content) -> Self {
        let fold = |condition: &mut super::domain::Condition| {
            for term in &mut condition.terms {
                *term = fold::fold_term(term);
            }
        };
        for dimension in &mut content.dimensions {
            dimension.rules.iter_mut().for_each(|rule| fold(&mut rule.condition));
        }
        content.overrides.iter_mut().for_each(|rule| fold(&mut rule.condition));
        Self {
            version,
            most_customers: content.most_customers(),
            content,
        }
    }
}

/// Those of all tenants: the built-in ones, and versions that were asked for.
pub(crate) struct Models {
    presets: Vec<Preset>,
    builtin: [Arc<Model>; 2],
    kept: Mutex<HashMap<(Tenant, UsedFor, i32), Arc<Model>>>,
}

impl Models {
    /// # Errors
    /// Where a preset cannot be read.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let presets = presets::load()?;
        let builtin = |used_for| {
            let preset = presets
                .iter()
                .find(|preset| preset.key == presets::builtin_key(used_for));
            let content = preset.map(|preset| preset.content.clone());
            content
                .map(|content| Arc::new(Model::new(0, content)))
                .ok_or_else(|| anyhow::anyhow!("there is no preset for {used_for:?}"))
        };
        Ok(Self {
            builtin: [builtin(UsedFor::Case)?, builtin(UsedFor::Improvement)?],
            presets,
            kept: Mutex::default(),
        })
    }

    /// All presets.
    pub(crate) fn presets(&self) -> &[Preset] {
        &self.presets
    }

    /// A preset.
    pub(crate) fn preset(&self, key: &str) -> Option<&Preset> {
        self.presets.iter().find(|preset| preset.key == key)
    }

    /// The preset that is version 0.
    ///
    /// # Errors
    /// A fault where it is missing; [`Models::new`] has looked.
    pub(super) fn builtin_preset(&self, used_for: UsedFor) -> Result<&Preset, Refusal> {
        let key = presets::builtin_key(used_for);
        self.preset(key)
            .ok_or_else(|| Refusal::fault(anyhow::anyhow!("there is no preset {key}")))
    }

    /// The built-in version.
    pub(crate) fn builtin(&self, used_for: UsedFor) -> Arc<Model> {
        let [case, improvement] = &self.builtin;
        match used_for {
            UsedFor::Case => case.clone(),
            UsedFor::Improvement => improvement.clone(),
        }
    }

    /// The version in effect.
    pub(crate) async fn active(
        &self,
        tx: &mut Transaction,
        tenant: &Tenant,
        used_for: UsedFor,
    ) -> Result<Arc<Model>, Refusal> {
        let version = store::active_version(tx, tenant, used_for).await?;
        let model = self.version(tx, tenant, used_for, version).await?;
        model.ok_or_else(|| {
            Refusal::fault(anyhow::anyhow!(
                "version {version} of the priority model is in effect and has no content"
            ))
        })
    }

    /// A version; none where the tenant has no such version.
    pub(crate) async fn version(
        &self,
        tx: &mut Transaction,
        tenant: &Tenant,
        used_for: UsedFor,
        version: i32,
    ) -> Result<Option<Arc<Model>>, Refusal> {
        if version == 0 {
            return Ok(Some(self.builtin(used_for)));
        }
        let key = (tenant.clone(), used_for, version);
        let known = self
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .cloned();
        if known.is_some() {
            return Ok(known);
        }
        let Some(content) = store::content(tx, tenant, used_for, version).await? else {
            return Ok(None);
        };
        let model = Arc::new(Model::new(version, content));
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.clear(); // those in use are read again, one statement each
        }
        kept.insert(key, model.clone());
        Ok(Some(model))
    }
}
