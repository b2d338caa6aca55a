//! Use cases of priority models: presets, read, list, create, activate, roll back, score.

use std::sync::Arc;

use huiyin_chassis::{
    Refusal, Tenant, Transaction, auth,
    listing::{Field, Kind, Page, PageKey, PageRequest, Paging},
    repeat::{self, Repeatable},
    shelf::Which,
};

use super::{
    categories, check, convert,
    decide::decide,
    domain::{Content, Decision, Facts, Head, NewModel, UsedFor},
    models::Model,
    store,
};
use crate::{domain::SYSTEM, error::Error, room::Room};

const FIELDS: &[Field] = &[
    Field::at("use", "used_for", Kind::Enum("huiyin.classifier.v1.PriorityUse")),
    Field::of("version", Kind::Integer),
    Field::of("preset", Kind::Text),
    Field::of("author", Kind::Text),
    Field::of("active", Kind::Bool),
    Field::of("create_time", Kind::Time),
];

const ORDERS: &[Field] = &[Field::of("version", Kind::Integer)];

/// Which model a caller means; a draft is not kept.
#[derive(Debug)]
pub(super) enum Candidate {
    Preset(String),
    Version {
        used_for: UsedFor,
        which: Which,
        name: String,
    },
    Draft(Box<NewModel>),
}

/// What a new version is made from.
#[derive(Debug)]
pub(super) enum From {
    Preset { key: String, used_for: Option<UsedFor> },
    Whole(Box<NewModel>),
}

/// A version, whole.
pub(super) async fn get(
    room: &Room,
    tenant: &Tenant,
    (used_for, which): (UsedFor, Which),
    name: &str,
) -> Result<(Head, Content), Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    let version = match which {
        Which::Active => store::active_version(&mut tx, tenant, used_for).await?,
        Which::Version(version) => version,
    };
    let found = whole(room, &mut tx, tenant, used_for, version).await?;
    tx.rollback().await;
    found.ok_or_else(|| Refusal::not_found(name))
}

/// The versions of a page, without their contents.
pub(super) async fn list(room: &Room, tenant: &Tenant, paging: Paging<'_>) -> Result<Page<Head>, Refusal> {
    let page = PageRequest::new(&room.page_tokens, tenant, "priorityModels", paging, (FIELDS, ORDERS))?;
    let builtin = [
        room.priorities.builtin_preset(UsedFor::Case)?,
        room.priorities.builtin_preset(UsedFor::Improvement)?,
    ];
    let mut tx = room.database.tenant(tenant).await?;
    let heads = store::list(&mut tx, tenant, &builtin, &page).await?;
    tx.rollback().await;
    Ok(page.page(&room.page_tokens, heads, |head| PageKey {
        time: head.version.into(),
        id: format!("{}-{}", convert::used_for_number(head.used_for), head.version).into(),
    }))
}

/// Makes a version, or says what it would be.
pub(super) async fn create(
    room: &Room,
    tenant: &Tenant,
    author: &str,
    from: From,
    validate_only: bool,
    repeat: Option<Repeatable>,
) -> Result<convert::PriorityModel, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
        return Ok(answer);
    }
    let new = match from {
        From::Preset { key, used_for } => of_preset(room, tenant, &key, used_for)?,
        From::Whole(new) => {
            fits(room, &mut tx, tenant, &new.content, "priority_model").await?;
            *new
        }
    };
    if !validate_only {
        store::lock(&mut tx, tenant, room.priorities.builtin_preset(new.used_for)?).await?;
    }
    let head = Head {
        used_for: new.used_for,
        version: store::next_version(&mut tx, tenant, new.used_for).await?,
        preset: new.preset,
        display_name: new.display_name,
        change_reason: new.change_reason,
        author: author.to_owned(),
        active: false,
        revision: 1,
        create_time: room.clock.now(),
        activate_time: None,
    };
    let answer = convert::model(tenant, &head, Some(&new.content));
    if validate_only {
        tx.rollback().await;
        return Ok(answer);
    }
    store::insert(&mut tx, tenant, &head, &new.content).await?;
    repeat::commit(tx, &room.clock, repeat.as_ref(), answer).await
}

fn of_preset(room: &Room, tenant: &Tenant, key: &str, used_for: Option<UsedFor>) -> Result<NewModel, Refusal> {
    let preset = room
        .priorities
        .preset(key)
        .ok_or_else(|| Refusal::not_found(&tenant.child("priorityPresets", key)))?;
    Ok(NewModel {
        used_for: used_for.unwrap_or(preset.used_for),
        preset: key.to_owned(),
        display_name: preset.display_name.clone(),
        change_reason: preset.change_reason.clone(),
        content: preset.content.clone(),
    })
}

/// Everything that keeps a content from becoming a version, below `field`.
async fn fits(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    content: &Content,
    field: &str,
) -> Result<(), Refusal> {
    let roles: Vec<&str> = auth::roles()
        .filter(|role| auth::grants(role, "classifier.priorities.review"))
        .collect();
    let mut violations = check::violations(content, &roles);
    if content.conditions().any(|condition| !condition.categories.is_empty()) {
        violations.extend(categories::unknown(content, &*room.lexicons.active(tx, tenant).await?));
    }
    if violations.is_empty() {
        return Ok(());
    }
    let below = |(name, problem)| (format!("{field}.{name}"), problem);
    Err(Refusal::invalid(violations.into_iter().map(below).collect()))
}

/// Puts a version into effect.
pub(super) async fn activate(
    room: &Room,
    tenant: &Tenant,
    (used_for, version): (UsedFor, i32),
    (name, etag): (&str, &str),
    author: &str,
    repeat: Option<Repeatable>,
) -> Result<convert::PriorityModel, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
        return Ok(answer);
    }
    store::lock(&mut tx, tenant, room.priorities.builtin_preset(used_for)?).await?;
    let head = store::head(&mut tx, tenant, used_for, version)
        .await?
        .ok_or_else(|| Refusal::not_found(name))?;
    is_current(&head, etag, name)?;
    if !head.active {
        categories::allow_version(room, &mut tx, tenant, (used_for, version), name).await?;
        let before = store::active_version(&mut tx, tenant, used_for).await?;
        let now = room.clock.now();
        store::put_into_effect(&mut tx, tenant, used_for, version, now).await?;
        store::note_activation(&mut tx, tenant, used_for, (version, before), author, now).await?;
    }
    answer_with(room, tx, tenant, (used_for, version), name, repeat).await
}

/// Takes back the last activation.
pub(super) async fn roll_back(
    room: &Room,
    tenant: &Tenant,
    used_for: UsedFor,
    (name, etag): (&str, &str),
    author: &str,
    repeat: Option<Repeatable>,
) -> Result<convert::PriorityModel, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
        return Ok(answer);
    }
    store::lock(&mut tx, tenant, room.priorities.builtin_preset(used_for)?).await?;
    let version = store::active_version(&mut tx, tenant, used_for).await?;
    let head = store::head(&mut tx, tenant, used_for, version)
        .await?
        .ok_or_else(|| Refusal::not_found(name))?;
    is_current(&head, etag, name)?;
    let before = store::take_back_activation(&mut tx, tenant, used_for, author)
        .await?
        .ok_or(Error::NothingToRollBack)?;
    categories::allow_version(room, &mut tx, tenant, (used_for, before), name).await?;
    store::put_into_effect(&mut tx, tenant, used_for, before, room.clock.now()).await?;
    answer_with(room, tx, tenant, (used_for, before), name, repeat).await
}

fn is_current(head: &Head, etag: &str, name: &str) -> Result<(), Refusal> {
    if etag.is_empty() || etag == head.revision.to_string() {
        Ok(())
    } else {
        Err(Refusal::etag_mismatch(name))
    }
}

/// Says what a model makes of scores and facts.
pub(super) async fn score(
    room: &Room,
    tenant: &Tenant,
    candidate: Candidate,
    given: Vec<(String, i32)>,
    facts: &Facts,
) -> Result<Decision, Refusal> {
    let (_, model) = candidate_model(room, tenant, candidate).await?;
    let violations = check::scores(&model.content, &given, false);
    if !violations.is_empty() {
        return Err(Refusal::invalid(violations));
    }
    Ok(decide(model.version, &model.content, facts, &convert::asked(given)))
}

/// The model that a caller means, ready, and what it orders.
pub(super) async fn candidate_model(
    room: &Room,
    tenant: &Tenant,
    candidate: Candidate,
) -> Result<(UsedFor, Arc<Model>), Refusal> {
    match candidate {
        Candidate::Preset(key) => {
            let preset = of_preset(room, tenant, &key, None)?;
            Ok((preset.used_for, Arc::new(Model::new(0, preset.content))))
        }
        Candidate::Draft(draft) => {
            let mut tx = room.database.tenant(tenant).await?;
            let fits = fits(room, &mut tx, tenant, &draft.content, "draft").await;
            tx.rollback().await;
            fits?;
            Ok((draft.used_for, Arc::new(Model::new(0, draft.content))))
        }
        Candidate::Version { used_for, which, name } => {
            let mut tx = room.database.tenant(tenant).await?;
            let model = match which {
                Which::Active => Some(room.priorities.active(&mut tx, tenant, used_for).await?),
                Which::Version(version) => room.priorities.version(&mut tx, tenant, used_for, version).await?,
            };
            tx.rollback().await;
            Ok((used_for, model.ok_or_else(|| Refusal::not_found(&name))?))
        }
    }
}

async fn whole(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    used_for: UsedFor,
    version: i32,
) -> Result<Option<(Head, Content)>, Refusal> {
    let head = store::head(tx, tenant, used_for, version).await?;
    if version != 0 {
        let content = store::content(tx, tenant, used_for, version).await?;
        return Ok(head.zip(content));
    }
    let builtin = room.priorities.builtin_preset(used_for)?;
    let head = head.unwrap_or_else(|| Head {
        used_for,
        version: 0,
        preset: builtin.key.to_owned(),
        display_name: builtin.display_name.clone(),
        change_reason: builtin.change_reason.clone(),
        author: SYSTEM.to_owned(),
        active: true, // nothing was ever activated in its place
        revision: 1,
        create_time: builtin.made,
        activate_time: None,
    });
    Ok(Some((head, builtin.content.clone())))
}

async fn answer_with(
    room: &Room,
    mut tx: Transaction,
    tenant: &Tenant,
    (used_for, version): (UsedFor, i32),
    name: &str,
    repeat: Option<Repeatable>,
) -> Result<convert::PriorityModel, Refusal> {
    let (head, content) = whole(room, &mut tx, tenant, used_for, version)
        .await?
        .ok_or_else(|| Refusal::not_found(name))?;
    let answer = convert::model(tenant, &head, Some(&content));
    repeat::commit(tx, &room.clock, repeat.as_ref(), answer).await
}
