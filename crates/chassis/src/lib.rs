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
pub mod gauges;
pub mod listing;
pub mod mask;
pub mod name;
pub mod operations;
mod process;
pub mod rate;
pub mod repeat;
pub mod secret;
pub mod server;
pub mod service;
pub mod shelf;
pub mod sql;
pub mod tasks;
pub mod telemetry;
pub mod timer;
pub mod tls;
pub mod update;

use std::{collections::BTreeMap, net::SocketAddr};

pub use auth::Caller;
pub use clock::Clock;
pub use config::ServiceConfig;
pub use db::{Database, Migrations, Transaction};
pub use error::Refusal;
pub use huiyin_proto::enums;
pub use name::Tenant;
pub use operations::Operations;
pub use process::main;
pub use service::Service;
pub use tasks::{MoreToDo, Shutdown, Tasks};

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
