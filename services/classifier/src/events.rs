//! What the room does with the events of others: what intake takes in is classified. Told is `FeedbackClassified`, from
//! `classification::service`.

use huiyin_chassis::{Refusal, Tenant, Transaction};
use huiyin_events::{Consume, Event, Payload};

use crate::{classification, room::Room};

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
}
