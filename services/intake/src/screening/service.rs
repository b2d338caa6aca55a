//! The use cases of screening: set aside and let go, merge and take apart, and what is to be known of one before it is stored.

use huiyin_chassis::{
    Database, Refusal, Tenant, Transaction,
    mask::mask,
    repeat::{self, Repeatable},
};
use huiyin_events::NewEvent;
use prost::Message;
use uuid::Uuid;

use super::{
    compare,
    domain::{Action, Finding, FindingKind, Forbidden, Policy, Reason, Standing, State, nearness::Relation},
    events, store,
};
use crate::{
    customer,
    events::{FEEDBACKS, submitted},
    feedback::{
        self, accept,
        domain::{Accepted, Feedback, Seek},
    },
    room::Room,
    validation::service::Admitted,
};

/// `FindSimilarFeedbacks` shows at most so many.
const MOST_SIMILAR: i64 = 100;

/// Another feedback that says nearly the same.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Similar {
    pub(crate) id: Uuid,
    pub(crate) relation: Relation,
    pub(crate) similarity: f64,
}

/// Whoever moves a feedback, and why.
pub(crate) struct Mover<'m> {
    pub(crate) tenant: &'m Tenant,
    pub(crate) actor: &'m str,
    /// As it came.
    pub(crate) reason: &'m str,
    pub(crate) repeat: Option<Repeatable>,
}

/// Which way a feedback is moved.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Move {
    Quarantine,
    Release,
    Unmerge,
}

/// Where a feedback stands when it comes in.
pub(crate) fn standing(admitted: &Admitted) -> Standing {
    let is_loop = admitted.draft.is_loop;
    let is_aside = is_loop || admitted.screening.sets_aside(&admitted.findings);
    let mut findings = admitted.findings.clone();
    findings.extend(is_loop.then(|| Finding {
        kind: FindingKind::Spam,
        reasons: vec![Reason::Repetition],
        feedback: None,
    }));
    Standing {
        state: if is_aside { State::Quarantined } else { State::Accepted },
        held: is_aside,
        findings,
        missing: admitted.missing.clone(),
        ..Standing::default()
    }
}

/// Finds what the same customer said of the same product before, for tenants that set it aside. What arrives in the same moment
/// elsewhere is not seen here; it is linked afterwards like all others.
pub(crate) async fn find_repeated(
    database: &Database,
    tenant: &Tenant,
    accepted: &mut [&mut Accepted],
) -> Result<(), Refusal> {
    let seeks = || accepted.iter().filter_map(|accepted| accepted.repeats.as_ref());
    let Some(since) = seeks().map(|seek| seek.since).min() else {
        return Ok(());
    };
    let mut tx = database.tenant(tenant).await?;
    let seeking = || accepted.iter().filter(|accepted| accepted.repeats.is_some());
    let tokens: Vec<Uuid> = seeking().filter_map(|accepted| accepted.token).collect();
    // As it is stored: an identity may lead to another customer than its own.
    let customers = customer::store::resolve(&mut tx, tenant, &tokens).await?;
    let seeking = accepted
        .iter_mut()
        .filter(|accepted| accepted.repeats.is_some() && accepted.token.is_some());
    for (accepted, customer) in seeking.zip(customers) {
        accepted.feedback.customer = Some(customer);
        let fingerprint = compare::print(&accepted.feedback);
        accepted
            .repeats
            .iter_mut()
            .for_each(|seek| seek.fingerprint.clone_from(&fingerprint));
    }
    let seeks = accepted.iter().filter_map(|accepted| accepted.repeats.as_ref());
    let prints: Vec<Vec<u8>> = seeks.map(|seek| seek.fingerprint.clone()).collect();
    let mut first = store::first_with(&mut tx, tenant, &prints, since).await?;
    tx.commit().await?;
    for accepted in accepted.iter_mut() {
        let Some(seek) = &accepted.repeats else { continue };
        let id = accepted.feedback.id;
        // Within one batch the first of them counts.
        let had = first.entry(seek.fingerprint.clone()).or_insert_with(|| vec![id]);
        let found = had.first().copied().unwrap_or(id);
        let is_repeated = found != id;
        let is_aside = seek.is_aside || is_repeated;
        let standing = &mut accepted.feedback.standing;
        // A batch that is tried again forgets what it found before.
        standing
            .findings
            .retain(|finding| finding.kind != FindingKind::Duplicate);
        if is_repeated {
            standing.findings.push(duplicate_of(found));
        }
        standing.state = if is_aside { State::Quarantined } else { State::Accepted };
        standing.held = is_aside;
    }
    Ok(())
}

/// Keeps what screening has to say of feedbacks that are being stored; for most it has nothing, and asks the database nothing.
pub(crate) async fn keep(tx: &mut Transaction, tenant: &Tenant, stored: &[&Accepted]) -> Result<(), Refusal> {
    let Some(now) = stored.iter().map(|accepted| accepted.feedback.create_time).max() else {
        return Ok(());
    };
    let standings: Vec<(Uuid, &Standing)> = stored
        .iter()
        .filter(|accepted| !accepted.feedback.standing.is_plain())
        .map(|accepted| (accepted.feedback.id, &accepted.feedback.standing))
        .collect();
    store::put(tx, tenant, &standings, now).await?;
    let prints: Vec<(Uuid, Vec<u8>)> = stored
        .iter()
        .filter_map(|accepted| Some((accepted.feedback.id, accepted.repeats.as_ref()?.fingerprint.clone())))
        .collect();
    store::put_prints(tx, tenant, &prints, false).await?;
    Ok(())
}

/// What a feedback that is being stored tells the others.
pub(crate) fn told(tenant: &Tenant, feedback: &Feedback) -> NewEvent {
    if feedback.standing.held {
        events::quarantined(tenant, feedback, &feedback.author, "")
    } else {
        submitted(tenant, feedback)
    }
}

impl Room {
    /// Moves a feedback, and answers with `say`.
    pub(crate) async fn move_feedback<A: Message + Default>(
        &self,
        mover: Mover<'_>,
        id: Uuid,
        way: Move,
        say: impl Fn(Feedback) -> A + Send,
    ) -> Result<A, Refusal> {
        let Mover {
            tenant,
            actor,
            reason,
            repeat,
        } = mover;
        let reason = mask(reason);
        let mut tx = self.ledger.database.tenant(tenant).await?;
        if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
            return Ok(answer);
        }
        let now = self.ledger.clock.now();
        store::lock(&mut tx, tenant, &[id], now).await?;
        let mut feedback = feedback::store::feedbacks::by_ids(&mut tx, tenant, &[id])
            .await?
            .pop()
            .ok_or_else(|| Refusal::not_found(&tenant.child(FEEDBACKS, id)))?;
        let standing = &mut feedback.standing;
        let mut told = Vec::new();
        match way {
            Move::Quarantine => {
                standing
                    .quarantine(reason.clone())
                    .map_err(|forbidden| forbids(tenant, id, &forbidden))?;
                told.push(events::quarantined(tenant, &feedback, actor, &reason));
            }
            Move::Release => {
                let held = standing
                    .release(reason)
                    .map_err(|forbidden| forbids(tenant, id, &forbidden))?;
                told.push(events::released(tenant, &feedback, actor, held));
                if held {
                    told.push(submitted(tenant, &feedback));
                }
            }
            Move::Unmerge => {
                let canonical = standing
                    .unmerge()
                    .map_err(|forbidden| forbids(tenant, id, &forbidden))?;
                told.push(events::unmerged(tenant, &feedback, actor, canonical, &reason));
            }
        }
        store::put(&mut tx, tenant, &[(id, &feedback.standing)], now).await?;
        self.ledger.tell(&mut tx, tenant, told).await?;
        let answer = say(feedback);
        repeat::commit(tx, &self.ledger.clock, repeat.as_ref(), answer).await
    }

    /// Merges feedbacks into one, all or none; answers with `say` of that one and of them.
    pub(crate) async fn merge<A: Message + Default>(
        &self,
        mover: Mover<'_>,
        canonical: Uuid,
        ids: &[Uuid],
        say: impl Fn(Feedback, Vec<Feedback>) -> A + Send,
    ) -> Result<A, Refusal> {
        let Mover {
            tenant,
            actor,
            reason,
            repeat,
        } = mover;
        let reason = mask(reason);
        let mut tx = self.ledger.database.tenant(tenant).await?;
        if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
            return Ok(answer);
        }
        let now = self.ledger.clock.now();
        let mut all = ids.to_vec();
        all.push(canonical);
        store::lock(&mut tx, tenant, &all, now).await?;
        let mut feedbacks = feedback::store::feedbacks::by_ids(&mut tx, tenant, &all).await?;
        if let Some(missing) = all
            .iter()
            .find(|id| !feedbacks.iter().any(|feedback| feedback.id == **id))
        {
            return Err(Refusal::not_found(&tenant.child(FEEDBACKS, missing)));
        }
        let Some(into) = feedbacks.pop() else {
            return Err(Refusal::not_found(&tenant.child(FEEDBACKS, canonical)));
        };
        into.standing
            .require_no_duplicate()
            .map_err(|forbidden| forbids(tenant, canonical, &forbidden))?;
        let mut told = Vec::with_capacity(feedbacks.len());
        for feedback in &mut feedbacks {
            let id = feedback.id;
            feedback
                .standing
                .merge(canonical, reason.clone())
                .map_err(|forbidden| forbids(tenant, id, &forbidden))?;
            told.push(events::merged(tenant, feedback, actor, canonical));
        }
        let standings: Vec<(Uuid, &Standing)> = feedbacks
            .iter()
            .map(|feedback| (feedback.id, &feedback.standing))
            .collect();
        store::put(&mut tx, tenant, &standings, now).await?;
        self.ledger.tell(&mut tx, tenant, told).await?;
        let answer = say(into, feedbacks);
        repeat::commit(tx, &self.ledger.clock, repeat.as_ref(), answer).await
    }

    /// What says nearly the same as a stored feedback, and whether it was compared yet.
    pub(crate) async fn similar(&self, tenant: &Tenant, id: Uuid) -> Result<(Vec<Similar>, bool), Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        if feedback::store::feedbacks::by_ids(&mut tx, tenant, &[id])
            .await?
            .is_empty()
        {
            return Err(Refusal::not_found(&tenant.child(FEEDBACKS, id)));
        }
        let links = store::links(&mut tx, tenant, id, MOST_SIMILAR).await?;
        let compared = store::is_compared(&mut tx, tenant, id).await?;
        tx.commit().await?;
        let similar = links.into_iter().filter_map(|(id, relation, similarity)| {
            Some(Similar {
                id,
                relation: Relation::of(relation)?,
                similarity,
            })
        });
        Ok((similar.collect(), compared))
    }

    /// Where a draft would stand, and what says nearly the same; what is found on the way is noted. Stores nothing.
    pub(crate) async fn try_out(
        &self,
        tenant: &Tenant,
        admitted: &mut Admitted,
    ) -> Result<(State, Vec<Similar>), Refusal> {
        let window = admitted.screening.window;
        let mut feedback = accept::seen(&self.ledger.clock, &self.vault, tenant, &admitted.draft);
        let mut tx = self.ledger.database.tenant(tenant).await?;
        let tokens: Vec<Uuid> = feedback.customer.into_iter().collect();
        feedback.customer = customer::store::resolve(&mut tx, tenant, &tokens).await?.pop();
        let mut similar = self.near_to(&mut tx, tenant, &feedback, window).await?;
        tx.rollback().await;
        similar.truncate(CHECKED_SIMILAR);
        let exact = similar.iter().find(|near| near.relation == Relation::Exact);
        if let Some(exact) = exact {
            admitted.findings.push(duplicate_of(exact.id));
        }
        Ok((standing(admitted).state, similar))
    }
}

/// `CheckFeedback` shows at most so many.
const CHECKED_SIMILAR: usize = 20;

/// What a tenant that sets duplicates aside looks for.
pub(crate) fn seek(policy: &Policy, feedback: &Feedback) -> Option<Seek> {
    let now = feedback.create_time;
    (policy.duplicate == Action::Quarantine && compare::knows_customer(feedback)).then(|| Seek {
        fingerprint: compare::print(feedback),
        since: compare::first_id(now.saturating_sub(policy.window).unwrap_or(now)),
        is_aside: feedback.standing.held,
    })
}

fn duplicate_of(id: Uuid) -> Finding {
    Finding {
        kind: FindingKind::Duplicate,
        reasons: vec![Reason::SameFingerprint],
        feedback: Some(id),
    }
}

fn forbids(tenant: &Tenant, id: Uuid, forbidden: &Forbidden) -> Refusal {
    Refusal::state_forbids(&tenant.child(FEEDBACKS, id), forbidden.state.name(), forbidden.allowed)
}
