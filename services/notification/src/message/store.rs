//! All SQL about messages, except for their delivery.

use huiyin_chassis::{Refusal, Tenant, Transaction, listing::PageRequest, sql, telemetry};
use jiff_sqlx::Timestamp;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::domain::{Delivery, Lane, Message, NewMessage};
use crate::domain::{Audience, Medium, MessageState, Purpose};

/// Messages that one statement queues: each binds 19 values, and a statement holds 65,535 of them.
const AT_ONCE: usize = 1_000;

/// Begins every statement that reads messages; `d` is the message's place in the queue, where it has one.
macro_rules! select_messages {
    ($rest:literal) => {
        concat!(
            "SELECT m.id, m.event_id, m.purpose, m.audience, m.recipient, m.medium, m.endpoint_id, m.state, m.attempts, m.total_attempts,
                    d.next_attempt_time, m.last_error, m.work_order, m.feedback, m.episode, m.invitation, m.locale, m.template_version,
                    m.subject, m.body, m.create_time, m.settle_time, m.traceparent
             FROM message m
             LEFT JOIN due_message d ON d.tenant_id = m.tenant_id AND d.message_id = m.id
             WHERE m.tenant_id = ",
            $rest
        )
    };
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    event_id: String,
    purpose: i16,
    audience: i16,
    recipient: String,
    medium: i16,
    endpoint_id: Option<Uuid>,
    state: i16,
    attempts: i32,
    total_attempts: i32,
    next_attempt_time: Option<Timestamp>,
    last_error: String,
    work_order: String,
    feedback: String,
    episode: i32,
    invitation: String,
    locale: String,
    template_version: i32,
    subject: String,
    body: String,
    create_time: Timestamp,
    settle_time: Option<Timestamp>,
    traceparent: String,
}

impl TryFrom<Row> for Message {
    type Error = Refusal;

    fn try_from(row: Row) -> Result<Self, Refusal> {
        let broken = |column: &str| Refusal::fault(anyhow::anyhow!("message.{column} of {} is not known", row.id));
        Ok(Self {
            id: row.id,
            purpose: Purpose::of(row.purpose).ok_or_else(|| broken("purpose"))?,
            audience: Audience::of(row.audience).ok_or_else(|| broken("audience"))?,
            medium: Medium::of(row.medium),
            state: MessageState::of(row.state).ok_or_else(|| broken("state"))?,
            event: row.event_id,
            recipient: row.recipient,
            endpoint: row.endpoint_id,
            attempts: row.attempts,
            total_attempts: row.total_attempts,
            next_attempt_time: row.next_attempt_time.map(Timestamp::to_jiff),
            last_error: row.last_error,
            work_order: row.work_order,
            feedback: row.feedback,
            episode: row.episode,
            invitation: row.invitation,
            locale: row.locale,
            template_version: row.template_version,
            subject: row.subject,
            body: row.body,
            create_time: row.create_time.to_jiff(),
            settle_time: row.settle_time.map(Timestamp::to_jiff),
            traceparent: row.traceparent,
        })
    }
}

/// What must be known before an event is told.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Known {
    /// True where it has been told already.
    pub(crate) told: bool,
    /// The enabled endpoints that want messages of this purpose.
    pub(crate) endpoints: Vec<Uuid>,
    /// Locales in which the tenant has a template of its own for this purpose.
    pub(crate) own_locales: Vec<String>,
}

pub(crate) async fn known(
    tx: &mut Transaction,
    tenant: &Tenant,
    event: &str,
    purpose: Purpose,
) -> Result<Known, Refusal> {
    Ok(sqlx::query_as(
        "SELECT EXISTS (SELECT FROM message WHERE tenant_id = $1 AND event_id = $2) AS told,
                ARRAY(SELECT id FROM webhook_endpoint
                      WHERE tenant_id = $1 AND state = 1 AND (purposes = '{}' OR $3 = ANY (purposes))
                      ORDER BY id) AS endpoints,
                ARRAY(SELECT DISTINCT locale FROM template WHERE tenant_id = $1 AND purpose = $3) AS own_locales",
    )
    .bind(tenant.key())
    .bind(event)
    .bind(purpose.number())
    .fetch_one(&mut **tx)
    .await?)
}

/// Queues messages for now; one that the event has led to before is left as it is.
pub(crate) async fn queue(
    tx: &mut Transaction,
    tenant: &Tenant,
    event: &str,
    messages: &[NewMessage],
    now: jiff::Timestamp,
) -> Result<(), Refusal> {
    for some in messages.chunks(AT_ONCE) {
        queue_some(tx, tenant, event, some, now).await?;
    }
    Ok(())
}

async fn queue_some(
    tx: &mut Transaction,
    tenant: &Tenant,
    event: &str,
    messages: &[NewMessage],
    now: jiff::Timestamp,
) -> Result<(), Refusal> {
    let traceparent = telemetry::current_traceparent();
    let mut query = QueryBuilder::new(
        "WITH queued AS (
             INSERT INTO message (tenant_id, event_id, create_time, state, id, purpose, audience, recipient, medium, endpoint_id,
                                  work_order, feedback, episode, invitation, locale, template_version, subject, body, traceparent) ",
    );
    query.push_values(messages, |mut row, message| {
        row.push_bind(tenant.key().to_owned())
            .push_bind(event.to_owned())
            .push_bind(sql::time(now));
        row.push_bind(MessageState::Queued.number())
            .push_bind(message.id)
            .push_bind(message.purpose.number());
        row.push_bind(message.audience.number())
            .push_bind(message.recipient.clone());
        row.push_bind(message.medium.map_or(0, Medium::number))
            .push_bind(message.endpoint);
        row.push_bind(message.work_order.clone())
            .push_bind(message.feedback.clone())
            .push_bind(message.episode);
        row.push_bind(message.invitation.clone())
            .push_bind(message.locale.clone())
            .push_bind(message.template_version);
        row.push_bind(message.subject.clone())
            .push_bind(message.body.clone())
            .push_bind(traceparent.clone());
    });
    query.push(
        " ON CONFLICT DO NOTHING RETURNING tenant_id, id, endpoint_id, create_time), lane AS (SELECT * FROM unnest(",
    );
    query
        .push_bind(messages.iter().map(|message| message.id).collect::<Vec<_>>())
        .push("::uuid[], ");
    query
        .push_bind(
            messages
                .iter()
                .map(|message| message.lane().number())
                .collect::<Vec<_>>(),
        )
        .push("::smallint[]");
    query.push(
        ") AS lane (id, number))
         INSERT INTO due_message (tenant_id, message_id, lane, endpoint_id, next_attempt_time)
         SELECT q.tenant_id, q.id, l.number, q.endpoint_id, q.create_time FROM queued q JOIN lane l ON l.id = q.id",
    );
    query.build().execute(&mut **tx).await?;
    Ok(())
}

pub(crate) async fn get(tx: &mut Transaction, tenant: &Tenant, id: Uuid) -> Result<Option<Message>, Refusal> {
    let row: Option<Row> = sqlx::query_as(select_messages!("$1 AND m.id = $2"))
        .bind(tenant.key())
        .bind(id)
        .fetch_optional(&mut **tx)
        .await?;
    row.map(TryInto::try_into).transpose()
}

/// As [`get`], and nobody else changes it until the transaction ends.
pub(crate) async fn lock(tx: &mut Transaction, tenant: &Tenant, id: Uuid) -> Result<Option<Message>, Refusal> {
    let row: Option<Row> = sqlx::query_as(select_messages!("$1 AND m.id = $2 FOR UPDATE OF m"))
        .bind(tenant.key())
        .bind(id)
        .fetch_optional(&mut **tx)
        .await?;
    row.map(TryInto::try_into).transpose()
}

/// Those of these messages that are still queued.
pub(crate) async fn queued(tx: &mut Transaction, tenant: &Tenant, ids: &[Uuid]) -> Result<Vec<Message>, Refusal> {
    let rows: Vec<Row> = sqlx::query_as(select_messages!("$1 AND m.id = ANY ($2) AND m.state = 1"))
        .bind(tenant.key())
        .bind(ids)
        .fetch_all(&mut **tx)
        .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

pub(crate) async fn list(tx: &mut Transaction, tenant: &Tenant, page: &PageRequest) -> Result<Vec<Message>, Refusal> {
    let mut query = QueryBuilder::new(select_messages!(""));
    query.push_bind(tenant.key().to_owned());
    page.push(&mut query, "m.id");
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

pub(crate) async fn deliveries(tx: &mut Transaction, tenant: &Tenant, id: Uuid) -> Result<Vec<Delivery>, Refusal> {
    let rows: Vec<(i32, Timestamp, i64, bool, i32, String)> = sqlx::query_as(
        "SELECT ordinal, start_time, duration_us, delivered, status_code, error
         FROM delivery
         WHERE tenant_id = $1 AND message_id = $2
         ORDER BY ordinal",
    )
    .bind(tenant.key())
    .bind(id)
    .fetch_all(&mut **tx)
    .await?;
    let delivery =
        |(ordinal, start_time, duration_us, delivered, status_code, error): (_, Timestamp, _, _, _, _)| Delivery {
            ordinal,
            start_time: start_time.to_jiff(),
            duration_us,
            delivered,
            status_code,
            error,
        };
    Ok(rows.into_iter().map(delivery).collect())
}

/// Queues a dead message again, with all its attempts before it. It waits where its endpoint is disabled.
pub(crate) async fn requeue(
    tx: &mut Transaction,
    tenant: &Tenant,
    id: Uuid,
    lane: Lane,
    now: jiff::Timestamp,
) -> Result<(), Refusal> {
    sqlx::query(
        "WITH requeued AS (
             UPDATE message SET state = 1, attempts = 0, settle_time = NULL
             WHERE tenant_id = $1 AND id = $2
             RETURNING tenant_id, id, endpoint_id
         )
         INSERT INTO due_message (tenant_id, message_id, lane, endpoint_id, next_attempt_time)
         SELECT m.tenant_id, m.id, $3, m.endpoint_id, CASE WHEN e.state = 2 THEN NULL ELSE $4 END
         FROM requeued m
         LEFT JOIN webhook_endpoint e ON e.tenant_id = m.tenant_id AND e.id = m.endpoint_id",
    )
    .bind(tenant.key())
    .bind(id)
    .bind(lane.number())
    .bind(sql::time(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}
