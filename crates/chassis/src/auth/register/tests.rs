//! What a register of keys asks its keeper, and when.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// Knows one key, as long as it is there.
#[derive(Debug, Default)]
struct Keeper {
    asked: AtomicUsize,
    revoked: std::sync::atomic::AtomicBool,
    gone: std::sync::atomic::AtomicBool,
    slow_for_others: std::sync::atomic::AtomicBool,
}

#[tonic::async_trait]
impl ApiKeys for Keeper {
    async fn verify(&self, tenant: &Tenant, id: &str, _: &[u8; 32]) -> Result<Option<KnownKey>, Refusal> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.gone.load(Ordering::Relaxed) {
            return Err(Refusal::unavailable("the test says so"));
        }
        if id != "erp" && self.slow_for_others.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
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
async fn many_calls_with_one_key_ask_once_and_none_is_refused() {
    let (keeper, register) = register();
    let calls = (0..200).map(|_| register.find(KEY, noon()));
    for caller in futures::future::join_all(calls).await {
        assert!(caller.unwrap().is_some());
    }
    assert_eq!(keeper.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_keeper_that_is_away_is_asked_by_one_call_and_then_left_alone() {
    let (keeper, register) = register();
    assert!(register.find(KEY, noon()).await.unwrap().is_some());
    keeper.gone.store(true, Ordering::Relaxed);
    let later = noon() + FRESH;
    for _ in 0..5 {
        assert!(register.find(KEY, later).await.unwrap().is_some());
        assert!(register.find("hyk_acme_crm_new", later).await.is_err());
    }
    assert_eq!(keeper.asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn whoever_makes_keys_up_keeps_no_known_one_waiting() {
    let (keeper, register) = register();
    assert!(register.find(KEY, noon()).await.unwrap().is_some());
    keeper.slow_for_others.store(true, Ordering::Relaxed);
    let made_up: Vec<String> = (0..100).map(|n| format!("hyk_acme_crm_{n}")).collect();
    let guesses = futures::future::join_all(made_up.iter().map(|key| register.find(key, noon())));
    tokio::select! {
        biased;
        _ = guesses => panic!("nobody answers those"),
        known = register.find(KEY, noon() + FRESH) => assert!(known.unwrap().is_some()),
    }
    assert!(keeper.asked.load(Ordering::Relaxed) <= 2 + NEW_AT_ONCE);
}

#[test]
fn the_oldest_make_room_and_what_is_there_is_always_renewed() {
    let remembered = Remembered::default();
    let hash = |n: usize| secret::hash(&n.to_be_bytes());
    for n in 0..MANY {
        let at = noon() + SignedDuration::from_millis(i64::try_from(n).unwrap());
        remembered.remember(hash(n), n, at);
    }
    let later = noon() + FRESH;
    remembered.remember(hash(0), 0, later);
    assert_eq!(remembered.0.lock().unwrap().len(), MANY);
    remembered.remember(hash(MANY), MANY, later);
    let kept = |n: usize| remembered.recall(&hash(n), later, OUTAGE).is_some();
    assert!(kept(0) && kept(MANY) && kept(MANY - 1) && !kept(1));
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
