//! Several feedbacks at once: all or none.

use huiyin_proto::intake::v1::{BatchCreateFeedbacksRequest, Feedback};
use tonic::Code;

use crate::stand::{ACME, Stand, create, external, feedback, fields, metadata, reason, request_id};

fn batch(feedbacks: Vec<Feedback>) -> BatchCreateFeedbacksRequest {
    BatchCreateFeedbacksRequest {
        parent: ACME.to_owned(),
        feedbacks,
        request_id: String::new(),
    }
}

#[tokio::test]
async fn a_batch_is_taken_in_whole_and_in_order() {
    let stand = Stand::new().await;
    let said = ["一", "二", "三"];
    let request = BatchCreateFeedbacksRequest {
        request_id: request_id(1),
        ..batch(said.map(feedback).to_vec())
    };
    let mut client = stand.client().await;
    let answers = client
        .batch_create_feedbacks(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        answers
            .feedbacks
            .iter()
            .map(|feedback| feedback.description.as_str())
            .collect::<Vec<_>>(),
        said
    );
    let numbers: Vec<&str> = answers
        .feedbacks
        .iter()
        .map(|feedback| feedback.number.as_str())
        .collect();
    assert_eq!(numbers, ["FB20260302001", "FB20260302002", "FB20260302003"]);
    assert_eq!(stand.events().await.len(), 3);

    // A replay gets the same answer, takes nothing in and costs no number.
    assert_eq!(
        client
            .batch_create_feedbacks(request.clone())
            .await
            .unwrap()
            .into_inner(),
        answers
    );
    assert_eq!(stand.stored().await, 3);
    assert_eq!(
        client
            .create_feedback(create(feedback("四")))
            .await
            .unwrap()
            .into_inner()
            .number,
        "FB20260302004"
    );
    let other_body = BatchCreateFeedbacksRequest {
        feedbacks: vec![feedback("五")],
        ..request
    };
    assert_eq!(
        reason(&client.batch_create_feedbacks(other_body).await.unwrap_err()),
        "REQUEST_ID_REUSED"
    );
}

#[tokio::test]
async fn one_bad_feedback_keeps_the_whole_batch_out() {
    let stand = Stand::new().await;
    let mut client = stand.client().await;
    let holder = client
        .create_feedback(create(external("零", "E-1")))
        .await
        .unwrap()
        .into_inner()
        .name;

    let refused = client
        .batch_create_feedbacks(batch(vec![feedback("一"), feedback(" "), external("\0", "x")]))
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code(), fields(&refused)),
        (
            Code::InvalidArgument,
            vec![
                "feedbacks[1].description".to_owned(),
                "feedbacks[2].description".to_owned()
            ]
        )
    );

    let refused = client
        .batch_create_feedbacks(batch(vec![feedback("一"), external("二", "E-1")]))
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused), metadata(&refused, "feedback")),
        (Code::AlreadyExists, "EXTERNAL_ID_TAKEN".to_owned(), holder)
    );

    let refused = client
        .batch_create_feedbacks(batch(vec![external("一", "E-2"), external("二", "E-2")]))
        .await
        .unwrap_err();
    assert_eq!(reason(&refused), "EXTERNAL_ID_TAKEN");
    assert_eq!((stand.stored().await, stand.events().await.len()), (1, 1));
}

/// The same request at the same time: one takes effect, both get its answer.
#[tokio::test]
async fn two_of_the_same_batch_at_once_are_one() {
    let stand = Stand::new().await;
    let replica = stand.replica().await;
    let token = stand.stage.token("key:erp", "acme", &["integration"]);
    for round in 0..10 {
        let request = BatchCreateFeedbacksRequest {
            request_id: request_id(round),
            ..batch(vec![feedback("一"), feedback("二")])
        };
        let mut here = stand.client_at(stand.address(), &token).await;
        let mut there = stand.client_at(replica.address, &token).await;
        let (left, right) = futures::join!(
            here.batch_create_feedbacks(request.clone()),
            there.batch_create_feedbacks(request)
        );
        assert_eq!(left.unwrap().into_inner(), right.unwrap().into_inner());
    }
    assert_eq!((stand.stored().await, stand.events().await.len()), (20, 20));
    replica.stop().await.unwrap();
}
