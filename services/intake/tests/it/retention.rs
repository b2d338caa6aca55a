//! What is over its time: counted from its closing where it was closed, blanked here and in every other service.

use std::time::Duration;

use huiyin_proto::{
    event::v1::StateCategory,
    intake::v1::{Feedback, GetFeedbackRequest, RetentionPolicy, UpdateRetentionPolicyRequest},
};
use huiyin_testkit::eventually;
use jiff::SignedDuration;

use crate::{
    erasure::World,
    stand::ACME,
    status::{moved, publish},
};

const LIMIT: Duration = Duration::from_secs(30);

async fn words(world: &World, feedback: &Feedback) -> String {
    let request = GetFeedbackRequest {
        name: feedback.name.clone(),
    };
    let mut client = world.stand.client().await;
    client.get_feedback(request).await.unwrap().into_inner().description
}

/// Every other service is asked for the words of these feedbacks, and of nobody's name.
async fn asked_of_all(world: &World, feedback: &Feedback) {
    eventually("all five are asked", LIMIT, async || {
        let asked = world.asked();
        assert!(
            asked
                .iter()
                .all(|asked| asked.tables_only && asked.customers.is_empty())
        );
        let times = asked
            .iter()
            .filter(|asked| asked.feedbacks == [feedback.name.clone()])
            .count();
        // The first of them says that it is not done yet, and is asked again.
        if times >= 5 { Ok(()) } else { Err(format!("{times}")) }
    })
    .await;
}

/// C-07: words that are over their time are gone everywhere; time counts from the end of the work on them.
#[tokio::test]
async fn words_are_kept_for_a_time_after_their_closing_and_then_nowhere() {
    let world = World::new().await;
    let closed = world.submit("13900000001", "水管漏水", 1).await;
    let forgotten = world.submit("13900000002", "门锁坏了", 2).await;
    world.stand.stage.clock.advance(SignedDuration::from_hours(24 * 20));
    publish(&world.stand, &closed, moved(StateCategory::Closed, ""));
    eventually("it is closed", LIMIT, async || {
        let closed: i64 = sqlx::query_scalar("SELECT count(*) FROM customer_status WHERE state = 5")
            .fetch_one(&mut world.stand.database().await)
            .await
            .unwrap();
        (closed == 1).then_some(())
    })
    .await;
    let policy = UpdateRetentionPolicyRequest {
        retention_policy: Some(RetentionPolicy {
            name: format!("{ACME}/retentionPolicy"),
            text_days: 10,
            ..RetentionPolicy::default()
        }),
        request_id: String::new(),
    };
    let mut customers = world.stand.customers("admin").await;
    customers.update_retention_policy(policy).await.unwrap();
    asked_of_all(&world, &forgotten).await;
    assert_eq!(words(&world, &forgotten).await, "");
    assert_eq!(words(&world, &closed).await, "水管漏水，电话[手机号]");
    assert!(!world.asked().iter().any(|asked| asked.feedbacks.contains(&closed.name)));

    world.stand.stage.clock.advance(SignedDuration::from_hours(24 * 11));
    asked_of_all(&world, &closed).await;
    assert_eq!(words(&world, &closed).await, "");
}
