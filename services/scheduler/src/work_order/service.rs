//! What callers and surveys do to a work order: one transaction, one change, one way of storing it.

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    repeat::{self, Repeatable},
    timer,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    change::{Assignment, Change, Progress, Rules},
    convert::{self, Answer},
    domain::{EntryKind, KeptClock, Resolution, SYSTEM, State, WorkOrder, state_name},
    events, read, store,
    transitions::{Action, allowed},
};
use crate::{agent, assignment, calendar, error::Error, room::Room, sla, team};

/// The kind of this room's timers.
const TIMER: &str = "sla";

/// What a caller wants done.
#[derive(Debug)]
pub(crate) enum Command {
    Acknowledge,
    Assign { to: To, reason: String },
    Start,
    NoteProgress(Progress),
    Hold { reason: String },
    Resume { reason: String },
    Submit(Resolution),
    Resolve(Resolution),
    Reopen { reason: String },
    Close { reason: String },
    Reject { reason: String },
}

impl Command {
    fn action(&self) -> Action {
        match self {
            Self::Acknowledge => Action::Acknowledge,
            Self::Assign { .. } => Action::Assign,
            Self::Start => Action::Start,
            Self::NoteProgress(_) => Action::NoteProgress,
            Self::Hold { .. } => Action::Hold,
            Self::Resume { .. } => Action::Resume,
            Self::Submit(_) => Action::Submit,
            Self::Resolve(_) => Action::Resolve,
            Self::Reopen { .. } => Action::Reopen,
            Self::Close { .. } => Action::Close,
            Self::Reject { .. } => Action::Reject,
        }
    }
}

/// To whom a work order is given by hand; the ids in their names.
#[derive(Debug)]
pub(crate) enum To {
    Agent(String),
    Team(String),
}

/// Who wants what of which work order.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) tenant: Tenant,
    pub(crate) id: Uuid,
    /// The work order's name, as the caller wrote it.
    pub(crate) name: String,
    /// What the caller read before; empty where that is no matter.
    pub(crate) etag: String,
    pub(crate) actor: String,
    pub(crate) repeat: Option<Repeatable>,
}

/// Does what a caller wants, once, and answers with the work order as it is then.
///
/// # Errors
/// NOT_FOUND, ETAG_MISMATCH, STATE_FORBIDS and what the method names.
pub(crate) async fn perform(room: &Room, call: Call, command: Command) -> Result<Answer, Refusal> {
    let Call {
        tenant,
        id,
        name,
        etag,
        actor,
        repeat,
    } = call;
    let mut tx = room.database.tenant(&tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
        return Ok(answer);
    }
    let order = store::lock(&mut tx, &tenant, id)
        .await?
        .ok_or_else(|| Refusal::not_found(&name))?;
    if !etag.is_empty() && etag != order.revision.to_string() {
        return Err(Refusal::etag_mismatch(&name));
    }
    let mut change = held(room, &mut tx, &tenant, order, &actor).await?;
    apply(&mut tx, &tenant, &mut change, &name, command).await?;
    keep(room, &mut tx, &tenant, &mut change, None).await?;
    let calendars = read::calendars(&mut tx, &tenant, &change.clocks).await?;
    let answer = convert::work_order(&tenant, &change.order, &change.clocks, &calendars, change.now());
    repeat::commit(tx, &room.clock, repeat.as_ref(), answer).await
}

async fn apply(
    tx: &mut Transaction,
    tenant: &Tenant,
    change: &mut Change,
    name: &str,
    command: Command,
) -> Result<(), Refusal> {
    let state = change.order.state;
    let Some(to) = change.leads_to(command.action()) else {
        return Err(Refusal::state_forbids(name, state_name(state), &allowed(state)));
    };
    match command {
        Command::Acknowledge => change.acknowledge(),
        Command::Assign { to, reason } => change.assign(&by_hand(tx, tenant, to, reason).await?),
        Command::Start if change.order.assignee.is_empty() => {
            return Err(Error::AssigneeMissing {
                work_order: name.to_owned(),
            }
            .into());
        }
        Command::Start => change.start(),
        // Not before the call is known to be no repetition: that one was in time.
        Command::NoteProgress(progress) if progress.promise_time.is_some_and(|promise| promise <= change.now()) => {
            return Err(Refusal::invalid_field("promise_time", "must lie in the future"));
        }
        Command::NoteProgress(progress) => change.note_progress(&progress),
        Command::Resume { reason } if state == State::Verifying && reason.trim().is_empty() => {
            return Err(Refusal::invalid_field("reason", "must say what was found wanting"));
        }
        Command::Hold { reason } | Command::Reopen { reason } | Command::Reject { reason }
            if reason.trim().is_empty() =>
        {
            return Err(Refusal::invalid_field("reason", "must say why"));
        }
        Command::Hold { reason }
        | Command::Resume { reason }
        | Command::Close { reason }
        | Command::Reject { reason } => change.go(to, &reason),
        Command::Submit(resolution) | Command::Resolve(resolution) => change.solve(to, resolution),
        Command::Reopen { reason } => reopen(tx, tenant, change, &reason).await?,
    }
    Ok(())
}

async fn by_hand(tx: &mut Transaction, tenant: &Tenant, to: To, reason: String) -> Result<Assignment, Refusal> {
    match to {
        To::Agent(id) => {
            let agent = agent::service::find(tx, tenant, &id).await?;
            let name = tenant.child("agents", &id);
            let agent = agent.ok_or_else(|| Refusal::not_found(&name))?;
            if !agent.profile.available {
                return Err(Error::AgentUnavailable { agent: name }.into());
            }
            Ok(Assignment {
                assignee: agent.subject,
                team: agent.profile.team,
                reason,
            })
        }
        To::Team(id) if team::service::exists(tx, tenant, &id).await? => Ok(Assignment {
            assignee: String::new(),
            team: id,
            reason,
        }),
        To::Team(id) => Err(Refusal::not_found(&tenant.child("teams", id))),
    }
}

/// The next episode: back to whoever had it or, where they are gone, to whom the rules find.
async fn reopen(tx: &mut Transaction, tenant: &Tenant, change: &mut Change, reason: &str) -> Result<(), Refusal> {
    let still_there = agent::service::is_agent(tx, tenant, &change.order.assignee).await?;
    let rules = active_rules(tx, tenant).await?;
    change.reopen(rules, reason, still_there);
    if change.order.assignee.is_empty() {
        let assignment = assignment::service::find(tx, tenant, &change.order.facts(), &change.order.skills).await?;
        change.assign(&assignment);
    }
    Ok(())
}

/// A customer's answer asks for the work order to be taken up again. Where it speaks of an episode that is not the present one, or
/// the work order is not at an end that can be reopened by an answer, it changes nothing.
pub(crate) async fn survey_answered(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    id: Uuid,
    episode: i32,
    reason: &str,
) -> Result<(), Refusal> {
    let order = store::lock(tx, tenant, id)
        .await?
        .ok_or_else(|| Refusal::not_found(&tenant.child("workOrders", id)))?;
    if order.episode != episode || !matches!(order.state, State::Resolved | State::Closed) {
        return Ok(());
    }
    let mut change = held(room, tx, tenant, order, SYSTEM).await?;
    reopen(tx, tenant, &mut change, reason).await?;
    keep(room, tx, tenant, &mut change, None).await
}

/// A change of a work order whose row is held.
pub(crate) async fn held(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    order: WorkOrder,
    actor: &str,
) -> Result<Change, Refusal> {
    let clocks = store::clocks(tx, tenant, order.id, order.episode).await?;
    let versions = order.versions;
    let rules = Rules {
        versions,
        policy: sla::service::version(tx, tenant, versions.policy).await?,
        calendar: calendar::service::version(tx, tenant, versions.calendar).await?,
    };
    Ok(Change::of(order, clocks, rules, actor, room.clock.now()))
}

/// The rules that are in effect now.
pub(crate) async fn active_rules(tx: &mut Transaction, tenant: &Tenant) -> Result<Rules, Refusal> {
    let (policy, policy_version) = sla::service::active(tx, tenant).await?;
    let (calendar, calendar_version) = calendar::service::active(tx, tenant).await?;
    Ok(Rules {
        versions: sla::domain::Versions {
            policy: policy_version,
            calendar: calendar_version,
        },
        policy,
        calendar,
    })
}

/// What a timer knows: it may fire late, but it was set for this time.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Due {
    pub(crate) work_order: Uuid,
    pub(crate) at: Timestamp,
}

/// Stores a change: loads, timer, order, clocks, history and events, in the order in which rows are held everywhere (order, agents).
/// `late` says, of marks that a timer made, how late it was.
pub(crate) async fn keep(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    change: &mut Change,
    late: Option<SignedDuration>,
) -> Result<(), Refusal> {
    if !change.happened() {
        return Ok(());
    }
    change.sum_up();
    let carried_before = change.before.as_ref().and_then(WorkOrder::carried_by);
    if carried_before != change.order.carried_by() {
        agent::service::hand_over(tx, tenant, carried_before, change.order.carried_by(), change.now()).await?;
    }
    set_timer(tx, tenant, change).await?;
    change.order.revision += 1;
    store::save(tx, tenant, &change.order).await?;
    let changed: Vec<&KeptClock> = change
        .clocks
        .iter()
        .filter(|kept| change.changed.contains(&kept.clock.key))
        .collect();
    store::save_clocks(tx, tenant, change.order.id, &changed).await?;
    store::append(tx, tenant, change.order.id, &change.entries).await?;
    room.outbox.append_all(tx, tenant, events::told(tenant, change)).await?;
    count(room, tx, change, late);
    Ok(())
}

/// Sees to it that a timer fires when the next mark is due. One that is set for an earlier time stays: when it fires, it looks again.
/// Each has a key of its own, so that whoever holds a work order never waits for a timer that is firing.
pub(crate) async fn set_timer(tx: &mut Transaction, tenant: &Tenant, change: &mut Change) -> Result<(), Refusal> {
    let Some(next) = change.next_mark() else { return Ok(()) };
    if change.order.timer_time.is_some_and(|set| set <= next) {
        return Ok(());
    }
    change.order.timer_time = Some(next);
    change.order.timer_count += 1;
    let key = format!("{}/{}", change.order.id, change.order.timer_count);
    timer::schedule(
        tx,
        tenant,
        TIMER,
        &key,
        next,
        &Due {
            work_order: change.order.id,
            at: next,
        },
    )
    .await
}

fn count(room: &Room, tx: &mut Transaction, change: &Change, late: Option<SignedDuration>) {
    let marked = |kind| kind == EntryKind::ClockMarked;
    let marks = change
        .entries
        .iter()
        .filter(|entry| marked(entry.kind))
        .filter_map(|entry| Some((entry.clock.clone(), entry.mark?.name())));
    let marks: Vec<_> = marks.collect();
    let meters = room.meters.clone();
    tx.on_commit(move || {
        for (clock, mark) in marks {
            meters.marked(clock, mark, late);
        }
    });
}
