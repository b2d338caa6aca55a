//! What stands behind every `Watch…` method.

use huiyin_chassis::{Refusal, Tenant};
use huiyin_events::{Payload, Watch};
use huiyin_testkit::eventually;
use tonic::Code;

use crate::{
    source::Source,
    world::{PATIENCE, World},
};

const NORTH: &str = "tenants/north/counters/1";
const SOUTH: &str = "tenants/south/counters/1";

async fn watch(source: &Source, tenant: &str, cursor: &str) -> Result<Watch, Refusal> {
    source
        .log
        .watch(&Tenant::stored(tenant).unwrap(), &source.page_tokens, cursor)
        .await
}

/// Watches until so many events have come; their values, and the cursor behind them.
async fn see(watch: &mut Watch, count: usize) -> (Vec<i32>, String) {
    let mut values = Vec::new();
    loop {
        let watched = watch.next().await.unwrap();
        for event in watched.events {
            assert_eq!(event.tenant, "north");
            let Some(Payload::WorkOrderProgressed(progressed)) = event.payload else {
                panic!()
            };
            values.push(progressed.note);
        }
        if values.len() >= count {
            return (values, watched.cursor);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_sees_its_own_tenant_from_now_on_and_goes_on_from_its_cursor() {
    let world = World::new().await;
    let source = world.source(None).await;
    // Over and done with before anybody watches.
    source.count("north", NORTH, 2).await;
    let mut database = world.source_database().await;
    eventually("they have their positions", PATIENCE, async || {
        sqlx::query_scalar::<_, i64>("SELECT count(*) FROM events.entry")
            .fetch_one(&mut database)
            .await
            .unwrap()
            == 2
    })
    .await;
    let mut watching = watch(&source, "north", "").await.unwrap();
    source.count("south", SOUTH, 1000).await;
    source.count("north", NORTH, 2).await;
    let (values, cursor) = see(&mut watching, 2).await;
    assert_eq!(values, [3, 4]);
    drop(watching);

    // Nobody watches; a restart lies between; the cursor still holds.
    source.count("north", NORTH, 1).await;
    source.running.stop().await.unwrap();
    let source = world.source(None).await;
    source.count("south", SOUTH, 5).await;
    source.count("north", NORTH, 1).await;
    let mut watching = watch(&source, "north", &cursor).await.unwrap();
    assert_eq!(see(&mut watching, 2).await.0, [5, 6]);
    source.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_gets_checkpoints_that_pass_over_the_events_of_others() {
    let world = World::new().await;
    let source = world.source(None).await;
    let mut watching = watch(&source, "north", "").await.unwrap();
    source.count("south", SOUTH, 3).await;
    let checkpoint = watching.next().await.unwrap();
    assert!(checkpoint.events.is_empty());
    source.count("north", NORTH, 1).await;
    let mut resumed = watch(&source, "north", &checkpoint.cursor).await.unwrap();
    assert_eq!(see(&mut resumed, 1).await.0, [1]);
    source.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cursors_of_another_tenant_of_nobody_and_of_an_older_log_are_refused() {
    let world = World::new().await;
    let source = world.source(None).await;
    source.count("north", NORTH, 1).await;
    let mut watching = watch(&source, "north", "").await.unwrap();
    let cursor = watching.next().await.unwrap().cursor;
    for (tenant, cursor) in [
        ("south", cursor.clone()),
        ("north", "made up".to_owned()),
        ("north", cursor[1..].to_owned()),
    ] {
        let refused = watch(&source, tenant, &cursor).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
    }
    source.running.stop().await.unwrap();
    // A watch that waits ends with its service.
    assert_eq!(watching.next().await.unwrap_err().code(), Code::Unavailable);
    sqlx::query("UPDATE events.log SET epoch = gen_random_uuid()")
        .execute(&mut world.source_database().await)
        .await
        .unwrap();
    let source = world.source(None).await;
    assert_eq!(
        watch(&source, "north", &cursor).await.unwrap_err().code(),
        Code::OutOfRange
    );
    source.running.stop().await.unwrap();
}
