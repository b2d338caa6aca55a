//! Many messages at once: everything is told, once, and in a time that a demonstration can wait for.

use std::time::{Duration, Instant};

use huiyin_proto::notification::v1::ListInboxItemsRequest;
use huiyin_testkit::eventually;
use jiff::SignedDuration;

use crate::{
    scene::{CUSTOMER, LIMIT, Scene, assigned, digest, invited, messages, resolved, subject, unreachable},
    telling::published,
};

/// Two replicas share the work and do none of it twice.
#[tokio::test]
async fn a_thousand_work_orders_are_told_of_once_each_by_two_replicas() {
    let scene = Scene::without_mail().await;
    let mut client = scene.admin().await;
    let _other = scene.replica().await;
    let began = Instant::now();
    for number in 0..1_000 {
        let id = format!("w{number}");
        scene.scheduler.publish("acme", &subject(&id), assigned(digest(&id)));
        scene
            .scheduler
            .publish("acme", &subject(&id), resolved(unreachable(&id)));
        scene.surveys.publish(
            "acme",
            &format!("tenants/acme/surveys/{id}"),
            invited(unreachable(&id), &id),
        );
    }
    eventually("all are delivered", Duration::from_secs(60), async || {
        let waiting = messages(&mut client, "state = QUEUED").await.len();
        let mut delivered = 0;
        for purpose in ["ASSIGNMENT", "RESOLUTION", "SURVEY"] {
            delivered += messages(&mut client, &format!("purpose = {purpose} AND state = DELIVERED"))
                .await
                .len();
        }
        if (waiting, delivered) == (0, 3_000) {
            Ok(())
        } else {
            Err(format!("{waiting} wait, {delivered} are delivered"))
        }
    })
    .await;
    let took = began.elapsed();
    for (recipient, count) in [("user:li.wei", 1_000), (CUSTOMER, 2_000)] {
        let request = ListInboxItemsRequest {
            parent: "tenants/acme".to_owned(),
            recipient: recipient.to_owned(),
            ..Default::default()
        };
        let inbox = client.list_inbox_items(request).await.unwrap().into_inner();
        assert_eq!(inbox.unread_count, count, "{recipient}");
    }
    let retried = messages(&mut client, "")
        .await
        .iter()
        .filter(|message| message.attempts != 1)
        .count();
    assert_eq!(retried, 0);
    eprintln!(
        "3000 messages in {took:?}: {:.0} per second",
        3_000.0 / took.as_secs_f64()
    );
    assert!(took < Duration::from_secs(45), "{took:?}");
}

/// A process that is killed at any moment, and another beside it: everything is told, and settles once.
#[tokio::test]
async fn a_crash_in_the_middle_loses_nothing_and_settles_nothing_twice() {
    let mut scene = Scene::without_mail().await;
    let mut client = scene.admin().await;
    for number in 0..300 {
        let id = format!("w{number}");
        scene.scheduler.publish("acme", &subject(&id), assigned(digest(&id)));
        scene.surveys.publish(
            "acme",
            &format!("tenants/acme/surveys/{id}"),
            invited(unreachable(&id), &id),
        );
    }
    for delivered in [50, 250] {
        let filter = "state = DELIVERED";
        eventually("it is in the middle", LIMIT, async || {
            messages(&mut client, filter).await.len() >= delivered
        })
        .await;
        scene.restart().await;
        // The leases of what the dead one had taken are over.
        scene.stage.clock.advance(SignedDuration::from_mins(2));
        client = scene.admin().await;
    }
    let all = eventually("all are delivered", LIMIT, async || {
        let all = messages(&mut client, "state = DELIVERED").await;
        if all.len() == 600 {
            Ok(all)
        } else {
            Err(format!("{} are", all.len()))
        }
    })
    .await;
    assert!(all.iter().all(|message| message.attempts == 1));
    let said = eventually("all are said to be", LIMIT, async || {
        let said = published(&scene).await;
        if said.len() >= 600 {
            Ok(said)
        } else {
            Err(format!("{} are", said.len()))
        }
    })
    .await;
    let subjects: std::collections::BTreeSet<_> = said.iter().map(|event| event.subject.as_str()).collect();
    assert_eq!((said.len(), subjects.len()), (600, 600));
}
