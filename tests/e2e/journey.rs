//! Feedback goes all the way round, through six processes.

use huiyin::{
    demo::{self, DemoOptions},
    import::{self, ImportOptions},
    verify::{self, VerifyOptions},
};
use huiyin_chassis::{Clock, sql};
use huiyin_e2e::Suite;
use huiyin_proto::analytics::v1::{Interval, ListMetricsRequest, QueryMetricRequest};
use jiff::SignedDuration;

/// 000-01: 反馈-分析-改进-闭环, in separate processes.
#[tokio::test(flavor = "multi_thread")]
async fn the_sample_walks_the_loop_and_nothing_is_lost() {
    let suite = Suite::start(&[]).await;
    let link = suite.link();
    let file = suite.files.folder().join("sample.jsonl");
    std::fs::copy(huiyin_e2e::root().join("crates/huiyin/sample/feedback.jsonl"), &file).unwrap();
    let options = ImportOptions {
        file,
        map: vec![],
        set: vec![],
        dry_run: false,
        import_id: None,
        quiet: true,
    };
    let report = import::import(&link, &options).await.unwrap();
    assert_eq!((report.accepted, report.refused), (24, 0));
    // The same file again changes nothing.
    let again = import::import(&link, &options).await.unwrap();
    assert_eq!((again.accepted, again.settled_before), (0, 24));

    let play = DemoOptions::to_the_end(8);
    let played = demo::play(&link, &play).await.unwrap();
    assert_eq!(played.closed, 24);
    assert!(played.reopened > 0, "the seed makes somebody discontent");

    let audit = verify::run(&link, &VerifyOptions { wait: 60, strays: 10 })
        .await
        .unwrap();
    audit.print(false);
    assert!(audit.is_clean());

    // Every metric of the catalogue answers, and says its definition.
    let metrics = link
        .analytics()
        .list_metrics(ListMetricsRequest {
            page_size: 100,
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner()
        .metrics;
    assert!(metrics.len() >= 11);
    for metric in metrics {
        let key = metric.name.trim_start_matches("metrics/").to_owned();
        let now = Clock::system().now();
        let day = SignedDuration::from_hours(24);
        let interval = Interval {
            start_time: Some(sql::to_proto(now - day)),
            end_time: Some(sql::to_proto(now + day)),
        };
        let request = QueryMetricRequest {
            parent: link.parent.clone(),
            metric: metric.name.clone(),
            interval: Some(interval),
            ..QueryMetricRequest::default()
        };
        let answer = link
            .analytics()
            .query_metric(request)
            .await
            .unwrap_or_else(|status| panic!("{key}: {status}"));
        assert!(answer.into_inner().metric.is_some(), "{key}");
    }
}
