//! The use cases, each with its transaction.

use huiyin_chassis::{
    Refusal, Tenant, call,
    listing::{Page, PageKey, PageRequest},
    name,
    repeat::Repeatable,
};
use huiyin_events::Watch;
use jiff::Timestamp;
use uuid::Uuid;

use crate::feedback::{
    accept,
    convert::{self, Answer, Answers},
    domain::{Accepted, Contact, ContactKind, Draft, Feedback},
    store,
};
use crate::{error::Error, events::FEEDBACKS, room::Room};

/// What a watcher of feedback is told.
pub(crate) struct Watched {
    pub(crate) feedbacks: Vec<Feedback>,
    pub(crate) cursor: String,
}

impl Room {
    /// Takes one feedback in. The answer comes after the commit that it shared with others.
    pub(crate) async fn create(
        &self,
        tenant: Tenant,
        author: &str,
        draft: Draft,
        repeat: Option<Repeatable>,
    ) -> Result<Answer, Refusal> {
        let accepted = accept::accept(&self.ledger.clock, &self.vault, &tenant, author, draft);
        self.writer.submit(tenant, accepted, repeat).await
    }

    /// Takes several feedbacks in: all or none.
    pub(crate) async fn create_all(
        &self,
        tenant: &Tenant,
        author: &str,
        drafts: Vec<Draft>,
        repeat: Option<Repeatable>,
    ) -> Result<Answers, Refusal> {
        let accepted = drafts
            .into_iter()
            .map(|draft| accept::accept(&self.ledger.clock, &self.vault, tenant, author, draft));
        let mut accepted: Vec<Accepted> = accepted.collect();

        let mut tx = self.ledger.database.tenant(tenant).await?;
        if let Some(repeat) = &repeat
            && let Some(answers) = repeat.answered::<Answers>(&mut tx).await?
        {
            return Ok(answers);
        }
        tx.commit().await?;
        self.ledger.give_numbers(tenant, accepted.iter_mut().collect()).await?;

        let mut tx = self.ledger.database.tenant(tenant).await?;
        // Again: the commit gave the lock away that keeps a second one of this request waiting.
        if let Some(repeat) = &repeat
            && let Some(answers) = repeat.answered::<Answers>(&mut tx).await?
        {
            return Ok(answers);
        }
        let taken = self
            .ledger
            .store(&mut tx, tenant, &mut accepted.iter_mut().collect::<Vec<_>>())
            .await?;
        let first_taken = accepted
            .iter()
            .find_map(|accepted| Some((&accepted.feedback, taken.get(&accepted.feedback.id)?)));
        if let Some((feedback, holder)) = first_taken {
            let external_id = feedback.facts.external_id.clone();
            return Err(Error::ExternalIdTaken {
                external_id,
                feedback: tenant.child(FEEDBACKS, holder),
            }
            .into());
        }
        let answers = Answers {
            feedbacks: accepted
                .into_iter()
                .map(|accepted| convert::answer(tenant, accepted.feedback))
                .collect(),
        };
        if let Some(repeat) = &repeat {
            repeat.answer(&mut tx, &self.ledger.clock, &answers).await?;
        }
        tx.commit().await?;
        Ok(answers)
    }

    /// Reads one feedback.
    pub(crate) async fn get(&self, tenant: &Tenant, id: Uuid) -> Result<Feedback, Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        let found = store::feedbacks::by_ids(&mut tx, tenant, &[id]).await?.pop();
        tx.commit().await?;
        found.ok_or_else(|| missing(tenant, id))
    }

    /// Reads a page.
    pub(crate) async fn list(
        &self,
        tenant: &Tenant,
        paging: (i32, &str),
        filter: &str,
        order_by: &str,
    ) -> Result<Page<Feedback>, Refusal> {
        let (fields, order) = (store::feedbacks::FIELDS, store::feedbacks::ORDER);
        let request = PageRequest::new(
            &self.page_tokens,
            tenant,
            FEEDBACKS,
            paging,
            filter,
            order_by,
            fields,
            order,
        )?;
        let mut tx = self.ledger.database.tenant(tenant).await?;
        let feedbacks = store::feedbacks::list(&mut tx, tenant, &request).await?;
        tx.commit().await?;
        Ok(request.page(&self.page_tokens, feedbacks, |feedback| PageKey {
            time: feedback.create_time.as_microsecond(),
            id: feedback.id.into(),
        }))
    }

    /// Follows the log from a cursor on.
    pub(crate) async fn watch(&self, tenant: &Tenant, start_cursor: &str) -> Result<Watch, Refusal> {
        self.log.watch(tenant, &self.page_tokens, start_cursor).await
    }

    /// What was accepted since, in the order of the log; nothing in a checkpoint.
    pub(crate) async fn watched(&self, tenant: &Tenant, watch: &mut Watch) -> Result<Watched, Refusal> {
        let watched = watch.next().await?;
        let ids = watched
            .events
            .iter()
            .map(|event| name::stored_uuid(&event.subject))
            .collect::<Result<Vec<Uuid>, Refusal>>()?;
        let mut feedbacks = Vec::new();
        if !ids.is_empty() {
            let mut tx = self.ledger.database.tenant(tenant).await?;
            feedbacks = store::feedbacks::by_ids(&mut tx, tenant, &ids).await?;
            tx.commit().await?;
        }
        Ok(Watched {
            feedbacks,
            cursor: watched.cursor,
        })
    }

    /// Opens the contact of a feedback, where the customer left one, and says when the feedback was accepted. Who asked is
    /// logged, the address never (000-22).
    pub(crate) async fn reveal_contact(
        &self,
        tenant: &Tenant,
        id: Uuid,
        caller: &str,
    ) -> Result<(Option<Contact>, Timestamp), Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        let row = store::feedbacks::contact(&mut tx, tenant, id)
            .await?
            .ok_or_else(|| missing(tenant, id))?;
        tx.commit().await?;
        let key = row.key();
        let contact = match (row.contact_kind.and_then(ContactKind::of), row.contact_sealed) {
            (Some(kind), Some(sealed)) => {
                let key = key
                    .map(|wrapped| self.vault.unwrap(tenant, row.owner, &wrapped))
                    .transpose()?;
                Some(Contact {
                    kind,
                    address: self.vault.contact(tenant, id, key.as_ref(), &sealed)?,
                })
            }
            _ => None,
        };
        let caller = call::current().map_or_else(|| caller.to_owned(), |call| call.caller);
        tracing::info!(
            caller,
            feedback = tenant.child(FEEDBACKS, id),
            found = contact.is_some(),
            "a contact was revealed"
        );
        Ok((contact, row.create_time.to_jiff()))
    }
}

fn missing(tenant: &Tenant, id: Uuid) -> Refusal {
    Refusal::not_found(&tenant.child(FEEDBACKS, id))
}
