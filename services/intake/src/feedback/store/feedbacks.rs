//! The feedback table: one, some, or a page out.

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    listing::{Field, Kind, PageRequest},
};
use jiff_sqlx::Timestamp as SqlTimestamp;
use sqlx::QueryBuilder;
use uuid::Uuid;

use crate::{
    feedback::domain::{Attachment, ContactHandling, ContactKind, Facts, Feedback, Product},
    screening::store::StandingRow,
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
    Field::at("product.order_number", "order_number", Kind::Text),
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

/// The columns that make a feedback as everybody may see it.
macro_rules! shown {
    () => {
        "id, number, channel, COALESCE(title_masked, title) AS title, COALESCE(description_masked, description) AS description,
         COALESCE(expectation_masked, expectation) AS expectation,
         product_model, product_batch, purchase_channel, purchase_time, order_number, device, software_version,
         frequency, impact, demand, urgency, emotion_level, tier, customer_id, contact_kind,
         external_id, source, language, attachments, occur_time, create_time, author, traceparent, segments, contact_sealed IS NOT NULL AS is_reachable,
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
    traceparent: String,
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
            traceparent: row.traceparent,
            thread_of: row.thread_of,
            is_reachable: row.is_reachable,
            standing: row.standing.into(),
            handling: ContactHandling::NoContact,
            guidance: Vec::new(),
        }
    }
}
