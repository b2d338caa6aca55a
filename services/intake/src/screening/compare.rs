//! Which feedbacks say the same: found after the commit, so that nobody who hands feedback in waits for it.

use std::{
    cmp::{Ordering, Reverse},
    collections::{BTreeMap, BTreeSet, HashMap},
};

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    timer::{self, Timer},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    domain::nearness::{Profile, Relation, fingerprint},
    service::Similar,
    store::{self, Link},
};
use crate::{
    feedback::{self, domain::Feedback},
    room::Room,
};

/// The kind of the timers.
pub(crate) const KIND: &str = "screening.compare";
/// The kind of those that were put off while feedback poured in.
pub(crate) const POSTPONED: &str = "screening.compare.postponed";
/// For so long at a time …
const PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// … until the oldest of them has waited this long.
const PATIENCE: SignedDuration = SignedDuration::from_mins(1);
/// The kind of the timers that drop what nothing is compared with any more.
pub(crate) const PRUNE: &str = "screening.prune";
/// How often that is done, where feedback comes in at all.
const PRUNE_EVERY: SignedDuration = SignedDuration::from_hours(24);
/// So many feedbacks are compared by one timer …
const LOT: usize = 100;
/// … which takes so many others along that are due by then: under load each brings a few feedbacks only. Those that were put off
/// have been put together already.
const LOTS_ALONG: i64 = 9;
/// A feedback is compared with at most so many that share bands with it: those with the most bands in common …
const CANDIDATES: usize = 8;
/// … of so many newest of each band, itself among them, and of the first.
const EACH_BAND: i64 = 6;
/// It leads to at most so many, the nearest. What comes by the thousand hangs together by the first.
const NEAREST: usize = 5;

/// What a timer does.
#[derive(Serialize, Deserialize)]
struct Lot {
    feedbacks: Vec<Uuid>,
}

/// When feedback that is stored now is compared: at once, but later where it pours in, since nobody waits for this.
pub(crate) fn due(now: Timestamp, pours_in: bool) -> Timestamp {
    let pause = if pours_in { PAUSE } else { SignedDuration::ZERO };
    now.saturating_add(pause).unwrap_or(now)
}

/// The timers, key and payload, that have feedbacks compared.
pub(crate) fn timers(feedbacks: &[Uuid]) -> Result<Vec<(String, String)>, Refusal> {
    feedbacks
        .chunks(LOT)
        .map(|lot| {
            let payload = Lot {
                feedbacks: lot.to_vec(),
            };
            let payload = serde_json::to_string(&payload).map_err(Refusal::fault)?;
            Ok((lot[0].to_string(), payload))
        })
        .collect()
}

/// All words of a feedback, masked.
pub(crate) fn words(feedback: &Feedback) -> String {
    [&feedback.title, &feedback.description, &feedback.expectation]
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Its fingerprint. Without a customer it says nothing about who said it twice: see [`knows_customer`].
pub(crate) fn print(feedback: &Feedback) -> Vec<u8> {
    let product = &feedback.facts.product;
    let product = format!("{}\u{1f}{}", product.model, product.order_number);
    fingerprint(&words(feedback), feedback.customer, &product)
}

/// Two that are not known to be the same customer are no duplicates, however alike their words.
pub(crate) fn knows_customer(feedback: &Feedback) -> bool {
    feedback.customer.is_some()
}

/// The smallest id of a moment: ids rise with time.
pub(crate) fn first_id(at: Timestamp) -> Uuid {
    let milliseconds = u64::try_from(at.as_millisecond()).unwrap_or(0);
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&milliseconds.to_be_bytes()[2..]);
    Uuid::from_bytes(bytes)
}

impl Room {
    /// Compares a lot, and others that are due; later, where people wait for the database: nobody waits for this.
    pub(crate) async fn compare(&self, tx: &mut Transaction, due: &Timer) -> Result<(), Refusal> {
        let (tenant, now) = (&due.tenant, self.ledger.clock.now());
        let mut ids = due.payload::<Lot>()?.feedbacks;
        if due.kind == KIND {
            for along in timer::take_along(tx, due, now, LOTS_ALONG).await? {
                ids.extend(along.payload::<Lot>()?.feedbacks);
            }
        }
        let longest = first_id(now.saturating_sub(PATIENCE).unwrap_or(now));
        if self.writer.is_busy() && ids.iter().all(|id| *id >= longest) {
            let key = due.key.as_str();
            return timer::schedule(
                tx,
                tenant,
                POSTPONED,
                key,
                self::due(now, true),
                &Lot { feedbacks: ids },
            )
            .await;
        }
        let mut feedbacks = feedback::store::feedbacks::by_ids(tx, tenant, &ids).await?;
        // Those whose words were erased meanwhile are like nothing.
        feedbacks.retain(|feedback| !words(feedback).is_empty());
        let window = self.profiles.active_in(tx, tenant).await?.screening.window;
        let earliest = feedbacks.iter().map(|feedback| feedback.create_time).min();
        let Some(earliest) = earliest else { return Ok(()) };
        let since = first_id(earliest.saturating_sub(window).unwrap_or(earliest));

        store::compare_alone(tx, tenant).await?;
        let mut prints: Vec<(Uuid, Vec<u8>)> = feedbacks
            .iter()
            .map(|feedback| (feedback.id, print(feedback)))
            .collect();
        let new = store::put_prints(tx, tenant, &prints, true).await?;
        feedbacks.retain(|feedback| new.contains(&feedback.id));
        prints.retain(|(id, _)| new.contains(id));
        let profiles: Vec<Profile> = feedbacks.iter().map(|feedback| Profile::of(&words(feedback))).collect();
        let bands: Vec<(Uuid, i64)> = feedbacks
            .iter()
            .zip(&profiles)
            .flat_map(|(feedback, profile)| profile.bands().into_iter().map(|band| (feedback.id, band)))
            .collect();
        store::put_bands(tx, tenant, &bands).await?;
        store::prune_later(tx, tenant, PRUNE, now.saturating_add(PRUNE_EVERY).unwrap_or(now)).await?;

        let mut links = Vec::new();
        let all_prints: Vec<Vec<u8>> = prints.iter().map(|(_, print)| print.clone()).collect();
        let first = store::first_with(tx, tenant, &all_prints, since).await?;
        for (feedback, (id, print)) in feedbacks.iter().zip(&prints) {
            let other = first.get(print).into_iter().flatten().find(|other| *other != id);
            if let Some(other) = other.filter(|_| knows_customer(feedback)) {
                links.push(link(*id, *other, Relation::Exact, 1.0));
            }
        }
        for (index, similar) in self.near(tx, tenant, &bands, &profiles, &feedbacks, since).await? {
            let id = feedbacks[index].id;
            links.extend(
                similar
                    .iter()
                    .map(|near| link(id, near.id, near.relation, near.similarity)),
            );
        }
        store::put_links(tx, tenant, &links).await?;
        self.ledger.meters.linked(tx, links.iter().map(|link| link.relation));
        Ok(())
    }

    /// Drops the bands of what lies before the window.
    pub(crate) async fn prune_bands(&self, tx: &mut Transaction, tenant: &Tenant) -> Result<(), Refusal> {
        let window = self.profiles.active_in(tx, tenant).await?.screening.window;
        let now = self.ledger.clock.now();
        store::prune(tx, tenant, first_id(now.saturating_sub(window).unwrap_or(now))).await
    }

    /// Which stored feedbacks are near to these, by their place.
    async fn near(
        &self,
        tx: &mut Transaction,
        tenant: &Tenant,
        bands: &[(Uuid, i64)],
        profiles: &[Profile],
        feedbacks: &[Feedback],
        since: Uuid,
    ) -> Result<Vec<(usize, Vec<Similar>)>, Refusal> {
        let wanted = candidates(tx, tenant, bands, since).await?;
        let mut others: Vec<Uuid> = wanted.values().flatten().copied().collect();
        others.sort_unstable();
        others.dedup();
        let others: HashMap<Uuid, Profile> = feedback::store::feedbacks::by_ids(tx, tenant, &others)
            .await?
            .into_iter()
            .map(|feedback| (feedback.id, Profile::of(&words(&feedback))))
            .collect();
        let mut found = Vec::new();
        for (index, (feedback, profile)) in feedbacks.iter().zip(profiles).enumerate() {
            let near = wanted.get(&feedback.id).into_iter().flatten().filter_map(|id| {
                let (relation, similarity) = profile.relation(others.get(id)?)?;
                Some(Similar {
                    id: *id,
                    relation,
                    similarity,
                })
            });
            let mut near: Vec<Similar> = near.collect();
            near.sort_by(nearer);
            near.truncate(NEAREST);
            found.push((index, near));
        }
        Ok(found)
    }

    /// Which stored feedbacks are near to one that is not stored; the nearest first.
    pub(crate) async fn near_to(
        &self,
        tx: &mut Transaction,
        tenant: &Tenant,
        feedback: &Feedback,
        window: SignedDuration,
    ) -> Result<Vec<Similar>, Refusal> {
        let now = feedback.create_time;
        let since = first_id(now.saturating_sub(window).unwrap_or(now));
        let profile = Profile::of(&words(feedback));
        let bands: Vec<(Uuid, i64)> = profile.bands().into_iter().map(|band| (feedback.id, band)).collect();
        let mut similar = Vec::new();
        if knows_customer(feedback) {
            let first = store::first_with(tx, tenant, &[print(feedback)], since).await?;
            similar.extend(
                first
                    .into_values()
                    .flat_map(|ids| ids.into_iter().take(1))
                    .map(|id| Similar {
                        id,
                        relation: Relation::Exact,
                        similarity: 1.0,
                    }),
            );
        }
        let near = self
            .near(tx, tenant, &bands, &[profile], std::slice::from_ref(feedback), since)
            .await?;
        let exact: Vec<Uuid> = similar.iter().map(|near| near.id).collect();
        similar.extend(
            near.into_iter()
                .flat_map(|(_, near)| near)
                .filter(|near| !exact.contains(&near.id)),
        );
        similar.sort_by(nearer);
        Ok(similar)
    }
}

/// The nearest first, of equally near ones the earliest.
fn nearer(left: &Similar, right: &Similar) -> Ordering {
    (left.relation.cmp(&right.relation))
        .then(right.similarity.total_cmp(&left.similarity))
        .then(left.id.cmp(&right.id))
}

/// Which stored feedbacks each of these may be near to. The same words come in bursts, and then most bands are the same: each is
/// looked up once.
async fn candidates(
    tx: &mut Transaction,
    tenant: &Tenant,
    bands: &[(Uuid, i64)],
    since: Uuid,
) -> Result<HashMap<Uuid, Vec<Uuid>>, Refusal> {
    let mut asked: Vec<i64> = bands.iter().map(|(_, band)| *band).collect();
    asked.sort_unstable();
    asked.dedup();
    let these: Vec<Uuid> = bands
        .iter()
        .map(|(id, _)| *id)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let mut sharing: HashMap<i64, Vec<Uuid>> = HashMap::new();
    for (band, id) in store::sharing(tx, tenant, &these, &asked, since, EACH_BAND).await? {
        sharing.entry(band).or_default().push(id);
    }
    let mut shared: HashMap<Uuid, BTreeMap<Uuid, u32>> = HashMap::new();
    for (id, band) in bands {
        let counts = shared.entry(*id).or_default();
        for other in sharing.get(band).into_iter().flatten().filter(|other| *other != id) {
            *counts.entry(*other).or_default() += 1;
        }
    }
    let most = |counts: BTreeMap<Uuid, u32>| {
        let mut others: Vec<(Uuid, u32)> = counts.into_iter().collect();
        // Sorting is stable: the oldest of those with as many.
        others.sort_by_key(|(_, count)| Reverse(*count));
        others.into_iter().map(|(other, _)| other).take(CANDIDATES).collect()
    };
    Ok(shared.into_iter().map(|(id, counts)| (id, most(counts))).collect())
}

/// The later one leads to the earlier one.
fn link(id: Uuid, other: Uuid, relation: Relation, similarity: f64) -> Link {
    Link {
        id: id.max(other),
        other: id.min(other),
        relation,
        similarity,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_a_moment_do_not_lie_before_its_first() {
        let clock = huiyin_chassis::Clock::held("2026-03-02T09:00:00Z".parse().unwrap());
        let first = first_id(clock.now());
        assert!(clock.id() >= first);
        clock.advance(SignedDuration::from_millis(-1));
        assert!(clock.id() < first);
    }
}
