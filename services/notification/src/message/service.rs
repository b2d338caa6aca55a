//! Use cases of messages: tell what an event says, read, list, replay.

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    listing::{Field, Kind, Page, PageKey, PageRequest, Paging},
    repeat::{self, Repeatable},
};
use uuid::Uuid;

use super::{
    convert::{self, Shown},
    domain::{Delivery, Lane, Message, NewMessage, Telling},
    store,
};
use crate::{
    domain::{Medium, MessageState},
    room::Room,
};

const FIELDS: &[Field] = &[
    Field::at("work_order", "m.work_order", Kind::Text),
    Field::at("feedback", "m.feedback", Kind::Text),
    Field::at("episode", "m.episode", Kind::Integer),
    Field::at("purpose", "m.purpose", Kind::Enum("huiyin.notification.v1.Purpose")),
    Field::at("audience", "m.audience", Kind::Enum("huiyin.notification.v1.Audience")),
    Field::at("recipient", "m.recipient", Kind::Text),
    Field::at("medium", "m.medium", Kind::Enum("huiyin.notification.v1.Medium")),
    Field::at(
        "webhook_endpoint",
        "coalesce('tenants/' || m.tenant_id || '/webhookEndpoints/' || m.endpoint_id, '')",
        Kind::Text,
    ),
    Field::at("state", "m.state", Kind::Enum("huiyin.notification.v1.MessageState")),
    Field::at("event", "m.event_id", Kind::Text),
    Field::at("create_time", "m.create_time", Kind::Time),
    Field::at("settle_time", "m.settle_time", Kind::Time),
];
const ORDER: &[Field] = &[Field::at("create_time", "m.create_time", Kind::Time)];

impl Room {
    /// Queues what an event says has to be told, in the transaction that takes the event in. An event that was told before
    /// changes nothing, whatever has changed since (an endpoint added, a template saved).
    pub(crate) async fn tell(
        &self,
        tx: &mut Transaction,
        tenant: &Tenant,
        event: &str,
        tellings: Vec<Telling>,
    ) -> Result<(), Refusal> {
        let Some(first) = tellings.first() else { return Ok(()) };
        let known = store::known(tx, tenant, event, first.purpose).await?;
        if known.told {
            return Ok(());
        }
        let mut messages = Vec::new();
        for telling in tellings {
            let Telling {
                purpose,
                language,
                values,
                ..
            } = &telling;
            let written = self
                .write(tx, tenant, *purpose, language, &known.own_locales, values)
                .await?;
            // Without mail there is no address that could be told at: intake need not be asked.
            let medium = if telling.reachable && self.mail.is_some() {
                None
            } else {
                Some(Medium::Inbox)
            };
            let direct = NewMessage {
                id: self.clock.id(),
                purpose: telling.purpose,
                audience: telling.audience,
                recipient: telling.recipient,
                medium,
                endpoint: None,
                work_order: telling.work_order,
                feedback: telling.feedback,
                episode: telling.episode,
                invitation: telling.invitation,
                locale: written.locale,
                template_version: written.version,
                subject: written.words.subject,
                body: written.words.body,
            };
            let posts = known.endpoints.iter().map(|endpoint| NewMessage {
                id: self.clock.id(),
                medium: Some(Medium::Webhook),
                endpoint: Some(*endpoint),
                ..direct.clone()
            });
            messages.extend(posts);
            messages.push(direct);
        }
        store::queue(tx, tenant, event, &messages, self.clock.now()).await?;
        let mut lanes: Vec<Lane> = messages.iter().map(NewMessage::lane).collect();
        lanes.sort_unstable();
        lanes.dedup();
        self.wake_after(tx, lanes);
        Ok(())
    }

    /// One message with its attempts.
    pub(crate) async fn get_message(&self, tenant: &Tenant, id: Uuid) -> Result<(Message, Vec<Delivery>), Refusal> {
        let mut tx = self.database.tenant(tenant).await?;
        let message = store::get(&mut tx, tenant, id)
            .await?
            .ok_or_else(|| Refusal::not_found(&tenant.child("messages", id)))?;
        let deliveries = store::deliveries(&mut tx, tenant, id).await?;
        Ok((message, deliveries))
    }

    /// A page of messages, without their attempts.
    pub(crate) async fn list_messages(&self, tenant: &Tenant, paging: Paging<'_>) -> Result<Page<Message>, Refusal> {
        let page = PageRequest::new(&self.page_tokens, tenant, "messages", paging, (FIELDS, ORDER))?;
        let mut tx = self.database.tenant(tenant).await?;
        let messages = store::list(&mut tx, tenant, &page).await?;
        Ok(page.page(&self.page_tokens, messages, |message| PageKey {
            time: message.create_time.as_microsecond(),
            id: message.id.into(),
        }))
    }

    /// Queues a dead message again.
    pub(crate) async fn replay_message(
        &self,
        tenant: &Tenant,
        repeat: Option<Repeatable>,
        id: Uuid,
    ) -> Result<Shown, Refusal> {
        let name = tenant.child("messages", id);
        let mut tx = self.database.tenant(tenant).await?;
        if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
            return Ok(answer);
        }
        let message = store::lock(&mut tx, tenant, id)
            .await?
            .ok_or_else(|| Refusal::not_found(&name))?;
        if message.state != MessageState::Dead {
            return Err(Refusal::state_forbids(&name, message.state.name(), &["GetMessage"]));
        }
        let lane = Lane::of(message.medium, message.endpoint, &message.invitation);
        store::requeue(&mut tx, tenant, id, lane, self.clock.now()).await?;
        let message = store::get(&mut tx, tenant, id)
            .await?
            .ok_or_else(|| Refusal::not_found(&name))?;
        let deliveries = store::deliveries(&mut tx, tenant, id).await?;
        let answer = convert::message(tenant, &message, &deliveries);
        self.wake_after(&mut tx, vec![lane]);
        repeat::commit(tx, &self.clock, repeat.as_ref(), answer).await
    }
}
