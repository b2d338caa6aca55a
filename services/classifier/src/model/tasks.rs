//! Use cases of tasks: make, read, list, change, delete.

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    listing::{Field, Kind, Page, PageKey, PageRequest, Paging},
    repeat::{self, Repeatable},
};

use super::{
    convert::{self, TASKS, TaskAnswer},
    domain::{Target, Task},
    store::{self, Hold},
};
use crate::room::Room;

const CREATE_TIME: Field = Field::of("create_time", Kind::Time);
const FIELDS: &[Field] = &[
    Field::of("target", Kind::Enum("huiyin.classifier.v1.TaskTarget")),
    Field::of("dimension", Kind::Text),
    CREATE_TIME,
];

/// What a person wants to change of a task.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) display_name: String,
    pub(super) threshold: f64,
    pub(super) hold_out_share: f64,
    /// None leaves it.
    pub(super) review_share: Option<f64>,
    /// None leaves it.
    pub(super) double_coding_share: Option<f64>,
}

/// A task, or that there is none.
pub(super) async fn existing(tx: &mut Transaction, tenant: &Tenant, task: &str, hold: Hold) -> Result<Task, Refusal> {
    let found = store::find(tx, tenant, task, hold).await?;
    found.ok_or_else(|| Refusal::not_found(&tenant.child(TASKS, task)))
}

/// A task that cannot be deleted before the transaction ends, or that there is none.
///
/// # Errors
/// NOT_FOUND where there is none.
pub(crate) async fn existing_task(tx: &mut Transaction, tenant: &Tenant, task: &str) -> Result<Task, Refusal> {
    existing(tx, tenant, task, Hold::There).await
}

/// Only labels that feedback gets are reviewed; `at` is where the task's fields stand in the request.
pub(super) fn reviewable(task: &Task, at: &str) -> Result<(), Refusal> {
    let shares = [
        ("review_share", task.review_share),
        ("double_coding_share", task.double_coding_share),
    ];
    let said = shares
        .iter()
        .filter(|(_, share)| task.target == Target::Labels && *share > 0.0);
    let violations: Vec<(String, String)> = said
        .map(|(field, _)| {
            (
                format!("{at}{field}"),
                "is for tasks of a dimension or of sentiment".to_owned(),
            )
        })
        .collect();
    if violations.is_empty() {
        Ok(())
    } else {
        Err(Refusal::invalid(violations))
    }
}

/// A task held for a change, where it is the one that the caller has read.
pub(super) async fn held(tx: &mut Transaction, tenant: &Tenant, task: &str, etag: &str) -> Result<Task, Refusal> {
    let found = existing(tx, tenant, task, Hold::Whole).await?;
    if !etag.is_empty() && etag != found.revision.to_string() {
        return Err(Refusal::etag_mismatch(&tenant.child(TASKS, task)));
    }
    Ok(found)
}

/// Answers with the task as it is now, and commits.
pub(super) async fn commit(
    room: &Room,
    mut tx: Transaction,
    tenant: &Tenant,
    task: &Task,
    repeat: Option<Repeatable>,
) -> Result<TaskAnswer, Refusal> {
    let counts = store::counts(&mut tx, tenant, task).await?;
    let answer = convert::task(tenant, task, counts);
    repeat::commit(tx, &room.clock, repeat.as_ref(), answer).await
}

/// Makes a task.
pub(super) async fn create(
    room: &Room,
    tenant: &Tenant,
    new: Task,
    repeat: Option<Repeatable>,
) -> Result<TaskAnswer, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
        return Ok(answer);
    }
    if new.target == Target::Dimension {
        let lexicon = room.lexicons.active(&mut tx, tenant).await?;
        if !lexicon.dimensions.contains(&new.dimension) {
            return Err(Refusal::invalid_field(
                "task.dimension",
                format!("is none of the taxonomy in effect: {}", lexicon.dimensions.join(", ")),
            ));
        }
    }
    if !store::insert(&mut tx, tenant, &new).await? {
        return Err(Refusal::exists(&tenant.child(TASKS, &new.id)));
    }
    commit(room, tx, tenant, &new, repeat).await
}

/// A task with how many examples it has.
pub(super) async fn get(room: &Room, tenant: &Tenant, task: &str) -> Result<TaskAnswer, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    let found = existing(&mut tx, tenant, task, Hold::Free).await?;
    let counts = store::counts(&mut tx, tenant, &found).await?;
    tx.rollback().await;
    Ok(convert::task(tenant, &found, counts))
}

/// The tasks of a page.
pub(super) async fn list(room: &Room, tenant: &Tenant, paging: Paging<'_>) -> Result<Page<Task>, Refusal> {
    let page = PageRequest::new(&room.page_tokens, tenant, "tasks", paging, (FIELDS, &[CREATE_TIME]))?;
    let mut tx = room.database.tenant(tenant).await?;
    let found = store::list(&mut tx, tenant, &page).await?;
    tx.rollback().await;
    Ok(page.page(&room.page_tokens, found, |task| PageKey {
        time: task.create_time.as_microsecond(),
        id: task.id.clone().into(),
    }))
}

/// Changes a task.
pub(super) async fn update(
    room: &Room,
    tenant: &Tenant,
    task: &str,
    change: Change,
    etag: &str,
    repeat: Option<Repeatable>,
) -> Result<TaskAnswer, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
        return Ok(answer);
    }
    let mut task = held(&mut tx, tenant, task, etag).await?;
    task.display_name = change.display_name;
    task.threshold = change.threshold;
    task.hold_out_share = change.hold_out_share;
    task.review_share = change.review_share.unwrap_or(task.review_share);
    task.double_coding_share = change.double_coding_share.unwrap_or(task.double_coding_share);
    reviewable(&task, "")?;
    task.touch(room.clock.now());
    store::update(&mut tx, tenant, &task).await?;
    commit(room, tx, tenant, &task, repeat).await
}

/// Deletes a task with its examples and versions.
pub(super) async fn delete(room: &Room, tenant: &Tenant, task: &str, etag: &str) -> Result<(), Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    let found = held(&mut tx, tenant, task, etag).await?;
    store::delete(&mut tx, tenant, &found.id).await?;
    tx.commit().await?;
    room.models.forget(tenant, task);
    Ok(())
}
