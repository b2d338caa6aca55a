//! Use cases of problems: read, list, make, change; and what every change comes to in the end.

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    listing::{Field, Kind, Page, PageKey, PageRequest, Paging},
    repeat::{self, Repeatable},
};
use jiff::tz::TimeZone;
use prost::Message;
use uuid::Uuid;

use super::{
    convert::{self, Answer, Given, PROBLEMS},
    domain::{self, About, Origin, Problem, State, Transition},
    events, members, store, store_members, terms,
};
use crate::{domain::UNCLASSIFIED, error::Error, reading::lexicon::Lexicon, room::Room};

/// A problem shows so many samples.
const SAMPLES: i64 = 10;

const CREATE_TIME: Field = Field::of("create_time", Kind::Time);
const FEEDBACK_COUNT: Field = Field::of("feedback_count", Kind::Integer);
const CUSTOMER_COUNT: Field = Field::of("customer_count", Kind::Integer);
/// One without feedback stands where it was made: an order needs a value for each.
const LAST_SEEN: Field = Field::at("last_seen_time", "(COALESCE(last_seen_time, create_time))", Kind::Time);
const ORDERS: &[Field] = &[CREATE_TIME, FEEDBACK_COUNT, CUSTOMER_COUNT, LAST_SEEN];
const FIELDS: &[Field] = &[
    Field::of("state", Kind::Enum("huiyin.event.v1.ProblemState")),
    Field::of("origin", Kind::Enum("huiyin.classifier.v1.ProblemOrigin")),
    Field::of("number", Kind::Text),
    Field::of("category", Kind::Path),
    Field::of("product_model", Kind::Text),
    Field::of("batch", Kind::Text),
    FEEDBACK_COUNT,
    CUSTOMER_COUNT,
    Field::of("recurrence_count", Kind::Integer),
    Field::of("first_seen_time", Kind::Time),
    Field::of("last_seen_time", Kind::Time),
    CREATE_TIME,
    Field::of("update_time", Kind::Time),
];

/// Which problem, for the answer of which request, and by whom.
#[derive(Debug)]
pub(super) struct Wish<'w> {
    pub(super) tenant: &'w Tenant,
    pub(super) id: Uuid,
    pub(super) etag: &'w str,
    pub(super) actor: &'w str,
    /// Masked; may be empty.
    pub(super) reason: String,
    pub(super) repeat: Option<Repeatable>,
}

/// What happened to a problem, beside what is written in it.
#[derive(Debug, Default)]
pub(super) struct Change<'c> {
    /// Where it stood; none for a new one.
    pub(super) from: Option<State>,
    pub(super) reason: String,
    pub(super) actor: &'c str,
    /// Names of the feedbacks that belong to it now.
    pub(super) added: Vec<String>,
    /// Names of those that belong nowhere now.
    pub(super) removed: Vec<String>,
}

/// A transaction that holds the tenant's problems, or the answer that the request had before.
pub(super) async fn open<A: Message + Default>(
    room: &Room,
    tenant: &Tenant,
    repeat: Option<&Repeatable>,
) -> Result<Result<Transaction, A>, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, repeat).await? {
        return Ok(Err(answer));
    }
    store::hold(&mut tx, tenant).await?;
    Ok(Ok(tx))
}

/// A problem, or that there is none.
pub(super) async fn existing(tx: &mut Transaction, tenant: &Tenant, id: Uuid) -> Result<Problem, Refusal> {
    let found = store::find(tx, tenant, id).await?;
    found.ok_or_else(|| Refusal::not_found(&tenant.child(PROBLEMS, id)))
}

/// The problem of a wish, where it is the one that the caller has read.
pub(super) async fn wished(tx: &mut Transaction, wish: &Wish<'_>) -> Result<Problem, Refusal> {
    let found = existing(tx, wish.tenant, wish.id).await?;
    if !wish.etag.is_empty() && wish.etag != found.revision.to_string() {
        return Err(Refusal::etag_mismatch(&wish.tenant.child(PROBLEMS, wish.id)));
    }
    Ok(found)
}

/// Counts a problem anew, keeps its next revision, and tells it.
pub(super) async fn settle(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    problem: &mut Problem,
    change: Change<'_>,
) -> Result<(), Refusal> {
    problem.counts = store_members::counts(tx, tenant, problem.id).await?;
    problem.revision += 1;
    problem.update_time = room.clock.now();
    store::put(tx, tenant, problem).await?;
    if change.from != Some(problem.state) {
        let moved = Transition {
            revision: problem.revision,
            from: change.from,
            to: problem.state,
            reason: change.reason,
            actor: change.actor.to_owned(),
            create_time: problem.update_time,
        };
        store::add_transition(tx, tenant, problem.id, &moved).await?;
    }
    let feedbacks = (change.added, change.removed);
    let event = events::changed(tenant, problem, change.from, feedbacks, change.actor);
    room.outbox.append(tx, tenant, event).await?;
    Ok(())
}

/// Answers with a problem, and commits.
pub(super) async fn commit(
    room: &Room,
    tx: Transaction,
    tenant: &Tenant,
    problem: &Problem,
    repeat: Option<Repeatable>,
) -> Result<Answer, Refusal> {
    let answer = convert::answer(tenant, problem);
    repeat::commit(tx, &room.clock, repeat.as_ref(), answer).await
}

/// A new problem with its number; it is not kept yet.
pub(super) async fn new(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    about: About,
    (origin, author): (Origin, &str),
) -> Result<Problem, Refusal> {
    let now = room.clock.now();
    let today = now.to_zoned(TimeZone::UTC).date();
    let day = i32::from(today.year()) * 10_000 + i32::from(today.month()) * 100 + i32::from(today.day());
    let number = domain::number(day, store::next_number(tx, tenant, day).await?);
    Ok(Problem::new(room.clock.id(), number, about, origin, author, now))
}

/// A problem with its samples and transitions.
pub(super) async fn get(room: &Room, tenant: &Tenant, id: Uuid) -> Result<Answer, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    let found = existing(&mut tx, tenant, id).await?;
    let samples = store_members::samples(&mut tx, tenant, id, SAMPLES).await?;
    let moves = store::transitions(&mut tx, tenant, id).await?;
    tx.rollback().await;
    Ok(convert::whole(tenant, &found, samples, moves))
}

/// The problems of a page.
pub(super) async fn list(room: &Room, tenant: &Tenant, paging: Paging<'_>) -> Result<Page<Problem>, Refusal> {
    let page = PageRequest::new(&room.page_tokens, tenant, PROBLEMS, paging, (FIELDS, ORDERS))?;
    let mut tx = room.database.tenant(tenant).await?;
    let found = store::list(&mut tx, tenant, &page).await?;
    tx.rollback().await;
    let place = |problem: &Problem| PageKey {
        time: match paging.order_by.split_whitespace().next() {
            Some("feedback_count") => problem.counts.feedbacks,
            Some("customer_count") => problem.counts.customers,
            Some("last_seen_time") => problem.counts.last_seen.unwrap_or(problem.create_time).as_microsecond(),
            _ => problem.create_time.as_microsecond(),
        },
        id: problem.id.into(),
    };
    Ok(page.page(&room.page_tokens, found, place))
}

/// Makes a problem by hand.
pub(super) async fn create(room: &Room, wish: Wish<'_>, given: Given, feedbacks: &[Uuid]) -> Result<Answer, Refusal> {
    let Wish {
        tenant,
        actor,
        reason,
        repeat,
        ..
    } = wish;
    if given.title.is_none() {
        return Err(Refusal::invalid_field("problem.title", "must be given"));
    }
    let mut tx = match open(room, tenant, repeat.as_ref()).await? {
        Ok(tx) => tx,
        Err(answer) => return Ok(answer),
    };
    let mut problem = new(room, &mut tx, tenant, About::default(), (Origin::Hand, actor)).await?;
    apply(&mut problem, given, &*room.lexicons.active(&mut tx, tenant).await?)?;
    store::put(&mut tx, tenant, &problem).await?;
    let added = members::bring(room, &mut tx, tenant, &mut problem, feedbacks, (false, actor)).await?;
    let change = Change {
        reason,
        actor,
        added,
        ..Change::default()
    };
    settle(room, &mut tx, tenant, &mut problem, change).await?;
    commit(room, tx, tenant, &problem, repeat).await
}

/// Changes what people say of a problem.
pub(super) async fn update(room: &Room, wish: Wish<'_>, given: Given) -> Result<Answer, Refusal> {
    let mut tx = match open(room, wish.tenant, wish.repeat.as_ref()).await? {
        Ok(tx) => tx,
        Err(answer) => return Ok(answer),
    };
    let mut problem = wished(&mut tx, &wish).await?;
    let works_out = given.terms.as_ref().is_some_and(Vec::is_empty);
    apply(&mut problem, given, &*room.lexicons.active(&mut tx, wish.tenant).await?)?;
    if works_out {
        terms::work_out(&mut tx, wish.tenant, &mut problem).await?;
    }
    let change = Change {
        from: Some(problem.state),
        actor: wish.actor,
        ..Change::default()
    };
    settle(room, &mut tx, wish.tenant, &mut problem, change).await?;
    commit(room, tx, wish.tenant, &problem, wish.repeat).await
}

/// Writes what a person gave into a problem.
fn apply(problem: &mut Problem, given: Given, lexicon: &Lexicon) -> Result<(), Error> {
    let Given {
        title,
        description,
        category,
        product_model,
        batch,
        terms,
    } = given;
    if let Some(category) = category {
        let known = lexicon
            .categories
            .iter()
            .any(|known| known.dimension == 0 && known.key == category);
        // What it is about already stays possible when the taxonomy changes.
        if !known && !category.is_empty() && category != UNCLASSIFIED && category != problem.about.category {
            return Err(Error::CategoryUnknown {
                version: lexicon.version,
                category,
                field: "category".to_owned(),
            });
        }
        problem.about.category = category;
    }
    if let Some(model) = product_model {
        problem.about.product_model = model;
        problem.about.of_model = false;
    }
    if let Some(batch) = batch {
        problem.about.batch = batch;
        problem.about.of_batch = false;
    }
    if let Some(description) = description {
        problem.description = description;
    }
    if let Some(terms) = terms {
        problem.terms = terms;
        problem.whole_group = false;
    }
    if let Some(title) = title {
        problem.title = title;
        problem.title_given = true;
    }
    problem.entitle();
    Ok(())
}
