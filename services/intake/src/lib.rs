//! Intake takes feedback in from every channel: whoever gets an answer from it can be sure that the feedback is stored.
//!
//! The way of a feedback: `api` (decode) → `convert` (parse and check, by the rules of `domain`) → `service` (use cases) →
//! `accept` (pseudonym, sealed address by the `vault`, masked words) → `writer` (many callers, one commit), or `import`
//! (a stream, one commit per message) → `ledger` (number, row, event) → `store` (SQL) → `events` → the classifier, and
//! everybody else who follows intake's log.

mod accept;
mod api;
mod config;
mod convert;
mod domain;
mod error;
mod events;
mod import;
mod ledger;
mod service;
mod store;
mod vault;
mod writer;

use std::sync::Arc;

use huiyin_chassis::{Context, Migrations, Running, Service};
use huiyin_events::{Events, NoEvents};
use huiyin_proto::intake::v1::intake_service_server::IntakeServiceServer;

pub use config::Config;

use crate::{api::Api, ledger::Ledger, service::Room, vault::Vault, writer::Writer};

/// Starts intake.
///
/// # Errors
/// Whatever keeps it from starting: its configuration, its database, its port.
pub async fn start(config: Config, context: Context) -> anyhow::Result<Running> {
    let vault = Vault::new(&config.vault)?;
    let migrations = vec![
        huiyin_events::migrations(),
        Migrations {
            schema: "public",
            migrator: sqlx::migrate!(),
        },
    ];
    let mut service = Service::prepare("intake", &config.service, context, migrations).await?;
    let events = Events::open(&mut service, &config.events).await?;

    let ledger = Ledger::new(
        service.database.clone(),
        service.clock.clone(),
        events.outbox(),
        &config.numbers,
    )?;
    let writer = Writer::start(
        &mut service.tasks,
        &service.shutdown,
        &ledger,
        &config.writer,
        &config.service,
    );
    let room = Arc::new(Room {
        ledger,
        writer,
        vault,
        log: events.log(),
        page_tokens: service.page_tokens.clone(),
        shutdown: service.shutdown.clone(),
    });

    let server = IntakeServiceServer::new(Api(room)).max_decoding_message_size(service.server.message_bytes());
    service.server.add(server)?;
    events.run(&mut service, &config.service.neighbors, &[], Arc::new(NoEvents))?;
    service.run().await
}
