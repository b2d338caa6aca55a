//! Who calls too often is told when to come back, whichever replica is called.

use huiyin_chassis::auth::Claims;
use huiyin_testkit::eventually;
use jiff::SignedDuration;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::stand::Stand;

fn user(stand: &Stand, name: &str, tenant: &str) -> Claims {
    Claims {
        sub: format!("user:{name}"),
        tenant: Some(tenant.to_owned()),
        ..stand.claims()
    }
}

/// Which limit it was, and the milliseconds to wait.
fn limited(status: &Status) -> (String, u128) {
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    let details = status.get_error_details();
    let info = details.error_info().unwrap();
    assert_eq!(info.reason, "RATE_LIMITED");
    let wait = details.retry_info().unwrap().retry_delay.unwrap();
    (info.metadata["limit"].clone(), wait.as_millis())
}

#[tokio::test]
async fn a_caller_and_its_tenant_each_have_their_own_rate() {
    let limits = r#"rates = { caller = { per_second = 2, burst = 3 }, tenant = { per_second = 10, burst = 5 },
                              tenants = { globex = { per_second = 1, burst = 1 } } }"#;
    let stand = Stand::start(limits, "").await;
    let (wang, li) = (user(&stand, "wang", "acme"), user(&stand, "li", "acme"));
    for _ in 0..3 {
        stand.flow(&wang).await.unwrap();
    }
    assert_eq!(
        limited(&stand.flow(&wang).await.unwrap_err()),
        ("caller".to_owned(), 500)
    );
    for _ in 0..2 {
        stand.flow(&li).await.unwrap();
    }
    // The three of the one and the two of the other are what their tenant may do at once; a refused call was none.
    assert_eq!(limited(&stand.flow(&li).await.unwrap_err()), ("tenant".to_owned(), 100));
    stand.clock.advance(SignedDuration::from_millis(500));
    stand.flow(&wang).await.unwrap();
    stand.flow(&li).await.unwrap();
    assert_eq!(limited(&stand.flow(&wang).await.unwrap_err()).0, "caller");

    let brown = user(&stand, "brown", "globex");
    stand.flow(&brown).await.unwrap();
    assert_eq!(
        limited(&stand.flow(&brown).await.unwrap_err()),
        ("tenant".to_owned(), 1000)
    );
    // Our own services work for everybody.
    for _ in 0..20 {
        stand.flow(&stand.service_claims()).await.unwrap();
    }
}

#[tokio::test]
async fn who_may_not_do_what_he_asks_for_is_counted_all_the_same() {
    let stand = Stand::start("rates = { caller = { per_second = 1, burst = 2 } }", "").await;
    let nobody = Claims {
        roles: Vec::new(),
        ..user(&stand, "nobody", "acme")
    };
    for _ in 0..2 {
        assert_eq!(stand.flow(&nobody).await.unwrap_err().code(), Code::PermissionDenied);
    }
    assert_eq!(limited(&stand.flow(&nobody).await.unwrap_err()).0, "caller");
}

#[tokio::test]
async fn replicas_count_together_in_redis() {
    let redis = huiyin_testkit::redis();
    let limits = format!(
        r#"rates = {{ redis_url = "{}", redis_prefix = "{}", caller = {{ per_second = 1, burst = 4 }}, tenant = {{ per_second = 50, burst = 50 }} }}"#,
        redis.url, redis.prefix
    );
    let (one, other) = (Stand::start(&limits, "").await, Stand::start(&limits, "").await);
    // Whoever asks first waits for a connection; the count of whom it was is not what is looked at.
    for stand in [&one, &other] {
        eventually("it counts in Redis", std::time::Duration::from_secs(10), async || {
            stand.flow(&user(stand, "first", "warm")).await.ok()?;
            keys(&redis)
                .await
                .iter()
                .any(|key| key.contains("{warm}"))
                .then_some(())
        })
        .await;
    }
    for stand in [&one, &other, &one, &other] {
        stand.flow(&user(stand, "wang", "acme")).await.unwrap();
    }
    for stand in [&one, &other] {
        let (limit, wait) = limited(&stand.flow(&user(stand, "wang", "acme")).await.unwrap_err());
        assert_eq!(limit, "caller");
        assert!((1..=1000).contains(&wait), "{wait}");
        stand.flow(&user(stand, "li", "acme")).await.unwrap();
    }
    // By the clock of Redis, which no test holds, one is there again within a second.
    eventually("it may call again", std::time::Duration::from_secs(10), async || {
        other.flow(&user(&other, "wang", "acme")).await
    })
    .await;
    let keys = keys(&redis).await;
    assert!(
        keys.iter().all(|key| !key.contains("wang")),
        "nobody's name stands in Redis: {keys:?}"
    );
}

async fn keys(redis: &huiyin_testkit::Redis) -> Vec<String> {
    let client = redis::Client::open(redis.url.as_str()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let pattern = format!("{}*", redis.prefix);
    redis::cmd("KEYS")
        .arg(pattern)
        .query_async(&mut connection)
        .await
        .unwrap()
}

#[tokio::test]
async fn without_redis_each_replica_counts_for_itself() {
    let limits = r#"rates = { redis_url = "redis://127.0.0.1:1", caller = { per_second = 1, burst = 2 } }"#;
    let (one, other) = (Stand::start(limits, "").await, Stand::start(limits, "").await);
    for stand in [&one, &other] {
        let wang = user(stand, "wang", "acme");
        for _ in 0..2 {
            stand.flow(&wang).await.unwrap();
        }
        assert_eq!(limited(&stand.flow(&wang).await.unwrap_err()).0, "caller");
    }
}
