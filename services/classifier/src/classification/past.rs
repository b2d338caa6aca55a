//! Classifications as a priority model is tried on them: the facts and scores of today, and the priority in effect.

use huiyin_chassis::{Refusal, Tenant};
use jiff::Timestamp;
use uuid::Uuid;

use super::store_priority;
use crate::{
    domain::Priority,
    priority::{
        domain::{Facts, Scores},
        models::Model,
    },
    room::Room,
};

/// So many are read at once.
pub(crate) const BATCH: i64 = 5_000;

/// Which of them, newest first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    /// From then on.
    pub(crate) start: Option<Timestamp>,
    /// Before then.
    pub(crate) end: Option<Timestamp>,
    /// Behind this one, in the order in which they come.
    pub(crate) before: Option<(Timestamp, Uuid)>,
}

/// One of them.
#[derive(Debug, Clone)]
pub(crate) struct Past {
    pub(crate) id: Uuid,
    pub(crate) number: String,
    pub(crate) create_time: Timestamp,
    /// In effect.
    pub(crate) priority: Priority,
    pub(crate) set_by_hand: bool,
    pub(crate) facts: Facts,
    pub(crate) scores: Scores,
}

/// At most `wanted` of a window, with the facts that a model asks for.
pub(crate) async fn read(
    room: &Room,
    tenant: &Tenant,
    model: &Model,
    window: &Window,
    wanted: i64,
) -> Result<Vec<Past>, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    let past = store_priority::past(&mut tx, tenant, model, window, wanted).await?;
    tx.rollback().await;
    Ok(past)
}
