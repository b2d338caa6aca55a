//! The two rooms on one stage: started, killed and started again on the same databases and the same port.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use huiyin_chassis::Running;
use huiyin_events::EventsConfig;
use huiyin_proto::event::v1::event_log_service_client::EventLogServiceClient;
use huiyin_testkit::{Connection, Stage, eventually};
use sqlx::{Connection as _, PgConnection};

use crate::{
    sink::{self, Room},
    source::{self, Config, Source, Writers},
};

/// What a test that other work on the machine slows down may still wait for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// See the file.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) stage: Stage,
    source_url: String,
    sink_url: String,
    source_address: Mutex<Option<SocketAddr>>,
    events: Mutex<Box<dyn Tune>>,
}

/// Changes the settings of the event log.
trait Tune: Send {
    fn tune(&self, config: &mut EventsConfig);
}

impl<F: Fn(&mut EventsConfig) + Send> Tune for F {
    fn tune(&self, config: &mut EventsConfig) {
        self(config);
    }
}

impl std::fmt::Debug for dyn Tune {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tune")
    }
}

type Subject = (String, String);

impl World {
    /// Two fresh databases; nothing runs yet.
    pub(crate) async fn new() -> Self {
        let stage = Stage::new().await;
        let _: Config = stage.config("source", "").await;
        let source_url = stage.database_url();
        let _: Config = stage.config("sink", "").await;
        let sink_url = stage.database_url();
        Self::on(stage, source_url, sink_url)
    }

    /// On databases that are there.
    pub(crate) fn on(stage: Stage, source_url: String, sink_url: String) -> Self {
        Self {
            stage,
            source_url,
            sink_url,
            source_address: Mutex::default(),
            events: Mutex::new(Box::new(|_: &mut EventsConfig| {})),
        }
    }

    /// Changes the settings of the event log of what is started from here on.
    pub(crate) fn tune(&self, tune: impl Fn(&mut EventsConfig) + Send + 'static) {
        *lock(&self.events) = Box::new(tune);
    }

    fn config(&self, service: &str, url: &str) -> Config {
        let mut config: Config = self.stage.config_with(service, url, "");
        lock(&self.events).tune(&mut config.events);
        config
    }

    /// Starts the source; from the second time on where it was before.
    pub(crate) async fn source(&self, writers: Option<&Writers>) -> Source {
        let address = *lock(&self.source_address);
        let source = eventually("the source starts", PATIENCE, async || {
            let mut config = self.config("source", &self.source_url);
            config.service.listen = address.unwrap_or(config.service.listen);
            // The port may not be free yet: who held it was killed a moment ago.
            source::start(config, self.stage.context(), writers.cloned())
                .await
                .map_err(|error| format!("{error:#}"))
        })
        .await;
        *lock(&self.source_address) = Some(source.running.address);
        self.stage.neighbor("source", source.running.address);
        source
    }

    /// Starts a second replica of the source, which the sink does not know.
    pub(crate) async fn source_replica(&self, writers: &Writers) -> Source {
        let config = self.config("source", &self.source_url);
        source::start(config, self.stage.context(), Some(writers.clone()))
            .await
            .unwrap()
    }

    /// Starts a sink; the source must have been started once.
    pub(crate) async fn sink(&self, room: &Room) -> Running {
        sink::start(self.config("sink", &self.sink_url), self.stage.context(), room.clone())
            .await
            .unwrap()
    }

    pub(crate) async fn source_database(&self) -> PgConnection {
        PgConnection::connect(&self.source_url).await.unwrap()
    }

    pub(crate) async fn sink_database(&self) -> PgConnection {
        PgConnection::connect(&self.sink_url).await.unwrap()
    }

    /// A backup of the source's database, which is not running.
    pub(crate) async fn source_backup(&self) -> huiyin_testkit::Database {
        huiyin_testkit::copy_of(&self.source_url).await
    }

    /// From here on the source is in the database that was restored from a backup.
    pub(crate) fn restore_source(&mut self, backup: &huiyin_testkit::Database) {
        self.source_url = backup.url();
    }

    /// A client with a token.
    pub(crate) async fn client(&self, address: SocketAddr, token: &str) -> EventLogServiceClient<Connection> {
        EventLogServiceClient::new(self.stage.connect(address, token).await)
    }

    /// How many events have had their effects.
    pub(crate) async fn arrivals(&self) -> i64 {
        arrivals(&mut self.sink_database().await).await
    }

    /// Waits until so many events have had their effects.
    pub(crate) async fn wait_for(&self, count: i64) {
        let mut database = self.sink_database().await;
        eventually(&format!("{count} events have arrived"), PATIENCE, async || {
            let arrived = arrivals(&mut database).await;
            if arrived >= count {
                Ok(())
            } else {
                Err(format!("{arrived}"))
            }
        })
        .await;
    }

    /// The values of each subject in the order in which they arrived.
    pub(crate) async fn arrived(&self) -> BTreeMap<Subject, Vec<i32>> {
        let rows: Vec<(String, String, i32)> =
            sqlx::query_as("SELECT tenant_id, subject, value FROM arrived ORDER BY seq")
                .fetch_all(&mut self.sink_database().await)
                .await
                .unwrap();
        let mut arrived: BTreeMap<Subject, Vec<i32>> = BTreeMap::new();
        for (tenant, subject, value) in rows {
            arrived.entry((tenant, subject)).or_default().push(value);
        }
        arrived
    }

    /// The values of one subject.
    pub(crate) async fn arrived_of(&self, tenant: &str, subject: &str) -> Vec<i32> {
        self.arrived()
            .await
            .remove(&(tenant.to_owned(), subject.to_owned()))
            .unwrap_or_default()
    }

    /// What was committed at the source, as it should arrive.
    async fn committed(&self) -> BTreeMap<Subject, Vec<i32>> {
        let rows: Vec<(String, String, i32)> = sqlx::query_as("SELECT tenant_id, subject, value FROM counter")
            .fetch_all(&mut self.source_database().await)
            .await
            .unwrap();
        rows.into_iter()
            .map(|(tenant, subject, value)| ((tenant, subject), (1..=value).collect()))
            .collect()
    }

    /// Waits until the writers are done and everything has arrived, ends both rooms, and compares: each value once, in order.
    pub(crate) async fn finish(&self, source: Source, writers: &Writers, sinks: Vec<Running>) {
        eventually("the writers are done", PATIENCE, async || writers.are_done()).await;
        source.running.stop().await.unwrap();
        let source = self.source(None).await;
        let committed = self.committed().await;
        self.wait_for(
            committed
                .values()
                .map(|values| i64::try_from(values.len()).unwrap())
                .sum(),
        )
        .await;
        for sink in sinks {
            sink.stop().await.unwrap();
        }
        source.running.stop().await.unwrap();
        let arrived = self.arrived().await;
        for (subject, values) in &committed {
            assert_eq!(arrived.get(subject), Some(values), "{subject:?}");
        }
        assert_eq!(
            arrived.len(),
            committed.len(),
            "something arrived that was never committed"
        );
    }
}

async fn arrivals(database: &mut PgConnection) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM arrived")
        .fetch_one(database)
        .await
        .unwrap()
}

pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The partition of a subject, by the rule that must never change.
pub(crate) fn partition(tenant: &str, subject: &str) -> u8 {
    huiyin_chassis::secret::hash(format!("{tenant}\u{1f}{subject}").as_bytes())[0] % 8
}

/// A subject of the tenant that shares the partition with `subject`, or does not.
pub(crate) fn another(tenant: &str, subject: &str, same_partition: bool) -> String {
    let names = (0..).map(|number| format!("tenants/{tenant}/counters/other-{number}"));
    let fits = |name: &String| (partition(tenant, name) == partition(tenant, subject)) == same_partition;
    names.into_iter().find(fits).unwrap()
}
