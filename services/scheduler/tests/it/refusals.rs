//! What is refused, and how: states, etags, repeated requests, other tenants.

use huiyin_proto::{event::v1::StateCategory, scheduler::v1};
use jiff::SignedDuration;
use tonic::Code;

use crate::play::{PARENT, Play, agent, classified, get, id, metadata, refused, solution, violated};

/// C-11: what a state forbids is refused with the state and all that it allows.
#[tokio::test]
async fn what_a_state_forbids_is_refused_with_what_it_allows() {
    let play = Play::begin().await;
    let order = play.open(&classified("f1")).await;
    let mut boss = play.boss().await;
    let hold = v1::HoldWorkOrderRequest {
        name: order.name.clone(),
        reason: "等".to_owned(),
        ..Default::default()
    };
    let status = refused(
        boss.hold_work_order(hold).await,
        Code::FailedPrecondition,
        "STATE_FORBIDS",
    );
    assert_eq!(metadata(&status, "state"), "NEW");
    assert_eq!(
        metadata(&status, "allowed"),
        "AcknowledgeWorkOrder, AssignWorkOrder, StartWorkOrder, NoteProgress, RejectWorkOrder"
    );
    boss.reject_work_order(v1::RejectWorkOrderRequest {
        name: order.name.clone(),
        reason: "重复".to_owned(),
        ..Default::default()
    })
    .await
    .unwrap();
    let ack = boss
        .acknowledge_work_order(v1::AcknowledgeWorkOrderRequest {
            name: order.name.clone(),
            ..Default::default()
        })
        .await;
    assert_eq!(
        metadata(&refused(ack, Code::FailedPrecondition, "STATE_FORBIDS"), "allowed"),
        "ReopenWorkOrder"
    );
    assert_eq!(get(&mut boss, &order.name).await.state(), StateCategory::Rejected);
}

/// A reason is required where something goes back or stands still; a solution where something is solved.
#[tokio::test]
async fn what_is_required_is_named_when_it_is_missing() {
    let play = Play::begin().await;
    play.team("t").await;
    play.agent("a", agent("user:a", "t", &[("software", 1)])).await;
    let order = play.open(&classified("f1")).await;
    let mut boss = play.boss().await;
    let name = order.name.clone();
    boss.start_work_order(v1::StartWorkOrderRequest {
        name: name.clone(),
        ..Default::default()
    })
    .await
    .unwrap();
    let hold = boss
        .hold_work_order(v1::HoldWorkOrderRequest {
            name: name.clone(),
            ..Default::default()
        })
        .await
        .unwrap_err();
    assert_eq!(violated(&hold), ["reason"]);
    let resolve = boss
        .resolve_work_order(v1::ResolveWorkOrderRequest {
            name: name.clone(),
            ..Default::default()
        })
        .await
        .unwrap_err();
    assert_eq!(violated(&resolve), ["resolution"]);
    let note = boss
        .note_progress(v1::NoteProgressRequest {
            name: name.clone(),
            ..Default::default()
        })
        .await
        .unwrap_err();
    assert_eq!(violated(&note), ["stage", "note", "customer_text"]);
    boss.submit_for_verification(v1::SubmitForVerificationRequest {
        name: name.clone(),
        resolution: solution(),
        ..Default::default()
    })
    .await
    .unwrap();
    let resume = boss
        .resume_work_order(v1::ResumeWorkOrderRequest {
            name: name.clone(),
            ..Default::default()
        })
        .await
        .unwrap_err();
    assert_eq!(violated(&resume), ["reason"]);
}

/// The same request twice has one effect and one answer; the same id for something else is refused; an old etag too.
#[tokio::test]
async fn a_repeated_request_has_one_effect_and_an_old_etag_is_refused() {
    let play = Play::begin().await;
    let order = play.open(&classified("f1")).await;
    let mut boss = play.boss().await;
    let note = v1::NoteProgressRequest {
        name: order.name.clone(),
        note: "已电话联系".to_owned(),
        etag: order.etag.clone(),
        request_id: "0198b5a2-6a4e-4d6e-9c0e-2f6f3a1b7c55".to_owned(),
        ..Default::default()
    };
    let first = boss.note_progress(note.clone()).await.unwrap().into_inner();
    assert_eq!(boss.note_progress(note.clone()).await.unwrap().into_inner(), first);
    assert_eq!(get(&mut boss, &order.name).await.progress_count, 1);
    let other = v1::NoteProgressRequest {
        note: "别的".to_owned(),
        ..note.clone()
    };
    refused(
        boss.note_progress(other).await,
        Code::AlreadyExists,
        "REQUEST_ID_REUSED",
    );
    let stale = v1::NoteProgressRequest {
        request_id: String::new(),
        ..note
    };
    refused(boss.note_progress(stale).await, Code::Aborted, "ETAG_MISMATCH");
}

/// Another tenant's work order is not to be told from one that is not there, whichever method asks.
#[tokio::test]
async fn another_tenant_finds_nothing() {
    let play = Play::begin().await;
    let name = play.open(&classified("f1")).await.name;
    play.team("t").await;
    play.agent("a", agent("user:a", "t", &[])).await;
    let mut other = play.client("user:eve", "other", &["supervisor"]).await;
    let mut boss = play.boss().await;
    let unknown = format!("{PARENT}/workOrders/{}", id(&name).replace('0', "1"));
    let malformed = format!("{PARENT}/workOrders/nothing");
    macro_rules! not_found {
        ($($call:ident($request:expr)),* $(,)?) => {$(
            refused(other.$call($request).await, Code::NotFound, "RESOURCE_NOT_FOUND");
        )*};
    }
    let reason = || "x".to_owned();
    not_found!(
        get_work_order(v1::GetWorkOrderRequest { name: name.clone() }),
        list_work_orders(v1::ListWorkOrdersRequest {
            parent: PARENT.to_owned(),
            ..Default::default()
        }),
        watch_work_orders(v1::WatchWorkOrdersRequest {
            parent: PARENT.to_owned(),
            ..Default::default()
        }),
        acknowledge_work_order(v1::AcknowledgeWorkOrderRequest {
            name: name.clone(),
            ..Default::default()
        }),
        assign_work_order(v1::AssignWorkOrderRequest {
            name: name.clone(),
            assignee: "tenants/other/teams/fallback".to_owned(),
            ..Default::default()
        }),
        start_work_order(v1::StartWorkOrderRequest {
            name: name.clone(),
            ..Default::default()
        }),
        note_progress(v1::NoteProgressRequest {
            name: name.clone(),
            note: reason(),
            ..Default::default()
        }),
        hold_work_order(v1::HoldWorkOrderRequest {
            name: name.clone(),
            reason: reason(),
            ..Default::default()
        }),
        resume_work_order(v1::ResumeWorkOrderRequest {
            name: name.clone(),
            reason: reason(),
            ..Default::default()
        }),
        submit_for_verification(v1::SubmitForVerificationRequest {
            name: name.clone(),
            resolution: solution(),
            ..Default::default()
        }),
        resolve_work_order(v1::ResolveWorkOrderRequest {
            name: name.clone(),
            resolution: solution(),
            ..Default::default()
        }),
        reopen_work_order(v1::ReopenWorkOrderRequest {
            name: name.clone(),
            reason: reason(),
            ..Default::default()
        }),
        close_work_order(v1::CloseWorkOrderRequest {
            name: name.clone(),
            ..Default::default()
        }),
        reject_work_order(v1::RejectWorkOrderRequest {
            name: name.clone(),
            reason: reason(),
            ..Default::default()
        }),
        list_work_order_history(v1::ListWorkOrderHistoryRequest {
            parent: name.clone(),
            ..Default::default()
        }),
        explain_deadline(v1::ExplainDeadlineRequest {
            name: format!("{name}/slaClocks/resolve"),
            episode: 0
        }),
        get_agent(v1::GetAgentRequest {
            name: format!("{PARENT}/agents/a")
        }),
        list_agents(v1::ListAgentsRequest {
            parent: PARENT.to_owned(),
            ..Default::default()
        }),
        update_agent(v1::UpdateAgentRequest {
            agent: Some(v1::Agent {
                name: format!("{PARENT}/agents/a"),
                ..Default::default()
            }),
            ..Default::default()
        }),
        delete_agent(v1::DeleteAgentRequest {
            name: format!("{PARENT}/agents/a"),
            ..Default::default()
        }),
        get_team(v1::GetTeamRequest {
            name: format!("{PARENT}/teams/t")
        }),
        list_teams(v1::ListTeamsRequest {
            parent: PARENT.to_owned(),
            ..Default::default()
        }),
    );
    let own = |name: String| {
        let mut boss = boss.clone();
        async move { boss.get_work_order(v1::GetWorkOrderRequest { name }).await }
    };
    refused(own(unknown).await, Code::NotFound, "RESOURCE_NOT_FOUND");
    refused(own(malformed).await, Code::NotFound, "RESOURCE_NOT_FOUND");
    boss.get_work_order(v1::GetWorkOrderRequest { name }).await.unwrap();
}

/// 000-53: what is promised lies ahead. The same call again is answered as it was, however late it comes.
#[tokio::test]
async fn a_promise_lies_in_the_future_when_it_is_made() {
    let play = Play::begin().await;
    let order = play.open(&classified("f1")).await;
    let mut boss = play.boss().await;
    let mut request = v1::NoteProgressRequest {
        name: order.name.clone(),
        customer_text: "一分钟后给您答复".to_owned(),
        promise_time: Some(huiyin_chassis::sql::to_proto(play.stage.clock.now())),
        request_id: "019f0000-0000-7000-8000-000000000001".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        violated(&boss.note_progress(request.clone()).await.unwrap_err()),
        ["promise_time"]
    );
    request.promise_time = Some(huiyin_chassis::sql::to_proto(
        play.stage.clock.now() + SignedDuration::from_mins(1),
    ));
    let noted = boss.note_progress(request.clone()).await.unwrap().into_inner();
    play.advance(SignedDuration::from_mins(2));
    assert_eq!(boss.note_progress(request).await.unwrap().into_inner(), noted);
}
