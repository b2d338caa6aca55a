//! From a classified feedback to a closed work order.

use huiyin_proto::{
    event::v1::{StateCategory, event::Payload},
    scheduler::v1::{self, WorkOrderEventKind},
};
use jiff::SignedDuration;

use crate::play::{LIMIT, PARENT, Play, agent, classified, clock, get, of_feedback, seconds, solution};

/// 000-52: exactly one work order for each feedback; a redelivered classification changes nothing.
#[tokio::test]
async fn a_classified_feedback_becomes_one_work_order_whatever_is_delivered_twice() {
    let play = Play::begin().await;
    let event = play.classify(&classified("f1"));
    play.classify_again(&event);
    play.classify_again(&event);
    play.all_consumed().await;
    let mut boss = play.boss().await;
    let order = of_feedback(&mut boss, &format!("{PARENT}/feedbacks/f1")).await.unwrap();
    assert_eq!(order.number, "WO20260302001");
    assert_eq!(
        (order.state(), order.episode, order.assignment_count),
        (StateCategory::New, 1, 1)
    );
    assert_eq!((order.team.as_str(), order.assignee.as_str()), ("fallback", ""));
    assert_eq!(order.etag, "1");
    let keys: Vec<&str> = order.sla_clocks.iter().map(|clock| clock.key.as_str()).collect();
    assert_eq!(keys, ["acknowledge", "first_response", "resolve"]);
    assert_eq!(
        play.told_in_short(&order.name, 2).await,
        ["opened", "assigned 1 to @fallback"]
    );
    assert_eq!(play.open(&classified("f2")).await.number, "WO20260302002");
}

/// 003-72, 003-40, 003-50, 003-03: the whole way, told in order and kept in the history.
#[tokio::test]
async fn a_work_order_goes_its_whole_way() {
    let play = Play::begin().await;
    play.team("software").await;
    play.agent("li-wei", agent("user:li.wei", "software", &[("software", 4)]))
        .await;
    let order = play.open(&classified("f1")).await;
    assert_eq!(
        (order.assignee.as_str(), order.team.as_str()),
        ("user:li.wei", "software")
    );
    let name = order.name.clone();
    let mut li = play.client("user:li.wei", "acme", &["engineer"]).await;

    play.advance(SignedDuration::from_mins(10));
    let order = li
        .acknowledge_work_order(v1::AcknowledgeWorkOrderRequest {
            name: name.clone(),
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(order.first_contact, "user:li.wei");
    assert!(order.acknowledge_time.is_some());
    let again = li
        .acknowledge_work_order(v1::AcknowledgeWorkOrderRequest {
            name: name.clone(),
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        again.etag, order.etag,
        "what is acknowledged already is answered as it is"
    );

    let order = li
        .start_work_order(v1::StartWorkOrderRequest {
            name: name.clone(),
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(order.state(), StateCategory::Active);

    let promise = play.stage.clock.now() + SignedDuration::from_hours(72);
    let told = v1::NoteProgressRequest {
        name: name.clone(),
        stage: v1::WorkOrderStage::RemoteCheck.into(),
        customer_text: "预计3个工作日内给您方案，电话13800138000".to_owned(),
        promise_time: Some(huiyin_chassis::sql::to_proto(promise)),
        ..Default::default()
    };
    let order = li.note_progress(told).await.unwrap().into_inner();
    assert_eq!(
        (order.stage(), order.progress_count),
        (v1::WorkOrderStage::RemoteCheck, 1)
    );
    assert!(order.first_response_time.is_some() && order.promise_time.is_some());
    assert_eq!(clock(&order, "first_response").state(), v1::SlaClockState::Stopped);

    let held = li
        .hold_work_order(v1::HoldWorkOrderRequest {
            name: name.clone(),
            reason: "等待客户寄回".to_owned(),
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (held.state(), held.state_reason.as_str()),
        (StateCategory::Waiting, "等待客户寄回")
    );
    li.resume_work_order(v1::ResumeWorkOrderRequest {
        name: name.clone(),
        ..Default::default()
    })
    .await
    .unwrap();
    li.submit_for_verification(v1::SubmitForVerificationRequest {
        name: name.clone(),
        resolution: solution(),
        ..Default::default()
    })
    .await
    .unwrap();
    li.resume_work_order(v1::ResumeWorkOrderRequest {
        name: name.clone(),
        reason: "复测失败".to_owned(),
        ..Default::default()
    })
    .await
    .unwrap();
    play.advance(SignedDuration::from_mins(50));
    let order = li
        .resolve_work_order(v1::ResolveWorkOrderRequest {
            name: name.clone(),
            resolution: solution(),
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!((order.state(), order.resolution_count), (StateCategory::Resolved, 1));
    assert_eq!(
        order.working_duration.unwrap().seconds,
        3600,
        "09:00 to 10:00 is working time"
    );
    assert!(order.next_due_time.is_none(), "every clock has stopped");
    let mut boss = play.boss().await;
    let closed = boss
        .close_work_order(v1::CloseWorkOrderRequest {
            name: name.clone(),
            reason: "已回访".to_owned(),
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(closed.state(), StateCategory::Closed);

    let short = play.told_in_short(&name, 12).await;
    assert_eq!(
        short,
        [
            "opened",
            "assigned 1 to user:li.wei@software",
            "acknowledge met",
            "new to active",
            "progress 1",
            "first_response met",
            "active to waiting",
            "waiting to active",
            "active to verifying",
            "verifying to active",
            "active to resolved",
            "resolve met",
            "resolved to closed",
        ][..short.len()]
    );
    let told = play.told_in_short(&name, 13).await;
    assert_eq!(told.len(), 13);

    for event in play.told(&name).await {
        match event.payload.unwrap() {
            Payload::WorkOrderProgressed(told) => {
                assert_eq!(
                    (told.stage.as_str(), told.customer_text.contains("13800138000")),
                    ("REMOTE_CHECK", false),
                    "numbers are masked"
                );
                assert_eq!(event.actor, "user:li.wei");
            }
            Payload::WorkOrderTransitioned(told) if told.to() == StateCategory::Resolved => {
                assert_eq!(told.resolution, "已发布修复版本 1.2");
                assert_eq!(told.working_duration.unwrap().seconds, 3600);
            }
            Payload::WorkOrderAssigned(told) => {
                assert!(told.reason.contains("least loaded"), "{}", told.reason);
                assert_eq!(told.due_time, clock(&get(&mut boss, &name).await, "resolve").due_time);
            }
            _ => {}
        }
    }

    let history = boss
        .list_work_order_history(v1::ListWorkOrderHistoryRequest {
            parent: name.clone(),
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner()
        .events;
    assert_eq!(
        history.iter().map(|entry| entry.sequence).collect::<Vec<_>>(),
        (1..=14).collect::<Vec<i64>>(),
        "without a gap"
    );
    assert_eq!(history[0].kind(), WorkOrderEventKind::Opened);
    assert_eq!(history[2].kind(), WorkOrderEventKind::Acknowledged);
    let wanting = history
        .iter()
        .find(|entry| entry.previous_state() == StateCategory::Verifying && entry.state() == StateCategory::Active)
        .unwrap();
    assert_eq!(
        (wanting.reason.as_str(), wanting.actor.as_str()),
        ("复测失败", "user:li.wei")
    );
    assert!(
        history
            .windows(2)
            .all(|pair| seconds(pair[0].occur_time) <= seconds(pair[1].occur_time))
    );
}

/// A correction of the classifier moves category, priority and deadlines, reckoned from the same start; an older one changes nothing.
#[tokio::test]
async fn a_correction_moves_the_deadlines() {
    let play = Play::begin().await;
    let order = play.open(&classified("f1")).await;
    play.advance(SignedDuration::from_hours(1));
    let mut corrected = classified("f1");
    corrected.revision = 3;
    corrected.category = "safety".to_owned();
    corrected.priority = Some(huiyin_proto::r#type::v1::Priority {
        key: "P0".to_owned(),
        rank: 0,
    });
    play.classify(&corrected);
    let mut late = classified("f1");
    late.revision = 2;
    play.classify(&late);
    play.all_consumed().await;
    let mut boss = play.boss().await;
    let now = get(&mut boss, &order.name).await;
    assert_eq!(
        (now.category.as_str(), now.priority.as_ref().unwrap().key.as_str()),
        ("safety", "P0")
    );
    let start = seconds(clock(&order, "resolve").start_time);
    assert_eq!(
        seconds(clock(&order, "resolve").due_time) - start,
        24 * 3600,
        "rank 1 has 24 hours"
    );
    assert_eq!(
        seconds(clock(&now, "resolve").due_time) - start,
        8 * 3600,
        "rank 0 has 8 hours from the same start"
    );
    assert_eq!(play.told_in_short(&order.name, 3).await[2], "retargeted");
}

/// Watching: what changes comes, from the cursor on, as it is now.
#[tokio::test]
async fn a_watcher_sees_what_changes_and_goes_on_where_it_stopped() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    let watch = v1::WatchWorkOrdersRequest {
        parent: PARENT.to_owned(),
        start_cursor: String::new(),
    };
    let mut changes = boss.watch_work_orders(watch).await.unwrap().into_inner();
    let order = play.open(&classified("f1")).await;
    let seen = tokio::time::timeout(LIMIT, async {
        loop {
            let answer = changes.message().await.unwrap().unwrap();
            assert_eq!(answer.checkpoint, answer.work_orders.is_empty());
            if let Some(found) = answer.work_orders.first() {
                return (found.name.clone(), answer.cursor);
            }
        }
    })
    .await
    .unwrap();
    assert_eq!(seen.0, order.name);
    drop(changes);
    let reject = v1::RejectWorkOrderRequest {
        name: order.name.clone(),
        reason: "重复".to_owned(),
        ..Default::default()
    };
    boss.reject_work_order(reject).await.unwrap();
    let watch = v1::WatchWorkOrdersRequest {
        parent: PARENT.to_owned(),
        start_cursor: seen.1,
    };
    let mut changes = boss.watch_work_orders(watch).await.unwrap().into_inner();
    tokio::time::timeout(LIMIT, async {
        loop {
            let answer = changes.message().await.unwrap().unwrap();
            if answer
                .work_orders
                .iter()
                .any(|found| found.state() == StateCategory::Rejected)
            {
                return;
            }
        }
    })
    .await
    .unwrap();
}
