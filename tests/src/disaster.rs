//! A suite is backed up while it runs, loses all its servers had, and is restored: with the same commands that an operator uses.

use std::{ffi::OsStr, path::Path};

use huiyin::suite::{SERVICES, Servers, create_databases};
use huiyin_embedded::{Postgres, Signal};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::{Suite, root};

impl Suite {
    /// `tools/backup` of one service; what it said.
    pub async fn back_up(&self, folder: &Path, service: &str) -> String {
        self.run_tool("backup", &[folder.as_os_str(), service.as_ref()]).await
    }

    /// Kills services, and leaves each an empty database. With all of them gone, Redis is empty too and the roles are missing, as
    /// on new servers.
    pub async fn lose(&self, services: &[&'static str]) {
        for service in services {
            let process = self.process(service);
            process.signal(Signal::KILL);
            process.ended().await;
        }
        let servers = Servers {
            postgres_url: self.postgres.lock().await.url("postgres"),
            redis_url: None,
            otlp_endpoint: None,
        };
        let mut server = PgConnection::connect(&servers.postgres_url).await.unwrap();
        for service in services {
            let statement = format!("DROP DATABASE huiyin_{service} WITH (FORCE)");
            sqlx::query(AssertSqlSafe(statement))
                .execute(&mut server)
                .await
                .unwrap();
        }
        if services.len() == SERVICES.len() {
            self.redis.lock().await.restart().await.unwrap();
            sqlx::query("DROP ROLE huiyin_app, huiyin_worker")
                .execute(&mut server)
                .await
                .unwrap();
        }
        create_databases(&servers).await.unwrap();
    }

    /// `tools/restore` of services, which are started then.
    pub async fn restore(&self, folder: &Path, services: &[&'static str]) {
        let arguments: Vec<&OsStr> = std::iter::once(folder.as_os_str())
            .chain(services.iter().map(OsStr::new))
            .collect();
        self.run_tool("restore", &arguments).await;
        for service in services {
            self.spawn(service);
        }
        for service in services {
            self.serving(service).await;
        }
    }

    async fn run_tool(&self, tool: &str, arguments: &[&OsStr]) -> String {
        let programs = Postgres::find().unwrap().folder().to_owned();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(programs).chain(std::env::split_paths(&path))).unwrap();
        let mut command = tokio::process::Command::new(root().join("tools").join(tool));
        command.args(arguments).env("PATH", path);
        for service in SERVICES {
            let variable = format!("HUIYIN_{}__SERVICE__DATABASE__URL", service.to_uppercase());
            command.env(variable, self.database_url(service).await);
        }
        let output = command.output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        said
    }
}
