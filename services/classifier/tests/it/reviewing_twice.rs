//! Texts that two people label, each by themselves (双人标注), and how well people agree (分类词典质量, 001-40).

use huiyin_proto::classifier::v1::{self, ReviewReason, ReviewStage, ReviewState};
use jiff::SignedDuration;
use tonic::Code;

use crate::{
    play::{Play, refused, violated},
    reviewing::{claim, next, of_dimension, resolve},
};

fn by_the_same() -> (Code, String) {
    (Code::FailedPrecondition, "REVIEWED_BY_THE_SAME".to_owned())
}

async fn with_double_coding(play: &Play) -> v1::Task {
    let task = v1::Task {
        review_share: 1.0,
        double_coding_share: 1.0,
        ..of_dimension("nature")
    };
    play.task("nature", task).await
}

async fn get(play: &Play, subject: &str, name: &str) -> v1::ReviewItem {
    let mut reader = play.reviewer(subject).await;
    let request = v1::GetReviewItemRequest { name: name.to_owned() };
    reader.get_review_item(request).await.unwrap().into_inner()
}

async fn says(play: &Play, subject: &str, name: &str, label: &str) {
    let mut reviewer = play.reviewer(subject).await;
    reviewer.resolve_review_item(resolve(name, label)).await.unwrap();
}

/// The second does not see what the first said, and is never the same; where they differ a third decides, and only then it has effect.
#[tokio::test]
async fn two_people_label_without_seeing_each_others_and_a_third_decides_between_them() {
    let play = Play::begin().await;
    let task = with_double_coding(&play).await;
    let found = play.classified("应用闪退").await;
    let queue = play.queue("double_coded = true").await;
    let [first, second] = queue.as_slice() else {
        panic!("{queue:?}")
    };
    let stages = [first.stage(), second.stage()];
    assert!(stages.contains(&ReviewStage::First) && stages.contains(&ReviewStage::Second));

    // One person has one of the two in work, and gets neither the other.
    let (mut li, mut wang) = (play.reviewer("user:li").await, play.reviewer("user:wang").await);
    li.claim_review_item(claim(&first.name)).await.unwrap();
    assert_eq!(refused(li.claim_review_item(claim(&second.name)).await), by_the_same());
    assert!(
        li.claim_next_review_item(next())
            .await
            .unwrap()
            .into_inner()
            .review_item
            .is_none()
    );
    let mine = li
        .resolve_review_item(resolve(&first.name, "function.login"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(mine.label, "function.login");
    assert_eq!(
        refused(li.resolve_review_item(resolve(&second.name, "function.login")).await),
        by_the_same()
    );

    // Nobody else sees it, in the item or in what it would change.
    let hidden = get(&play, "user:wang", &first.name).await;
    assert_eq!(
        (hidden.state(), hidden.label.as_str(), hidden.confirmed),
        (ReviewState::Resolved, "", false)
    );
    assert!(play.queue("").await.iter().all(|item| item.label.is_empty()));
    assert_eq!(play.read(&found.name).await, found);
    assert!(play.examples(&task, "").await.is_empty());
    assert_eq!(get(&play, "user:li", &first.name).await.label, "function.login");

    let taken = wang
        .claim_next_review_item(next())
        .await
        .unwrap()
        .into_inner()
        .review_item
        .unwrap();
    assert_eq!(taken.name, second.name);
    wang.resolve_review_item(resolve(&second.name, "")).await.unwrap();
    assert_eq!(get(&play, "user:wang", &first.name).await.label, "function.login");
    assert_eq!(play.read(&found.name).await, found, "they differ");
    let third = play.queue("stage = ADJUDICATION").await;
    assert_eq!(third.len(), 1);
    assert_eq!(third[0].candidates, ["function.crash", "function.login"]);
    for coder in [&mut li, &mut wang] {
        assert_eq!(
            refused(coder.claim_review_item(claim(&third[0].name)).await),
            by_the_same()
        );
    }
    says(&play, "user:zhao", &third[0].name, "function.login").await;
    let settled = play.read(&found.name).await;
    assert_eq!(
        (settled.category.as_str(), settled.corrections.len()),
        ("function.login", 1)
    );
    assert_eq!(play.examples(&task, "source = REVIEW").await[0].label, "function.login");
}

fn near(found: Option<f64>, wanted: f64) {
    let found = found.unwrap();
    assert!((found - wanted).abs() < 1e-9, "{found} is not {wanted}");
}

/// 001-40: per category and in all, how often two people agree beyond chance, and how often people leave what was said before.
#[tokio::test]
async fn agreement_is_counted_per_category_and_over_a_stretch_of_time() {
    let play = Play::begin().await;
    let task = with_double_coding(&play).await;
    let labels = [
        // What two people say of “应用闪退”, which is a crash by the words, and what a third one says where they differ.
        ("function.crash", "function.crash", ""),
        ("function.crash", "function.crash", ""),
        ("function.login", "function.login", ""),
        ("function.crash", "function.login", "function.crash"),
    ];
    for (one, other, third) in labels {
        let found = play.classified("应用闪退").await;
        let items: Vec<v1::ReviewItem> = play.queue("state = OPEN").await;
        let of = |stage: ReviewStage| {
            items
                .iter()
                .find(|item| item.stage() == stage && item.classification == found.name)
        };
        says(&play, "user:li", &of(ReviewStage::First).unwrap().name, one).await;
        says(&play, "user:wang", &of(ReviewStage::Second).unwrap().name, other).await;
        if !third.is_empty() {
            let adjudication = play.queue("stage = ADJUDICATION").await;
            says(&play, "user:zhao", &adjudication[0].name, third).await;
        }
        play.stage.clock.advance(SignedDuration::from_hours(1));
    }
    let mut analyst = play.reviewer("user:analyst").await;
    let ask = v1::GetAgreementRequest {
        name: task.name.clone(),
        ..Default::default()
    };
    let found = analyst.get_agreement(ask.clone()).await.unwrap().into_inner();
    assert!(found.definition.contains("Cohen"), "{}", found.definition);
    let (coders, machine) = (found.coders.unwrap(), found.machine.unwrap());
    assert_eq!((coders.pairs, coders.agreed), (4, 3));
    near(coders.agreement, 0.75);
    // Observed 0.75; expected ¾ · ½ + ¼ · ½ = 0.5.
    near(coders.kappa, 0.5);
    assert_eq!((machine.reviewed, machine.confirmed, machine.corrected), (4, 3, 1));
    let categories: Vec<&str> = found
        .categories
        .iter()
        .map(|category| category.category.as_str())
        .collect();
    assert_eq!(categories, ["function.crash", "function.login"]);
    let crash = found.categories[0].coders.as_ref().unwrap();
    assert_eq!((crash.pairs, crash.agreed), (3, 2));
    near(crash.agreement, 0.8);

    // The first hour alone; and nothing for another reason.
    let start = play
        .read(&play.queue("").await[0].classification)
        .await
        .create_time
        .unwrap();
    let first = v1::GetAgreementRequest {
        start_time: Some(start),
        end_time: Some(prost_types::Timestamp {
            seconds: start.seconds + 1800,
            nanos: 0,
        }),
        reason: ReviewReason::Sample.into(),
        ..ask.clone()
    };
    let found = analyst.get_agreement(first.clone()).await.unwrap().into_inner();
    let coders = found.coders.unwrap();
    assert_eq!((coders.pairs, coders.kappa), (1, None));
    let other = v1::GetAgreementRequest {
        reason: ReviewReason::NothingFound.into(),
        ..ask.clone()
    };
    assert_eq!(
        analyst
            .get_agreement(other)
            .await
            .unwrap()
            .into_inner()
            .coders
            .unwrap()
            .pairs,
        0
    );
    let turned = v1::GetAgreementRequest {
        start_time: first.end_time,
        end_time: first.start_time,
        ..ask
    };
    assert_eq!(violated(analyst.get_agreement(turned).await), ["end_time"]);
    let missing = v1::GetAgreementRequest {
        name: format!("{}x", task.name),
        ..Default::default()
    };
    assert_eq!(
        refused(analyst.get_agreement(missing).await),
        (Code::NotFound, "RESOURCE_NOT_FOUND".to_owned())
    );
}
