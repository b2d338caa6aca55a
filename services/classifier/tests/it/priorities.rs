//! What people add to the priority of a case: scores, and the joint review (001-34, 001-37, 001-39).

use huiyin_proto::{
    classifier::v1,
    event::v1::{FeedbackClassified, PriorityReviewState},
};
use huiyin_testkit::eventually;
use jiff::SignedDuration;
use tonic::Code;
use uuid::Uuid;

use crate::play::{LIMIT, PARENT, Play, TENANT, correction, refused, violated};

fn scores(name: &str, scores: &[(&str, i32)]) -> v1::ScoreClassificationRequest {
    let given = |(dimension, score): &(&str, i32)| v1::DimensionScore {
        dimension: (*dimension).to_owned(),
        score: *score,
    };
    v1::ScoreClassificationRequest {
        name: name.to_owned(),
        scores: scores.iter().map(given).collect(),
        reason: "客户 13800138000 说很多人都这样".to_owned(),
        ..Default::default()
    }
}

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

/// The last that was told of a feedback, as soon as it has this revision.
async fn told(play: &Play, found: &v1::Classification) -> FeedbackClassified {
    let feedback = found.feedback.as_ref().unwrap().feedback.clone();
    let count = usize::try_from(found.revision).unwrap();
    play.told(&feedback, count).await.pop().unwrap().1
}

/// 001-34, 001-37: table 2 of 001: scores, composite, priority, basis, reviewer; and the next revision is told.
#[tokio::test]
async fn scores_by_hand_are_the_next_revision() {
    let play = Play::begin().await;
    let model = play.goes_by("strategy-text").await;
    let found = play.classified("APP闪退").await;
    assert_eq!(found.priority.clone().unwrap().key, "P1");
    let mut agent = play.priorities("user:li", TENANT, &["agent"]).await;
    let request = v1::ScoreClassificationRequest {
        etag: found.etag.clone(),
        request_id: "0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b".to_owned(),
        ..scores(&found.name, &[("scope", 2), ("urgency", 2), ("value", 2)])
    };
    let scored = agent.score_classification(request.clone()).await.unwrap().into_inner();
    assert_eq!(
        agent.score_classification(request).await.unwrap().into_inner(),
        scored,
        "AIP-155"
    );
    let decision = scored.decision.clone().unwrap();
    assert_eq!(
        (
            scored.revision,
            scored.priority.clone().unwrap().key.as_str(),
            decision.composite
        ),
        (2, "P2", Some(6.0))
    );
    assert_eq!(decision.model_version, model.version);
    assert_eq!(
        scored.basis,
        "function.crash by “闪退”; scope 2 (by user:li) + urgency 2 (by user:li) + value 2 (by user:li) = 6 gives P2"
    );
    let [scoring] = scored.scorings.as_slice() else {
        panic!("{:?}", scored.scorings)
    };
    assert_eq!(
        (scoring.author.as_str(), scoring.revision, scoring.scores.len()),
        ("user:li", 2, 3)
    );
    assert!(scoring.reason.contains("[手机号]"), "{}", scoring.reason);
    assert_eq!(scored.computed, found.computed, "what was said at first stays");
    let said = told(&play, &scored).await;
    assert_eq!(
        (said.revision, said.priority, said.priority_model_version),
        (2, scored.priority.clone(), 1)
    );

    let mut boss = play.boss().await;
    let read = boss
        .get_classification(v1::GetClassificationRequest {
            name: found.name.clone(),
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(read, scored);
    // A correction goes by the scores that were given.
    let correct = v1::CorrectClassificationRequest {
        category: "safety.fire".to_owned(),
        ..correction(&found.name)
    };
    let corrected = boss.correct_classification(correct).await.unwrap().into_inner();
    assert_eq!(corrected.priority.unwrap().key, "P2");
}

#[tokio::test]
async fn every_refusal_of_scores_says_why() {
    let play = Play::begin().await;
    play.goes_by("strategy-text").await;
    let found = play.classified("APP闪退").await;
    let mut agent = play.priorities("user:li", TENANT, &["agent"]).await;
    let base = || scores(&found.name, &[("scope", 9), ("cost", 1)]);
    let silent = v1::ScoreClassificationRequest {
        reason: String::new(),
        ..base()
    };
    assert_eq!(
        violated(agent.score_classification(silent).await),
        ["scores[0].score", "scores[1].dimension", "reason"]
    );
    let stale = v1::ScoreClassificationRequest {
        etag: "7".to_owned(),
        ..base()
    };
    assert_eq!(
        refused(agent.score_classification(stale).await),
        (Code::Aborted, "ETAG_MISMATCH".to_owned())
    );
    let missing = scores(&format!("{PARENT}/classifications/{}", Uuid::nil()), &[("scope", 1)]);
    assert_eq!(
        refused(agent.score_classification(missing).await),
        (Code::NotFound, "RESOURCE_NOT_FOUND".to_owned())
    );
    let one = || scores(&found.name, &[("scope", 1)]);
    agent.score_classification(one()).await.unwrap();
    assert_eq!(
        refused(agent.score_classification(one()).await),
        (Code::InvalidArgument, "NOTHING_CORRECTED".to_owned())
    );
    let mut analyst = play.priorities("user:an", TENANT, &["analyst"]).await;
    assert_eq!(
        refused(analyst.score_classification(one()).await).0,
        Code::PermissionDenied
    );
    let mut stranger = play.priorities("user:x", "globex", &["admin"]).await;
    assert_eq!(refused(stranger.score_classification(one()).await).0, Code::NotFound);
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

/// 002-21: many customers with the same problem within a week raise it, where the model asks for them.
#[tokio::test]
async fn customers_with_the_same_problem_are_counted() {
    let play = Play::begin().await;
    play.goes_by("ecommerce").await;
    let by = async |customer: u128, product: &str| {
        let mut submitted = play.submitted("快递太慢了，一直没到");
        let feedback = submitted.feedback.as_mut().unwrap();
        feedback.customer = format!("{PARENT}/customers/{}", Uuid::from_u128(customer));
        feedback.product_model = product.to_owned();
        play.classified_as(&submitted).await
    };
    for customer in 1..10 {
        let found = by(customer, "X1").await;
        assert_eq!(found.category, "logistics.delay");
        assert_ne!(found.priority.unwrap().key, "high", "{customer}");
    }
    assert_ne!(
        by(9, "X1").await.priority.unwrap().key,
        "high",
        "the same customer again"
    );
    assert_ne!(by(10, "X2").await.priority.unwrap().key, "high", "another product");
    let tenth = by(10, "X1").await;
    assert_eq!(tenth.priority.as_ref().unwrap().key, "high", "{}", tenth.basis);
    play.stage.clock.advance(SignedDuration::from_hours(24 * 8));
    assert_ne!(by(11, "X1").await.priority.unwrap().key, "high", "that was last week");
}

/// 002-21: who had the problem when a case came in is counted, whenever somebody corrects it.
#[tokio::test]
async fn a_correction_counts_customers_around_the_time_of_its_case() {
    let play = Play::begin().await;
    play.goes_by("ecommerce").await;
    let by = async |customer: u128, text: &str| {
        let mut submitted = play.submitted(text);
        submitted.feedback.as_mut().unwrap().customer = format!("{PARENT}/customers/{}", Uuid::from_u128(customer));
        play.classified_as(&submitted).await
    };
    for customer in 1..10 {
        by(customer, "快递太慢了，一直没到").await;
    }
    let tenth = by(10, "今天下雨").await;
    play.stage.clock.advance(SignedDuration::from_hours(24 * 8));
    let correct = v1::CorrectClassificationRequest {
        category: "logistics.delay".to_owned(),
        ..correction(&tenth.name)
    };
    let corrected = play
        .boss()
        .await
        .correct_classification(correct)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(corrected.priority.unwrap().key, "high", "{}", corrected.basis);
}

/// C-02, 003-21: a model says whether people may set a priority, and whether scores need a reason.
#[tokio::test]
async fn a_model_says_what_people_may_set_by_hand() {
    let play = Play::begin().await;
    let mut boss = play.priorities("user:boss", TENANT, &["supervisor"]).await;
    let presets = v1::ListPriorityPresetsRequest {
        parent: PARENT.to_owned(),
    };
    let presets = boss.list_priority_presets(presets).await.unwrap().into_inner().presets;
    let mut strict = presets
        .into_iter()
        .find(|preset| preset.preset == "strategy-table")
        .unwrap();
    strict.manual = Some(v1::ManualMode {
        allowed: false,
        reason_required: false,
    });
    let create = v1::CreatePriorityModelRequest {
        parent: PARENT.to_owned(),
        priority_model: Some(strict),
        ..Default::default()
    };
    let made = boss.create_priority_model(create).await.unwrap().into_inner();
    let activate = v1::ActivatePriorityModelRequest {
        name: made.name,
        ..Default::default()
    };
    boss.activate_priority_model(activate).await.unwrap();
    let found = play.classified("APP闪退").await;
    let set = v1::CorrectClassificationRequest {
        priority: "P3".to_owned(),
        ..correction(&found.name)
    };
    assert_eq!(
        refused(play.boss().await.correct_classification(set).await),
        (Code::FailedPrecondition, "PRIORITY_NOT_BY_HAND".to_owned())
    );
    let silent = v1::ScoreClassificationRequest {
        reason: String::new(),
        ..scores(&found.name, &[("scope", 5)])
    };
    let scored = boss.score_classification(silent).await.unwrap().into_inner();
    assert_eq!(scored.priority.unwrap().key, "P0", "5 + 3 + 3 = 11");
}
