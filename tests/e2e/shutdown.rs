//! SIGTERM: no accepted request is lost, and nobody can hold the drain for ever.

#![expect(clippy::disallowed_methods, reason = "the load of a test is joined by it")]

use std::{collections::BTreeSet, time::Duration};

use huiyin::{link::Link, list};
use huiyin_e2e::Suite;
use huiyin_embedded::Signal;
use huiyin_proto::{
    intake::v1::{CreateFeedbackRequest, Feedback, ListFeedbacksRequest, WatchFeedbacksRequest},
    r#type::v1::Channel,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Drain before stop, with a hard deadline.
#[tokio::test(flavor = "multi_thread")]
async fn sigterm_under_load_loses_no_accepted_request() {
    let suite = Suite::start(&[]).await;
    let link = suite.link();
    let callers: Vec<_> = (0..16)
        .map(|caller| tokio::task::spawn(create_until_refused(link.clone(), caller)))
        .collect();
    huiyin_testkit::eventually("some load has been accepted", Duration::from_secs(20), async || {
        let request = ListFeedbacksRequest {
            parent: link.parent.clone(),
            page_size: 100,
            ..Default::default()
        };
        (link
            .intake()
            .list_feedbacks(request)
            .await
            .ok()?
            .into_inner()
            .feedbacks
            .len()
            >= 50)
            .then_some(())
    })
    .await;
    let process = suite.process("intake");
    process.signal(Signal::TERM);
    let status = process.ended().await;
    assert!(status.success(), "a drained service exits with 0: {status}");
    let mut accepted = BTreeSet::new();
    for caller in callers {
        accepted.extend(caller.await.unwrap());
    }

    suite.spawn("intake");
    suite.serving("intake").await;
    let link = suite.link();
    let there = async {
        anyhow::Ok(list!(
            link.intake(),
            list_feedbacks,
            ListFeedbacksRequest {
                parent: link.parent.clone(),
                ..Default::default()
            },
            feedbacks
        ))
    };
    let there: BTreeSet<String> = there.await.unwrap().into_iter().map(|feedback| feedback.name).collect();
    assert!(accepted.len() >= 50);
    assert_eq!(accepted.difference(&there).count(), 0, "what was accepted is there");
}

async fn create_until_refused(link: Link, caller: usize) -> Vec<String> {
    let mut accepted = Vec::new();
    for n in 0.. {
        let feedback = Feedback {
            channel: Channel::Api as i32,
            description: format!("caller {caller}, call {n}"),
            ..Feedback::default()
        };
        let request = CreateFeedbackRequest {
            parent: link.parent.clone(),
            feedback: Some(feedback),
            request_id: String::new(),
        };
        match link.intake().create_feedback(request).await {
            Ok(answer) => accepted.push(answer.into_inner().name),
            Err(_) => break,
        }
    }
    accepted
}

/// A client that keeps its connection and does not answer GOAWAY.
#[tokio::test(flavor = "multi_thread")]
async fn a_stuck_client_cannot_hold_a_drain_beyond_its_limit() {
    let suite = Suite::start(&[("HUIYIN_INTAKE__SERVICE__LIMITS__DRAIN_MS", "1500")]).await;
    let link = suite.link();
    // One that watches and never reads, and one that speaks half of HTTP/2 and falls silent.
    let watching = link
        .intake()
        .watch_feedbacks(WatchFeedbacksRequest {
            parent: link.parent.clone(),
            start_cursor: String::new(),
        })
        .await
        .unwrap();
    let mut silent = tokio::net::TcpStream::connect(suite.files.addresses().unwrap()["intake"])
        .await
        .unwrap();
    silent
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
        .await
        .unwrap();
    // HEADERS of a request whose body never ends: a length that promises more than comes.
    let mut first = [0u8; 9];
    silent.read_exact(&mut first).await.unwrap();
    silent.write_all(b"\x00\x00\x40\x01\x00\x00\x00\x00\x01").await.unwrap();

    let process = suite.process("intake");
    process.signal(Signal::TERM);
    let status = tokio::time::timeout(Duration::from_secs(15), process.ended())
        .await
        .expect("the drain has a limit");
    assert!(status.success(), "{status}");
    drop((watching, silent));
}
