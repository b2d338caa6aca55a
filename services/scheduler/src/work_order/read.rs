//! Reading work orders: one, a page, what changed, the history, and why a clock is due when it is.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    listing::{PageRequest, Paging},
    name,
};
use huiyin_events::Watch;
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    convert::{self, Answer, Calendars},
    domain::{Entry, KeptClock, WorkOrder},
    listing, store,
};
use crate::{calendar, room::Room};

/// A work order as it stands now.
///
/// # Errors
/// NOT_FOUND.
pub(crate) async fn get(room: &Room, tenant: &Tenant, id: Uuid, name: &str) -> Result<Answer, Refusal> {
    let mut tx = moment(room, tenant).await?;
    let order = store::find(&mut tx, tenant, id)
        .await?
        .ok_or_else(|| Refusal::not_found(name))?;
    let mut answers = answers(room, &mut tx, tenant, vec![order]).await?;
    answers.pop().ok_or_else(|| Refusal::not_found(name))
}

/// A page of work orders, and the token of the next.
///
/// # Errors
/// FIELDS_INVALID, PAGE_TOKEN_INVALID.
pub(crate) async fn list(room: &Room, tenant: &Tenant, paging: Paging<'_>) -> Result<(Vec<Answer>, String), Refusal> {
    let page = PageRequest::new(
        &room.page_tokens,
        tenant,
        "workOrders",
        paging,
        (listing::FIELDS, listing::orders(paging.order_by)),
    )?;
    let mut tx = moment(room, tenant).await?;
    let found = store::list(&mut tx, tenant, &page).await?;
    let page = page.page(&room.page_tokens, found, |order| listing::place(paging.order_by, order));
    Ok((
        answers(room, &mut tx, tenant, page.entries).await?,
        page.next_page_token,
    ))
}

/// A page of a work order's history, and the token of the next.
///
/// # Errors
/// NOT_FOUND, FIELDS_INVALID, PAGE_TOKEN_INVALID.
pub(crate) async fn history(
    room: &Room,
    tenant: &Tenant,
    id: Uuid,
    parent: &str,
    paging: Paging<'_>,
) -> Result<(Vec<Entry>, String), Refusal> {
    // A token of one history is none of another.
    let list = format!("workOrders/{id}/events");
    let page = PageRequest::new(
        &room.page_tokens,
        tenant,
        &list,
        paging.or_order_by("sequence"),
        (listing::HISTORY_FIELDS, listing::HISTORY_ORDERS),
    )?;
    let mut tx = moment(room, tenant).await?;
    if !store::exists(&mut tx, tenant, id).await? {
        return Err(Refusal::not_found(parent));
    }
    let found = store::list_history(&mut tx, tenant, id, &page).await?;
    let page = page.page(&room.page_tokens, found, listing::history_place);
    Ok((page.entries, page.next_page_token))
}

/// A clock of a work order with its calendar.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) clock: KeptClock,
    pub(crate) calendars: Calendars,
    pub(crate) now: Timestamp,
}

/// A clock of an episode; 0 for the present one.
///
/// # Errors
/// NOT_FOUND where the work order has no such clock in that episode.
pub(crate) async fn clock(
    room: &Room,
    tenant: &Tenant,
    id: Uuid,
    key: &str,
    episode: i32,
    name: &str,
) -> Result<Found, Refusal> {
    let missing = || Refusal::not_found(name);
    let mut tx = moment(room, tenant).await?;
    let order = store::find(&mut tx, tenant, id).await?.ok_or_else(missing)?;
    let episode = if episode == 0 { order.episode } else { episode };
    let clocks = store::clocks(&mut tx, tenant, id, episode).await?;
    let clock = clocks
        .into_iter()
        .find(|kept| kept.clock.key == key && kept.clock.is_held())
        .ok_or_else(missing)?;
    let calendars = calendars(&mut tx, tenant, std::slice::from_ref(&clock)).await?;
    Ok(Found {
        clock,
        calendars,
        now: room.clock.now(),
    })
}

/// The calendars that some clocks go by.
pub(crate) async fn calendars<'c>(
    tx: &mut Transaction,
    tenant: &Tenant,
    clocks: impl IntoIterator<Item = &'c KeptClock> + Send,
) -> Result<Calendars, Refusal> {
    let versions: BTreeSet<i32> = clocks
        .into_iter()
        .map(|kept| kept.clock.terms.versions.calendar)
        .collect();
    let mut calendars = Calendars::new();
    for version in versions {
        calendars.insert(version, calendar::service::version(tx, tenant, version).await?);
    }
    Ok(calendars)
}

/// A transaction in which everything that is read belongs to one moment.
async fn moment(room: &Room, tenant: &Tenant) -> Result<Transaction, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    store::see_one_moment(&mut tx).await?;
    Ok(tx)
}

async fn answers(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    orders: Vec<WorkOrder>,
) -> Result<Vec<Answer>, Refusal> {
    let mut clocks: BTreeMap<Uuid, Vec<KeptClock>> = BTreeMap::new();
    for (id, clock) in store::clocks_of(tx, tenant, &orders).await? {
        clocks.entry(id).or_default().push(clock);
    }
    let calendars = calendars(tx, tenant, clocks.values().flatten()).await?;
    let now = room.clock.now();
    let clocks_of = |order: &WorkOrder| clocks.get(&order.id).map(Vec::as_slice).unwrap_or_default();
    Ok(orders
        .iter()
        .map(|order| convert::work_order(tenant, order, clocks_of(order), &calendars, now))
        .collect())
}

/// Somebody who follows the work orders of a tenant.
pub(crate) struct Follower {
    room: Arc<Room>,
    tenant: Tenant,
    watch: Watch,
}

/// What changed since the last time.
#[derive(Debug)]
pub(crate) struct Changed {
    /// The work orders as they are now; empty in a checkpoint.
    pub(crate) orders: Vec<Answer>,
    /// Where to go on after a break.
    pub(crate) cursor: String,
}

impl Follower {
    /// Follows from a cursor on; an empty one begins now.
    ///
    /// # Errors
    /// CURSOR_EXPIRED, or PAGE_TOKEN_INVALID for a cursor that is none of ours.
    pub(crate) async fn new(room: Arc<Room>, tenant: Tenant, start_cursor: &str) -> Result<Self, Refusal> {
        let watch = room.log.watch(&tenant, &room.page_tokens, start_cursor).await?;
        Ok(Self { room, tenant, watch })
    }

    /// Waits for the next change or checkpoint.
    ///
    /// # Errors
    /// UNAVAILABLE where the database is gone.
    pub(crate) async fn next(&mut self) -> Result<Changed, Refusal> {
        let watched = self.watch.next().await?;
        let ids: BTreeSet<Uuid> = watched
            .events
            .iter()
            .map(|event| name::stored_uuid(&event.subject))
            .collect::<Result<_, _>>()?;
        let ids: Vec<Uuid> = ids.into_iter().collect();
        if ids.is_empty() {
            return Ok(Changed {
                orders: Vec::new(),
                cursor: watched.cursor,
            });
        }
        let mut tx = moment(&self.room, &self.tenant).await?;
        let orders = store::many(&mut tx, &self.tenant, &ids).await?;
        let orders = answers(&self.room, &mut tx, &self.tenant, orders).await?;
        Ok(Changed {
            orders,
            cursor: watched.cursor,
        })
    }
}
