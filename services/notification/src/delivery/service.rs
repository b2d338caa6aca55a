//! One attempt at one message: what must be asked before, over which medium, and how it is recorded.

use std::collections::BTreeMap;

use huiyin_chassis::{Refusal, Tenant, Transaction, secret, telemetry};
use tokio::time::Instant;
use tracing::Instrument as _;

use super::{
    domain::{Attempt, Failure, Next, Outcome},
    mail::{Letter, Mail},
    post::Parcel,
    store::{self, Record},
};
use crate::{
    domain::{Medium, MessageState},
    events::Settled,
    inbox,
    message::domain::{Lane, Message, Post, PostData},
    neighbors::Asked,
    room::Room,
    template::domain::canonical,
    webhook::{self, domain::Endpoint},
};

/// What keeps an attempt from being made, or `T` where nothing does.
type Ready<T> = Result<T, Outcome>;

impl Room {
    /// One attempt at one message, of the lane that it is in.
    pub(super) async fn attempt(
        &self,
        lane: Lane,
        tenant: &Tenant,
        endpoints: &[(Endpoint, Vec<String>)],
        message: Message,
    ) -> Attempt {
        let span = tracing::info_span!("delivery", ?lane, trace_id = tracing::field::Empty);
        telemetry::follow(&span, &message.traceparent);
        telemetry::name_trace(&span);
        let attempt = async {
            match lane {
                Lane::Inbox => Attempt::inbox(message, self.clock.now()),
                Lane::Direct => self.attempt_direct(tenant, message).await,
                Lane::Webhook => self.attempt_webhook(tenant, endpoints, message).await,
            }
        };
        attempt.instrument(span).await
    }

    /// By mail where the customer left such an address and there is a mail server, else into the inbox (003-50, 004-40).
    async fn attempt_direct(&self, tenant: &Tenant, message: Message) -> Attempt {
        let (start, began) = (self.clock.now(), Instant::now());
        let mut attempt = Attempt::inbox(message, start);
        match self.prepare_direct(&attempt.message).await {
            Err(outcome) => (attempt.medium, attempt.outcome) = (None, outcome),
            Ok((None, token)) => attempt.token = token,
            Ok((Some((mail, to)), token)) => {
                attempt.medium = Some(Medium::Mail);
                let Message {
                    id,
                    feedback,
                    subject,
                    create_time,
                    ..
                } = &attempt.message;
                let body = attempt.message.body_with(token.as_deref());
                attempt.outcome = mail
                    .send(Letter {
                        id: *id,
                        to: &to,
                        feedback,
                        subject,
                        body,
                        time: *create_time,
                    })
                    .await;
            }
        }
        attempt.duration = began.elapsed();
        tracing::debug!(%tenant, message = %attempt.message.id, outcome = ?attempt.outcome, "attempted");
        attempt
    }

    /// The mail address where it goes by mail, and the token where there is one.
    async fn prepare_direct(&self, message: &Message) -> Ready<(Option<(&Mail, String)>, Option<String>)> {
        let token = self.token_of(message).await?;
        let Some(mail) = self.mail.as_ref().filter(|_| message.medium != Some(Medium::Inbox)) else {
            return Ok((None, token));
        };
        match self.neighbors.mail_address(&message.feedback).await {
            Asked::Found(address) => Ok((Some((mail, address)), token)),
            Asked::Nothing(_) => Ok((None, token)),
            Asked::Later(why) => Err(Outcome::Postponed(why)),
        }
    }

    /// To an endpoint of the tenant.
    async fn attempt_webhook(
        &self,
        tenant: &Tenant,
        endpoints: &[(Endpoint, Vec<String>)],
        message: Message,
    ) -> Attempt {
        let (start, began) = (self.clock.now(), Instant::now());
        let endpoint = endpoints
            .iter()
            .find(|(endpoint, _)| Some(endpoint.id) == message.endpoint);
        let outcome = match endpoint {
            None => Outcome::Refused(Failure::of("the endpoint was removed")),
            Some((endpoint, _)) if !endpoint.enabled => Outcome::Parked(None),
            Some((endpoint, secrets)) => match self.token_of(&message).await {
                Err(outcome) => outcome,
                Ok(token) => match payload(tenant, &message, token.as_deref()) {
                    Err(error) => Outcome::Refused(Failure::of(error.to_string())),
                    Ok(body) => {
                        self.poster
                            .post(Parcel {
                                id: message.id,
                                url: &endpoint.url,
                                secrets: secrets.clone(),
                                body,
                                time: start,
                            })
                            .await
                    }
                },
            },
        };
        Attempt {
            message,
            medium: Some(Medium::Webhook),
            start,
            duration: began.elapsed(),
            outcome,
            token: None,
        }
    }

    /// The token that belongs into the message's text.
    async fn token_of(&self, message: &Message) -> Ready<Option<String>> {
        if message.invitation.is_empty() {
            return Ok(None);
        }
        match self.neighbors.invitation_token(&message.invitation).await {
            Asked::Found(token) => Ok(Some(token)),
            // Answered, expired or superseded: there is nothing left to ask for.
            Asked::Nothing(why) => Err(Outcome::Refused(Failure::of(why))),
            Asked::Later(why) => Err(Outcome::Postponed(why)),
        }
    }

    /// The endpoints of these messages, each with its secrets in force.
    pub(super) async fn endpoints(
        &self,
        tx: &mut Transaction,
        tenant: &Tenant,
        messages: &[Message],
    ) -> Result<Vec<(Endpoint, Vec<String>)>, Refusal> {
        let ids: Vec<_> = messages.iter().filter_map(|message| message.endpoint).collect();
        let endpoints = webhook::store::all(tx, tenant, &ids).await?;
        let opened = endpoints.into_iter().map(|endpoint| {
            let open = |sealed: &[u8]| self.vault.open(tenant, endpoint.id, webhook::service::SECRET, sealed);
            let mut secrets = vec![open(&endpoint.secret)?];
            if let Some((previous, _)) = endpoint.previous_secret_at(self.clock.now()) {
                secrets.push(open(previous)?);
            }
            Ok((endpoint, secrets))
        });
        opened.collect()
    }

    /// Records attempts: one transaction with the inbox items and the events of what settled.
    pub(super) async fn record(&self, tenant: &Tenant, attempts: Vec<Attempt>) -> Result<(), Refusal> {
        if attempts.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        let mut tx = self.database.tenant(tenant).await?;
        self.disable_gone(&mut tx, tenant, &attempts).await?;
        let mut records = Vec::with_capacity(attempts.len());
        for attempt in &attempts {
            let next = match attempt.next(&self.delivery, now, secret::random_fraction()) {
                // Enabled again in the meantime: then it need not wait.
                Next::Waits if !is_disabled(&mut tx, tenant, &attempt.message).await? => Next::At(now),
                next => next,
            };
            records.push(record_of(attempt, next));
        }
        let recorded = store::record(&mut tx, tenant, &records, now).await?;
        let settled: BTreeMap<_, _> = records
            .iter()
            .zip(attempts)
            .filter(|(record, _)| record.state != MessageState::Queued && recorded.binary_search(&record.id).is_ok())
            .map(|(record, attempt)| (record.id, (record.state == MessageState::Delivered, attempt)))
            .collect();
        for (delivered, attempt) in settled.values() {
            let after = now.duration_since(attempt.message.create_time);
            self.meters
                .settled(&mut tx, attempt.message.purpose, attempt.medium, *delivered, after);
        }
        self.lay_in(&mut tx, tenant, &settled).await?;
        let settled_events = settled.values().map(|(delivered, attempt)| {
            let Message {
                id,
                work_order,
                purpose,
                traceparent,
                ..
            } = &attempt.message;
            let medium = attempt.medium.or(attempt.message.medium).unwrap_or(Medium::Inbox);
            let attempts = attempt.message.attempts + i32::from(attempt.counts());
            let settled = Settled {
                id: *id,
                work_order,
                purpose: *purpose,
                medium,
                delivered: *delivered,
                attempts,
            };
            (settled.event(tenant, "system"), traceparent.clone())
        });
        self.outbox
            .append_traced(&mut tx, tenant, settled_events.collect())
            .await?;
        tx.commit().await
    }

    /// Lays into inboxes what was delivered there.
    async fn lay_in(
        &self,
        tx: &mut Transaction,
        tenant: &Tenant,
        settled: &BTreeMap<uuid::Uuid, (bool, Attempt)>,
    ) -> Result<(), Refusal> {
        let mut items = Vec::new();
        for (id, (delivered, attempt)) in settled {
            if !delivered || attempt.medium != Some(Medium::Inbox) {
                continue;
            }
            let seal = |token: &String| self.vault.seal(tenant, *id, inbox::service::TOKEN, token);
            let token = attempt.token.as_ref().map(seal).transpose()?;
            items.push(inbox::store::NewItem {
                id: *id,
                recipient: attempt.message.recipient.clone(),
                token,
            });
        }
        if items.is_empty() {
            return Ok(());
        }
        inbox::store::lay_in(tx, tenant, &items, self.clock.now()).await?;
        let recipients = items.iter().map(|item| item.recipient.as_str());
        self.bells.ring_after(tx, tenant, recipients);
        Ok(())
    }

    /// Disables the endpoints that have said that they are gone for good.
    async fn disable_gone(&self, tx: &mut Transaction, tenant: &Tenant, attempts: &[Attempt]) -> Result<(), Refusal> {
        for attempt in attempts {
            let (Outcome::Parked(Some(failure)), Some(id)) = (&attempt.outcome, attempt.message.endpoint) else {
                continue;
            };
            let Some(mut endpoint) = webhook::store::lock(tx, tenant, id).await? else {
                continue;
            };
            if endpoint.enabled {
                endpoint.enabled = false;
                endpoint.disable_reason.clone_from(&failure.error);
                endpoint.revision += 1;
                endpoint.update_time = self.clock.now();
                webhook::store::put(tx, tenant, &endpoint).await?;
                webhook::store::set_attempts(tx, tenant, id, None).await?;
            }
        }
        Ok(())
    }
}

/// Whether the message's endpoint is disabled; it stays so, or not, until the transaction ends.
async fn is_disabled(tx: &mut Transaction, tenant: &Tenant, message: &Message) -> Result<bool, Refusal> {
    let Some(id) = message.endpoint else { return Ok(false) };
    Ok(webhook::store::lock(tx, tenant, id)
        .await?
        .is_some_and(|endpoint| !endpoint.enabled))
}

fn record_of(attempt: &Attempt, next: Next) -> Record {
    let failure = attempt.failure().unwrap_or_else(|| match attempt.outcome {
        Outcome::Delivered { status_code } => Failure {
            status_code,
            error: String::new(),
        },
        _ => Failure::of(""),
    });
    Record {
        id: attempt.message.id,
        seen_total: attempt.message.total_attempts,
        counts: attempt.counts(),
        medium: attempt.medium,
        state: match next {
            Next::Settled(state) => state,
            Next::At(_) | Next::Waits => MessageState::Queued,
        },
        next: match next {
            Next::At(time) => Some(time),
            Next::Settled(_) | Next::Waits => None,
        },
        start: attempt.start,
        duration_us: i64::try_from(attempt.duration.as_micros()).unwrap_or(i64::MAX),
        status_code: failure.status_code,
        error: failure.error,
    }
}

/// What is posted: the same bytes with every attempt.
fn payload(tenant: &Tenant, message: &Message, token: Option<&str>) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Post {
        kind: format!("message.{}", message.purpose.name().to_ascii_lowercase()),
        timestamp: message.create_time.to_string(),
        data: PostData {
            message: tenant.child("messages", message.id),
            purpose: message.purpose,
            audience: message.audience,
            recipient: &message.recipient,
            work_order: &message.work_order,
            feedback: &message.feedback,
            episode: message.episode,
            locale: canonical(&message.locale),
            subject: &message.subject,
            body: message.body_with(token),
        },
    })
}
