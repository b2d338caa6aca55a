//! A private Postgres: one folder, one port on 127.0.0.1, one superuser; it ends with us.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt as _,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};

use crate::{
    account::Account,
    binaries::Binaries,
    initdb::{self, SUPERUSER},
    password,
    place::Place,
    port, predecessor,
    process::{Process, Signal},
};

/// Recovery after a crash included.
const START_LIMIT: Duration = Duration::from_secs(120);
/// A fast shutdown rolls back what runs and writes a checkpoint; then an immediate one, which recovers at the next start.
const STOP_STEPS: [(Signal, Duration); 2] = [
    (Signal::INT, Duration::from_secs(20)),
    (Signal::QUIT, Duration::from_secs(5)),
];
/// Starts that lose a race (for the port, or against a predecessor's last breath) are tried again this often.
const ATTEMPTS: u32 = 10;
const POLL: Duration = Duration::from_millis(10);

/// What a commit is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// An acknowledged commit survives a power cut.
    Full,
    /// Fast, for tests: it survives the end and the crash of the server, not that of the machine.
    None,
}

/// How to run the server.
#[derive(Debug, Clone, Copy)]
pub struct PostgresOptions {
    /// What a commit is worth.
    pub durability: Durability,
    /// Connections at the same time, superusers' included.
    pub max_connections: u16,
}

impl PostgresOptions {
    /// 300 connections: six services with a pool each, or a handful of tests at a time.
    pub fn new(durability: Durability) -> Self {
        Self {
            durability,
            max_connections: 300,
        }
    }
}

/// A running server. Dropping it stops it; [`Postgres::stop`] does so in peace.
#[derive(Debug)]
pub struct Postgres {
    // Before the place: the server is down before the folder is free for another.
    process: Process,
    place: Place,
    binaries: Binaries,
    account: Account,
    options: PostgresOptions,
    port: u16,
    password: String,
}

impl Postgres {
    /// The installed Postgres that a new folder would use.
    ///
    /// # Errors
    /// None is installed; the error says the line that installs it.
    pub fn find() -> anyhow::Result<Binaries> {
        Binaries::find()
    }

    /// Starts the server of `folder`, making its data where there is none, and waits until it accepts connections.
    ///
    /// # Errors
    /// Postgres is not installed, another process uses the folder, or the server does not start; the error has its last words.
    pub async fn start(folder: &Path, options: PostgresOptions) -> anyhow::Result<Self> {
        let account = Account::of_postgres()?;
        let place = Place::claim(folder, account)?;
        let data = place.join("data");
        let binaries = Binaries::for_data(&data)?;
        let password_file = place.join("password");
        let password = password::kept(&password_file)?;
        account.own(&password_file)?;
        if data.exists() {
            predecessor::end(&data, &STOP_STEPS).await?;
        } else {
            initdb::make(&data, &password_file, &binaries, account, options.durability).await?;
        }
        File::create(place.join("postgres.log"))?;
        let mut port = port::remembered_or_free(&place.join("port"))?;
        for _ in 1..ATTEMPTS {
            match launch(&place, &binaries, account, options, port).await {
                Ok(process) => {
                    return Ok(Self {
                        process,
                        place,
                        binaries,
                        account,
                        options,
                        port,
                        password,
                    });
                }
                Err(Failure::PortTaken) => port = port::free(&place.join("port"))?,
                Err(Failure::PredecessorLingers) => tokio::time::sleep(POLL * 20).await,
                Err(Failure::Other(error)) => return Err(error),
            }
        }
        match launch(&place, &binaries, account, options, port).await {
            Ok(process) => Ok(Self {
                process,
                place,
                binaries,
                account,
                options,
                port,
                password,
            }),
            Err(failure) => Err(failure.into_error(&place)),
        }
    }

    /// `postgres://huiyin:…@127.0.0.1:port/database`; the superuser's.
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres://{SUPERUSER}:{}@127.0.0.1:{}/{database}",
            self.password, self.port
        )
    }

    /// The port on 127.0.0.1; a restart keeps it.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process id of the server, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.process.status().is_none().then(|| self.process.pid())
    }

    /// The folder that is really used: not the one asked for, when Postgres cannot reach that.
    pub fn folder(&self) -> &Path {
        self.place.folder()
    }

    /// Stops the server: running transactions are rolled back, what was committed stays.
    pub async fn stop(&mut self) {
        self.process.stop(&STOP_STEPS).await;
    }

    /// Starts the stopped (or crashed) server again, on the same port.
    ///
    /// # Errors
    /// The server does not start; the error has its last words.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        if self.pid().is_some() {
            return Ok(());
        }
        for _ in 1..ATTEMPTS {
            match launch(&self.place, &self.binaries, self.account, self.options, self.port).await {
                Ok(process) => {
                    self.process = process;
                    return Ok(());
                }
                // Clients know this port: there is no other to go to.
                Err(Failure::PortTaken | Failure::PredecessorLingers) => tokio::time::sleep(POLL * 20).await,
                Err(Failure::Other(error)) => return Err(error),
            }
        }
        bail!(
            "postgres could not start again on port {}: {}",
            self.port,
            last_words(&self.place)
        )
    }

    /// Stops and starts it.
    ///
    /// # Errors
    /// The server does not start; the error has its last words.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.stop().await;
        self.start_again().await
    }
}

/// Why a start failed.
enum Failure {
    PortTaken,
    /// Sessions of a server that was killed outright take a moment to notice.
    PredecessorLingers,
    Other(anyhow::Error),
}

impl Failure {
    fn into_error(self, place: &Place) -> anyhow::Error {
        match self {
            Self::Other(error) => error,
            Self::PortTaken | Self::PredecessorLingers => {
                anyhow::anyhow!("postgres did not start: {}", last_words(place))
            }
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Other(error.into())
    }
}

/// One attempt; returns when the server accepts connections.
async fn launch(
    place: &Place,
    binaries: &Binaries,
    account: Account,
    options: PostgresOptions,
    port: u16,
) -> Result<Process, Failure> {
    let data = place.join("data");
    let log_file = place.join("postgres.log");
    let log = File::options().append(true).create(true).open(&log_file)?;
    let said_before = log.metadata()?.len();
    // A smart shutdown waits for clients; fast and immediate ones do not. Tests have nothing that a checkpoint would save.
    let farewell = match options.durability {
        Durability::Full => Signal::INT,
        Durability::None => Signal::QUIT,
    };
    let mut settings = vec![
        format!("port={port}"),
        "listen_addresses=127.0.0.1".to_owned(),
        // TCP with a password only: one way in, and no limit on how long the folder's name may be.
        "unix_socket_directories=".to_owned(),
        format!("max_connections={}", options.max_connections),
        "timezone=UTC".to_owned(),
        "log_timezone=UTC".to_owned(),
        // A new database fills within seconds here: with the usual minute between looks, statements would be planned for
        // empty tables all that time.
        "autovacuum_naptime=2s".to_owned(),
        // But a table that only grows need not be vacuumed every two seconds.
        "autovacuum_vacuum_insert_threshold=1000000".to_owned(),
        // launch() reads the log.
        "lc_messages=C".to_owned(),
    ];
    if options.durability == Durability::None {
        settings.extend(["fsync=off", "synchronous_commit=off", "full_page_writes=off"].map(str::to_owned));
    }
    let mut command = Process::command(binaries.program("postgres"), farewell);
    command.arg("-D").arg(&data);
    for setting in settings {
        command.args(["-c", &setting]);
    }
    command
        .current_dir(place.folder())
        // Its own group: Ctrl-C in a terminal reaches us, and we decide when the server goes.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    account.apply(&mut command);
    let process = Process::spawn(command, farewell).context("could not run postgres")?;

    let limit = Instant::now() + START_LIMIT;
    loop {
        if is_ready(&data, process.pid()) {
            return Ok(process);
        }
        if process.status().is_some() {
            let said = fs::read_to_string(&log_file).unwrap_or_default();
            let said = said.get(usize::try_from(said_before).unwrap_or(0)..).unwrap_or(&said);
            if said.contains("could not bind") {
                return Err(Failure::PortTaken);
            }
            if said.contains("pre-existing shared memory block")
                || said.contains("lock file \"postmaster.pid\" already exists")
            {
                return Err(Failure::PredecessorLingers);
            }
            return Err(Failure::Other(anyhow::anyhow!(
                "postgres did not start: {}",
                last_words(place)
            )));
        }
        if Instant::now() > limit {
            return Err(Failure::Other(anyhow::anyhow!(
                "postgres did not start within {START_LIMIT:?}: {}",
                last_words(place)
            )));
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Whether the server `pid` says in its own pid file that it accepts connections.
fn is_ready(data: &Path, pid: u32) -> bool {
    let text = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let mut lines = text.lines();
    let ours = lines.next().and_then(|line| line.trim().parse().ok()) == Some(pid);
    ours && lines.nth(6).is_some_and(|status| status.trim() == "ready")
}

/// The end of the server's log.
fn last_words(place: &Place) -> String {
    let log = fs::read(place.join("postgres.log")).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<_> = log.lines().collect();
    let last = lines.len().saturating_sub(8);
    lines.get(last..).unwrap_or_default().join(" | ")
}
