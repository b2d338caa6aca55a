//! Use case of using an article: it is counted, once for a person and a feedback, with what came of it.

use huiyin_chassis::{
    Refusal, Tenant,
    repeat::{self, Repeatable},
};
use uuid::Uuid;

use super::{
    articles::{self, existing},
    convert::{self, Answer},
    domain::{Outcome, Sees, State, said_of_use},
    store, store_uses,
};
use crate::room::Room;

/// A use, as a caller says it.
pub(super) struct Said<'r> {
    pub(super) id: Uuid,
    pub(super) version: i32,
    pub(super) outcome: Outcome,
    pub(super) feedback: Option<Uuid>,
    pub(super) author: &'r str,
    pub(super) sees: Sees,
}

/// Counts a use, or what came of one that is counted already.
pub(super) async fn record(
    room: &Room,
    tenant: &Tenant,
    said: Said<'_>,
    repeat: Option<Repeatable>,
) -> Result<Answer, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
        return Ok(answer);
    }
    // Who counts a use of an article waits for who does the same.
    let missing = || Refusal::not_found(&articles::name(tenant, said.id));
    store::lock(&mut tx, tenant, said.id).await?.ok_or_else(missing)?;
    let article = existing(&mut tx, tenant, said.id, said.version).await?;
    if !said.sees.shows(&article) {
        return Err(missing());
    }
    if article.version.state != State::Published && article.version.publish_time.is_none() {
        let name = articles::name(tenant, said.id);
        return Err(Refusal::state_forbids(&name, "DRAFT", &["PublishArticle"]));
    }
    let now = room.clock.now();
    let place = (said.id, said.version);
    let feedback = said
        .feedback
        .map(|feedback| tenant.child("feedbacks", feedback))
        .unwrap_or_default();
    let known = store_uses::known(&mut tx, tenant, place, said.author, &feedback).await?;
    let (outcome, change) = said_of_use(known.map(|(_, outcome)| outcome), said.outcome);
    match known {
        Some((id, _)) => store_uses::change(&mut tx, tenant, id, outcome, now).await?,
        None => {
            let id = room.clock.id();
            store_uses::insert(&mut tx, tenant, (id, place), outcome, (said.author, &feedback), now).await?;
        }
    }
    store_uses::count(&mut tx, tenant, place, change).await?;
    let mut article = existing(&mut tx, tenant, said.id, said.version).await?;
    article.version.content.body = String::new();
    let answer = convert::article(tenant, &article);
    repeat::commit(tx, &room.clock, repeat.as_ref(), answer).await
}
