//! What stands before the first line of domain code, once for all services.
//!
//! A service is `start(config, context) -> Running`; [`main`] runs one as a process, `huiyin up` runs all six in one, and
//! tests call the same `start`. In the order in which a call meets it: [`server`] (and its pipeline), [`auth`], [`access`],
//! then the room, which uses [`name`], [`listing`], [`repeat`], [`db`], [`shelf`], [`timer`], [`operations`],
//! [`client`] and answers with [`error`].

pub mod access;
pub mod auth;
pub mod call;
pub mod client;
pub mod clock;
pub mod config;
pub mod db;
pub mod error;
pub mod listing;
pub mod mask;
pub mod name;
pub mod operations;
pub mod repeat;
pub mod secret;
pub mod server;
pub mod service;
pub mod shelf;
pub mod sql;
pub mod tasks;
pub mod telemetry;
pub mod timer;

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, process::ExitCode};

pub use auth::Caller;
pub use clock::Clock;
pub use config::ServiceConfig;
pub use db::{Database, Migrations, Transaction};
pub use error::Refusal;
pub use huiyin_proto::enums;
pub use name::Tenant;
pub use operations::Operations;
pub use service::Service;
pub use tasks::{MoreToDo, Shutdown, Tasks};

use serde::de::DeserializeOwned;

// This crate's own tests get it from the chassis that the test kit brings along.
#[cfg(not(test))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What a service gets from whoever runs it.
#[derive(Debug, Clone)]
pub struct Context {
    /// Where it takes the time from.
    pub clock: Clock,
    /// Who tells it to end.
    pub shutdown: Shutdown,
}

/// A service that runs.
#[derive(Debug)]
pub struct Running {
    /// Its name, e.g. `intake`.
    pub name: &'static str,
    /// Where it serves gRPC.
    pub address: SocketAddr,
    /// Where else it listens, by what is served there, e.g. `http`.
    pub others: BTreeMap<&'static str, SocketAddr>,
    tasks: Tasks,
    shutdown: Shutdown,
}

impl Running {
    /// A service whose tasks have been started.
    #[must_use]
    pub fn new(name: &'static str, address: SocketAddr, tasks: Tasks, shutdown: Shutdown) -> Self {
        Self {
            name,
            address,
            others: BTreeMap::new(),
            tasks,
            shutdown,
        }
    }

    /// Waits until it has ended, by itself or because the shutdown was requested.
    ///
    /// # Errors
    /// What its first failing task failed with.
    pub async fn ended(&mut self) -> anyhow::Result<()> {
        self.tasks.join().await
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Errors
    /// As [`Running::ended`].
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.shutdown.request();
        self.ended().await
    }

    /// Ends it at once, as a crash would.
    pub fn kill(mut self) {
        self.tasks.abort();
    }
}

/// The `main` of a service's own process: `--config FILE`, telemetry, start, SIGTERM or Ctrl-C, drain.
///
/// Prints one line with the address once it serves, for whoever started it on port 0.
pub fn main<C, F, Fut>(service: &'static str, start: F) -> ExitCode
where
    C: DeserializeOwned,
    F: FnOnce(C, Context) -> Fut,
    Fut: Future<Output = anyhow::Result<Running>>,
{
    let outcome = tokio::runtime::Runtime::new()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(run(service, start)));
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

async fn run<C, F, Fut>(service: &'static str, start: F) -> anyhow::Result<()>
where
    C: DeserializeOwned,
    F: FnOnce(C, Context) -> Fut,
    Fut: Future<Output = anyhow::Result<Running>>,
{
    install_crypto();
    let file = config_file()?;
    let process: config::ProcessConfig = config::load("process", process_file(file.as_deref()).as_deref())?;
    // Flushed whether or not the body fails: the trace of a failure is the one that is wanted.
    let telemetry = telemetry::start(service, &process.telemetry)?;
    let outcome = async {
        let context = Context {
            clock: Clock::system(),
            shutdown: Shutdown::new(),
        };
        let shutdown = context.shutdown.clone();
        let mut running = start(config::load(service, file.as_deref())?, context).await?;
        tracing::info!(service, address = %running.address, "serving");
        #[expect(clippy::print_stdout, reason = "whoever started us on port 0 reads the address here")]
        {
            println!("{{\"service\":\"{service}\",\"address\":\"{}\"}}", running.address);
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

/// `--config FILE`, or `HUIYIN_CONFIG`.
fn config_file() -> anyhow::Result<Option<PathBuf>> {
    let mut arguments = std::env::args_os().skip(1);
    match (arguments.next(), arguments.next()) {
        (None, _) => Ok(std::env::var_os("HUIYIN_CONFIG").map(PathBuf::from)),
        (Some(flag), Some(file)) if flag == "--config" => Ok(Some(PathBuf::from(file))),
        _ => anyhow::bail!("usage: [--config FILE]"),
    }
}

/// `process.toml` beside the service's file, where there is one.
fn process_file(file: Option<&std::path::Path>) -> Option<PathBuf> {
    file.map(|file| file.with_file_name("process.toml"))
        .filter(|file| file.exists())
}

/// Ends when the process is asked to: SIGTERM or Ctrl-C.
pub async fn termination() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

/// Chooses the cryptography of TLS for the process; doing it again changes nothing.
pub fn install_crypto() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
