//! What goes on in a suite while something happens to it: single calls, an import, and people at work.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use huiyin::{
    demo::{self, DemoOptions},
    import::{self, ImportOptions},
    link::Link,
    list,
};
use huiyin_proto::{
    intake::v1::{CreateFeedbackRequest, Feedback, ListFeedbacksRequest},
    r#type::v1::Channel,
};

/// The names of the feedbacks that were accepted.
pub(crate) type Accepted = Arc<Mutex<BTreeSet<String>>>;

const TEXTS: [&str; 6] = [
    "更新以后总是闪退",
    "物流太慢，等了八天",
    "客服态度很差",
    "希望增加深色模式",
    "the app crashes on start",
    "很好用，谢谢",
];

/// Creates feedback one by one. What was accepted so far can be seen at any time.
pub(crate) async fn create_until(link: Link, stop: Arc<AtomicBool>, accepted: Accepted, pause: Duration) {
    for n in 0usize.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let name = create(&link, n, |_| {}).await;
        let is_new = accepted.lock().unwrap().insert(name);
        assert!(is_new, "each feedback has a name of its own");
        tokio::time::sleep(pause).await; // load, not a wait for a result
    }
}

/// Creates feedback; a call whose answer was lost is repeated with the same request id, and told to `refused`.
pub(crate) async fn create(link: &Link, n: usize, refused: impl Fn(&tonic::Status)) -> String {
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
        match link.intake().create_feedback(request.clone()).await {
            Ok(answer) => return answer.into_inner().name,
            Err(status) if status.code() == tonic::Code::InvalidArgument => panic!("{status}"),
            Err(status) => {
                refused(&status);
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Writes a file of so many feedbacks, and imports it.
pub(crate) async fn import(link: Link, folder: PathBuf, count: usize) -> anyhow::Result<import::Report> {
    let file = folder.join("load.jsonl");
    let lines: Vec<String> = (0..count)
        .map(|n| {
            serde_json::json!({ "id": format!("{n} of {count}"), "text": format!("{} {n}", TEXTS[n % TEXTS.len()]) })
                .to_string()
        })
        .collect();
    std::fs::write(&file, lines.join("\n"))?;
    let options = ImportOptions {
        file,
        map: vec![],
        set: vec![],
        dry_run: false,
        import_id: None,
        quiet: true,
    };
    import::import(&link, &options).await
}

/// Plays rounds; what breaks in the middle of one is told to `broken`, and taken up in the next.
pub(crate) async fn play_until(link: Link, stop: Arc<AtomicBool>, broken: impl Fn(&anyhow::Error)) {
    let options = DemoOptions {
        all: false,
        rounds: 1,
        ..DemoOptions::to_the_end(4)
    };
    while !stop.load(Ordering::Relaxed) {
        if let Ok(Err(error)) = tokio::time::timeout(Duration::from_secs(20), demo::play(&link, &options)).await {
            broken(&error);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Plays until everything is handled.
pub(crate) async fn finish(link: &Link) {
    let options = DemoOptions::to_the_end(16);
    huiyin_testkit::eventually("everything is handled", Duration::from_secs(240), async || {
        demo::play(link, &options).await.map_err(|error| format!("{error:#}"))
    })
    .await;
}

/// The names of all feedbacks that are there.
pub(crate) async fn feedbacks(link: &Link) -> anyhow::Result<BTreeSet<String>> {
    let request = ListFeedbacksRequest {
        parent: link.parent.clone(),
        ..ListFeedbacksRequest::default()
    };
    let feedbacks = list!(link.intake(), list_feedbacks, request, feedbacks);
    Ok(feedbacks.into_iter().map(|feedback| feedback.name).collect())
}
