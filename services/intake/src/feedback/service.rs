//! The use cases, each with its transaction.

use huiyin_chassis::{
    Refusal, Tenant, call,
    listing::{Page, PageKey, PageRequest, Paging},
    name,
    repeat::{self, Repeatable},
    server::Language,
};
use huiyin_events::{Payload, Watch};
use jiff::Timestamp;
use uuid::Uuid;

use crate::feedback::{
    accept,
    convert::{self, Answer, Answers},
    domain::{Accepted, Contact, ContactKind, Draft, Feedback},
    store,
};
use crate::{error::Error, events::FEEDBACKS, room::Room, status::token, validation::service::admit};

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
        language: Language,
    ) -> Result<Answer, Refusal> {
        let rulebook = self.profiles.active(&self.ledger.database, &tenant).await?;
        let mut admitted =
            admit(&rulebook, draft, self.ledger.clock.now(), language, "feedback").map_err(Refusal::invalid)?;
        self.say_types(&tenant, &mut admitted.draft.facts).await?;
        let accepted = accept::accept(&self.ledger.clock, &self.vault, &tenant, author, admitted);
        let answer = self.writer.submit(tenant.clone(), accepted, repeat).await?;
        self.with_token(&tenant, answer)
    }

    /// What `create` would say of a feedback without storing it: the answer that its request got before; none where it is new, and
    /// nothing is wrong about it. For whoever keeps files for what is taken alone.
    pub(crate) async fn foresee(
        &self,
        tenant: &Tenant,
        draft: Draft,
        repeat: &Repeatable,
        language: Language,
    ) -> Result<Option<Answer>, Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        let before = repeat.answered::<Answer>(&mut tx).await?;
        tx.commit().await?;
        if let Some(answer) = before {
            return self.with_token(tenant, answer).map(Some);
        }
        let rulebook = self.profiles.active(&self.ledger.database, tenant).await?;
        admit(&rulebook, draft, self.ledger.clock.now(), language, "feedback").map_err(Refusal::invalid)?;
        Ok(None)
    }

    /// The answer to whoever handed a feedback in: only they get the token for its customer. It is added last, so that it is
    /// kept nowhere.
    fn with_token(&self, tenant: &Tenant, answer: Answer) -> Result<Answer, Refusal> {
        let status_token = token::mint(&self.vault, tenant, name::stored_uuid(&answer.name)?);
        Ok(Answer { status_token, ..answer })
    }

    fn with_tokens(&self, tenant: &Tenant, answers: Answers) -> Result<Answers, Refusal> {
        let feedbacks = answers
            .feedbacks
            .into_iter()
            .map(|answer| self.with_token(tenant, answer));
        Ok(Answers {
            feedbacks: feedbacks.collect::<Result<_, _>>()?,
        })
    }

    /// Takes several feedbacks in: all or none.
    pub(crate) async fn create_all(
        &self,
        tenant: &Tenant,
        author: &str,
        drafts: Vec<Draft>,
        repeat: Option<Repeatable>,
        language: Language,
    ) -> Result<Answers, Refusal> {
        let rulebook = self.profiles.active(&self.ledger.database, tenant).await?;
        let now = self.ledger.clock.now();
        let (mut admitted, mut violations) = (Vec::with_capacity(drafts.len()), Vec::new());
        for (index, draft) in drafts.into_iter().enumerate() {
            match admit(&rulebook, draft, now, language, &format!("feedbacks[{index}]")) {
                Ok(draft) => admitted.push(draft),
                Err(more) => violations.extend(more),
            }
        }
        if !violations.is_empty() {
            return Err(Refusal::invalid(violations));
        }
        let mut accepted = Vec::with_capacity(admitted.len());
        for mut admitted in admitted {
            self.say_types(tenant, &mut admitted.draft.facts).await?;
            accepted.push(accept::accept(
                &self.ledger.clock,
                &self.vault,
                tenant,
                author,
                admitted,
            ));
        }

        let mut tx = self.ledger.database.tenant(tenant).await?;
        if let Some(repeat) = &repeat
            && let Some(answers) = repeat.answered::<Answers>(&mut tx).await?
        {
            return self.with_tokens(tenant, answers);
        }
        tx.commit().await?;
        self.ledger.give_numbers(tenant, accepted.iter_mut().collect()).await?;

        let mut tx = self.ledger.database.tenant(tenant).await?;
        // Again: the commit gave the lock away that keeps a second one of this request waiting.
        if let Some(repeat) = &repeat
            && let Some(answers) = repeat.answered::<Answers>(&mut tx).await?
        {
            return self.with_tokens(tenant, answers);
        }
        let mut incomplete: Vec<&mut Accepted> = accepted.iter_mut().collect();
        self.ledger.complete(&mut tx, tenant, &mut incomplete).await?;
        let feedbacks: Vec<&Accepted> = accepted.iter().collect();
        let taken = self.ledger.store(&mut tx, tenant, &feedbacks, &[]).await?.taken;
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
        let answers = repeat::commit(tx, &self.ledger.clock, repeat.as_ref(), answers).await?;
        self.with_tokens(tenant, answers)
    }

    /// Reads one feedback.
    pub(crate) async fn get(&self, tenant: &Tenant, id: Uuid) -> Result<Feedback, Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        let found = store::feedbacks::by_ids(&mut tx, tenant, &[id]).await?.pop();
        tx.commit().await?;
        found.ok_or_else(|| missing(tenant, id))
    }

    /// Reads a page, of all or of what is set aside.
    pub(crate) async fn list(
        &self,
        tenant: &Tenant,
        paging: Paging<'_>,
        quarantined: bool,
    ) -> Result<Page<Feedback>, Refusal> {
        let request = PageRequest::new(
            &self.page_tokens,
            tenant,
            if quarantined { "quarantinedFeedbacks" } else { FEEDBACKS },
            paging,
            (store::feedbacks::FIELDS, store::feedbacks::ORDER),
        )?;
        let mut tx = self.ledger.database.tenant(tenant).await?;
        let feedbacks = store::feedbacks::list(&mut tx, tenant, &request, quarantined).await?;
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
            // What is set aside is told when it is let go; a merge is no new feedback.
            .filter(|event| matches!(event.payload, Some(Payload::FeedbackSubmitted(_))))
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
