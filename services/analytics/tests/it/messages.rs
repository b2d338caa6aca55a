//! Events that change what was counted before, or come before what they belong to.

use huiyin_proto::{
    analytics::v1::Dimension,
    event::v1::{MessageSettled, event::Payload},
};

use crate::{
    case::Case,
    world::{Ask, World, counted, facts, interval, totals, values},
};

fn ask(client: &crate::world::Client) -> Ask<'_> {
    Ask {
        client,
        interval: interval("2026-03-01T00:00:00Z", "2026-03-08T00:00:00Z"),
    }
}

/// A correction moves the feedback from one category to the other, in the past too.
#[tokio::test]
async fn a_corrected_category_takes_the_feedback_out_of_the_old_one() {
    let world = World::new().await;
    let client = world.client("acme").await;
    let mut case = Case::new(&world, "2026-03-02T01:00:00Z");
    world.say("2026-03-02T01:00:00Z", case.submitted());
    world.say("2026-03-02T01:00:01Z", case.classified(1));
    world.counted(&client, "acme", 2).await;
    assert_eq!(
        ask(&client).groups("volume", &[Dimension::Category], "").await,
        values(&[("function.crash", 1.0)])
    );

    case.category = "logistics.late".to_owned();
    case.priority = 3;
    world.say("2026-03-03T01:00:00Z", case.classified(2));
    world.counted(&client, "acme", 3).await;
    let by = [Dimension::Category, Dimension::Priority];
    assert_eq!(
        ask(&client).groups("volume", &by, "").await,
        values(&[("logistics.late/P3", 1.0)])
    );
    assert_eq!(totals(&client, "acme").await.classified, 1);
}

/// A priority that a supervisor sets in the work order is the one in effect.
#[tokio::test]
async fn a_retargeted_work_order_moves_its_feedback_to_the_new_priority() {
    let world = World::new().await;
    let client = world.client("acme").await;
    let mut case = Case::new(&world, "2026-03-02T01:00:00Z");
    world.say("2026-03-02T01:00:00Z", case.submitted());
    world.say("2026-03-02T01:00:00Z", case.classified(1));
    world.say("2026-03-02T01:00:00Z", case.opened(&[]));
    case.priority = 0;
    world.say("2026-03-02T02:00:00Z", case.retargeted(1));
    world.counted(&client, "acme", 4).await;
    assert_eq!(
        ask(&client).groups("volume", &[Dimension::Priority], "").await,
        values(&[("P0", 1.0)])
    );
    assert_eq!(
        facts(&client, "acme").await[0]
            .classification
            .as_ref()
            .unwrap()
            .priority
            .as_ref()
            .unwrap()
            .key,
        "P0"
    );
}

/// The answer may come before the work order, and that before the feedback itself.
#[tokio::test]
async fn a_life_told_backwards_is_known_in_the_end() {
    let world = World::new().await;
    let client = world.client("acme").await;
    let case = Case::new(&world, "2026-03-02T01:00:00Z");
    world.say("2026-03-02T09:00:00Z", case.answered(1, &[5, 4]));
    world.counted(&client, "acme", 1).await;
    let early = facts(&client, "acme").await;
    assert_eq!(early[0].feedback.as_ref().unwrap().number, "");
    assert_eq!(ask(&client).value("satisfaction_mean").await, Some(4.5));
    assert_eq!(ask(&client).value("volume").await, Some(0.0));

    world.say("2026-03-02T08:00:00Z", case.opened(&[]));
    world.say("2026-03-02T08:30:00Z", case.resolved(1, 1800));
    world.counted(&client, "acme", 3).await;
    assert_eq!(ask(&client).value("resolution_rate_cohort").await, None);
    world.say("2026-03-02T01:00:00Z", case.submitted());
    world.counted(&client, "acme", 4).await;
    assert_eq!(ask(&client).value("resolution_rate_cohort").await, Some(1.0));
    assert_eq!(
        ask(&client)
            .groups("satisfaction_mean", &[Dimension::Channel], "")
            .await,
        values(&[("EMAIL", 4.5)])
    );
}

/// A message may be settled before its work order is known; a dead one that is delivered later is dead no more.
#[tokio::test]
async fn messages_are_counted_once_and_find_their_feedback() {
    let world = World::new().await;
    let client = world.client("acme").await;
    let case = Case::new(&world, "2026-03-02T01:00:00Z");
    let (first, second) = (world.stage.clock.id(), world.stage.clock.id());
    world.say("2026-03-02T02:00:00Z", case.settled(first, false));
    world.say("2026-03-02T02:00:00Z", case.settled(second, true));
    let alone = Payload::MessageSettled(MessageSettled {
        message: format!("tenants/acme/messages/{}", world.stage.clock.id()),
        delivered: true,
        ..MessageSettled::default()
    });
    world.say(
        "2026-03-02T02:00:00Z",
        ("notification", "tenants/acme/messages/alone".to_owned(), alone),
    );
    world.counted(&client, "acme", 3).await;
    let known = totals(&client, "acme").await;
    assert_eq!((known.messages_delivered, known.messages_dead), (2, 1));
    assert!(facts(&client, "acme").await.is_empty());

    world.say("2026-03-02T01:30:00Z", case.opened(&[]));
    world.counted(&client, "acme", 4).await;
    let fact = facts(&client, "acme").await.remove(0);
    assert_eq!((fact.messages_delivered, fact.messages_dead), (1, 1));

    world.say("2026-03-02T03:00:00Z", case.settled(first, true));
    world.counted(&client, "acme", 5).await;
    let fact = facts(&client, "acme").await.remove(0);
    assert_eq!((fact.messages_delivered, fact.messages_dead), (2, 0));
    let known = totals(&client, "acme").await;
    assert_eq!((known.messages_delivered, known.messages_dead), (3, 0));
}

/// The same event at a new position, as after a restore, changes nothing; not even how many events are counted.
#[tokio::test]
async fn an_event_that_comes_again_changes_nothing() {
    let world = World::new().await;
    let client = world.client("acme").await;
    let case = Case::new(&world, "2026-03-02T01:00:00Z");
    let events = [
        world.say("2026-03-02T01:00:00Z", case.submitted()),
        world.say("2026-03-02T01:00:00Z", case.classified(1)),
        world.say("2026-03-02T01:00:00Z", case.opened(&[])),
        world.say("2026-03-02T02:00:00Z", case.resolved(1, 60)),
        world.say("2026-03-02T02:00:00Z", case.settled(world.stage.clock.id(), true)),
        world.say("2026-03-02T02:00:00Z", case.answered(1, &[4])),
        world.say(
            "2026-03-02T03:00:00Z",
            case.moved(2, huiyin_proto::event::v1::StateCategory::Active),
        ),
    ];
    world.counted(&client, "acme", events.len()).await;
    let before = (
        facts(&client, "acme").await,
        ask(&client).groups("resolution_rate", &[Dimension::Team], "").await,
    );
    for event in &events {
        world.tell(event);
    }
    // What comes after them in each log is counted, so they were read.
    let next = Case::new(&world, "2026-03-05T01:00:00Z");
    for case in [&case, &next] {
        world.say("2026-03-05T01:00:00Z", case.settled(world.stage.clock.id(), true));
    }
    world.say("2026-03-05T01:00:00Z", next.submitted());
    world.counted(&client, "acme", events.len() + 3).await;
    let totals = totals(&client, "acme").await;
    assert_eq!(
        (
            totals.feedbacks,
            totals.resolved_episodes,
            totals.reopened,
            totals.answers
        ),
        (2, 1, 1, 1)
    );
    assert_eq!(totals.messages_delivered, 3);
    let mut after = (
        facts(&client, "acme").await,
        ask(&client).groups("resolution_rate", &[Dimension::Team], "").await,
    );
    after.0.retain(|fact| fact.work_order.is_some());
    after.0[0].messages_delivered -= 1;
    after.0[0].last_event_time = before.0[0].last_event_time;
    assert_eq!(after.0, before.0);
    assert_eq!(
        counted(totals.as_of.as_ref().unwrap()),
        i64::try_from(events.len() + 3).unwrap()
    );
}
