//! New feedback that fits a problem joins it: about the same, and saying enough of its telling words.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use huiyin_chassis::{Refusal, Tenant, Transaction};
use uuid::Uuid;

use super::{
    domain::{Problem, Source, State},
    domain_policy::Policy,
    members::joining,
    service::{Change, settle},
    store, store_members,
    store_texts::Said,
    terms,
};
use crate::{domain::SYSTEM, room::Room};

/// Feedback that comes to a problem: its own, and the feedbacks.
type Joined = BTreeMap<Uuid, Vec<Said>>;

/// Puts each feedback into the problem that it fits best, and gives back those that fit none. One that was merged has what fits it
/// counted where it was merged into; one that was rejected has what fits no other, and is proposed again when it has grown.
pub(super) async fn fit(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    policy: &Policy,
    came: Vec<Said>,
) -> Result<Vec<Said>, Refusal> {
    let categories: BTreeSet<String> = came.iter().map(|said| said.category.clone()).collect();
    let problems = store::of_categories(tx, tenant, categories.into_iter().collect()).await?;
    if problems.is_empty() || came.is_empty() {
        return Ok(came);
    }
    let texts = came.iter().map(|said| said.text.clone()).collect();
    let words = terms::words_of_all(texts).await?;
    let mut rest = Vec::new();
    let mut joined = Joined::new();
    for (said, words) in came.into_iter().zip(&words) {
        match best(&problems, &said, words, policy.fit_share) {
            Some(problem) => joined.entry(problem.id).or_default().push(said),
            None => rest.push(said),
        }
    }
    join(room, tx, tenant, policy, &problems, joined).await?;
    Ok(rest)
}

/// The problem that a feedback fits best: one that was not rejected, of which it says most, that says most of what it is about; of
/// equal ones the oldest.
fn best<'p>(problems: &'p [Problem], said: &Said, words: &BTreeSet<String>, least: f64) -> Option<&'p Problem> {
    let about = (said.category.as_str(), said.product_model.as_str(), said.batch.as_str());
    let mut best: Option<(&Problem, (bool, f64, usize))> = None;
    for problem in problems {
        let Some(share) = problem.fits(about, |term| words.contains(term), least) else {
            continue;
        };
        let rank = (problem.state != State::Rejected, share, problem.about.narrowness());
        if best.is_none_or(|(_, before)| rank.partial_cmp(&before) == Some(std::cmp::Ordering::Greater)) {
            best = Some((problem, rank));
        }
    }
    best.map(|(problem, _)| problem)
}

async fn join(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    policy: &Policy,
    problems: &[Problem],
    joined: Joined,
) -> Result<(), Refusal> {
    let mut holders: HashMap<Uuid, (Problem, Vec<String>)> = HashMap::new();
    for own in problems {
        let Some(said) = joined.get(&own.id) else { continue };
        let id = store::holder(tx, tenant, own).await?;
        let holder = match store::find(tx, tenant, id).await? {
            Some(found) => holders.entry(id).or_insert((found, Vec::new())),
            None => continue,
        };
        let joining: Vec<_> = said.iter().map(|said| joining(said, own, &holder.0)).collect();
        store_members::put(tx, tenant, &joining, Source::Fit, SYSTEM, room.clock.now()).await?;
        if own.id == id {
            holder.1.extend(said.iter().map(|said| said.name.clone()));
        } else {
            let mut own = own.clone();
            let change = Change {
                from: Some(own.state),
                actor: SYSTEM,
                added: said.iter().map(|said| said.name.clone()).collect(),
                ..Change::default()
            };
            settle(room, tx, tenant, &mut own, change).await?;
        }
    }
    for (mut problem, added) in holders.into_values() {
        let from = problem.state;
        problem.counts = store_members::counts(tx, tenant, problem.id).await?;
        let before = problem.rejected_count;
        let reason = if problem.grows_back(policy.regrowth_factor) {
            format!("grown from {before} feedbacks to {}", problem.counts.feedbacks)
        } else {
            String::new()
        };
        let change = Change {
            from: Some(from),
            reason,
            actor: SYSTEM,
            added,
            ..Change::default()
        };
        settle(room, tx, tenant, &mut problem, change).await?;
    }
    Ok(())
}
