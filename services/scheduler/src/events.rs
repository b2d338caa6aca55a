//! What the room does with the events of others: classifications open work orders, answers of customers reopen them.

use huiyin_chassis::{Refusal, Tenant, Transaction, name};
use huiyin_events::{Consume, Erased, Event, Payload, Whose};

use crate::{room::Room, store_erasure, work_order};

impl Consume for Room {
    /// Agents' loads are rows that work orders of all partitions change: they are held no longer than one event needs them.
    fn together(&self) -> usize {
        1
    }

    async fn consume(&self, tx: &mut Transaction, event: &Event) -> Result<(), Refusal> {
        let tenant = Tenant::stored(&event.tenant)?;
        match &event.payload {
            Some(Payload::FeedbackClassified(classified)) => {
                work_order::classified(self, tx, &tenant, work_order::classification(classified)?).await
            }
            Some(Payload::SurveyAnswered(answered)) if answered.reopen => {
                let order = answered.work_order.clone().unwrap_or_default();
                let id = name::stored_uuid(&order.work_order)?;
                work_order::survey_answered(self, tx, &tenant, id, order.episode, &answered.reason).await
            }
            _ => Ok(()),
        }
    }

    async fn erase(&self, tx: &mut Transaction, whose: &Whose) -> Result<Erased, Refusal> {
        store_erasure::erase(tx, whose).await
    }

    async fn export(&self, tx: &mut Transaction, whose: &Whose) -> Result<Vec<String>, Refusal> {
        store_erasure::export(tx, whose).await
    }
}
