//! The version before on the database of the one after it.

use huiyin_chassis::{Database, config, db::DatabaseConfig};
use sqlx::{Connection as _, PgConnection};

/// helm/huiyin/UPGRADING.md: the old version runs on what was added, whether a Job migrates or each service does.
#[tokio::test]
async fn a_version_that_is_rolled_back_starts_on_a_database_that_is_ahead_of_it() {
    let server = huiyin_testkit::database().await;
    let connect = async |migrate: bool| {
        let config: DatabaseConfig =
            config::parse("test", &format!("url = \"{}\"\nmigrate = {migrate}", server.url())).unwrap();
        Database::connect(&config, Vec::new()).await
    };
    connect(true).await.unwrap();
    let mut owner = PgConnection::connect(&server.url()).await.unwrap();
    sqlx::query(
        "INSERT INTO chassis.applied_migration (version, description, success, checksum, execution_time)
         VALUES (99991231000001, 'of a later version', true, '', 0)",
    )
    .execute(&mut owner)
    .await
    .unwrap();
    for migrate in [true, false] {
        connect(migrate).await.unwrap();
    }
}
