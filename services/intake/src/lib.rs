//! Intake takes feedback in from every channel: whoever gets an answer from it can be sure that the feedback is stored.
//!
//! Subjects:
//! - [`feedback`]: what was said, stored once and shown to whoever may see it;
//! - [`channel`]: forms, connectors and mailboxes, each of which hands in as `CreateFeedback` does.
//!
//! The way of a feedback: `api` (decode) → `convert` (parse and check, by the rules of `domain`) → `service` (use cases) →
//! `accept` (pseudonym, sealed address by the `vault`, masked words) → `writer` (many callers, one commit), or `import`
//! (a stream, one commit per message) → `ledger` (number, row, event) → `store` (SQL) → `events` → the classifier, and
//! everybody else who follows intake's log.

mod channel;
mod config;
mod error;
mod events;
mod feedback;
mod meters;
mod room;
mod vault;

use std::sync::Arc;

use huiyin_chassis::{Context, Migrations, Running, Service};
use huiyin_events::{Events, NoEvents};
use huiyin_proto::intake::v1::{
    intake_service_server::IntakeServiceServer, source_service_server::SourceServiceServer,
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
    let sources = SourceServiceServer::new(channel::source::api::Api(Arc::clone(&room)))
        .max_decoding_message_size(service.server.message_bytes());
    service.server.add(sources)?;
    channel::http::serve(&mut service, &room, &config.http).await?;
    channel::mail::serve(&mut service, &room, &config.mail).await?;
    events.run(&mut service, &config.service.neighbors, &[], Arc::new(NoEvents))?;
    service.run().await
}
