//! Keeping teams.

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    listing::{Field, Kind, Page, PageRequest, Paging},
    repeat::{self, Repeatable},
};

use super::{
    convert::{self, Answer},
    domain::{FIELDS, Team},
    order::{self, Order},
    store,
};
use crate::{
    agent::{
        domain::masked,
        service::{Edit, require_etag},
    },
    room::Room,
    work_order::domain::FALLBACK,
};

/// What people say of a team.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) display_name: String,
    pub(crate) department: String,
}

/// A team.
///
/// # Errors
/// NOT_FOUND.
pub(crate) async fn get(room: &Room, tenant: &Tenant, id: &str, name: &str) -> Result<Team, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    store::ensure_fallback(&mut tx, tenant, room.clock.now()).await?;
    let team = store::find(&mut tx, tenant, id)
        .await?
        .ok_or_else(|| Refusal::not_found(name))?;
    tx.commit().await?;
    Ok(team)
}

const LISTED: &[Field] = &[
    Field::of("display_name", Kind::Text),
    Field::of("department", Kind::Text),
    Field::at("open_work_orders", store::OPEN, Kind::Integer),
];

/// A page of teams, by name unless ordered otherwise.
///
/// # Errors
/// FIELDS_INVALID, PAGE_TOKEN_INVALID.
pub(crate) async fn list(room: &Room, tenant: &Tenant, paging: Paging<'_>) -> Result<Page<Team>, Refusal> {
    let paging = paging.or_order_by("name");
    let order = Order::of(paging.order_by);
    let page = PageRequest::new(&room.page_tokens, tenant, "teams", paging, (LISTED, order::FIELDS))?;
    let mut tx = room.database.tenant(tenant).await?;
    store::ensure_fallback(&mut tx, tenant, room.clock.now()).await?;
    let teams = store::list(&mut tx, tenant, &page, order.by("team_id")).await?;
    tx.commit().await?;
    Ok(page.page(&room.page_tokens, teams, |team| {
        order.place(&team.id, &team.display_name, team.create_time)
    }))
}

/// Makes a team.
///
/// # Errors
/// RESOURCE_EXISTS, `fallback` included; FIELDS_INVALID.
pub(crate) async fn create(
    room: &Room,
    tenant: &Tenant,
    id: String,
    said: Said,
    repeat: Option<Repeatable>,
) -> Result<Answer, Refusal> {
    require_name(&said.display_name)?;
    let mut tx = room.database.tenant(tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
        return Ok(answer);
    }
    let now = room.clock.now();
    store::ensure_fallback(&mut tx, tenant, now).await?;
    let Said {
        display_name,
        department,
    } = said;
    let team = Team {
        id,
        display_name,
        department,
        open_count: 0,
        revision: 1,
        create_time: now,
        update_time: now,
    };
    if !store::insert(&mut tx, tenant, &team).await? {
        return Err(Refusal::exists(&tenant.child("teams", &team.id)));
    }
    let answer = convert::team(tenant, &team);
    repeat::commit(tx, &room.clock, repeat.as_ref(), answer).await
}

/// Edits a team.
///
/// # Errors
/// NOT_FOUND, ETAG_MISMATCH, FIELDS_INVALID.
pub(crate) async fn update(
    room: &Room,
    tenant: &Tenant,
    edit: Edit<'_>,
    said: Said,
    repeat: Option<Repeatable>,
) -> Result<Answer, Refusal> {
    let given = [
        ("display_name", !said.display_name.is_empty()),
        ("department", !said.department.is_empty()),
    ];
    let given = given
        .into_iter()
        .filter(|(_, given)| *given)
        .map(|(field, _)| field)
        .collect();
    let fields = masked(edit.paths, FIELDS, given).map_err(|path| {
        Refusal::invalid_field(
            "update_mask",
            format!("{path} cannot be edited; that can {}", FIELDS.join(", ")),
        )
    })?;
    let mut tx = room.database.tenant(tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
        return Ok(answer);
    }
    let now = room.clock.now();
    store::ensure_fallback(&mut tx, tenant, now).await?;
    let mut team = store::lock(&mut tx, tenant, edit.id)
        .await?
        .ok_or_else(|| Refusal::not_found(edit.name))?;
    require_etag(edit.etags, team.revision, edit.name)?;
    if fields.contains(&"display_name") {
        team.display_name = said.display_name;
    }
    if fields.contains(&"department") {
        team.department = said.department;
    }
    require_name(&team.display_name)?;
    team.revision += 1;
    team.update_time = now;
    store::update(&mut tx, tenant, &team).await?;
    let answer = convert::team(tenant, &team);
    repeat::commit(tx, &room.clock, repeat.as_ref(), answer).await
}

/// True where there is such a team. Teams are never deleted: what is there stays.
pub(crate) async fn exists(tx: &mut Transaction, tenant: &Tenant, id: &str) -> Result<bool, Refusal> {
    Ok(id == FALLBACK || store::exists(tx, tenant, id).await?)
}

/// Makes the row of the fallback queue, where something is about to point at it.
pub(crate) async fn ensure_fallback(
    tx: &mut Transaction,
    tenant: &Tenant,
    now: jiff::Timestamp,
) -> Result<(), Refusal> {
    store::ensure_fallback(tx, tenant, now).await
}

fn require_name(display_name: &str) -> Result<(), Refusal> {
    if display_name.trim().is_empty() {
        Err(Refusal::invalid_field("team.display_name", "must be given"))
    } else {
        Ok(())
    }
}
