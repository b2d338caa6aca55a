//! The survey room: asks each customer, once per resolution, how it went, and says so when the matter is not solved.
//!
//! The walk of the data, the same in every subject folder:
//!
//! ```text
//! proto → api.rs → <subject>/service.rs → <subject>/domain.rs → <subject>/store.rs → events.rs → the next room
//! ```
//!
//! | subject | what it is |
//! |---|---|
//! | [`survey`] | what is asked: versions of a survey, the built-in one among them (003-52) |
//! | [`invitation`] | the right to answer once per work order and episode; the token that carries it; its end |
//! | [`response`] | the answer: checked, masked, judged (003-51) |
//!
//! A work order that is resolved makes an invitation ([`events`]); its token answers it; a bad answer says "reopen", the
//! scheduler reopens, and the next resolution is asked about again (000-55, 000-56).

mod api;
mod config;
mod error;
mod events;
mod invitation;
mod meters;
mod names;
mod response;
mod room;
mod store_erasure;
mod survey;

use std::sync::Arc;

use huiyin_chassis::{Context, Migrations, Running, Service, timer};
use huiyin_events::Events;
use huiyin_proto::survey::v1::survey_service_server::SurveyServiceServer;

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

/// Starts the room.
///
/// # Errors
/// Whatever keeps it from starting: configuration, port, database, migrations.
pub async fn start(config: Config, context: Context) -> anyhow::Result<Running> {
    let mut service = Service::prepare("survey", &config.service, context, migrations()).await?;
    let events = Events::open(&mut service, &config.events).await?;
    let room = Arc::new(Room::new(&service, &events, &config)?);

    let message_bytes = service.server.message_bytes();
    let api = api::Api::new(Arc::clone(&room));
    service
        .server
        .add(SurveyServiceServer::new(api).max_decoding_message_size(message_bytes))?;
    events.run(&mut service, &["scheduler"], Arc::clone(&room))?;
    timer::run(
        &mut service.tasks,
        service.database.clone(),
        service.clock.clone(),
        room,
    );
    service.run().await
}
