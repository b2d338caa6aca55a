//! Sees to it that somebody handles each feedback, in time.
//!
//! Subjects, each a small room with the same walk inside (proto → `api` → `service` → `domain` → `store` → events):
//! - [`work_order`]: opened for a classified feedback, taken through its states, its clocks kept and marked;
//! - [`agent`]: people and teams;
//! - [`assignment`]: who gets a work order;
//! - [`sla`]: which clocks a work order has, and when they are due; [`calendar`]: what counts as working time;
//! - [`routing`]: which team and skills a work order calls for.
//!
//! What comes in by events enters at [`events`], what comes in by time at [`worker`], what comes in by call at [`api`].
//! Priority becomes a deadline in `sla::domain`; a deadline becomes a mark in `work_order::marks`.

mod agent;
mod api;
mod assignment;
mod calendar;
mod condition;
mod config;
mod error;
mod events;
mod meters;
mod room;
mod routing;
mod sla;
mod store_erasure;
mod team;
mod work_order;
mod worker;

use std::sync::Arc;

use huiyin_chassis::{Context, Migrations, Running, Service, timer};
use huiyin_events::Events;
use huiyin_proto::scheduler::v1::scheduler_service_server::SchedulerServiceServer;

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

/// Brings the room up: database, event log, RPCs, consumers of classifications and survey answers, timers of the clocks.
///
/// # Errors
/// Whatever keeps it from starting: the port, the database, a migration, a setting.
pub async fn start(config: Config, context: Context) -> anyhow::Result<Running> {
    let mut service = Service::prepare("scheduler", &config.service, context, migrations()).await?;
    let events = Events::open(&mut service, &config.events).await?;
    let room = Arc::new(Room::new(&service, &events));

    let server = SchedulerServiceServer::new(api::Api::new(room.clone()))
        .max_decoding_message_size(service.server.message_bytes());
    service.server.add(server)?;
    events.run(&mut service, &["classifier", "survey"], room.clone())?;
    work_order::measure(&mut service.gauges, &room);
    timer::run(
        &mut service.tasks,
        service.database.clone(),
        service.clock.clone(),
        room,
    );
    service.run().await
}
