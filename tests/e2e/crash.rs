//! What the real world does: processes die, Redis forgets, Postgres restarts. Nothing that was accepted may be missing.

#![expect(clippy::disallowed_methods, reason = "the load of a test is joined by it")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use huiyin::{
    link::Link,
    suite::SERVICES,
    verify::{self, VerifyOptions},
};
use huiyin_e2e::Suite;
use huiyin_proto::{
    intake::v1::{CreateFeedbackRequest, Feedback},
    r#type::v1::Channel,
};

use crate::load::{Accepted, create_until, feedbacks, finish, import, play_until};

/// What docs/architecture.md promises of one event, whatever is killed, wiped or restarted.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_accepted_is_lost_when_every_service_is_killed_redis_wiped_and_postgres_restarted() {
    let suite = Arc::new(Suite::start(&[]).await);
    let link = suite.link();
    let stop = Arc::new(AtomicBool::new(false));

    // Three kinds of load: single calls, an import, and people at work.
    let accepted = Accepted::default();
    let pause = Duration::from_millis(20);
    let singles = tokio::task::spawn(create_until(
        link.clone(),
        Arc::clone(&stop),
        Arc::clone(&accepted),
        pause,
    ));
    let importing = tokio::task::spawn(import(link.clone(), suite.files.folder().to_owned(), 400));
    let people = tokio::task::spawn_blocking({
        let (link, stop) = (link.clone(), Arc::clone(&stop));
        move || tokio::runtime::Handle::current().block_on(play_until(link, stop, |_| {}))
    });

    for service in SERVICES {
        suite.crash(service).await;
        progress(&link).await;
    }
    wipe_redis(&suite).await;
    progress(&link).await;
    suite.postgres.lock().await.restart().await.unwrap();
    progress(&link).await;
    suite.redis.lock().await.restart().await.unwrap();
    progress(&link).await;

    let report = importing.await.unwrap().unwrap();
    assert_eq!(report.refused, 0, "the file has no bad line");
    stop.store(true, Ordering::Relaxed);
    singles.await.unwrap();
    people.await.unwrap();
    finish(&link).await;

    let accepted = accepted.lock().unwrap().clone();
    let there = feedbacks(&link).await.unwrap();
    assert_eq!(there.len(), accepted.len() + 400, "each request was accepted once");
    assert!(
        accepted.iter().all(|name| there.contains(name)),
        "what was accepted is there"
    );

    let audit = verify::run(&link, &VerifyOptions { wait: 120, strays: 20 })
        .await
        .unwrap();
    audit.print(false);
    assert!(audit.is_clean());
}

/// After each blow, feedback that comes in still gets its work order.
async fn progress(link: &Link) {
    huiyin_testkit::eventually("the suite takes feedback again", Duration::from_secs(60), async || {
        let feedback = Feedback {
            channel: Channel::InApp as i32,
            description: String::new(),
            ..Feedback::default()
        };
        let request = CreateFeedbackRequest {
            parent: link.parent.clone(),
            feedback: Some(feedback),
            request_id: String::new(),
        };
        // Refused for its empty description: the service answers, and nothing is stored.
        link.intake()
            .create_feedback(request)
            .await
            .err()
            .filter(|status| status.code() == tonic::Code::InvalidArgument)
            .map(|_| ())
    })
    .await;
}

async fn wipe_redis(suite: &Suite) {
    let url = suite.redis.lock().await.url();
    let mut connection = redis::Client::open(url)
        .unwrap()
        .get_multiplexed_async_connection()
        .await
        .unwrap();
    let () = redis::cmd("FLUSHALL").query_async(&mut connection).await.unwrap();
}
