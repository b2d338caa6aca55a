//! Use cases of classifications: classify what was submitted, try a text, read, list, correct.

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    listing::{Field, Kind, Page, PageKey, PageRequest, Paging, millionths},
    repeat::{self, Repeatable},
};
use huiyin_events::{NewEvent, Payload};
use uuid::Uuid;

use super::{
    convert,
    domain::{Change, Classification},
    domain_priority::Computed,
    reviewing::{customers, watch_review},
    settling, store,
};
use crate::{
    domain::{Feedback, SYSTEM},
    model::{
        asking::{self, Asked},
        domain::Source,
        shadow,
    },
    priority::domain::UsedFor,
    problem,
    reading::{aside, excerpt, verdict::Statement},
    review::queue::{self, Seen},
    room::Room,
};

const FIELDS: &[Field] = &[
    Field::of("category", Kind::Path),
    Field::of("sentiment", Kind::Enum("huiyin.type.v1.Sentiment")),
    Field::of("sentiment_score", Kind::Number),
    Field::of("impact", Kind::Enum("huiyin.type.v1.Impact")),
    Field::at("priority.key", "priority_key", Kind::Text),
    Field::at("priority.rank", "priority_rank", Kind::Integer),
    Field::of("department", Kind::Text),
    Field::of("taxonomy_version", Kind::Integer),
    Field::of("revision", Kind::Integer),
    Field::at("feedback.number", "feedback_number", Kind::Text),
    Field::at("feedback.channel", "channel", Kind::Enum("huiyin.type.v1.Channel")),
    Field::at("feedback.tier", "tier", Kind::Enum("huiyin.type.v1.CustomerTier")),
    Field::at("feedback.customer", "customer", Kind::Text),
    Field::at("feedback.product_model", "product_model", Kind::Text),
    Field::at("feedback.batch", "batch", Kind::Text),
    CREATE_TIME,
    UPDATE_TIME,
    Field::of("priority_model_version", Kind::Integer),
    Field::at(
        "review.state",
        "review_state",
        Kind::Enum("huiyin.event.v1.PriorityReviewState"),
    ),
    Field::at("review.escalated", "review_escalated", Kind::Bool),
];

const CREATE_TIME: Field = Field::of("create_time", Kind::Time);
const UPDATE_TIME: Field = Field::of("update_time", Kind::Time);
const SCORE: Field = Field::at("sentiment_score", "(sentiment_score * 1000000)::bigint", Kind::Integer);
const ORDERS: &[Field] = &[CREATE_TIME, UPDATE_TIME, SCORE];

/// Classifies a feedback that was submitted: exactly once, however often it is told.
pub(super) async fn classify(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    id: Uuid,
    feedback: &Feedback,
    statement: Statement<'_>,
) -> Result<(), Refusal> {
    let lexicon = room.lexicons.active(tx, tenant).await?;
    let scan = aside::scan(&lexicon, statement).await?;
    let asked = asking::ask(room, tx, tenant, &scan).await?;
    let verdict = scan.verdict(&asked.answers);
    let decided_by = verdict.decided_by();
    let model = room.priorities.active(tx, tenant, UsedFor::Case).await?;
    let now = room.clock.now();
    let customers = customers(tx, tenant, &model, (feedback, &verdict.category), now).await?;
    let excerpt = excerpt::excerpt(statement.text, &verdict.spans);
    let computed = Computed::new(verdict, &statement, customers, &model);
    let new = Classification::first(id, feedback.clone(), statement.urgency, excerpt, computed, &model, now);
    if !store::insert(tx, tenant, &new, &statement).await? {
        return Ok(());
    }
    watch_review(tx, tenant, &new, None).await?;
    let seen = Seen {
        classification: id,
        statement: &statement,
        verdict: &new.computed.verdict,
        asked: &asked,
        by_people: &[],
    };
    queue::classified(room, tx, tenant, seen).await?;
    shadow::keep(room, tx, tenant, (id, &new.computed.verdict), &asked).await?;
    tell(room, tx, tenant, &new, SYSTEM).await?;
    problem::look_at(room, tx, tenant, id).await?;
    room.meters.classified(tx, decided_by);
    Ok(())
}

/// What a version of the taxonomy, and the priority model in effect, would say of a text; none for the version in effect.
pub(super) async fn try_text(
    room: &Room,
    tenant: &Tenant,
    version: Option<i32>,
    statement: Statement<'_>,
) -> Result<Computed, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    let found = match version {
        Some(version) => room.lexicons.version(&mut tx, tenant, version).await?,
        None => Some(room.lexicons.active(&mut tx, tenant).await?),
    };
    let lexicon = found.ok_or_else(|| Refusal::not_found(&tenant.child("taxonomies", version.unwrap_or_default())))?;
    let scan = aside::scan(&lexicon, statement).await?;
    // A version is tried by itself, without the trained models that stand beside the one in effect.
    let asked = match version {
        Some(_) => Asked::default(),
        None => asking::ask(room, &mut tx, tenant, &scan).await?,
    };
    let model = room.priorities.active(&mut tx, tenant, UsedFor::Case).await?;
    tx.rollback().await;
    let verdict = scan.verdict(&asked.answers);
    Ok(Computed::new(verdict, &statement, 0, &model))
}

/// The classification of a feedback.
pub(crate) async fn get(room: &Room, tenant: &Tenant, id: Uuid, name: &str) -> Result<Classification, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    let found = store::find(&mut tx, tenant, id).await?;
    tx.rollback().await;
    found.ok_or_else(|| Refusal::not_found(name))
}

/// The classifications of a page.
pub(super) async fn list(room: &Room, tenant: &Tenant, paging: Paging<'_>) -> Result<Page<Classification>, Refusal> {
    let page = PageRequest::new(&room.page_tokens, tenant, "classifications", paging, (FIELDS, ORDERS))?;
    let mut tx = room.database.tenant(tenant).await?;
    let found = store::list(&mut tx, tenant, &page).await?;
    tx.rollback().await;
    Ok(page.page(&room.page_tokens, found, |found| place(paging.order_by, found)))
}

/// Where a classification stands in the order.
fn place(order_by: &str, found: &Classification) -> PageKey {
    let place = match order_by.split_whitespace().next() {
        Some("update_time") => found.update_time.as_microsecond(),
        Some("sentiment_score") => millionths(found.sentiment_score),
        _ => found.create_time.as_microsecond(),
    };
    PageKey {
        time: place,
        id: found.id.into(),
    }
}

/// Makes the next revision.
pub(super) async fn correct(
    room: &Room,
    tenant: &Tenant,
    (id, name): (Uuid, &str),
    change: Change,
    etag: &str,
    repeat: Option<Repeatable>,
) -> Result<convert::Answer, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
        return Ok(answer);
    }
    let mut found = store::lock(&mut tx, tenant, id)
        .await?
        .ok_or_else(|| Refusal::not_found(name))?;
    if !etag.is_empty() && etag != found.revision.to_string() {
        return Err(Refusal::etag_mismatch(name));
    }
    settling::revise(room, &mut tx, tenant, &mut found, change, Source::Correction).await?;
    let answer = convert::answer(tenant, &found)?;
    repeat::commit(tx, &room.clock, repeat.as_ref(), answer).await
}

/// Tells the others; the row is held.
pub(super) async fn tell(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    found: &Classification,
    actor: &str,
) -> Result<(), Refusal> {
    let event = NewEvent {
        subject: found.feedback.name.clone(),
        actor: actor.to_owned(),
        payload: Payload::FeedbackClassified(convert::told(found)),
    };
    room.outbox.append(tx, tenant, event).await?;
    Ok(())
}
