//! Use cases that say which problems are the same: merge, take a merge back, split.

use huiyin_chassis::Refusal;
use uuid::Uuid;

use super::{
    convert::{Answer, PROBLEMS},
    domain::{Origin, Source},
    members::{self, joining},
    service::{self, Change, Wish, commit, existing, open, settle, wished},
    store,
    store_members::{self, Joining},
    store_texts, terms,
};
use crate::room::Room;

/// Merges problems into the one that is wished.
pub(super) async fn merge(room: &Room, wish: Wish<'_>, sources: &[Uuid]) -> Result<Answer, Refusal> {
    if let Some(at) = sources.iter().position(|source| *source == wish.id) {
        return Err(Refusal::invalid_field(
            &format!("sources[{at}]"),
            "is the problem itself",
        ));
    }
    let tenant = wish.tenant;
    let mut tx = match open(room, tenant, wish.repeat.as_ref()).await? {
        Ok(tx) => tx,
        Err(answer) => return Ok(answer),
    };
    let mut target = wished(&mut tx, &wish).await?;
    for source in sources {
        let mut source = existing(&mut tx, tenant, *source).await?;
        let from = source.state;
        source.merge_into(&target)?;
        store_members::hand_over(&mut tx, tenant, source.id, target.id).await?;
        let change = Change {
            from: Some(from),
            reason: wish.reason.clone(),
            actor: wish.actor,
            ..Change::default()
        };
        settle(room, &mut tx, tenant, &mut source, change).await?;
    }
    let change = Change {
        from: Some(target.state),
        actor: wish.actor,
        ..Change::default()
    };
    settle(room, &mut tx, tenant, &mut target, change).await?;
    commit(room, tx, tenant, &target, wish.repeat).await
}

/// Takes the merge of a problem back.
pub(super) async fn unmerge(room: &Room, wish: Wish<'_>) -> Result<Answer, Refusal> {
    let tenant = wish.tenant;
    let mut tx = match open(room, tenant, wish.repeat.as_ref()).await? {
        Ok(tx) => tx,
        Err(answer) => return Ok(answer),
    };
    let mut problem = wished(&mut tx, &wish).await?;
    let from = problem.state;
    let holder = store::holder(&mut tx, tenant, &problem).await?;
    problem.unmerge()?;
    store_members::take_back(&mut tx, tenant, problem.id).await?;
    let change = Change {
        from: Some(from),
        reason: wish.reason,
        actor: wish.actor,
        ..Change::default()
    };
    settle(room, &mut tx, tenant, &mut problem, change).await?;
    let mut holder = existing(&mut tx, tenant, holder).await?;
    let change = Change {
        from: Some(holder.state),
        actor: wish.actor,
        ..Change::default()
    };
    settle(room, &mut tx, tenant, &mut holder, change).await?;
    commit(room, tx, tenant, &problem, wish.repeat).await
}

/// Splits feedbacks off into a new problem.
pub(super) async fn split(room: &Room, wish: Wish<'_>, feedbacks: &[Uuid], title: String) -> Result<Answer, Refusal> {
    let (tenant, actor) = (wish.tenant, wish.actor);
    let mut tx = match open(room, tenant, wish.repeat.as_ref()).await? {
        Ok(tx) => tx,
        Err(answer) => return Ok(answer),
    };
    let from = wished(&mut tx, &wish).await?;
    let places = members::places_in(&mut tx, tenant, from.id, feedbacks).await?;
    let mut new = service::new(room, &mut tx, tenant, from.about.clone(), (Origin::Split, actor)).await?;
    (new.title, new.title_given) = (title, true);
    store::put(&mut tx, tenant, &new).await?;
    let said = store_texts::named(&mut tx, tenant, feedbacks).await?;
    let joining: Vec<Joining> = said.iter().map(|said| joining(said, &new, &new)).collect();
    store_members::put(&mut tx, tenant, &joining, Source::Split, actor, room.clock.now()).await?;
    let mut losers = members::others_of(&mut tx, tenant, &places.iter().collect::<Vec<_>>()).await?;
    members::lost(room, &mut tx, tenant, &mut losers, actor).await?;
    terms::work_out(&mut tx, tenant, &mut new).await?;
    let reason = match wish.reason.as_str() {
        "" => format!("of {}", tenant.child(PROBLEMS, from.id)),
        said => format!("of {}: {said}", tenant.child(PROBLEMS, from.id)),
    };
    let change = Change {
        reason,
        actor,
        added: said.into_iter().map(|said| said.name).collect(),
        ..Change::default()
    };
    settle(room, &mut tx, tenant, &mut new, change).await?;
    commit(room, tx, tenant, &new, wish.repeat).await
}
