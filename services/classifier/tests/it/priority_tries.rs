//! Priority models that are asked and store nothing: scores of a moment, and the past (001-34 … 001-37, FEATURES 35).

use huiyin_proto::{
    classifier::v1,
    event::v1::FeedbackSubmitted,
    r#type::v1::{CustomerTier, Impact},
};
use jiff::SignedDuration;
use tonic::Code;
use uuid::Uuid;

use crate::play::{PARENT, Play, TENANT, refused, violated};

fn score(preset: &str, scores: &[(&str, i32)]) -> v1::ScorePriorityRequest {
    let given = |(dimension, score): &(&str, i32)| v1::DimensionScore {
        dimension: (*dimension).to_owned(),
        score: *score,
    };
    v1::ScorePriorityRequest {
        parent: PARENT.to_owned(),
        preset: preset.to_owned(),
        scores: scores.iter().map(given).collect(),
        ..Default::default()
    }
}

/// 001-34 … 001-37, 004-21, C-03: scores in, composite, level and steps out, for improvements too; nothing is stored.
#[tokio::test]
async fn scores_give_a_composite_a_level_and_the_steps() {
    let play = Play::begin().await;
    let mut agent = play.priorities("user:li", TENANT, &["agent"]).await;
    let table = [("scope", 5), ("urgency", 4), ("value", 5)];
    let said = agent
        .score_priority(score("strategy-text", &table))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (said.composite, said.priority.unwrap().key.as_str(), said.steps.as_str()),
        (Some(14.0), "P0", "scope 5 + urgency 4 + value 5 = 14 gives P0")
    );
    assert_eq!(said.review_roles.len(), 3);
    let row = [("scope", 3), ("urgency", 2), ("value", 4)];
    for (preset, level) in [
        ("strategy-text", "P0"),
        ("strategy-table", "P1"),
        ("strategy-product", "P0"),
    ] {
        let said = agent.score_priority(score(preset, &row)).await.unwrap().into_inner();
        assert_eq!(said.priority.unwrap().key, level, "{preset}");
    }
    let improvement = v1::ScorePriorityRequest {
        priority_model: format!("{PARENT}/priorityModels/improvement-active"),
        ..score("", &[("scope", 5), ("urgency", 5), ("cost", 1)])
    };
    let said = agent.score_priority(improvement).await.unwrap().into_inner();
    assert_eq!(
        (said.composite, said.priority.unwrap().key.as_str()),
        (Some(5.0), "now")
    );
    let facts = v1::ScorePriorityRequest {
        facts: Some(v1::PriorityFacts {
            impact: Impact::Serious.into(),
            tier: CustomerTier::Vip.into(),
            categories: vec!["safety.food".to_owned()],
            ..Default::default()
        }),
        ..score("after-sales", &[])
    };
    let said = agent.score_priority(facts).await.unwrap().into_inner();
    assert_eq!(
        (said.banded.unwrap().key.as_str(), said.priority.unwrap().key.as_str()),
        ("P1", "P0")
    );
    assert_eq!(
        (said.overrides[0].key.as_str(), said.overrides[0].decided),
        ("safety-first", true)
    );

    let wrong = score("strategy-text", &[("scope", 9), ("cost", 1)]);
    assert_eq!(
        violated(agent.score_priority(wrong).await),
        ["scores[0].score", "scores[1].dimension"]
    );
    let elsewhere = v1::ScorePriorityRequest {
        priority_model: "tenants/globex/priorityModels/case-0".to_owned(),
        ..score("", &[])
    };
    assert_eq!(refused(agent.score_priority(elsewhere).await).0, Code::NotFound);
}

/// 002-21, FEATURES 35: a model that asks for customers with the same problem finds them in a past whose model did not.
#[tokio::test]
async fn a_model_that_asks_for_customers_finds_those_of_the_past() {
    let play = Play::begin().await;
    for customer in 1..=10 {
        let mut submitted = play.submitted("快递太慢了，一直没到");
        submitted.feedback.as_mut().unwrap().customer = format!("{PARENT}/customers/{}", Uuid::from_u128(customer));
        play.classified_as(&submitted).await;
        play.stage.clock.advance(SignedDuration::from_mins(1));
    }
    let mut analyst = play.priorities("user:an", TENANT, &["analyst"]).await;
    let simulate = v1::SimulatePriorityModelRequest {
        parent: PARENT.to_owned(),
        preset: "ecommerce".to_owned(),
        ..Default::default()
    };
    let said = analyst.simulate_priority_model(simulate).await.unwrap().into_inner();
    let high: Vec<i64> = said
        .levels
        .iter()
        .filter(|level| level.priority.as_ref().is_some_and(|priority| priority.key == "high"))
        .map(|level| level.after)
        .collect();
    assert_eq!(high, [1], "the tenth: {:?}", said.levels);
}

/// Every field that breaks a rule of the proto is named, beside the rule that one of three is given.
#[tokio::test]
async fn a_malformed_request_names_every_field() {
    let play = Play::begin().await;
    let mut boss = play.priorities("user:boss", TENANT, &["supervisor"]).await;
    let request = v1::SimulatePriorityModelRequest {
        parent: "acme".to_owned(),
        preset: "?".to_owned(),
        priority_model: "?".to_owned(),
        limit: -1,
        ..Default::default()
    };
    let fields = violated(boss.simulate_priority_model(request).await);
    for field in ["parent", "preset", "priority_model", "limit"] {
        assert!(fields.iter().any(|named| named == field), "{field}: {fields:?}");
    }
    let none = v1::ScorePriorityRequest {
        parent: PARENT.to_owned(),
        ..Default::default()
    };
    assert_eq!(refused(boss.score_priority(none).await).0, Code::InvalidArgument);
}

/// FEATURES 35: what a model would have made of the past: distribution, who changes, the load of each level; nothing is stored.
#[tokio::test]
async fn a_model_is_tried_on_the_past_before_it_is_activated() {
    let play = Play::begin().await;
    let mut analyst = play.priorities("user:an", TENANT, &["analyst"]).await;
    let simulate = |preset: &str| v1::SimulatePriorityModelRequest {
        parent: PARENT.to_owned(),
        preset: preset.to_owned(),
        ..Default::default()
    };
    let nothing = analyst
        .simulate_priority_model(simulate("tech-support"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (nothing.considered, nothing.truncated, nothing.levels.len()),
        (0, false, 3)
    );

    play.classified("面包发霉了").await; // P0: safety
    let crash = play.classified("APP闪退").await; // P2
    let urgent = FeedbackSubmitted {
        stated_urgency: 2,
        ..play.submitted("今天下雨")
    };
    let urgent = play.classified_as(&urgent).await; // P1
    let by_hand = play.classified("今天下雨").await; // P3, set to P1
    let set = v1::CorrectClassificationRequest {
        priority: "P1".to_owned(),
        ..crate::play::correction(&by_hand.name)
    };
    play.boss().await.correct_classification(set).await.unwrap();

    let same = analyst
        .simulate_priority_model(simulate("after-sales"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (same.considered, same.raised, same.lowered, same.set_by_hand),
        (4, 0, 0, 1)
    );
    assert!(same.changes.is_empty());

    let text = analyst
        .simulate_priority_model(simulate("strategy-text"))
        .await
        .unwrap()
        .into_inner();
    // The bread: 1 + 5 + 3 = 9, P0. The crash: 1 + 3 + 3 = 7, P1. The urgent rain: 1 + 4 + 3 = 8, P1.
    let load: Vec<(String, i64, i64)> = text
        .levels
        .iter()
        .map(|level| (level.priority.clone().unwrap().key, level.before, level.after))
        .collect();
    assert_eq!(
        load,
        [
            ("P0".to_owned(), 1, 1),
            ("P1".to_owned(), 2, 3),
            ("P2".to_owned(), 1, 0),
            ("P3".to_owned(), 0, 0)
        ]
    );
    assert_eq!((text.raised, text.lowered, text.reviews, text.unscored), (1, 0, 1, 0));
    assert_eq!(text.levels[1].share_after, 0.75);
    let [change] = text.changes.as_slice() else {
        panic!("{:?}", text.changes)
    };
    assert_eq!(
        (
            change.classification.as_str(),
            change.before.clone().unwrap().key.as_str()
        ),
        (crash.name.as_str(), "P2")
    );
    assert!(change.steps.ends_with("= 7 gives P1"), "{}", change.steps);

    let newest = v1::SimulatePriorityModelRequest {
        limit: 2,
        ..simulate("tech-support")
    };
    let newest = analyst.simulate_priority_model(newest).await.unwrap().into_inner();
    assert_eq!((newest.considered, newest.truncated), (2, true));
    assert_eq!(newest.levels.iter().map(|level| level.after).sum::<i64>(), 2);
    let later = v1::SimulatePriorityModelRequest {
        start_time: Some(prost_types::Timestamp {
            seconds: urgent.create_time.unwrap().seconds + 3600,
            nanos: 0,
        }),
        ..simulate("tech-support")
    };
    assert_eq!(
        analyst
            .simulate_priority_model(later)
            .await
            .unwrap()
            .into_inner()
            .considered,
        0
    );

    let builtin = v1::GetPriorityModelRequest {
        name: format!("{PARENT}/priorityModels/case-0"),
    };
    let mut draft = analyst.get_priority_model(builtin).await.unwrap().into_inner();
    draft.bands.pop();
    let broken = v1::SimulatePriorityModelRequest {
        preset: String::new(),
        draft: Some(draft.clone()),
        ..simulate("")
    };
    assert_eq!(violated(analyst.simulate_priority_model(broken).await), ["draft.bands"]);
    let unchanged = play
        .boss()
        .await
        .get_classification(v1::GetClassificationRequest {
            name: crash.name.clone(),
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(unchanged, crash, "nothing is stored");
    let mut stranger = play.priorities("user:x", "globex", &["analyst"]).await;
    let theirs = v1::SimulatePriorityModelRequest {
        parent: "tenants/globex".to_owned(),
        ..simulate("tech-support")
    };
    assert_eq!(
        stranger
            .simulate_priority_model(theirs)
            .await
            .unwrap()
            .into_inner()
            .considered,
        0
    );
}
