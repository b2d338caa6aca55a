//! Counts what happened, from the events of all services, and says with every number what it means.
//!
//! An event enters at [`counting::events`], which keeps what analytics needs of it in the inbox, in the transaction of the
//! consumer's cursor. The counter ([`counting::worker`]) takes it from there, changes the fact of its feedback
//! ([`fact::domain`]) and moves the rollups by the difference of what the fact contributes before and after
//! ([`rollup::domain`]), in one transaction per batch: numbers, facts and `as_of` always tell the same.
//! A question enters at [`api`] and is answered by [`metric::service`] from the rollups, with its definition
//! ([`metric::catalogue`], the one place where a metric is added), or by [`fact::service`] from the facts.
//!
//! - [`fact`]: all that is known of each feedback;
//! - [`rollup`]: what facts add up to, by quarter of an hour, day and segment;
//! - [`counting`]: from events to both;
//! - [`metric`]: what a number means, and its values.

mod api;
mod config;
mod counting;
mod error;
mod fact;
mod meters;
mod metric;
mod rollup;
mod room;
mod store_erasure;

use std::sync::Arc;

use huiyin_chassis::{Context, Migrations, Running, Service};
use huiyin_events::Events;
use huiyin_proto::analytics::v1::analytics_service_server::AnalyticsServiceServer;

pub use config::Config;
use room::Room;

/// The services whose events are counted.
const SOURCES: [&str; 5] = ["intake", "classifier", "scheduler", "notification", "survey"];

/// What brings its database up to date.
#[must_use]
pub fn migrations() -> Vec<Migrations> {
    vec![
        huiyin_events::migrations(),
        Migrations {
            schema: "public",
            migrator: sqlx::migrate!(),
        },
    ]
}

/// Brings the room up: database, event log, RPCs, the consumers of all services, the counter.
///
/// # Errors
/// Whatever keeps it from starting: the port, the database, a migration, a setting.
pub async fn start(config: Config, context: Context) -> anyhow::Result<Running> {
    let mut service = Service::prepare("analytics", &config.service, context, migrations()).await?;
    let events = Events::open(&mut service, &config.events).await?;
    let room = Arc::new(Room::new(&service, config.counting, config.query));

    let server = AnalyticsServiceServer::new(api::Api { room: room.clone() })
        .max_decoding_message_size(service.server.message_bytes());
    service.server.add(server)?;
    events.run(&mut service, &SOURCES, room.clone())?;
    counting::worker::run(&mut service.tasks, service.shutdown.clone(), room);
    service.run().await
}
