//! Effects that fail: for ever, for a while, or because of an outage. Only their own subject waits.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use huiyin_chassis::Running;
use huiyin_proto::event::v1::{
    DeadLetter, GetEventFlowRequest, ListDeadLettersRequest, ReplayDeadLettersRequest, event::Payload,
    event_log_service_client::EventLogServiceClient,
};
use huiyin_testkit::{Connection, eventually};
use jiff::SignedDuration;
use tonic::Code;

use crate::{
    sink::{Fate, Room},
    world::{PATIENCE, World, another},
};

const POISON: &str = "tenants/north/counters/poison";

async fn admin(world: &World, sink: &Running, tenant: &str) -> EventLogServiceClient<Connection> {
    world
        .client(sink.address, &world.stage.token("user:admin", tenant, &["admin"]))
        .await
}

async fn letters(client: &mut EventLogServiceClient<Connection>, tenant: &str) -> Vec<DeadLetter> {
    let mut found = Vec::new();
    let mut page_token = String::new();
    loop {
        // Pages of one: they never skip or repeat.
        let request = ListDeadLettersRequest {
            parent: format!("tenants/{tenant}"),
            page_size: 1,
            page_token,
        };
        let page = client.list_dead_letters(request).await.unwrap().into_inner();
        found.extend(page.dead_letters);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return found;
        }
    }
}

fn values(letters: &[DeadLetter]) -> Vec<i32> {
    let value = |letter: &DeadLetter| match letter.event.as_ref().and_then(|event| event.payload.as_ref()) {
        Some(Payload::WorkOrderProgressed(progressed)) => progressed.note,
        other => panic!("{other:?}"),
    };
    letters.iter().map(value).collect()
}

fn replay(tenant: &str) -> ReplayDeadLettersRequest {
    ReplayDeadLettersRequest {
        parent: format!("tenants/{tenant}"),
        source: "source".to_owned(),
        subject: POISON.to_owned(),
    }
}

/// An event that fails is set aside: from the first failure to the replay.
async fn is_set_aside(fate: Fate) {
    let world = World::new().await;
    let healthy = Arc::new(AtomicBool::new(false));
    let room = Room::with_fate({
        let healthy = Arc::clone(&healthy);
        move |subject, value| {
            if subject == POISON && value == 2 && !healthy.load(Ordering::Relaxed) {
                fate
            } else {
                Fate::Done
            }
        }
    });
    let source = world.source(None).await;
    let sink = world.sink(&room).await;
    let neighbor = another("north", POISON, true);
    source.count("north", POISON, 1).await;
    source
        .count_each(
            "north",
            &[POISON.to_owned(), neighbor.clone(), POISON.to_owned(), neighbor.clone()],
        )
        .await;

    // Its later events wait; other subjects of the partition go on.
    world.wait_for(3).await;
    let mut client = admin(&world, &sink, "north").await;
    eventually("both are set aside", PATIENCE, async || {
        letters(&mut client, "north").await.len() == 2
    })
    .await;
    assert_eq!(world.arrived_of("north", POISON).await, [1]);
    assert_eq!(world.arrived_of("north", &neighbor).await, [1, 2]);
    let found = letters(&mut client, "north").await;
    assert_eq!(values(&found), [2, 3]);
    assert_eq!((found[0].attempts, found[1].attempts), (1, 0));
    assert!(!found[0].error.is_empty() && found[1].error.is_empty());
    let due = found[0].next_attempt_time.as_ref().unwrap().seconds;
    assert_eq!(due, world.stage.clock.now().as_second() + 1);

    // Each attempt comes when its time has come, later and later; then it is parked.
    let mut pauses = vec![1];
    for attempts in 2..=10 {
        world
            .stage
            .clock
            .advance(SignedDuration::from_secs(*pauses.last().unwrap()));
        let letter = eventually("it is tried again", PATIENCE, async || {
            letters(&mut client, "north")
                .await
                .into_iter()
                .next()
                .filter(|letter| letter.attempts == attempts)
        })
        .await;
        match letter.next_attempt_time {
            Some(time) => pauses.push(time.seconds - world.stage.clock.now().as_second()),
            None => assert_eq!(attempts, 10),
        }
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256]);
    world.stage.clock.advance(SignedDuration::from_hours(24));

    // What comes later waits behind, also when nothing is tried any more.
    source.count("north", POISON, 1).await;
    source.count("north", &neighbor, 1).await;
    eventually("the fourth waits too", PATIENCE, async || {
        values(&letters(&mut client, "north").await) == [2, 3, 4]
    })
    .await;
    world.wait_for(4).await;
    assert_eq!(world.arrived_of("north", &neighbor).await, [1, 2, 3]);
    assert_eq!(letters(&mut client, "north").await[0].attempts, 10);

    // Other tenants neither see nor touch it.
    let mut stranger = admin(&world, &sink, "south").await;
    assert_eq!(letters(&mut stranger, "south").await, []);
    let foreign = ListDeadLettersRequest {
        parent: "tenants/north".to_owned(),
        ..ListDeadLettersRequest::default()
    };
    assert_eq!(
        stranger.list_dead_letters(foreign).await.unwrap_err().code(),
        Code::NotFound
    );
    for tenant in ["north", "south"] {
        assert_eq!(
            stranger.replay_dead_letters(replay(tenant)).await.unwrap_err().code(),
            Code::NotFound
        );
    }
    let mut agent = world
        .client(sink.address, &world.stage.token("user:agent", "north", &["agent"]))
        .await;
    assert_eq!(
        agent.replay_dead_letters(replay("north")).await.unwrap_err().code(),
        Code::PermissionDenied
    );

    healthy.store(true, Ordering::Relaxed);
    assert_eq!(
        client
            .replay_dead_letters(replay("north"))
            .await
            .unwrap()
            .into_inner()
            .waiting,
        3
    );
    world.wait_for(7).await;
    assert_eq!(world.arrived_of("north", POISON).await, [1, 2, 3, 4]);
    assert_eq!(letters(&mut client, "north").await, []);
    assert_eq!(
        client.replay_dead_letters(replay("north")).await.unwrap_err().code(),
        Code::NotFound
    );

    // The subject is as any other again.
    source.count("north", POISON, 1).await;
    world.wait_for(8).await;
    assert_eq!(world.arrived_of("north", POISON).await, [1, 2, 3, 4, 5]);
    sink.stop().await.unwrap();
    source.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_the_room_refuses_is_set_aside_and_replayed() {
    is_set_aside(Fate::Refused).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_violates_a_constraint_is_set_aside_and_replayed() {
    is_set_aside(Fate::ConstraintViolated).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_makes_the_room_panic_is_set_aside_and_replayed() {
    is_set_aside(Fate::Panicked).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_whose_cause_is_gone_is_done_at_its_next_attempt() {
    let world = World::new().await;
    let healthy = Arc::new(AtomicBool::new(false));
    let fate = Arc::clone(&healthy);
    let room = Room::with_fate(move |_, value| {
        if value == 1 && !fate.load(Ordering::Relaxed) {
            Fate::Refused
        } else {
            Fate::Done
        }
    });
    let source = world.source(None).await;
    let sink = world.sink(&room).await;
    source.count("north", POISON, 20).await;
    let mut client = admin(&world, &sink, "north").await;
    eventually("all are set aside", PATIENCE, async || {
        letters(&mut client, "north").await.len() == 20
    })
    .await;
    healthy.store(true, Ordering::Relaxed);
    world.stage.clock.advance(SignedDuration::from_secs(1));
    world.wait_for(20).await;
    assert_eq!(world.arrived_of("north", POISON).await, (1..=20).collect::<Vec<_>>());
    assert_eq!(letters(&mut client, "north").await, []);
    sink.stop().await.unwrap();
    source.running.stop().await.unwrap();
}

/// An outage is waited out in place and costs no attempt; only the partition waits, and the order in it holds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_waited_out_in_place_while_other_partitions_go_on() {
    let world = World::new().await;
    let healthy = Arc::new(AtomicBool::new(false));
    let fate = Arc::clone(&healthy);
    let room = Room::with_fate(move |subject, value| {
        if subject == POISON && value == 2 && !fate.load(Ordering::Relaxed) {
            Fate::Unavailable
        } else {
            Fate::Done
        }
    });
    let source = world.source(None).await;
    let sink = world.sink(&room).await;
    let (same, other) = (another("north", POISON, true), another("north", POISON, false));
    source
        .count_each(
            "north",
            &[
                POISON.to_owned(),
                POISON.to_owned(),
                POISON.to_owned(),
                same.clone(),
                other.clone(),
            ],
        )
        .await;
    let tried = eventually("the others go on", PATIENCE, async || {
        (world.arrived_of("north", &other).await == [1] && world.arrived_of("north", POISON).await == [1])
            .then(|| room.tried())
    })
    .await;
    eventually("it is tried again and again", PATIENCE, async || {
        room.tried() >= tried + 3
    })
    .await;
    source.count("north", &other, 2).await;
    world.wait_for(4).await;
    assert_eq!(world.arrived_of("north", &other).await, [1, 2, 3]);
    assert_eq!(world.arrived_of("north", &same).await, [0; 0]);
    let mut client = admin(&world, &sink, "north").await;
    assert_eq!(
        client
            .get_event_flow(GetEventFlowRequest {})
            .await
            .unwrap()
            .into_inner()
            .dead_letters,
        0
    );

    healthy.store(true, Ordering::Relaxed);
    world.wait_for(7).await;
    assert_eq!(world.arrived_of("north", POISON).await, [1, 2, 3]);
    assert_eq!(world.arrived_of("north", &same).await, [1]);
    assert_eq!(letters(&mut client, "north").await, []);
    sink.stop().await.unwrap();
    source.running.stop().await.unwrap();
}
