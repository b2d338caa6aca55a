//! A fresh database for one test, in the Postgres that `make test` runs.

use std::thread;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::name;

/// Names the server, with the superuser's rights; `make test` sets it.
const SERVER: &str = "HUIYIN_TEST_POSTGRES_URL";

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
    let Ok(server) = std::env::var(SERVER) else {
        panic!("run through `make test` ({SERVER} is not set)");
    };
    let name = name::unique("t");
    // template0: nobody can be connected to it, so tests may do this at the same time.
    execute(
        &server,
        &format!("CREATE DATABASE {name} TEMPLATE template0"),
    )
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
        let work = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime
                .map_err(sqlx::Error::Io)
                .and_then(|runtime| runtime.block_on(execute(&server, &statement)))
        });
        // A panic here would hide the test's own; the server itself is thrown away after the run.
        match work.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => eprintln!("could not drop the database {}: {error}", self.name),
            Err(_) => eprintln!("could not drop the database {}", self.name),
        }
    }
}

fn drop_statement(name: &str) -> String {
    format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")
}

/// `statement` holds no value from outside: only names made by [`name::unique`].
async fn execute(server: &str, statement: &str) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect(server).await?;
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&mut connection)
        .await?;
    connection.close().await
}
