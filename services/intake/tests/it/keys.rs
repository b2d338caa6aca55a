//! Keys of customers: what they seal, that they are wrapped anew, and that text goes when its time is over.

use huiyin_proto::intake::v1::{
    Contact, ContactKind, Feedback, GetFeedbackRequest, GetRetentionPolicyRequest, RetentionPolicy,
    RevealContactRequest, RotateKeysRequest, RotateKeysResponse, UpdateRetentionPolicyRequest,
    customer_service_client::CustomerServiceClient,
};
use huiyin_testkit::eventually;
use jiff::SignedDuration;
use std::time::Duration;
use tonic::Code;

use crate::stand::{ACME, Stand, create, feedback};

const ADDRESS: &str = "13912345678";
const NEW_KEY: &str = "\nwrapping_keys = { 2 = \"fedcba9876543210fedcba9876543210\" }\n";

fn said() -> Feedback {
    Feedback {
        contact: Some(Contact {
            kind: ContactKind::Phone.into(),
            address: ADDRESS.to_owned(),
        }),
        ..feedback("请打13912345678")
    }
}

async fn rotate(stand: &Stand, address: std::net::SocketAddr) -> RotateKeysResponse {
    let token = stand.stage.token("user:root", "acme", &["admin"]);
    let mut customers = CustomerServiceClient::new(stand.stage.connect(address, &token).await);
    let request = RotateKeysRequest {
        parent: ACME.to_owned(),
    };
    customers.rotate_keys(request).await.unwrap().into_inner()
}

async fn revealed(stand: &Stand, address: std::net::SocketAddr, feedback: &str) -> Option<String> {
    let token = stand.stage.service_token("notification");
    let request = RevealContactRequest {
        name: feedback.to_owned(),
    };
    let answer = stand
        .client_at(address, &token)
        .await
        .reveal_contact(request)
        .await
        .unwrap();
    answer.into_inner().contact.map(|contact| contact.address)
}

/// 000-22, 001-11: neither the address nor the words as they came stand in clear; one key per customer seals both.
#[tokio::test]
async fn words_and_addresses_are_sealed_with_the_customers_key() {
    let stand = Stand::new().await;
    let mut client = stand.client().await;
    client.create_feedback(create(said())).await.unwrap();
    client.create_feedback(create(said())).await.unwrap();
    client
        .create_feedback(create(feedback("无人，请打13912345678")))
        .await
        .unwrap();
    client.create_feedback(create(feedback("没有秘密"))).await.unwrap();
    let mut database = stand.database().await;
    let rows: Vec<(String, Option<String>, bool)> = sqlx::query_as(
        "SELECT description, description_masked, verbatim_sealed IS NOT NULL FROM feedback ORDER BY number",
    )
    .fetch_all(&mut database)
    .await
    .unwrap();
    let masked = "请打[手机号]".to_owned();
    assert_eq!(rows[0], (masked.clone(), None, true));
    assert_eq!(rows[1], (masked, None, true));
    assert_eq!(rows[3], ("没有秘密".to_owned(), None, false));
    let keys: i64 = sqlx::query_scalar("SELECT count(*) FROM data_key")
        .fetch_one(&mut database)
        .await
        .unwrap();
    assert_eq!(keys, 2, "one of the customer, one of the feedback without one");
}

#[tokio::test]
async fn keys_are_wrapped_anew_and_what_was_sealed_still_opens() {
    let stand = Stand::new().await;
    let feedback = stand
        .client()
        .await
        .create_feedback(create(said()))
        .await
        .unwrap()
        .into_inner();
    let config = stand.stage.config_with(
        "intake",
        &stand.stage.database_url(),
        &format!(
            "[vault]\nkey = \"0123456789abcdef0123456789abcdef\"{NEW_KEY}[attachments]\nstore = \"{}\"\n",
            stand.stage.folder().join("attachments").display()
        ),
    );
    let rotated = intake::start(config, stand.stage.context()).await.unwrap();
    assert_eq!(
        revealed(&stand, rotated.address, &feedback.name).await.as_deref(),
        Some(ADDRESS)
    );
    let turn = rotate(&stand, rotated.address).await;
    assert_eq!((turn.rotated, turn.left), (1, 0));
    assert_eq!(rotate(&stand, rotated.address).await.rotated, 0);
    assert_eq!(
        revealed(&stand, rotated.address, &feedback.name).await.as_deref(),
        Some(ADDRESS)
    );
    let version: i32 = sqlx::query_scalar("SELECT key_version FROM data_key")
        .fetch_one(&mut stand.database().await)
        .await
        .unwrap();
    assert_eq!(version, 2);
}

/// Rows from before customers had keys are read, and sealed anew by a rotation.
#[tokio::test]
async fn what_stood_in_clear_is_sealed_by_a_rotation() {
    let stand = Stand::new().await;
    let feedback = stand
        .client()
        .await
        .create_feedback(create(said()))
        .await
        .unwrap()
        .into_inner();
    let mut database = stand.database().await;
    sqlx::query(
        "UPDATE feedback SET description = '请打13912345678', description_masked = '请打[手机号]', verbatim_sealed = NULL,
                identity_token = NULL",
    )
    .execute(&mut database)
    .await
    .unwrap();
    let turn = rotate(&stand, stand.address()).await;
    assert_eq!((turn.resealed, turn.left), (1, 0));
    let clear: i64 = sqlx::query_scalar("SELECT count(*) FROM feedback AS f WHERE f::text LIKE '%13912345678%'")
        .fetch_one(&mut database)
        .await
        .unwrap();
    assert_eq!(clear, 0);
    let get = GetFeedbackRequest {
        name: feedback.name.clone(),
    };
    let shown = stand.client().await.get_feedback(get).await.unwrap().into_inner();
    assert_eq!(shown.description, "请打[手机号]");
    assert_eq!(
        revealed(&stand, stand.address(), &feedback.name).await.as_deref(),
        Some(ADDRESS)
    );
}

/// C-07: text and addresses are kept for as long as the tenant says.
#[tokio::test]
async fn what_is_over_its_time_is_blanked() {
    let stand = Stand::new().await;
    let mut client = stand.client().await;
    let old = client.create_feedback(create(said())).await.unwrap().into_inner();
    stand.stage.clock.advance(SignedDuration::from_hours(24 * 20));
    let young = client.create_feedback(create(said())).await.unwrap().into_inner();
    let mut customers = stand.customers("admin").await;
    let name = format!("{ACME}/retentionPolicy");
    let none = customers
        .get_retention_policy(GetRetentionPolicyRequest { name: name.clone() })
        .await
        .unwrap()
        .into_inner();
    assert_eq!((none.text_days, none.contact_days), (0, 0));
    let policy = |etag: &str| UpdateRetentionPolicyRequest {
        retention_policy: Some(RetentionPolicy {
            name: name.clone(),
            text_days: 30,
            contact_days: 10,
            etag: etag.to_owned(),
            update_time: None,
        }),
        request_id: String::new(),
    };
    customers.update_retention_policy(policy(&none.etag)).await.unwrap();
    let late = customers.update_retention_policy(policy(&none.etag)).await.unwrap_err();
    assert_eq!(late.code(), Code::Aborted);
    eventually("the old address is gone", Duration::from_secs(20), async || {
        revealed(&stand, stand.address(), &old.name)
            .await
            .is_none()
            .then_some(())
    })
    .await;
    assert!(revealed(&stand, stand.address(), &young.name).await.is_some());
    let text = async |name: &str| {
        let request = GetFeedbackRequest { name: name.to_owned() };
        stand
            .client()
            .await
            .get_feedback(request)
            .await
            .unwrap()
            .into_inner()
            .description
    };
    assert_eq!(text(&old.name).await, "请打[手机号]");
    stand.stage.clock.advance(SignedDuration::from_hours(24 * 11));
    eventually("the old words are gone", Duration::from_secs(20), async || {
        text(&old.name).await.is_empty().then_some(())
    })
    .await;
    assert_eq!(text(&young.name).await, "请打[手机号]");
}
