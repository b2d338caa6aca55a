//! Many writers at once, some of them rolled back; nothing dies yet.

use crate::{random::Random, sink::Room, source::Writers, world::World};

async fn deliver(world: World) {
    let mut random = Random::new();
    let writers = Writers::new(&mut random, 12, 2000);
    let source = world.source(Some(&writers)).await;
    let sink = world.sink(&Room::new()).await;
    world.finish(source, &writers, vec![sink]).await;
}

/// Without Redis everything is read from the log over gRPC.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_committed_event_arrives_once_and_in_order_without_redis() {
    deliver(World::new().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_committed_event_arrives_once_and_in_order_over_redis() {
    let world = World::new().await;
    let redis = huiyin_testkit::redis();
    world.stage.use_redis(&redis.url, &redis.prefix);
    deliver(world).await;
}

/// Services start in any order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_is_down_when_the_sink_starts_is_followed_once_it_is_up() {
    let world = World::new().await;
    let source = world.source(None).await;
    source.count("north", "tenants/north/counters/1", 3).await;
    source.running.stop().await.unwrap();
    let sink = world.sink(&Room::new()).await;
    let source = world.source(None).await;
    world.wait_for(3).await;
    assert_eq!(world.arrived_of("north", "tenants/north/counters/1").await, [1, 2, 3]);
    sink.stop().await.unwrap();
    source.running.stop().await.unwrap();
}

/// A sink that waits for what does not come ends at once all the same, and so do the streams of a source.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_ends_with_the_shutdown() {
    let world = World::new().await;
    let source = world.source(None).await;
    let sink = world.sink(&Room::new()).await;
    source.count("north", "tenants/north/counters/1", 1).await;
    world.wait_for(1).await;
    let limit = std::time::Duration::from_secs(5);
    // The drain of the source's server lasts two seconds where a stream does not end by itself.
    let began = std::time::Instant::now();
    tokio::time::timeout(limit, source.running.stop())
        .await
        .unwrap()
        .unwrap();
    assert!(
        began.elapsed() < std::time::Duration::from_millis(1900),
        "a stream held up the drain: {:?}",
        began.elapsed()
    );
    // By now the sink knocks at a closed door.
    tokio::time::timeout(limit, sink.stop()).await.unwrap().unwrap();
}
