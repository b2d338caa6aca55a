//! Intake takes feedback in from every channel: whoever gets an answer from it can be sure that the feedback is stored.
//!
//! Subjects:
//! - [`feedback`]: what was said, stored once and shown to whoever may see it;
//! - [`channel`]: forms, connectors and mailboxes, each of which hands in as `CreateFeedback` does;
//! - [`validation`]: what may come in, and what a vague description lacks;
//! - [`screening`]: what of it counts: set aside, released, merged, taken apart;
//! - [`attachment`]: files that came along, stored once per tenant and handed out when they are known to be harmless;
//! - [`status`]: how a feedback stands, for the customer who holds its number and token;
//! - [`customer`]: who said it, without who that is: identities, attributes, segments; `vault`: the keys;
//! - [`api_key`]: by which programs of the enterprise call the whole suite;
//! - [`erasure`]: a customer erased in all services, or handed out; [`retention`]: what is over its time blanked.
//!
//! The way of a feedback: `api` (decode) → `convert` (parse) → `service` (use cases; `validation` admits or refuses) →
//! `accept` (where it stands, by `screening`; token, masked words) → `writer` (many callers, one commit), or `import` (a stream,
//! one commit per message) → `ledger` (number, customer and key, row, event) → `store` (SQL) → `events` → the classifier, and
//! everybody else who follows intake's log. What the scheduler tells of its work order enters at [`events`]; what is due later
//! begins in [`worker`], the search for what is near to a feedback among it.

mod api_key;
mod attachment;
mod channel;
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
mod screening;
mod status;
mod validation;
mod vault;
mod worker;

use std::sync::Arc;

use huiyin_chassis::{Context, Migrations, Running, Service, operations};
use huiyin_events::Events;
use huiyin_proto::intake::v1::{
    api_key_service_server::ApiKeyServiceServer, attachment_service_server::AttachmentServiceServer,
    customer_service_server::CustomerServiceServer, intake_service_server::IntakeServiceServer,
    screening_service_server::ScreeningServiceServer, source_service_server::SourceServiceServer,
    status_service_server::StatusServiceServer, validation_service_server::ValidationServiceServer,
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

/// Starts intake.
///
/// # Errors
/// Whatever keeps it from starting: its configuration, its database, its port.
pub async fn start(config: Config, context: Context) -> anyhow::Result<Running> {
    let mut service = Service::prepare("intake", &config.service, context, migrations()).await?;
    let events = Events::open(&mut service, &config.events).await?;
    let room = Arc::new(Room::new(&mut service, &events, &config)?);

    let most = service.server.message_bytes();
    let server = IntakeServiceServer::new(feedback::api::Api(Arc::clone(&room))).max_decoding_message_size(most);
    service.server.add(server)?;
    let server = ValidationServiceServer::new(validation::api::Api(Arc::clone(&room))).max_decoding_message_size(most);
    service.server.add(server)?;
    let server = ScreeningServiceServer::new(screening::api::Api(Arc::clone(&room))).max_decoding_message_size(most);
    service.server.add(server)?;
    let server = AttachmentServiceServer::new(attachment::api::Api(Arc::clone(&room))).max_decoding_message_size(most);
    service.server.add(server)?;
    let server = StatusServiceServer::new(status::api::Api(Arc::clone(&room))).max_decoding_message_size(most);
    service.server.add(server)?;
    let server = SourceServiceServer::new(channel::source::api::Api(Arc::clone(&room))).max_decoding_message_size(most);
    service.server.add(server)?;
    let server = CustomerServiceServer::new(customer::api::Api(Arc::clone(&room))).max_decoding_message_size(most);
    service.server.add(server)?;
    let server = ApiKeyServiceServer::new(api_key::api::Api(Arc::clone(&room))).max_decoding_message_size(most);
    service.server.add(server)?;
    let keys = api_key::service::OurKeys(Arc::clone(&room));
    service.server.look_up_api_keys_in(Arc::new(keys));
    operations::run(
        &mut service,
        Arc::new(erasure::operation::Operations(Arc::clone(&room))),
    )?;
    channel::http::serve(&mut service, &room, &config.http).await?;
    channel::mail::serve(&mut service, &room, &config.mail).await?;
    worker::start(&mut service, &room);
    events.run(&mut service, &["scheduler"], room)?;
    service.run().await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use huiyin_chassis::{Migrations, Service, Tenant};
    use huiyin_events::Events;
    use huiyin_testkit::Stage;

    use crate::{Config, Room, attachment, status};

    /// A room without a server, for what only the room itself asks of its subjects.
    async fn room(stage: &Stage) -> Arc<Room> {
        let store = stage.folder().join("attachments");
        let settings = format!(
            "[vault]\nkey = \"0123456789abcdef0123456789abcdef\"\n[attachments]\nstore = \"{}\"\n",
            store.display()
        );
        let config: Config = stage.config("intake", &settings).await;
        let migrations = vec![
            huiyin_events::migrations(),
            Migrations {
                schema: "public",
                migrator: sqlx::migrate!(),
            },
        ];
        let mut service = Service::prepare("intake", &config.service, stage.context(), migrations)
            .await
            .unwrap();
        let events = Events::open(&mut service, &config.events).await.unwrap();
        Arc::new(Room::new(&mut service, &events, &config).unwrap())
    }

    /// What erasure stands on: with its feedback a file is gone, and its bytes where no other feedback has them.
    #[tokio::test]
    async fn files_of_a_feedback_go_with_it_and_bytes_with_the_last() {
        let stage = Stage::new().await;
        let room = room(&stage).await;
        let tenant = Tenant::stored("acme").unwrap();
        let bytes = || Bytes::from_static(b"%PDF-1.7 receipt");
        let mut files = Vec::new();
        for _ in 0..2 {
            let stored = room.store_bytes(&tenant, "system", "收据.pdf", "text/plain", bytes());
            files.push(stored.await.unwrap());
        }
        assert_eq!(
            room.attachment(&tenant, files[0]).await.unwrap().media_type,
            "application/pdf"
        );
        let feedbacks = [stage.clock.id(), stage.clock.id()];
        let mut tx = room.ledger.database.tenant(&tenant).await.unwrap();
        let pairs: Vec<_> = files.iter().copied().zip(feedbacks).collect();
        attachment::service::link(&mut tx, &tenant, &pairs).await.unwrap();
        tx.commit().await.unwrap();

        for (dropped, held) in feedbacks.into_iter().zip([1, 0]) {
            let mut tx = room.ledger.database.tenant(&tenant).await.unwrap();
            let count = room.drop_of_feedback(&mut tx, &tenant, &[dropped]).await.unwrap();
            status::store::forget(&mut tx, &tenant, &[dropped]).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(count, 1);
            while huiyin_chassis::timer::tick(&room.ledger.database, &room.ledger.clock, &*room)
                .await
                .unwrap()
                .0
            {}
            let objects = std::fs::read_dir(stage.folder().join("attachments/acme"))
                .unwrap()
                .count();
            assert_eq!(objects, held);
        }
        for file in files {
            assert!(room.attachment(&tenant, file).await.is_err());
        }
    }
}
