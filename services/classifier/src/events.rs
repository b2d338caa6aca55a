//! What the room does with the events of others: what intake takes in is classified. Told are `FeedbackClassified`, from
//! `classification::service`, and `ProblemChanged`, from `problem::service`.

use huiyin_chassis::{Refusal, Tenant, Transaction};
use huiyin_events::{Consume, Erased, Event, Payload, Whose};

use crate::{classification, room::Room, store_erasure};

impl Consume for Room {
    async fn consume(&self, tx: &mut Transaction, event: &Event) -> Result<(), Refusal> {
        let tenant = Tenant::stored(&event.tenant)?;
        match &event.payload {
            Some(Payload::FeedbackSubmitted(submitted)) => {
                classification::submitted(self, tx, &tenant, submitted).await
            }
            _ => Ok(()),
        }
    }

    async fn erase(&self, tx: &mut Transaction, whose: &Whose) -> Result<Erased, Refusal> {
        store_erasure::erase(self, tx, whose).await
    }

    async fn export(&self, tx: &mut Transaction, whose: &Whose) -> Result<Vec<String>, Refusal> {
        store_erasure::export(tx, whose).await
    }
}
