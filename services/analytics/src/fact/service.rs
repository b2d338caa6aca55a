//! Lists facts, so that anybody can compute every number again.

use huiyin_chassis::{
    Refusal, Tenant,
    listing::{Field, Kind, Page, PageRequest, Paging},
};

use super::{domain::Fact, store};
use crate::{
    metric::{dimension::Dimension, service::AsOf, store::hold_still},
    room::Room,
};

/// By what facts are filtered: the dimensions of feedback, and these.
const FIELDS: &[Field] = &[
    Field::at("feedback", "s.feedback", Kind::Name),
    Field::at("number", "s.number", Kind::Text),
    Field::at("work_order", "s.work_order", Kind::Name),
    Field::at("state", "s.state", Kind::Enum("huiyin.event.v1.StateCategory")),
    Field::at("receive_time", "s.receive_time", Kind::Time),
    Field::at("last_event_time", "s.last_event_time", Kind::Time),
];
/// Facts whose feedback is not known to intake's events yet come first.
const ORDER: &[Field] = &[Field::at("receive_time", "s.order_time", Kind::Time)];

impl Room {
    /// One page of facts.
    pub(crate) async fn facts(&self, tenant: &Tenant, paging: Paging<'_>) -> Result<(Page<Fact>, AsOf), Refusal> {
        let mut fields = FIELDS.to_vec();
        fields.extend(Dimension::OF_FEEDBACK.iter().map(|dimension| dimension.field()));
        let request = PageRequest::new(
            &self.page_tokens,
            tenant,
            "feedbackFacts",
            paging.or_order_by("receive_time"),
            (&fields, ORDER),
        )?;
        self.wait_until_counted(tenant).await?;
        let mut tx = self.database.tenant(tenant).await?;
        hold_still(&mut tx).await?;
        let page = store::page(&mut tx, tenant, &request, &self.page_tokens).await?;
        let as_of = self.as_of(&mut tx, tenant).await?;
        tx.rollback().await;
        Ok((page, as_of))
    }
}
