//! What people add to the priority of a case: scores, corrections, and other customers (001-34, 001-37, 002-21).

use huiyin_proto::{classifier::v1, event::v1::FeedbackClassified};
use jiff::SignedDuration;
use tonic::Code;
use uuid::Uuid;

use crate::play::{PARENT, Play, TENANT, correction, refused, violated};

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

/// The last that was told of a feedback, as soon as it has this revision.
pub(crate) async fn told(play: &Play, found: &v1::Classification) -> FeedbackClassified {
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
