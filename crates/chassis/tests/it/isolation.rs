//! What keeps two tenants apart in the database, whoever ran the migrations.

use std::time::Duration;

use huiyin_chassis::{Database, Tenant, config, db::DatabaseConfig};
use sqlx::{Connection as _, PgConnection};

async fn connect(url: &str, migrate: bool) -> anyhow::Result<Database> {
    let config: DatabaseConfig = config::parse("test", &format!("url = \"{url}\"\nmigrate = {migrate}")).unwrap();
    Database::connect(&config, Vec::new()).await
}

async fn execute(url: &str, statement: &'static str) {
    let mut owner = PgConnection::connect(url).await.unwrap();
    sqlx::query(statement).execute(&mut owner).await.unwrap();
}

#[tokio::test]
async fn a_service_does_not_serve_from_a_table_that_is_open_to_foreign_tenants() {
    let server = huiyin_testkit::database().await;
    let url = server.url();
    connect(&url, true).await.unwrap();
    execute(&url, "CREATE TABLE note (tenant_id text NOT NULL, text text NOT NULL)").await;
    let refused = connect(&url, false).await.unwrap_err().to_string();
    assert!(refused.contains("without row-level security: note"), "{refused}");
    execute(&url, "SELECT chassis.isolate_tenants()").await;
    connect(&url, false).await.unwrap();
}

#[tokio::test]
async fn a_table_that_does_not_say_whose_its_rows_are_is_refused() {
    let server = huiyin_testkit::database().await;
    let url = server.url();
    connect(&url, true).await.unwrap();
    execute(&url, "CREATE TABLE note (text text NOT NULL)").await;
    let refused = format!("{:#}", connect(&url, true).await.unwrap_err());
    assert!(refused.contains("whose are its rows"), "{refused}");
}

#[tokio::test]
async fn a_tenant_sees_and_writes_its_own_rows_alone_and_a_worker_none() {
    let server = huiyin_testkit::database().await;
    let url = server.url();
    connect(&url, true).await.unwrap();
    execute(&url, "CREATE TABLE note (tenant_id text NOT NULL, text text NOT NULL)").await;
    let database = connect(&url, true).await.unwrap();
    let (acme, globex) = (Tenant::stored("acme").unwrap(), Tenant::stored("globex").unwrap());

    let mut tx = database.tenant(&acme).await.unwrap();
    let own = "INSERT INTO note VALUES ('acme', 'ours')";
    sqlx::query(own).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = database.tenant(&acme).await.unwrap();
    let foreign = "INSERT INTO note VALUES ('globex', 'not ours')";
    assert!(sqlx::query(foreign).execute(&mut *tx).await.is_err());
    tx.rollback().await;

    // Without a word about the tenant in the statement.
    let count = "SELECT count(*) FROM note";
    for (tenant, expected) in [(&acme, 1_i64), (&globex, 0)] {
        let mut tx = database.tenant(tenant).await.unwrap();
        let seen: i64 = sqlx::query_scalar(count).fetch_one(&mut *tx).await.unwrap();
        assert_eq!(seen, expected, "{}", tenant.key());
        tx.rollback().await;
    }
    let mut tx = database.worker().await.unwrap();
    assert!(sqlx::query_scalar::<_, i64>(count).fetch_one(&mut *tx).await.is_err());
}

/// A call that ends while its transaction begins, because its caller left or its deadline passed, leaves nothing behind: the next
/// transaction on that connection is its own.
#[tokio::test]
async fn a_transaction_whose_beginning_is_cut_is_over() {
    let server = huiyin_testkit::database().await;
    let url = server.url();
    let database = connect(&url, true).await.unwrap();
    let acme = Tenant::stored("acme").unwrap();
    for round in 0..40 {
        let mut beginning = std::pin::pin!(database.tenant(&acme));
        // Cut a little later each time.
        for _ in 0..round {
            if futures::poll!(&mut beginning).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    let mut owner = PgConnection::connect(&url).await.unwrap();
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    huiyin_testkit::eventually("no transaction is open", Duration::from_secs(10), async || {
        let open: i64 = sqlx::query_scalar(open).fetch_one(&mut owner).await.unwrap();
        (open == 0).then_some(())
    })
    .await;
}
