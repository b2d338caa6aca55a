//! Endpoints of the tenant: signed posts, retries, secrets, and URLs that are refused.

use huiyin_proto::notification::v1::{
    CreateWebhookEndpointRequest, DeleteWebhookEndpointRequest, DisableWebhookEndpointRequest,
    EnableWebhookEndpointRequest, GetWebhookEndpointRequest, ListWebhookEndpointsRequest, Medium, Message,
    MessageState, Purpose, ReplayMessageRequest, RotateWebhookSecretRequest, UpdateWebhookEndpointRequest,
    WebhookEndpoint, WebhookEndpointState,
};
use huiyin_testkit::eventually;
use jiff::SignedDuration;
use tonic::Code;
use uuid::Uuid;

use crate::{
    access::{reason, violated},
    receiver::Receiver,
    scene::{CUSTOMER, Client, LIMIT, Scene, assigned, digest, get, invited, messages, resolved, subject},
};

/// Adds an endpoint of `acme`.
pub(crate) async fn add(client: &mut Client, url: &str, purposes: &[Purpose]) -> WebhookEndpoint {
    let endpoint = WebhookEndpoint {
        url: url.to_owned(),
        purposes: purposes.iter().map(|purpose| *purpose as i32).collect(),
        ..Default::default()
    };
    let request = CreateWebhookEndpointRequest {
        parent: "tenants/acme".to_owned(),
        webhook_endpoint: Some(endpoint),
        ..Default::default()
    };
    client.create_webhook_endpoint(request).await.unwrap().into_inner()
}

/// The message of an event that goes to an endpoint, once a look finds it good.
pub(crate) async fn posted(client: &mut Client, event: &str, good: impl Fn(&Message) -> bool) -> Message {
    let filter = format!("event = \"{event}\" AND medium = WEBHOOK");
    eventually("the post is as wanted", LIMIT, async || {
        let messages = messages(client, &filter).await;
        messages
            .iter()
            .find(|message| good(message))
            .cloned()
            .ok_or(format!("{messages:#?}"))
    })
    .await
}

/// Finds a message good that is in this state.
pub(crate) fn is(state: MessageState) -> impl Fn(&Message) -> bool {
    move |message| message.state() == state
}

/// As Standard Webhooks prescribes.
#[tokio::test]
async fn an_endpoint_gets_a_signed_post_of_what_it_wants() {
    let mut scene = Scene::without_mail().await;
    let mut client = scene.admin().await;
    let (all, url) = scene.receiver().await;
    let (some, other_url) = scene.receiver().await;
    let endpoint = add(&mut client, &url, &[]).await;
    add(&mut client, &other_url, &[Purpose::Assignment]).await;
    assert!(endpoint.secret.starts_with("whsec_"));
    let event = scene.scheduler.publish("acme", &subject("w1"), resolved(digest("w1")));

    let told = scene.settled(&mut client, &event.id, 2).await;
    let post = told.iter().find(|message| message.medium() == Medium::Webhook).unwrap();
    assert_eq!(
        (post.webhook_endpoint.as_str(), post.recipient.as_str()),
        (endpoint.name.as_str(), CUSTOMER)
    );
    let came = all.posts().remove(0);
    assert!(came.is_signed_by(&endpoint.secret));
    assert_eq!(came.header("webhook-id"), post.name.rsplit('/').next().unwrap());
    assert_eq!(came.header("x-huiyin-hops"), "1");
    assert_eq!(
        came.header("webhook-timestamp"),
        scene.stage.clock.now().as_second().to_string()
    );
    let json = came.json();
    assert_eq!(json["type"], "message.resolution");
    assert_eq!(json["data"]["message"], post.name.as_str());
    assert_eq!(json["data"]["audience"], "CUSTOMER");
    assert_eq!(json["data"]["body"], post.body.as_str());
    assert!(some.posts().is_empty(), "it wants assignments alone");

    let event = scene.scheduler.publish("acme", &subject("w1"), assigned(digest("w1")));
    assert_eq!(scene.settled(&mut client, &event.id, 3).await.len(), 3);
    assert_eq!((some.posts().len(), all.posts().len()), (1, 2));
}

/// Whoever carries a survey on to the customer needs its link whole.
#[tokio::test]
async fn a_posted_survey_carries_its_link() {
    let mut scene = Scene::without_mail().await;
    let mut client = scene.admin().await;
    let (receiver, url) = scene.receiver().await;
    add(&mut client, &url, &[]).await;
    let event = scene
        .surveys
        .publish("acme", "tenants/acme/surveys/standard", invited(digest("w1"), "i1"));
    let told = scene.settled(&mut client, &event.id, 2).await;
    assert!(told.iter().all(|message| !message.body.contains("token-of")));
    assert!(
        receiver.posts()[0].json()["data"]["body"]
            .as_str()
            .unwrap()
            .contains("https://example.com/s#token-of-i1")
    );
}

/// Exponential backoff, then a dead letter, then a person replays it.
#[tokio::test]
async fn a_failing_endpoint_is_tried_again_until_the_message_is_dead_and_a_replay_delivers_it() {
    let mut scene = Scene::without_mail().await;
    let mut client = scene.admin().await;
    let (receiver, url) = scene.receiver().await;
    receiver.answer(500);
    let endpoint = add(&mut client, &url, &[]).await;
    let event = scene.scheduler.publish("acme", &subject("w1"), resolved(digest("w1")));
    let first = posted(&mut client, &event.id, |message| message.attempts == 1).await;
    assert_eq!(
        (first.state(), first.last_error.as_str()),
        (MessageState::Queued, "the endpoint answered 500 Internal Server Error")
    );
    let now = scene.stage.clock.now().as_second();
    let pause = first.next_attempt_time.unwrap().seconds - now;
    assert!(
        (2..=5).contains(&pause),
        "the first pause is 5 s, shortened by up to a half: {pause}"
    );

    for attempts in 2..=8 {
        scene.stage.clock.advance(SignedDuration::from_secs(3600));
        scene.attempted(&mut client, &first.name, attempts).await;
    }
    let dead = get(&mut client, &first.name).await;
    assert_eq!(
        (dead.state(), dead.attempts, dead.deliveries.len()),
        (MessageState::Dead, 8, 8)
    );
    assert!(
        dead.deliveries
            .iter()
            .all(|delivery| delivery.status_code == 500 && !delivery.delivered)
    );
    let ids: Vec<String> = receiver.posts().iter().map(|post| post.header("webhook-id")).collect();
    assert_eq!(ids.len(), 8);
    assert!(
        ids.iter().all(|id| *id == ids[0]),
        "every attempt under the same id: {ids:?}"
    );

    receiver.answer(200);
    client
        .replay_message(ReplayMessageRequest {
            name: dead.name.clone(),
            ..Default::default()
        })
        .await
        .unwrap();
    let delivered = posted(&mut client, &event.id, is(MessageState::Delivered)).await;
    assert_eq!((delivered.attempts, receiver.posts().len()), (1, 9));
    let last = receiver.posts().pop().unwrap();
    assert!(last.is_signed_by(&endpoint.secret));
    assert_eq!(last.body, receiver.posts()[0].body, "the same bytes each time");
}

#[tokio::test]
async fn a_disabled_endpoint_is_not_posted_to_until_it_is_enabled() {
    let mut scene = Scene::without_mail().await;
    let mut client = scene.admin().await;
    let (receiver, url) = scene.receiver().await;
    receiver.answer(503);
    let endpoint = add(&mut client, &url, &[]).await;
    let event = scene.scheduler.publish("acme", &subject("w1"), resolved(digest("w1")));
    posted(&mut client, &event.id, |message| message.attempts == 1).await;

    let disable = DisableWebhookEndpointRequest {
        name: endpoint.name.clone(),
        reason: "维护".to_owned(),
        etag: "1".to_owned(),
        ..Default::default()
    };
    let disabled = client
        .disable_webhook_endpoint(disable.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (
            disabled.state(),
            disabled.disable_reason.as_str(),
            disabled.etag.as_str()
        ),
        (WebhookEndpointState::Disabled, "维护", "2")
    );
    assert_eq!(
        client.disable_webhook_endpoint(disable).await.unwrap_err().code(),
        Code::Aborted,
        "the etag is the old one"
    );
    scene.stage.clock.advance(SignedDuration::from_hours(2));
    let waits = posted(&mut client, &event.id, is(MessageState::Queued)).await;
    assert!(waits.next_attempt_time.is_none());
    let second = scene.scheduler.publish("acme", &subject("w1"), resolved(digest("w1")));
    scene.settled(&mut client, &second.id, 1).await; // nothing new is queued for it
    assert_eq!(receiver.posts().len(), 1);

    receiver.answer(204);
    client
        .enable_webhook_endpoint(EnableWebhookEndpointRequest {
            name: endpoint.name,
            ..Default::default()
        })
        .await
        .unwrap();
    posted(&mut client, &event.id, is(MessageState::Delivered)).await;
    assert_eq!(receiver.posts().len(), 2);
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_disabled_and_what_was_meant_for_it_waits() {
    let mut scene = Scene::without_mail().await;
    let mut client = scene.admin().await;
    let (receiver, url) = scene.receiver().await;
    receiver.answer(410);
    let endpoint = add(&mut client, &url, &[]).await;
    let event = scene.scheduler.publish("acme", &subject("w1"), resolved(digest("w1")));
    let waits = posted(&mut client, &event.id, |message| message.attempts == 1).await;
    assert_eq!((waits.state(), waits.next_attempt_time), (MessageState::Queued, None));
    let found = client
        .get_webhook_endpoint(GetWebhookEndpointRequest {
            name: endpoint.name.clone(),
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (found.state(), found.disable_reason.as_str()),
        (WebhookEndpointState::Disabled, "the endpoint answered 410 Gone")
    );

    let delete = DeleteWebhookEndpointRequest {
        name: endpoint.name.clone(),
        request_id: Uuid::from_u128(3).to_string(),
        ..Default::default()
    };
    assert_eq!(
        client
            .delete_webhook_endpoint(delete.clone())
            .await
            .unwrap()
            .into_inner()
            .dead_messages,
        1
    );
    assert_eq!(
        client
            .delete_webhook_endpoint(delete)
            .await
            .unwrap()
            .into_inner()
            .dead_messages,
        1,
        "the same answer again"
    );
    posted(&mut client, &event.id, is(MessageState::Dead)).await;
    let gone = client
        .get_webhook_endpoint(GetWebhookEndpointRequest { name: endpoint.name })
        .await
        .unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
}

/// The secret is shown twice in its life, and for a day after a change both count.
#[tokio::test]
async fn a_secret_is_shown_when_made_and_replaced_with_an_overlap() {
    let mut scene = Scene::without_mail().await;
    let mut client = scene.admin().await;
    let (receiver, url) = scene.receiver().await;
    let request = CreateWebhookEndpointRequest {
        parent: "tenants/acme".to_owned(),
        webhook_endpoint: Some(WebhookEndpoint {
            url,
            ..Default::default()
        }),
        request_id: Uuid::from_u128(5).to_string(),
    };
    let made = client
        .create_webhook_endpoint(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        client.create_webhook_endpoint(request).await.unwrap().into_inner(),
        made,
        "the same, with its secret"
    );
    let shown = client
        .get_webhook_endpoint(GetWebhookEndpointRequest {
            name: made.name.clone(),
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(shown.secret, "");

    let rotate = RotateWebhookSecretRequest {
        name: made.name.clone(),
        request_id: Uuid::from_u128(6).to_string(),
        ..Default::default()
    };
    let rotated = client.rotate_webhook_secret(rotate.clone()).await.unwrap().into_inner();
    assert_eq!(
        client.rotate_webhook_secret(rotate).await.unwrap().into_inner(),
        rotated
    );
    assert_ne!(rotated.secret, made.secret);
    assert!(rotated.previous_secret_expire_time.is_some());

    let send = async |client: &mut Client| {
        let event = scene.scheduler.publish("acme", &subject("w1"), resolved(digest("w1")));
        posted(client, &event.id, is(MessageState::Delivered)).await;
        receiver.posts().pop().unwrap()
    };
    let both = send(&mut client).await;
    assert!(both.is_signed_by(&rotated.secret) && both.is_signed_by(&made.secret));
    scene.stage.clock.advance(SignedDuration::from_hours(24));
    let one = send(&mut client).await;
    assert!(one.is_signed_by(&rotated.secret) && !one.is_signed_by(&made.secret));
    let kept = sqlx_text(&scene).await;
    assert!(!kept.contains("whsec_"), "no table holds a secret in the clear");
}

/// Everything that the database holds about endpoints and answers, as text.
async fn sqlx_text(scene: &Scene) -> String {
    use sqlx::Connection as _;
    let mut connection = sqlx::PgConnection::connect(&scene.stage.database_url()).await.unwrap();
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT encode(answer, 'escape') FROM chassis.answered_request
         UNION ALL SELECT encode(secret, 'escape') FROM webhook_endpoint",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert!(
        rows.len() >= 3,
        "the answers and the endpoint are there to be looked at"
    );
    rows.concat()
}

/// An endpoint must not make the service call into the operator's own network.
#[tokio::test]
async fn a_url_into_the_operators_own_network_is_refused() {
    let scene = Scene::with("allow_private = false", false).await;
    let mut client = scene.admin().await;
    for url in [
        "http://example.com/hook",
        "https://127.0.0.1/hook",
        "https://[::1]/",
        "https://169.254.169.254/latest",
        "https://localhost/hook",
    ] {
        let request = CreateWebhookEndpointRequest {
            parent: "tenants/acme".to_owned(),
            webhook_endpoint: Some(WebhookEndpoint {
                url: url.to_owned(),
                ..Default::default()
            }),
            ..Default::default()
        };
        let refused = client.create_webhook_endpoint(request).await.unwrap_err();
        assert_eq!(
            (refused.code(), reason(&refused).0.as_str()),
            (Code::InvalidArgument, "URL_FORBIDDEN"),
            "{url}"
        );
        assert_eq!(reason(&refused).1["url"], url);
    }
    let endpoint = add(&mut client, "https://1.1.1.1/hook", &[]).await;
    let inside = WebhookEndpoint {
        name: endpoint.name,
        url: "https://10.0.0.1/".to_owned(),
        ..Default::default()
    };
    let request = UpdateWebhookEndpointRequest {
        webhook_endpoint: Some(inside),
        ..Default::default()
    };
    assert_eq!(
        reason(&client.update_webhook_endpoint(request).await.unwrap_err()).0,
        "URL_FORBIDDEN"
    );
    let empty = CreateWebhookEndpointRequest {
        parent: "tenants/acme".to_owned(),
        webhook_endpoint: Some(WebhookEndpoint::default()),
        ..Default::default()
    };
    assert_eq!(
        violated(&client.create_webhook_endpoint(empty).await.unwrap_err()),
        ["webhook_endpoint.url"]
    );
}

#[tokio::test]
async fn endpoints_are_changed_and_listed() {
    let mut scene = Scene::without_mail().await;
    let mut client = scene.admin().await;
    let (_, url) = scene.receiver().await;
    let mut names = Vec::new();
    for _ in 0..5 {
        names.push(add(&mut client, &url, &[]).await.name);
        scene.stage.clock.advance(SignedDuration::from_secs(1));
    }
    let update = UpdateWebhookEndpointRequest {
        webhook_endpoint: Some(WebhookEndpoint {
            name: names[2].clone(),
            display_name: "短信网关".to_owned(),
            purposes: vec![Purpose::Survey.into(), Purpose::Progress.into()],
            etag: "1".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let changed = client
        .update_webhook_endpoint(update.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (
            changed.display_name.as_str(),
            changed.url.as_str(),
            changed.etag.as_str()
        ),
        ("短信网关", url.as_str(), "2")
    );
    assert_eq!(changed.purposes, [Purpose::Progress as i32, Purpose::Survey as i32]);
    assert_eq!(
        client.update_webhook_endpoint(update).await.unwrap_err().code(),
        Code::Aborted
    );

    let mut request = ListWebhookEndpointsRequest {
        parent: "tenants/acme".to_owned(),
        page_size: 2,
        ..Default::default()
    };
    let mut listed = Vec::new();
    loop {
        let page = client
            .list_webhook_endpoints(request.clone())
            .await
            .unwrap()
            .into_inner();
        listed.extend(page.webhook_endpoints.into_iter().map(|endpoint| endpoint.name));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(listed, names, "oldest first, nothing skipped or repeated");
    let filter = "display_name : \"网关\" AND state = ENABLED".to_owned();
    let found = client.list_webhook_endpoints(ListWebhookEndpointsRequest {
        parent: "tenants/acme".to_owned(),
        filter,
        ..Default::default()
    });
    assert_eq!(found.await.unwrap().into_inner().webhook_endpoints, [changed]);
}

/// A slow receiver of one tenant must not hold up inboxes.
#[tokio::test]
async fn inboxes_do_not_wait_for_endpoints() {
    let mut scene = Scene::without_mail().await;
    let mut client = scene.admin().await;
    let receiver = Receiver::new();
    receiver.answer(500);
    let url = receiver.serve(&mut scene.tasks, huiyin_chassis::Shutdown::new()).await;
    add(&mut client, &url, &[]).await;
    let event = scene.scheduler.publish("acme", &subject("w1"), assigned(digest("w1")));
    let filter = format!("event = \"{}\" AND medium = INBOX AND state = DELIVERED", event.id);
    eventually("the inbox has it", LIMIT, async || {
        messages(&mut client, &filter).await.len() == 1
    })
    .await;
    assert_eq!(
        posted(&mut client, &event.id, |message| message.attempts == 1)
            .await
            .state(),
        MessageState::Queued
    );
}
