//! The shared Redis with a prefix each, and a private one that a test may wipe.

use huiyin_testkit::{private_redis, redis};
use redis::{AsyncCommands as _, aio::MultiplexedConnection};

async fn connect(url: &str) -> MultiplexedConnection {
    redis::Client::open(url)
        .unwrap()
        .get_multiplexed_async_connection()
        .await
        .unwrap()
}

#[tokio::test]
async fn two_tests_share_the_server_and_no_key() {
    let (one, other) = (redis(), redis());
    assert_eq!(one.url, other.url);
    assert_ne!(one.prefix, other.prefix);
    let mut connection = connect(&one.url).await;
    let key = format!("{}key", one.prefix);
    let () = connection.set_ex(&key, "value", 60).await.unwrap();
    let found: String = connection.get(&key).await.unwrap();
    assert_eq!(found, "value");
}

#[tokio::test]
async fn wiping_a_private_redis_leaves_the_shared_one_alone() {
    let shared = redis();
    let private = private_redis().await;
    assert_ne!(shared.url, private.url());
    let key = format!("{}key", shared.prefix);
    let mut kept = connect(&shared.url).await;
    let () = kept.set_ex(&key, "value", 60).await.unwrap();
    let mut own = connect(&private.url()).await;
    let () = redis::cmd("FLUSHALL").query_async(&mut own).await.unwrap();
    let found: String = kept.get(&key).await.unwrap();
    assert_eq!(found, "value");
}
