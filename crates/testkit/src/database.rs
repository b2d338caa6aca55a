//! A fresh database for one test, in the Postgres that `make test` runs.

use std::{sync::mpsc, thread, time::Duration};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::name;

/// Names the server, with the superuser's rights; `make test` sets it.
const SERVER: &str = "HUIYIN_TEST_POSTGRES_URL";

/// A test that ends waits this long for its database to go.
const LONGEST_DROP: Duration = Duration::from_secs(2);

/// A database that is dropped with this value, whoever is still connected.
#[derive(Debug)]
pub struct Database {
    server: String,
    name: String,
    is_dropped: bool,
}

/// Makes an empty database named `t_…`.
///
/// # Panics
/// Outside `make test` (the server is not known), or when the server does not answer.
pub async fn database() -> Database {
    // template0: nobody can be connected to it, so tests may do this at the same time.
    made_from("template0").await
}

/// A copy of a database as it is now, as a backup is, or what is restored from one. Who is connected to it loses the connection.
///
/// # Panics
/// As [`database`].
pub async fn copy_of(url: &str) -> Database {
    let (_, name) = url.rsplit_once('/').unwrap_or_default();
    let mut connection = PgConnection::connect(&server()).await.unwrap();
    sqlx::query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1")
        .bind(name)
        .execute(&mut connection)
        .await
        .unwrap();
    made_from(name).await
}

fn server() -> String {
    std::env::var(SERVER).unwrap_or_else(|_| panic!("run through `make test` ({SERVER} is not set)"))
}

async fn made_from(template: &str) -> Database {
    let server = server();
    let name = name::unique("t");
    execute(&server, &format!("CREATE DATABASE {name} TEMPLATE {template}"))
        .await
        .unwrap_or_else(|error| panic!("could not make a database for the test: {error}"));
    Database {
        server,
        name,
        is_dropped: false,
    }
}

impl Database {
    /// Its URL, the superuser's.
    pub fn url(&self) -> String {
        let (address, _) = self.server.rsplit_once('/').unwrap_or((&self.server, ""));
        format!("{address}/{}", self.name)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Drops it now.
    ///
    /// # Panics
    /// The server does not answer.
    pub async fn close(mut self) {
        self.is_dropped = true;
        execute(&self.server, &drop_statement(&self.name))
            .await
            .unwrap_or_else(|error| panic!("could not drop the test's database: {error}"));
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if self.is_dropped {
            return;
        }
        let (server, statement) = (self.server.clone(), drop_statement(&self.name));
        // A runtime of its own: the test's may be on its way out, and must not be blocked.
        let (done, outcome) = mpsc::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let outcome = runtime
                .map_err(sqlx::Error::Io)
                .and_then(|runtime| runtime.block_on(execute(&server, &statement)));
            // Nobody listens where it took too long.
            let _ = done.send(outcome);
        });
        // Not longer: a connection that the test was just opening stands still while we wait, and Postgres drops nothing
        // before that one has signed in or given up (a minute). The server itself is thrown away after the run.
        // A panic here would hide the test's own.
        if let Ok(Err(error)) = outcome.recv_timeout(LONGEST_DROP) {
            eprintln!("could not drop the database {}: {error}", self.name);
        }
    }
}

fn drop_statement(name: &str) -> String {
    format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")
}

/// `statement` holds no value from outside: only names made by [`name::unique`].
async fn execute(server: &str, statement: &str) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect(server).await?;
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
    connection.close().await
}
