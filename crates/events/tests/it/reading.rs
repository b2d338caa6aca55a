//! `ReadEvents` as a client sees it.

use huiyin_proto::event::v1::{GetEventFlowRequest, PartitionCursor, ReadEventsRequest};
use huiyin_testkit::eventually;
use tonic::Code;

use crate::{
    random::Random,
    source::Writers,
    world::{PATIENCE, World, partition},
};

const SUBJECT: &str = "tenants/north/counters/1";

fn request(position: i64, follow: bool) -> ReadEventsRequest {
    let cursors = vec![PartitionCursor {
        partition: partition("north", SUBJECT).into(),
        position,
    }];
    ReadEventsRequest {
        cursors,
        follow,
        epoch: String::new(),
    }
}

/// The log crosses tenants: it is for our own services alone, not even for an administrator.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_service_reads_the_log() {
    let world = World::new().await;
    let source = world.source(None).await;
    let address = source.running.address;
    for role in ["admin", "supervisor", "agent", "engineer", "analyst", "integration"] {
        let mut client = world
            .client(address, &world.stage.token("user:li.wei", "north", &[role]))
            .await;
        assert_eq!(
            client.read_events(request(0, false)).await.unwrap_err().code(),
            Code::PermissionDenied,
            "{role}"
        );
    }
    assert_eq!(
        world
            .client(address, "")
            .await
            .read_events(request(0, false))
            .await
            .unwrap_err()
            .code(),
        Code::Unauthenticated
    );
    let mut client = world.client(address, &world.stage.service_token("sink")).await;
    let first = client
        .read_events(request(0, false))
        .await
        .unwrap()
        .into_inner()
        .message()
        .await
        .unwrap()
        .unwrap();
    assert_eq!((first.epoch.len(), first.events.len()), (32, 0));
    source.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_cursors_are_refused() {
    let world = World::new().await;
    let source = world.source(None).await;
    let mut client = world
        .client(source.running.address, &world.stage.service_token("sink"))
        .await;
    let cursor = |partition, position| PartitionCursor { partition, position };
    for cursors in [
        vec![],
        vec![cursor(8, 0)],
        vec![cursor(-1, 0)],
        vec![cursor(0, -1)],
        vec![cursor(0, 0), cursor(0, 0)],
    ] {
        let refused = client
            .read_events(ReadEventsRequest {
                cursors,
                follow: false,
                epoch: String::new(),
            })
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
    }
    source.running.stop().await.unwrap();
}

/// The client has gRPC's default limit of 4 MiB for a message; no answer comes near it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_events_come_in_answers_that_any_client_can_receive() {
    let world = World::new().await;
    let source = world.source(None).await;
    for _ in 0..24 {
        source.say("north", SUBJECT, "说".repeat(200_000 / 3)).await;
    }
    source.say("north", SUBJECT, "x".repeat(3 << 20)).await;
    source.count("north", SUBJECT, 300).await;
    let mut client = world
        .client(source.running.address, &world.stage.service_token("sink"))
        .await;
    eventually("all have their positions", PATIENCE, async || {
        let flow = client
            .get_event_flow(GetEventFlowRequest {})
            .await
            .unwrap()
            .into_inner();
        flow.unpositioned == 0 && flow.heads.iter().map(|head| head.position).sum::<i64>() == 325
    })
    .await;
    let mut stream = client.read_events(request(0, false)).await.unwrap().into_inner();
    let (mut positions, mut answers) = (Vec::new(), 0);
    while let Some(answer) = stream.message().await.unwrap() {
        positions.extend(answer.events.iter().map(|event| event.position));
        answers += 1;
    }
    assert_eq!(positions, (1..=325).collect::<Vec<_>>());
    assert!(answers >= 7, "{answers}");
    source.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_gets_what_comes() {
    let world = World::new().await;
    let source = world.source(None).await;
    let mut client = world
        .client(source.running.address, &world.stage.service_token("sink"))
        .await;
    let mut stream = client.read_events(request(0, true)).await.unwrap().into_inner();
    for value in 1..=3 {
        source.count("north", SUBJECT, 1).await;
        let positions: Vec<i64> = loop {
            let answer = stream.message().await.unwrap().unwrap();
            if !answer.events.is_empty() {
                break answer.events.iter().map(|event| event.position).collect();
            }
        };
        assert_eq!(positions, [value]);
    }
    source.running.stop().await.unwrap();
    assert!(matches!(stream.message().await, Ok(None) | Err(_)));
}

/// Without `follow` the end is where the head was at the beginning, however fast the log grows meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_does_not_follow_comes_to_an_end_under_load() {
    let world = World::new().await;
    let writers = Writers::new(&mut Random::new(), 8, i64::MAX / 2);
    let source = world.source(Some(&writers)).await;
    let mut client = world
        .client(source.running.address, &world.stage.service_token("sink"))
        .await;
    for _ in 0..3 {
        let flow = client
            .get_event_flow(GetEventFlowRequest {})
            .await
            .unwrap()
            .into_inner();
        let cursors = flow
            .heads
            .iter()
            .map(|head| PartitionCursor { position: 0, ..*head })
            .collect();
        let request = ReadEventsRequest {
            cursors,
            follow: false,
            epoch: flow.epoch,
        };
        let mut stream = client.read_events(request).await.unwrap().into_inner();
        let mut reached = [0; 8];
        while let Some(answer) = stream.message().await.unwrap() {
            for event in answer.events {
                reached[usize::try_from(event.partition).unwrap()] = event.position;
            }
        }
        for head in flow.heads {
            assert!(
                reached[usize::try_from(head.partition).unwrap()] >= head.position,
                "{head:?}"
            );
        }
    }
    source.running.stop().await.unwrap();
}
