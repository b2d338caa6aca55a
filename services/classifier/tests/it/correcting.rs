//! What people correct (003-22, 001-37).

use huiyin_proto::{
    classifier::v1,
    r#type::v1::{Impact, Sentiment},
};
use jiff::SignedDuration;
use tonic::Code;
use uuid::Uuid;

use crate::play::{Play, TENANT, correction, refused, violated};

/// 003-22, §G: the next revision, told again, with what the taxonomy had said beside it.
#[tokio::test]
async fn a_correction_is_the_next_revision_and_is_told() {
    let play = Play::begin().await;
    let found = play.classified("今天去了店里").await;
    play.stage.clock.advance(SignedDuration::from_mins(3));
    let mut agent = play.client("user:li", TENANT, &["agent"]).await;
    let corrected = agent
        .correct_classification(v1::CorrectClassificationRequest {
            category: "service.attitude".to_owned(),
            sentiment: Sentiment::Negative.into(),
            impact: Impact::Fatal.into(),
            reason: "客户电话 13800138000 说的".to_owned(),
            etag: found.etag.clone(),
            ..correction(&found.name)
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (corrected.revision, corrected.etag.as_str(), corrected.category.as_str()),
        (2, "2", "service.attitude")
    );
    assert_eq!(
        (corrected.sentiment(), corrected.impact()),
        (Sentiment::Negative, Impact::Fatal)
    );
    assert_eq!(corrected.priority.as_ref().unwrap().key, "P1", "worked out again");
    assert_eq!(
        (corrected.skills.as_slice(), corrected.department.as_str()),
        (["service".to_owned()].as_slice(), "customer_service")
    );
    assert_eq!(
        (corrected.labels[0].category.as_str(), corrected.labels[0].confidence),
        ("service.attitude", 1.0)
    );
    assert_eq!(corrected.computed, found.computed);
    assert_eq!(
        (corrected.create_time, corrected.sentiment_score),
        (found.create_time, found.sentiment_score)
    );
    assert!(corrected.update_time.unwrap().seconds > found.update_time.unwrap().seconds);
    let [one] = corrected.corrections.as_slice() else {
        panic!("{:?}", corrected.corrections)
    };
    assert_eq!(
        (one.revision, one.author.as_str(), one.reason.as_str()),
        (2, "user:li", "客户电话 [手机号] 说的")
    );
    assert_eq!(
        (one.category.as_str(), one.priority.as_str(), one.impact()),
        ("service.attitude", "", Impact::Fatal)
    );

    let read = agent
        .get_classification(v1::GetClassificationRequest {
            name: found.name.clone(),
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(read, corrected);
    let told = play.told(&found.feedback.unwrap().feedback, 2).await;
    assert_eq!(told.len(), 2);
    let (actor, classified) = &told[1];
    assert_eq!(
        (actor.as_str(), classified.revision, classified.category.as_str()),
        ("user:li", 2, "service.attitude")
    );
    assert_eq!(
        (&classified.priority, &classified.labels),
        (&corrected.priority, &corrected.labels)
    );
}

/// 001-37: the priority that a reviewer set stays, and says who set it.
#[tokio::test]
async fn a_priority_set_by_hand_outlives_later_corrections() {
    let play = Play::begin().await;
    let found = play.classified("APP闪退").await;
    let mut boss = play.boss().await;
    let set = v1::CorrectClassificationRequest {
        priority: "P0".to_owned(),
        ..correction(&found.name)
    };
    let set = boss.correct_classification(set).await.unwrap().into_inner();
    assert_eq!(set.priority.unwrap().key, "P0");
    assert_eq!(set.computed.unwrap().priority.unwrap().key, "P2");
    let later = v1::CorrectClassificationRequest {
        category: "suggestion".to_owned(),
        ..correction(&found.name)
    };
    let later = boss.correct_classification(later).await.unwrap().into_inner();
    assert_eq!(
        (
            later.revision,
            later.priority.unwrap().key.as_str(),
            later.corrections.len()
        ),
        (3, "P0", 2)
    );
    assert!(
        later.basis.contains("priority P0 set by user:boss: 看过了"),
        "{}",
        later.basis
    );
}

#[tokio::test]
async fn every_refusal_of_a_correction_says_why() {
    let play = Play::begin().await;
    let found = play.classified("APP闪退").await;
    let mut boss = play.boss().await;
    let base = || correction(&found.name);
    let invalid = |reason: &str| (Code::InvalidArgument, reason.to_owned());

    assert_eq!(
        refused(boss.correct_classification(base()).await),
        invalid("NOTHING_CORRECTED")
    );
    let same = v1::CorrectClassificationRequest {
        category: found.category.clone(),
        ..base()
    };
    assert_eq!(
        refused(boss.correct_classification(same).await),
        invalid("NOTHING_CORRECTED")
    );
    for category in ["function.nonsense", "marketing"] {
        let unknown = v1::CorrectClassificationRequest {
            category: category.to_owned(),
            ..base()
        };
        assert_eq!(
            violated(boss.correct_classification(unknown.clone()).await),
            ["category"]
        );
        assert_eq!(
            refused(boss.correct_classification(unknown).await),
            invalid("CATEGORY_UNKNOWN")
        );
    }
    let unknown = v1::CorrectClassificationRequest {
        priority: "P9".to_owned(),
        ..base()
    };
    assert_eq!(
        refused(boss.correct_classification(unknown).await),
        invalid("PRIORITY_UNKNOWN")
    );
    let stale = v1::CorrectClassificationRequest {
        category: "function".to_owned(),
        etag: "7".to_owned(),
        ..base()
    };
    assert_eq!(
        refused(boss.correct_classification(stale).await),
        (Code::Aborted, "ETAG_MISMATCH".to_owned())
    );
    let missing = v1::CorrectClassificationRequest {
        category: "function".to_owned(),
        ..correction(&format!("tenants/acme/classifications/{}", Uuid::nil()))
    };
    assert_eq!(
        refused(boss.correct_classification(missing).await),
        (Code::NotFound, "RESOURCE_NOT_FOUND".to_owned())
    );
    let unchanged = boss
        .get_classification(v1::GetClassificationRequest {
            name: found.name.clone(),
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(unchanged, found);
}

/// AIP-155: the same request twice is one correction with one answer.
#[tokio::test]
async fn the_same_request_again_gives_the_same_answer() {
    let play = Play::begin().await;
    let found = play.classified("APP闪退").await;
    let mut boss = play.boss().await;
    let request = v1::CorrectClassificationRequest {
        category: "function.defect".to_owned(),
        etag: found.etag.clone(),
        request_id: "0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b".to_owned(),
        ..correction(&found.name)
    };
    let first = boss.correct_classification(request.clone()).await.unwrap().into_inner();
    assert_eq!(
        boss.correct_classification(request.clone()).await.unwrap().into_inner(),
        first
    );
    let other = v1::CorrectClassificationRequest {
        category: "function".to_owned(),
        ..request
    };
    assert_eq!(
        refused(boss.correct_classification(other).await),
        (Code::AlreadyExists, "REQUEST_ID_REUSED".to_owned())
    );
    assert_eq!(play.told(&found.feedback.unwrap().feedback, 2).await.len(), 2);
}

/// 001-31: labels of any dimension are corrected by hand, learnt from, and taken away.
#[tokio::test]
async fn labels_of_any_dimension_are_corrected_by_hand() {
    let play = Play::begin().await;
    let task = v1::Task {
        target: v1::TaskTarget::Dimension.into(),
        dimension: "module".to_owned(),
        ..Default::default()
    };
    let task = play.task("module", task).await;
    let found = play.classified("APP闪退").await;
    let mut boss = play.boss().await;
    let label = |dimension: &str, category: &str| v1::DimensionLabel {
        dimension: dimension.to_owned(),
        category: category.to_owned(),
    };
    let with = |labels: Vec<v1::DimensionLabel>| v1::CorrectClassificationRequest {
        labels,
        ..correction(&found.name)
    };
    let wrong = with(vec![
        label("no_such", "x"),
        label("nature", "function"),
        label("module", "module"),
        label("module", "module"),
    ]);
    assert_eq!(
        violated(boss.correct_classification(wrong).await),
        ["labels[0].dimension", "labels[1].dimension", "labels[3].dimension"]
    );
    let unknown = with(vec![label("module", "function.crash")]);
    assert_eq!(
        violated(boss.correct_classification(unknown.clone()).await),
        ["labels[0].category"]
    );
    assert_eq!(
        refused(boss.correct_classification(unknown).await),
        (Code::InvalidArgument, "CATEGORY_UNKNOWN".to_owned())
    );
    let name = "tenants/acme/taxonomies/0".to_owned();
    let taxonomy = boss
        .get_taxonomy(v1::GetTaxonomyRequest { name })
        .await
        .unwrap()
        .into_inner();
    let is_set = |key: &str| found.labels.iter().any(|label| label.category == key);
    let modules = taxonomy
        .categories
        .iter()
        .filter(|category| category.dimension == "module");
    let module = modules
        .map(|category| category.key.as_str())
        .find(|key| !is_set(key))
        .unwrap();

    let set = boss.correct_classification(with(vec![label("module", module)]));
    let set = set.await.unwrap().into_inner();
    let of_module: Vec<&str> = set
        .labels
        .iter()
        .filter(|label| label.dimension == "module")
        .map(|label| label.category.as_str())
        .collect();
    assert_eq!(
        (set.category.as_str(), of_module.as_slice()),
        (found.category.as_str(), [module].as_slice())
    );
    assert_eq!(set.corrections[0].labels, [label("module", module)]);
    let told = play.told(&found.feedback.clone().unwrap().feedback, 2).await;
    assert_eq!(told[1].1.labels, set.labels);
    assert_eq!(play.examples(&task, "source = CORRECTION").await[0].label, module);

    let none = boss.correct_classification(with(vec![label("module", "unclassified")]));
    let none = none.await.unwrap().into_inner();
    assert!(none.labels.iter().all(|label| label.dimension != "module"));
    assert!(
        play.examples(&task, "").await.is_empty(),
        "what was said before is wrong"
    );
}
