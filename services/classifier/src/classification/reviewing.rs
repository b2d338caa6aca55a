//! Use cases beside the correction that change a priority: scores by hand, the joint review, its escalation.

use std::collections::BTreeMap;

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    repeat::{self, Repeatable},
    timer::{self, Timer},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    convert, domain::Classification, domain_priority::Rules, domain_review::Reviewer, service::tell, store,
    store_priority,
};
use crate::{
    domain::{Feedback, SYSTEM},
    priority::{check, domain::UsedFor, models::Model},
    room::Room,
};

/// The kind of the timers of reviews.
const ESCALATION: &str = "priority_review";

/// What the timer of a review knows.
#[derive(Debug, Serialize, Deserialize)]
struct Escalation {
    classification: Uuid,
    round: i32,
}

/// Which classification, under which name and etag, for the answer of which request.
#[derive(Debug)]
pub(super) struct Target<'t> {
    pub(super) id: Uuid,
    pub(super) name: &'t str,
    pub(super) etag: &'t str,
    pub(super) repeat: Option<Repeatable>,
}

/// How many customers have the same problem around the time when a case came in, where the model asks; 0 where it does not, or nobody can know.
pub(super) async fn customers(
    tx: &mut Transaction,
    tenant: &Tenant,
    model: &Model,
    (feedback, category): (&Feedback, &str),
    came_in: Timestamp,
) -> Result<i32, Refusal> {
    if model.most_customers == 0 || feedback.customer.is_empty() || feedback.product_model.is_empty() {
        return Ok(0);
    }
    let days = SignedDuration::from_hours(24 * i64::from(model.content.same_problem_days));
    let around = (
        came_in.checked_sub(days).unwrap_or(came_in),
        came_in.checked_add(days).unwrap_or(came_in),
    );
    let problem = (category, feedback.product_model.as_str());
    store_priority::customers(tx, tenant, problem, &feedback.customer, around, model.most_customers).await
}

/// Sets the timer of a review that has begun since `round`.
pub(super) async fn watch_review(
    tx: &mut Transaction,
    tenant: &Tenant,
    found: &Classification,
    round: Option<i32>,
) -> Result<(), Refusal> {
    let Some((current, due)) = found.review_to_escalate() else {
        return Ok(());
    };
    if round == Some(current) {
        return Ok(());
    }
    let escalation = Escalation {
        classification: found.id,
        round: current,
    };
    // Each round has a timer of its own: one that fires holds its row, and wants the classification.
    let key = format!("{}/{current}", found.id);
    timer::schedule(tx, tenant, ESCALATION, &key, due, &escalation).await
}

/// The time of a review has passed: it is marked and told, where it is still pending.
pub(crate) async fn fire(room: &Room, tx: &mut Transaction, timer: &Timer) -> Result<(), Refusal> {
    if timer.kind != ESCALATION {
        return Ok(());
    }
    let Escalation { classification, round } = timer.payload()?;
    let Some(mut found) = store::lock(tx, &timer.tenant, classification).await? else {
        return Ok(());
    };
    if found.escalate(round, room.clock.now()) {
        store::correct(tx, &timer.tenant, &found).await?;
        tell(room, tx, &timer.tenant, &found, SYSTEM).await?;
    }
    Ok(())
}

/// Takes scores that a person gives.
pub(super) async fn score(
    room: &Room,
    tenant: &Tenant,
    target: Target<'_>,
    (author, reason): (&str, String),
    given: Vec<(String, i32)>,
) -> Result<convert::Answer, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    let mut found = match begin(&mut tx, tenant, &target).await? {
        Begun::Answered(answer) => return Ok(*answer),
        Begun::Held(found) => *found,
    };
    let model = room.priorities.active(&mut tx, tenant, UsedFor::Case).await?;
    let mut violations = check::scores(&model.content, &given, true);
    if model.content.manual.reason_required && reason.is_empty() {
        violations.push(("reason".to_owned(), "the priority model asks for one".to_owned()));
    }
    if !violations.is_empty() {
        return Err(Refusal::invalid(violations));
    }
    let lexicon = room.lexicons.active(&mut tx, tenant).await?;
    let problem = (&found.feedback, found.category.as_str());
    let customers = customers(&mut tx, tenant, &model, problem, found.create_time).await?;
    let rules = Rules {
        lexicon: &lexicon,
        model: &model,
        customers,
    };
    let round = found.review.as_ref().map(|review| review.round);
    let scores: BTreeMap<String, i32> = given.into_iter().collect();
    found.score(rules, (author, reason), scores, room.clock.now())?;
    watch_review(&mut tx, tenant, &found, round).await?;
    end(room, tx, tenant, &found, author, target.repeat).await
}

/// Takes an approval.
pub(super) async fn approve(
    room: &Room,
    tenant: &Tenant,
    target: Target<'_>,
    reviewer: Reviewer<'_>,
) -> Result<convert::Answer, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    let mut found = match begin(&mut tx, tenant, &target).await? {
        Begun::Answered(answer) => return Ok(*answer),
        Begun::Held(found) => *found,
    };
    let author = reviewer.author;
    found.approve(reviewer, room.clock.now())?;
    end(room, tx, tenant, &found, author, target.repeat).await
}

/// Takes a rejection.
pub(super) async fn reject(
    room: &Room,
    tenant: &Tenant,
    target: Target<'_>,
    reviewer: Reviewer<'_>,
    priority: &str,
) -> Result<convert::Answer, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    let mut found = match begin(&mut tx, tenant, &target).await? {
        Begun::Answered(answer) => return Ok(*answer),
        Begun::Held(found) => *found,
    };
    let model = room.priorities.active(&mut tx, tenant, UsedFor::Case).await?;
    let author = reviewer.author;
    found.reject(&model, reviewer, priority, room.clock.now())?;
    room.meters.corrected(&mut tx);
    end(room, tx, tenant, &found, author, target.repeat).await
}

enum Begun {
    Answered(Box<convert::Answer>),
    Held(Box<Classification>),
}

/// The answer of the same request, or the classification, held.
async fn begin(tx: &mut Transaction, tenant: &Tenant, target: &Target<'_>) -> Result<Begun, Refusal> {
    if let Some(answer) = repeat::answered(tx, target.repeat.as_ref()).await? {
        return Ok(Begun::Answered(Box::new(answer)));
    }
    let found = store::lock(tx, tenant, target.id)
        .await?
        .ok_or_else(|| Refusal::not_found(target.name))?;
    if !target.etag.is_empty() && target.etag != found.revision.to_string() {
        return Err(Refusal::etag_mismatch(target.name));
    }
    Ok(Begun::Held(Box::new(found)))
}

/// Keeps and tells the revision.
async fn end(
    room: &Room,
    mut tx: Transaction,
    tenant: &Tenant,
    found: &Classification,
    actor: &str,
    repeat: Option<Repeatable>,
) -> Result<convert::Answer, Refusal> {
    store::correct(&mut tx, tenant, found).await?;
    tell(room, &mut tx, tenant, found, actor).await?;
    let answer = convert::answer(tenant, found)?;
    repeat::commit(tx, &room.clock, repeat.as_ref(), answer).await
}
