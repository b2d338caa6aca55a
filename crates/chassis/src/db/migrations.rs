//! What the schema of a room's database is brought to before the room serves from it.

use std::time::Duration;

use anyhow::Context as _;
use futures::{FutureExt as _, future::BoxFuture};
use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, PgPool,
    migrate::{MigrateError, Migrator},
};

use crate::error::has_code;

/// A change of the schema waits this long for a lock,
const LOCK_TIMEOUT: &str = "SET lock_timeout = '2s'";
/// and begins again after this,
const CHANGE_PAUSE: Duration = Duration::from_secs(1);
/// so often: for a quarter of an hour.
const CHANGE_ATTEMPTS: u32 = 300;

/// The migrations of one owner: they live in that owner's crate, embedded with `sqlx::migrate!`.
#[derive(Debug)]
pub struct Migrations {
    /// The schema that they belong to; the room's own is `public`.
    pub schema: &'static str,
    /// The migrations.
    pub migrator: Migrator,
}

impl Migrations {
    /// Where it is noted which of them were applied.
    fn table(&self) -> String {
        match self.schema {
            "public" => "public._sqlx_migrations".to_owned(),
            schema => format!("{schema}.applied_migration"),
        }
    }
}

/// The chassis' own migrations; they come first.
fn chassis_migrations() -> Migrations {
    Migrations {
        schema: "chassis",
        migrator: sqlx::migrate!(),
    }
}

/// Brings the schema up to date where `migrate` says so, and closes it to foreign tenants; otherwise sees that both was done.
pub(super) async fn settle(pool: &PgPool, of_room: Vec<Migrations>, migrate: bool) -> anyhow::Result<()> {
    let mut all = vec![chassis_migrations()];
    all.extend(of_room);
    let tables: Vec<String> = all.iter().map(Migrations::table).collect();
    for (Migrations { schema, mut migrator }, table) in all.into_iter().zip(&tables) {
        if schema != "public" {
            migrator.dangerous_set_table_name(table.clone());
        }
        if schema != "public" && migrate {
            create_schema(pool, schema).await?;
        }
        if migrate {
            // A version that was rolled back finds the database ahead, and serves from it: migrations only add.
            migrator.set_ignore_missing(true);
            patiently(|| apply(pool, &migrator).boxed())
                .await
                .with_context(|| format!("migrations of schema {schema}"))?;
        } else {
            require_applied(pool, schema, table, &migrator).await?;
        }
    }
    if migrate {
        patiently(|| open_to_services(pool, &tables).boxed()).await?;
    }
    require_isolated(pool).await
}

/// Where two first starts do so at once, Postgres lets the second wait and then says that it is there.
async fn create_schema(pool: &PgPool, schema: &str) -> Result<(), sqlx::Error> {
    let statement = AssertSqlSafe(format!("CREATE SCHEMA IF NOT EXISTS {schema}"));
    match sqlx::query(statement).execute(pool).await {
        Err(error) if !has_code(&error, &["23505", "42P06"]) => Err(error),
        _ => Ok(()),
    }
}

/// Applies what is missing.
async fn apply(pool: &PgPool, migrator: &Migrator) -> Result<(), MigrateError> {
    let mut connection = impatient_connection(pool).await?;
    let outcome = migrator.run_direct(None, &mut connection, false).await;
    // With it goes, where the migration failed, the lock that migrators hold against each other.
    connection.close().await?;
    outcome
}

/// What comes after migrations: every table of the room is behind row-level security, and whoever serves without owning the
/// schema may read what was applied.
async fn open_to_services(pool: &PgPool, tables: &[String]) -> Result<(), MigrateError> {
    let mut connection = impatient_connection(pool).await?;
    let mut tx = connection.begin().await?;
    // Replicas that start at the same time take turns.
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('huiyin/migrated', 0))")
        .execute(&mut *tx)
        .await?;
    sqlx::query("SELECT chassis.isolate_tenants()")
        .execute(&mut *tx)
        .await?;
    for table in tables {
        sqlx::raw_sql(AssertSqlSafe(format!(
            // The default of the schema would let it write, too.
            "REVOKE ALL ON {table} FROM huiyin_app; GRANT SELECT ON {table} TO huiyin_app"
        )))
        .execute(&mut *tx)
        .await?;
    }
    tx.commit().await?;
    connection.close().await?;
    Ok(())
}

/// A connection of its own that waits for no lock for long.
async fn impatient_connection(pool: &PgPool) -> sqlx::Result<PgConnection> {
    let mut connection = pool.acquire().await?.detach();
    sqlx::query(LOCK_TIMEOUT).execute(&mut connection).await?;
    Ok(connection)
}

/// A change of a table that waits for whoever reads it makes all wait who come after it: so it gives up soon, and begins again. So it
/// does where it and others wait for each other.
async fn patiently<'a>(change: impl Fn() -> BoxFuture<'a, Result<(), MigrateError>>) -> Result<(), MigrateError> {
    for attempt in 1.. {
        match change().await {
            Err(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _))
                if has_code(&error, &["55P03", "40P01"]) && attempt < CHANGE_ATTEMPTS =>
            {
                tracing::info!(attempt, "a change of the schema waits for a lock that others hold");
                tokio::time::sleep(CHANGE_PAUSE).await;
            }
            outcome => return outcome,
        }
    }
    Ok(()) // not reached: the loop returns
}

async fn require_applied(pool: &PgPool, schema: &str, table: &str, migrator: &Migrator) -> anyhow::Result<()> {
    let newest: Option<i64> =
        sqlx::query_scalar(AssertSqlSafe(format!("SELECT max(version) FROM {table} WHERE success")))
            .fetch_one(pool)
            .await
            .with_context(|| format!("schema {schema} has never been migrated"))?;
    let wanted = migrator.iter().map(|migration| migration.version).max();
    anyhow::ensure!(
        newest >= wanted,
        "schema {schema} is at {newest:?}, this version needs {wanted:?}: run the migrations first"
    );
    Ok(())
}

/// Whoever ran the migrations, no service serves from a table that is open to foreign tenants.
async fn require_isolated(pool: &PgPool) -> anyhow::Result<()> {
    let open: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_class c
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> '_sqlx_migrations'
           AND NOT (c.relrowsecurity AND c.relforcerowsecurity
                    AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'tenant'))
         ORDER BY c.relname",
    )
    .fetch_all(pool)
    .await?;
    anyhow::ensure!(
        open.is_empty(),
        "tables without row-level security: {}; run SELECT chassis.isolate_tenants() after the migrations",
        open.join(", ")
    );
    Ok(())
}
