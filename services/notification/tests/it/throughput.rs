//! Many messages at once: everything is told, once, and in a time that a demonstration can wait for.

use std::time::{Duration, Instant};

use huiyin_testkit::eventually;

use crate::scene::{Scene, assigned, digest, invited, messages, resolved, subject, unreachable};

#[tokio::test]
async fn a_thousand_work_orders_are_told_of_once_each() {
    let scene = Scene::without_mail().await;
    let mut client = scene.admin().await;
    let began = Instant::now();
    for number in 0..1_000 {
        let id = format!("w{number}");
        scene.scheduler.publish("acme", &subject(&id), assigned(digest(&id)));
        scene.scheduler.publish("acme", &subject(&id), resolved(unreachable(&id)));
        scene.surveys.publish("acme", &format!("tenants/acme/surveys/{id}"), invited(unreachable(&id), &id));
    }
    eventually("all are delivered", Duration::from_secs(60), async || {
        let waiting = messages(&mut client, "state = QUEUED").await.len();
        let mut delivered = 0;
        for purpose in ["ASSIGNMENT", "RESOLUTION", "SURVEY"] {
            delivered += messages(&mut client, &format!("purpose = {purpose} AND state = DELIVERED")).await.len();
        }
        if (waiting, delivered) == (0, 3_000) { Ok(()) } else { Err(format!("{waiting} wait, {delivered} are delivered")) }
    })
    .await;
    let took = began.elapsed();
    eprintln!("3000 messages in {took:?}: {:.0} per second", 3_000.0 / took.as_secs_f64());
    assert!(took < Duration::from_secs(45), "{took:?}");
}
