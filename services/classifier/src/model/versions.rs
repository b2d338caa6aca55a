//! Use cases of versions: read, list, let one decide, let none, go back.

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    listing::{Field, Kind, Page, PageKey, PageRequest, Paging},
    repeat::{self, Repeatable},
};

use super::{
    convert::{self, ModelAnswer, TASKS, TaskAnswer},
    domain::{Judgement, Labelled, Task, Version},
    judging::{self, aside},
    reader::Reader,
    store::{self, Activation, Hold},
    store_examples, store_models, tasks,
};
use crate::{error::Error, room::Room};

const VERSION: Field = Field::of("version", Kind::Integer);
const FIELDS: &[Field] = &[
    VERSION,
    Field::of("author", Kind::Text),
    Field::of("create_time", Kind::Time),
];

/// A task and a version of its model.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'n> {
    pub(super) tenant: &'n Tenant,
    pub(super) task: &'n str,
    pub(super) version: i32,
}

impl Named<'_> {
    pub(super) fn name(&self) -> String {
        convert::model_name(self.tenant, self.task, self.version)
    }

    /// The task and the version, or that there is none.
    pub(super) async fn find(&self, tx: &mut Transaction, hold: Hold) -> Result<(Task, Version), Refusal> {
        let missing = || Refusal::not_found(&self.name());
        let task = store::find(tx, self.tenant, self.task, hold).await?;
        let version = store_models::find(tx, self.tenant, self.task, self.version).await?;
        task.zip(version).ok_or_else(missing)
    }
}

/// Why a version is to decide, or none, or an earlier one.
#[derive(Debug)]
pub(super) struct Wish<'w> {
    pub(super) author: &'w str,
    pub(super) reason: &'w str,
    pub(super) force: bool,
    pub(super) etag: &'w str,
    pub(super) repeat: Option<Repeatable>,
}

/// A version.
pub(super) async fn get(room: &Room, named: Named<'_>) -> Result<ModelAnswer, Refusal> {
    let mut tx = room.database.tenant(named.tenant).await?;
    let (task, version) = named.find(&mut tx, Hold::Free).await?;
    tx.rollback().await;
    Ok(convert::model(named.tenant, &task, &version))
}

/// What it did on the hold-out of its time, with which labels it took for which.
pub(super) async fn judgement(room: &Room, named: Named<'_>) -> Result<Judgement, Refusal> {
    let mut tx = room.database.tenant(named.tenant).await?;
    let (_, version) = named.find(&mut tx, Hold::Free).await?;
    let confusion = store_models::confusion(&mut tx, named.tenant, named.task, named.version).await?;
    tx.rollback().await;
    let not_evaluated = || Error::NotEvaluated { model: named.name() };
    let judgement = version.judgement.ok_or_else(not_evaluated)?;
    Ok(Judgement { confusion, ..judgement })
}

/// The versions of a page, with their task.
pub(super) async fn list(
    room: &Room,
    tenant: &Tenant,
    task: &str,
    paging: Paging<'_>,
) -> Result<(Task, Page<Version>), Refusal> {
    let page = PageRequest::new(
        &room.page_tokens,
        tenant,
        &format!("models of {task}"),
        paging,
        (FIELDS, &[VERSION]),
    )?;
    let mut tx = room.database.tenant(tenant).await?;
    let task = tasks::existing(&mut tx, tenant, task, Hold::Free).await?;
    let found = store_models::list(&mut tx, tenant, &task.id, &page).await?;
    tx.rollback().await;
    let page = page.page(&room.page_tokens, found, |version| PageKey {
        time: version.version.into(),
        id: version.version.to_string().into(),
    });
    Ok((task, page))
}

/// Lets a version decide.
pub(super) async fn activate(room: &Room, named: Named<'_>, wish: Wish<'_>) -> Result<TaskAnswer, Refusal> {
    if wish.force && wish.reason.trim().is_empty() {
        return Err(Refusal::invalid_field("reason", "must be said with force"));
    }
    let tenant = named.tenant;
    let mut tx = room.database.tenant(tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, wish.repeat.as_ref()).await? {
        return Ok(answer);
    }
    let (mut task, version) = named.find(&mut tx, Hold::Whole).await?;
    if !wish.etag.is_empty() && wish.etag != task.revision.to_string() {
        return Err(Refusal::etag_mismatch(&tenant.child(TASKS, &task.id)));
    }
    if task.active_version != version.version {
        if !wish.force {
            no_worse(room, &mut tx, named, &task, &version).await?;
        }
        task.activate(version.version, room.clock.now());
        decided(&mut tx, tenant, &task, &wish).await?;
    }
    tasks::commit(room, tx, tenant, &task, wish.repeat).await
}

/// Refuses a version that was never judged, or that is right less often than the active one on the examples of now that neither has learnt.
async fn no_worse(
    room: &Room,
    tx: &mut Transaction,
    named: Named<'_>,
    task: &Task,
    version: &Version,
) -> Result<(), Refusal> {
    if version.judgement.is_none() {
        return Err(Error::NotEvaluated { model: named.name() }.into());
    }
    if task.active_version == 0 {
        return Ok(());
    }
    let active = store_models::find(tx, named.tenant, named.task, task.active_version).await?;
    let learnt = [Some(version), active.as_ref()].into_iter().flatten();
    let first_learnt = learnt.map(|version| version.first_training_bucket);
    let first_learnt = first_learnt
        .map(|bucket| bucket.unwrap_or(task.first_training_bucket()))
        .min();
    let hold_out = store_examples::held_out_below(tx, named.tenant, task, first_learnt.unwrap_or(0)).await?;
    if hold_out.is_empty() {
        return Err(Error::NotEvaluated { model: named.name() }.into());
    }
    let (accuracy, hold_out) = accuracy(room, tx, named.tenant, task, version.version, hold_out).await?;
    let (active, _) = accuracy_of_active(room, tx, named.tenant, task, hold_out).await?;
    if accuracy < active {
        return Err(Error::Worse {
            model: named.name(),
            accuracy,
            active,
        }
        .into());
    }
    Ok(())
}

async fn accuracy_of_active(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    task: &Task,
    texts: Vec<Labelled>,
) -> Result<(f64, Vec<Labelled>), Refusal> {
    accuracy(room, tx, tenant, task, task.active_version, texts).await
}

/// Of these texts, the share whose label a version gives; and the texts, given back.
async fn accuracy(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    task: &Task,
    version: i32,
    texts: Vec<Labelled>,
) -> Result<(f64, Vec<Labelled>), Refusal> {
    let reader = Reader::open(room, tx, tenant, task, version).await?;
    let reader = reader.ok_or_else(|| Refusal::not_found(&convert::model_name(tenant, &task.id, version)))?;
    aside(move || (judging::accuracy(&reader, &texts), texts)).await
}

/// Lets none decide.
pub(super) async fn deactivate(
    room: &Room,
    tenant: &Tenant,
    task: &str,
    wish: Wish<'_>,
) -> Result<TaskAnswer, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, wish.repeat.as_ref()).await? {
        return Ok(answer);
    }
    let mut task = tasks::held(&mut tx, tenant, task, wish.etag).await?;
    if task.active_version != 0 {
        task.activate(0, room.clock.now());
        decided(&mut tx, tenant, &task, &wish).await?;
    }
    tasks::commit(room, tx, tenant, &task, wish.repeat).await
}

/// Goes back to the version that was active before.
pub(super) async fn roll_back(room: &Room, tenant: &Tenant, task: &str, wish: Wish<'_>) -> Result<TaskAnswer, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, wish.repeat.as_ref()).await? {
        return Ok(answer);
    }
    let mut task = tasks::held(&mut tx, tenant, task, wish.etag).await?;
    if !task.roll_back(room.clock.now()) {
        return Err(Error::NothingToRollBackTo {
            task: tenant.child(TASKS, &task.id),
        }
        .into());
    }
    decided(&mut tx, tenant, &task, &wish).await?;
    tasks::commit(room, tx, tenant, &task, wish.repeat).await
}

/// Writes which version decides, and who wanted it.
async fn decided(tx: &mut Transaction, tenant: &Tenant, task: &Task, wish: &Wish<'_>) -> Result<(), Refusal> {
    store::update(tx, tenant, task).await?;
    let activation = Activation {
        author: wish.author,
        reason: wish.reason,
        forced: wish.force,
    };
    store::activated(tx, tenant, task, activation).await
}
