//! All SQL of erasing and handing out what the room holds on a customer.

use huiyin_chassis::{Refusal, Transaction};
use huiyin_events::{Erased, Whose};

/// Blanks messages to and about the customer, empties the customer's inbox, and sends nothing more to it. How many messages were
/// delivered stays known.
pub(crate) async fn erase(tx: &mut Transaction, whose: &Whose) -> Result<Erased, Refusal> {
    let mut erased = Erased::default();
    // First the messages, in the order of their ids, and then the inbox, as whoever delivers: two that meet wait for each other
    // and never across. What was being laid in meanwhile lies there when this has its locks, and goes with the rest.
    let names: Vec<String> = sqlx::query_scalar(
        "WITH theirs AS MATERIALIZED (
             SELECT id, recipient = ANY ($3) AS addressed FROM message
             WHERE tenant_id = $1 AND (feedback = ANY ($2) OR recipient = ANY ($3))
             ORDER BY id FOR UPDATE
         ), unsent AS (
             DELETE FROM due_message USING theirs
             WHERE due_message.tenant_id = $1 AND due_message.message_id = theirs.id AND theirs.addressed
         )
         UPDATE message AS m
         SET subject = '', body = '', last_error = '',
             recipient = CASE WHEN theirs.addressed THEN '' ELSE m.recipient END,
             state = CASE WHEN theirs.addressed AND m.state = 1 THEN 3 ELSE m.state END,
             settle_time = CASE WHEN theirs.addressed AND m.state = 1 THEN COALESCE(m.settle_time, m.create_time) ELSE m.settle_time END
         FROM theirs
         WHERE m.tenant_id = $1 AND m.id = theirs.id
         RETURNING 'tenants/' || m.tenant_id || '/messages/' || m.id",
    )
    .bind(whose.tenant.key())
    .bind(&whose.feedbacks)
    .bind(&whose.customers)
    .fetch_all(&mut **tx)
    .await?;
    // The inbox before what lies in it, as whoever marks an item as read: its row is the lock of all that happens there.
    let inboxes = sqlx::query("DELETE FROM inbox WHERE tenant_id = $1 AND recipient = ANY ($2)")
        .bind(whose.tenant.key())
        .bind(&whose.customers)
        .execute(&mut **tx)
        .await?;
    let items = sqlx::query("DELETE FROM inbox_item WHERE tenant_id = $1 AND recipient = ANY ($2)")
        .bind(whose.tenant.key())
        .bind(&whose.customers)
        .execute(&mut **tx)
        .await?;
    // A server's refusal may quote the address.
    let deliveries = sqlx::query(
        "UPDATE delivery SET error = ''
         WHERE tenant_id = $1 AND error <> '' AND message_id = ANY (
             SELECT substring(name FROM '[^/]*$')::uuid FROM unnest($2::text[]) AS n (name))",
    )
    .bind(whose.tenant.key())
    .bind(&names)
    .execute(&mut **tx)
    .await?;
    erased.count("message", names.len() as u64);
    erased.count("delivery", deliveries.rows_affected());
    erased.count("inbox", inboxes.rows_affected());
    erased.count("inbox_item", items.rows_affected());
    erased.names = names;
    Ok(erased)
}

/// Every message to and about the customer, with its deliveries.
pub(crate) async fn export(tx: &mut Transaction, whose: &Whose) -> Result<Vec<String>, Refusal> {
    let lines = sqlx::query_scalar(
        "SELECT (to_jsonb(m) - 'tenant_id' || jsonb_build_object('kind', 'message', 'deliveries', COALESCE((
             SELECT jsonb_agg(to_jsonb(d) - 'tenant_id' - 'message_id' ORDER BY d.ordinal) FROM delivery AS d
             WHERE d.tenant_id = m.tenant_id AND d.message_id = m.id), '[]')))::text
         FROM message AS m
         WHERE m.tenant_id = $1 AND (m.feedback = ANY ($2) OR m.recipient = ANY ($3))
         ORDER BY m.create_time, m.id",
    )
    .bind(whose.tenant.key())
    .bind(&whose.feedbacks)
    .bind(&whose.customers)
    .fetch_all(&mut **tx)
    .await?;
    Ok(lines)
}
