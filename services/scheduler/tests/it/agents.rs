//! Agents and teams.

use huiyin_proto::scheduler::v1;
use prost_types::FieldMask;
use tonic::Code;

use crate::play::{PARENT, Play, agent, metadata, refused, violated};

fn update(agent: v1::Agent, paths: &[&str]) -> v1::UpdateAgentRequest {
    let update_mask = (!paths.is_empty()).then(|| FieldMask {
        paths: paths.iter().map(|&path| path.to_owned()).collect(),
    });
    v1::UpdateAgentRequest {
        agent: Some(agent),
        update_mask,
        ..Default::default()
    }
}

#[tokio::test]
async fn an_agent_is_made_edited_listed_and_deleted() {
    let play = Play::begin().await;
    play.team("t").await;
    let mut boss = play.boss().await;
    let made = play.agent("a", agent("user:a", "t", &[("software", 2)])).await;
    assert_eq!(
        (made.name.as_str(), made.etag.as_str(), made.open_work_orders),
        ("tenants/acme/agents/a", "1", 0)
    );

    let edit = v1::Agent {
        name: made.name.clone(),
        available: false,
        display_name: "不变".to_owned(),
        ..Default::default()
    };
    let edited = boss
        .update_agent(update(edit, &["available"]))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (edited.available, edited.display_name.as_str(), edited.etag.as_str()),
        (false, "user:a", "2")
    );
    let stale = v1::Agent {
        name: made.name.clone(),
        etag: made.etag.clone(),
        supervisor: true,
        ..Default::default()
    };
    refused(
        boss.update_agent(update(stale, &["supervisor"])).await,
        Code::Aborted,
        "ETAG_MISMATCH",
    );
    let fixed = v1::Agent {
        name: made.name.clone(),
        subject: "user:x".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        violated(&boss.update_agent(update(fixed, &["subject"])).await.unwrap_err()),
        ["update_mask"]
    );
    let emptied = v1::Agent {
        name: made.name.clone(),
        ..Default::default()
    };
    assert_eq!(
        violated(&boss.update_agent(update(emptied, &["*"])).await.unwrap_err()),
        ["agent.display_name", "agent.team"]
    );
    let nowhere = v1::Agent {
        name: made.name.clone(),
        team: "nowhere".to_owned(),
        ..Default::default()
    };
    let unknown = refused(
        boss.update_agent(update(nowhere, &[])).await,
        Code::InvalidArgument,
        "TEAM_UNKNOWN",
    );
    assert_eq!(
        (violated(&unknown), metadata(&unknown, "team")),
        (vec!["agent.team".to_owned()], "nowhere".to_owned())
    );

    let deleted = boss
        .delete_agent(v1::DeleteAgentRequest {
            name: made.name.clone(),
            etag: edited.etag.clone(),
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(deleted, edited);
    refused(
        boss.get_agent(v1::GetAgentRequest { name: made.name }).await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
}

#[tokio::test]
async fn what_is_taken_or_missing_is_refused() {
    let play = Play::begin().await;
    play.team("t").await;
    play.agent("a", agent("user:a", "t", &[])).await;
    let mut boss = play.boss().await;
    let create = |id: &str, agent: v1::Agent| v1::CreateAgentRequest {
        parent: PARENT.to_owned(),
        agent_id: id.to_owned(),
        agent: Some(agent),
        ..Default::default()
    };
    refused(
        boss.create_agent(create("a", agent("user:b", "t", &[]))).await,
        Code::AlreadyExists,
        "RESOURCE_EXISTS",
    );
    let taken = refused(
        boss.create_agent(create("b", agent("user:a", "t", &[]))).await,
        Code::AlreadyExists,
        "SUBJECT_TAKEN",
    );
    assert_eq!(metadata(&taken, "agent"), format!("{PARENT}/agents/a"));
    refused(
        boss.create_agent(create("b", agent("user:b", "u", &[]))).await,
        Code::InvalidArgument,
        "TEAM_UNKNOWN",
    );
    let bare = boss.create_agent(create("b", v1::Agent::default())).await.unwrap_err();
    assert_eq!(violated(&bare), ["agent.subject", "agent.display_name", "agent.team"]);
    let twice = boss
        .create_agent(create("b", agent("user:b", "t", &[("s", 1), ("s", 2)])))
        .await
        .unwrap_err();
    assert_eq!(violated(&twice), ["agent.skills"]);

    let team = |id: &str, name: &str| v1::CreateTeamRequest {
        parent: PARENT.to_owned(),
        team_id: id.to_owned(),
        team: Some(v1::Team {
            display_name: name.to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    refused(
        boss.create_team(team("fallback", "x")).await,
        Code::AlreadyExists,
        "RESOURCE_EXISTS",
    );
    refused(
        boss.create_team(team("t", "x")).await,
        Code::AlreadyExists,
        "RESOURCE_EXISTS",
    );
    assert_eq!(
        violated(&boss.create_team(team("u", "")).await.unwrap_err()),
        ["team.display_name"]
    );
    // What no database can keep is the caller's mistake, not a fault of ours.
    assert_eq!(
        violated(&boss.create_team(team("u", "a\0b")).await.unwrap_err()),
        ["request"]
    );
    // Whoever belongs to nobody's team can wait for it in the fallback queue.
    boss.create_agent(create("c", agent("user:c", "fallback", &[])))
        .await
        .unwrap();
}

/// A repeated creation is one, with one answer.
#[tokio::test]
async fn a_repeated_creation_is_one() {
    let play = Play::begin().await;
    play.team("t").await;
    let mut boss = play.boss().await;
    let request = v1::CreateAgentRequest {
        parent: PARENT.to_owned(),
        agent_id: "a".to_owned(),
        agent: Some(agent("user:a", "t", &[])),
        request_id: "0198b5a2-6a4e-4d6e-9c0e-2f6f3a1b7c56".to_owned(),
    };
    let first = boss.create_agent(request.clone()).await.unwrap().into_inner();
    assert_eq!(boss.create_agent(request).await.unwrap().into_inner(), first);
}

/// Lists go by name, and their pages neither skip nor repeat; an id that looks like a UUID is a text all the same.
#[tokio::test]
async fn pages_of_agents_and_teams_neither_skip_nor_repeat() {
    let play = Play::begin().await;
    play.team("t").await;
    let ids = ["a", "b", "0198b5a26a4e4d6e9c0e2f6f3a1b7c55", "d", "e"];
    for id in ids {
        play.agent(id, agent(&format!("user:{id}"), "t", &[("software", 1)]))
            .await;
    }
    let mut boss = play.boss().await;
    for (order_by, first) in [
        ("", ids[2]),
        ("name desc", "e"),
        ("display_name", ids[2]),
        ("create_time desc", "e"),
    ] {
        let mut found = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = v1::ListAgentsRequest {
                parent: PARENT.to_owned(),
                page_size: 2,
                page_token,
                order_by: order_by.to_owned(),
                filter: "skills.key = software AND available = true".to_owned(),
            };
            let page = boss.list_agents(request).await.unwrap().into_inner();
            found.extend(page.agents.into_iter().map(|agent| agent.name));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(found[0], format!("{PARENT}/agents/{first}"), "{order_by}");
        found.sort();
        found.dedup();
        assert_eq!(found.len(), ids.len(), "{order_by}");
    }
    let teams = boss
        .list_teams(v1::ListTeamsRequest {
            parent: PARENT.to_owned(),
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner()
        .teams;
    assert_eq!(
        teams.iter().map(|team| team.name.as_str()).collect::<Vec<_>>(),
        ["tenants/acme/teams/fallback", "tenants/acme/teams/t"]
    );
    let edited = v1::UpdateTeamRequest {
        team: Some(v1::Team {
            name: teams[0].name.clone(),
            display_name: "主管队列".to_owned(),
            ..Default::default()
        }),
        etag: teams[0].etag.clone(),
        ..Default::default()
    };
    let edited = boss.update_team(edited).await.unwrap().into_inner();
    assert_eq!((edited.display_name.as_str(), edited.etag.as_str()), ("主管队列", "2"));
    let none = v1::ListTeamsRequest {
        parent: PARENT.to_owned(),
        filter: "open_work_orders > 0".to_owned(),
        ..Default::default()
    };
    assert!(boss.list_teams(none).await.unwrap().into_inner().teams.is_empty());
}
