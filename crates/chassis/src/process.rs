//! A service's own process: it serves or, asked otherwise, migrates its database, checks its configuration, or says what can be
//! configured.

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    Clock, Context, Database, Migrations, Running, Shutdown,
    config::{self, ProcessConfig},
    db::DatabaseConfig,
    install_crypto, telemetry, termination,
};

/// Serves until SIGTERM or Ctrl-C, and then until its calls under way have ended.
#[derive(Debug, Parser)]
#[command(version)]
struct Command {
    #[command(flatten)]
    files: Files,
    #[command(subcommand)]
    instead: Option<Instead>,
}

/// What to do instead of serving.
#[derive(Debug, Subcommand)]
enum Instead {
    /// Bring the database up to date and end. Of the configuration only the section `service.database` is read; its user must own
    /// the schema.
    Migrate,
    /// Read the configuration as serving would, say what is wrong with it, and end. Nothing is connected to.
    Check,
    /// Print the JSON Schema of the configuration file, and end.
    ConfigSchema {
        /// That of `process.toml` instead.
        #[arg(long)]
        process: bool,
    },
}

#[derive(Debug, Args)]
struct Files {
    /// The configuration file; `process.toml` beside it says what concerns the process as a whole.
    #[arg(long, env = "HUIYIN_CONFIG", global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Files {
    fn service<C: DeserializeOwned>(&self, service: &str) -> anyhow::Result<C> {
        config::load(service, self.config.as_deref())
    }

    fn process(&self) -> anyhow::Result<ProcessConfig> {
        let beside = self.config.as_deref().map(|file| file.with_file_name("process.toml"));
        config::load("process", beside.filter(|file| file.exists()).as_deref())
    }
}

/// The `main` of a service.
///
/// Prints one line with its addresses once it serves, for whoever started it on port 0.
pub fn main<C, F, Fut>(service: &'static str, migrations: fn() -> Vec<Migrations>, start: F) -> ExitCode
where
    C: DeserializeOwned + JsonSchema,
    F: FnOnce(C, Context) -> Fut,
    Fut: Future<Output = anyhow::Result<Running>>,
{
    let Command { files, instead } = Command::parse();
    let outcome = tokio::runtime::Runtime::new()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| match instead {
            None => runtime.block_on(serve(service, &files, start)),
            Some(Instead::Migrate) => runtime.block_on(migrate(service, &files, migrations())),
            Some(Instead::Check) => check::<C>(service, &files),
            Some(Instead::ConfigSchema { process: false }) => print(&schemars::schema_for!(C)),
            Some(Instead::ConfigSchema { process: true }) => print(&schemars::schema_for!(ProcessConfig)),
        });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "failed");
            #[expect(clippy::print_stderr, reason = "telemetry may not have come up")]
            {
                eprintln!("{service}: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}

async fn serve<C, F, Fut>(service: &'static str, files: &Files, start: F) -> anyhow::Result<()>
where
    C: DeserializeOwned,
    F: FnOnce(C, Context) -> Fut,
    Fut: Future<Output = anyhow::Result<Running>>,
{
    install_crypto();
    // Flushed whether or not the body fails: the trace of a failure is the one that is wanted.
    let telemetry = telemetry::start(service, &files.process()?.telemetry)?;
    let outcome = async {
        let context = Context {
            clock: Clock::system(),
            shutdown: Shutdown::new(),
        };
        let shutdown = context.shutdown.clone();
        let mut running = start(files.service(service)?, context).await?;
        tracing::info!(service, address = %running.address, "serving");
        #[expect(clippy::print_stdout, reason = "whoever started us on port 0 reads the address here")]
        {
            println!("{}", whereabouts(&running));
        }
        tokio::select! {
            ended = running.ended() => return ended,
            () = termination() => shutdown.request(),
        }
        running.ended().await
    }
    .await;
    telemetry.flush();
    outcome
}

/// Where it is to be found, as JSON: `{"service": "intake", "address": "…", "http": "…", "probes": "…"}`.
fn whereabouts(running: &Running) -> Value {
    let mut found = json!({"service": running.name, "address": running.address});
    for (what, address) in &running.others {
        found[what] = json!(address);
    }
    found
}

/// Of a configuration, what a migration needs.
#[derive(Debug, Deserialize)]
struct Migrated {
    service: MigratedService,
}

#[derive(Debug, Deserialize)]
struct MigratedService {
    database: DatabaseConfig,
}

async fn migrate(service: &'static str, files: &Files, migrations: Vec<Migrations>) -> anyhow::Result<()> {
    install_crypto();
    let telemetry = telemetry::start(service, &files.process()?.telemetry)?;
    let outcome = async {
        let Migrated { service: config } = files.service(service)?;
        let config = DatabaseConfig {
            migrate: true,
            ..config.database
        };
        Database::connect(&config, migrations).await?.close().await;
        tracing::info!(service, "migrated");
        anyhow::Ok(())
    }
    .await;
    telemetry.flush();
    outcome
}

fn check<C: DeserializeOwned>(service: &str, files: &Files) -> anyhow::Result<()> {
    files.process()?;
    files.service::<C>(service)?;
    Ok(())
}

fn print(schema: &Schema) -> anyhow::Result<()> {
    Ok(writeln!(
        std::io::stdout(),
        "{}",
        serde_json::to_string_pretty(schema)?
    )?)
}
