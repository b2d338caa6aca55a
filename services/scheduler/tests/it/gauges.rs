//! Gauges: how many work orders are open, and how their clocks stand.

use huiyin_testkit::{Metrics, eventually};
use jiff::SignedDuration;

use crate::play::{LIMIT, Play, classified, get};

#[tokio::test]
async fn open_work_orders_are_counted_by_state_and_by_how_their_clocks_stand() {
    let metrics = Metrics::begin();
    let play = Play::begin().await;
    let late = play.open(&classified("f1")).await;
    play.advance(SignedDuration::from_hours(2));
    let mut boss = play.boss().await;
    eventually("a deadline is missed", LIMIT, async || {
        get(&mut boss, &late.name).await.breached
    })
    .await;
    play.open(&classified("f2")).await;

    // Who starts looks at once.
    let second = play.second_room().await;
    let open = |state, clocks| metrics.value("scheduler_open_work_orders", &[("state", state), ("clocks", clocks)]);
    eventually("both are counted", LIMIT, async || {
        let found = (open("NEW", "breached"), open("NEW", "running"));
        if found == (Some(1.0), Some(1.0)) {
            Ok(())
        } else {
            Err(format!("{found:?}"))
        }
    })
    .await;
    assert_eq!(
        (open("NEW", "still"), open("ACTIVE", "running")),
        (Some(0.0), Some(0.0))
    );
    assert_eq!(open("CLOSED", "still"), None, "what is over is not open");
    second.stop().await.unwrap();
}
