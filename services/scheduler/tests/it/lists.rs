//! Pages of work orders and of their history.

use huiyin_proto::{event::v1::StateCategory, scheduler::v1, r#type::v1::Priority};
use jiff::SignedDuration;
use tonic::Code;

use crate::play::{Client, PARENT, Play, classified, refused, violated};

/// A work order for each rank, a minute apart; the last of them rejected, so that its clocks stand.
async fn some(play: &Play) -> Vec<v1::WorkOrder> {
    let mut orders = Vec::new();
    for (index, rank) in [3, 0, 2, 1, 0].into_iter().enumerate() {
        let mut one = classified(&format!("f{}", index + 1));
        one.priority = Some(Priority {
            key: format!("P{rank}"),
            rank,
        });
        one.category = ["function.crash", "function", "functional", "price", "function.slow"][index].to_owned();
        orders.push(play.open(&one).await);
        play.advance(SignedDuration::from_mins(1));
    }
    let last = orders.last().unwrap().name.clone();
    let reject = v1::RejectWorkOrderRequest {
        name: last,
        reason: "重复".to_owned(),
        ..Default::default()
    };
    *orders.last_mut().unwrap() = play.boss().await.reject_work_order(reject).await.unwrap().into_inner();
    orders
}

async fn numbers(boss: &mut Client, filter: &str, order_by: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = v1::ListWorkOrdersRequest {
            parent: PARENT.to_owned(),
            page_size: 2,
            page_token,
            filter: filter.to_owned(),
            order_by: order_by.to_owned(),
        };
        let page = boss.list_work_orders(request).await.unwrap().into_inner();
        found.extend(
            page.work_orders
                .into_iter()
                .map(|order| order.number.trim_start_matches("WO20260302").to_owned()),
        );
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return found;
        }
    }
}

#[tokio::test]
async fn pages_neither_skip_nor_repeat_in_any_order_and_missing_times_come_last() {
    let play = Play::begin().await;
    let orders = some(&play).await;
    assert!(orders[4].next_due_time.is_none());
    let mut boss = play.boss().await;
    assert_eq!(numbers(&mut boss, "", "").await, ["005", "004", "003", "002", "001"]);
    assert_eq!(
        numbers(&mut boss, "", "create_time").await,
        ["001", "002", "003", "004", "005"]
    );
    assert_eq!(
        numbers(&mut boss, "", "priority.rank").await,
        ["002", "005", "004", "003", "001"]
    );
    // first_response: rank 0 1 h; acknowledge: 2 h for all of them; the rejected one has none.
    assert_eq!(
        numbers(&mut boss, "", "next_due_time").await,
        ["002", "001", "003", "004", "005"]
    );
    assert_eq!(
        numbers(&mut boss, "", "next_due_time desc").await,
        ["004", "003", "001", "002", "005"]
    );
}

#[tokio::test]
async fn filters_find_what_they_say() {
    let play = Play::begin().await;
    some(&play).await;
    let mut boss = play.boss().await;
    for (filter, wanted) in [
        ("category : function", vec!["001", "002", "005"]),
        ("category = function", vec!["002"]),
        ("state = REJECTED", vec!["005"]),
        ("NOT state = REJECTED AND priority.rank <= 1", vec!["002", "004"]),
        ("priority.key = P2 OR number = WO20260302001", vec!["001", "003"]),
        (
            "team = fallback AND assignee = \"\" AND feedback.channel = IN_APP AND feedback.tier = EXISTING",
            vec!["001", "002", "003", "004", "005"],
        ),
        ("breached = true", vec![]),
        ("create_time > 2026-03-02T01:02:30Z", vec!["004", "005"]),
        (
            "feedback.product_model : X AND episode = 1 AND reopen_count = 0",
            vec!["001", "002", "003", "004", "005"],
        ),
    ] {
        assert_eq!(numbers(&mut boss, filter, "create_time").await, wanted, "{filter}");
    }
    let list = |filter: &str, order_by: &str| v1::ListWorkOrdersRequest {
        parent: PARENT.to_owned(),
        filter: filter.to_owned(),
        order_by: order_by.to_owned(),
        ..Default::default()
    };
    assert_eq!(
        violated(&boss.list_work_orders(list("colour = red", "")).await.unwrap_err()),
        ["filter"]
    );
    assert_eq!(
        violated(&boss.list_work_orders(list("", "colour")).await.unwrap_err()),
        ["order_by"]
    );
}

#[tokio::test]
async fn a_token_is_good_for_its_own_query_alone() {
    let play = Play::begin().await;
    let orders = some(&play).await;
    let mut boss = play.boss().await;
    let list = |page_token: &str, filter: &str| v1::ListWorkOrdersRequest {
        parent: PARENT.to_owned(),
        page_size: 1,
        page_token: page_token.to_owned(),
        filter: filter.to_owned(),
        ..Default::default()
    };
    let token = boss
        .list_work_orders(list("", ""))
        .await
        .unwrap()
        .into_inner()
        .next_page_token;
    refused(
        boss.list_work_orders(list(&token, "state = NEW")).await,
        Code::InvalidArgument,
        "PAGE_TOKEN_INVALID",
    );
    refused(
        boss.list_work_orders(list("made-up", "")).await,
        Code::InvalidArgument,
        "PAGE_TOKEN_INVALID",
    );

    let history = |order: &v1::WorkOrder, page_token: &str, filter: &str| v1::ListWorkOrderHistoryRequest {
        parent: order.name.clone(),
        page_size: 1,
        page_token: page_token.to_owned(),
        filter: filter.to_owned(),
        ..Default::default()
    };
    let first = boss
        .list_work_order_history(history(&orders[4], "", ""))
        .await
        .unwrap()
        .into_inner();
    let token = first.next_page_token;
    assert_eq!(first.events[0].kind(), v1::WorkOrderEventKind::Opened);
    let second = boss
        .list_work_order_history(history(&orders[4], &token, ""))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(second.events[0].sequence, 2);
    refused(
        boss.list_work_order_history(history(&orders[3], &token, "")).await,
        Code::InvalidArgument,
        "PAGE_TOKEN_INVALID",
    );
    let moved = boss
        .list_work_order_history(history(&orders[4], "", "kind = TRANSITIONED"))
        .await
        .unwrap()
        .into_inner()
        .events;
    assert_eq!(
        (moved[0].previous_state(), moved[0].state(), moved[0].reason.as_str()),
        (StateCategory::New, StateCategory::Rejected, "重复")
    );
}
