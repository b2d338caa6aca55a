//! A version, ready to read: its model, and the taxonomy whose rules are features of it.

use std::sync::Arc;

use huiyin_chassis::{Refusal, Tenant, Transaction};

use super::domain::Task;
use crate::{
    learning::{Model, Scratch},
    reading::{
        answers::About,
        aside,
        lexicon::Lexicon,
        verdict::{Scan, Statement},
    },
    room::Room,
};

/// Rules that are features: those of a version of the taxonomy, for what a task labels.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) lexicon: Arc<Lexicon>,
    pub(super) about: About,
}

impl Rules {
    /// What the rules find in a text. Conditions on product and channel never hold here: an example has neither.
    pub(super) fn hints(&self, text: &str) -> Vec<u32> {
        Scan::new(&self.lexicon, Statement::of(text)).hints(&self.about)
    }
}

/// A version that can be asked.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    pub(super) model: Arc<Model>,
    /// None for one that was trained without.
    pub(super) rules: Option<Rules>,
}

impl Reader {
    /// A version of a task; none where there is none.
    pub(super) async fn open(
        room: &Room,
        tx: &mut Transaction,
        tenant: &Tenant,
        task: &Task,
        version: i32,
    ) -> Result<Option<Self>, Refusal> {
        let Some(model) = room.models.version(tx, tenant, task, version).await? else {
            return Ok(None);
        };
        let rules = match model.rules().zip(task.about()) {
            Some((version, about)) => {
                let lexicon = room.lexicons.version(tx, tenant, version).await?;
                let gone = || Refusal::fault(anyhow::anyhow!("version {version} of the taxonomy is gone"));
                let lexicon = lexicon.ok_or_else(gone)?;
                Some(Rules { lexicon, about })
            }
            None => None,
        };
        Ok(Some(Self { model, rules }))
    }

    /// What the rules find in a text, as the model wants it.
    pub(super) fn hints(&self, text: &str) -> Vec<u32> {
        self.rules.as_ref().map(|rules| rules.hints(text)).unwrap_or_default()
    }

    /// The probability of each label.
    pub(super) fn read<'s>(&self, text: &str, scratch: &'s mut Scratch) -> &'s [f32] {
        match &self.rules {
            Some(rules) => {
                let scan = Scan::new(&rules.lexicon, Statement::of(text));
                self.model
                    .read_folded(scan.folded(), &scan.hints(&rules.about), scratch)
            }
            None => self.model.read(text, &[], scratch),
        }
    }

    /// The same of a text that was scanned already: where it was by the same version of the taxonomy, it is not scanned again.
    pub(super) async fn read_scanned<'s>(
        &self,
        scan: &Scan<'_>,
        scratch: &'s mut Scratch,
    ) -> Result<&'s [f32], Refusal> {
        let Some(rules) = &self.rules else {
            return Ok(self.model.read_folded(scan.folded(), &[], scratch));
        };
        let hints = if rules.lexicon.version == scan.taxonomy_version() {
            scan.hints(&rules.about)
        } else {
            let own = aside::scan(&rules.lexicon, Statement::of(scan.text())).await?;
            own.hints(&rules.about)
        };
        Ok(self.model.read_folded(scan.folded(), &hints, scratch))
    }
}
