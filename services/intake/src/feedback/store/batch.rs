//! All that is written of feedbacks of one tenant, with one statement: whoever waits for a batch waits for each round trip of it.

use std::collections::HashMap;

use huiyin_chassis::{Refusal, Tenant, Transaction, repeat::Repeatable, sql};
use jiff::Timestamp;
use sqlx::{Execute as _, Postgres, QueryBuilder};
use uuid::Uuid;

use super::answers;
use crate::{
    feedback::domain::{Accepted, Attachment},
    screening::compare,
};

/// The feedbacks themselves, and that they are to be compared with others.
const STATEMENT: &str = "WITH compared AS (
         INSERT INTO chassis.timer (tenant_id, kind, key, due_time, payload)
         SELECT $1, $35, key, $36, payload::jsonb FROM unnest($37::text[], $38::text[]) AS lot (key, payload)
         ON CONFLICT DO NOTHING
     ), stored AS (
         INSERT INTO feedback (
             tenant_id, id, number, channel, title, description, expectation,
             product_model, product_batch, purchase_channel, purchase_time, order_number, device, software_version,
             frequency, impact, demand, urgency, emotion_level, tier, customer_id, contact_kind, contact_sealed,
             external_id, source, language, attachments, occur_time, create_time, author, identity_token, segments, verbatim_sealed, traceparent)
         SELECT
             $1, id, number, channel, title, description, expectation,
             product_model, product_batch, purchase_channel, purchase_time, order_number, device, software_version,
             frequency, impact, demand, urgency, emotion_level, tier, customer_id, contact_kind, contact_sealed,
             external_id, source, language, attachments::jsonb, occur_time, create_time, author, identity_token,
             string_to_array(segments, ','), verbatim_sealed, traceparent
         FROM unnest(
             $2::uuid[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::text[],
             $8::text[], $9::text[], $10::text[], $11::timestamptz[], $12::text[], $13::text[], $14::text[],
             $15::integer[], $16::integer[], $17::integer[], $18::integer[], $19::integer[], $20::integer[],
             $21::uuid[], $22::integer[], $23::bytea[],
             $24::text[], $25::text[], $26::text[], $27::text[], $28::timestamptz[], $29::timestamptz[], $30::text[],
             $31::uuid[], $32::text[], $33::bytea[], $34::text[]
         ) AS new (
             id, number, channel, title, description, expectation,
             product_model, product_batch, purchase_channel, purchase_time, order_number, device, software_version,
             frequency, impact, demand, urgency, emotion_level, tier, customer_id, contact_kind, contact_sealed,
             external_id, source, language, attachments, occur_time, create_time, author, identity_token, segments, verbatim_sealed, traceparent)
         ON CONFLICT DO NOTHING
         RETURNING id
     )";

/// The answer that a request gets for a feedback.
pub(crate) struct Answered<'r> {
    pub(crate) feedback: Uuid,
    pub(crate) request: &'r Repeatable,
    /// Encoded.
    pub(crate) answer: Vec<u8>,
}

/// What became of feedbacks that were to be stored.
pub(crate) struct Stored {
    /// Those that were left out because their external id is taken, each with the feedback that has it.
    pub(crate) taken: HashMap<Uuid, Uuid>,
    /// False where one of the requests has an answer by now, because it was worked on somewhere else at the same time: then
    /// nothing of the transaction may be kept.
    pub(crate) is_answered: bool,
}

/// Stores feedbacks of one tenant with their answers and their events; `tell` pushes an `INSERT` of the events of those that
/// are in the `WITH` query `stored`. Those whose external id is taken are left out, and so is what belongs to them. From `compare`
/// on they are compared with others.
pub(crate) async fn store(
    tx: &mut Transaction,
    tenant: &Tenant,
    feedbacks: &[&Accepted],
    answers: &[Answered<'_>],
    compare: Timestamp,
    tell: impl FnOnce(&mut Transaction, &mut QueryBuilder<Postgres>),
) -> Result<Stored, Refusal> {
    let Some(first) = feedbacks.first() else {
        return Ok(Stored {
            taken: HashMap::new(),
            is_answered: true,
        });
    };
    // Always in the same order: two transactions that wait for each other's external ids would be a deadlock.
    let mut rows = Rows(feedbacks.to_vec());
    rows.0
        .sort_by_key(|row| (&row.feedback.facts.source, &row.feedback.facts.external_id));
    let now = sql::time(first.feedback.create_time);
    let mut statement = insert(tenant, &rows, compare)?;
    statement.push(", told AS (");
    tell(tx, &mut statement);
    statement.push("), answered AS (");
    answers::push(&mut statement, tenant, now, answers);
    statement.push(") SELECT (SELECT count(*) FROM stored), (SELECT count(*) FROM answered)");
    let (stored, answered): (i64, i64) = statement.build_query_as().fetch_one(&mut **tx).await?;
    let taken = if usize::try_from(stored) == Ok(feedbacks.len()) {
        HashMap::new()
    } else {
        left_out(tx, tenant, &rows).await?
    };
    let due = answers.iter().filter(|answer| !taken.contains_key(&answer.feedback));
    Ok(Stored {
        is_answered: usize::try_from(answered) == Ok(due.count()),
        taken,
    })
}

/// The beginning of the statement.
fn insert(tenant: &Tenant, rows: &Rows<'_>, compare: Timestamp) -> Result<QueryBuilder<Postgres>, Refusal> {
    let lots = compare::timers(&rows.column(|row| row.feedback.id))?;
    let (keys, lots): (Vec<String>, Vec<String>) = lots.into_iter().unzip();
    let mut feedbacks = sqlx::query(STATEMENT)
        .bind(tenant.key())
        .bind(rows.column(|row| row.feedback.id))
        .bind(rows.column(|row| row.feedback.number.as_str()))
        .bind(rows.column(|row| row.feedback.facts.channel))
        .bind(rows.column(|row| row.feedback.title.as_str()))
        .bind(rows.column(|row| row.feedback.description.as_str()))
        .bind(rows.column(|row| row.feedback.expectation.as_str()))
        .bind(rows.column(|row| row.feedback.facts.product.model.as_str()))
        .bind(rows.column(|row| row.feedback.facts.product.batch.as_str()))
        .bind(rows.column(|row| row.feedback.facts.product.purchase_channel.as_str()))
        .bind(rows.column(|row| sql::time_opt(row.feedback.facts.product.purchase_time)))
        .bind(rows.column(|row| row.feedback.facts.product.order_number.as_str()))
        .bind(rows.column(|row| row.feedback.facts.product.device.as_str()))
        .bind(rows.column(|row| row.feedback.facts.product.software_version.as_str()))
        .bind(rows.column(|row| row.feedback.facts.frequency))
        .bind(rows.column(|row| row.feedback.facts.impact))
        .bind(rows.column(|row| row.feedback.facts.demand))
        .bind(rows.column(|row| row.feedback.facts.urgency))
        .bind(rows.column(|row| row.feedback.facts.emotion_level))
        .bind(rows.column(|row| row.feedback.facts.tier))
        .bind(rows.column(|row| row.feedback.customer))
        .bind(rows.column(|row| row.feedback.contact_kind.map(|kind| kind as i32)))
        .bind(rows.column(|row| row.contact.as_deref()))
        .bind(rows.column(|row| row.feedback.facts.external_id.as_str()))
        .bind(rows.column(|row| row.feedback.facts.source.as_str()))
        .bind(rows.column(|row| row.feedback.facts.language.as_str()))
        .bind(attachments(rows)?)
        .bind(rows.column(|row| sql::time(row.feedback.occur_time)))
        .bind(rows.column(|row| sql::time(row.feedback.create_time)))
        .bind(rows.column(|row| row.feedback.author.as_str()))
        .bind(rows.column(|row| row.token))
        .bind(rows.column(|row| row.feedback.segments.join(",")))
        .bind(rows.column(|row| row.sealed_verbatim.as_deref()))
        .bind(rows.column(|row| row.feedback.traceparent.as_str()))
        .bind(compare::KIND)
        .bind(sql::time(compare))
        .bind(keys)
        .bind(lots);
    let arguments = feedbacks
        .take_arguments()
        .map_err(|error| Refusal::fault(anyhow::anyhow!(error)))?;
    Ok(QueryBuilder::with_arguments(STATEMENT, arguments.unwrap_or_default()))
}

/// The rows of one statement, to be taken apart into columns.
struct Rows<'r>(Vec<&'r Accepted>);

impl<'r> Rows<'r> {
    fn column<T>(&self, of: impl Fn(&'r Accepted) -> T) -> Vec<T> {
        self.0.iter().map(|row| of(row)).collect()
    }
}

fn attachments(rows: &Rows<'_>) -> Result<Vec<Option<String>>, Refusal> {
    let json = |attachments: &Vec<Attachment>| serde_json::to_string(attachments).map_err(Refusal::fault);
    rows.0
        .iter()
        .map(|row| &row.feedback.facts.attachments)
        .map(|some| {
            if some.is_empty() {
                Ok(None)
            } else {
                json(some).map(Some)
            }
        })
        .collect()
}

/// Which rows another feedback's external id kept out, and which feedback that is.
async fn left_out(tx: &mut Transaction, tenant: &Tenant, rows: &Rows<'_>) -> Result<HashMap<Uuid, Uuid>, Refusal> {
    let pairs: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "SELECT new.id, holder.id
         FROM unnest($2::uuid[], $3::text[], $4::text[]) AS new (id, source, external_id)
         CROSS JOIN LATERAL (
             SELECT f.id
             FROM feedback AS f
             WHERE f.tenant_id = $1 AND f.source = new.source AND f.external_id = new.external_id AND f.external_id <> ''
             LIMIT 1 -- as in `answers::find`: one probe of the key each
         ) AS holder
         WHERE holder.id <> new.id",
    )
    .bind(tenant.key())
    .bind(rows.column(|row| row.feedback.id))
    .bind(rows.column(|row| row.feedback.facts.source.as_str()))
    .bind(rows.column(|row| row.feedback.facts.external_id.as_str()))
    .fetch_all(&mut **tx)
    .await?;
    Ok(pairs.into_iter().collect())
}
