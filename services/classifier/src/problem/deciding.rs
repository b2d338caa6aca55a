//! Use cases of people who decide on a problem: accept, reject, resolve, reopen.

use huiyin_chassis::Refusal;
use jiff::Timestamp;

use super::{
    convert::Answer,
    domain::{Fix, Problem, State},
    service::{Change, Wish, commit, open, settle, wished},
    store_members,
};
use crate::{error::Error, room::Room};

/// It is one.
pub(super) async fn accept(room: &Room, wish: Wish<'_>) -> Result<Answer, Refusal> {
    decide(room, wish, |problem| problem.become_state(State::Accepted)).await
}

/// It is none.
pub(super) async fn reject(room: &Room, wish: Wish<'_>) -> Result<Answer, Refusal> {
    decide(room, wish, Problem::reject).await
}

/// A fix is released; without a time, now.
pub(super) async fn resolve(
    room: &Room,
    wish: Wish<'_>,
    version: String,
    time: Option<Timestamp>,
) -> Result<Answer, Refusal> {
    let time = time.unwrap_or_else(|| room.clock.now());
    decide(room, wish, |problem| {
        problem.become_state(State::Resolved)?;
        problem.fix = Some(Fix { version, time });
        Ok(())
    })
    .await
}

/// The fix did not help.
pub(super) async fn reopen(room: &Room, wish: Wish<'_>) -> Result<Answer, Refusal> {
    decide(room, wish, |problem| problem.become_state(State::Reopened)).await
}

async fn decide(
    room: &Room,
    wish: Wish<'_>,
    decision: impl FnOnce(&mut Problem) -> Result<(), Error> + Send,
) -> Result<Answer, Refusal> {
    let mut tx = match open(room, wish.tenant, wish.repeat.as_ref()).await? {
        Ok(tx) => tx,
        Err(answer) => return Ok(answer),
    };
    let mut problem = wished(&mut tx, &wish).await?;
    let from = problem.state;
    decision(&mut problem)?;
    if let (State::Resolved, Some(fix)) = (problem.state, &problem.fix) {
        store_members::mark_recurrences(&mut tx, wish.tenant, problem.id, fix.time).await?;
    }
    let change = Change {
        from: Some(from),
        reason: wish.reason,
        actor: wish.actor,
        ..Change::default()
    };
    settle(room, &mut tx, wish.tenant, &mut problem, change).await?;
    commit(room, tx, wish.tenant, &problem, wish.repeat).await
}
