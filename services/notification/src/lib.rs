//! Tells people what happened to a feedback: the customer, whoever handles it, and the supervisor.
//!
//! Subjects, each a small room with the same walk inside (proto → `api` → `service` → `domain` → `store` → events):
//! - [`message`]: what is told, to whom, once per event; queued in the transaction that reads the event;
//! - [`template`]: the words of one purpose in one language, built in or the tenant's own;
//! - [`delivery`]: workers that take queued messages and have them mailed, posted or laid into an inbox, with retries;
//! - [`webhook`]: the tenants' endpoints, their secrets, and which URLs are none of ours to call;
//! - [`inbox`]: what was laid in, marked as read, followed as it comes.
//!
//! What comes in by events enters at [`events`], which decides who is told; what comes in by call enters at [`api`].
//! Who is told is decided in `events::tellings`, over which medium in `delivery::service`, when again in `delivery::domain::pause`.

mod api;
mod config;
mod convert;
mod delivery;
mod domain;
mod error;
mod events;
mod inbox;
mod message;
mod meters;
mod neighbors;
mod room;
mod store_erasure;
mod template;
mod vault;
mod webhook;

use std::sync::Arc;

use huiyin_chassis::{Context, Migrations, Running, Service};
use huiyin_events::Events;
use huiyin_proto::notification::v1::notification_service_server::NotificationServiceServer;

pub use config::Config;
use room::Room;

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

/// Brings the room up: database, event log, RPCs, consumers of work orders and invitations, workers that deliver.
///
/// # Errors
/// Whatever keeps it from starting: the port, the database, a migration, a setting.
pub async fn start(config: Config, context: Context) -> anyhow::Result<Running> {
    let mut service = Service::prepare("notification", &config.service, context, migrations()).await?;
    let events = Events::open(&mut service, &config.events).await?;
    let room = Arc::new(Room::new(&service, &events, &config)?);

    let server = NotificationServiceServer::new(api::Api::new(room.clone()))
        .max_decoding_message_size(service.server.message_bytes());
    service.server.add(server)?;
    events.run(&mut service, &["scheduler", "survey"], room.clone())?;
    delivery::worker::run(&mut service.tasks, &room);
    service.run().await
}
