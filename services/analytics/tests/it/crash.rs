//! What happens when the room ends at a bad moment, or comes back with other rules of counting.

use huiyin_proto::analytics::v1::Dimension;
use sqlx::Connection as _;

use crate::{
    case::Case,
    world::{Ask, World, facts, interval, totals},
};

/// Killed again and again while it counts, it counts each event exactly once.
#[tokio::test]
async fn events_are_counted_exactly_once_across_crashes() {
    let mut world = World::with("[counting]\nbatch = 20\n").await;
    let mut told = 0;
    for round in 0..5 {
        for _ in 0..40 {
            let case = Case::new(&world, "2026-03-02T01:00:00Z");
            for said in [
                case.submitted(),
                case.classified(1),
                case.opened(&[]),
                case.resolved(1, 60),
            ] {
                world.say("2026-03-02T02:00:00Z", said);
                told += 1;
            }
        }
        // Not a wait for a result: each round is cut at another point of the counting.
        tokio::time::sleep(std::time::Duration::from_millis(37 * round)).await;
        world.kill();
        world.start_again().await;
    }
    let client = world.client("acme").await;
    world.counted(&client, "acme", told).await;
    let totals = totals(&client, "acme").await;
    assert_eq!(
        (
            totals.feedbacks,
            totals.classified,
            totals.work_orders,
            totals.resolved_episodes
        ),
        (200, 200, 200, 200)
    );
    let ask = Ask {
        client: &client,
        interval: interval("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"),
    };
    assert_eq!(ask.value("volume").await, Some(200.0));
    assert_eq!(ask.value("resolution_rate").await, Some(1.0));
}

/// Two replicas share the partitions and take turns at counting; no event is counted twice or not at all.
#[tokio::test]
async fn two_replicas_count_each_event_once() {
    let mut world = World::with("[counting]\nbatch = 10\n").await;
    let first = world.running.take().unwrap();
    world.start_again().await;
    let mut told = 0;
    for case in 0..60 {
        let case = Case {
            category: format!("function.c{}", case % 3),
            ..Case::new(&world, "2026-03-02T01:00:00Z")
        };
        for said in [
            case.submitted(),
            case.classified(1),
            case.opened(&[]),
            case.resolved(1, 60),
            case.answered(1, &[5]),
        ] {
            world.say("2026-03-02T02:00:00Z", said);
            told += 1;
        }
    }
    let client = world.client("acme").await;
    world.counted(&client, "acme", told).await;
    let ask = Ask {
        client: &client,
        interval: interval("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"),
    };
    let thirds = [("function.c0", 20.0), ("function.c1", 20.0), ("function.c2", 20.0)];
    assert_eq!(
        ask.groups("volume", &[Dimension::Category], "").await,
        crate::world::values(&thirds)
    );
    assert_eq!(ask.value("resolution_rate").await, Some(1.0));
    first.stop().await.unwrap();
}

/// A new version counts again from the facts, whatever the old one had made of them.
#[tokio::test]
async fn a_raised_version_of_the_rollups_counts_again_from_the_facts() {
    let mut world = World::new().await;
    let client = world.client("acme").await;
    for category in ["function.crash", "function.login", "function.crash"] {
        let case = Case {
            category: category.to_owned(),
            ..Case::new(&world, "2026-03-02T01:00:00Z")
        };
        world.say("2026-03-02T01:00:00Z", case.submitted());
        world.say("2026-03-02T01:00:00Z", case.classified(1));
        world.say("2026-03-02T02:00:00Z", case.settled(world.stage.clock.id(), true));
    }
    world.counted(&client, "acme", 9).await;
    let question = interval("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z");
    let by = [Dimension::Category];
    let before = (
        Ask {
            client: &client,
            interval: question,
        }
        .groups("volume", &by, "")
        .await,
        totals(&client, "acme").await,
        facts(&client, "acme").await,
    );
    drop(client);
    world.running.take().unwrap().stop().await.unwrap();

    let mut database = sqlx::PgConnection::connect(&world.stage.database_url()).await.unwrap();
    for statement in [
        "UPDATE counting SET rollup_version = 0",
        "UPDATE rollup SET count = count + 7",
        "DELETE FROM total WHERE kind = 'feedbacks'",
    ] {
        assert!(
            sqlx::query(statement)
                .execute(&mut database)
                .await
                .unwrap()
                .rows_affected()
                > 0,
            "{statement}"
        );
    }

    world.start_again().await;
    let client = world.client("acme").await;
    let ask = Ask {
        client: &client,
        interval: question,
    };
    huiyin_testkit::eventually(
        "the rollups are counted again",
        std::time::Duration::from_secs(10),
        async || ask.groups("volume", &by, "").await == before.0,
    )
    .await;
    let mut again = totals(&client, "acme").await;
    again.as_of = before.1.as_of.clone();
    assert_eq!(again, before.1);
    assert_eq!(facts(&client, "acme").await, before.2);
}
