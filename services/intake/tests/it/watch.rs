//! Following what is accepted: in order, from a cursor on, and no longer than the service runs.

use std::collections::BTreeSet;

use huiyin_proto::intake::v1::{
    BatchCreateFeedbacksRequest, CreateFeedbackRequest, Feedback, WatchFeedbacksRequest, WatchFeedbacksResponse,
};
use prost::Message as _;
use tonic::{Code, Streaming};

use crate::stand::{ACME, Client, Stand, create, feedback, reason};

async fn watch(client: &mut Client, cursor: &str) -> Streaming<WatchFeedbacksResponse> {
    let request = WatchFeedbacksRequest {
        parent: ACME.to_owned(),
        start_cursor: cursor.to_owned(),
    };
    client.watch_feedbacks(request).await.unwrap().into_inner()
}

/// The numbers of the next `count` feedbacks, sorted, and the cursor behind them.
async fn next(watch: &mut Streaming<WatchFeedbacksResponse>, count: usize) -> (Vec<String>, String) {
    let mut numbers = Vec::new();
    loop {
        let answer = watch.message().await.unwrap().unwrap();
        assert_eq!(answer.checkpoint, answer.feedbacks.is_empty());
        numbers.extend(answer.feedbacks.into_iter().map(|feedback| feedback.number));
        if numbers.len() >= count {
            numbers.sort();
            return (numbers, answer.cursor);
        }
    }
}

#[tokio::test]
async fn a_watcher_goes_on_where_it_stopped() {
    let stand = Stand::new().await;
    let mut client = stand.client().await;
    client.create_feedback(create(feedback("之前"))).await.unwrap();
    // What is there is positioned first: a watch without a cursor begins with what comes from now on.
    huiyin_testkit::eventually(
        "the first event has its position",
        std::time::Duration::from_secs(10),
        async || {
            let waiting: i64 = sqlx::query_scalar("SELECT count(*) FROM events.outbox")
                .fetch_one(&mut stand.database().await)
                .await
                .unwrap();
            waiting == 0
        },
    )
    .await;
    let mut first = watch(&mut client, "").await;
    for _ in 0..3 {
        client.create_feedback(create(feedback("之后"))).await.unwrap();
    }
    let other = CreateFeedbackRequest {
        parent: "tenants/globex".to_owned(),
        ..create(feedback("别人的"))
    };
    stand
        .client_of("key:erp", "globex", "integration")
        .await
        .create_feedback(other)
        .await
        .unwrap();
    let (numbers, cursor) = next(&mut first, 3).await;
    assert_eq!(numbers, ["FB20260302002", "FB20260302003", "FB20260302004"]);
    drop(first);

    client.create_feedback(create(feedback("中断之间"))).await.unwrap();
    let mut second = watch(&mut client, &cursor).await;
    assert_eq!(next(&mut second, 1).await.0, ["FB20260302005"]);

    let foreign = WatchFeedbacksRequest {
        parent: "tenants/globex".to_owned(),
        start_cursor: cursor,
    };
    let refused = stand
        .client_of("key:erp", "globex", "integration")
        .await
        .watch_feedbacks(foreign)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn an_idle_watcher_gets_checkpoints_and_is_told_of_the_drain() {
    let stand = Stand::new().await;
    let mut client = stand.client().await;
    let mut watch = watch(&mut client, "").await;
    let answer = watch.message().await.unwrap().unwrap();
    assert!(answer.checkpoint && !answer.cursor.is_empty());
    let _stage = stand.stop().await;
    // Told by the service, not cut off at the end of the drain.
    let ended = watch.message().await.unwrap_err();
    assert_eq!(
        (ended.code(), reason(&ended)),
        (Code::Unavailable, "DEPENDENCY_UNAVAILABLE".to_owned())
    );
}

/// A client that was told nothing about sizes takes 4 MiB. Until the last part is there the cursor leads before the first.
#[tokio::test]
async fn what_is_too_much_for_one_answer_comes_in_parts() {
    let stand = Stand::new().await;
    let mut client = stand.client().await;
    let mut followed = watch(&mut client, "").await;
    let here = loop {
        let answer = followed.message().await.unwrap().unwrap();
        if answer.checkpoint {
            break answer.cursor;
        }
    };
    drop(followed);
    let large = || Feedback {
        description: "长".repeat(20_000),
        ..feedback("")
    };
    for _ in 0..3 {
        let batch = BatchCreateFeedbacksRequest {
            parent: ACME.to_owned(),
            feedbacks: vec![large(); 50],
            request_id: String::new(),
        };
        client.batch_create_feedbacks(batch).await.unwrap();
    }
    let whole = BatchCreateFeedbacksRequest {
        parent: ACME.to_owned(),
        feedbacks: vec![large(); 60],
        request_id: String::new(),
    };
    assert_eq!(
        client.batch_create_feedbacks(whole).await.unwrap_err().code(),
        Code::InvalidArgument
    );

    let mut names = BTreeSet::new();
    let mut followed = watch(&mut client, &here).await;
    while names.len() < 150 {
        let answer = followed.message().await.unwrap().unwrap();
        assert!(answer.encoded_len() < 2 << 20, "{} bytes", answer.encoded_len());
        names.extend(answer.feedbacks.into_iter().map(|feedback| feedback.name));
    }
}
