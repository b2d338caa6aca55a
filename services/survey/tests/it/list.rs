//! Lists: pages that neither skip nor repeat, filters, orders, and tokens that are bound to their query.

use std::collections::BTreeSet;

use huiyin_proto::survey::v1::*;
use jiff::SignedDuration;
use tonic::Code;

use crate::stand::{Stand, content, refused, scores, violated, work_order};

const ALL: &str = "tenants/acme/surveys/-";

/// `count` work orders, all invited; of every three some at the same moment.
async fn invited(stand: &Stand, count: u32) {
    for number in 1..=count {
        stand.resolved("acme", number, 1);
        if number % 3 == 0 {
            stand.invitation("acme", number, 1).await;
            stand.stage.clock.advance(SignedDuration::from_secs(1));
        }
    }
    for number in 1..=count {
        stand.invitation("acme", number, 1).await;
    }
}

#[tokio::test]
async fn pages_of_invitations_neither_skip_nor_repeat() {
    let stand = Stand::new().await;
    invited(&stand, 10).await;
    stand.resolved("globex", 1, 1);
    stand.invitation("globex", 1, 1).await;
    let mut admin = stand.admin().await;
    for order_by in ["", "create_time", "create_time desc"] {
        for parent in [ALL, "tenants/acme/surveys/resolution"] {
            let mut request = ListInvitationsRequest {
                parent: parent.into(),
                page_size: 3,
                order_by: order_by.into(),
                ..Default::default()
            };
            let mut seen = Vec::new();
            loop {
                let page = admin.list_invitations(request.clone()).await.unwrap().into_inner();
                assert!(page.invitations.len() <= 3 && !page.invitations.is_empty());
                seen.extend(page.invitations);
                if page.next_page_token.is_empty() {
                    break;
                }
                request.page_token = page.next_page_token;
            }
            let names: BTreeSet<&str> = seen.iter().map(|invitation| invitation.name.as_str()).collect();
            assert_eq!((seen.len(), names.len()), (10, 10), "{order_by} {parent}");
            let times: Vec<_> = seen
                .iter()
                .map(|invitation| invitation.create_time.unwrap().seconds)
                .collect();
            let in_order = if order_by == "create_time" {
                times.is_sorted()
            } else {
                times.iter().rev().is_sorted()
            };
            assert!(in_order, "{order_by}: {times:?}");
        }
    }
}

#[tokio::test]
async fn a_page_token_is_good_for_its_own_query_alone() {
    let stand = Stand::new().await;
    invited(&stand, 3).await;
    let mut admin = stand.admin().await;
    let request = ListInvitationsRequest {
        parent: ALL.into(),
        page_size: 1,
        ..Default::default()
    };
    let token = admin
        .list_invitations(request.clone())
        .await
        .unwrap()
        .into_inner()
        .next_page_token;
    let with = |change: &dyn Fn(&mut ListInvitationsRequest)| {
        let mut request = ListInvitationsRequest {
            page_token: token.clone(),
            ..request.clone()
        };
        change(&mut request);
        request
    };
    assert!(admin.list_invitations(with(&|_| {})).await.is_ok());
    let changes: [&dyn Fn(&mut ListInvitationsRequest); 4] = [
        &|request| request.filter = "episode = 1".into(),
        &|request| request.order_by = "create_time".into(),
        &|request| request.parent = "tenants/acme/surveys/resolution".into(),
        &|request| request.page_token.push('A'),
    ];
    for change in changes {
        let outcome = admin.list_invitations(with(change)).await;
        assert_eq!(refused(outcome), (Code::InvalidArgument, "PAGE_TOKEN_INVALID".into()));
    }
    let responses = ListResponsesRequest {
        parent: ALL.into(),
        page_size: 1,
        page_token: token,
        ..Default::default()
    };
    assert_eq!(refused(admin.list_responses(responses).await).1, "PAGE_TOKEN_INVALID");
}

#[tokio::test]
async fn invitations_are_found_by_each_of_their_fields() {
    let stand = Stand::new().await;
    let (first, token) = stand.invited(1).await;
    stand.customer().await.submit_response(content(&token)).await.unwrap();
    let (second, _) = stand.invited(2).await;
    let mut admin = stand.admin().await;
    let mut found = async |filter: &str| {
        let request = ListInvitationsRequest {
            parent: ALL.into(),
            filter: filter.into(),
            ..Default::default()
        };
        let invitations = admin.list_invitations(request).await.unwrap().into_inner().invitations;
        invitations
            .iter()
            .map(|invitation| if invitation.name == first.name { 1 } else { 2 })
            .collect::<BTreeSet<_>>()
    };
    for (filter, expected) in [
        (format!("work_order = \"{}\"", work_order("acme", 1)), vec![1]),
        (format!("feedback = \"{}\" AND episode = 1", second.feedback), vec![2]),
        (format!("customer = \"{}\"", first.customer), vec![1]),
        ("state = ANSWERED".into(), vec![1]),
        ("state = ISSUED OR state = EXPIRED".into(), vec![2]),
        ("NOT state = ANSWERED AND survey_version = 0".into(), vec![2]),
        (
            "create_time >= 2026-03-02T01:00:00Z AND expire_time < 2026-03-10T00:00:00Z".into(),
            vec![1, 2],
        ),
        ("answer_time > 2026-03-01T00:00:00Z".into(), vec![1]),
        ("episode > 1".into(), vec![]),
    ] {
        assert_eq!(found(&filter).await, expected.into_iter().collect(), "{filter}");
    }
}

#[tokio::test]
async fn answers_are_found_by_each_of_their_fields_and_page_by_page() {
    let stand = Stand::new().await;
    let mut customer = stand.customer().await;
    let mut answers = Vec::new();
    for number in 1..=5 {
        let (_, token) = stand.invited(number).await;
        let value = i32::try_from(number).unwrap();
        let answer = SubmitResponseRequest {
            scores: scores([value; 4]),
            solved: Some(number != 4),
            reason: "no".into(),
            ..content(&token)
        };
        answers.push(customer.submit_response(answer).await.unwrap().into_inner());
    }
    let mut admin = stand.admin().await;
    let mut found = async |filter: &str| {
        let mut request = ListResponsesRequest {
            parent: ALL.into(),
            filter: filter.into(),
            page_size: 2,
            ..Default::default()
        };
        let mut found = Vec::new();
        loop {
            let page = admin.list_responses(request.clone()).await.unwrap().into_inner();
            found.extend(page.responses);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break found
                    .iter()
                    .map(|response| answers.iter().position(|answer| answer == response).unwrap() + 1)
                    .collect::<Vec<_>>();
            }
        }
    };
    let mut newest_first = found("").await;
    assert_eq!(newest_first.len(), 5);
    newest_first.sort_unstable();
    assert_eq!(newest_first, [1, 2, 3, 4, 5]);
    for (filter, expected) in [
        ("satisfaction < 2.5".to_owned(), vec![1, 2]),
        ("solved = false".to_owned(), vec![4]),
        ("reopen = true".to_owned(), vec![1, 2, 4]),
        (format!("invitation = \"{}\"", answers[2].invitation), vec![3]),
        (format!("feedback = \"{}\"", answers[4].feedback), vec![5]),
        (
            format!(
                "work_order = \"{}\" AND episode = 1 AND survey_version = 0",
                answers[0].work_order
            ),
            vec![1],
        ),
        ("create_time > 2026-03-03T00:00:00Z".to_owned(), vec![]),
    ] {
        let mut ids = found(&filter).await;
        ids.sort_unstable();
        assert_eq!(ids, expected, "{filter}");
    }
}

#[tokio::test]
async fn what_a_list_does_not_understand_is_named() {
    let stand = Stand::new().await;
    let mut admin = stand.admin().await;
    let invitations = ListInvitationsRequest {
        parent: ALL.into(),
        ..Default::default()
    };
    for filter in [
        "token_hash = x",
        "state = GONE",
        "episode = one",
        "((",
        "feedback = \"\0\"",
    ] {
        assert_eq!(
            violated(
                admin
                    .list_invitations(ListInvitationsRequest {
                        filter: filter.into(),
                        ..invitations.clone()
                    })
                    .await
            ),
            ["filter"]
        );
    }
    assert_eq!(
        violated(
            admin
                .list_invitations(ListInvitationsRequest {
                    order_by: "state".into(),
                    ..invitations.clone()
                })
                .await
        ),
        ["order_by"]
    );
    assert_eq!(
        violated(
            admin
                .list_invitations(ListInvitationsRequest {
                    page_size: -1,
                    ..invitations
                })
                .await
        ),
        ["page_size"]
    );
    let unknown = ListInvitationsRequest {
        parent: "tenants/acme/surveys/other".into(),
        ..Default::default()
    };
    assert_eq!(
        refused(admin.list_invitations(unknown).await),
        (Code::NotFound, "RESOURCE_NOT_FOUND".into())
    );
    let unknown = ListResponsesRequest {
        parent: "tenants/acme/surveys/other".into(),
        ..Default::default()
    };
    assert_eq!(refused(admin.list_responses(unknown).await).0, Code::NotFound);
}

#[tokio::test]
async fn surveys_are_filtered_and_ordered_too() {
    let stand = Stand::new().await;
    let mut admin = stand.admin().await;
    let mut found = async |filter: &str, order_by: &str| {
        let request = ListSurveysRequest {
            parent: "tenants/acme".into(),
            filter: filter.into(),
            order_by: order_by.into(),
            ..Default::default()
        };
        admin.list_surveys(request).await.unwrap().into_inner().surveys.len()
    };
    assert_eq!(found("version = 0", "name").await, 1);
    assert_eq!(found("version > 0", "name desc").await, 0);
    assert_eq!(found("update_time > 2026-01-01T00:00:00Z", "").await, 0);
}
