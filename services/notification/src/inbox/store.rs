//! All SQL about inboxes.

use huiyin_chassis::{Refusal, Tenant, Transaction, listing::PageRequest, sql};
use jiff_sqlx::Timestamp;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::domain::Item;
use crate::domain::Purpose;

/// Begins every statement that reads items.
macro_rules! select_items {
    ($rest:literal) => {
        concat!(
            "SELECT i.id, i.recipient, m.purpose, m.work_order, m.feedback, m.subject, m.body, i.token, i.change, i.create_time, i.read_time
             FROM inbox_item i
             JOIN message m ON m.tenant_id = i.tenant_id AND m.id = i.id
             WHERE i.tenant_id = ",
            $rest
        )
    };
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    recipient: String,
    purpose: i16,
    work_order: String,
    feedback: String,
    subject: String,
    body: String,
    token: Option<Vec<u8>>,
    change: i64,
    create_time: Timestamp,
    read_time: Option<Timestamp>,
}

impl TryFrom<Row> for Item {
    type Error = Refusal;

    fn try_from(row: Row) -> Result<Self, Refusal> {
        Ok(Self {
            purpose: Purpose::of(row.purpose)
                .ok_or_else(|| Refusal::fault(anyhow::anyhow!("message.purpose of {} is not known", row.id)))?,
            id: row.id,
            recipient: row.recipient,
            work_order: row.work_order,
            feedback: row.feedback,
            subject: row.subject,
            body: row.body,
            token: row.token,
            change: row.change,
            create_time: row.create_time.to_jiff(),
            read_time: row.read_time.map(Timestamp::to_jiff),
        })
    }
}

/// How many changes an inbox has seen, and how many of its items are unread.
pub(crate) async fn counts(tx: &mut Transaction, tenant: &Tenant, recipient: &str) -> Result<(i64, i32), Refusal> {
    let row: Option<(i64, i32)> =
        sqlx::query_as("SELECT changes, unread FROM inbox WHERE tenant_id = $1 AND recipient = $2")
            .bind(tenant.key())
            .bind(recipient)
            .fetch_optional(&mut **tx)
            .await?;
    Ok(row.unwrap_or_default())
}

pub(crate) async fn get(tx: &mut Transaction, tenant: &Tenant, id: Uuid) -> Result<Option<Item>, Refusal> {
    let row: Option<Row> = sqlx::query_as(select_items!("$1 AND i.id = $2"))
        .bind(tenant.key())
        .bind(id)
        .fetch_optional(&mut **tx)
        .await?;
    row.map(TryInto::try_into).transpose()
}

pub(crate) async fn list(
    tx: &mut Transaction,
    tenant: &Tenant,
    recipient: &str,
    page: &PageRequest,
) -> Result<Vec<Item>, Refusal> {
    let mut query = QueryBuilder::new(select_items!(""));
    query
        .push_bind(tenant.key().to_owned())
        .push(" AND i.recipient = ")
        .push_bind(recipient.to_owned());
    page.push(&mut query, "i.id");
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// The next changes of an inbox after one, in their order.
pub(crate) async fn changes(
    tx: &mut Transaction,
    tenant: &Tenant,
    recipient: &str,
    after: i64,
    limit: i64,
) -> Result<Vec<Item>, Refusal> {
    let rows: Vec<Row> = sqlx::query_as(select_items!(
        "$1 AND i.recipient = $2 AND i.change > $3 ORDER BY i.change LIMIT $4"
    ))
    .bind(tenant.key())
    .bind(recipient)
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Marks an item as read, unless it was: then nothing changes.
pub(crate) async fn mark_read(
    tx: &mut Transaction,
    tenant: &Tenant,
    id: Uuid,
    recipient: &str,
    now: jiff::Timestamp,
) -> Result<bool, Refusal> {
    // The inbox is locked first, as by whoever lays something in: its number is the order of changes.
    sqlx::query("SELECT FROM inbox WHERE tenant_id = $1 AND recipient = $2 FOR UPDATE")
        .bind(tenant.key())
        .bind(recipient)
        .execute(&mut **tx)
        .await?;
    let done = sqlx::query(
        "WITH marked AS (
             UPDATE inbox_item SET read_time = $4, change = (SELECT changes + 1 FROM inbox WHERE tenant_id = $1 AND recipient = $3)
             WHERE tenant_id = $1 AND id = $2 AND read_time IS NULL
             RETURNING 1
         )
         UPDATE inbox SET changes = changes + 1, unread = unread - 1
         WHERE tenant_id = $1 AND recipient = $3 AND EXISTS (SELECT FROM marked)",
    )
    .bind(tenant.key())
    .bind(id)
    .bind(recipient)
    .bind(sql::time(now))
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// What is laid into an inbox.
#[derive(Debug)]
pub(crate) struct NewItem {
    pub(crate) id: Uuid,
    pub(crate) recipient: String,
    /// Sealed.
    pub(crate) token: Option<Vec<u8>>,
}

/// Lays items in, with two statements however many there are.
pub(crate) async fn lay_in(
    tx: &mut Transaction,
    tenant: &Tenant,
    items: &[NewItem],
    now: jiff::Timestamp,
) -> Result<(), Refusal> {
    let ids: Vec<Uuid> = items.iter().map(|item| item.id).collect();
    let recipients: Vec<&str> = items.iter().map(|item| item.recipient.as_str()).collect();
    let tokens: Vec<Option<&[u8]>> = items.iter().map(|item| item.token.as_deref()).collect();
    // In the order of the recipients: two who lay in at once wait for each other and never across.
    sqlx::query(
        "INSERT INTO inbox (tenant_id, recipient, changes, unread)
         SELECT $1, recipient, count(*), count(*)
         FROM unnest($2::text[]) AS new (recipient)
         GROUP BY recipient
         ORDER BY recipient
         ON CONFLICT (tenant_id, recipient) DO UPDATE
         SET changes = inbox.changes + EXCLUDED.changes, unread = inbox.unread + EXCLUDED.unread",
    )
    .bind(tenant.key())
    .bind(&recipients)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "INSERT INTO inbox_item (tenant_id, id, recipient, change, token, create_time)
         SELECT $1, new.id, new.recipient, b.changes + 1 - row_number() OVER (PARTITION BY new.recipient ORDER BY new.id DESC), new.token, $5
         FROM unnest($2::uuid[], $3::text[], $4::bytea[]) AS new (id, recipient, token)
         JOIN inbox b ON b.tenant_id = $1 AND b.recipient = new.recipient",
    )
    .bind(tenant.key())
    .bind(&ids)
    .bind(&recipients)
    .bind(&tokens)
    .bind(sql::time(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}
