//! What a caller sees when a service is at its limit, too slow, broken, or stopping.

#![expect(clippy::disallowed_methods, reason = "a call that hangs is aborted by its test")]

use std::time::Duration;

use huiyin_chassis::auth::Claims;
use huiyin_proto::event::v1::{ListDeadLettersRequest, PartitionCursor, ReadEventsRequest, ReplayDeadLettersRequest};
use huiyin_testkit::Metrics;
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::stand::Stand;

fn hanging() -> ReplayDeadLettersRequest {
    ReplayDeadLettersRequest {
        parent: "tenants/acme".to_owned(),
        source: "intake".to_owned(),
        subject: "x".to_owned(),
    }
}

fn following() -> ReadEventsRequest {
    ReadEventsRequest {
        cursors: vec![PartitionCursor {
            partition: 0,
            position: 0,
        }],
        follow: true,
        epoch: String::new(),
    }
}

#[tokio::test]
async fn a_panic_is_an_incident_and_tells_nothing_else() {
    let stand = Stand::start("", "").await;
    let request = ListDeadLettersRequest {
        parent: "tenants/acme".to_owned(),
        ..ListDeadLettersRequest::default()
    };
    let status = stand
        .client()
        .await
        .list_dead_letters(stand.with(&stand.claims(), request))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    assert!(!format!("{status:?}").contains("hunter2"));
    let details = status.get_error_details();
    let info = details.error_info().unwrap();
    assert_eq!(info.reason, "FAULT");
    assert!(status.message().contains(&info.metadata["incident"]));
    // And the service goes on.
    stand.flow(&stand.claims()).await.unwrap();
}

#[tokio::test]
async fn a_call_that_takes_too_long_ends_at_the_services_limit_or_the_callers() {
    let stand = Stand::start("deadline_ms = 300", "").await;
    let status = stand
        .client()
        .await
        .replay_dead_letters(stand.with(&stand.claims(), hanging()))
        .await
        .unwrap_err();
    assert_eq!(
        (
            status.code(),
            status.get_error_details().error_info().unwrap().reason.as_str()
        ),
        (Code::DeadlineExceeded, "DEADLINE_PASSED")
    );

    let patient = Stand::start("deadline_ms = 600000", "").await;
    let mut request = patient.with(&patient.claims(), hanging());
    request.set_timeout(Duration::from_millis(200));
    let status = patient.client().await.replay_dead_letters(request).await.unwrap_err();
    assert!(
        matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled),
        "{status}"
    );
}

#[tokio::test]
async fn above_its_limit_a_service_refuses_at_once_and_says_when_to_come_back() {
    let stand = Stand::start("concurrency = 1, deadline_ms = 60000", "").await;
    let mut busy = stand.client().await;
    let held = tokio::task::spawn({
        let request = stand.with(&stand.claims(), hanging());
        async move { busy.replay_dead_letters(request).await }
    });
    let refused = loop {
        match stand.flow(&stand.claims()).await {
            Ok(_) => tokio::task::yield_now().await, // the first call is not there yet
            Err(status) => break status,
        }
    };
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert!(refused.get_error_details().retry_info().is_some());
    held.abort();
}

#[tokio::test]
async fn an_error_is_said_in_the_callers_language() {
    let stand = Stand::start("", "").await;
    let claims = Claims {
        roles: vec!["analyst".to_owned()],
        ..stand.claims()
    };
    let mut request = stand.with(&claims, hanging());
    request
        .metadata_mut()
        .insert("accept-language", "zh-TW,zh;q=0.8".parse().unwrap());
    let status = stand.client().await.replay_dead_letters(request).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    let details = status.get_error_details();
    let said = details.localized_message().unwrap();
    assert_eq!(
        (said.locale.as_str(), said.message.as_str()),
        ("zh-TW", "您的角色沒有權限 events.deadletters.replay。")
    );
}

#[tokio::test]
async fn a_request_id_is_taken_and_given_back() {
    let stand = Stand::start("", "").await;
    let mut request = stand.with(&stand.claims(), huiyin_proto::event::v1::GetEventFlowRequest {});
    request.metadata_mut().insert("x-request-id", "mine-7".parse().unwrap());
    let answer = stand.client().await.get_event_flow(request).await.unwrap();
    assert_eq!(answer.metadata().get("x-request-id").unwrap(), "mine-7");
}

#[tokio::test]
async fn a_stream_that_never_ends_cannot_hold_the_drain() {
    let mut stand = Stand::start("drain_ms = 300", "").await;
    let request = stand.with(&stand.service_claims(), following());
    let watching = stand.client().await.read_events(request).await.unwrap();
    stand.shutdown.request();
    tokio::time::timeout(Duration::from_secs(10), stand.tasks.join())
        .await
        .expect("the drain has a limit")
        .unwrap();
    drop(watching);
}

#[tokio::test]
async fn an_open_stream_keeps_its_place_until_its_client_leaves() {
    let stand = Stand::start("streams = 1", "").await;
    let claims = stand.service_claims();
    let open = || async { stand.client().await.read_events(stand.with(&claims, following())).await };
    let first = open().await.unwrap();
    assert_eq!(open().await.unwrap_err().code(), Code::ResourceExhausted);
    // Streams take no place from calls.
    stand.flow(&stand.claims()).await.unwrap();
    drop(first);
    while open().await.is_err() {
        tokio::task::yield_now().await; // the server has not heard of it yet
    }
}

#[tokio::test]
async fn calls_under_way_are_measured_until_they_end() {
    let metrics = Metrics::begin();
    let stand = Stand::start("", "").await;
    let active = |kind| metrics.value("rpc_server_active", &[("service", "test"), ("kind", kind)]);
    assert_eq!((active("unary"), active("stream")), (Some(0.0), Some(0.0)));
    let claims = stand.service_claims();
    let open = || async {
        stand
            .client()
            .await
            .read_events(stand.with(&claims, following()))
            .await
            .unwrap()
    };
    let streams = (open().await, open().await);
    let mut client = stand.client().await;
    let hangs = client.replay_dead_letters(stand.with(&stand.claims(), hanging()));
    tokio::select! {
        _ = hangs => panic!("it does not answer"),
        () = async { while active("unary") != Some(1.0) { tokio::task::yield_now().await } } => {}
    }
    assert_eq!(active("stream"), Some(2.0));
    drop(streams);
    while (active("unary"), active("stream")) != (Some(0.0), Some(0.0)) {
        tokio::task::yield_now().await; // the server has not heard of it yet
    }
}

#[tokio::test]
async fn a_panic_in_a_stream_ends_that_stream_with_an_incident_and_no_other_call() {
    let stand = Stand::start("", "").await;
    let mut client = stand.client().await;
    let request = ReadEventsRequest {
        epoch: "hunter2".to_owned(),
        ..following()
    };
    let mut stream = client
        .read_events(stand.with(&stand.service_claims(), request))
        .await
        .unwrap()
        .into_inner();
    let status = stream.message().await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    assert!(!format!("{status:?}").contains("hunter2"));
    // The same connection goes on.
    let request = stand.with(&stand.claims(), huiyin_proto::event::v1::GetEventFlowRequest {});
    client.get_event_flow(request).await.unwrap();
}
