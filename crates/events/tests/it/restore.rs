//! A log whose database was restored from a backup finds that out by itself, and nobody takes its new events for old ones.

use huiyin_proto::event::v1::{EventFlow, GetEventFlowRequest, PartitionCursor, ReadEventsRequest};
use huiyin_testkit::eventually;
use tonic::Code;

use crate::{
    sink::Room,
    source::Source,
    world::{PATIENCE, World},
};

const SUBJECT: &str = "tenants/north/counters/1";

async fn flow(world: &World, address: std::net::SocketAddr) -> EventFlow {
    let mut client = world.client(address, &world.stage.service_token("huiyin")).await;
    client
        .get_event_flow(GetEventFlowRequest {})
        .await
        .unwrap()
        .into_inner()
}

/// Until the log has so many events: what waits without a position is not in it.
async fn logged(world: &World, source: &Source, count: i64) {
    eventually("the events have their positions", PATIENCE, async || {
        let flow = flow(world, source.running.address).await;
        flow.heads.iter().map(|head| head.position).sum::<i64>() == count
    })
    .await;
}

/// Backed up before its source, a consumer has seen nothing that the source has lost: each event has its effect once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_that_is_older_than_the_backup_goes_on_where_it_was() {
    let mut world = World::new().await;
    let redis = huiyin_testkit::redis();
    world.stage.use_redis(&redis.url, &redis.prefix);
    let source = world.source(None).await;
    let sink = world.sink(&Room::new()).await;
    source.count("north", SUBJECT, 3).await;
    world.wait_for(3).await;
    sink.stop().await.unwrap();
    source.count("north", SUBJECT, 2).await;
    logged(&world, &source, 5).await;
    source.running.stop().await.unwrap();
    let backup = world.source_backup().await;

    // Lost, but still in Redis: under a name that nobody reads any more.
    let source = world.source(None).await;
    source.count("north", SUBJECT, 4).await;
    logged(&world, &source, 9).await;
    let before = flow(&world, source.running.address).await;
    source.running.stop().await.unwrap();
    world.restore_source(&backup);

    let source = world.source(None).await;
    source.count("north", SUBJECT, 1).await;
    let sink = world.sink(&Room::new()).await;
    world.wait_for(6).await;
    assert_eq!(world.arrived_of("north", SUBJECT).await, [1, 2, 3, 4, 5, 6]);
    let after = flow(&world, source.running.address).await;
    assert_ne!(after.epoch, before.epoch);
    assert_eq!(after.ancestors.len(), 1);
    assert_eq!(after.ancestors[0].epoch, before.epoch);
    assert_eq!(flow(&world, sink.address).await.lost, []);
    sink.stop().await.unwrap();
    source.running.stop().await.unwrap();
}

/// The fourth and fifth event had their effects and are lost; the new fourth stands at the position of the old one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_that_had_effects_and_are_lost_are_named_and_new_ones_at_their_positions_are_not_taken_for_them() {
    let mut world = World::new().await;
    let source = world.source(None).await;
    let sink = world.sink(&Room::new()).await;
    source.count("north", SUBJECT, 3).await;
    world.wait_for(3).await;
    source.running.stop().await.unwrap();
    let backup = world.source_backup().await;
    let source = world.source(None).await;
    source.count("north", SUBJECT, 2).await;
    world.wait_for(5).await;
    source.running.stop().await.unwrap();
    world.restore_source(&backup);

    // Read once more from the beginning, as whatever mirrors the source must be set right.
    let source = world.source(None).await;
    source.count("north", SUBJECT, 3).await;
    world.wait_for(11).await;
    assert_eq!(
        world.arrived_of("north", SUBJECT).await,
        [1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 6]
    );
    let lost = flow(&world, sink.address).await.lost;
    assert_eq!(lost.len(), 1);
    assert_eq!(
        (lost[0].source.as_str(), lost[0].after, lost[0].until),
        ("source", 3, 5)
    );
    sink.stop().await.unwrap();
    source.running.stop().await.unwrap();
}

/// A failover, or a restore under a process that runs: it must not give one position more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_whose_database_is_another_all_at_once_ends() {
    let world = World::new().await;
    let mut source = world.source(None).await;
    let before = flow(&world, source.running.address).await;
    let mut database = world.source_database().await;
    sqlx::query("UPDATE events.log SET home = 'elsewhere'")
        .execute(&mut database)
        .await
        .unwrap();
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .execute(&mut database)
    .await
    .unwrap();
    let ended = tokio::time::timeout(PATIENCE, source.running.ended()).await.unwrap();
    assert!(format!("{:#}", ended.unwrap_err()).contains("a new epoch"));
    let source = world.source(None).await;
    assert_ne!(flow(&world, source.running.address).await.epoch, before.epoch);
    source.running.stop().await.unwrap();
}

/// A replica that has not heard of the failover, since nobody closed its connections, while another has begun the new epoch.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_says_nothing_under_a_name_that_is_over() {
    let world = World::new().await;
    let source = world.source(None).await;
    source.count("north", SUBJECT, 1).await;
    logged(&world, &source, 1).await;
    sqlx::query("UPDATE events.log SET epoch = gen_random_uuid()")
        .execute(&mut world.source_database().await)
        .await
        .unwrap();
    let mut client = world
        .client(source.running.address, &world.stage.service_token("huiyin"))
        .await;
    let flow = client.get_event_flow(GetEventFlowRequest {}).await;
    assert_eq!(flow.unwrap_err().code(), Code::Unavailable);
    let from_the_beginning = ReadEventsRequest {
        cursors: vec![PartitionCursor {
            partition: 0,
            position: 0,
        }],
        follow: true,
        epoch: String::new(),
    };
    let mut events = client.read_events(from_the_beginning).await.unwrap().into_inner();
    assert_eq!(events.message().await.unwrap_err().code(), Code::Unavailable);
    source.running.stop().await.unwrap();
}

/// Another replica took them over into a new epoch, and this one must not wait for them with its partitions in hand.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sink_whose_cursors_are_gone_begins_anew() {
    let world = World::new().await;
    let source = world.source(None).await;
    let sink = world.sink(&Room::new()).await;
    source.count("north", SUBJECT, 2).await;
    world.wait_for(2).await;
    sqlx::query("DELETE FROM events.cursor")
        .execute(&mut world.sink_database().await)
        .await
        .unwrap();
    source.count("north", SUBJECT, 1).await;
    world.wait_for(5).await;
    assert_eq!(world.arrived_of("north", SUBJECT).await, [1, 2, 1, 2, 3]);
    sink.stop().await.unwrap();
    source.running.stop().await.unwrap();
}

/// Cursors of epochs that are over, which earlier versions left: of long ago, and of a replica that was late.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sink_is_held_up_by_no_cursor_of_an_epoch_that_is_over() {
    let world = World::new().await;
    let source = world.source(None).await;
    let sink = world.sink(&Room::new()).await;
    source.count("north", SUBJECT, 2).await;
    world.wait_for(2).await;
    sink.stop().await.unwrap();
    sqlx::query(
        "INSERT INTO events.cursor (source, epoch, partition, position, create_time)
         SELECT source, 'older', partition, 7, '2000-01-01' FROM events.cursor
         UNION ALL SELECT source, 'late', partition, 0, now() + interval '1 hour' FROM events.cursor WHERE partition < 4",
    )
    .execute(&mut world.sink_database().await)
    .await
    .unwrap();
    let sink = world.sink(&Room::new()).await;
    source.count("north", SUBJECT, 1).await;
    world.wait_for(3).await;
    assert_eq!(world.arrived_of("north", SUBJECT).await, [1, 2, 3]);
    sink.stop().await.unwrap();
    source.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_goes_on_after_a_restore_unless_it_has_seen_what_is_lost() {
    let mut world = World::new().await;
    let tenant = huiyin_chassis::Tenant::stored("north").unwrap();
    let source = world.source(None).await;
    let cursor_now = async |source: &Source| source.log.watch(&tenant, &source.page_tokens, "").await.unwrap().here();
    source.count("north", SUBJECT, 1).await;
    logged(&world, &source, 1).await;
    let kept = cursor_now(&source).await;
    source.running.stop().await.unwrap();
    let backup = world.source_backup().await;
    let source = world.source(None).await;
    source.count("north", SUBJECT, 1).await;
    logged(&world, &source, 2).await;
    let lost = cursor_now(&source).await;
    source.running.stop().await.unwrap();
    world.restore_source(&backup);

    let source = world.source(None).await;
    source.count("north", SUBJECT, 1).await;
    let mut watch = source.log.watch(&tenant, &source.page_tokens, &kept).await.unwrap();
    assert_eq!(watch.next().await.unwrap().events.len(), 1);
    let refusal = source.log.watch(&tenant, &source.page_tokens, &lost).await.unwrap_err();
    assert_eq!(tonic::Status::from(refusal).code(), Code::OutOfRange);
    source.running.stop().await.unwrap();
}
