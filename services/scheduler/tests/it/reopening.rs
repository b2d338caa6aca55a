//! What was solved and was not: the next episode (003-51).

use huiyin_proto::{event::v1::StateCategory, scheduler::v1, r#type::v1::Priority};
use huiyin_testkit::eventually;
use jiff::SignedDuration;
use tonic::Code;

use crate::play::{Client, LIMIT, Play, agent, classified, clock, get, refused, seconds, solution};

/// A work order that li.wei has solved.
async fn solved(play: &Play) -> (v1::WorkOrder, Client) {
    play.team("software").await;
    play.agent("li-wei", agent("user:li.wei", "software", &[("software", 4)]))
        .await;
    let order = play.open(&classified("f1")).await;
    let mut li = play.client("user:li.wei", "acme", &["engineer"]).await;
    li.start_work_order(v1::StartWorkOrderRequest {
        name: order.name.clone(),
        ..Default::default()
    })
    .await
    .unwrap();
    play.advance(SignedDuration::from_hours(1));
    let order = li
        .resolve_work_order(v1::ResolveWorkOrderRequest {
            name: order.name,
            resolution: solution(),
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner();
    (order, li)
}

async fn open_work(client: &mut Client) -> i32 {
    client
        .get_agent(v1::GetAgentRequest {
            name: "tenants/acme/agents/li-wei".to_owned(),
        })
        .await
        .unwrap()
        .into_inner()
        .open_work_orders
}

/// 003-51: an answer that asks for it starts episode 2, with the reason, once; an answer of a past episode changes nothing.
#[tokio::test]
async fn an_answer_that_asks_for_it_starts_a_second_episode_and_not_a_third() {
    let play = Play::begin().await;
    let (order, mut li) = solved(&play).await;
    assert_eq!(open_work(&mut li).await, 0);
    play.answer(&order, 1, false);
    play.answer(&order, 1, true);
    play.answer(&order, 1, true);
    play.all_consumed().await;
    let again = get(&mut li, &order.name).await;
    assert_eq!(
        (again.episode, again.reopen_count, again.state()),
        (2, 1, StateCategory::Active)
    );
    assert_eq!(
        (again.state_reason.as_str(), again.assignee.as_str()),
        ("仍然打不开", "user:li.wei")
    );
    assert_eq!(
        again.resolution.unwrap().text,
        "已发布修复版本 1.2",
        "that of the episode before"
    );
    assert_eq!(open_work(&mut li).await, 1);
    let keys: Vec<&str> = again.sla_clocks.iter().map(|clock| clock.key.as_str()).collect();
    assert_eq!(
        keys,
        ["resolve"],
        "of the built-in clocks every episode has this one alone"
    );

    // Solved again: the working time of both episodes, and nothing of the time between.
    play.advance(SignedDuration::from_hours(1));
    li.resolve_work_order(v1::ResolveWorkOrderRequest {
        name: order.name.clone(),
        resolution: solution(),
        ..Default::default()
    })
    .await
    .unwrap();
    let twice = get(&mut li, &order.name).await;
    assert_eq!(twice.working_duration.unwrap().seconds, 2 * 3600);
    play.answer(&order, 1, true);
    play.all_consumed().await;
    assert_eq!(
        get(&mut li, &order.name).await.episode,
        2,
        "the answer of the first episode is of no matter any more"
    );
    let told = play.told_in_short(&order.name, 9).await;
    assert_eq!(
        told.iter().filter(|told| *told == "resolved to active").count(),
        1,
        "{told:?}"
    );
}

/// 003-51: by hand, also what was closed; a reason is required, and both episodes can be explained.
#[tokio::test]
async fn a_closed_work_order_is_reopened_by_hand_with_a_reason() {
    let play = Play::begin().await;
    let (order, mut li) = solved(&play).await;
    let mut boss = play.boss().await;
    boss.close_work_order(v1::CloseWorkOrderRequest {
        name: order.name.clone(),
        ..Default::default()
    })
    .await
    .unwrap();
    let blank = v1::ReopenWorkOrderRequest {
        name: order.name.clone(),
        reason: "  ".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        crate::play::violated(&boss.reopen_work_order(blank).await.unwrap_err()),
        ["reason"]
    );
    play.advance(SignedDuration::from_hours(4));
    let reopen = v1::ReopenWorkOrderRequest {
        name: order.name.clone(),
        reason: "客户来电".to_owned(),
        ..Default::default()
    };
    let again = boss.reopen_work_order(reopen.clone()).await.unwrap().into_inner();
    assert_eq!((again.episode, again.state()), (2, StateCategory::Active));
    assert_eq!(seconds(clock(&again, "resolve").start_time), seconds(again.update_time));
    refused(
        boss.reopen_work_order(reopen).await,
        Code::FailedPrecondition,
        "STATE_FORBIDS",
    );
    for episode in [1, 2] {
        let request = v1::ExplainDeadlineRequest {
            name: format!("{}/slaClocks/resolve", order.name),
            episode,
        };
        assert_eq!(
            li.explain_deadline(request).await.unwrap().into_inner().episode,
            episode
        );
    }
}

/// An answer reopens nothing that was rejected, and a reopened work order whose assignee is gone finds somebody else.
#[tokio::test]
async fn a_reopened_work_order_whose_assignee_is_gone_finds_somebody_else() {
    let play = Play::begin().await;
    let (order, _) = solved(&play).await;
    let mut boss = play.boss().await;
    play.agent("wang", agent("user:wang", "software", &[("software", 1)]))
        .await;
    boss.delete_agent(v1::DeleteAgentRequest {
        name: "tenants/acme/agents/li-wei".to_owned(),
        ..Default::default()
    })
    .await
    .unwrap();
    play.answer(&order, 1, true);
    let again = eventually("it is reopened", LIMIT, async || {
        Some(get(&mut boss, &order.name).await).filter(|order| order.episode == 2)
    })
    .await;
    assert_eq!(
        (again.state(), again.assignee.as_str(), again.assignment_count),
        (StateCategory::New, "user:wang", 2)
    );

    let reject = v1::RejectWorkOrderRequest {
        name: order.name.clone(),
        reason: "测试数据".to_owned(),
        ..Default::default()
    };
    let rejected = boss.reject_work_order(reject).await.unwrap().into_inner();
    assert!(
        clock(&rejected, "resolve").marks.is_empty(),
        "a rejection stops clocks without a mark"
    );
    play.answer(&order, 2, true);
    play.all_consumed().await;
    assert_eq!(get(&mut boss, &order.name).await.state(), StateCategory::Rejected);
}

/// A correction of a work order that is closed starts no clock; when it is taken up again, its priority, deadline and skills are the
/// corrected ones.
#[tokio::test]
async fn a_work_order_that_was_corrected_while_it_was_closed_is_reopened_as_corrected() {
    let play = Play::begin().await;
    let (order, mut li) = solved(&play).await;
    let mut boss = play.boss().await;
    boss.close_work_order(v1::CloseWorkOrderRequest {
        name: order.name.clone(),
        ..Default::default()
    })
    .await
    .unwrap();
    let mut corrected = classified("f1");
    corrected.revision = 2;
    corrected.priority = Some(Priority {
        key: "P0".to_owned(),
        rank: 0,
    });
    play.classify(&corrected);
    play.all_consumed().await;
    let closed = get(&mut li, &order.name).await;
    assert_eq!(
        (closed.state(), closed.priority.as_ref().unwrap().key.as_str()),
        (StateCategory::Closed, "P0")
    );
    assert_eq!(
        clock(&closed, "resolve"),
        clock(&order, "resolve"),
        "what is over stays as it was"
    );

    play.answer(&order, 1, true);
    play.all_consumed().await;
    let again = get(&mut li, &order.name).await;
    let resolve = clock(&again, "resolve");
    assert_eq!(
        seconds(resolve.due_time) - seconds(resolve.start_time),
        8 * 3600,
        "rank 0 has 8 hours"
    );
}
