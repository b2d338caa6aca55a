//! Events that happen exactly once, in order per subject: Postgres is the truth, Redis the fan-out, gRPC the repair.
//!
//! In the order in which an event walks: [`Outbox`] writes it in the transaction of its effect; the relay (`relay.rs`) gives
//! it a dense position and fans it out (`redis_fan_out.rs`); the log (`log.rs`) is read by `Watch…` methods (`watch.rs`) and
//! over gRPC (`api.rs`); a consumer (`consumer.rs`) in another service follows it in the partitions that it owns
//! (`ownership.rs`, `standing.rs`), has its effect in one transaction with its cursor (`effect.rs`, `cursors.rs`), and sets
//! aside what fails (`dead_letter.rs`). A log that was restored from a backup knows what it was before (`lineage.rs`). What is measured
//! on the way: `meters.rs`, `gauges.rs`. A customer who is erased leaves the log too
//! (`erasure.rs`, `strip.rs`), asked for by intake (`customer_data.rs`).

mod api;
mod config;
mod consumer;
mod cursors;
mod customer_data;
mod dead_letter;
mod effect;
mod erasure;
mod erasure_answers;
mod gauges;
mod lineage;
mod log;
mod meters;
mod outbox;
mod ownership;
mod redis_fan_out;
mod relay;
mod standing;
pub mod strip;
mod watch;

use std::sync::Arc;

pub use config::EventsConfig;
pub use customer_data::{counts, in_parts};
pub use erasure::{Erased, Eraser, Standing, Whose};
pub use huiyin_proto::event::v1::{Event, event::Payload};
pub use log::Log;
pub use outbox::{NewEvent, Outbox, PARTITIONS};
pub use watch::{Watch, Watched};

use huiyin_chassis::{Migrations, Refusal, Service, Transaction, client::Neighbor};
use huiyin_proto::event::v1::{
    customer_data_service_server::CustomerDataServiceServer, event_log_service_server::EventLogServiceServer,
};

/// The tables of the log; every service has its own.
#[must_use]
pub fn migrations() -> Migrations {
    Migrations {
        schema: "events",
        migrator: sqlx::migrate!(),
    }
}

/// What a room does with the events of others.
pub trait Consume: Send + Sync + 'static {
    /// How many effects of one partition may share a transaction. More is faster; a room whose effects all lock the same few
    /// rows says 1, so that partitions neither wait for each other nor lock in two orders.
    fn together(&self) -> usize {
        64
    }

    /// Has the effect of an event, in the transaction, which is in the event's tenant already. It happens exactly once, in
    /// order per subject; what was restored from a backup may come again, so a room keys its rows by what the event is about.
    ///
    /// # Errors
    /// A transient refusal is tried again in place; any other sets the event aside as a dead letter.
    fn consume(&self, tx: &mut Transaction, event: &Event) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// Blanks text of and about a customer in the room's own tables, in the transaction, which is in the tenant. Numbers that were
    /// counted stay. It may happen again.
    ///
    /// # Errors
    /// What is asked for again later.
    fn erase(&self, tx: &mut Transaction, whose: &Whose) -> impl Future<Output = Result<Erased, Refusal>> + Send;

    /// Everything that the room's own tables hold on a customer, one JSON object per line, each with a `kind`.
    ///
    /// # Errors
    /// UNAVAILABLE where the database is gone.
    fn export(&self, tx: &mut Transaction, whose: &Whose) -> impl Future<Output = Result<Vec<String>, Refusal>> + Send;
}

/// A room that consumes nothing.
#[derive(Debug, Clone, Copy)]
pub struct NoEvents;

impl Consume for NoEvents {
    async fn consume(&self, _: &mut Transaction, _: &Event) -> Result<(), Refusal> {
        Ok(())
    }

    async fn erase(&self, _: &mut Transaction, _: &Whose) -> Result<Erased, Refusal> {
        Ok(Erased::default())
    }

    async fn export(&self, _: &mut Transaction, _: &Whose) -> Result<Vec<String>, Refusal> {
        Ok(Vec::new())
    }
}

/// The events of one service: its own log, and those that it follows.
#[derive(Debug, Clone)]
pub struct Events {
    config: EventsConfig,
    outbox: Outbox,
    log: Log,
}

impl Events {
    /// Opens the service's log.
    ///
    /// # Errors
    /// Where the database cannot be reached, or a setting makes no sense.
    pub async fn open(service: &mut Service, config: &EventsConfig) -> anyhow::Result<Self> {
        anyhow::ensure!(config.kept_days >= 1, "events.kept_days must be at least 1");
        let log = Log::open(&service.database, &mut service.tasks, &service.shutdown).await?;
        Ok(Self {
            config: config.clone(),
            outbox: Outbox::new(service.name, service.clock.clone()),
            log,
        })
    }

    /// Where use cases write.
    #[must_use]
    pub fn outbox(&self) -> Outbox {
        self.outbox.clone()
    }

    /// What `Watch…` methods read.
    #[must_use]
    pub fn log(&self) -> Log {
        self.log.clone()
    }

    /// Erases customers from the service's log.
    ///
    /// # Errors
    /// Where the URL of Redis is malformed.
    pub fn eraser(&self, service: &Service) -> anyhow::Result<Eraser> {
        Ok(Eraser {
            database: service.database.clone(),
            clock: service.clock.clone(),
            redis: redis_fan_out::Eraser::new(&self.config, service.name, &self.log.epoch)?,
        })
    }

    /// Serves the log, relays it, and follows the logs of `sources` for the room.
    ///
    /// # Errors
    /// Where a source has no URL or Redis' is malformed.
    pub fn run(self, service: &mut Service, sources: &[&'static str], room: Arc<impl Consume>) -> anyhow::Result<()> {
        let api = customer_data::Api {
            eraser: self.eraser(service)?,
            room: Arc::clone(&room),
        };
        service.server.add(CustomerDataServiceServer::new(api))?;
        let Self { config, outbox, log } = self;
        let api = api::Api {
            service: service.name,
            sources: sources.to_vec(),
            log: log.clone(),
            clock: service.clock.clone(),
            page_tokens: service.page_tokens.clone(),
        };
        service.server.add(EventLogServiceServer::new(api))?;
        let relay = relay::Relay {
            database: service.database.clone(),
            shutdown: service.shutdown.clone(),
            fan_out: redis_fan_out::FanOut::new(&config, service.name, &log.epoch)?,
            epoch: log.epoch.clone(),
            kept_days: config.kept_days,
            relayed: meters::Relayed::new(service.name),
        };
        relay::start(&mut service.tasks, outbox.written(), relay);

        let consumed = meters::Consumed::new(service.name);
        let effects = Arc::new(effect::Effects::new(
            service.database.clone(),
            service.clock.clone(),
            service.shutdown.clone(),
            consumed,
            room,
        ));
        if !sources.is_empty() {
            dead_letter::start(&mut service.tasks, Arc::clone(&effects));
        }
        let neighbors = |source: &&'static str| Ok((*source, service.neighbors.connect(source)?));
        let neighbors: Vec<(&'static str, Neighbor)> = sources.iter().map(neighbors).collect::<anyhow::Result<_>>()?;
        gauges::add(service, &neighbors);
        for (source, neighbor) in neighbors {
            let consumer = consumer::Consumer {
                source,
                neighbor,
                effects: Arc::clone(&effects),
                fan_in: redis_fan_out::FanIn::new(&config)?,
            };
            service.tasks.spawn("consumer", consumer.run());
        }
        Ok(())
    }
}
