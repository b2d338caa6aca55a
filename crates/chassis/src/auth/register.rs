//! API keys that were made by RPC: intake keeps them, and every other room asks it, at most once in a while for each key.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use huiyin_proto::intake::v1::{VerifyApiKeyRequest, api_key_service_client::ApiKeyServiceClient};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;
use tonic::Code;

use super::{Caller, api_key};
use crate::{client::Neighbor, error::Refusal, name::Tenant, rate::Rate, secret, sql};

/// What is known of a key is asked for again after this: so long may one that was revoked still be good.
const FRESH: SignedDuration = SignedDuration::from_secs(10);
/// While whoever keeps the keys cannot be asked, one that was good goes on being good for so long.
const OUTAGE: SignedDuration = SignedDuration::from_mins(10);
/// Nobody who calls waits longer to be known.
const PATIENCE: Duration = Duration::from_secs(2);
/// So many keys are asked about at once: whoever makes keys up must not keep the others from being known.
const PLACES: usize = 32;
/// So many keys are remembered of each kind; then those are forgotten that nobody asked about for long.
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
    good: Mutex<HashMap<[u8; 32], (Timestamp, Good)>>,
    unknown: Mutex<HashMap<[u8; 32], (Timestamp, ())>>,
    places: Semaphore,
}

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
            good: Mutex::default(),
            unknown: Mutex::default(),
            places: Semaphore::new(PLACES),
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
        if recall(&self.unknown, &hash, now, FRESH).is_some() {
            return Ok(None);
        }
        if let Some(good) = recall(&self.good, &hash, now, FRESH) {
            return Ok(good.at(now));
        }
        match self.ask(&tenant, id, &hash).await {
            Ok(Some(known)) => {
                let caller = Caller {
                    subject: format!("key:{id}"),
                    tenant: Some(tenant.key().to_owned()),
                    roles: known.roles,
                    rate: known.rate,
                };
                let good = Good {
                    caller,
                    until: known.until,
                };
                remember(&self.good, hash, good.clone(), now, OUTAGE);
                Ok(good.at(now))
            }
            Ok(None) => {
                self.good.lock().unwrap_or_else(PoisonError::into_inner).remove(&hash);
                remember(&self.unknown, hash, (), now, FRESH);
                Ok(None)
            }
            // It was good a while ago, and nobody says that it is not.
            Err(refusal) => match recall(&self.good, &hash, now, OUTAGE) {
                Some(good) => Ok(good.at(now)),
                None => Err(refusal),
            },
        }
    }

    async fn ask(&self, tenant: &Tenant, id: &str, hash: &[u8; 32]) -> Result<Option<KnownKey>, Refusal> {
        let _place = self
            .places
            .try_acquire()
            .map_err(|_| Refusal::overloaded(Duration::from_millis(200)))?;
        tokio::time::timeout(PATIENCE, self.keeper.verify(tenant, id, hash))
            .await
            .unwrap_or_else(|_| Err(Refusal::unavailable("the keeper of api keys does not answer")))
    }
}

type Remembered<T> = Mutex<HashMap<[u8; 32], (Timestamp, T)>>;

/// What was learnt of a key, no longer ago than `age`. A clock that was set back makes it a stranger.
fn recall<T: Clone>(remembered: &Remembered<T>, hash: &[u8; 32], now: Timestamp, age: SignedDuration) -> Option<T> {
    let remembered = remembered.lock().unwrap_or_else(PoisonError::into_inner);
    let (at, what) = remembered.get(hash)?;
    (*at <= now && now.duration_since(*at) < age).then(|| what.clone())
}

fn remember<T>(remembered: &Remembered<T>, hash: [u8; 32], what: T, now: Timestamp, age: SignedDuration) {
    let mut remembered = remembered.lock().unwrap_or_else(PoisonError::into_inner);
    if remembered.len() >= MANY {
        remembered.retain(|_, (at, _)| now.duration_since(*at) < age);
    }
    if remembered.len() < MANY {
        remembered.insert(hash, (now, what));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Knows one key, as long as it is there.
    #[derive(Debug, Default)]
    struct Keeper {
        asked: AtomicUsize,
        revoked: std::sync::atomic::AtomicBool,
        gone: std::sync::atomic::AtomicBool,
    }

    #[tonic::async_trait]
    impl ApiKeys for Keeper {
        async fn verify(&self, tenant: &Tenant, id: &str, _: &[u8; 32]) -> Result<Option<KnownKey>, Refusal> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            if self.gone.load(Ordering::Relaxed) {
                return Err(Refusal::unavailable("the test says so"));
            }
            let is_good = !self.revoked.load(Ordering::Relaxed) && (tenant.key(), id) == ("acme", "erp");
            Ok(is_good.then(|| KnownKey {
                roles: vec!["integration".to_owned()],
                until: Some(noon() + SignedDuration::from_hours(1)),
                rate: None,
            }))
        }
    }

    fn noon() -> Timestamp {
        "2026-03-02T04:00:00Z".parse().unwrap()
    }

    fn register() -> (Arc<Keeper>, Register) {
        let keeper = Arc::new(Keeper::default());
        (Arc::clone(&keeper), Register::new(keeper))
    }

    const KEY: &str = "hyk_acme_erp_secret";

    #[tokio::test]
    async fn a_key_is_asked_about_once_in_ten_seconds_and_revoked_no_later() {
        let (keeper, register) = register();
        for _ in 0..3 {
            let caller = register.find(KEY, noon()).await.unwrap().unwrap();
            assert_eq!(
                (caller.subject.as_str(), caller.own_tenant()),
                ("key:erp", Some("acme"))
            );
            assert!(register.find("hyk_acme_crm_guess", noon()).await.unwrap().is_none());
        }
        assert_eq!(keeper.asked.load(Ordering::Relaxed), 2);
        keeper.revoked.store(true, Ordering::Relaxed);
        assert!(
            register
                .find(KEY, noon() + SignedDuration::from_secs(9))
                .await
                .unwrap()
                .is_some()
        );
        assert!(register.find(KEY, noon() + FRESH).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn while_its_keeper_is_away_a_known_key_is_good_for_ten_minutes_and_a_new_one_not() {
        let (keeper, register) = register();
        assert!(register.find(KEY, noon()).await.unwrap().is_some());
        keeper.gone.store(true, Ordering::Relaxed);
        let just_before = noon() + OUTAGE - SignedDuration::from_secs(1);
        assert!(register.find(KEY, just_before).await.unwrap().is_some());
        let refused = register.find(KEY, noon() + OUTAGE).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable);
        assert!(register.find("hyk_acme_crm_new", noon()).await.is_err());
    }

    #[tokio::test]
    async fn a_key_ends_when_it_was_to_end_whatever_is_remembered() {
        let (keeper, register) = register();
        let end = noon() + SignedDuration::from_hours(1);
        assert!(
            register
                .find(KEY, end - SignedDuration::from_secs(1))
                .await
                .unwrap()
                .is_some()
        );
        assert!(register.find(KEY, end).await.unwrap().is_none());
        assert_eq!(keeper.asked.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn what_is_no_key_is_not_asked_about() {
        let (keeper, register) = register();
        for key in [
            "",
            "hyk_",
            "hyk_acme_erp",
            "hyk_ACME_erp_s",
            "hyk_acme__s",
            "key",
            "hyk_acme_e.rp_s",
        ] {
            assert!(register.find(key, noon()).await.unwrap().is_none(), "{key}");
        }
        assert_eq!(keeper.asked.load(Ordering::Relaxed), 0);
    }
}
