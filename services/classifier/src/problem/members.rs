//! Use cases of the feedback of a problem: put there by hand, taken out, listed.

use std::collections::BTreeSet;

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    listing::{Field, Kind, Page, PageKey, PageRequest, Paging},
};
use uuid::Uuid;

use super::{
    convert::{Answer, PROBLEMS},
    domain::{Problem, Source, State},
    service::{self, Change, Wish, commit, open, settle, wished},
    store,
    store_members::{self, Joining, Member, Place},
    store_texts::{self, Said},
    terms,
};
use crate::{error::Error, room::Room};

const SEEN_TIME: Field = Field::at("seen_time", "f.seen_time", Kind::Time);
const CREATE_TIME: Field = Field::at("create_time", "f.create_time", Kind::Time);
const FIELDS: &[Field] = &[
    Field::at(
        "source",
        "f.source",
        Kind::Enum("huiyin.classifier.v1.MembershipSource"),
    ),
    Field::at("recurrence", "f.recurrence", Kind::Bool),
    Field::at("customer", "f.customer", Kind::Text),
    SEEN_TIME,
    CREATE_TIME,
];

/// Feedback as it is put into a problem and counts for another, or the same.
pub(super) fn joining(said: &Said, own: &Problem, holder: &Problem) -> Joining {
    Joining {
        feedback: said.id,
        own: own.id,
        holder: holder.id,
        customer: said.customer.clone(),
        seen: said.seen(),
        recurrence: own.recurs_at(said.seen()) || holder.recurs_at(said.seen()),
    }
}

fn name_of(tenant: &Tenant, feedback: Uuid) -> String {
    tenant.child("feedbacks", feedback)
}

/// Puts feedbacks into a problem by hand, out of others where it `moves`; answers with the names of those that are new there. The
/// problem itself is not settled yet.
pub(super) async fn bring(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    problem: &mut Problem,
    feedbacks: &[Uuid],
    (moves, actor): (bool, &str),
) -> Result<Vec<String>, Refusal> {
    if feedbacks.is_empty() {
        return Ok(Vec::new());
    }
    let known = store_texts::named(tx, tenant, feedbacks).await?;
    if let Some(missing) = feedbacks.iter().find(|id| known.iter().all(|said| said.id != **id)) {
        return Err(Error::FeedbackNotOfProblem {
            feedback: name_of(tenant, *missing),
        }
        .into());
    }
    let places = store_members::places(tx, tenant, feedbacks).await?;
    let elsewhere: Vec<&Place> = places.iter().filter(|place| place.holder_id != problem.id).collect();
    let mut losers = others_of(tx, tenant, &elsewhere).await?;
    let bound = |place: &&&Place| {
        let holder = losers.iter().find(|loser| loser.id == place.holder_id);
        holder.is_some_and(|holder| holder.state != State::Rejected)
    };
    if let Some(place) = elsewhere.iter().find(bound).filter(|_| !moves) {
        return Err(Error::FeedbackInOtherProblem {
            feedback: name_of(tenant, place.feedback_id),
            problem: tenant.child(PROBLEMS, place.holder_id),
        }
        .into());
    }
    let is_there = |said: &&Said| {
        places
            .iter()
            .any(|place| place.feedback_id == said.id && place.holder_id == problem.id)
    };
    let new: Vec<&Said> = known.iter().filter(|said| !is_there(said)).collect();
    let joining: Vec<Joining> = new.iter().map(|said| joining(said, problem, problem)).collect();
    store_members::put(tx, tenant, &joining, Source::Hand, actor, room.clock.now()).await?;
    lost(room, tx, tenant, &mut losers, actor).await?;
    terms::work_out(tx, tenant, problem).await?;
    Ok(new.into_iter().map(|said| said.name.clone()).collect())
}

/// The problems that feedbacks belong to, and those for which they count.
pub(super) async fn others_of(
    tx: &mut Transaction,
    tenant: &Tenant,
    places: &[&Place],
) -> Result<Vec<Problem>, Refusal> {
    let ids: BTreeSet<Uuid> = places
        .iter()
        .flat_map(|place| [place.problem_id, place.holder_id])
        .collect();
    store::find_all(tx, tenant, &ids.into_iter().collect::<Vec<_>>()).await
}

/// Settles problems that feedback was taken from; where it went they do not say.
pub(super) async fn lost(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    losers: &mut [Problem],
    actor: &str,
) -> Result<(), Refusal> {
    for loser in losers {
        terms::work_out(tx, tenant, loser).await?;
        let change = Change {
            from: Some(loser.state),
            actor,
            ..Change::default()
        };
        settle(room, tx, tenant, loser, change).await?;
    }
    Ok(())
}

/// Puts feedbacks into a problem.
pub(super) async fn add(room: &Room, wish: Wish<'_>, feedbacks: &[Uuid], moves: bool) -> Result<Answer, Refusal> {
    let mut tx = match open(room, wish.tenant, wish.repeat.as_ref()).await? {
        Ok(tx) => tx,
        Err(answer) => return Ok(answer),
    };
    let mut problem = wished(&mut tx, &wish).await?;
    if problem.state == State::Merged {
        return Err(problem.state.forbids().into());
    }
    let added = bring(room, &mut tx, wish.tenant, &mut problem, feedbacks, (moves, wish.actor)).await?;
    let change = Change {
        from: Some(problem.state),
        actor: wish.actor,
        added,
        ..Change::default()
    };
    settle(room, &mut tx, wish.tenant, &mut problem, change).await?;
    commit(room, tx, wish.tenant, &problem, wish.repeat).await
}

/// The places of feedbacks that all count for a problem.
///
/// # Errors
/// Where one does not.
pub(super) async fn places_in(
    tx: &mut Transaction,
    tenant: &Tenant,
    holder: Uuid,
    feedbacks: &[Uuid],
) -> Result<Vec<Place>, Refusal> {
    let places = store_members::places(tx, tenant, feedbacks).await?;
    let is_there = |id: &Uuid| {
        places
            .iter()
            .any(|place| place.feedback_id == *id && place.holder_id == holder)
    };
    match feedbacks.iter().find(|id| !is_there(id)) {
        Some(missing) => Err(Error::FeedbackNotOfProblem {
            feedback: name_of(tenant, *missing),
        }
        .into()),
        None => Ok(places),
    }
}

/// Takes feedbacks out of a problem.
pub(super) async fn remove(room: &Room, wish: Wish<'_>, feedbacks: &[Uuid]) -> Result<Answer, Refusal> {
    let mut tx = match open(room, wish.tenant, wish.repeat.as_ref()).await? {
        Ok(tx) => tx,
        Err(answer) => return Ok(answer),
    };
    let tenant = wish.tenant;
    let mut problem = wished(&mut tx, &wish).await?;
    let places = places_in(&mut tx, tenant, problem.id, feedbacks).await?;
    store_members::remove(&mut tx, tenant, feedbacks).await?;
    let mut losers = others_of(&mut tx, tenant, &places.iter().collect::<Vec<_>>()).await?;
    losers.retain(|loser| loser.id != problem.id);
    lost(room, &mut tx, tenant, &mut losers, wish.actor).await?;
    terms::work_out(&mut tx, tenant, &mut problem).await?;
    let change = Change {
        from: Some(problem.state),
        actor: wish.actor,
        removed: feedbacks.iter().map(|id| name_of(tenant, *id)).collect(),
        ..Change::default()
    };
    settle(room, &mut tx, tenant, &mut problem, change).await?;
    commit(room, tx, tenant, &problem, wish.repeat).await
}

/// The feedbacks of a page.
pub(super) async fn list(room: &Room, tenant: &Tenant, id: Uuid, paging: Paging<'_>) -> Result<Page<Member>, Refusal> {
    let page = PageRequest::new(
        &room.page_tokens,
        tenant,
        &format!("{PROBLEMS}/{id}"),
        paging,
        (FIELDS, &[SEEN_TIME, CREATE_TIME]),
    )?;
    let mut tx = room.database.tenant(tenant).await?;
    let problem = service::existing(&mut tx, tenant, id).await?;
    let found = store_members::list(&mut tx, tenant, problem.id, &page).await?;
    tx.rollback().await;
    let by_creation = paging.order_by.split_whitespace().next() == Some("create_time");
    Ok(page.page(&room.page_tokens, found, |member| PageKey {
        time: if by_creation { member.create_time } else { member.seen }.as_microsecond(),
        id: member.feedback.into(),
    }))
}
