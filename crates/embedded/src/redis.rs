//! A private Redis: in memory only, one port on 127.0.0.1, a password; it ends with us.

use std::{
    fs::{self, File, OpenOptions},
    io::Write as _,
    os::unix::{fs::OpenOptionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    account::Account,
    password,
    place::Place,
    port,
    process::{Process, Signal},
};

const START_LIMIT: Duration = Duration::from_secs(20);
const STOP_STEPS: [(Signal, Duration); 1] = [(Signal::TERM, Duration::from_secs(5))];
const ATTEMPTS: u32 = 10;
const POLL: Duration = Duration::from_millis(10);

/// A running server. Dropping it stops it; what was in it is gone then.
#[derive(Debug)]
pub struct Redis {
    // Before the place: the server is down before the folder is free for another.
    process: Process,
    place: Place,
    program: PathBuf,
    port: u16,
    password: String,
}

impl Redis {
    /// Starts the server of `folder` and waits until it answers; `None` where no `redis-server` is installed.
    ///
    /// # Errors
    /// Another process uses the folder, or the server does not start; the error has its last words.
    pub async fn start(folder: &Path) -> anyhow::Result<Option<Self>> {
        let Some(program) = program() else {
            return Ok(None);
        };
        let place = Place::claim(folder, Account::default())?;
        let password = password::kept(&place.join("password"))?;
        File::create(place.join("redis.log"))?;
        let mut port = port::remembered_or_free(&place.join("port"))?;
        for _ in 0..ATTEMPTS {
            if let Some(process) = launch(&place, &program, port, &password).await? {
                return Ok(Some(Self {
                    process,
                    place,
                    program,
                    port,
                    password,
                }));
            }
            port = port::free(&place.join("port"))?;
        }
        bail!("redis found no port to listen on: {}", last_words(&place))
    }

    /// `redis://:…@127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("redis://:{}@127.0.0.1:{}", self.password, self.port)
    }

    /// The port on 127.0.0.1; a restart keeps it.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process id of the server, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.process.status().is_none().then(|| self.process.pid())
    }

    /// Stops the server; all that it held is gone.
    pub async fn stop(&mut self) {
        self.process.stop(&STOP_STEPS).await;
    }

    /// Starts the stopped (or crashed) server again, empty, on the same port.
    ///
    /// # Errors
    /// The server does not start; the error has its last words.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        if self.pid().is_some() {
            return Ok(());
        }
        for _ in 0..ATTEMPTS {
            if let Some(process) = launch(&self.place, &self.program, self.port, &self.password).await? {
                self.process = process;
                return Ok(());
            }
            tokio::time::sleep(POLL * 20).await;
        }
        bail!(
            "redis could not start again on port {}: {}",
            self.port,
            last_words(&self.place)
        )
    }

    /// Stops and starts it: it is empty afterwards.
    ///
    /// # Errors
    /// The server does not start; the error has its last words.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.stop().await;
        self.start_again().await
    }
}

/// `redis-server` in the PATH.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join("redis-server"))
        .find(|program| program.is_file())
}

/// One attempt; returns when the server answers, or `None` when somebody else has the port.
async fn launch(place: &Place, program: &Path, port: u16, password: &str) -> anyhow::Result<Option<Process>> {
    // A file, because every user of the machine can read a command line.
    let settings = place.join("redis.conf");
    let text = format!(
        "bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave \"\"\nappendonly no\ndaemonize no\nlogfile \"\"\n"
    );
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&settings)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("could not write {}", settings.display()))?;
    let log = File::options()
        .append(true)
        .create(true)
        .open(place.join("redis.log"))?;
    let mut command = Process::command(program, Signal::KILL);
    command
        .arg(&settings)
        .current_dir(place.folder())
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    let process = Process::spawn(command, Signal::KILL).context("could not run redis-server")?;

    let limit = Instant::now() + START_LIMIT;
    loop {
        if process.status().is_some() {
            let words = last_words(place);
            if words.contains("Address already in use") {
                return Ok(None);
            }
            bail!("redis did not start: {words}");
        }
        if answers(port, password, process.pid()).await.unwrap_or(false) {
            return Ok(Some(process));
        }
        if Instant::now() > limit {
            bail!("redis did not start within {START_LIMIT:?}: {}", last_words(place));
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Whether the server on `port` is the process `pid`, and not one that was quicker to take the port.
async fn answers(port: u16, password: &str, pid: u32) -> std::io::Result<bool> {
    let ask = async {
        let mut connection = TcpStream::connect(("127.0.0.1", port)).await?;
        let request = format!("AUTH {password}\r\nINFO server\r\nQUIT\r\n");
        connection.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await?;
        Ok(answer.lines().any(|line| line.trim() == format!("process_id:{pid}")))
    };
    tokio::time::timeout(Duration::from_secs(1), ask)
        .await
        .unwrap_or(Ok(false))
}

/// The end of the server's log.
fn last_words(place: &Place) -> String {
    let log = fs::read_to_string(place.join("redis.log")).unwrap_or_default();
    let lines: Vec<_> = log.lines().collect();
    let last = lines.len().saturating_sub(5);
    lines.get(last..).unwrap_or_default().join(" | ")
}
