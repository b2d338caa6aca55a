//! Very many endpoints, and very many messages for one of them that never answers.

use huiyin_proto::notification::v1::{
    CreateWebhookEndpointRequest, DeleteWebhookEndpointRequest, MessageState, Purpose, WebhookEndpoint,
};
use huiyin_testkit::eventually;
use sqlx::Connection as _;
use tokio::net::TcpListener;
use tonic::Code;

use crate::{
    access::violated,
    scene::{LIMIT, Scene, assigned, digest, messages, resolved, subject},
    webhooks::{add, is, posted},
};

#[tokio::test]
async fn a_tenant_has_at_most_a_hundred_endpoints() {
    let scene = Scene::without_mail().await;
    let mut client = scene.admin().await;
    let url = "http://127.0.0.1:9/hook";
    let first = add(&mut client, url, &[]).await;
    for _ in 1..100 {
        add(&mut client, url, &[]).await;
    }
    let one_more = CreateWebhookEndpointRequest {
        parent: "tenants/acme".to_owned(),
        webhook_endpoint: Some(WebhookEndpoint {
            url: url.to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let refused = client.create_webhook_endpoint(one_more).await.unwrap_err();
    assert_eq!(
        (refused.code(), violated(&refused)),
        (Code::InvalidArgument, vec!["parent".to_owned()])
    );

    let delete = DeleteWebhookEndpointRequest {
        name: first.name,
        ..Default::default()
    };
    client.delete_webhook_endpoint(delete).await.unwrap();
    add(&mut client, url, &[]).await;
}

/// Of before there was a limit: more messages of one event than one statement could bind.
#[tokio::test]
async fn an_event_is_told_to_thousands_of_endpoints() {
    let scene = Scene::without_mail().await;
    let mut client = scene.admin().await;
    let mut database = sqlx::PgConnection::connect(&scene.stage.database_url()).await.unwrap();
    // Their secrets open nothing: nothing is posted to them.
    sqlx::query(
        "INSERT INTO webhook_endpoint (tenant_id, id, display_name, url, purposes, state, disable_reason, secret, revision,
                                       create_time, update_time)
         SELECT 'acme', gen_random_uuid(), '', 'http://127.0.0.1:9/hook', '{}', 1, '', '', 1, now(), now()
         FROM generate_series(1, 4000)",
    )
    .execute(&mut database)
    .await
    .unwrap();
    let event = scene.scheduler.publish("acme", &subject("w1"), assigned(digest("w1")));
    let filter = format!("event = \"{}\" AND medium = INBOX AND state = DELIVERED", event.id);
    eventually("the inbox has it", LIMIT, async || {
        messages(&mut client, &filter).await.len() == 1
    })
    .await;
    let told: i64 = sqlx::query_scalar("SELECT count(*) FROM message")
        .fetch_one(&mut database)
        .await
        .unwrap();
    assert_eq!(told, 4_001);
}

#[tokio::test]
async fn an_endpoint_that_hangs_leaves_the_others_their_turn() {
    let mut scene = Scene::with("allow_private = true\ntimeout_ms = 2000", false).await;
    let mut client = scene.admin().await;
    // Connections are made with it, and nobody ever takes them.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hangs = format!("http://{}/hook", silent.local_addr().unwrap());
    add(&mut client, &hangs, &[Purpose::Assignment]).await;
    let (_, answers) = scene.receiver().await;
    add(&mut client, &answers, &[Purpose::Resolution]).await;
    for number in 0..400 {
        let id = format!("w{number}");
        scene.scheduler.publish("acme", &subject(&id), assigned(digest(&id)));
    }
    let event = scene.scheduler.publish("acme", &subject("w1"), resolved(digest("w1")));
    posted(&mut client, &event.id, is(MessageState::Delivered)).await;
    let waiting = messages(&mut client, "purpose = ASSIGNMENT AND medium = WEBHOOK")
        .await
        .iter()
        .filter(|message| message.attempts == 0)
        .count();
    assert!(waiting > 100, "it has come before most of what hangs: {waiting}");
}
