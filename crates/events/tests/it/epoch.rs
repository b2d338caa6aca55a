//! A log that was restored from a backup is another log.

use huiyin_proto::event::v1::{GetEventFlowRequest, PartitionCursor, ReadEventsRequest};
use tonic::Code;

use crate::{sink::Room, world::World};

/// Everything that the restored log holds comes once more, in order: the one place where delivery is at least once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_new_epoch_the_sink_begins_with_the_first_event() {
    let world = World::new().await;
    let redis = huiyin_testkit::redis();
    world.stage.use_redis(&redis.url, &redis.prefix);
    let subject = "tenants/north/counters/1";
    let source = world.source(None).await;
    let sink = world.sink(&Room::new()).await;
    source.count("north", subject, 3).await;
    world.wait_for(3).await;
    source.running.stop().await.unwrap();
    sqlx::query("UPDATE events.log SET epoch = gen_random_uuid()")
        .execute(&mut world.source_database().await)
        .await
        .unwrap();
    let source = world.source(None).await;
    source.count("north", subject, 2).await;
    world.wait_for(8).await;
    assert_eq!(world.arrived_of("north", subject).await, [1, 2, 3, 1, 2, 3, 4, 5]);

    // The flow shows the cursors of the present epoch only.
    let mut client = world.client(sink.address, &world.stage.service_token("huiyin")).await;
    let flow = client
        .get_event_flow(GetEventFlowRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!(flow.cursors.len(), 8);
    assert_eq!(flow.cursors.iter().map(|cursor| cursor.position).sum::<i64>(), 5);
    sink.stop().await.unwrap();
    source.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cursors_of_another_epoch_and_beyond_the_log_are_refused() {
    let world = World::new().await;
    let source = world.source(None).await;
    let mut client = world
        .client(source.running.address, &world.stage.service_token("sink"))
        .await;
    let old = ReadEventsRequest {
        cursors: vec![PartitionCursor {
            partition: 0,
            position: 0,
        }],
        follow: false,
        epoch: "older".to_owned(),
    };
    assert_eq!(
        client.read_events(old).await.unwrap_err().code(),
        Code::FailedPrecondition
    );
    // Restored, but given no new epoch: whoever is ahead of it must not wait for other events at the same positions.
    let ahead = ReadEventsRequest {
        cursors: vec![PartitionCursor {
            partition: 0,
            position: 1,
        }],
        follow: true,
        epoch: String::new(),
    };
    let refused = client
        .read_events(ahead)
        .await
        .unwrap()
        .into_inner()
        .message()
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    source.running.stop().await.unwrap();
}
