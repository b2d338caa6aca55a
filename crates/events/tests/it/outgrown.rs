//! A log from before the outbox stood apart goes on as it was.

use huiyin_chassis::{Database, db::DatabaseConfig};
use sqlx::{Connection as _, PgConnection};

/// The migration that took them apart.
const APART: i64 = 20_261_124_000_001;

#[tokio::test]
async fn a_log_that_was_one_table_with_its_outbox_keeps_every_event_and_every_position() {
    let fresh = huiyin_testkit::database().await;
    let config: DatabaseConfig = serde_json::from_value(serde_json::json!({ "url": fresh.url() })).unwrap();
    let mut before = huiyin_events::migrations();
    before
        .migrator
        .migrations
        .to_mut()
        .retain(|migration| migration.version < APART);
    Database::connect(&config, vec![before]).await.unwrap();
    let mut database = PgConnection::connect(&fresh.url()).await.unwrap();
    // The third began before midnight, and got its position after the second, of the day that followed.
    sqlx::raw_sql(
        "INSERT INTO events.outbox (id, create_day, tenant_id, partition, position, event) VALUES
             (1, '2026-11-20', 'north', 3, 1, 'first'),
             (2, '2026-11-21', 'north', 3, 2, 'second'),
             (3, '2026-11-20', 'north', 3, 3, 'third'),
             (4, '2026-11-20', 'south', 3, NULL, 'fourth'),
             (5, '2026-11-21', 'north', 5, NULL, 'fifth');
         UPDATE events.head SET position = 3 WHERE partition = 3;",
    )
    .execute(&mut database)
    .await
    .unwrap();

    Database::connect(&config, vec![huiyin_events::migrations()])
        .await
        .unwrap();
    let log: Vec<(i64, String, i64, String)> = sqlx::query_as(
        "SELECT id, create_day::text, position, convert_from(event, 'utf8') FROM events.entry ORDER BY partition, position",
    )
    .fetch_all(&mut database)
    .await
    .unwrap();
    let entry = |id: i64, day: &str, event: &str| (id, day.to_owned(), id, event.to_owned());
    assert_eq!(
        log,
        [
            entry(1, "2026-11-20", "first"),
            entry(2, "2026-11-21", "second"),
            entry(3, "2026-11-21", "third"),
        ]
    );
    let waiting: Vec<(i64, String, i16, String)> =
        sqlx::query_as("SELECT id, tenant_id, partition, convert_from(event, 'utf8') FROM events.outbox ORDER BY id")
            .fetch_all(&mut database)
            .await
            .unwrap();
    let fourth = (4, "south".to_owned(), 3, "fourth".to_owned());
    let fifth = (5, "north".to_owned(), 5, "fifth".to_owned());
    assert_eq!(waiting, [fourth, fifth]);
}
