//! Old feedback read anew by a later version (C-10).

use huiyin_proto::{
    classifier::v1,
    event::v1::PriorityReviewState,
    google::longrunning::{GetOperationRequest, Operation, operation, operations_client::OperationsClient},
    r#type::v1::Sentiment,
};
use huiyin_testkit::eventually;
use jiff::SignedDuration;
use prost::Message as _;
use sqlx::Connection as _;
use tonic::Code;
use tonic_types::RpcStatusExt as _;

use crate::{
    dictionary::{activate, builtin, category, create},
    play::{Client, LIMIT, PARENT, Play, TENANT, correction, refused, violated},
};

pub(crate) async fn read_anew(
    play: &Play,
    boss: &mut Client,
    request: v1::ReclassifyFeedbacksRequest,
) -> v1::ReclassifyFeedbacksResponse {
    let started = boss.reclassify_feedbacks(request).await.unwrap().into_inner();
    let token = play.stage.token("user:boss", TENANT, &["supervisor"]);
    let mut operations = OperationsClient::new(play.stage.connect(play.running.address, &token).await);
    let ended: Operation = eventually("the operation ends", LIMIT, async || {
        let request = GetOperationRequest {
            name: started.name.clone(),
        };
        let found = operations.get_operation(request).await.unwrap().into_inner();
        found.done.then_some(found)
    })
    .await;
    match ended.result {
        Some(operation::Result::Response(response)) => {
            v1::ReclassifyFeedbacksResponse::decode(response.value.as_slice()).unwrap()
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) fn all() -> v1::ReclassifyFeedbacksRequest {
    v1::ReclassifyFeedbacksRequest {
        parent: PARENT.to_owned(),
        ..Default::default()
    }
}

/// C-10, FEATURES 26: what nobody set is read by the version in effect, what people set stays, as the mapping has it; each that changes
/// is the next revision, and is told. A dry run changes nothing.
#[tokio::test]
async fn old_feedback_is_read_anew_and_what_people_set_stays() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    let drone = play.classified("无人机撞树上了").await;
    let refund = play.classified("退款超时").await;
    let set = play.classified("今天去了一趟").await;
    boss.correct_classification(v1::CorrectClassificationRequest {
        category: "function.login".to_owned(),
        sentiment: Sentiment::Negative.into(),
        ..correction(&set.name)
    })
    .await
    .unwrap();

    let mut taxonomy = builtin(&mut boss).await;
    taxonomy.categories.retain(|category| category.key != "function.login");
    for category in &mut taxonomy.categories {
        category.counter_examples.clear();
    }
    category(&mut taxonomy, "hardware.fault").keywords.push(v1::Keyword {
        term: "无人机".to_owned(),
        weight: 5.0,
    });
    boss.create_taxonomy(create(taxonomy)).await.unwrap();
    boss.map_taxonomy(v1::MapTaxonomyRequest {
        name: format!("{PARENT}/taxonomies/1"),
        mapping: Some(v1::TaxonomyMapping {
            categories: vec![v1::MappedCategory {
                from: "function.login".to_owned(),
                to: vec!["function.defect".to_owned()],
                reclassify: false,
            }],
            ..Default::default()
        }),
        ..Default::default()
    })
    .await
    .unwrap();
    boss.activate_taxonomy(activate(1)).await.unwrap();

    let dry = v1::ReclassifyFeedbacksRequest { dry_run: true, ..all() };
    let would = read_anew(&play, &mut boss, dry).await;
    assert_eq!(
        (
            would.taxonomy_version,
            would.dry_run,
            would.looked_at,
            would.changed,
            would.without_text
        ),
        (1, true, 3, 2, 0)
    );
    let get = |name: &str| v1::GetClassificationRequest { name: name.to_owned() };
    assert_eq!(
        boss.get_classification(get(&drone.name)).await.unwrap().into_inner(),
        drone
    );

    let narrow = v1::ReclassifyFeedbacksRequest {
        category: "payment".to_owned(),
        ..all()
    };
    assert_eq!(read_anew(&play, &mut boss, narrow).await.looked_at, 1);

    let did = read_anew(&play, &mut boss, all()).await;
    assert_eq!((did.dry_run, did.changed), (false, 2));
    let mut pairs: Vec<(&str, &str, i64)> = did
        .confusion
        .iter()
        .map(|pair| (pair.from.as_str(), pair.to.as_str(), pair.count))
        .collect();
    pairs.sort_unstable();
    assert_eq!(
        pairs,
        [
            ("function.login", "function.defect", 1),
            ("payment.refund", "payment.refund", 1),
            ("unclassified", "hardware.fault", 1)
        ]
    );
    let now = boss.get_classification(get(&drone.name)).await.unwrap().into_inner();
    assert_eq!(
        (now.category.as_str(), now.revision, now.taxonomy_version),
        ("hardware.fault", 2, 1)
    );
    assert_eq!(now.computed.as_ref().unwrap().category, "hardware.fault");
    let told = play.told(&drone.feedback.as_ref().unwrap().feedback, 2).await;
    assert_eq!(
        (told.len(), told[1].0.as_str(), told[1].1.category.as_str()),
        (2, "user:boss", "hardware.fault")
    );
    let kept = boss.get_classification(get(&set.name)).await.unwrap().into_inner();
    assert_eq!(
        (
            kept.category.as_str(),
            kept.sentiment(),
            kept.revision,
            kept.corrections.len()
        ),
        ("function.defect", Sentiment::Negative, 3, 1)
    );
    // It holds by the new version now, so that the mapping from there finds it; nothing else of it changed, and nothing is told.
    let same = v1::Classification {
        taxonomy_version: 1,
        ..refund
    };
    assert_eq!(
        boss.get_classification(get(&same.name)).await.unwrap().into_inner(),
        same
    );
    assert_eq!(play.told(&same.feedback.unwrap().feedback, 1).await.len(), 1);
    assert_eq!(read_anew(&play, &mut boss, all()).await.changed, 0, "once is enough");
}

/// 001-39, C-10: what a reading anew makes a top priority waits for its review like any other, and is escalated in time.
#[tokio::test]
async fn what_is_read_anew_goes_by_the_priority_model_and_waits_for_its_review() {
    let play = Play::begin().await;
    play.goes_by("strategy-text").await;
    let mut boss = play.boss().await;
    let drone = play.classified("无人机撞树上了").await;
    assert_eq!((drone.priority.unwrap().key.as_str(), drone.review), ("P2", None));
    let mut taxonomy = builtin(&mut boss).await;
    category(&mut taxonomy, "safety.injury").keywords.push(v1::Keyword {
        term: "无人机".to_owned(),
        weight: 5.0,
    });
    boss.create_taxonomy(create(taxonomy)).await.unwrap();
    boss.activate_taxonomy(activate(1)).await.unwrap();
    assert_eq!(read_anew(&play, &mut boss, all()).await.changed, 1);
    let get = || v1::GetClassificationRequest {
        name: drone.name.clone(),
    };
    let now = boss.get_classification(get()).await.unwrap().into_inner();
    let (priority, review) = (now.priority.clone().unwrap(), now.review.clone().unwrap());
    assert_eq!(
        (
            now.category.as_str(),
            priority.key.as_str(),
            review.state(),
            review.round
        ),
        ("safety.injury", "P0", PriorityReviewState::Pending, 1),
        "{}",
        now.basis
    );
    assert_eq!(now.decision.clone().unwrap().priority, now.priority);
    let told = play.told(&now.feedback.as_ref().unwrap().feedback, 2).await;
    assert_eq!(told[1].1.priority_review(), PriorityReviewState::Pending);
    play.stage.clock.advance(SignedDuration::from_hours(24));
    let escalated = eventually("it is escalated", LIMIT, async || {
        let found = boss.get_classification(get()).await.unwrap().into_inner();
        let escalated = found.review.as_ref().is_some_and(|review| review.escalated);
        escalated.then_some(found)
    })
    .await;
    assert_eq!((escalated.revision, escalated.priority), (3, now.priority));
}

/// More feedbacks than one transaction takes, of something that no category knows; and a taxonomy that does.
async fn many_drones() -> (Play, Client, v1::Taxonomy) {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    for _ in 0..230 {
        play.submit(TENANT, &play.submitted("无人机撞树上了"));
    }
    play.all_consumed().await;
    let mut taxonomy = builtin(&mut boss).await;
    category(&mut taxonomy, "hardware.fault").keywords.push(v1::Keyword {
        term: "无人机".to_owned(),
        weight: 5.0,
    });
    (play, boss, taxonomy)
}

/// More than one transaction takes: each of them goes on behind the one before, and nothing is looked at twice.
#[tokio::test]
async fn many_are_read_batch_by_batch() {
    let (play, mut boss, taxonomy) = many_drones().await;
    boss.create_taxonomy(create(taxonomy)).await.unwrap();
    boss.activate_taxonomy(activate(1)).await.unwrap();
    let did = read_anew(&play, &mut boss, all()).await;
    assert_eq!((did.looked_at, did.changed, did.without_text), (230, 230, 0));
    assert_eq!(did.confusion[0].count, 230);
}

/// C-10: a version that comes into effect meanwhile is not overwritten with the one before; what came in meanwhile is not looked at.
#[tokio::test]
async fn a_reading_anew_ends_where_another_version_comes_into_effect() {
    let (play, mut boss, taxonomy) = many_drones().await;
    boss.create_taxonomy(create(taxonomy.clone())).await.unwrap();
    boss.create_taxonomy(create(taxonomy)).await.unwrap();
    boss.activate_taxonomy(activate(1)).await.unwrap();

    // The last one is held, so that the second batch waits.
    let mut owner = sqlx::PgConnection::connect(&play.stage.database_url()).await.unwrap();
    let mut tx = owner.begin().await.unwrap();
    sqlx::query("SELECT FROM classification ORDER BY classification_id DESC LIMIT 1 FOR UPDATE")
        .execute(&mut *tx)
        .await
        .unwrap();
    let started = boss.reclassify_feedbacks(all()).await.unwrap().into_inner();
    let changed = async |boss: &mut Client| {
        let list = v1::ListClassificationsRequest {
            parent: PARENT.to_owned(),
            page_size: 1000,
            filter: "category = \"hardware.fault\"".to_owned(),
            ..Default::default()
        };
        let listed = boss.list_classifications(list).await.unwrap().into_inner();
        listed.classifications.len()
    };
    eventually("the first batch is done", LIMIT, async || {
        (changed(&mut boss.clone()).await == 200).then_some(())
    })
    .await;
    boss.activate_taxonomy(activate(2)).await.unwrap();
    tx.rollback().await.unwrap();
    let ended = play.ended(&started.name).await;
    let Some(operation::Result::Error(error)) = &ended.result else {
        panic!("{ended:?}")
    };
    let details = error.get_error_details();
    assert_eq!(details.error_info().unwrap().reason, "TAXONOMY_REPLACED");
    assert_eq!(changed(&mut boss).await, 200);
}

#[tokio::test]
async fn a_stretch_that_ends_before_it_begins_is_refused_at_once() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    let time = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let turned = v1::ReclassifyFeedbacksRequest {
        start_time: time(20),
        end_time: time(10),
        ..all()
    };
    assert_eq!(violated(boss.reclassify_feedbacks(turned).await), ["end_time"]);
    let nonsense = v1::ReclassifyFeedbacksRequest {
        start_time: time(i64::MAX),
        ..all()
    };
    assert_eq!(violated(boss.reclassify_feedbacks(nonsense).await), ["start_time"]);
    let request = v1::ReclassifyFeedbacksRequest {
        request_id: "0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b".to_owned(),
        ..all()
    };
    let first = boss.reclassify_feedbacks(request.clone()).await.unwrap().into_inner();
    let again = boss.reclassify_feedbacks(request).await.unwrap().into_inner();
    assert_eq!(again.name, first.name);
    let mut agent = play.client("user:agent", TENANT, &["agent"]).await;
    assert_eq!(
        refused(agent.reclassify_feedbacks(all()).await).0,
        Code::PermissionDenied
    );
}
