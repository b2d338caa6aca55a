//! Intake takes feedback in from every channel: whoever gets an answer from it can be sure that the feedback is stored.
//!
//! Subjects:
//! - [`feedback`]: what was said, stored once and shown to whoever may see it.
//! - [`validation`]: what may come in, and what a vague description lacks.
//! - [`screening`]: what of it counts: set aside, released, merged, taken apart.
//!
//! The way of a feedback: `api` (decode) → `convert` (parse) → `service` (use cases; `validation` admits or refuses) →
//! `accept` (where it stands, by `screening`; pseudonym, sealed address by the `vault`, masked words) → `writer` (many callers,
//! one commit), or `import` (a stream, one commit per message) → `ledger` (number, row, event) → `store` (SQL) → `events` →
//! the classifier, and everybody else who follows intake's log. What is near to it is found afterwards (`worker`).

mod config;
mod error;
mod events;
mod feedback;
mod meters;
mod room;
mod screening;
mod validation;
mod vault;
mod worker;

use std::sync::Arc;

use huiyin_chassis::{Context, Migrations, Running, Service, timer};
use huiyin_events::{Events, NoEvents};
use huiyin_proto::intake::v1::{
    intake_service_server::IntakeServiceServer, screening_service_server::ScreeningServiceServer,
    validation_service_server::ValidationServiceServer,
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

    let bytes = service.server.message_bytes();
    let server = IntakeServiceServer::new(feedback::api::Api(Arc::clone(&room))).max_decoding_message_size(bytes);
    service.server.add(server)?;
    let server = ValidationServiceServer::new(validation::api::Api(Arc::clone(&room))).max_decoding_message_size(bytes);
    service.server.add(server)?;
    let server = ScreeningServiceServer::new(screening::api::Api(Arc::clone(&room))).max_decoding_message_size(bytes);
    service.server.add(server)?;
    timer::run(
        &mut service.tasks,
        service.database.clone(),
        service.clock.clone(),
        room,
    );
    events.run(&mut service, &config.service.neighbors, &[], Arc::new(NoEvents))?;
    service.run().await
}
