//! Redis is wiped, stopped, trimmed and lied to: it is only the fast way.

use std::time::Duration;

use huiyin_testkit::{eventually, private_redis};
use redis::aio::MultiplexedConnection;

use crate::{
    random::Random,
    sink::Room,
    source::Writers,
    world::{PATIENCE, World},
};

async fn connect(url: &str) -> MultiplexedConnection {
    redis::Client::open(url)
        .unwrap()
        .get_multiplexed_async_connection()
        .await
        .unwrap()
}

async fn streams(url: &str, prefix: &str) -> Vec<String> {
    redis::cmd("KEYS")
        .arg(format!("{prefix}:source:*"))
        .query_async(&mut connect(url).await)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_wiped_under_load_costs_no_event() {
    let redis = private_redis().await;
    let world = World::new().await;
    world.stage.use_redis(&redis.url(), "huiyin");
    let mut random = Random::new();
    let writers = Writers::new(&mut random, 8, 0);
    let source = world.source(Some(&writers)).await;
    let sink = world.sink(&Room::new()).await;
    for _ in 0..6 {
        let (before, more) = (world.arrivals().await, i64::try_from(random.below(200)).unwrap());
        writers.add(300);
        world.wait_for(before + more).await;
        let () = redis::cmd("FLUSHALL")
            .query_async(&mut connect(&redis.url()).await)
            .await
            .unwrap();
    }
    world.finish(source, &writers, vec![sink]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_events_go_on_over_the_log_and_with_it_again_over_redis() {
    let mut redis = private_redis().await;
    let world = World::new().await;
    world.stage.use_redis(&redis.url(), "huiyin");
    let subject = "tenants/north/counters/1";
    let source = world.source(None).await;
    let sink = world.sink(&Room::new()).await;
    source.count("north", subject, 50).await;
    world.wait_for(50).await;
    assert!(!streams(&redis.url(), "huiyin").await.is_empty());
    redis.stop().await;
    for burst in 1..=4 {
        source.count("north", subject, 50).await;
        world.wait_for(50 + burst * 50).await;
    }
    redis.start_again().await.unwrap();
    let mut written = 250;
    eventually("events are fanned out again", PATIENCE, async || {
        source.count("north", subject, 1).await;
        written += 1;
        !streams(&redis.url(), "huiyin").await.is_empty()
    })
    .await;
    world.wait_for(written).await;
    assert_eq!(
        world.arrived_of("north", subject).await,
        (1..=i32::try_from(written).unwrap()).collect::<Vec<_>>()
    );
    sink.stop().await.unwrap();
    source.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_redis_has_trimmed_is_read_from_the_log() {
    let redis = huiyin_testkit::redis();
    let world = World::new().await;
    world.stage.use_redis(&redis.url, &redis.prefix);
    world.tune(|events| events.redis_kept = 10);
    let mut random = Random::new();
    let writers = Writers::new(&mut random, 8, 0);
    let source = world.source(Some(&writers)).await;
    // The sink comes late and goes away in between: what it missed is long gone from Redis.
    for at_least in [500, 2500] {
        writers.add(2000);
        eventually("the writers are done", PATIENCE, async || writers.are_done()).await;
        let sink = world.sink(&Room::new()).await;
        world.wait_for(at_least).await;
        sink.stop().await.unwrap();
    }
    for stream in streams(&redis.url, &redis.prefix).await {
        let kept: i64 = redis::cmd("XLEN")
            .arg(stream)
            .query_async(&mut connect(&redis.url).await)
            .await
            .unwrap();
        assert!(kept < 250, "{kept}");
    }
    writers.add(500);
    let sink = world.sink(&Room::new()).await;
    world.finish(source, &writers, vec![sink]).await;
}

/// A Redis that was restored, or that somebody else writes to, has entries which the log has not: they are never believed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_that_the_log_does_not_know_neither_arrive_nor_hold_anything_up() {
    let redis = private_redis().await;
    let world = World::new().await;
    world.stage.use_redis(&redis.url(), "huiyin");
    let source = world.source(None).await;
    let sink = world.sink(&Room::new()).await;
    let subjects: Vec<String> = (0..40)
        .map(|number| format!("tenants/north/counters/{number}"))
        .collect();
    source.count_each("north", &subjects).await;
    world.wait_for(40).await;
    let mut connection = connect(&redis.url()).await;
    for stream in streams(&redis.url(), "huiyin").await {
        let () = redis::cmd("XADD")
            .arg(stream)
            .arg("1000000-0")
            .arg("event")
            .arg("")
            .query_async(&mut connection)
            .await
            .unwrap();
    }
    source.count_each("north", &subjects).await;
    tokio::time::timeout(Duration::from_secs(20), world.wait_for(80))
        .await
        .unwrap();
    for subject in &subjects {
        assert_eq!(world.arrived_of("north", subject).await, [1, 2]);
    }
    sink.stop().await.unwrap();
    source.running.stop().await.unwrap();
}
