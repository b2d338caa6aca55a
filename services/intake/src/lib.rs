//! Intake takes feedback in from every channel: whoever gets an answer from it can be sure that the feedback is stored.
//!
//! Subjects:
//! - [`feedback`]: what was said, stored once and shown to whoever may see it;
//! - [`customer`]: who said it, without who that is: identities, attributes, segments; `vault`: the keys;
//! - [`erasure`]: a customer erased in all services, or handed out; [`retention`]: what is over its time blanked.
//!
//! The way of a feedback: `api` (decode) → `convert` (parse and check, by the rules of `domain`) → `service` (use cases) →
//! `accept` (token, masked words) → `writer` (many callers, one commit), or `import`
//! (a stream, one commit per message) → `ledger` (number, customer and key, row, event) → `store` (SQL) → `events` → the classifier, and
//! everybody else who follows intake's log.

mod config;
mod customer;
mod erasure;
mod error;
mod events;
mod feedback;
mod meters;
mod neighbors;
mod retention;
mod room;
mod vault;
mod worker;

use std::sync::Arc;

use huiyin_chassis::{Context, Migrations, Running, Service, operations};
use huiyin_events::{Events, NoEvents};
use huiyin_proto::intake::v1::{
    customer_service_server::CustomerServiceServer, intake_service_server::IntakeServiceServer,
};

pub use config::Config;
use room::Room;

/// Starts intake.
///
/// # Errors
/// Whatever keeps it from starting: its configuration, its database, its port.
pub async fn start(config: Config, context: Context) -> anyhow::Result<Running> {
    let migrations = vec![
        huiyin_events::migrations(),
        Migrations {
            schema: "public",
            migrator: sqlx::migrate!(),
        },
    ];
    let mut service = Service::prepare("intake", &config.service, context, migrations).await?;
    let events = Events::open(&mut service, &config.events).await?;
    let room = Arc::new(Room::new(&mut service, &events, &config)?);

    let server = IntakeServiceServer::new(feedback::api::Api(Arc::clone(&room)))
        .max_decoding_message_size(service.server.message_bytes());
    service.server.add(server)?;
    let server = CustomerServiceServer::new(customer::api::Api(Arc::clone(&room)))
        .max_decoding_message_size(service.server.message_bytes());
    service.server.add(server)?;
    operations::run(
        &mut service,
        Arc::new(erasure::operation::Operations(Arc::clone(&room))),
    )?;
    worker::start(&mut service, &room);
    events.run(&mut service, &config.service.neighbors, &[], Arc::new(NoEvents))?;
    service.run().await
}
