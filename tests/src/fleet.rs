//! A suite as a cluster has it: each service behind one address, where a replica of another version takes the place of the one before
//! while both serve.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use huiyin::suite::SERVICES;
use huiyin_embedded::{Process, Signal};
use huiyin_testkit::eventually;
use serde_json::Value;

use crate::{START, Suite, address::Address, binary, is_serving, lock, root, target};

/// Both versions of a service have had something to do within this time; the suite is under load.
const SIDE_BY_SIDE: Duration = Duration::from_secs(60);
/// So many calls, and so many events, are something to do.
const ENOUGH: u64 = 4;
/// A drain has an end: see `limits` in docs/operations.md.
const DRAIN: Duration = Duration::from_secs(60);

/// What a replica runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// What clusters run now: `tests/upgrade-from`, built by `tools/previous`.
    Previous,
    /// This checkout.
    Present,
}

/// Six services, each a replica behind an address, and two while it is replaced.
#[derive(Debug)]
pub struct Fleet {
    /// Its folder, Postgres and Redis, and links to the addresses. It has no processes of its own.
    pub suite: Suite,
    previous: PathBuf,
    addresses: BTreeMap<&'static str, Address>,
    replicas: Mutex<BTreeMap<&'static str, Arc<Replica>>>,
    started: Mutex<usize>,
}

/// A process of a service.
#[derive(Debug)]
struct Replica {
    process: Process,
    address: SocketAddr,
    probes: SocketAddr,
}

/// What a replica has done since it was started, by its own metrics.
#[derive(Debug, Clone, Copy)]
pub struct Done {
    /// Calls that it answered.
    pub calls: u64,
    /// Events of others that it handled.
    pub events: u64,
    /// Events of its service that it gave their positions.
    pub relayed: u64,
}

impl Fleet {
    /// Starts the previous version of everything; none where it cannot be had, and a line that says so.
    ///
    /// # Panics
    /// Where something does not start, or the previous version can be built and is not.
    pub async fn start() -> Option<Self> {
        let previous = previous()?;
        let suite = Suite::prepare(&[("HUIYIN_PROCESS__TELEMETRY__PROMETHEUS", "true")]).await;
        let mut addresses = BTreeMap::new();
        for service in SERVICES {
            let at = suite.files.addresses().unwrap()[service];
            addresses.insert(service, Address::open(at).await);
        }
        let fleet = Self {
            suite,
            previous,
            addresses,
            replicas: Mutex::default(),
            started: Mutex::default(),
        };
        futures::future::join_all(SERVICES.map(|service| fleet.migrate(service, Version::Previous))).await;
        futures::future::join_all(SERVICES.map(async |service| {
            let replica = fleet.launch(service, Version::Previous).await;
            fleet.addresses[service].add(replica.address);
            lock(&fleet.replicas).insert(service, replica);
        }))
        .await;
        Some(fleet)
    }

    /// Brings a service's database to a version, as the chart's Job does.
    ///
    /// # Panics
    /// Where that fails.
    pub async fn migrate(&self, service: &'static str, version: Version) {
        let mut command = self.command(service, version, &format!("{service}-migrate"));
        command.arg("migrate");
        let status = Process::spawn(command, Signal::KILL).unwrap().ended().await;
        assert!(status.success(), "{service} migrate: {status}");
    }

    /// Replaces a service by another version: both serve, until each has answered calls and handled events beside the other; then the one
    /// that was there gets no new connections, and SIGTERM, and ends. `meanwhile` is done when both serve.
    ///
    /// # Panics
    /// Where one of the two has nothing to do, or the one that leaves does not end well.
    pub async fn replace(&self, service: &'static str, version: Version, meanwhile: impl AsyncFnOnce()) {
        let leaves = Arc::clone(&lock(&self.replicas)[service]);
        let comes = self.launch(service, version).await;
        let (address, before) = (&self.addresses[service], leaves.done().await);
        address.add(comes.address);
        let what = format!("both versions of {service} answer calls and handle events");
        eventually(&what, SIDE_BY_SIDE, async || {
            let (leaves, comes) = (leaves.done().await, comes.done().await);
            let enough = |calls: u64, events: u64| calls >= ENOUGH && events >= ENOUGH;
            (enough(leaves.calls - before.calls, leaves.events - before.events) && enough(comes.calls, comes.events))
                .then_some(())
                .ok_or_else(|| format!("{before:?}, then {leaves:?} beside {comes:?}"))
        })
        .await;
        meanwhile().await;
        address.remove(leaves.address);
        leaves.process.signal(Signal::TERM);
        let status = tokio::time::timeout(DRAIN, leaves.process.ended())
            .await
            .expect("a drain ends");
        assert!(status.success(), "a drained {service} ends with 0: {status}");
        lock(&self.replicas).insert(service, comes);
    }

    /// What the present replica of each service has done.
    pub async fn done(&self) -> BTreeMap<&'static str, Done> {
        let replicas = lock(&self.replicas).clone();
        let mut done = BTreeMap::new();
        for (service, replica) in replicas {
            done.insert(service, replica.done().await);
        }
        done
    }

    /// A replica that serves, and whom nobody knows yet.
    async fn launch(&self, service: &'static str, version: Version) -> Arc<Replica> {
        let name = {
            let mut started = lock(&self.started);
            *started += 1;
            format!("{service}-{started}-{version:?}").to_lowercase()
        };
        let mut command = self.command(service, version, &name);
        for (key, value) in [
            ("LISTEN", "127.0.0.1:0"),
            ("PROBE_LISTEN", "127.0.0.1:0"),
            ("DATABASE__MIGRATE", "false"),
        ] {
            command.env(format!("HUIYIN_{}__SERVICE__{key}", service.to_uppercase()), value);
        }
        let process = Process::spawn(command, Signal::KILL).unwrap();
        let log = self.suite.files.folder().join(format!("{name}.log"));
        let (address, probes) =
            eventually(&format!("{name} says where it is"), START, async || whereabouts(&log)).await;
        eventually(&format!("{name} serves"), START, async || is_serving(probes).await).await;
        Arc::new(Replica {
            process,
            address,
            probes,
        })
    }

    fn command(&self, service: &str, version: Version, log: &str) -> Command {
        let binary = match version {
            Version::Previous => self.previous.join(service),
            Version::Present => binary(service),
        };
        self.suite.command(&binary, service, log)
    }
}

impl Replica {
    async fn done(&self) -> Done {
        huiyin_chassis::install_crypto();
        let metrics = reqwest::get(format!("http://{}/metrics", self.probes)).await.unwrap();
        let metrics = metrics.text().await.unwrap();
        let sum = |name: &str| {
            let of_this = metrics
                .lines()
                .filter(|line| line.split(['{', ' ']).next() == Some(name));
            of_this
                .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
                .sum()
        };
        Done {
            calls: sum("rpc_server_duration_seconds_count"),
            events: sum("events_consumed_total"),
            relayed: sum("events_relayed_total"),
        }
    }
}

/// The line in which a service says where it is, on its standard output.
fn whereabouts(log: &Path) -> Option<(SocketAddr, SocketAddr)> {
    let log = std::fs::read_to_string(log).ok()?;
    log.lines().find_map(|line| {
        let line: Value = serde_json::from_str(line).ok()?;
        let address = |key: &str| line[key].as_str()?.parse().ok();
        Some((address("address")?, address("probes")?))
    })
}

/// The folder of the previous version's binaries.
fn previous() -> Option<PathBuf> {
    let from = std::fs::read_to_string(root().join("tests/upgrade-from")).unwrap();
    let commit = from.lines().find(|line| !line.starts_with('#')).unwrap();
    let folder = target().with_file_name("previous").join(commit);
    if folder.exists() {
        return Some(folder);
    }
    let history = Command::new("git")
        .args(["cat-file", "-e", &format!("{commit}^{{commit}}")])
        .current_dir(root())
        .stderr(Stdio::null())
        .status();
    assert!(
        !history.is_ok_and(|status| status.success()),
        "{} is missing: `make e2e` builds it first, with tools/previous",
        folder.display()
    );
    eprintln!("skipped: no previous version, {commit} is not in the history");
    None
}
