//! Who may what: tenants apart, permissions, lists, and what an error says.

use std::collections::HashMap;

use huiyin_proto::notification::v1::{
    CreateWebhookEndpointRequest, GetMessageRequest, GetTemplateRequest, GetWebhookEndpointRequest,
    ListInboxItemsRequest, ListMessagesRequest, ListTemplatesRequest, MarkInboxItemReadRequest, ReplayMessageRequest,
    RotateWebhookSecretRequest, WatchInboxRequest, WebhookEndpoint,
};
use jiff::SignedDuration;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::scene::{Scene, assigned, digest, messages, resolved, subject};

/// The reason of an error and its metadata.
pub(crate) fn reason(status: &Status) -> (String, HashMap<String, String>) {
    let info = status
        .get_error_details()
        .error_info()
        .cloned()
        .unwrap_or_else(|| panic!("no reason: {status:?}"));
    (info.reason, info.metadata)
}

/// The fields that a refusal names.
pub(crate) fn violated(status: &Status) -> Vec<String> {
    let details = status.get_error_details();
    let violations = details
        .bad_request()
        .unwrap_or_else(|| panic!("no fields: {status:?}"))
        .field_violations
        .clone();
    violations.into_iter().map(|violation| violation.field).collect()
}

#[tokio::test]
async fn another_tenants_resources_are_not_to_be_told_from_missing_ones() {
    let scene = Scene::without_mail().await;
    let mut acme = scene.admin().await;
    let mut globex = scene.client_of("user:admin", "globex", &["admin"]).await;
    let event = scene.scheduler.publish("acme", &subject("w1"), resolved(digest("w1")));
    let message = scene.settled(&mut acme, &event.id, 1).await.remove(0).name;
    let endpoint = CreateWebhookEndpointRequest {
        parent: "tenants/acme".to_owned(),
        webhook_endpoint: Some(WebhookEndpoint {
            url: "http://127.0.0.1:9/".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let endpoint = acme.create_webhook_endpoint(endpoint).await.unwrap().into_inner().name;

    let item = message.replace("messages", "inboxItems");
    let parent = "tenants/acme".to_owned();
    let codes = [
        globex
            .get_message(GetMessageRequest { name: message.clone() })
            .await
            .unwrap_err()
            .code(),
        globex
            .replay_message(ReplayMessageRequest {
                name: message.clone(),
                ..Default::default()
            })
            .await
            .unwrap_err()
            .code(),
        globex
            .list_messages(ListMessagesRequest {
                parent: parent.clone(),
                ..Default::default()
            })
            .await
            .unwrap_err()
            .code(),
        globex
            .get_webhook_endpoint(GetWebhookEndpointRequest { name: endpoint.clone() })
            .await
            .unwrap_err()
            .code(),
        globex
            .rotate_webhook_secret(RotateWebhookSecretRequest {
                name: endpoint.clone(),
                ..Default::default()
            })
            .await
            .unwrap_err()
            .code(),
        globex
            .mark_inbox_item_read(MarkInboxItemReadRequest {
                name: item,
                ..Default::default()
            })
            .await
            .unwrap_err()
            .code(),
        globex
            .list_inbox_items(ListInboxItemsRequest {
                parent: parent.clone(),
                ..Default::default()
            })
            .await
            .unwrap_err()
            .code(),
        globex
            .watch_inbox(WatchInboxRequest {
                parent: parent.clone(),
                ..Default::default()
            })
            .await
            .unwrap_err()
            .code(),
        globex
            .list_templates(ListTemplatesRequest {
                parent,
                ..Default::default()
            })
            .await
            .unwrap_err()
            .code(),
        globex
            .get_template(GetTemplateRequest {
                name: "tenants/acme/templates/survey-en".to_owned(),
                ..Default::default()
            })
            .await
            .unwrap_err()
            .code(),
        // In the own tenant, under the other's id.
        globex
            .get_message(GetMessageRequest {
                name: message.replace("acme", "globex"),
            })
            .await
            .unwrap_err()
            .code(),
        globex
            .get_webhook_endpoint(GetWebhookEndpointRequest {
                name: endpoint.replace("acme", "globex"),
            })
            .await
            .unwrap_err()
            .code(),
    ];
    assert_eq!(codes, [Code::NotFound; 12]);
}

#[tokio::test]
async fn an_engineer_has_no_business_with_endpoints_templates_or_replays() {
    let scene = Scene::without_mail().await;
    let mut engineer = scene.client("user:li.wei", &["engineer"]).await;
    let name = "tenants/acme/messages/0195a000-0000-7000-8000-000000000001".to_owned();
    let refused = [
        engineer
            .get_message(GetMessageRequest { name: name.clone() })
            .await
            .unwrap_err(),
        engineer
            .replay_message(ReplayMessageRequest {
                name,
                ..Default::default()
            })
            .await
            .unwrap_err(),
        engineer
            .list_templates(ListTemplatesRequest {
                parent: "tenants/acme".to_owned(),
                ..Default::default()
            })
            .await
            .unwrap_err(),
        engineer
            .create_webhook_endpoint(CreateWebhookEndpointRequest {
                parent: "tenants/acme".to_owned(),
                webhook_endpoint: Some(WebhookEndpoint::default()),
                ..Default::default()
            })
            .await
            .unwrap_err(),
    ];
    for status in refused {
        assert_eq!(
            (status.code(), reason(&status).0.as_str()),
            (Code::PermissionDenied, "PERMISSION_MISSING")
        );
    }
}

#[tokio::test]
async fn messages_are_filtered_ordered_and_paged() {
    let scene = Scene::without_mail().await;
    let mut client = scene.admin().await;
    for number in 0..6 {
        let id = format!("w{}", number % 2);
        let event = scene.scheduler.publish(
            "acme",
            &subject(&id),
            if number < 4 {
                resolved(digest(&id))
            } else {
                assigned(digest(&id))
            },
        );
        scene.settled(&mut client, &event.id, 1).await;
        scene
            .stage
            .clock
            .advance(SignedDuration::from_secs(i64::from(number % 2)));
    }
    let all = messages(&mut client, "").await;
    assert_eq!(all.len(), 6);
    let mut request = ListMessagesRequest {
        parent: "tenants/acme".to_owned(),
        page_size: 4,
        ..Default::default()
    };
    let mut newest_first = Vec::new();
    loop {
        let page = client.list_messages(request.clone()).await.unwrap().into_inner();
        newest_first.extend(page.messages);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    newest_first.reverse();
    assert_eq!(newest_first, all);
    for (filter, count) in [
        (format!("work_order = \"{}\"", subject("w1")), 3),
        ("purpose = RESOLUTION AND audience = CUSTOMER".to_owned(), 4),
        ("recipient = \"user:li.wei\" AND medium = INBOX".to_owned(), 2),
        (
            "state = DELIVERED AND episode = 1 AND webhook_endpoint = \"\"".to_owned(),
            6,
        ),
        (
            "state = DEAD OR feedback = \"tenants/acme/feedbacks/other\"".to_owned(),
            0,
        ),
        (
            "settle_time >= 2026-03-02T01:00:00Z AND create_time < 2026-03-02T01:00:01Z".to_owned(),
            2,
        ),
    ] {
        assert_eq!(messages(&mut client, &filter).await.len(), count, "{filter}");
    }
    let request = ListMessagesRequest {
        parent: "tenants/acme".to_owned(),
        filter: "colour = RED".to_owned(),
        ..Default::default()
    };
    assert_eq!(violated(&client.list_messages(request).await.unwrap_err()), ["filter"]);
    let missing = GetMessageRequest {
        name: "tenants/acme/messages/no-uuid".to_owned(),
    };
    assert_eq!(client.get_message(missing).await.unwrap_err().code(), Code::NotFound);
}
