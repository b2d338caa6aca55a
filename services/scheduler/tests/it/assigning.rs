//! Who gets a work order (003-30, 003-31).

use huiyin_proto::{scheduler::v1, r#type::v1::CustomerTier};
use tonic::Code;

use crate::play::{PARENT, Play, agent, classified, get, metadata, refused, solution};

async fn load(play: &Play, id: &str) -> i32 {
    let name = format!("{PARENT}/agents/{id}");
    play.boss()
        .await
        .get_agent(v1::GetAgentRequest { name })
        .await
        .unwrap()
        .into_inner()
        .open_work_orders
}

/// 003-30: by skill; among those the least loaded by capacity; never beyond a limit; and who has no such skill gets nothing.
#[tokio::test]
async fn work_goes_to_the_least_loaded_who_has_the_skill() {
    let play = Play::begin().await;
    play.team("t").await;
    play.agent("idle", agent("user:idle", "t", &[("logistics", 5)])).await;
    play.agent("one", agent("user:one", "t", &[("software", 1)])).await;
    play.agent(
        "two",
        v1::Agent {
            capacity_weight: 2,
            open_limit: 2,
            ..agent("user:two", "t", &[("software", 1)])
        },
    )
    .await;
    play.agent(
        "away",
        v1::Agent {
            available: false,
            ..agent("user:away", "t", &[("software", 5)])
        },
    )
    .await;
    let mut got = Vec::new();
    for feedback in ["f1", "f2", "f3", "f4", "f5"] {
        got.push(play.open(&classified(feedback)).await.assignee);
    }
    // one 0/1, two 0/2; one 1/1, two 0/2; then 1/1, 1/2; then two is at its limit.
    assert_eq!(got, ["user:one", "user:two", "user:two", "user:one", "user:one"]);
    assert_eq!(
        (
            load(&play, "one").await,
            load(&play, "two").await,
            load(&play, "idle").await
        ),
        (3, 2, 0)
    );
}

/// 003-30: a VIP gets the most skilled, however much they have.
#[tokio::test]
async fn a_vip_gets_the_most_skilled() {
    let play = Play::begin().await;
    play.team("t").await;
    play.agent("expert", agent("user:expert", "t", &[("software", 5)]))
        .await;
    play.agent("beginner", agent("user:beginner", "t", &[("software", 1)]))
        .await;
    for feedback in ["v11", "v12"] {
        let mut vip = classified(feedback);
        vip.feedback.as_mut().unwrap().tier = CustomerTier::Vip.into();
        assert_eq!(play.open(&vip).await.assignee, "user:expert");
    }
    assert_eq!(play.open(&classified("f1")).await.assignee, "user:beginner");
}

/// 000-28, C-17: a rule by product model sends it to a team; a rule whose team has nobody, and no rule at all, to the fallback queue (003-31).
#[tokio::test]
async fn rules_decide_the_team_and_what_nobody_fits_waits_in_the_fallback_queue() {
    let play = Play::begin().await;
    for team in ["hardware", "software"] {
        play.team(team).await;
    }
    play.agent("han", agent("user:han", "hardware", &[("hardware", 3)]))
        .await;
    play.agent("song", agent("user:song", "software", &[("software", 5)]))
        .await;
    let mut boss = play.boss().await;
    let rule = |key: &str, team: &str, model: &str, level: i32| v1::RoutingRule {
        key: key.to_owned(),
        condition: Some(v1::Condition {
            product_models: vec![model.to_owned()],
            ..Default::default()
        }),
        team: team.to_owned(),
        required_skills: vec![v1::Skill {
            key: "hardware".to_owned(),
            level,
        }],
        ..Default::default()
    };
    let policy = v1::RoutingPolicy {
        display_name: "按型号".to_owned(),
        change_reason: "000-28".to_owned(),
        rules: vec![rule("x1", "hardware", "X1", 3), rule("x2", "hardware", "X2", 4)],
        ..Default::default()
    };
    let made = boss
        .create_routing_policy(v1::CreateRoutingPolicyRequest {
            parent: PARENT.to_owned(),
            routing_policy: Some(policy),
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner();
    boss.activate_routing_policy(v1::ActivateRoutingPolicyRequest {
        name: made.name,
        ..Default::default()
    })
    .await
    .unwrap();

    assert_eq!(play.open(&classified("f1")).await.assignee, "user:han");
    for (feedback, model) in [("f2", "X2"), ("f3", "Y")] {
        let mut other = classified(feedback);
        other.feedback.as_mut().unwrap().product_model = model.to_owned();
        let order = play.open(&other).await;
        assert_eq!(
            (order.assignee.as_str(), order.team.as_str()),
            ("", "fallback"),
            "{model}"
        );
    }
    let fallback = boss
        .get_team(v1::GetTeamRequest {
            name: format!("{PARENT}/teams/fallback"),
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(fallback.open_work_orders, 2);
}

/// 003-31, 002-40: by hand out of the fallback queue, from one to another, to a team; loads follow; whoever was first stays the first contact.
#[tokio::test]
async fn a_supervisor_assigns_by_hand_and_loads_follow() {
    let play = Play::begin().await;
    let order = play.open(&classified("f1")).await;
    play.team("t").await;
    play.agent("a", agent("user:a", "t", &[])).await;
    play.agent("b", agent("user:b", "t", &[])).await;
    play.agent(
        "away",
        v1::Agent {
            available: false,
            ..agent("user:away", "t", &[])
        },
    )
    .await;
    let mut boss = play.boss().await;
    let start = v1::StartWorkOrderRequest {
        name: order.name.clone(),
        ..Default::default()
    };
    refused(
        boss.start_work_order(start.clone()).await,
        Code::FailedPrecondition,
        "ASSIGNEE_MISSING",
    );

    let to = |assignee: &str| v1::AssignWorkOrderRequest {
        name: order.name.clone(),
        assignee: format!("{PARENT}/{assignee}"),
        reason: "熟悉".to_owned(),
        ..Default::default()
    };
    let first = boss.assign_work_order(to("agents/a")).await.unwrap().into_inner();
    assert_eq!(
        (first.assignee.as_str(), first.team.as_str(), first.assignment_count),
        ("user:a", "t", 2)
    );
    let second = boss.assign_work_order(to("agents/b")).await.unwrap().into_inner();
    assert_eq!(
        (second.assignee.as_str(), second.first_contact.as_str()),
        ("user:b", "user:a")
    );
    assert_eq!((load(&play, "a").await, load(&play, "b").await), (0, 1));
    let away = refused(
        boss.assign_work_order(to("agents/away")).await,
        Code::FailedPrecondition,
        "AGENT_UNAVAILABLE",
    );
    assert_eq!(metadata(&away, "agent"), format!("{PARENT}/agents/away"));
    refused(
        boss.assign_work_order(to("agents/nobody")).await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
    refused(
        boss.assign_work_order(to("teams/nothing")).await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
    let other = v1::AssignWorkOrderRequest {
        assignee: "tenants/other/agents/a".to_owned(),
        ..to("agents/a")
    };
    refused(
        boss.assign_work_order(other).await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
    let busy = refused(
        boss.delete_agent(v1::DeleteAgentRequest {
            name: format!("{PARENT}/agents/b"),
            ..Default::default()
        })
        .await,
        Code::FailedPrecondition,
        "AGENT_HAS_WORK",
    );
    assert_eq!(metadata(&busy, "open"), "1");

    boss.start_work_order(start).await.unwrap();
    boss.resolve_work_order(v1::ResolveWorkOrderRequest {
        name: order.name.clone(),
        resolution: solution(),
        ..Default::default()
    })
    .await
    .unwrap();
    assert_eq!(load(&play, "b").await, 0, "what is solved is nobody's load");
    boss.reopen_work_order(v1::ReopenWorkOrderRequest {
        name: order.name.clone(),
        reason: "未解决".to_owned(),
        ..Default::default()
    })
    .await
    .unwrap();
    assert_eq!(load(&play, "b").await, 1);
    let queued = boss.assign_work_order(to("teams/fallback")).await.unwrap().into_inner();
    assert_eq!((queued.assignee.as_str(), queued.team.as_str()), ("", "fallback"));
    assert_eq!(load(&play, "b").await, 0);
    assert_eq!(get(&mut boss, &order.name).await.assignment_count, 4);
}

/// Many at once: every work order has somebody, nobody is beyond their limit, and the loads add up.
#[tokio::test]
async fn many_at_once_do_not_all_count_on_the_same_free_hands() {
    let play = Play::begin().await;
    play.team("t").await;
    for id in ["a", "b", "c"] {
        play.agent(
            id,
            v1::Agent {
                open_limit: 10,
                ..agent(&format!("user:{id}"), "t", &[("software", 3)])
            },
        )
        .await;
    }
    for number in 0..36 {
        play.classify(&classified(&format!("m{number}")));
    }
    play.all_consumed().await;
    let loads = [load(&play, "a").await, load(&play, "b").await, load(&play, "c").await];
    assert_eq!(loads, [10, 10, 10]);
    let list = v1::ListWorkOrdersRequest {
        parent: PARENT.to_owned(),
        filter: "team = fallback".to_owned(),
        ..Default::default()
    };
    let queue = play
        .boss()
        .await
        .list_work_orders(list)
        .await
        .unwrap()
        .into_inner()
        .work_orders;
    assert_eq!(queue.len(), 6);
}
