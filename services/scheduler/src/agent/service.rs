//! Keeping agents, and what they carry.

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    listing::{Field, Kind, Page, PageRequest, Paging},
    repeat::{self, Repeatable},
};
use jiff::Timestamp;

use super::{
    convert::{self, Answer},
    domain::{Agent, FIELDS, Profile, masked},
    store,
};
use crate::{error::Error, room::Room, team};

/// An agent to be made.
#[derive(Debug)]
pub(crate) struct NewAgent {
    pub(crate) id: String,
    pub(crate) subject: String,
    pub(crate) profile: Profile,
}

/// What an update is about.
#[derive(Debug)]
pub(crate) struct Edit<'r> {
    pub(crate) id: &'r str,
    pub(crate) name: &'r str,
    /// What the caller read before; empty ones are no matter.
    pub(crate) etags: &'r [String],
    /// The mask; `None`: the fields that say something.
    pub(crate) paths: Option<&'r [String]>,
}

/// An agent.
///
/// # Errors
/// NOT_FOUND.
pub(crate) async fn get(room: &Room, tenant: &Tenant, id: &str, name: &str) -> Result<Agent, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    store::find(&mut tx, tenant, id)
        .await?
        .ok_or_else(|| Refusal::not_found(name))
}

const LISTED: &[Field] = &[
    Field::of("subject", Kind::Text),
    Field::of("display_name", Kind::Text),
    Field::of("team", Kind::Text),
    Field::at("skills.key", "skill_keys", Kind::Set),
    Field::of("available", Kind::Bool),
    Field::of("supervisor", Kind::Bool),
    Field::at("open_work_orders", "open_count", Kind::Integer),
];

/// A page of agents, by name unless ordered otherwise.
///
/// # Errors
/// FIELDS_INVALID, PAGE_TOKEN_INVALID.
pub(crate) async fn list(room: &Room, tenant: &Tenant, paging: Paging<'_>) -> Result<Page<Agent>, Refusal> {
    let paging = paging.or_order_by("name");
    let order = team::order::Order::of(paging.order_by);
    let page = PageRequest::new(
        &room.page_tokens,
        tenant,
        "agents",
        paging,
        (LISTED, team::order::FIELDS),
    )?;
    let mut tx = room.database.tenant(tenant).await?;
    let agents = store::list(&mut tx, tenant, &page, order.by("agent_id")).await?;
    Ok(page.page(&room.page_tokens, agents, |agent| {
        order.place(&agent.id, &agent.profile.display_name, agent.create_time)
    }))
}

/// Makes an agent.
///
/// # Errors
/// RESOURCE_EXISTS, SUBJECT_TAKEN, TEAM_UNKNOWN, FIELDS_INVALID.
pub(crate) async fn create(
    room: &Room,
    tenant: &Tenant,
    new: NewAgent,
    repeat: Option<Repeatable>,
) -> Result<Answer, Refusal> {
    let NewAgent { id, subject, profile } = new;
    let mut problems = profile.problems();
    if subject.is_empty() {
        problems.insert(0, ("subject", "must be given".to_owned()));
    }
    require(problems)?;
    let mut tx = room.database.tenant(tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
        return Ok(answer);
    }
    let now = room.clock.now();
    require_team(&mut tx, tenant, &profile.team, now).await?;
    let agent = Agent {
        id,
        subject,
        profile,
        open_count: 0,
        revision: 1,
        create_time: now,
        update_time: now,
    };
    if !store::insert(&mut tx, tenant, &agent).await? {
        let taken = store::find_by_subject(&mut tx, tenant, &agent.subject).await?;
        return Err(match taken {
            Some(other) if other.id != agent.id => Error::SubjectTaken {
                agent: tenant.child("agents", &other.id),
                subject: agent.subject,
            }
            .into(),
            _ => Refusal::exists(&tenant.child("agents", &agent.id)),
        });
    }
    let answer = convert::agent(tenant, &agent);
    repeat::commit(tx, &room.clock, repeat.as_ref(), answer).await
}

/// Edits an agent. Work that they have stays with them.
///
/// # Errors
/// NOT_FOUND, ETAG_MISMATCH, TEAM_UNKNOWN, FIELDS_INVALID.
pub(crate) async fn update(
    room: &Room,
    tenant: &Tenant,
    edit: Edit<'_>,
    profile: Profile,
    repeat: Option<Repeatable>,
) -> Result<Answer, Refusal> {
    let fields = masked(edit.paths, FIELDS, profile.said()).map_err(|path| {
        Refusal::invalid_field(
            "update_mask",
            format!("{path} cannot be edited; that can {}", FIELDS.join(", ")),
        )
    })?;
    let mut tx = room.database.tenant(tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
        return Ok(answer);
    }
    let mut agent = store::lock(&mut tx, tenant, edit.id)
        .await?
        .ok_or_else(|| Refusal::not_found(edit.name))?;
    require_etag(edit.etags, agent.revision, edit.name)?;
    agent.profile.take(&fields, profile);
    require(agent.profile.problems())?;
    agent.revision += 1;
    agent.update_time = room.clock.now();
    require_team(&mut tx, tenant, &agent.profile.team, agent.update_time).await?;
    store::update(&mut tx, tenant, &agent).await?;
    let answer = convert::agent(tenant, &agent);
    repeat::commit(tx, &room.clock, repeat.as_ref(), answer).await
}

/// Deletes an agent and answers with it as it was.
///
/// # Errors
/// NOT_FOUND, ETAG_MISMATCH, AGENT_HAS_WORK.
pub(crate) async fn delete(
    room: &Room,
    tenant: &Tenant,
    id: &str,
    name: &str,
    etag: &str,
    repeat: Option<Repeatable>,
) -> Result<Answer, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
        return Ok(answer);
    }
    let agent = store::lock(&mut tx, tenant, id)
        .await?
        .ok_or_else(|| Refusal::not_found(name))?;
    require_etag(&[etag.to_owned()], agent.revision, name)?;
    if agent.open_count > 0 {
        return Err(Error::AgentHasWork {
            agent: name.to_owned(),
            open: agent.open_count,
        }
        .into());
    }
    store::delete(&mut tx, tenant, id).await?;
    let answer = convert::agent(tenant, &agent);
    repeat::commit(tx, &room.clock, repeat.as_ref(), answer).await
}

/// An agent by id, for whoever gives them work by hand.
pub(crate) async fn find(tx: &mut Transaction, tenant: &Tenant, id: &str) -> Result<Option<Agent>, Refusal> {
    store::find(tx, tenant, id).await
}

/// True where the subject is an agent's.
pub(crate) async fn is_agent(tx: &mut Transaction, tenant: &Tenant, subject: &str) -> Result<bool, Refusal> {
    Ok(!subject.is_empty() && store::find_by_subject(tx, tenant, subject).await?.is_some())
}

/// A work order went from one agent's hands to another's; no name: from or to nobody's. Whoever hands over work holds the work order first
/// and both agents, in the order of their ids, after it.
///
/// # Errors
/// AGENT_UNAVAILABLE where the one who shall have it was deleted in the meantime.
pub(crate) async fn hand_over(
    tx: &mut Transaction,
    tenant: &Tenant,
    from: Option<&str>,
    to: Option<&str>,
    now: Timestamp,
) -> Result<(), Refusal> {
    if let (Some(from), Some(to)) = (from, to) {
        store::lock_subjects(tx, tenant, &[from, to]).await?;
    }
    let changed = store::hand_over(tx, tenant, from, to, now).await?;
    match to {
        Some(to) if !changed.iter().any(|subject| subject == to) => {
            Err(Error::AgentUnavailable { agent: to.to_owned() }.into())
        }
        _ => Ok(()),
    }
}

pub(crate) fn require(problems: Vec<(&'static str, String)>) -> Result<(), Refusal> {
    if problems.is_empty() {
        return Ok(());
    }
    Err(Refusal::invalid(
        problems
            .into_iter()
            .map(|(field, what)| (format!("agent.{field}"), what))
            .collect(),
    ))
}

pub(crate) fn require_etag(etags: &[String], revision: i64, name: &str) -> Result<(), Refusal> {
    let current = revision.to_string();
    if etags.iter().all(|etag| etag.is_empty() || *etag == current) {
        Ok(())
    } else {
        Err(Refusal::etag_mismatch(name))
    }
}

async fn require_team(tx: &mut Transaction, tenant: &Tenant, team: &str, now: Timestamp) -> Result<(), Refusal> {
    team::service::ensure_fallback(tx, tenant, now).await?;
    if team::service::exists(tx, tenant, team).await? {
        return Ok(());
    }
    Err(Error::TeamUnknown {
        team: team.to_owned(),
        field: "agent.team".to_owned(),
    }
    .into())
}
