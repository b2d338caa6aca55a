//! The joint review of a priority with a gate (001-39): approved, rejected, escalated.

use huiyin_proto::{classifier::v1, event::v1::PriorityReviewState};
use huiyin_testkit::eventually;
use jiff::SignedDuration;
use tonic::Code;

use crate::{
    play::{LIMIT, PARENT, Play, TENANT, refused},
    priorities::told,
};

fn approval(name: &str) -> v1::ApprovePriorityRequest {
    v1::ApprovePriorityRequest {
        name: name.to_owned(),
        ..Default::default()
    }
}

fn rejection(name: &str, priority: &str) -> v1::RejectPriorityRequest {
    v1::RejectPriorityRequest {
        name: name.to_owned(),
        priority: priority.to_owned(),
        reason: "只是一例".to_owned(),
        ..Default::default()
    }
}

/// 001-39, FEATURES 37: a P0 counts at once, waits for operations, product and technical lead, and says so until all three have approved.
#[tokio::test]
async fn a_top_priority_is_confirmed_by_all_three_leads() {
    let play = Play::begin().await;
    play.goes_by("strategy-text").await;
    let found = play.classified("面包发霉了").await;
    let review = found.review.clone().unwrap();
    assert_eq!(
        (
            found.priority.clone().unwrap().key.as_str(),
            review.state(),
            review.round
        ),
        ("P0", PriorityReviewState::Pending, 1)
    );
    assert_eq!(
        told(&play, &found).await.priority_review(),
        PriorityReviewState::Pending
    );
    let waiting = v1::ListClassificationsRequest {
        parent: PARENT.to_owned(),
        filter: "review.state = PENDING".to_owned(),
        ..Default::default()
    };
    let mut boss = play.boss().await;
    let listed = boss.list_classifications(waiting.clone()).await.unwrap().into_inner();
    assert_eq!(listed.classifications, std::slice::from_ref(&found));

    let mut supervisor = play.priorities("user:boss", TENANT, &["supervisor"]).await;
    assert_eq!(
        refused(supervisor.approve_priority(approval(&found.name)).await),
        (Code::PermissionDenied, "REVIEWER_ROLE_MISSING".to_owned())
    );
    let mut agent = play.priorities("user:li", TENANT, &["agent"]).await;
    assert_eq!(
        refused(agent.approve_priority(approval(&found.name)).await),
        (Code::PermissionDenied, "PERMISSION_MISSING".to_owned())
    );
    // Whoever may make keys could make three.
    let mut key = play.priorities("key:lead", TENANT, &["operations_lead"]).await;
    assert_eq!(
        refused(key.approve_priority(approval(&found.name)).await),
        (Code::PermissionDenied, "PERSON_REQUIRED".to_owned())
    );
    for (subject, role) in [("user:o", "operations_lead"), ("user:p", "product_lead")] {
        let mut lead = play.priorities(subject, TENANT, &[role]).await;
        let approved = lead.approve_priority(approval(&found.name)).await.unwrap().into_inner();
        assert_eq!(approved.review.unwrap().state(), PriorityReviewState::Pending);
        assert_eq!(approved.priority.unwrap().key, "P0", "it counts meanwhile");
        assert_eq!(
            refused(lead.approve_priority(approval(&found.name)).await),
            (Code::FailedPrecondition, "REVIEWED_ALREADY".to_owned())
        );
    }
    let mut technical = play.priorities("user:t", TENANT, &["technical_lead"]).await;
    let approved = technical
        .approve_priority(approval(&found.name))
        .await
        .unwrap()
        .into_inner();
    let review = approved.review.clone().unwrap();
    assert_eq!((approved.revision, review.state()), (4, PriorityReviewState::Approved));
    let roles: Vec<&str> = review.votes.iter().map(|vote| vote.role.as_str()).collect();
    assert_eq!(roles, ["operations_lead", "product_lead", "technical_lead"]);
    assert!(
        approved
            .basis
            .ends_with("confirmed by user:o (operations_lead), user:p (product_lead), user:t (technical_lead)"),
        "{}",
        approved.basis
    );
    let said = told(&play, &approved).await;
    assert_eq!(
        (said.revision, said.priority_review(), said.priority),
        (4, PriorityReviewState::Approved, approved.priority.clone())
    );
    assert_eq!(
        refused(technical.approve_priority(approval(&found.name)).await),
        (Code::FailedPrecondition, "REVIEW_NOT_PENDING".to_owned())
    );
    let listed = boss.list_classifications(waiting).await.unwrap().into_inner();
    assert!(listed.classifications.is_empty());
}

/// 001-39: a reviewer who does not agree sets the level that holds, with a reason.
#[tokio::test]
async fn a_rejection_sets_the_level_that_the_reviewer_gives() {
    let play = Play::begin().await;
    let quiet = play.classified("APP闪退").await;
    play.goes_by("strategy-text").await;
    let found = play.classified("面包发霉了").await;
    let mut product = play.priorities("user:p", TENANT, &["product_lead"]).await;
    assert_eq!(
        refused(product.reject_priority(rejection(&quiet.name, "P1")).await),
        (Code::FailedPrecondition, "REVIEW_NOT_PENDING".to_owned())
    );
    assert_eq!(
        refused(product.reject_priority(rejection(&found.name, "P9")).await),
        (Code::InvalidArgument, "PRIORITY_UNKNOWN".to_owned())
    );
    assert_eq!(
        refused(product.reject_priority(rejection(&found.name, "P0")).await),
        (Code::InvalidArgument, "NOTHING_CORRECTED".to_owned())
    );
    let rejected = product
        .reject_priority(rejection(&found.name, "P1"))
        .await
        .unwrap()
        .into_inner();
    let review = rejected.review.clone().unwrap();
    assert_eq!(
        (
            rejected.revision,
            rejected.priority.clone().unwrap().key.as_str(),
            review.state()
        ),
        (2, "P1", PriorityReviewState::Rejected)
    );
    assert_eq!(
        rejected.decision.clone().unwrap().priority.unwrap().key,
        "P0",
        "computed beside effective"
    );
    let [vote] = review.votes.as_slice() else {
        panic!("{review:?}")
    };
    assert_eq!((vote.approved, vote.reason.as_str()), (false, "只是一例"));
    let said = told(&play, &rejected).await;
    assert_eq!(
        (said.priority.clone(), said.priority_review()),
        (rejected.priority.clone(), PriorityReviewState::Rejected)
    );
    // Table 2 of 001, row 2: a 9 of the text that a reviewer made P1.
    assert!(
        rejected.basis.ends_with("priority P1 set by user:p: 只是一例"),
        "{}",
        rejected.basis
    );
}

/// FEATURES 37: a review that nobody ends is escalated when its time has passed: marked, and told; it stays open.
#[tokio::test]
async fn a_review_without_a_decision_is_escalated() {
    let play = Play::begin().await;
    play.goes_by("strategy-text").await;
    let found = play.classified("面包发霉了").await;
    let done = play.classified("充电的时候起火了").await;
    for (subject, role) in [
        ("user:o", "operations_lead"),
        ("user:p", "product_lead"),
        ("user:t", "technical_lead"),
    ] {
        let mut lead = play.priorities(subject, TENANT, &[role]).await;
        lead.approve_priority(approval(&done.name)).await.unwrap();
    }
    play.stage.clock.advance(SignedDuration::from_hours(24));
    let mut boss = play.boss().await;
    let get = |name: &str| v1::GetClassificationRequest { name: name.to_owned() };
    let escalated = eventually("it is escalated", LIMIT, async || {
        let found = boss.get_classification(get(&found.name)).await.unwrap().into_inner();
        found
            .review
            .as_ref()
            .is_some_and(|review| review.escalated)
            .then_some(found)
    })
    .await;
    assert_eq!(escalated.revision, 2);
    assert_eq!(escalated.review.as_ref().unwrap().state(), PriorityReviewState::Pending);
    let said = told(&play, &escalated).await;
    assert!(
        said.priority_review_escalated && said.priority == found.priority,
        "{said:?}"
    );
    let done = boss.get_classification(get(&done.name)).await.unwrap().into_inner();
    assert!(!done.review.unwrap().escalated, "it was over");
}
