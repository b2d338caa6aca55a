//! What is refused, and that a foreign tenant cannot be told from none.

use huiyin_proto::intake::v1::{
    BatchCreateFeedbacksRequest, Contact, ContactKind, CreateFeedbackRequest, Feedback, GetFeedbackRequest,
    ListFeedbacksRequest, ProductContext, RevealContactRequest, WatchFeedbacksRequest,
};
use tonic::{Code, Status};

use crate::stand::{ACME, Stand, create, feedback, fields, metadata, reason};

/// 003-70: the rules of the proto, all violations at once.
#[tokio::test]
async fn every_rule_of_the_proto_that_is_broken_is_named() {
    let stand = Stand::new().await;
    let broken = Feedback {
        emotion_level: 6,
        language: "中文".to_owned(),
        title: "长".repeat(201),
        ..Feedback::default()
    };
    let refused = stand
        .client()
        .await
        .create_feedback(CreateFeedbackRequest {
            request_id: "7".to_owned(),
            ..create(broken)
        })
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused)),
        (Code::InvalidArgument, "FIELDS_INVALID".to_owned())
    );
    let expected = [
        "feedback.channel",
        "feedback.description",
        "feedback.emotion_level",
        "feedback.language",
        "feedback.title",
        "request_id",
    ];
    assert_eq!(fields(&refused), expected);
}

/// 001-11, 003-70: what the proto cannot say, all violations at once; nothing is stored.
#[tokio::test]
async fn every_rule_of_the_room_that_is_broken_is_named() {
    let stand = Stand::new().await;
    let tomorrow = prost_types::Timestamp {
        seconds: 1_772_413_200 + 86_400,
        nanos: 0,
    };
    let broken = Feedback {
        title: "\0".to_owned(),
        product: Some(ProductContext {
            purchase_time: Some(tomorrow),
            ..ProductContext::default()
        }),
        contact: Some(Contact {
            kind: ContactKind::Email.into(),
            address: "li at example".to_owned(),
        }),
        occur_time: Some(prost_types::Timestamp {
            seconds: i64::MIN,
            nanos: 0,
        }),
        ..feedback(" \t")
    };
    let refused = stand.client().await.create_feedback(create(broken)).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(
        fields(&refused),
        [
            "feedback.contact.address",
            "feedback.description",
            "feedback.occur_time",
            "feedback.product.purchase_time",
            "feedback.title"
        ]
    );
    assert_eq!(stand.stored().await, 0);
}

/// A parent or name of another tenant looks like one that does not exist.
#[tokio::test]
async fn another_tenants_feedback_cannot_be_told_from_a_missing_one() {
    let stand = Stand::new().await;
    let theirs = stand
        .client()
        .await
        .create_feedback(create(feedback("闪退")))
        .await
        .unwrap()
        .into_inner()
        .name;
    let missing = format!("{ACME}/feedbacks/00000000-0000-7000-8000-000000000000");
    let mut other = stand.client_of("key:erp", "globex", "integration").await;
    let mut own = stand.client().await;
    let service = stand.stage.service_token("notification");
    let mut service = stand.client_at(stand.address(), &service).await;

    let told = |status: &Status| {
        (
            status.code(),
            reason(status),
            status.message().replace(&metadata(status, "resource"), "…"),
        )
    };
    let not_found = told(
        &own.get_feedback(GetFeedbackRequest { name: missing.clone() })
            .await
            .unwrap_err(),
    );
    assert_eq!(
        (not_found.0, not_found.1.as_str()),
        (Code::NotFound, "RESOURCE_NOT_FOUND")
    );

    let parent = ACME.to_owned();
    let refusals = [
        other
            .get_feedback(GetFeedbackRequest { name: theirs.clone() })
            .await
            .unwrap_err(),
        other
            .get_feedback(GetFeedbackRequest {
                name: theirs.replace("acme", "globex"),
            })
            .await
            .unwrap_err(),
        own.get_feedback(GetFeedbackRequest {
            name: format!("{ACME}/feedbacks/7"),
        })
        .await
        .unwrap_err(),
        other.create_feedback(create(feedback("闪退"))).await.unwrap_err(),
        other
            .batch_create_feedbacks(BatchCreateFeedbacksRequest {
                parent: parent.clone(),
                feedbacks: vec![feedback("闪退")],
                request_id: String::new(),
            })
            .await
            .unwrap_err(),
        other
            .list_feedbacks(ListFeedbacksRequest {
                parent: parent.clone(),
                ..ListFeedbacksRequest::default()
            })
            .await
            .unwrap_err(),
        other
            .watch_feedbacks(WatchFeedbacksRequest {
                parent,
                start_cursor: String::new(),
            })
            .await
            .unwrap_err(),
        service
            .reveal_contact(RevealContactRequest { name: missing })
            .await
            .unwrap_err(),
        service
            .reveal_contact(RevealContactRequest {
                name: theirs.replace("acme", "globex"),
            })
            .await
            .unwrap_err(),
    ];
    for refused in refusals {
        assert_eq!(told(&refused), not_found);
    }
    assert_eq!(stand.stored().await, 1);
}

#[tokio::test]
async fn a_caller_without_the_right_is_told_which_one() {
    let stand = Stand::new().await;
    let mut analyst = stand.client_of("user:zhao", "acme", "analyst").await;
    let refused = analyst.create_feedback(create(feedback("闪退"))).await.unwrap_err();
    assert_eq!(
        (refused.code(), metadata(&refused, "permission")),
        (Code::PermissionDenied, "intake.feedbacks.create".to_owned())
    );
    let refused = stand
        .client_at(stand.address(), "")
        .await
        .create_feedback(create(feedback("闪退")))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
}
