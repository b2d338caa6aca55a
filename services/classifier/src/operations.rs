//! The room's long work, by its kinds: each subject carries out its own.

use huiyin_chassis::{
    Refusal,
    operations::{CarryOut, Ended, Run},
};

use crate::{classification::reclassification, model::training, room::Room};

impl CarryOut for Room {
    const KINDS: &'static [&'static str] = &[reclassification::KIND, training::KIND];

    async fn carry_out(&self, run: &Run) -> Result<Ended, Refusal> {
        match run.kind.as_str() {
            reclassification::KIND => reclassification::carry_out(self, run).await,
            training::KIND => training::carry_out(self, run).await,
            kind => Err(Refusal::fault(anyhow::anyhow!(
                "{kind} is no kind of operation of this room"
            ))),
        }
    }
}
