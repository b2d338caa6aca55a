//! What the real world does: processes die, Redis forgets, Postgres restarts. Nothing that was accepted may be missing.

#![expect(clippy::disallowed_methods, reason = "the load of a test is joined by it")]

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use huiyin::{
    demo::{self, DemoOptions},
    import::{self, ImportOptions},
    link::Link,
    list,
    suite::SERVICES,
    verify::{self, VerifyOptions},
};
use huiyin_e2e::Suite;
use huiyin_proto::{
    intake::v1::{CreateFeedbackRequest, Feedback, ListFeedbacksRequest},
    r#type::v1::Channel,
};

const TEXTS: [&str; 6] = [
    "更新以后总是闪退",
    "物流太慢，等了八天",
    "客服态度很差",
    "希望增加深色模式",
    "the app crashes on start",
    "很好用，谢谢",
];

/// What docs/architecture.md promises of one event, whatever is killed, wiped or restarted.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_accepted_is_lost_when_every_service_is_killed_redis_wiped_and_postgres_restarted() {
    let suite = Arc::new(Suite::start(&[]).await);
    let link = suite.link();
    let stop = Arc::new(AtomicBool::new(false));

    // Three kinds of load: single calls, an import, and people at work.
    let singles = tokio::task::spawn(create_until(link.clone(), Arc::clone(&stop)));
    let file = suite.files.folder().join("load.jsonl");
    let lines: Vec<String> = (0..400)
        .map(|n| {
            serde_json::json!({ "id": n.to_string(), "text": format!("{} {n}", TEXTS[n % TEXTS.len()]) }).to_string()
        })
        .collect();
    std::fs::write(&file, lines.join("\n")).unwrap();
    let importing = tokio::task::spawn({
        let link = link.clone();
        let options = ImportOptions {
            file,
            map: vec![],
            set: vec![],
            dry_run: false,
            import_id: None,
            quiet: true,
        };
        async move { import::import(&link, &options).await }
    });
    let people = tokio::task::spawn_blocking({
        let (link, stop) = (link.clone(), Arc::clone(&stop));
        move || tokio::runtime::Handle::current().block_on(play_until(link, stop))
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
    let accepted = singles.await.unwrap();
    people.await.unwrap();
    finish(&link).await;

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

/// Creates feedback one by one; a call whose answer was lost is repeated with the same request id.
async fn create_until(link: Link, stop: Arc<AtomicBool>) -> BTreeSet<String> {
    let mut accepted = BTreeSet::new();
    let mut client = link.intake();
    for n in 0usize.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let feedback = Feedback {
            channel: Channel::InApp as i32,
            description: format!("{} (single {n})", TEXTS[n % TEXTS.len()]),
            customer_reference: format!("customer-{}", n % 50),
            ..Feedback::default()
        };
        let request = CreateFeedbackRequest {
            parent: link.parent.clone(),
            feedback: Some(feedback),
            request_id: huiyin_chassis::Clock::system().id().to_string(),
        };
        loop {
            match client.create_feedback(request.clone()).await {
                Ok(answer) => {
                    assert!(
                        accepted.insert(answer.into_inner().name),
                        "each feedback has a name of its own"
                    );
                    break;
                }
                Err(status) if status.code() == tonic::Code::InvalidArgument => panic!("{status}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await; // load, not a wait for a result
    }
    accepted
}

/// Plays rounds; what breaks in the middle of one is taken up in the next.
async fn play_until(link: Link, stop: Arc<AtomicBool>) {
    let options = DemoOptions {
        all: false,
        rounds: 1,
        people: 4,
        speed: 0,
        seed: 1,
        quiet: true,
    };
    while !stop.load(Ordering::Relaxed) {
        let _ = tokio::time::timeout(Duration::from_secs(20), demo::play(&link, &options)).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
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

async fn finish(link: &Link) {
    let options = DemoOptions {
        all: true,
        rounds: 0,
        people: 16,
        speed: 0,
        seed: 1,
        quiet: true,
    };
    huiyin_testkit::eventually("everything is handled", Duration::from_secs(240), async || {
        demo::play(link, &options).await.map_err(|error| format!("{error:#}"))
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
