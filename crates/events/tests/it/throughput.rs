//! How many events pass from end to end. Prints only: `cargo nextest run -p huiyin-events --run-ignored only --no-capture`.

use std::time::Instant;

use crate::{random::Random, sink::Room, source::Writers, world::World};

async fn measure(how: &str, world: World) {
    let mut random = Random::new();
    let sink_room = Room::new();
    let writers = Writers::new(&mut random, 16, 10_000);
    let began = Instant::now();
    let source = world.source(Some(&writers)).await;
    let sink = world.sink(&sink_room).await;
    world.wait_for(10_000).await;
    report(how, "transactions of 1–4 events from 16 writers", 10_000, began);
    world.finish(source, &writers, vec![sink]).await;

    let subjects: Vec<String> = (0..500)
        .map(|number| format!("tenants/west/counters/{number}"))
        .collect();
    let source = world.source(None).await;
    let sink = world.sink(&sink_room).await;
    let before = world.arrivals().await;
    let began = Instant::now();
    for _ in 0..40 {
        source.count_each("west", &subjects).await;
    }
    report(how, "written in batches of 500", 20_000, began);
    world.wait_for(before + 20_000).await;
    report(how, "and arrived", 20_000, began);
    sink.stop().await.unwrap();

    for _ in 0..40 {
        source.count_each("west", &subjects).await;
    }
    let began = Instant::now();
    let sink = world.sink(&sink_room).await;
    world.wait_for(before + 40_000).await;
    report(how, "a backlog", 20_000, began);

    let began = Instant::now();
    let one_by_one = async |writer: usize| {
        for number in 0..250 {
            source.count("west", &subjects[(writer * 31 + number) % 500], 1).await;
        }
    };
    futures::future::join_all((0..16).map(one_by_one)).await;
    report(how, "written with a transaction each by 16 writers", 4000, began);
    world.wait_for(before + 44_000).await;
    report(how, "and arrived", 4000, began);
    sink.stop().await.unwrap();
    source.running.stop().await.unwrap();
}

#[expect(clippy::print_stdout, reason = "that is all that it is for")]
fn report(how: &str, what: &str, events: u32, began: Instant) {
    let took = began.elapsed();
    println!(
        "{how}, {what}: {events} in {took:.1?}, {:.0} events/s",
        f64::from(events) / took.as_secs_f64()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it measures"]
async fn events_per_second() {
    measure("over gRPC", World::new().await).await;
    let world = World::new().await;
    let redis = huiyin_testkit::redis();
    world.stage.use_redis(&redis.url, &redis.prefix);
    measure("over Redis", world).await;
}
