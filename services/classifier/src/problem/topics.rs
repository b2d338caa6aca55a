//! Emerging topics (新兴话题): words that some time says and the time before did not; and problems that are proposed for them.

use std::collections::BTreeSet;

use huiyin_chassis::{Refusal, Tenant, Transaction};
use jiff::Timestamp;

use super::{
    domain::{About, Origin, Term},
    domain_policy::{Policy, days_before},
    domain_topics::{self, Said as Words, telling},
    proposing::{customers_of, propose as propose_problem},
    service, store,
    store_texts::{self, Said},
    terms::{self, Saying},
    words::words_of,
};
use crate::{
    domain::{SYSTEM, UNCLASSIFIED},
    model::judging::aside,
    room::Room,
};

/// Of each time so many feedbacks are read, the newest.
const READ: usize = 20_000;
/// A proposed problem is of the category, and of the product model, that so much of its feedback has.
const SHARE: f64 = 0.6;

/// Which time against which.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// This or below it; empty for all.
    pub(super) category: String,
    pub(super) baseline_from: Timestamp,
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    pub(super) min_score: f64,
    pub(super) min_feedbacks: usize,
    pub(super) most: usize,
}

/// What came up.
#[derive(Debug)]
pub(super) struct Topic {
    /// The most telling first.
    pub(super) terms: Vec<Term>,
    /// The recent feedbacks that say one of them, the newest first.
    pub(super) said: Vec<Said>,
    /// How many of the baseline say the first of them.
    pub(super) baseline: usize,
    words: Vec<BTreeSet<String>>,
}

impl Topic {
    /// How many known customers there are.
    pub(super) fn customers(&self) -> usize {
        customers_of(&self.said.iter().collect::<Vec<_>>())
    }
}

/// All that came up.
#[derive(Debug)]
pub(super) struct Found {
    /// The most telling first.
    pub(super) topics: Vec<Topic>,
    /// How many recent feedbacks were read.
    pub(super) recent: usize,
    /// How many of the baseline.
    pub(super) baseline: usize,
    /// One of the times has more.
    pub(super) truncated: bool,
}

/// What a caller leaves to the policy.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) category: String,
    pub(super) baseline_from: Option<Timestamp>,
    pub(super) from: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
    pub(super) min_score: Option<f64>,
    pub(super) min_feedbacks: Option<i32>,
    pub(super) most: usize,
}

impl Wanted {
    fn by(self, policy: &Policy, now: Timestamp) -> Result<Asked, Refusal> {
        let until = self.until.unwrap_or(now);
        let from = self.from.unwrap_or_else(|| days_before(until, policy.topic_days));
        let baseline_from = self
            .baseline_from
            .unwrap_or_else(|| days_before(from, policy.topic_baseline_days));
        if until <= from {
            return Err(Refusal::invalid_field("end_time", "must be later than start_time"));
        }
        if from <= baseline_from {
            return Err(Refusal::invalid_field(
                "baseline_start_time",
                "must be earlier than start_time",
            ));
        }
        Ok(Asked {
            category: self.category,
            baseline_from,
            from,
            until,
            min_score: self.min_score.unwrap_or(policy.topic_min_score),
            min_feedbacks: usize::try_from(self.min_feedbacks.unwrap_or(policy.topic_min_feedbacks)).unwrap_or(0),
            most: self.most,
        })
    }
}

/// What has come up, for somebody who asks.
pub(super) async fn list(room: &Room, tenant: &Tenant, wanted: Wanted) -> Result<Found, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    let policy = store::policy(&mut tx, tenant).await?.policy;
    let asked = wanted.by(&policy, room.clock.now())?;
    let (recent, baseline) = read(&mut tx, tenant, &asked).await?;
    // Nobody's connection waits for the counting.
    tx.rollback().await;
    find(asked, recent, baseline).await
}

/// Proposes what has come up, where enough of it belongs to no problem and no problem has these words.
pub(super) async fn propose(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    policy: &Policy,
) -> Result<(), Refusal> {
    if !policy.propose_topics {
        return Ok(());
    }
    let wanted = Wanted {
        most: 20,
        ..Wanted::default()
    };
    let asked = wanted.by(policy, room.clock.now())?;
    let (recent, baseline) = read(tx, tenant, &asked).await?;
    for topic in find(asked, recent, baseline).await?.topics {
        let said: Vec<Saying<'_>> = topic
            .said
            .iter()
            .map(|said| said.customer.as_str())
            .zip(&topic.words)
            .collect();
        let mut found = topic.terms.clone();
        found.retain(|term| terms::is_said_by_enough(&term.term, &said));
        let free: Vec<&Said> = topic.said.iter().filter(|said| !said.in_problem).collect();
        if found.is_empty() || !policy.is_passed(free.len(), customers_of(&free)) {
            continue;
        }
        let names: Vec<String> = found.iter().map(|term| term.term.clone()).collect();
        if !store::with_terms(tx, tenant, &names).await?.is_empty() {
            continue;
        }
        let about = About {
            category: Some(prevailing(&free, |said| &said.category))
                .filter(|category| category != UNCLASSIFIED)
                .unwrap_or_default(),
            product_model: prevailing(&free, |said| &said.product_model),
            ..About::default()
        };
        let problem = service::new(room, tx, tenant, about, (Origin::Topic, SYSTEM)).await?;
        propose_problem(room, tx, tenant, policy.topic_days, problem, found, &free).await?;
    }
    Ok(())
}

/// What most of the feedback has; empty where nothing prevails.
#[expect(clippy::cast_precision_loss, reason = "numbers of texts are far below 2⁵²")]
fn prevailing(said: &[&Said], of: impl Fn(&Said) -> &String) -> String {
    let prevails = |value: &&String| {
        let count = said.iter().filter(|said| of(said) == *value).count();
        count as f64 >= SHARE * said.len() as f64
    };
    said.iter()
        .map(|said| of(said))
        .find(prevails)
        .cloned()
        .unwrap_or_default()
}

/// The feedbacks of both times, one more of each than is looked at.
async fn read(tx: &mut Transaction, tenant: &Tenant, asked: &Asked) -> Result<(Vec<Said>, Vec<Said>), Refusal> {
    let most = i64::try_from(READ + 1).unwrap_or(i64::MAX);
    let recent = store_texts::of_time(tx, tenant, (asked.from, asked.until), &asked.category, most).await?;
    let before = (asked.baseline_from, asked.from);
    let baseline = store_texts::of_time(tx, tenant, before, &asked.category, most).await?;
    Ok((recent, baseline))
}

async fn find(asked: Asked, mut recent: Vec<Said>, mut baseline: Vec<Said>) -> Result<Found, Refusal> {
    let truncated = recent.len() > READ || baseline.len() > READ;
    recent.truncate(READ);
    baseline.truncate(READ);
    aside(move || {
        let read = |said: &[Said]| said.iter().map(|said| words_of(&said.text)).collect::<Vec<_>>();
        let (here_words, there_words) = (read(&recent), read(&baseline));
        let (here, there) = (Words::by(&here_words), Words::by(&there_words));
        let least = u64::try_from(asked.min_feedbacks).unwrap_or(u64::MAX);
        let scored = telling(&here, &there)
            .into_iter()
            .take_while(|(_, score)| *score >= asked.min_score)
            .filter(|(word, _)| here.saying(word) >= least);
        let topics = domain_topics::topics(scored.collect(), &here_words);
        let found = topics.into_iter().take(asked.most).map(|topic| {
            let first = topic.words.first().map(|(word, _)| there.saying(word));
            Topic {
                baseline: usize::try_from(first.unwrap_or(0)).unwrap_or(usize::MAX),
                said: topic.texts.iter().map(|at| recent[*at].clone()).collect(),
                words: topic.texts.iter().map(|at| here_words[*at].clone()).collect(),
                terms: topic.words.into_iter().map(term).collect(),
            }
        });
        Found {
            topics: found.collect(),
            recent: recent.len(),
            baseline: baseline.len(),
            truncated,
        }
    })
    .await
}

fn term((term, score): (String, f64)) -> Term {
    Term {
        term,
        score,
        given: false,
    }
}
