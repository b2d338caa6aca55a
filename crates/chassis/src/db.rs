//! The room's own Postgres: pool, migrations, and transactions that see one tenant and no other.

mod migrations;

use std::{
    ops::{Deref, DerefMut},
    time::Duration,
};

use anyhow::Context as _;
use schemars::JsonSchema;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sqlx::{
    AssertSqlSafe, PgConnection, PgPool, Postgres, SqlSafeStr as _,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};

pub use self::migrations::Migrations;
use crate::{
    error::{Refusal, has_code},
    name::Tenant,
};

/// Where the room's database is.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `postgres://user:password@host:port/database`. The user owns the schema or, where migrations run elsewhere, is a
    /// member of `huiyin_app` and `huiyin_worker`.
    #[schemars(with = "String")]
    pub url: SecretString,
    /// The most connections that this process opens, but for the few that serve one task alone.
    #[serde(default = "default_connections")]
    pub max_connections: u32,
    /// False where a migration job runs before: then a database that is behind refuses the start.
    #[serde(default = "default_migrate")]
    pub migrate: bool,
}

fn default_connections() -> u32 {
    16
}

fn default_migrate() -> bool {
    true
}

/// The room's database.
#[derive(Debug, Clone)]
pub struct Database {
    pool: PgPool,
}

impl Database {
    /// Connects, brings the schema up to date, and closes it to foreign tenants. Waits up to a minute for a server that is
    /// still coming up.
    ///
    /// # Errors
    /// Where the server cannot be reached in time, a migration fails, or a table does not say whose its rows are.
    pub async fn connect(config: &DatabaseConfig, migrations: Vec<Migrations>) -> anyhow::Result<Self> {
        let options: PgConnectOptions = config.url.expose_secret().parse().context("the database url")?;
        let pool = PgPoolOptions::new()
            .max_connections(config.max_connections)
            .acquire_timeout(Duration::from_secs(10))
            // A statement on a connection that the server closed behind our back fails; asking first costs a round trip per
            // transaction. The first statement of every transaction is ours, and [`Database::begin`] tries it once more.
            .test_before_acquire(false)
            .connect_lazy_with(options);
        let database = Self { pool };
        database.wait().await?;
        migrations::settle(&database.pool, migrations, config.migrate).await?;
        Ok(database)
    }

    /// The same database by connections of its own, `connections` at most, which are served by the thread that uses them first:
    /// for [`Tasks::spawn_apart`].
    ///
    /// [`Tasks::spawn_apart`]: crate::Tasks::spawn_apart
    #[must_use]
    pub fn apart(&self, connections: u32) -> Self {
        let pool = self.pool.options().clone().max_connections(connections);
        Self {
            pool: pool.connect_lazy_with((*self.pool.connect_options()).clone()),
        }
    }

    async fn wait(&self) -> anyhow::Result<()> {
        for attempt in 1u32.. {
            match sqlx::query("SELECT 1").execute(&self.pool).await {
                Ok(_) => return Ok(()),
                Err(error) if attempt >= 60 => return Err(error).context("the database cannot be reached"),
                Err(error) => {
                    tracing::info!(attempt, %error, "waiting for the database");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
        Ok(())
    }

    /// Begins a transaction that sees the rows of `tenant` and no other.
    ///
    /// # Errors
    /// UNAVAILABLE where the database cannot be reached.
    pub async fn tenant(&self, tenant: &Tenant) -> Result<Transaction, Refusal> {
        // A tenant's key holds nothing that would need quoting: see `Tenant`.
        self.begin(format!(
            "BEGIN; SET LOCAL ROLE huiyin_app; SET LOCAL huiyin.tenant = '{}'",
            tenant.key()
        ))
        .await
    }

    /// Begins a transaction that sees the work of all tenants (event log, cursors, timers) and, of a room's rows, no more than its
    /// queues and gauges need; [`Transaction::enter`] takes it into a tenant.
    ///
    /// # Errors
    /// UNAVAILABLE where the database cannot be reached.
    pub async fn worker(&self) -> Result<Transaction, Refusal> {
        self.begin("BEGIN; SET LOCAL ROLE huiyin_worker".to_owned()).await
    }

    async fn begin(&self, statement: String) -> Result<Transaction, Refusal> {
        let mut statement = statement;
        // Nothing has happened yet when a BEGIN fails: on another connection it may go well.
        for _ in 0..self.pool.options().get_max_connections() {
            match begin_on(self.pool.acquire().await?, statement.clone()).await {
                Ok(inner) => {
                    return Ok(Transaction {
                        inner,
                        on_commit: Vec::new(),
                    });
                }
                // Of a transaction that could not say whose it is; sqlx does not know that it had begun.
                Err(error) if has_code(&error, &["25P02"]) => statement = format!("ROLLBACK; {statement}"),
                // The server closed this connection while nobody looked.
                Err(sqlx::Error::Io(_) | sqlx::Error::Protocol(_)) => {}
                Err(error) if has_code(&error, &["08", "57P"]) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Refusal::unavailable(
            "no connection of the pool could begin a transaction",
        ))
    }

    /// A connection of its own, outside the pool, for what must be held for long: an advisory lock, a LISTEN.
    ///
    /// # Errors
    /// UNAVAILABLE where the database cannot be reached.
    pub async fn dedicated_connection(&self) -> Result<PgConnection, Refusal> {
        use sqlx::ConnectOptions as _;
        Ok(self.pool.connect_options().connect().await?)
    }

    /// Hears what is said on a channel of the database, in whichever process it is said.
    ///
    /// # Errors
    /// UNAVAILABLE where the database cannot be reached.
    pub async fn listen(&self, channel: &str) -> Result<PgListener, Refusal> {
        // A pool of its own: a listener never gives its connection back.
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .connect_lazy_with((*self.pool.connect_options()).clone());
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.listen(channel).await?;
        Ok(listener)
    }

    /// How many connections of the pool are idle, and how many are in use.
    pub(crate) fn connections(&self) -> (u64, u64) {
        let idle = u64::try_from(self.pool.num_idle()).unwrap_or(u64::MAX);
        (idle, u64::from(self.pool.size()).saturating_sub(idle))
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// In a task of its own, which nobody cuts: a BEGIN that is cut on its way, because a caller left or a deadline passed, would
/// leave the connection in a transaction that neither the pool nor the next user knows of.
async fn begin_on(
    connection: PoolConnection<Postgres>,
    statement: String,
) -> sqlx::Result<sqlx::Transaction<'static, Postgres>> {
    let beginning = sqlx::Transaction::begin(connection, Some(AssertSqlSafe(statement).into_sql_str()));
    #[expect(clippy::disallowed_methods, reason = "joined here, or ended by its own rollback")]
    let beginning = tokio::task::spawn(beginning);
    beginning
        .await
        .map_err(|error| sqlx::Error::Io(std::io::Error::other(error)))?
}

/// A transaction of one tenant or of a worker. Dropped without a commit, it never happened.
pub struct Transaction {
    inner: sqlx::Transaction<'static, Postgres>,
    on_commit: Vec<Box<dyn FnOnce() + Send + Sync>>,
}

impl Transaction {
    /// From here on the transaction sees the rows of `tenant` and no other.
    ///
    /// # Errors
    /// UNAVAILABLE where the database is gone.
    pub async fn enter(&mut self, tenant: &Tenant) -> Result<(), Refusal> {
        sqlx::query("SELECT set_config('role', 'huiyin_app', true), set_config('huiyin.tenant', $1, true)")
            .bind(tenant.key())
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// From here on the transaction is a worker's again.
    ///
    /// # Errors
    /// UNAVAILABLE where the database is gone.
    pub async fn leave(&mut self) -> Result<(), Refusal> {
        sqlx::query("SELECT set_config('role', 'huiyin_worker', true), set_config('huiyin.tenant', '', true)")
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// Waits until no other transaction holds this name, and holds it until the end: for what only one may do at a time and that has
    /// no row of its own to lock. A name says what is done, and in which tenant: `customers/acme`.
    ///
    /// # Errors
    /// UNAVAILABLE where the database is gone.
    pub async fn hold(&mut self, name: &str) -> Result<(), Refusal> {
        sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
            .bind(name)
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// Something to do once the transaction is committed, such as waking whoever waits for its effect. It must not fail:
    /// a crash in between loses it.
    pub fn on_commit(&mut self, then: impl FnOnce() + Send + Sync + 'static) {
        self.on_commit.push(Box::new(then));
    }

    /// Makes it durable.
    ///
    /// # Errors
    /// UNAVAILABLE where the database is gone; whether it happened is then not known.
    pub async fn commit(self) -> Result<(), Refusal> {
        self.inner.commit().await?;
        for then in self.on_commit {
            then();
        }
        Ok(())
    }

    /// Makes it not have happened.
    pub async fn rollback(self) {
        // A connection that cannot roll back is closed by the pool, which rolls back.
        let _ = self.inner.rollback().await;
    }
}

impl std::fmt::Debug for Transaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Transaction")
    }
}

impl Deref for Transaction {
    type Target = PgConnection;
    fn deref(&self) -> &PgConnection {
        &self.inner
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.inner
    }
}
