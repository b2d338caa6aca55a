//! Intake takes feedback in from every channel: whoever gets an answer from it can be sure that the feedback is stored.
//!
//! Subjects:
//! - [`feedback`]: what was said, stored once and shown to whoever may see it;
//! - [`attachment`]: files that came along, stored once per tenant and handed out when they are known to be harmless;
//! - [`status`]: how a feedback stands, for the customer who holds its number and token.
//!
//! The way of a feedback: `api` (decode) → `convert` (parse and check, by the rules of `domain`) → `service` (use cases) →
//! `accept` (pseudonym, sealed address by the `vault`, masked words) → `writer` (many callers, one commit), or `import`
//! (a stream, one commit per message) → `ledger` (number, row, event) → `store` (SQL) → `events` → the classifier, and
//! everybody else who follows intake's log. What the scheduler tells of its work order enters at [`events`]; what is due later
//! begins in [`worker`].

mod attachment;
mod config;
mod error;
mod events;
mod feedback;
mod meters;
mod room;
mod status;
mod vault;
mod worker;

use std::sync::Arc;

use huiyin_chassis::{Context, Migrations, Running, Service};
use huiyin_events::Events;
use huiyin_proto::intake::v1::{
    attachment_service_server::AttachmentServiceServer, intake_service_server::IntakeServiceServer,
    status_service_server::StatusServiceServer,
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

    let most = service.server.message_bytes();
    let server = IntakeServiceServer::new(feedback::api::Api(Arc::clone(&room))).max_decoding_message_size(most);
    service.server.add(server)?;
    let server = AttachmentServiceServer::new(attachment::api::Api(Arc::clone(&room))).max_decoding_message_size(most);
    service.server.add(server)?;
    let server = StatusServiceServer::new(status::api::Api(Arc::clone(&room))).max_decoding_message_size(most);
    service.server.add(server)?;
    worker::start(&mut service, &room);
    events.run(&mut service, &config.service.neighbors, &["scheduler"], room)?;
    service.run().await
}
