//! A suite of six real processes on a Postgres and a Redis of its own, to be killed, wiped and restarted by tests.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test that cannot be set up has failed, and says why"
)]

mod address;
mod disaster;
mod fleet;
mod stores;

pub use fleet::{Fleet, Version};

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use huiyin::{
    link::Link,
    suite::{Files, SERVICES, Servers, create_databases},
};
use huiyin_embedded::{Durability, Postgres, PostgresOptions, Process, Redis, Signal};
use huiyin_testkit::eventually;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

/// Starting a process and its migrations takes this long at most, on a busy machine.
const START: Duration = Duration::from_secs(60);

/// Six processes and what they stand on.
#[derive(Debug)]
pub struct Suite {
    /// Its folder: keys, configurations, logs.
    pub files: Files,
    /// Its own Postgres.
    pub postgres: tokio::sync::Mutex<Postgres>,
    /// Its own Redis.
    pub redis: tokio::sync::Mutex<Redis>,
    processes: Mutex<BTreeMap<&'static str, Arc<Process>>>,
    environment: Vec<(String, String)>,
}

impl Suite {
    /// Starts everything and waits until each service serves. `environment` is given to every process.
    ///
    /// # Panics
    /// Where something does not start.
    pub async fn start(environment: &[(&str, &str)]) -> Self {
        let suite = Self::prepare(environment).await;
        for service in SERVICES {
            suite.spawn(service);
        }
        for service in SERVICES {
            suite.serving(service).await;
        }
        suite
    }

    /// Everything but the six processes: servers, empty databases, keys, configurations.
    async fn prepare(environment: &[(&str, &str)]) -> Self {
        let folder = scratch();
        let files = Files::open(&folder).unwrap();
        let postgres = Postgres::start(&folder.join("postgres"), PostgresOptions::new(Durability::Full))
            .await
            .unwrap();
        let redis = Redis::start(&folder.join("redis"))
            .await
            .unwrap()
            .expect("redis-server is installed by `make tools`");
        let servers = Servers {
            postgres_url: postgres.url("postgres"),
            redis_url: Some(redis.url()),
            otlp_endpoint: None,
        };
        create_databases(&servers).await.unwrap();
        files.settle_addresses().unwrap();
        files.write_configs(&servers).unwrap();
        let environment = environment
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        Self {
            files,
            postgres: tokio::sync::Mutex::new(postgres),
            redis: tokio::sync::Mutex::new(redis),
            processes: Mutex::default(),
            environment,
        }
    }

    /// Starts the process of a service.
    ///
    /// # Panics
    /// Where its binary is missing.
    pub fn spawn(&self, service: &'static str) {
        let binary = binary(service);
        assert!(
            binary.exists(),
            "{} is missing: `make e2e` builds the binaries first",
            binary.display()
        );
        let command = self.command(&binary, service, service);
        let process = Process::spawn(command, Signal::KILL).unwrap();
        lock(&self.processes).insert(service, Arc::new(process));
    }

    /// A service's binary, with its configuration; what it says is added to a log of this name.
    fn command(&self, binary: &Path, service: &str, log: &str) -> Command {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.files.folder().join(format!("{log}.log")))
            .unwrap();
        let mut command: Command = Process::command(binary, Signal::KILL);
        command
            .arg("--config")
            .arg(self.files.folder().join(format!("config/{service}.toml")));
        command.envs(self.environment.iter().map(|(key, value)| (key, value)));
        command
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .stdin(Stdio::null());
        command
    }

    /// Waits until a service says that it serves.
    pub async fn serving(&self, service: &'static str) {
        let address = self.files.addresses().unwrap()[service];
        eventually(&format!("{service} serves"), START, async || is_serving(address).await).await;
    }

    /// The process of a service.
    pub fn process(&self, service: &'static str) -> Arc<Process> {
        Arc::clone(&lock(&self.processes)[service])
    }

    /// `kill -9`, and start again.
    pub async fn crash(&self, service: &'static str) {
        let process = self.process(service);
        process.signal(Signal::KILL);
        process.ended().await;
        self.spawn(service);
        self.serving(service).await;
    }

    /// The administrator's link.
    pub fn link(&self) -> Link {
        self.link_as(&self.files.admin_token().unwrap(), "demo")
    }

    /// A link with another token.
    pub fn link_as(&self, token: &str, tenant: &str) -> Link {
        let addresses = self.files.addresses().unwrap();
        let urls = SERVICES
            .iter()
            .map(|service| (*service, format!("http://{}", addresses[*service])))
            .collect();
        Link::new(&urls, token, tenant).unwrap()
    }

    /// A token for somebody.
    pub fn token(&self, subject: &str, tenant: &str, roles: &[&str]) -> String {
        let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        self.files.token(subject, tenant, &roles, 1).unwrap()
    }

    /// The URL of a service's database, the superuser's.
    pub async fn database_url(&self, service: &str) -> String {
        self.postgres.lock().await.url(&format!("huiyin_{service}"))
    }

    /// The last lines of a log, for the person who reads a failed test; that of a service has its name.
    pub fn log_tail(&self, name: &str) -> String {
        let log = std::fs::read_to_string(self.files.folder().join(format!("{name}.log"))).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(20).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Suite {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let folder = std::fs::read_dir(self.files.folder()).unwrap();
            let mut logs: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
            logs.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
            logs.sort();
            for name in logs.iter().filter_map(|log| log.file_stem()?.to_str()) {
                eprintln!("--- {name}\n{}", self.log_tail(name));
            }
        }
    }
}

/// Whether somebody there says so.
async fn is_serving(address: SocketAddr) -> Option<()> {
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{address}")).unwrap();
    let mut health = HealthClient::new(endpoint.connect().await.ok()?);
    let answer = health.check(HealthCheckRequest::default()).await.ok()?;
    (answer.into_inner().status() == ServingStatus::Serving).then_some(())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A folder beside the test binaries, new for each suite.
fn scratch() -> PathBuf {
    let folder = target().join(format!("e2e/{}", uuid_of_now()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn uuid_of_now() -> String {
    huiyin_chassis::Clock::system().id().simple().to_string()
}

/// The folder in which cargo puts binaries: tests lie one below it.
fn target() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().to_path_buf()
}

/// A binary of the workspace.
pub fn binary(name: &str) -> PathBuf {
    target().join(name)
}

/// The root of the checkout.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}
