//! Use cases of the policy: read, change.

use huiyin_chassis::{
    Refusal, Tenant,
    repeat::{self, Repeatable},
};

use super::{
    convert::{self, PolicyAnswer},
    domain_policy::{Kept, Policy},
    service::open,
    store,
};
use crate::room::Room;

/// The policy in effect.
pub(super) async fn get(room: &Room, tenant: &Tenant) -> Result<PolicyAnswer, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    let kept = store::policy(&mut tx, tenant).await?;
    tx.rollback().await;
    Ok(convert::policy(tenant, &kept))
}

/// Puts another one into effect.
pub(super) async fn update(
    room: &Room,
    tenant: &Tenant,
    policy: Policy,
    (etag, author): (&str, &str),
    repeat: Option<Repeatable>,
) -> Result<PolicyAnswer, Refusal> {
    let mut tx = match open(room, tenant, repeat.as_ref()).await? {
        Ok(tx) => tx,
        Err(answer) => return Ok(answer),
    };
    let before = store::policy(&mut tx, tenant).await?;
    if !etag.is_empty() && etag != before.revision.to_string() {
        return Err(Refusal::etag_mismatch(&format!("{}/problemPolicy", tenant.name())));
    }
    let now = room.clock.now();
    let kept = Kept {
        policy,
        revision: before.revision + 1,
        author: author.to_owned(),
        update_time: Some(now),
    };
    store::put_policy(&mut tx, tenant, &kept, now).await?;
    let answer = convert::policy(tenant, &kept);
    repeat::commit(tx, &room.clock, repeat.as_ref(), answer).await
}
