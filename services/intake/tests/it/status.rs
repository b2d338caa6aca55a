//! How a feedback stands, for the customer who holds number and token (003-13, 004-13, FEATURES 20): in their words, as it
//! happens, and nothing internal.

use std::time::Duration;

use huiyin_proto::{
    event::v1::{StateCategory, WorkOrderDigest, WorkOrderProgressed, WorkOrderTransitioned, event::Payload},
    intake::v1::{
        BatchCreateFeedbacksRequest, CreateFeedbackRequest, CustomerState, Feedback, FeedbackStatus,
        GetFeedbackRequest, GetFeedbackStatusRequest, ListFeedbacksRequest, WatchFeedbackStatusRequest,
        status_service_client::StatusServiceClient,
    },
    r#type::v1::FeedbackDigest,
};
use huiyin_testkit::{Connection, eventually, rows_with};
use jiff::SignedDuration;
use tonic::{Code, Status};

use crate::stand::{ACME, Stand, create, feedback, reason, request_id, unheld};

type Client = StatusServiceClient<Connection>;

const PATIENCE: Duration = Duration::from_secs(20);

/// A customer: nobody whom the service knows.
async fn customer(stand: &Stand) -> Client {
    StatusServiceClient::new(stand.stage.connect(stand.address(), "").await)
}

fn ask(feedback: &Feedback) -> GetFeedbackStatusRequest {
    GetFeedbackStatusRequest {
        parent: ACME.to_owned(),
        number: feedback.number.clone(),
        token: feedback.status_token.clone(),
    }
}

async fn status(client: &mut Client, feedback: &Feedback) -> Result<FeedbackStatus, Status> {
    Ok(client.get_feedback_status(ask(feedback)).await?.into_inner())
}

async fn created(stand: &Stand) -> Feedback {
    let request = create(feedback("无法登录"));
    stand
        .client()
        .await
        .create_feedback(request)
        .await
        .unwrap()
        .into_inner()
}

/// The scheduler tells something of the feedback's work order, with everything internal that an event has.
pub(crate) fn publish(stand: &Stand, feedback: &Feedback, payload: impl FnOnce(Option<WorkOrderDigest>) -> Payload) {
    let order = "tenants/acme/workOrders/0195a000-0000-7000-8000-000000000001";
    let digest = WorkOrderDigest {
        work_order: order.to_owned(),
        feedback: Some(FeedbackDigest {
            feedback: feedback.name.clone(),
            number: feedback.number.clone(),
            ..FeedbackDigest::default()
        }),
        assignee: "user:secret.agent".to_owned(),
        team: "secret-team".to_owned(),
        ..WorkOrderDigest::default()
    };
    stand.scheduler.publish("acme", order, payload(Some(digest)));
}

pub(crate) fn moved(to: StateCategory, resolution: &str) -> impl FnOnce(Option<WorkOrderDigest>) -> Payload {
    move |work_order| {
        Payload::WorkOrderTransitioned(WorkOrderTransitioned {
            work_order,
            to: to.into(),
            reason: "secret-reason: 客户难缠".to_owned(),
            resolution: resolution.to_owned(),
            ..WorkOrderTransitioned::default()
        })
    }
}

fn noted(text: &str, promise: Option<i64>) -> impl FnOnce(Option<WorkOrderDigest>) -> Payload {
    move |work_order| {
        Payload::WorkOrderProgressed(WorkOrderProgressed {
            work_order,
            stage: "CONTACTED".to_owned(),
            customer_text: text.to_owned(),
            promise_time: promise.map(|seconds| prost_types::Timestamp { seconds, nanos: 0 }),
            ..WorkOrderProgressed::default()
        })
    }
}

/// Waits until the customer sees what is wanted, and returns all that they see.
async fn seen(stand: &Stand, feedback: &Feedback, wanted: impl Fn(&FeedbackStatus) -> bool) -> FeedbackStatus {
    let client = customer(stand).await;
    eventually("the customer sees it", PATIENCE, async || {
        // So that asking again and again is not too often.
        stand.stage.clock.advance(SignedDuration::from_secs(2));
        let status = status(&mut client.clone(), feedback).await.unwrap();
        if wanted(&status) {
            Ok(status)
        } else {
            Err(format!("{status:?}"))
        }
    })
    .await
}

#[tokio::test]
async fn a_customer_sees_how_their_feedback_stands_and_nothing_internal() {
    let stand = Stand::new().await;
    let feedback = created(&stand).await;
    let at_first = status(&mut customer(&stand).await, &feedback).await.unwrap();
    assert_eq!(
        at_first,
        FeedbackStatus {
            number: feedback.number.clone(),
            receive_time: feedback.create_time,
            state: CustomerState::Received.into(),
            state_time: feedback.create_time,
            ..FeedbackStatus::default()
        }
    );
    let mut all = vec![at_first];
    publish(&stand, &feedback, moved(StateCategory::Active, ""));
    all.push(seen(&stand, &feedback, |status| status.state() == CustomerState::InProgress).await);
    publish(
        &stand,
        &feedback,
        noted("已安排工程师，电话 13800138000", Some(1_772_500_000)),
    );
    let told = seen(&stand, &feedback, |status| !status.message.is_empty()).await;
    assert_eq!(told.message, "已安排工程师，电话 [手机号]");
    assert_eq!(told.promise_time.unwrap().seconds, 1_772_500_000);
    all.push(told);
    // An internal note, and then something to see that it was read.
    publish(&stand, &feedback, noted("", None));
    publish(&stand, &feedback, moved(StateCategory::Waiting, ""));
    let waiting = seen(&stand, &feedback, |status| {
        status.state() == CustomerState::WaitingForYou
    })
    .await;
    assert_eq!(waiting.message, "已安排工程师，电话 [手机号]");
    all.push(waiting);
    publish(&stand, &feedback, moved(StateCategory::Resolved, "已更换主板"));
    let solved = seen(&stand, &feedback, |status| status.state() == CustomerState::Resolved).await;
    assert_eq!(solved.message, "已更换主板");
    all.push(solved);
    publish(&stand, &feedback, moved(StateCategory::Closed, ""));
    all.push(seen(&stand, &feedback, |status| status.state() == CustomerState::Closed).await);
    for status in all {
        assert!(!format!("{status:?}").contains("secret"), "{status:?}");
    }
}

/// Whoever holds one half of the secret learns nothing of the other.
#[tokio::test]
async fn a_wrong_token_and_an_unknown_number_are_the_same() {
    let stand = Stand::new().await;
    let (feedback, other) = (created(&stand).await, created(&stand).await);
    let right = ask(&feedback);
    let wrong = [
        GetFeedbackStatusRequest {
            token: other.status_token.clone(),
            ..right.clone()
        },
        GetFeedbackStatusRequest {
            token: "hyf_AAAA".to_owned(),
            ..right.clone()
        },
        GetFeedbackStatusRequest {
            token: "什么".to_owned(),
            ..right.clone()
        },
        GetFeedbackStatusRequest {
            number: "FB20260302999".to_owned(),
            ..right.clone()
        },
        GetFeedbackStatusRequest {
            number: other.number.clone(),
            ..right.clone()
        },
        GetFeedbackStatusRequest {
            parent: "tenants/globex".to_owned(),
            ..right.clone()
        },
        GetFeedbackStatusRequest {
            parent: "tenants/nobody".to_owned(),
            ..right.clone()
        },
    ];
    let mut customer = customer(&stand).await;
    for request in wrong {
        let refused = customer.get_feedback_status(request.clone()).await.unwrap_err();
        assert_eq!(
            (refused.code(), reason(&refused)),
            (Code::NotFound, "STATUS_UNKNOWN".to_owned()),
            "{request:?}"
        );
        assert!(!format!("{refused:?}").contains(&right.number), "{refused:?}");
        let watch = WatchFeedbackStatusRequest {
            parent: request.parent,
            number: request.number,
            token: request.token,
        };
        let refused = customer.watch_feedback_status(watch).await.unwrap_err();
        assert_eq!(reason(&refused), "STATUS_UNKNOWN");
    }
    customer.get_feedback_status(right).await.unwrap();
}

#[tokio::test]
async fn who_guesses_is_slowed_down_and_who_knows_is_not() {
    let stand = Stand::new().await;
    let feedback = created(&stand).await;
    let mut customer = customer(&stand).await;
    let guess = GetFeedbackStatusRequest {
        token: "hyf_guess".to_owned(),
        ..ask(&feedback)
    };
    let mut slowed = false;
    for _ in 0..100 {
        let refused = customer.get_feedback_status(guess.clone()).await.unwrap_err();
        slowed |= refused.code() == Code::ResourceExhausted;
    }
    assert!(slowed);
    status(&mut customer, &feedback).await.unwrap();
    stand.stage.clock.advance(SignedDuration::from_secs(60));
    assert_eq!(
        customer.get_feedback_status(guess).await.unwrap_err().code(),
        Code::NotFound
    );
}

/// The creating caller alone is told the token, each time the same, and it is kept nowhere.
#[tokio::test]
async fn a_token_is_for_whoever_handed_the_feedback_in() {
    let stand = Stand::new().await;
    let mut client = stand.client().await;
    let request = CreateFeedbackRequest {
        request_id: request_id(1),
        ..create(feedback("无法登录"))
    };
    let first = client.create_feedback(request.clone()).await.unwrap().into_inner();
    assert!(first.status_token.starts_with("hyf_"));
    assert_eq!(client.create_feedback(request).await.unwrap().into_inner(), first);
    let batch = BatchCreateFeedbacksRequest {
        parent: ACME.to_owned(),
        feedbacks: vec![feedback("一"), feedback("二")],
        request_id: request_id(2),
    };
    let batched = client.batch_create_feedbacks(batch.clone()).await.unwrap().into_inner();
    assert_eq!(
        client.batch_create_feedbacks(batch).await.unwrap().into_inner(),
        batched
    );
    for feedback in &batched.feedbacks {
        status(&mut customer(&stand).await, feedback).await.unwrap();
    }

    let name = first.name.clone();
    let read = client
        .get_feedback(GetFeedbackRequest { name })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(read, unheld(first.clone()));
    let list = ListFeedbacksRequest {
        parent: ACME.to_owned(),
        ..ListFeedbacksRequest::default()
    };
    let listed = client.list_feedbacks(list).await.unwrap().into_inner();
    assert!(listed.feedbacks.iter().all(|feedback| feedback.status_token.is_empty()));
    assert_eq!(
        rows_with(&mut stand.database().await, &first.status_token).await,
        (0, 0)
    );
}

/// 003-13: live, whichever replica reads the event.
#[tokio::test]
async fn a_customer_who_watches_sees_each_change_once() {
    let stand = Stand::new().await;
    let _replica = stand.replica().await;
    let (feedback, other) = (created(&stand).await, created(&stand).await);
    let GetFeedbackStatusRequest { parent, number, token } = ask(&feedback);
    let watch = WatchFeedbackStatusRequest { parent, number, token };
    let mut watched = customer(&stand)
        .await
        .watch_feedback_status(watch)
        .await
        .unwrap()
        .into_inner();
    let mut next = async || watched.message().await.unwrap().unwrap();
    assert_eq!(next().await.state(), CustomerState::Received);
    // What happens to others, and what is internal, is not told.
    publish(&stand, &other, moved(StateCategory::Closed, ""));
    publish(&stand, &feedback, noted("", None));
    publish(&stand, &feedback, moved(StateCategory::Active, ""));
    assert_eq!(next().await.state(), CustomerState::InProgress);
    publish(&stand, &feedback, moved(StateCategory::Resolved, "已修复"));
    let solved = next().await;
    assert_eq!(
        (solved.state(), solved.message.as_str()),
        (CustomerState::Resolved, "已修复")
    );
}
