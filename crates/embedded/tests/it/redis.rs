//! Redis: empty after a restart, on the same port, with a password.

use huiyin_embedded::{Redis, is_alive};
use redis::{AsyncCommands as _, aio::MultiplexedConnection};

use crate::Scratch;

async fn start(scratch: &Scratch) -> Redis {
    Redis::start(&scratch.join("redis"))
        .await
        .unwrap()
        .expect("redis-server is installed: `make tools` sees to it")
}

async fn connect(url: &str) -> redis::RedisResult<MultiplexedConnection> {
    redis::Client::open(url)?.get_multiplexed_async_connection().await
}

#[tokio::test]
async fn a_restart_keeps_the_url_and_forgets_the_data() {
    let scratch = Scratch::new();
    let mut redis = start(&scratch).await;
    let url = redis.url();
    let mut connection = connect(&url).await.unwrap();
    let () = connection.set("key", "value").await.unwrap();

    redis.restart().await.unwrap();
    assert_eq!(redis.url(), url);
    let mut connection = connect(&url).await.unwrap();
    let found: Option<String> = connection.get("key").await.unwrap();
    assert_eq!(found, None);

    redis.stop().await;
    assert_eq!(redis.pid(), None);
    assert!(connect(&url).await.is_err());
    redis.start_again().await.unwrap();
    assert!(connect(&url).await.is_ok());
}

#[tokio::test]
async fn two_servers_at_once_have_a_port_each_and_do_not_let_strangers_in() {
    let (one, other) = (Scratch::new(), Scratch::new());
    let (one, other) = tokio::join!(start(&one), start(&other));
    assert_ne!(one.port(), other.port());
    assert!(connect(&one.url()).await.is_ok());
    let mut stranger = match connect(&format!("redis://127.0.0.1:{}", one.port())).await {
        Ok(stranger) => stranger,
        Err(_) => return,
    };
    assert!(stranger.get::<_, Option<String>>("key").await.is_err());
}

#[tokio::test]
async fn dropping_ends_the_server() {
    let scratch = Scratch::new();
    let redis = start(&scratch).await;
    let pid = i32::try_from(redis.pid().unwrap()).unwrap();
    drop(redis);
    assert!(!is_alive(pid));
}
