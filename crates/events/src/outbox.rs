//! Writing events: a row in the transaction of the effect, so that neither exists without the other.

use std::sync::Arc;

use huiyin_chassis::{Clock, Refusal, Tenant, Transaction, secret, sql, telemetry};
use huiyin_proto::event::v1::{Event, event::Payload};
use jiff::SignedDuration;
use prost::Message as _;
use sqlx::{Postgres, QueryBuilder};
use tokio::sync::Notify;
use tracing::Span;
use uuid::Uuid;

use crate::strip;

/// The number of partitions of every log. Changing it would change the order of what is under way: it is for ever.
pub const PARTITIONS: i16 = 8;

/// What a use case says that happened.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Resource name of the aggregate that changed. Its row lock must be held: that is what keeps the order per subject.
    pub subject: String,
    /// Who caused it: a caller's subject, or `system`.
    pub actor: String,
    /// What happened.
    pub payload: Payload,
}

/// Where a service writes its events. Clones write to the same log.
#[derive(Debug, Clone)]
pub struct Outbox {
    source: &'static str,
    clock: Clock,
    written: Arc<Notify>,
}

impl Outbox {
    pub(crate) fn new(source: &'static str, clock: Clock) -> Self {
        Self {
            source,
            clock,
            written: Arc::new(Notify::new()),
        }
    }

    /// Fires after each commit of a transaction that wrote.
    pub(crate) fn written(&self) -> Arc<Notify> {
        Arc::clone(&self.written)
    }

    /// Writes one event.
    ///
    /// # Errors
    /// UNAVAILABLE where the database is gone.
    pub async fn append(&self, tx: &mut Transaction, tenant: &Tenant, event: NewEvent) -> Result<Event, Refusal> {
        let event = self.envelope(tenant, event, telemetry::current_traceparent());
        self.insert(tx, tenant, std::slice::from_ref(&event)).await?;
        Ok(event)
    }

    /// Writes several events of one tenant, in their order, with one statement.
    ///
    /// # Errors
    /// UNAVAILABLE where the database is gone.
    pub async fn append_all(
        &self,
        tx: &mut Transaction,
        tenant: &Tenant,
        events: Vec<NewEvent>,
    ) -> Result<(), Refusal> {
        let traceparent = telemetry::current_traceparent();
        let events = events.into_iter().map(|event| (event, traceparent.clone()));
        self.append_traced(tx, tenant, events.collect()).await
    }

    /// The same, each with the trace of what caused it.
    ///
    /// # Errors
    /// UNAVAILABLE where the database is gone.
    pub async fn append_traced(
        &self,
        tx: &mut Transaction,
        tenant: &Tenant,
        events: Vec<(NewEvent, String)>,
    ) -> Result<(), Refusal> {
        let events: Vec<Event> = events
            .into_iter()
            .map(|(event, traceparent)| self.envelope(tenant, event, traceparent))
            .collect();
        self.insert(tx, tenant, &events).await
    }

    /// For a group commit, which has the events written by the statement that stores what they tell of: pushes an `INSERT` into
    /// the outbox, to stand among the `WITH` queries of that statement. Each event comes with the key of the row that it tells of
    /// and with the trace of the call that caused it, as [`telemetry::current_traceparent`] said there. Written are those whose key
    /// is an `id` of the `WITH` query `stored`, in their order.
    pub fn push_each(
        &self,
        tx: &mut Transaction,
        statement: &mut QueryBuilder<Postgres>,
        tenant: &Tenant,
        events: Vec<(Uuid, NewEvent, String)>,
    ) {
        let (mut keys, mut partitions, mut bodies) = (Vec::new(), Vec::new(), Vec::new());
        for (key, event, traceparent) in events {
            let event = self.envelope(tenant, event, traceparent);
            keys.push(key);
            partitions.push(partition(&event.tenant, &event.subject));
            bodies.push(event.encode_to_vec());
        }
        statement
            .push("INSERT INTO events.outbox (tenant_id, partition, event) SELECT ")
            .push_bind(tenant.key().to_owned())
            .push(", partition, event FROM unnest(")
            .push_bind(keys)
            .push("::uuid[], ")
            .push_bind(partitions)
            .push("::smallint[], ")
            .push_bind(bodies)
            // IS TRUE: no join of two lists whose lengths the planner cannot know.
            .push(
                "::bytea[]) WITH ORDINALITY AS new (id, partition, event, place)
                 WHERE (id IN (SELECT id FROM stored)) IS TRUE ORDER BY place",
            );
        self.wake_after(tx);
    }

    fn envelope(&self, tenant: &Tenant, event: NewEvent, traceparent: String) -> Event {
        Event {
            id: self.clock.id().to_string(),
            source: self.source.to_owned(),
            tenant: tenant.key().to_owned(),
            subject: event.subject,
            occur_time: Some(sql::to_proto(self.clock.now())),
            traceparent,
            actor: event.actor,
            schema_version: 1,
            payload: Some(event.payload),
        }
    }

    async fn insert(&self, tx: &mut Transaction, tenant: &Tenant, events: &[Event]) -> Result<(), Refusal> {
        if events.is_empty() {
            return Ok(());
        }
        // Whoever says something of a feedback goes on with what another call may have begun.
        for event in events {
            telemetry::link(&Span::current(), origin(event.payload.as_ref()));
        }
        let partitions: Vec<i16> = events
            .iter()
            .map(|event| partition(&event.tenant, &event.subject))
            .collect();
        let bodies: Vec<Vec<u8>> = events.iter().map(prost::Message::encode_to_vec).collect();
        // WITH ORDINALITY: the ids must follow the order in which the events were given.
        sqlx::query(
            "INSERT INTO events.outbox (tenant_id, partition, event)
             SELECT $1, partition, event
             FROM unnest($2::smallint[], $3::bytea[]) WITH ORDINALITY AS new (partition, event, place)
             ORDER BY place",
        )
        .bind(tenant.key())
        .bind(&partitions)
        .bind(&bodies)
        .execute(&mut **tx)
        .await?;
        self.wake_after(tx);
        Ok(())
    }

    fn wake_after(&self, tx: &mut Transaction) {
        let written = self.written();
        tx.on_commit(move || written.notify_one());
    }
}

/// The trace of the call by which the feedback that an event is about was taken in; empty where there is none.
pub(crate) fn origin(payload: Option<&Payload>) -> &str {
    payload.and_then(strip::digest).map_or("", |digest| &digest.traceparent)
}

/// The partition of a subject: the same for ever, on every machine.
pub(crate) fn partition(tenant: &str, subject: &str) -> i16 {
    let hash = secret::hash(format!("{tenant}\u{1f}{subject}").as_bytes());
    i16::from(hash[0]) % PARTITIONS
}

/// How long the oldest event has waited for its position; zero where none waits.
pub(crate) async fn age(tx: &mut Transaction, clock: &Clock) -> Result<SignedDuration, Refusal> {
    let oldest: Option<Vec<u8>> = sqlx::query_scalar("SELECT event FROM events.outbox ORDER BY id LIMIT 1")
        .fetch_optional(&mut **tx)
        .await?;
    let since = oldest
        .and_then(|event| decode(&event).ok())
        .and_then(|event| sql::from_proto(event.occur_time.as_ref()));
    Ok(since.map_or(SignedDuration::ZERO, |since| {
        clock.now().duration_since(since).max(SignedDuration::ZERO)
    }))
}

/// Reads an event as it was stored.
pub(crate) fn decode(bytes: &[u8]) -> Result<Event, Refusal> {
    Event::decode(bytes).map_err(Refusal::fault)
}
