//! Migrations while others work.

#![expect(
    clippy::disallowed_methods,
    reason = "what is started beside the test is joined by it"
)]

use std::{path::PathBuf, time::Duration};

use huiyin_chassis::{Database, Migrations, config, db::DatabaseConfig, secret};
use huiyin_testkit::eventually;
use sqlx::{Connection as _, PgConnection, migrate::Migrator};

/// A folder with one migration; it goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let name = format!("huiyin-migrations-{}", secret::to_text(&secret::random_bytes::<9>()));
        let folder = Self(std::env::temp_dir().join(name));
        std::fs::create_dir_all(&folder.0).unwrap();
        let statement = "ALTER TABLE note ADD COLUMN author text";
        std::fs::write(folder.0.join("20260101000001_author.sql"), statement).unwrap();
        folder
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A report that runs for minutes must not, with a migration behind it, stop everybody who wants the table.
#[tokio::test]
async fn a_migration_that_waits_for_a_long_transaction_lets_others_pass() {
    let database = huiyin_testkit::database().await;
    let mut report = PgConnection::connect(&database.url()).await.unwrap();
    sqlx::query("CREATE TABLE note (tenant_id text NOT NULL, id bigint)")
        .execute(&mut report)
        .await
        .unwrap();
    let mut reading = report.begin().await.unwrap();
    sqlx::query("SELECT * FROM note").execute(&mut *reading).await.unwrap();

    let folder = Folder::new();
    let migrator = Migrator::new(folder.0.as_path()).await.unwrap();
    let config: DatabaseConfig = config::parse("test", &format!("url = \"{}\"", database.url())).unwrap();
    let migrating = tokio::task::spawn(async move {
        let migrations = Migrations {
            schema: "public",
            migrator,
        };
        Database::connect(&config, vec![migrations]).await.map(|_| ())
    });
    let mut other = PgConnection::connect(&database.url()).await.unwrap();
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'note'::regclass";
    eventually(
        "the migration waits for the table",
        Duration::from_secs(20),
        async || {
            let count: i64 = sqlx::query_scalar(waits).fetch_one(&mut other).await.unwrap();
            (count > 0).then_some(())
        },
    )
    .await;
    // Behind it in the queue. Without an end to the migration's waiting this would wait as long as the report runs.
    let passes = sqlx::query("SELECT * FROM note").execute(&mut other);
    tokio::time::timeout(Duration::from_secs(20), passes)
        .await
        .unwrap()
        .unwrap();
    assert!(!migrating.is_finished(), "the report still runs");
    reading.rollback().await.unwrap();
    migrating.await.unwrap().unwrap();
    sqlx::query("SELECT author FROM note")
        .execute(&mut other)
        .await
        .unwrap();
}

/// A replica starts while another serves: what it finds done it must not do again, or it would take every table from those at work.
#[tokio::test]
async fn a_start_on_a_database_that_is_up_to_date_takes_no_table_from_anybody() {
    let database = huiyin_testkit::database().await;
    let mut work = PgConnection::connect(&database.url()).await.unwrap();
    sqlx::query("CREATE TABLE note (tenant_id text NOT NULL, id bigint)")
        .execute(&mut work)
        .await
        .unwrap();
    let config: DatabaseConfig = config::parse("test", &format!("url = \"{}\"", database.url())).unwrap();
    Database::connect(&config, Vec::new()).await.unwrap();

    let mut working = work.begin().await.unwrap();
    for statement in ["INSERT INTO note VALUES ('acme', 1)", "SELECT * FROM chassis.timer"] {
        sqlx::query(statement).execute(&mut *working).await.unwrap();
    }
    let start = Database::connect(&config, Vec::new());
    tokio::time::timeout(Duration::from_secs(20), start)
        .await
        .expect("the work is not done, and the start waits for it")
        .unwrap();
    working.commit().await.unwrap();
}

/// Replicas that start at once on an empty database all come up.
#[tokio::test]
async fn a_schema_that_another_start_makes_at_the_same_moment_is_taken_as_it_is() {
    let database = huiyin_testkit::database().await;
    let mut other = PgConnection::connect(&database.url()).await.unwrap();
    let mut making = other.begin().await.unwrap();
    sqlx::query("CREATE SCHEMA chassis")
        .execute(&mut *making)
        .await
        .unwrap();
    let config: DatabaseConfig = config::parse("test", &format!("url = \"{}\"", database.url())).unwrap();
    let starting = tokio::task::spawn(async move { Database::connect(&config, Vec::new()).await.map(|_| ()) });
    let waits =
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'CREATE SCHEMA%' AND wait_event_type = 'Lock'
                                 AND datname = current_database())";
    // Apart: within a transaction this view never changes.
    let mut watching = PgConnection::connect(&database.url()).await.unwrap();
    eventually("the start waits for the other", Duration::from_secs(20), async || {
        sqlx::query_scalar::<_, bool>(waits)
            .fetch_one(&mut watching)
            .await
            .unwrap()
    })
    .await;
    making.commit().await.unwrap();
    starting.await.unwrap().unwrap();
}
