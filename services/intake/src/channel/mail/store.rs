//! All SQL about mails and threads.

use huiyin_chassis::{Refusal, Tenant, Transaction, sql};
use jiff::Timestamp;
use uuid::Uuid;

/// A mail as it is written down.
pub(crate) struct Record<'r> {
    pub(crate) source: &'r str,
    /// Of the Message-ID, the date and what the mail says.
    pub(crate) delivery: [u8; 32],
    /// Of what the mail says.
    pub(crate) content: [u8; 32],
    pub(crate) message: [u8; 32],
    pub(crate) sender: [u8; 32],
    pub(crate) words: [u8; 32],
    pub(crate) kind: i16,
    pub(crate) feedback: Option<Uuid>,
    pub(crate) thread_of: Option<Uuid>,
    pub(crate) time: Timestamp,
}

/// The kind of a mail that was written down before.
pub(crate) async fn find(
    tx: &mut Transaction,
    tenant: &Tenant,
    source: &str,
    delivery: &[u8; 32],
) -> Result<Option<i16>, Refusal> {
    let kind = sqlx::query_scalar("SELECT kind FROM mail WHERE tenant_id = $1 AND source_id = $2 AND delivery = $3")
        .bind(tenant.key())
        .bind(source)
        .bind(delivery.as_slice())
        .fetch_optional(&mut **tx)
        .await?;
    Ok(kind)
}

/// Writes a mail down, and the thread of what it became. The same again changes nothing.
pub(crate) async fn put(tx: &mut Transaction, tenant: &Tenant, record: &Record<'_>) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO mail (tenant_id, source_id, delivery, message, sender, words, kind, feedback_id, thread_of, receive_time,
                           content)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT DO NOTHING",
    )
    .bind(tenant.key())
    .bind(record.source)
    .bind(record.delivery.as_slice())
    .bind(record.message.as_slice())
    .bind(record.sender.as_slice())
    .bind(record.words.as_slice())
    .bind(record.kind)
    .bind(record.feedback)
    .bind(record.thread_of)
    .bind(sql::time(record.time))
    .bind(record.content.as_slice())
    .execute(&mut **tx)
    .await?;
    if let Some((feedback, first)) = record.feedback.zip(record.thread_of) {
        sqlx::query(
            "INSERT INTO feedback_thread (tenant_id, feedback_id, thread_of) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(tenant.key())
        .bind(feedback)
        .bind(first)
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// How many mails of this sender came since, beside the one with this delivery: that say the same, and with the same words but for
/// numbers, subject and files.
pub(crate) async fn repeats(
    tx: &mut Transaction,
    tenant: &Tenant,
    record: &Record<'_>,
    since: Timestamp,
) -> Result<(i64, i64), Refusal> {
    let counts = sqlx::query_as(
        "SELECT count(*) FILTER (WHERE content = $6), count(*) FROM mail
         WHERE tenant_id = $1 AND sender = $2 AND receive_time > $3 AND words = $4 AND delivery <> $5",
    )
    .bind(tenant.key())
    .bind(record.sender.as_slice())
    .bind(sql::time(since))
    .bind(record.words.as_slice())
    .bind(record.delivery.as_slice())
    .bind(record.content.as_slice())
    .fetch_one(&mut **tx)
    .await?;
    Ok(counts)
}

/// Forgets the mails from before a moment, and those that became no feedback from before another; true where some are left.
pub(crate) async fn prune(
    tx: &mut Transaction,
    tenant: &Tenant,
    before: Timestamp,
    without_feedback: Timestamp,
) -> Result<bool, Refusal> {
    sqlx::query(
        "DELETE FROM mail WHERE tenant_id = $1 AND receive_time < $3 AND (receive_time < $2 OR feedback_id IS NULL)",
    )
    .bind(tenant.key())
    .bind(sql::time(before))
    .bind(sql::time(without_feedback))
    .execute(&mut **tx)
    .await?;
    let left = sqlx::query_scalar("SELECT EXISTS (SELECT FROM mail WHERE tenant_id = $1)")
        .bind(tenant.key())
        .fetch_one(&mut **tx)
        .await?;
    Ok(left)
}

/// The first of the thread of the newest of these mails.
pub(crate) async fn thread(
    tx: &mut Transaction,
    tenant: &Tenant,
    messages: &[Vec<u8>],
) -> Result<Option<Uuid>, Refusal> {
    let first = sqlx::query_scalar(
        "SELECT COALESCE(thread_of, feedback_id) FROM mail
         WHERE tenant_id = $1 AND message = ANY ($2) AND feedback_id IS NOT NULL
         ORDER BY receive_time DESC LIMIT 1",
    )
    .bind(tenant.key())
    .bind(messages)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(first)
}

/// The first of the thread of the newest of these feedbacks.
pub(crate) async fn thread_of_feedbacks(
    tx: &mut Transaction,
    tenant: &Tenant,
    feedbacks: &[Uuid],
) -> Result<Option<Uuid>, Refusal> {
    let first = sqlx::query_scalar(
        "SELECT COALESCE(t.thread_of, f.id) FROM feedback AS f
         LEFT JOIN feedback_thread AS t ON t.tenant_id = f.tenant_id AND t.feedback_id = f.id
         WHERE f.tenant_id = $1 AND f.id = ANY ($2)
         ORDER BY f.create_time DESC LIMIT 1",
    )
    .bind(tenant.key())
    .bind(feedbacks)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(first)
}

/// The first of the thread of the feedback of this number, where the identity leads to its customer.
pub(crate) async fn thread_of_number(
    tx: &mut Transaction,
    tenant: &Tenant,
    number: &str,
    token: Uuid,
) -> Result<Option<Uuid>, Refusal> {
    let first = sqlx::query_scalar(
        "SELECT COALESCE(t.thread_of, f.id) FROM feedback AS f
         LEFT JOIN feedback_thread AS t ON t.tenant_id = f.tenant_id AND t.feedback_id = f.id
         WHERE f.tenant_id = $1 AND f.number = $3 AND f.customer_id = COALESCE(
             (SELECT i.customer_id FROM customer_identity AS i WHERE i.tenant_id = $1 AND i.token = $2), $2)",
    )
    .bind(tenant.key())
    .bind(token)
    .bind(number)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(first)
}
