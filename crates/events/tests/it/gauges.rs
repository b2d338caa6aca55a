//! Gauges: what they say of a service that waits, is behind, or has set something aside.

use huiyin_testkit::{Metrics, eventually};
use jiff::SignedDuration;

use crate::{
    sink::{Fate, Room},
    world::{PATIENCE, World, another},
};

const GOOD: &str = "tenants/north/counters/good";
/// That of `relay.rs`.
const RELAY: (i32, i32) = (0x6879_7278, -1);

async fn shows(metrics: &Metrics, name: &str, labels: &[(&str, &str)], value: f64) {
    eventually(
        &format!("{name} {labels:?} is {value}"),
        PATIENCE,
        async || match metrics.value(name, labels) {
            Some(found) if (found - value).abs() < 1e-9 => Ok(()),
            found => Err(format!("{found:?}")),
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gauges_say_how_old_the_outbox_is_how_far_a_consumer_is_behind_and_how_late_timers_are() {
    let metrics = Metrics::begin();
    let world = World::new().await;
    let source = world.source(None).await;
    // The third of one subject has to wait, and another subject's are set aside.
    let poison = another("north", GOOD, false);
    let refused = poison.clone();
    let room = Room::with_fate(move |subject, value| match subject {
        subject if subject == refused => Fate::Refused,
        GOOD if value > 2 => Fate::Unavailable,
        _ => Fate::Done,
    });
    let sink = world.sink(&room).await;
    source.count("north", GOOD, 2).await;
    world.wait_for(2).await;
    let of = [("service", "sink"), ("source", "source")];
    source.count("north", GOOD, 5).await;
    source.count("north", &poison, 1).await;
    let mut database = world.sink_database().await;
    eventually("one event is set aside", PATIENCE, async || {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM events.dead_letter")
            .fetch_one(&mut database)
            .await
            .unwrap();
        count == 1
    })
    .await;
    sink.stop().await.unwrap();
    // Who starts looks at once.
    let sink = world.sink(&room).await;
    shows(&metrics, "events_behind", &of, 5.0).await;
    shows(&metrics, "events_dead_letters", &of, 1.0).await;
    sink.stop().await.unwrap();
    source.running.stop().await.unwrap();

    // Somebody holds the relay's lock: nothing gets a position. And a timer is late, and one has failed.
    let mut database = world.source_database().await;
    sqlx::query("SELECT pg_advisory_lock($1, $2)")
        .bind(RELAY.0)
        .bind(RELAY.1)
        .execute(&mut database)
        .await
        .unwrap();
    let now = jiff_sqlx::Timestamp::from(world.stage.clock.now());
    sqlx::query(
        "INSERT INTO chassis.timer (tenant_id, kind, key, due_time, payload, attempts)
         VALUES ('north', 'x', 'due', $1, 'null', 0), ('north', 'x', 'failed', $1 + interval '1 day', 'null', 3)",
    )
    .bind(now)
    .execute(&mut database)
    .await
    .unwrap();
    let source = world.source(None).await;
    source.count("north", GOOD, 1).await;
    source.running.stop().await.unwrap();
    world.stage.clock.advance(SignedDuration::from_secs(90));
    let source = world.source(None).await;
    let of = [("service", "source")];
    shows(&metrics, "events_outbox_age_seconds", &of, 90.0).await;
    shows(&metrics, "chassis_timer_age_seconds", &of, 90.0).await;
    shows(&metrics, "chassis_timers_failed", &of, 1.0).await;
    let connections = |state| metrics.value("db_pool_connections", &[("service", "source"), ("state", state)]);
    let (idle, used) = (connections("idle").unwrap(), connections("used").unwrap());
    assert!(
        (1.0..=12.0).contains(&(idle + used)),
        "{idle} idle, {used} used, of 12 that there may be"
    );
    source.running.stop().await.unwrap();

    // The lock is free again: the next start finds nothing that waits.
    drop(database);
    let source = world.source(None).await;
    eventually("the event has its position", PATIENCE, async || {
        let waiting: i64 = sqlx::query_scalar("SELECT count(*) FROM events.outbox")
            .fetch_one(&mut world.source_database().await)
            .await
            .unwrap();
        waiting == 0
    })
    .await;
    source.running.stop().await.unwrap();
    let source = world.source(None).await;
    shows(&metrics, "events_outbox_age_seconds", &of, 0.0).await;
    source.running.stop().await.unwrap();
}
