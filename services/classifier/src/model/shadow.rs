//! Versions in the shadow (影子模式): what they would say of each new feedback is kept beside what decides, and never has effect.

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    repeat::{self, Repeatable},
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    asking::Asked,
    convert::{ShadowAnswer, TASKS, TaskAnswer, shadow_report},
    domain::{Target, Task},
    store::{self, Hold},
    store_shadow, tasks,
    versions::Named,
};
use crate::{domain::UNCLASSIFIED, error::Error, reading::verdict::Verdict, room::Room};

/// What a version in the shadow says of a text.
#[derive(Debug, Clone)]
pub(crate) struct Shadowed {
    pub(crate) task: String,
    pub(crate) version: i32,
    pub(crate) label: String,
    pub(crate) confidence: f64,
}

/// The same beside what decided.
#[derive(Debug)]
pub(super) struct Compared<'c> {
    pub(super) task: &'c str,
    pub(super) version: i32,
    pub(super) label: &'c str,
    pub(super) confidence: f64,
    /// 0 where the words decided.
    pub(super) active_version: i32,
    pub(super) active_label: &'c str,
}

/// How a version did in the shadow, in texts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Report {
    pub(super) compared: i64,
    pub(super) agreed: i64,
    /// Of those that people labelled since.
    pub(super) known: i64,
    pub(super) shadow_right: i64,
    pub(super) active_right: i64,
    pub(super) first_time: Option<Timestamp>,
    pub(super) last_time: Option<Timestamp>,
}

/// Keeps what the versions in the shadow said of a feedback that was classified.
///
/// # Errors
/// UNAVAILABLE where the database is gone.
pub(crate) async fn keep(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    (classification, verdict): (Uuid, &Verdict),
    asked: &Asked,
) -> Result<(), Refusal> {
    for said in &asked.shadows {
        let Some(task) = asked.tasks.iter().find(|task| task.id == said.task) else {
            continue;
        };
        let answer = asked.answer_for(task);
        let compared = Compared {
            task: &task.id,
            version: said.version,
            label: &said.label,
            confidence: said.confidence,
            active_version: answer.map_or(0, |_| task.active_version),
            active_label: answer.map_or_else(|| by_words(task, verdict), |answer| &answer.label),
        };
        store_shadow::insert(tx, tenant, classification, &compared, room.clock.now()).await?;
    }
    Ok(())
}

/// The label of a task in a verdict.
fn by_words<'v>(task: &Task, verdict: &'v Verdict) -> &'v str {
    if task.target == Target::Sentiment {
        return verdict.sentiment.key();
    }
    let mut labels = verdict.labels.iter();
    let label = labels.find(|label| label.dimension == task.dimension);
    label.map_or(UNCLASSIFIED, |label| &label.category)
}

/// Lets a version read in the shadow from now on.
pub(super) async fn set(
    room: &Room,
    named: Named<'_>,
    etag: &str,
    repeat: Option<Repeatable>,
) -> Result<TaskAnswer, Refusal> {
    let tenant = named.tenant;
    let mut tx = room.database.tenant(tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
        return Ok(answer);
    }
    let (mut task, version) = named.find(&mut tx, Hold::Whole).await?;
    let task_name = tenant.child(TASKS, &task.id);
    if !etag.is_empty() && etag != task.revision.to_string() {
        return Err(Refusal::etag_mismatch(&task_name));
    }
    if task.target == Target::Labels {
        return Err(Error::TaskReadsNoFeedback { task: task_name }.into());
    }
    if task.active_version == version.version {
        return Err(Error::ModelActive { model: named.name() }.into());
    }
    if task.shadow_version != version.version {
        task.shadow_version = version.version;
        task.touch(room.clock.now());
        store::update(&mut tx, tenant, &task).await?;
    }
    tasks::commit(room, tx, tenant, &task, repeat).await
}

/// Lets none read in the shadow.
pub(super) async fn clear(
    room: &Room,
    tenant: &Tenant,
    task: &str,
    etag: &str,
    repeat: Option<Repeatable>,
) -> Result<TaskAnswer, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
        return Ok(answer);
    }
    let mut task = tasks::held(&mut tx, tenant, task, etag).await?;
    if task.shadow_version != 0 {
        task.shadow_version = 0;
        task.touch(room.clock.now());
        store::update(&mut tx, tenant, &task).await?;
    }
    tasks::commit(room, tx, tenant, &task, repeat).await
}

/// How a version did.
pub(super) async fn report(room: &Room, named: Named<'_>) -> Result<ShadowAnswer, Refusal> {
    let mut tx = room.database.tenant(named.tenant).await?;
    named.find(&mut tx, Hold::Free).await?;
    let report = store_shadow::report(&mut tx, named.tenant, named.task, named.version).await?;
    tx.rollback().await;
    Ok(shadow_report(&named.name(), &report))
}
