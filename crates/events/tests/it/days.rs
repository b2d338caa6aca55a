//! Old days of the log are dropped whole, and what that means for those who come late.

use huiyin_proto::event::v1::{PartitionCursor, ReadEventsRequest};
use huiyin_testkit::eventually;
use sqlx::PgConnection;
use tonic::Code;

use crate::{
    sink::Room,
    source::Source,
    world::{PATIENCE, World, partition},
};

const SUBJECT: &str = "tenants/north/counters/1";

async fn days(database: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relname ~ '^entry_2020' ORDER BY relname",
    )
    .fetch_all(database)
    .await
    .unwrap()
}

/// Two old days, with two events and with one. Two of today, and one that waits in the outbox.
async fn with_old_days(world: &World) -> PgConnection {
    let source = world.source(None).await;
    source.count("north", SUBJECT, 5).await;
    let mut database = world.source_database().await;
    eventually("all have their positions", PATIENCE, async || {
        let placed: i64 = sqlx::query_scalar("SELECT count(*) FROM events.entry")
            .fetch_one(&mut database)
            .await
            .unwrap();
        placed == 5
    })
    .await;
    source.count("north", "tenants/north/counters/2", 1).await;
    source.running.stop().await.unwrap();
    for day in ["2020-01-01", "2020-01-03"] {
        let name = day.replace('-', "");
        let sql = format!(
            "CREATE TABLE events.entry_{name} PARTITION OF events.entry FOR VALUES FROM ('{day}') TO (date '{day}' + 1)"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .execute(&mut database)
            .await
            .unwrap();
    }
    for sql in [
        "WITH back AS (DELETE FROM events.entry WHERE id = 6 RETURNING id, tenant_id, partition, event)
         INSERT INTO events.outbox SELECT * FROM back",
        "UPDATE events.head SET position = (SELECT coalesce(max(position), 0) FROM events.entry WHERE entry.partition = head.partition)",
        "UPDATE events.entry SET create_day = '2020-01-01' WHERE id <= 2",
        "UPDATE events.entry SET create_day = '2020-01-03' WHERE id = 3",
    ] {
        sqlx::query(sql).execute(&mut database).await.unwrap();
    }
    database
}

/// That, once a source runs and has dropped them.
async fn without_old_days(world: &World) -> Source {
    let mut database = with_old_days(world).await;
    let source = world.source(None).await;
    eventually("the days are dropped", PATIENCE, async || {
        days(&mut database).await.is_empty()
    })
    .await;
    source
}

/// Events are kept for days, and then forgotten.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_days_are_dropped_whole_and_what_waits_is_not() {
    let world = World::new().await;
    let mut database = with_old_days(&world).await;
    assert_eq!(days(&mut database).await, ["entry_20200101", "entry_20200103"]);
    sqlx::query("SELECT events.keep_days(7)")
        .execute(&mut database)
        .await
        .unwrap();
    assert!(days(&mut database).await.is_empty());

    // The relay gives the one that waits its position, behind all others.
    let source = world.source(None).await;
    eventually("what waited is in the log, and what was kept", PATIENCE, async || {
        let kept: Vec<i64> = sqlx::query_scalar("SELECT id FROM events.entry ORDER BY id")
            .fetch_all(&mut database)
            .await
            .unwrap();
        kept == [4, 5, 6]
    })
    .await;
    source.running.stop().await.unwrap();
}

/// A database that takes over may have another time: a day is a stretch of positions all the same, or dropping it would leave a hole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_never_goes_back_to_a_day_before() {
    let world = World::new().await;
    let source = world.source(None).await;
    let mut database = world.source_database().await;
    sqlx::query("UPDATE events.head SET day = '2999-12-31'")
        .execute(&mut database)
        .await
        .unwrap();
    source.count("north", SUBJECT, 1).await;
    eventually("it is in the log", PATIENCE, async || {
        let days: Vec<String> = sqlx::query_scalar("SELECT create_day::text FROM events.entry")
            .fetch_all(&mut database)
            .await
            .unwrap();
        days == ["2999-12-31"]
    })
    .await;
    source.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_below_what_is_kept_is_refused_and_a_new_sink_begins_with_the_oldest() {
    let world = World::new().await;
    let source = without_old_days(&world).await;

    let mut client = world
        .client(source.running.address, &world.stage.service_token("sink"))
        .await;
    for (position, expected) in [(0, Code::OutOfRange), (2, Code::OutOfRange), (3, Code::Ok)] {
        let cursors = vec![PartitionCursor {
            partition: partition("north", SUBJECT).into(),
            position,
        }];
        let read = client
            .read_events(ReadEventsRequest {
                cursors,
                follow: false,
                epoch: String::new(),
            })
            .await
            .unwrap();
        let code = read
            .into_inner()
            .message()
            .await
            .map_or_else(|status| status.code(), |_| Code::Ok);
        assert_eq!(code, expected, "{position}");
    }

    let sink = world.sink(&Room::new()).await;
    eventually("what is kept arrives", PATIENCE, async || {
        world.arrived_of("north", SUBJECT).await == [4, 5]
    })
    .await;
    source.count("north", SUBJECT, 1).await;
    eventually("and what comes", PATIENCE, async || {
        world.arrived_of("north", SUBJECT).await == [4, 5, 6]
    })
    .await;
    sink.stop().await.unwrap();
    source.running.stop().await.unwrap();
}

/// One of them may own what has lost its beginning, and the other what has not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_that_are_new_to_a_log_begin_it_together() {
    let world = World::new().await;
    let source = without_old_days(&world).await;
    let others: Vec<String> = (0..20).map(|n| format!("tenants/south/counters/{n}")).collect();
    source.count_each("south", &others).await;
    let sinks = [world.sink(&Room::new()).await, world.sink(&Room::new()).await];
    eventually("all that is kept arrives", PATIENCE, async || {
        world.arrived_of("north", SUBJECT).await == [4, 5] && world.arrivals().await == 23
    })
    .await;
    for sink in sinks {
        sink.stop().await.unwrap();
    }
    source.running.stop().await.unwrap();
}

/// A sink that had begun has lost something: it waits for a person instead of passing it over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sink_that_fell_behind_what_is_kept_passes_nothing_over_by_itself() {
    let world = World::new().await;
    let source = world.source(None).await;
    let sink = world.sink(&Room::new()).await;
    source.count("north", SUBJECT, 1).await;
    world.wait_for(1).await;
    sink.stop().await.unwrap();
    source.count("north", SUBJECT, 4).await;
    let mut database = world.source_database().await;
    eventually("all have their positions", PATIENCE, async || {
        sqlx::query_scalar::<_, i64>("SELECT count(*) FROM events.entry")
            .fetch_one(&mut database)
            .await
            .unwrap()
            == 5
    })
    .await;
    sqlx::query("DELETE FROM events.entry WHERE position IN (2, 3)")
        .execute(&mut database)
        .await
        .unwrap();

    let room = Room::new();
    let sink = world.sink(&room).await;
    let mut sinks = world.sink_database().await;
    eventually("it has its cursors", PATIENCE, async || {
        sqlx::query_scalar::<_, i64>("SELECT count(*) FROM events.cursor")
            .fetch_one(&mut sinks)
            .await
            .unwrap()
            == 8
    })
    .await;
    assert_eq!(world.arrived_of("north", SUBJECT).await, [1]);
    // Then a person decides.
    let set = sqlx::query("UPDATE events.cursor SET position = 3 WHERE position = 1")
        .execute(&mut sinks)
        .await
        .unwrap();
    assert_eq!(set.rows_affected(), 1);
    eventually("it goes on from there", PATIENCE, async || {
        world.arrived_of("north", SUBJECT).await == [1, 4, 5]
    })
    .await;
    sink.stop().await.unwrap();
    source.running.stop().await.unwrap();
}
