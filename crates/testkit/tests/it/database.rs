//! Each test has a database of its own, and none is left.

use huiyin_testkit::{database, private_postgres};
use sqlx::{Connection as _, PgConnection};

async fn exists(name: &str) -> bool {
    let other = database().await;
    let mut connection = PgConnection::connect(&other.url()).await.unwrap();
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(name)
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

#[tokio::test]
async fn two_databases_do_not_see_each_other() {
    let (one, other) = tokio::join!(database(), database());
    assert_ne!(one.name(), other.name());
    let mut connection = PgConnection::connect(&one.url()).await.unwrap();
    sqlx::query("CREATE TABLE note (text text)")
        .execute(&mut connection)
        .await
        .unwrap();
    let mut connection = PgConnection::connect(&other.url()).await.unwrap();
    assert!(
        sqlx::query("SELECT text FROM note")
            .fetch_all(&mut connection)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_dropped_database_is_gone_even_while_somebody_is_connected() {
    let database = database().await;
    let name = database.name().to_owned();
    let _connected = PgConnection::connect(&database.url()).await.unwrap();
    assert!(exists(&name).await);
    drop(database);
    assert!(!exists(&name).await);
}

#[tokio::test]
async fn a_closed_database_is_gone() {
    let database = database().await;
    let name = database.name().to_owned();
    database.close().await;
    assert!(!exists(&name).await);
}

#[tokio::test]
async fn a_private_postgres_can_be_restarted_while_the_shared_one_goes_on() {
    let shared = database().await;
    let mut connection = PgConnection::connect(&shared.url()).await.unwrap();
    let mut private = private_postgres(huiyin_testkit::Durability::None).await;
    private.restart().await.unwrap();
    let mut own = PgConnection::connect(&private.url("postgres")).await.unwrap();
    own.ping().await.unwrap();
    connection.ping().await.unwrap();
}
