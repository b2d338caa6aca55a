//! The customer's address: sealed, in no table and no event, opened for those who deliver (000-22, 001-14, 001-15).

use huiyin_proto::intake::v1::{Contact, ContactKind, CreateFeedbackRequest, Feedback, RevealContactRequest};
use huiyin_testkit::rows_with;
use tonic::Code;

use crate::stand::{Stand, create, feedback, request_id};

const ADDRESS: &str = "13912345678";
const REFERENCE: &str = "crm-secret-4711";

fn with_contact() -> Feedback {
    Feedback {
        customer_reference: REFERENCE.to_owned(),
        contact: Some(Contact {
            kind: ContactKind::Phone.into(),
            address: ADDRESS.to_owned(),
        }),
        ..feedback("无法登录")
    }
}

/// Every table of every schema is searched, bytes included.
#[tokio::test]
async fn an_address_stands_nowhere_in_clear() {
    let stand = Stand::new().await;
    let request = CreateFeedbackRequest {
        request_id: request_id(1),
        ..create(with_contact())
    };
    stand.client().await.create_feedback(request).await.unwrap();
    let mut database = stand.database().await;
    for secret in [ADDRESS, REFERENCE] {
        assert_eq!(rows_with(&mut database, secret).await, (0, 0), "{secret}");
    }
    // The search does find what is there: the row, and the event and the kept answer, which are bytes.
    assert_eq!(rows_with(&mut database, "无法登录").await, (1, 2));
}

#[tokio::test]
async fn an_address_is_revealed_to_services_alone() {
    let stand = Stand::new().await;
    let mut client = stand.client().await;
    let reachable = client
        .create_feedback(create(with_contact()))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (reachable.contact.clone(), reachable.contact_kind()),
        (None, ContactKind::Phone)
    );
    let unreachable = client
        .create_feedback(create(feedback("无法登录")))
        .await
        .unwrap()
        .into_inner();

    let request = |feedback: &Feedback| RevealContactRequest {
        name: feedback.name.clone(),
    };
    for role in ["admin", "agent", "supervisor", "integration"] {
        let refused = stand
            .client_of("user:wang", "acme", role)
            .await
            .reveal_contact(request(&reachable))
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied, "{role}");
    }
    let token = stand.stage.service_token("notification");
    let mut service = stand.client_at(stand.address(), &token).await;
    let revealed = service.reveal_contact(request(&reachable)).await.unwrap().into_inner();
    assert_eq!(
        revealed.contact,
        Some(Contact {
            kind: ContactKind::Phone.into(),
            address: ADDRESS.to_owned()
        })
    );
    assert_eq!(revealed.create_time, reachable.create_time);
    assert_eq!(
        service
            .reveal_contact(request(&unreachable))
            .await
            .unwrap()
            .into_inner()
            .contact,
        None
    );
}

/// A sealed address that is moved to another row does not open there.
#[tokio::test]
async fn an_address_opens_for_its_own_feedback_alone() {
    let stand = Stand::new().await;
    let mut client = stand.client().await;
    let first = client
        .create_feedback(create(with_contact()))
        .await
        .unwrap()
        .into_inner();
    let mut other = with_contact();
    other.contact = Some(Contact {
        kind: ContactKind::Phone.into(),
        address: "13800138000".to_owned(),
    });
    client.create_feedback(create(other)).await.unwrap();
    sqlx::query(
        "UPDATE feedback SET contact_sealed = (SELECT contact_sealed FROM feedback WHERE number = 'FB20260302002')",
    )
    .execute(&mut stand.database().await)
    .await
    .unwrap();
    let token = stand.stage.service_token("notification");
    let mut service = stand.client_at(stand.address(), &token).await;
    let refused = service
        .reveal_contact(RevealContactRequest { name: first.name })
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::Internal);
    assert!(!refused.message().contains("138"), "{refused:?}");
}
