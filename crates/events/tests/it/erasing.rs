//! A customer is erased from a log whose relay has not come by yet.

use huiyin_proto::event::v1::{
    EraseCustomerDataRequest, Event, customer_data_service_client::CustomerDataServiceClient,
};
use prost::Message as _;
use uuid::Uuid;

use crate::world::World;

const CUSTOMER: &str = "tenants/north/customers/5f0c1f9e-4f7c-4a8e-9a61-0d9a8f0f7a11";
const FEEDBACK: &str = "tenants/north/feedbacks/0e6a7a52-9f0b-4c7e-8a3b-6d4f2f8c1b22";
const WORDS: &str = "紫色雨伞图标消失";

/// 000-21: what waits in the outbox is a copy as well, and is moved into the log without the words.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_that_still_wait_in_the_outbox_are_erased_there() {
    let world = World::new().await;
    // Somebody else is the relay, and does nothing.
    let mut relay = world.source_database().await;
    sqlx::query("SELECT pg_advisory_lock($1, -1)")
        .bind(0x6879_7278)
        .execute(&mut relay)
        .await
        .unwrap();
    let source = world.source(None).await;
    let mut database = world.source_database().await;
    source.submit("north", CUSTOMER, FEEDBACK, WORDS).await;
    let waiting = async |database: &mut sqlx::PgConnection| -> Vec<Event> {
        let rows: Vec<Vec<u8>> = sqlx::query_scalar("SELECT event FROM events.outbox ORDER BY id")
            .fetch_all(database)
            .await
            .unwrap();
        rows.iter().map(|row| Event::decode(row.as_slice()).unwrap()).collect()
    };
    let before = waiting(&mut database).await;
    assert!(format!("{before:?}").contains(WORDS), "{before:?}");

    let token = world.stage.service_token("intake");
    let channel = world.stage.connect(source.running.address, &token).await;
    let request = EraseCustomerDataRequest {
        parent: "tenants/north".to_owned(),
        erasure: Uuid::from_u128(7).to_string(),
        part: 1,
        customers: vec![CUSTOMER.to_owned()],
        feedbacks: vec![FEEDBACK.to_owned()],
        tables_only: false,
    };
    let mut client = CustomerDataServiceClient::new(channel);
    while !client
        .erase_customer_data(request.clone())
        .await
        .unwrap()
        .into_inner()
        .done
    {}

    let after = waiting(&mut database).await;
    assert_eq!(after.len(), before.len(), "the event itself stays");
    let told = format!("{after:?}");
    assert!(!told.contains(WORDS) && !told.contains(CUSTOMER), "{told}");
    source.running.stop().await.unwrap();
}
