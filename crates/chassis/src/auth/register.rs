//! API keys that were made by RPC: intake keeps them, and every other room asks it, at most once in a while for each key.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use huiyin_proto::intake::v1::{VerifyApiKeyRequest, api_key_service_client::ApiKeyServiceClient};
use jiff::{SignedDuration, Timestamp};
use tokio::{sync::Semaphore, time::Instant};
use tonic::Code;

use super::{Caller, api_key};
use crate::{client::Neighbor, error::Refusal, name::Tenant, rate::Rate, secret, sql};

/// What is known of a key is asked for again after this: so long may one that was revoked still be good.
const FRESH: SignedDuration = SignedDuration::from_secs(10);
/// While whoever keeps the keys cannot be asked, one that was good goes on being good for so long.
const OUTAGE: SignedDuration = SignedDuration::from_mins(10);
/// Nobody who calls waits longer to be known.
const PATIENCE: Duration = Duration::from_secs(2);
/// While its keeper cannot be asked, one call in so long tries it again; the others do with what is known.
const PAUSE: Duration = Duration::from_secs(1);
/// So many keys are asked about at once that were good a while ago …
const KNOWN_AT_ONCE: usize = 32;
/// … and so many that nobody has seen yet: whoever makes keys up keeps no known one waiting, and its keeper not busy.
const NEW_AT_ONCE: usize = 8;
/// So many keys are remembered of each kind; then the oldest are forgotten.
const MANY: usize = 8192;

/// What a key that was made by RPC may do.
#[derive(Debug, Clone)]
pub struct KnownKey {
    /// Its roles.
    pub roles: Vec<String>,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
    /// How often it may call, where that was set for it.
    pub rate: Option<Rate>,
}

/// Whoever keeps the keys that were made by RPC.
#[tonic::async_trait]
pub trait ApiKeys: std::fmt::Debug + Send + Sync {
    /// The key `id` of the tenant, where it is good and this is its hash.
    ///
    /// # Errors
    /// Where it cannot be said now.
    async fn verify(&self, tenant: &Tenant, id: &str, hash: &[u8; 32]) -> Result<Option<KnownKey>, Refusal>;
}

/// Intake, asked by another room.
#[derive(Debug, Clone)]
pub(crate) struct Intake(pub(crate) Neighbor);

#[tonic::async_trait]
impl ApiKeys for Intake {
    async fn verify(&self, tenant: &Tenant, id: &str, hash: &[u8; 32]) -> Result<Option<KnownKey>, Refusal> {
        let request = VerifyApiKeyRequest {
            name: tenant.child("apiKeys", id),
            hash: hash.to_vec(),
        };
        match ApiKeyServiceClient::new(self.0.clone()).verify_api_key(request).await {
            Ok(answer) => {
                let key = answer.into_inner();
                Ok(Some(KnownKey {
                    roles: key.roles,
                    until: sql::from_proto(key.expire_time.as_ref()),
                    rate: u32::try_from(key.calls_per_second)
                        .ok()
                        .and_then(NonZeroU32::new)
                        .map(Rate::steady),
                }))
            }
            // During an upgrade intake may be of a version that made no keys yet.
            Err(status) if matches!(status.code(), Code::NotFound | Code::Unimplemented) => Ok(None),
            Err(status) => Err(Refusal::unavailable(format!("intake on an api key: {}", status.code()))),
        }
    }
}

/// The keys that were asked about.
#[derive(Debug)]
pub(super) struct Register {
    keeper: Arc<dyn ApiKeys>,
    /// Apart, so that whoever makes keys up drives none of the others out.
    good: Remembered<Good>,
    unknown: Remembered<()>,
    /// Those that are being asked about; whoever comes with the same one waits for the same answer.
    asked: Mutex<HashMap<Hash, Weak<tokio::sync::Mutex<()>>>>,
    known_places: Semaphore,
    new_places: Semaphore,
    /// The keeper did not answer, and is not asked again before.
    silent_until: Mutex<Option<Instant>>,
}

/// Of a key: all that is known of it here.
type Hash = [u8; 32];

#[derive(Debug, Clone)]
struct Good {
    caller: Caller,
    until: Option<Timestamp>,
}

impl Good {
    fn at(&self, now: Timestamp) -> Option<Caller> {
        self.until.is_none_or(|until| now < until).then(|| self.caller.clone())
    }
}

impl Register {
    pub(super) fn new(keeper: Arc<dyn ApiKeys>) -> Self {
        Self {
            keeper,
            good: Remembered::default(),
            unknown: Remembered::default(),
            asked: Mutex::default(),
            known_places: Semaphore::new(KNOWN_AT_ONCE),
            new_places: Semaphore::new(NEW_AT_ONCE),
            silent_until: Mutex::default(),
        }
    }

    /// The caller of a key.
    ///
    /// # Errors
    /// UNAVAILABLE where it was not known a while ago and its keeper cannot be asked; RESOURCE_EXHAUSTED where too many are being
    /// asked about.
    pub(super) async fn find(&self, key: &str, now: Timestamp) -> Result<Option<Caller>, Refusal> {
        let Some((tenant, id)) = api_key::parse(key) else {
            return Ok(None);
        };
        let hash = secret::hash(key.as_bytes());
        if let Some(fresh) = self.fresh(&hash, now) {
            return Ok(fresh);
        }
        let turn = self.turn(hash);
        let _turn = turn.lock().await;
        if let Some(fresh) = self.fresh(&hash, now) {
            return Ok(fresh);
        }
        match self.ask(&tenant, id, &hash, now).await {
            Ok(Some(known)) => {
                let caller = Caller {
                    subject: format!("{}{id}", api_key::SUBJECT),
                    tenant: Some(tenant.key().to_owned()),
                    roles: known.roles,
                    rate: known.rate,
                };
                let good = Good {
                    caller,
                    until: known.until,
                };
                self.good.remember(hash, good.clone(), now);
                Ok(good.at(now))
            }
            Ok(None) => {
                self.good.forget(&hash);
                self.unknown.remember(hash, (), now);
                Ok(None)
            }
            // It was good a while ago, and nobody says that it is not.
            Err(refusal) => match self.good.recall(&hash, now, OUTAGE) {
                Some(good) => Ok(good.at(now)),
                None => Err(refusal),
            },
        }
    }

    /// What was learnt of a key a moment ago.
    fn fresh(&self, hash: &Hash, now: Timestamp) -> Option<Option<Caller>> {
        if self.unknown.recall(hash, now, FRESH).is_some() {
            return Some(None);
        }
        self.good.recall(hash, now, FRESH).map(|good| good.at(now))
    }

    /// The turn of those who ask about a key.
    fn turn(&self, hash: Hash) -> Arc<tokio::sync::Mutex<()>> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = asked.get(&hash).and_then(Weak::upgrade) {
            return turn;
        }
        if asked.len() >= MANY {
            asked.retain(|_, turn| turn.strong_count() > 0);
        }
        let turn = Arc::default();
        asked.insert(hash, Arc::downgrade(&turn));
        turn
    }

    async fn ask(&self, tenant: &Tenant, id: &str, hash: &Hash, now: Timestamp) -> Result<Option<KnownKey>, Refusal> {
        let places = if self.good.recall(hash, now, OUTAGE).is_some() {
            &self.known_places
        } else {
            &self.new_places
        };
        let _place = tokio::time::timeout(PATIENCE, places.acquire())
            .await
            .map_err(|_| Refusal::overloaded(Duration::from_millis(200)))?;
        if !self.may_try() {
            return Err(Refusal::unavailable(
                "the keeper of api keys did not answer a moment ago",
            ));
        }
        let answer = tokio::time::timeout(PATIENCE, self.keeper.verify(tenant, id, hash))
            .await
            .unwrap_or_else(|_| Err(Refusal::unavailable("the keeper of api keys does not answer")));
        let silent_until = answer.is_err().then(|| Instant::now() + PAUSE);
        *self.silent_until.lock().unwrap_or_else(PoisonError::into_inner) = silent_until;
        answer
    }

    /// Whether the keeper answers as far as is known, or it is time that one call finds out.
    fn may_try(&self) -> bool {
        let mut silent_until = self.silent_until.lock().unwrap_or_else(PoisonError::into_inner);
        match *silent_until {
            Some(until) if Instant::now() < until => false,
            Some(_) => {
                *silent_until = Some(Instant::now() + PATIENCE + PAUSE);
                true
            }
            None => true,
        }
    }
}

/// What was learnt of keys, and when.
#[derive(Debug)]
struct Remembered<T>(Mutex<HashMap<Hash, (Timestamp, T)>>);

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Remembered<T> {
    /// What was learnt no longer ago than `age`. A clock that was set back makes a key a stranger.
    fn recall(&self, hash: &Hash, now: Timestamp, age: SignedDuration) -> Option<T> {
        let remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, what) = remembered.get(hash)?;
        (*at <= now && now.duration_since(*at) < age).then(|| what.clone())
    }

    fn remember(&self, hash: Hash, what: T, now: Timestamp) {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= MANY && !remembered.contains_key(&hash) {
            // Half of them at once: one by one, each would have to be looked for among all.
            let mut times: Vec<Timestamp> = remembered.values().map(|(at, _)| *at).collect();
            let (_, median, _) = times.select_nth_unstable(MANY / 2);
            let median = *median;
            remembered.retain(|_, (at, _)| *at > median);
        }
        remembered.insert(hash, (now, what));
    }

    fn forget(&self, hash: &Hash) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(hash);
    }
}

#[cfg(test)]
mod tests;
