//! How many events a second are counted, from five logs to rollups; run by name, it prints what it measured.

use std::time::{Duration, Instant};

use huiyin_proto::{
    analytics::v1::Dimension,
    event::v1::{SlaMark, StateCategory},
    r#type::v1::Channel,
};
use jiff::SignedDuration;

use crate::{
    case::Case,
    world::{Ask, World, at, interval},
};

/// Twenty events per feedback, as the demo produces them.
fn life(world: &World, case: &Case) -> Vec<crate::case::Said> {
    let due = case.received + SignedDuration::from_hours(8);
    let mut life = vec![
        case.submitted(),
        case.classified(1),
        case.opened(&[("resolve", due)]),
        case.assigned(1, 1),
    ];
    life.extend((0..6).map(|_| case.settled(world.stage.clock.id(), true)));
    life.extend((1..=3).map(|note| case.progressed(1, note)));
    life.push(case.moved(1, StateCategory::Active));
    life.push(case.marked(1, "first_response", SlaMark::Met, due));
    life.push(case.resolved(1, 3600));
    life.push(case.marked(1, "resolve", SlaMark::Met, due));
    life.push(case.invited(1));
    life.push(case.answered(1, &[4, 5, 4, 3]));
    life.push(case.moved(1, StateCategory::Closed));
    life
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "what was measured")]
#[ignore = "a measurement; run with --run-ignored all -E 'test(events_per_second)' --no-capture"]
async fn events_per_second() {
    let world = World::new().await;
    let client = world.client("acme").await;
    let mut events = Vec::new();
    for number in 0..1500i64 {
        let received = at("2026-03-01T00:00:00Z") + SignedDuration::from_mins(number * 3);
        let case = Case {
            channel: [Channel::Email, Channel::Phone, Channel::WebForm][usize::try_from(number % 3).unwrap()],
            category: format!("function.c{}", number % 12),
            product_model: format!("X{}", number % 5),
            priority: i32::try_from(number % 4).unwrap(),
            ..Case::of(&world, "acme", received)
        };
        events.extend(
            life(&world, &case)
                .into_iter()
                .map(|said| world.event("acme", received, said)),
        );
    }
    let count = events.len();
    let began = Instant::now();
    for event in &events {
        world.tell(event);
    }
    world
        .counted_within(&client, "acme", count, Duration::from_secs(300))
        .await;
    let elapsed = began.elapsed();
    println!(
        "{count} events in {elapsed:.1?}: {:.0} events/s",
        count as f64 / elapsed.as_secs_f64()
    );

    let ask = Ask {
        client: &client,
        interval: interval("2026-02-01T00:00:00Z", "2026-04-01T00:00:00Z"),
    };
    for (metric, by) in [
        ("volume", vec![]),
        ("share", vec![Dimension::Channel, Dimension::Category]),
        ("resolution_time_p90", vec![Dimension::Team]),
    ] {
        let began = Instant::now();
        let rows = ask.answer("acme", metric, &by, "").await.rows.len();
        println!("{metric} by {by:?}: {rows} rows in {:.1?}", began.elapsed());
    }
}
