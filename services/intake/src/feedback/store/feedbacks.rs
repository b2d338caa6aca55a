//! The feedback table: many rows in with one statement; one, some, or a page out.

use std::collections::HashMap;

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    listing::{Field, Kind, PageRequest},
    sql,
};
use jiff_sqlx::Timestamp as SqlTimestamp;
use sqlx::QueryBuilder;
use uuid::Uuid;

use crate::{
    feedback::domain::{Accepted, Attachment, ContactHandling, ContactKind, Facts, Feedback, Product},
    screening::{compare, store::StandingRow},
    vault::Wrapped,
};

/// What a list can be filtered by.
pub(crate) const FIELDS: &[Field] = &[
    Field::of("number", Kind::Text),
    Field::of("channel", Kind::Enum("huiyin.type.v1.Channel")),
    Field::at("customer", "customer_id", Kind::Name),
    Field::of("external_id", Kind::Text),
    Field::of("source", Kind::Text),
    Field::of("tier", Kind::Enum("huiyin.type.v1.CustomerTier")),
    Field::of("impact", Kind::Enum("huiyin.type.v1.Impact")),
    Field::at("product.model", "product_model", Kind::Text),
    Field::at("product.batch", "product_batch", Kind::Text),
    Field::at(
        "state",
        "COALESCE(state, 1)",
        Kind::Enum("huiyin.intake.v1.FeedbackState"),
    ),
    CREATE_TIME,
    Field::of("occur_time", Kind::Time),
];
/// What a list can be ordered by.
pub(crate) const ORDER: &[Field] = &[CREATE_TIME];
const CREATE_TIME: Field = Field::of("create_time", Kind::Time);

/// Stores feedbacks of one tenant with one statement. Those whose external id is taken are left out; returns each of them
/// with the feedback that has it.
pub(crate) async fn insert(
    tx: &mut Transaction,
    tenant: &Tenant,
    new: &[&Accepted],
) -> Result<HashMap<Uuid, Uuid>, Refusal> {
    if new.is_empty() {
        return Ok(HashMap::new());
    }
    // Always in the same order: two transactions that wait for each other's external ids would be a deadlock.
    let mut rows: Vec<&Accepted> = new.to_vec();
    rows.sort_by_key(|row| (&row.feedback.facts.source, &row.feedback.facts.external_id));
    let rows = Rows(rows);
    let (keys, lots): (Vec<String>, Vec<String>) = compare::timers(&rows.column(|row| row.feedback.id))?
        .into_iter()
        .unzip();
    let stored = sqlx::query(
        // That they are to be compared is said in the same statement: whoever waits for a batch waits for each round trip of it.
        "WITH compared AS (
             INSERT INTO chassis.timer (tenant_id, kind, key, due_time, payload)
             SELECT $1, $34, key, $35, payload::jsonb FROM unnest($36::text[], $37::text[]) AS lot (key, payload)
             ON CONFLICT DO NOTHING
         )
         INSERT INTO feedback (
             tenant_id, id, number, channel, title, description, expectation,
             product_model, product_batch, purchase_channel, purchase_time, order_number, device, software_version,
             frequency, impact, demand, urgency, emotion_level, tier, customer_id, contact_kind, contact_sealed,
             external_id, source, language, attachments, occur_time, create_time, author, identity_token, segments, verbatim_sealed)
         SELECT
             $1, id, number, channel, title, description, expectation,
             product_model, product_batch, purchase_channel, purchase_time, order_number, device, software_version,
             frequency, impact, demand, urgency, emotion_level, tier, customer_id, contact_kind, contact_sealed,
             external_id, source, language, attachments::jsonb, occur_time, create_time, author, identity_token,
             string_to_array(segments, ','), verbatim_sealed
         FROM unnest(
             $2::uuid[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::text[],
             $8::text[], $9::text[], $10::text[], $11::timestamptz[], $12::text[], $13::text[], $14::text[],
             $15::integer[], $16::integer[], $17::integer[], $18::integer[], $19::integer[], $20::integer[],
             $21::uuid[], $22::integer[], $23::bytea[],
             $24::text[], $25::text[], $26::text[], $27::text[], $28::timestamptz[], $29::timestamptz[], $30::text[],
             $31::uuid[], $32::text[], $33::bytea[]
         ) AS new (
             id, number, channel, title, description, expectation,
             product_model, product_batch, purchase_channel, purchase_time, order_number, device, software_version,
             frequency, impact, demand, urgency, emotion_level, tier, customer_id, contact_kind, contact_sealed,
             external_id, source, language, attachments, occur_time, create_time, author, identity_token, segments, verbatim_sealed)
         ON CONFLICT DO NOTHING",
    )
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
    .bind(attachments(&rows)?)
    .bind(rows.column(|row| sql::time(row.feedback.occur_time)))
    .bind(rows.column(|row| sql::time(row.feedback.create_time)))
    .bind(rows.column(|row| row.feedback.author.as_str()))
    .bind(rows.column(|row| row.token))
    .bind(rows.column(|row| row.feedback.segments.join(",")))
    .bind(rows.column(|row| row.sealed_verbatim.as_deref()))
    .bind(compare::KIND)
    .bind(sql::time(rows.0[0].feedback.create_time))
    .bind(keys)
    .bind(lots)
    .execute(&mut **tx)
    .await?;
    if stored.rows_affected() == rows.0.len() as u64 {
        return Ok(HashMap::new());
    }
    left_out(tx, tenant, &rows).await
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

/// The columns that make a feedback as everybody may see it.
macro_rules! shown {
    () => {
        "id, number, channel, COALESCE(title_masked, title) AS title, COALESCE(description_masked, description) AS description,
         COALESCE(expectation_masked, expectation) AS expectation,
         product_model, product_batch, purchase_channel, purchase_time, order_number, device, software_version,
         frequency, impact, demand, urgency, emotion_level, tier, customer_id, contact_kind,
         external_id, source, language, attachments, occur_time, create_time, author, segments, contact_sealed IS NOT NULL AS is_reachable,
         (SELECT thread_of FROM feedback_thread AS t WHERE t.tenant_id = feedback.tenant_id AND t.feedback_id = feedback.id) AS thread_of,
         state, canonical, held, findings, missing, state_reason, before_state, before_reason"
    };
}

/// The feedbacks with these ids, in the order of the ids; those that are not there are left out.
pub(crate) async fn by_ids(tx: &mut Transaction, tenant: &Tenant, ids: &[Uuid]) -> Result<Vec<Feedback>, Refusal> {
    let rows: Vec<Row> = sqlx::query_as(concat!(
        "SELECT found.*
         FROM unnest($2::uuid[]) WITH ORDINALITY AS wanted (wanted_id, place)
         CROSS JOIN LATERAL (
             SELECT ",
        shown!(),
        " FROM feedback LEFT JOIN feedback_standing USING (tenant_id, id)
             WHERE tenant_id = $1 AND id = wanted_id
             LIMIT 1 -- as in `answers::find`: one probe of the key each
         ) AS found
         ORDER BY place",
    ))
    .bind(tenant.key())
    .bind(ids)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(Feedback::from).collect())
}

/// The rows of one page, and one more where there is another page.
pub(crate) async fn list(
    tx: &mut Transaction,
    tenant: &Tenant,
    page: &PageRequest,
    quarantined: bool,
) -> Result<Vec<Feedback>, Refusal> {
    let mut query = QueryBuilder::new(concat!("SELECT ", shown!(), " FROM feedback "));
    query.push(if quarantined {
        "JOIN feedback_standing USING (tenant_id, id) WHERE state = 2 AND tenant_id = "
    } else {
        "LEFT JOIN feedback_standing USING (tenant_id, id) WHERE tenant_id = "
    });
    query.push_bind(tenant.key());
    page.push(&mut query, "id");
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    Ok(rows.into_iter().map(Feedback::from).collect())
}

/// What is needed to tell the customer.
#[derive(sqlx::FromRow)]
pub(crate) struct ContactRow {
    /// The number of its kind.
    pub(crate) contact_kind: Option<i32>,
    /// The sealed address.
    pub(crate) contact_sealed: Option<Vec<u8>>,
    /// When the feedback was accepted.
    pub(crate) create_time: SqlTimestamp,
    /// Whose key sealed it.
    pub(crate) owner: Uuid,
    wrapped: Option<Vec<u8>>,
    key_version: Option<i32>,
}

impl ContactRow {
    /// The key that opens it.
    pub(crate) fn key(&self) -> Option<Wrapped> {
        let (bytes, version) = self.wrapped.clone().zip(self.key_version)?;
        Some(Wrapped { bytes, version })
    }
}

/// The contact of a feedback; `None` where there is no such feedback.
pub(crate) async fn contact(tx: &mut Transaction, tenant: &Tenant, id: Uuid) -> Result<Option<ContactRow>, Refusal> {
    let row = sqlx::query_as(
        "SELECT f.contact_kind, f.contact_sealed, f.create_time, COALESCE(f.identity_token, f.customer_id, f.id) AS owner, k.wrapped,
                k.key_version
         FROM feedback AS f
         LEFT JOIN data_key AS k ON k.tenant_id = f.tenant_id AND k.owner = COALESCE(f.identity_token, f.customer_id, f.id)
         WHERE f.tenant_id = $1 AND f.id = $2",
    )
    .bind(tenant.key())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row)
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    number: String,
    channel: i32,
    title: String,
    description: String,
    expectation: String,
    product_model: String,
    product_batch: String,
    purchase_channel: String,
    purchase_time: Option<SqlTimestamp>,
    order_number: String,
    device: String,
    software_version: String,
    frequency: i32,
    impact: i32,
    demand: i32,
    urgency: i32,
    emotion_level: i32,
    tier: i32,
    customer_id: Option<Uuid>,
    contact_kind: Option<i32>,
    external_id: String,
    source: String,
    language: String,
    attachments: Option<sqlx::types::Json<Vec<Attachment>>>,
    occur_time: SqlTimestamp,
    create_time: SqlTimestamp,
    author: String,
    thread_of: Option<Uuid>,
    is_reachable: bool,
    #[sqlx(flatten)]
    standing: StandingRow,
    segments: Vec<String>,
}

impl From<Row> for Feedback {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            number: row.number,
            facts: Facts {
                channel: row.channel,
                product: Product {
                    model: row.product_model,
                    batch: row.product_batch,
                    purchase_channel: row.purchase_channel,
                    purchase_time: row.purchase_time.map(SqlTimestamp::to_jiff),
                    order_number: row.order_number,
                    device: row.device,
                    software_version: row.software_version,
                },
                frequency: row.frequency,
                impact: row.impact,
                demand: row.demand,
                urgency: row.urgency,
                emotion_level: row.emotion_level,
                tier: row.tier,
                external_id: row.external_id,
                source: row.source,
                language: row.language,
                attachments: row.attachments.map(|json| json.0).unwrap_or_default(),
            },
            title: row.title,
            description: row.description,
            expectation: row.expectation,
            customer: row.customer_id,
            segments: row.segments,
            contact_kind: row.contact_kind.and_then(ContactKind::of),
            occur_time: row.occur_time.to_jiff(),
            create_time: row.create_time.to_jiff(),
            author: row.author,
            thread_of: row.thread_of,
            is_reachable: row.is_reachable,
            standing: row.standing.into(),
            handling: ContactHandling::NoContact,
            guidance: Vec::new(),
        }
    }
}
