//! What is measured: who decides on categories, and how long the review queue is.

use huiyin_testkit::{Metrics, eventually};
use jiff::SignedDuration;

use crate::{
    play::{LIMIT, Play},
    reviewing::of_dimension,
};

#[tokio::test]
async fn what_decides_is_counted_and_the_review_queue_is_measured() {
    let metrics = Metrics::begin();
    let play = Play::begin().await;
    play.task("nature", of_dimension("nature")).await;
    play.classified("应用闪退").await;
    play.classified("今天去了店里").await;
    let classified = |by| metrics.value("classifier_classified_total", &[("by", by)]);
    assert_eq!(
        (classified("dictionary"), classified("nothing"), classified("model")),
        (Some(1.0), Some(1.0), None)
    );
    assert_eq!(play.queue("").await.len(), 1);

    // Who starts looks at once.
    play.stage.clock.advance(SignedDuration::from_secs(90));
    let config = play.stage.config_with("classifier", &play.stage.database_url(), "");
    let second = classifier::start(config, play.stage.context()).await.unwrap();
    eventually("the queue is measured", LIMIT, async || {
        let found = (
            metrics.value("classifier_review_queue", &[]),
            metrics.value("classifier_review_queue_age_seconds", &[]),
        );
        if found == (Some(1.0), Some(90.0)) {
            Ok(())
        } else {
            Err(format!("{found:?}"))
        }
    })
    .await;
    second.stop().await.unwrap();
}
