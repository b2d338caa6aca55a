//! Runs a command with a private Postgres and Redis beside it, named in its environment: how `make test` runs the tests.

use std::{
    ffi::OsString,
    fs,
    io::IsTerminal as _,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{ExitCode, ExitStatus},
    time::Duration,
};

use anyhow::{Context as _, bail};
use huiyin_embedded::{Durability, Postgres, PostgresOptions, Process, Redis, Signal, is_alive, remove};
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "usage: with-servers [--folder DIR] [--] COMMAND [ARGUMENT…]

Runs COMMAND with a fresh Postgres and Redis that end with it, and passes its exit code on.
COMMAND finds them in HUIYIN_TEST_POSTGRES_URL and HUIYIN_TEST_REDIS_URL; one that is set already is left as it is.
  --folder DIR   keep the data in DIR and use it again (otherwise: a new folder in .huiyin, removed afterwards)";
const POSTGRES_URL: &str = "HUIYIN_TEST_POSTGRES_URL";
const REDIS_URL: &str = "HUIYIN_TEST_REDIS_URL";
/// Where folders of runs are, each with the number of its process behind it.
const RUN: &str = ".huiyin/test-";
/// How long the command may take to end when it is asked to.
const PATIENCE: Duration = Duration::from_secs(15);

/// What the command line asks for.
struct Arguments {
    folder: Option<PathBuf>,
    command: Vec<OsString>,
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_target(false)
        .without_time()
        .init();
    let Some(arguments) = parse(std::env::args_os().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(arguments).await {
        Ok(status) => code(status),
        Err(error) => {
            eprintln!("with-servers: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn parse(words: impl Iterator<Item = OsString>) -> Option<Arguments> {
    let mut words = words.peekable();
    let mut folder = None;
    while let Some(option) = words.next_if(|word| word.as_encoded_bytes().starts_with(b"-")) {
        match option.to_str()? {
            "--folder" => folder = Some(words.next()?.into()),
            "--" => break,
            _ => return None,
        }
    }
    let command: Vec<_> = words.collect();
    (!command.is_empty()).then_some(Arguments { folder, command })
}

async fn run(arguments: Arguments) -> anyhow::Result<ExitStatus> {
    // Before anything is started, so that no signal finds us unprepared.
    let mut signals = Signals::new()?;
    let (folder, is_ours) = match arguments.folder {
        Some(folder) => (folder, false),
        None => (PathBuf::from(format!("{RUN}{}", std::process::id())), true),
    };
    remove_leftovers();
    let result = async {
        let mut servers = tokio::select! {
            servers = Servers::start(&folder) => servers?,
            signal = signals.next() => bail!("ended by {signal:?} before the servers were up"),
        };
        let status = play(&arguments.command, &servers, &mut signals).await;
        servers.stop().await;
        status
    }
    .await;
    if is_ours {
        clear(&folder)?;
    }
    result
}

/// Runs the command to its end, or to ours.
async fn play(command: &[OsString], servers: &Servers, signals: &mut Signals) -> anyhow::Result<ExitStatus> {
    let [program, arguments @ ..] = command else {
        bail!("no command")
    };
    let mut command = Process::command(program, Signal::TERM);
    command.args(arguments).envs(servers.environment());
    // Started by `cargo run`, we hold what Cargo tells a program of its package. To a Cargo below us that is a change
    // of the environment that build scripts watch, and half the dependencies would be built again.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") || name.to_string_lossy().starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    let name = program.to_string_lossy();
    let child = Process::spawn(command, Signal::TERM).with_context(|| format!("could not run {name}"))?;
    let signal = tokio::select! {
        status = child.ended() => return Ok(status),
        signal = signals.next() => signal,
    };
    // Ctrl-C in a terminal reaches the command without us; twice means "at once" to many programs.
    if signal == Signal::INT && std::io::stdin().is_terminal() {
        let _ = tokio::time::timeout(PATIENCE, child.ended()).await;
    }
    if child.status().is_none() {
        child.stop(&[(signal, PATIENCE), (Signal::TERM, PATIENCE)]).await;
    }
    Ok(child.ended().await)
}

/// The servers that we started; one whose URL was given is not ours.
struct Servers {
    postgres: Option<Postgres>,
    redis: Option<Redis>,
}

impl Servers {
    async fn start(folder: &Path) -> anyhow::Result<Self> {
        let options = PostgresOptions::new(Durability::None);
        let postgres = match std::env::var_os(POSTGRES_URL) {
            Some(_) => None,
            None => Some(Postgres::start(&folder.join("postgres"), options).await?),
        };
        let redis = match std::env::var_os(REDIS_URL) {
            Some(_) => None,
            None => {
                let redis = Redis::start(&folder.join("redis")).await?;
                if redis.is_none() {
                    tracing::warn!(
                        "no redis-server is installed: what needs it will fail (sudo apt-get install redis-server)"
                    );
                }
                redis
            }
        };
        Ok(Self { postgres, redis })
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        let postgres = self
            .postgres
            .iter()
            .map(|postgres| (POSTGRES_URL, postgres.url("postgres")));
        let redis = self.redis.iter().map(|redis| (REDIS_URL, redis.url()));
        postgres.chain(redis).collect()
    }

    async fn stop(&mut self) {
        if let Some(redis) = &mut self.redis {
            redis.stop().await;
        }
        if let Some(postgres) = &mut self.postgres {
            postgres.stop().await;
        }
    }
}

/// The signals that ask us to end.
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::INT,
            _ = self.terminate.recv() => Signal::TERM,
        }
    }
}

/// Removes what our run left on disk.
fn clear(folder: &Path) -> anyhow::Result<()> {
    // Postgres may have kept its data elsewhere: `remove` knows.
    remove(&folder.join("postgres"))?;
    remove(folder)
}

/// Removes the folders of runs that were killed before they could; one that resists is no reason not to run.
fn remove_leftovers() {
    for entry in fs::read_dir(".huiyin").into_iter().flatten().flatten() {
        let path = entry.path();
        let is_dead = path
            .to_str()
            .and_then(|path| path.strip_prefix(RUN))
            .and_then(|pid| pid.parse().ok())
            .is_some_and(|pid| !is_alive(pid));
        if is_dead && let Err(error) = clear(&path) {
            tracing::warn!(folder = %path.display(), "could not remove the leftovers of an earlier run: {error:#}");
        }
    }
}

/// The code that a shell would report.
fn code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from)
}
