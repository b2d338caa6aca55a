//! Says what each feedback is about, how it sounds and how urgent it is, and shows the words that decided.
//!
//! Subjects:
//! - [`reading`]: what a taxonomy says of a text; pure;
//! - [`learning`]: a model trained from labels; pure;
//! - [`model`]: tasks, examples and trained versions of a tenant's own;
//! - [`taxonomy`]: what a tenant's classifier goes by, in versions; version 0 is built in (`builtin/`);
//! - [`priority`]: what a tenant's priority model makes of what is known, in versions; presets in `builtin/priority/`;
//! - [`knowledge`]: articles of the knowledge base, in versions: found, suggested, counted;
//! - [`classification`]: one for each feedback, and what people correct, score and review;
//! - [`review`]: the queue of texts whose label a person should say, and how well people agree;
//! - [`problem`]: many feedbacks that say the same, and what people decide on them.
//!
//! A call walks proto → [`api`] → `service` → `domain` → `store` → [`events`]; an event of intake enters at [`events`], what comes
//! in by time at [`worker`].

mod api;
mod classification;
mod config;
mod domain;
mod error;
mod events;
mod knowledge;
mod learning;
mod meters;
mod model;
mod operations;
mod priority;
mod problem;
mod reading;
mod review;
mod room;
mod store_erasure;
mod taxonomy;
mod worker;

use std::sync::Arc;

use huiyin_chassis::{Context, Migrations, Running, Service, operations as long, timer};
use huiyin_events::Events;
use huiyin_proto::classifier::v1::{
    classifier_service_server::ClassifierServiceServer, knowledge_service_server::KnowledgeServiceServer,
    model_service_server::ModelServiceServer, priority_model_service_server::PriorityModelServiceServer,
    problem_service_server::ProblemServiceServer, review_service_server::ReviewServiceServer,
};

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

/// Brings the room up: database, event log, RPCs, the consumer of submitted feedback.
///
/// # Errors
/// Whatever keeps it from starting: the port, the database, a migration, a setting.
pub async fn start(config: Config, context: Context) -> anyhow::Result<Running> {
    let mut service = Service::prepare("classifier", &config.service, context, migrations()).await?;
    let events = Events::open(&mut service, &config.events).await?;
    let room = Arc::new(Room::new(&service, &events, &config)?);

    let server = ClassifierServiceServer::new(api::Api::new(room.clone()))
        .max_decoding_message_size(service.server.message_bytes());
    service.server.add(server)?;
    let server = PriorityModelServiceServer::new(priority::api::Api::new(room.clone()))
        .max_decoding_message_size(service.server.message_bytes());
    service.server.add(server)?;
    let models = ModelServiceServer::new(model::api::Api::new(room.clone()))
        .max_decoding_message_size(service.server.message_bytes());
    service.server.add(models)?;
    let reviews = ReviewServiceServer::new(review::api::Api::new(room.clone()))
        .max_decoding_message_size(service.server.message_bytes());
    service.server.add(reviews)?;
    let knowledge = KnowledgeServiceServer::new(knowledge::api::Api::new(room.clone()))
        .max_decoding_message_size(service.server.message_bytes());
    service.server.add(knowledge)?;
    let problems = ProblemServiceServer::new(problem::api::Api::new(room.clone()))
        .max_decoding_message_size(service.server.message_bytes());
    service.server.add(problems)?;
    long::run(&mut service, room.clone())?;
    events.run(&mut service, &["intake"], room.clone())?;
    review::measure(&mut service.gauges, &room);
    timer::run(
        &mut service.tasks,
        service.database.clone(),
        service.clock.clone(),
        room,
    );
    service.run().await
}
