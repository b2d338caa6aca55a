//! `huiyin up`: servers, databases, all six services in one process, and how to talk to them.

use std::path::Path;

use anyhow::Context as _;
use clap::Args;
use huiyin_chassis::{
    Clock, Context, Running, Shutdown, config,
    telemetry::{self, LogFormat, TelemetryConfig},
};
use huiyin_embedded::{Durability, Postgres, PostgresOptions, Redis};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::{Files, SERVICES, Servers};

/// Which servers to stand on.
#[derive(Debug, Clone, Default, Args)]
pub struct UpOptions {
    /// A Postgres server of yours, e.g. `postgres://me:secret@localhost/postgres`; its user may create databases and roles.
    /// Without it a private one runs in the folder.
    #[arg(long, env = "HUIYIN_POSTGRES_URL", hide_env_values = true)]
    pub postgres_url: Option<String>,
    /// A Redis server of yours, e.g. `redis://localhost:6379`. Without it a private one runs, where Redis is installed.
    #[arg(long, env = "HUIYIN_REDIS_URL", hide_env_values = true)]
    pub redis_url: Option<String>,
    /// No Redis at all: events are read over gRPC.
    #[arg(long, conflicts_with = "redis_url")]
    pub no_redis: bool,
    /// Where traces, metrics and logs go, e.g. `http://localhost:4317`.
    #[arg(long, env = "HUIYIN_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<String>,
    /// More of a service's configuration, TOML; for what measures one setting against another.
    #[arg(skip)]
    pub more: Vec<(&'static str, &'static str)>,
}

/// A suite that runs in this process.
#[derive(Debug)]
pub struct Up {
    /// Its folder.
    pub files: Files,
    servers: Servers,
    running: Vec<Running>,
    shutdown: Shutdown,
    postgres: Option<Postgres>,
    redis: Option<Redis>,
}

/// Runs the suite until Ctrl-C or SIGTERM.
///
/// # Errors
/// Whatever keeps it from starting, or the first failure of a service.
pub async fn up(folder: &Path, options: UpOptions) -> anyhow::Result<()> {
    let telemetry = TelemetryConfig {
        otlp_endpoint: options.otlp_endpoint.clone(),
        format: LogFormat::Pretty,
        filter: "warn,huiyin=info".to_owned(),
        ..TelemetryConfig::default()
    };
    let telemetry = telemetry::start("huiyin", &telemetry)?;
    let outcome = async {
        let mut up = Up::start(folder, options).await?;
        up.print()?;
        tokio::select! {
            ended = up.ended() => ended?,
            () = huiyin_chassis::termination() => {}
        }
        println!("draining …");
        up.stop().await
    }
    .await;
    telemetry.flush();
    outcome
}

impl Up {
    /// Starts everything.
    ///
    /// # Errors
    /// Whatever keeps it from starting.
    pub async fn start(folder: &Path, options: UpOptions) -> anyhow::Result<Self> {
        Self::start_only(folder, options, &SERVICES).await
    }

    /// Starts the servers and some of the services.
    ///
    /// # Errors
    /// Whatever keeps them from starting.
    pub async fn start_only(folder: &Path, options: UpOptions, services: &[&str]) -> anyhow::Result<Self> {
        let files = Files::open(folder)?;
        let mut postgres = None;
        let postgres_url = match options.postgres_url {
            Some(url) => url,
            None => {
                let options = PostgresOptions::new(Durability::Full);
                let server = Postgres::start(&files.folder().join("postgres"), options).await?;
                postgres.insert(server).url("postgres")
            }
        };
        let mut redis = None;
        let redis_url = match options.redis_url {
            _ if options.no_redis => None,
            Some(url) => Some(url),
            None => {
                redis = Redis::start(&files.folder().join("redis")).await?;
                redis.as_ref().map(Redis::url)
            }
        };
        let servers = Servers {
            postgres_url,
            redis_url,
            otlp_endpoint: options.otlp_endpoint,
        };
        create_databases(&servers).await?;
        files.settle_addresses()?;
        let configs = files.write_configs(&servers)?;

        let shutdown = Shutdown::new();
        let context = Context {
            clock: Clock::system(),
            shutdown: shutdown.clone(),
        };
        let mut running = Vec::new();
        for service in SERVICES.into_iter().filter(|service| services.contains(service)) {
            let mut text = configs.get(service).cloned().unwrap_or_default();
            text.extend(
                options
                    .more
                    .iter()
                    .filter(|(of, _)| *of == service)
                    .map(|(_, more)| *more),
            );
            running.push(
                start(service, &text, context.clone())
                    .await
                    .with_context(|| format!("{service} does not start"))?,
            );
        }
        Ok(Self {
            files,
            servers,
            running,
            shutdown,
            postgres,
            redis,
        })
    }

    /// The database of a service.
    #[must_use]
    pub fn database_url(&self, service: &str) -> String {
        self.servers.database_url(service)
    }

    /// Waits until a service has ended by itself.
    ///
    /// # Errors
    /// What it failed with.
    pub async fn ended(&mut self) -> anyhow::Result<()> {
        let endings = self.running.iter_mut().map(|running| {
            Box::pin(async move {
                let name = running.name;
                running.ended().await.with_context(|| format!("{name} failed"))
            })
        });
        futures::future::select_all(endings).await.0
    }

    /// Drains the services, then stops the servers that were started for them.
    ///
    /// # Errors
    /// The first failure of a service.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.shutdown.request();
        let mut outcome = Ok(());
        for running in self.running.drain(..) {
            outcome = outcome.and(running.stop().await);
        }
        if let Some(redis) = &mut self.redis {
            redis.stop().await;
        }
        if let Some(postgres) = &mut self.postgres {
            postgres.stop().await;
        }
        outcome
    }

    /// Says where everything is and how to talk to it.
    ///
    /// # Errors
    /// Where the folder is damaged.
    pub fn print(&self) -> anyhow::Result<()> {
        let folder = self.files.folder().display();
        println!("Huiyin 回音 is up.\n");
        for running in &self.running {
            println!("  {:<13} {}", running.name, running.address);
        }
        println!("\n  folder        {folder}");
        println!("  admin token   {folder}/admin.token   (tenant demo; more: huiyin token --help)\n");
        if let Some(intake) = self.running.first() {
            println!("Try it:\n  grpcurl -plaintext -H \"authorization: Bearer $(cat {folder}/admin.token)\" \\");
            println!(
                "    -d '{{\"parent\":\"tenants/demo\",\"feedback\":{{\"channel\":\"CHANNEL_WEB_FORM\",\"description\":\"新版本总是闪退\"}}}}' \\"
            );
            println!("    {} huiyin.intake.v1.IntakeService/CreateFeedback\n", intake.address);
        }
        Ok(())
    }
}

/// The `start` of each room: the same that its own process calls.
async fn start(service: &str, text: &str, context: Context) -> anyhow::Result<Running> {
    match service {
        "intake" => intake::start(config::parse(service, text)?, context).await,
        "classifier" => classifier::start(config::parse(service, text)?, context).await,
        "scheduler" => scheduler::start(config::parse(service, text)?, context).await,
        "notification" => notification::start(config::parse(service, text)?, context).await,
        "survey" => survey::start(config::parse(service, text)?, context).await,
        "analytics" => analytics::start(config::parse(service, text)?, context).await,
        _ => anyhow::bail!("there is no such service"),
    }
}

/// Makes the six databases where they are missing.
///
/// # Errors
/// Where the server cannot be reached or its user may not make them.
pub async fn create_databases(servers: &Servers) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(&servers.postgres_url)
        .await
        .context("the postgres server")?;
    for service in SERVICES {
        let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
            .bind(format!("huiyin_{service}"))
            .fetch_one(&mut connection)
            .await?;
        if !exists {
            // The name holds nothing from outside.
            sqlx::query(AssertSqlSafe(format!(
                "CREATE DATABASE huiyin_{service} TEMPLATE template0 ENCODING 'UTF8'"
            )))
            .execute(&mut connection)
            .await?;
        }
    }
    Ok(connection.close().await?)
}
