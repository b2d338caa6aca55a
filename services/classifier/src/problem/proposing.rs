//! What the room does with new feedback by itself, a little later and all of a tenant's at once: let it join what it fits, and propose
//! groups that have passed the threshold.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    timer::{self, Timer},
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{
    domain::{About, Origin, Problem, Source, Term},
    domain_clusters::{Rarity, clusters},
    domain_policy::Policy,
    domain_topics::Said as Words,
    fitting,
    members::joining,
    service::{self, Change, settle},
    store, store_members,
    store_texts::{self, Said},
    terms::{self, Saying},
    topics,
};
use crate::{
    domain::{SYSTEM, UNCLASSIFIED},
    model::judging::aside,
    room::Room,
};

/// The kind of the timers that look at new feedback, each with the id of one.
const FEEDBACK: &str = "problem_feedback";
/// The kind of those that look for emerging topics.
const TOPICS: &str = "problem_topics";
/// New feedback is looked at together, at the end of every such stretch of time.
const PAUSE: SignedDuration = SignedDuration::from_mins(1);
/// Topics are looked for so often, where there is new feedback.
const TOPIC_PAUSE: SignedDuration = SignedDuration::from_hours(1);
/// So many are looked at in one transaction.
const AT_ONCE: i64 = 2_000;
/// A group is compared by so many of its feedbacks, the newest: each with each.
const COMPARED: i64 = 2_000;

/// A feedback was classified: it is looked at with all others that come soon.
pub(crate) async fn look_at(room: &Room, tx: &mut Transaction, tenant: &Tenant, feedback: Uuid) -> Result<(), Refusal> {
    let due = end_of(PAUSE, room.clock.now());
    // Each has a timer of its own: no two that are classified at a time wait for each other.
    timer::schedule(tx, tenant, FEEDBACK, &feedback.to_string(), due, &()).await
}

/// When the stretch of time ends in which a time lies, counted from 1970 on.
fn end_of(pause: SignedDuration, time: Timestamp) -> Timestamp {
    let begun = time.as_second().div_euclid(pause.as_secs());
    Timestamp::from_second((begun + 1) * pause.as_secs()).unwrap_or(time)
}

/// Whether a timer is one of problems.
pub(crate) fn is_timer(kind: &str) -> bool {
    kind == FEEDBACK || kind == TOPICS
}

/// Does what is due.
pub(crate) async fn fire(room: &Room, tx: &mut Transaction, due: &Timer) -> Result<(), Refusal> {
    let tenant = &due.tenant;
    if due.kind == TOPICS {
        store::hold(tx, tenant).await?;
        let policy = store::policy(tx, tenant).await?.policy;
        return topics::propose(room, tx, tenant, &policy).await;
    }
    let mut keys = vec![due.key.clone()];
    let along = timer::take_along(tx, due, room.clock.now(), AT_ONCE).await?;
    keys.extend(along.into_iter().map(|timer| timer.key));
    let ids: Vec<Uuid> = keys.iter().filter_map(|key| Uuid::try_parse(key).ok()).collect();
    store::hold(tx, tenant).await?;
    let policy = store::policy(tx, tenant).await?.policy;
    let came = store_texts::unassigned(tx, tenant, &ids).await?;
    let rest = fitting::fit(room, tx, tenant, &policy, came).await?;
    if policy.propose_groups {
        let named = rest.iter().filter(|said| said.category != UNCLASSIFIED);
        let groups: BTreeSet<About> = named
            .map(|said| policy.group(&said.category, &said.product_model, &said.batch))
            .collect();
        let mut everybody = None;
        for about in groups {
            propose_group(room, tx, tenant, &policy, &about, &mut everybody).await?;
        }
    }
    if policy.propose_topics {
        let next = end_of(TOPIC_PAUSE, room.clock.now());
        timer::schedule(tx, tenant, TOPICS, &next.to_string(), next, &()).await?;
    }
    Ok(())
}

/// The words of the newest feedbacks of all, against which groups are held: read once for all groups of a firing.
struct Everybody {
    ids: Vec<Uuid>,
    words: Vec<BTreeSet<String>>,
}

impl Everybody {
    async fn read(tx: &mut Transaction, tenant: &Tenant) -> Result<Arc<Self>, Refusal> {
        let all = store_texts::newest(tx, tenant, terms::OTHERS).await?;
        let (ids, texts): (Vec<Uuid>, Vec<String>) = all.into_iter().unzip();
        let words = terms::words_of_all(texts).await?;
        Ok(Arc::new(Self { ids, words }))
    }
}

/// Proposes what stands together in a group and passes the threshold (keep #4318: a problem only above a threshold), where it is no
/// problem yet.
async fn propose_group(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    policy: &Policy,
    about: &About,
    everybody: &mut Option<Arc<Everybody>>,
) -> Result<(), Refusal> {
    let since = policy.since(room.clock.now());
    let (feedbacks, customers) = store_texts::size_of_group(tx, tenant, about, since).await?;
    let count = |count: i64| usize::try_from(count).unwrap_or(0);
    if !policy.is_passed(count(feedbacks), count(customers)) {
        return Ok(());
    }
    let said = store_texts::group(tx, tenant, about, since, COMPARED).await?;
    let words = terms::words_of_all(said.iter().map(|said| said.text.clone()).collect()).await?;
    let others = match everybody {
        Some(read) => Arc::clone(read),
        None => Arc::clone(everybody.insert(Everybody::read(tx, tenant).await?)),
    };
    let (words, found) = if policy.whole_groups() {
        let whole = vec![(0..said.len()).collect()];
        (words, whole)
    } else {
        let (similarity, others) = (policy.near_text_similarity, Arc::clone(&others));
        aside(move || {
            let rarity = Rarity::of(words.iter().chain(&others.words));
            let found = clusters(&words.iter().collect::<Vec<_>>(), &rarity, similarity);
            (words, found)
        })
        .await?
    };
    for cluster in found {
        let of_cluster: Vec<&Said> = cluster.iter().map(|at| &said[*at]).collect();
        if !policy.is_passed(of_cluster.len(), customers_of(&of_cluster)) {
            continue;
        }
        let saying: Vec<Saying<'_>> = cluster
            .iter()
            .map(|at| (said[*at].customer.as_str(), &words[*at]))
            .collect();
        let own: HashSet<Uuid> = of_cluster.iter().map(|said| said.id).collect();
        let rest = others.ids.iter().zip(&others.words).filter(|(id, _)| !own.contains(id));
        let terms = terms::of(&saying, &Words::by(rest.map(|(_, words)| words)));
        let known = store::of_categories(tx, tenant, vec![about.category.clone()]).await?;
        if known
            .iter()
            .any(|problem| problem.is_of(about, policy.whole_groups(), &terms))
        {
            continue;
        }
        let mut problem = service::new(room, tx, tenant, about.clone(), (Origin::Group, SYSTEM)).await?;
        problem.whole_group = policy.whole_groups();
        propose(room, tx, tenant, policy.window_days, problem, terms, &of_cluster).await?;
    }
    Ok(())
}

/// How many known customers there are.
pub(super) fn customers_of(said: &[&Said]) -> usize {
    let known = said.iter().map(|said| said.customer.as_str());
    known
        .filter(|customer| !customer.is_empty())
        .collect::<HashSet<_>>()
        .len()
}

/// Keeps a proposed problem with its first feedbacks, of so many days.
pub(super) async fn propose(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    days: i32,
    mut problem: Problem,
    terms: Vec<Term>,
    said: &[&Said],
) -> Result<(), Refusal> {
    problem.terms = terms;
    problem.entitle();
    store::put(tx, tenant, &problem).await?;
    let joining: Vec<_> = said.iter().map(|said| joining(said, &problem, &problem)).collect();
    store_members::put(tx, tenant, &joining, Source::Proposal, SYSTEM, room.clock.now()).await?;
    let change = Change {
        reason: format!(
            "{} feedbacks of {} known customers in {days} days",
            said.len(),
            customers_of(said)
        ),
        actor: SYSTEM,
        added: said.iter().map(|said| said.name.clone()).collect(),
        ..Change::default()
    };
    settle(room, tx, tenant, &mut problem, change).await?;
    room.meters.proposed(tx);
    Ok(())
}
