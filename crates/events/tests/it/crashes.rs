//! Relay and consumer die at any moment, again and again.

use huiyin_testkit::{Durability, Stage, eventually, private_postgres};
use sqlx::{Connection as _, PgConnection};

use crate::{
    random::Random,
    sink::Room,
    source::Writers,
    world::{PATIENCE, World},
};

/// Kills the source, writers and relay and all, ten times in the middle of their work.
async fn kill_sources(world: World) {
    let mut random = Random::new();
    let writers = Writers::new(&mut random, 8, 0);
    let mut source = world.source(Some(&writers)).await;
    let sink = world.sink(&Room::new()).await;
    let mut database = world.source_database().await;
    for _ in 0..10 {
        let before = positioned(&mut database).await;
        let more = i64::try_from(random.below(100)).unwrap();
        writers.add(150);
        eventually("some more are positioned", PATIENCE, async || {
            positioned(&mut database).await > before + more
        })
        .await;
        source.running.kill();
        source = world.source(Some(&writers)).await;
    }
    world.finish(source, &writers, vec![sink]).await;
}

async fn positioned(database: &mut PgConnection) -> i64 {
    sqlx::query_scalar("SELECT sum(position)::bigint FROM events.head")
        .fetch_one(database)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_dies_again_and_again_loses_nothing() {
    kill_sources(World::new().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_dies_again_and_again_loses_nothing_over_redis() {
    let world = World::new().await;
    let redis = huiyin_testkit::redis();
    world.stage.use_redis(&redis.url, &redis.prefix);
    kill_sources(world).await;
}

/// Both replicas write, one of them is the relay; when that dies, the other is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_of_a_source_have_one_relay_and_never_none() {
    let world = World::new().await;
    let mut random = Random::new();
    let writers = Writers::new(&mut random, 6, 0);
    let first = world.source(Some(&writers)).await;
    let second = world.source_replica(&writers).await;
    let sink = world.sink(&Room::new()).await;
    writers.add(800);
    world.wait_for(400).await;
    first.running.kill();
    let mut database = world.source_database().await;
    let before = positioned(&mut database).await;
    writers.add(400);
    eventually("the other is the relay", PATIENCE, async || {
        positioned(&mut database).await > before + 200
    })
    .await;
    let first = world.source(Some(&writers)).await;
    writers.add(400);
    eventually("the writers are done", PATIENCE, async || writers.are_done()).await;
    second.running.stop().await.unwrap();
    world.finish(first, &writers, vec![sink]).await;
}

/// A relay without Redis leaves exactly what one leaves that dies between the two: positions, and nothing published.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_positioned_and_never_published_is_read_from_the_log() {
    let world = World::new().await;
    let redis = huiyin_testkit::redis();
    world.stage.use_redis(&redis.url, &redis.prefix);
    let subject = "tenants/north/counters/1";
    let room = Room::new();
    let source = world.source(None).await;
    source.count("north", subject, 5).await;
    let sink = world.sink(&room).await;
    world.wait_for(5).await;
    sink.stop().await.unwrap();
    source.running.kill();

    world.tune(|events| events.redis_url = None);
    let source = world.source(None).await;
    source.count("north", subject, 5).await;
    let mut database = world.source_database().await;
    eventually("they have their positions", PATIENCE, async || {
        sqlx::query_scalar::<_, bool>("SELECT NOT EXISTS (SELECT FROM events.outbox)")
            .fetch_one(&mut database)
            .await
            .unwrap()
    })
    .await;
    source.running.kill();

    world.tune(|_| {});
    let source = world.source(None).await;
    let sink = world.sink(&room).await;
    world.wait_for(10).await;
    // And what comes after the hole is published again.
    source.count("north", subject, 5).await;
    world.wait_for(15).await;
    assert_eq!(world.arrived_of("north", subject).await, (1..=15).collect::<Vec<_>>());
    sink.stop().await.unwrap();
    source.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sink_that_dies_in_the_middle_of_its_effects_has_each_of_them_once() {
    let world = World::new().await;
    let redis = huiyin_testkit::redis();
    world.stage.use_redis(&redis.url, &redis.prefix);
    let mut random = Random::new();
    let writers = Writers::new(&mut random, 8, 0);
    let source = world.source(Some(&writers)).await;
    let room = Room::new();
    let mut sink = world.sink(&room).await;
    for _ in 0..8 {
        // Not a moment of rest: it dies while effects are under way.
        let (tried, more) = (room.tried(), usize::try_from(random.below(100)).unwrap());
        writers.add(150);
        eventually("some more effects", PATIENCE, async || room.tried() > tried + more).await;
        sink.kill();
        sink = world.sink(&room).await;
    }
    world.finish(source, &writers, vec![sink]).await;
}

/// docs/architecture.md: cursors move with effects.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_sinks_share_the_partitions_and_one_takes_over_from_the_other() {
    let world = World::new().await;
    let mut random = Random::new();
    let writers = Writers::new(&mut random, 8, 500);
    let source = world.source(Some(&writers)).await;
    let (first_room, second_room) = (Room::new(), Room::new());
    let first = world.sink(&first_room).await;
    let second = world.sink(&second_room).await;
    let mut database = world.sink_database().await;
    eventually("each has four partitions", PATIENCE, async || {
        owned(&mut database).await == [4, 4]
    })
    .await;
    let before = (first_room.tried(), second_room.tried());
    writers.add(1500);
    eventually("both work", PATIENCE, async || {
        first_room.tried() > before.0 && second_room.tried() > before.1
    })
    .await;
    first.kill();
    eventually("the other takes over", PATIENCE, async || {
        owned(&mut database).await == [8]
    })
    .await;
    world.finish(source, &writers, vec![second]).await;
}

/// How many partitions each replica of the sink has.
async fn owned(database: &mut PgConnection) -> Vec<i64> {
    sqlx::query_scalar(
        "SELECT count(*) FROM pg_locks
         WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND granted AND objsubid = 2 AND objid < 8
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
         GROUP BY pid",
    )
    .fetch_all(database)
    .await
    .unwrap()
}

/// All connections break at once, those that hold the locks and those that listen among them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_restarts_under_load_costs_no_event() {
    let mut postgres = private_postgres(Durability::Full).await;
    let mut admin = PgConnection::connect(&postgres.url("postgres")).await.unwrap();
    for name in ["source", "sink"] {
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(&mut admin)
            .await
            .unwrap();
    }
    let world = World::on(Stage::new().await, postgres.url("source"), postgres.url("sink"));
    let mut random = Random::new();
    let writers = Writers::new(&mut random, 8, 0);
    let source = world.source(Some(&writers)).await;
    let sink = world.sink(&Room::new()).await;
    for _ in 0..2 {
        let before = world.arrivals().await;
        writers.add(400);
        world.wait_for(before + 100).await;
        postgres.restart().await.unwrap();
    }
    world.finish(source, &writers, vec![sink]).await;
}
