//! Versions of the priority model: made, activated, rolled back, tried on the past (§G, FEATURES 34, 35).

use huiyin_proto::{
    classifier::v1::{self, PriorityUse},
    event::v1::FeedbackSubmitted,
    r#type::v1::{CustomerTier, Impact},
};
use tonic::Code;

use crate::play::{PARENT, Play, Priorities, TENANT, refused, violated};

async fn get(client: &mut Priorities, id: &str) -> v1::PriorityModel {
    let name = format!("{PARENT}/priorityModels/{id}");
    client
        .get_priority_model(v1::GetPriorityModelRequest { name })
        .await
        .unwrap()
        .into_inner()
}

fn of_preset(preset: &str) -> v1::CreatePriorityModelRequest {
    v1::CreatePriorityModelRequest {
        parent: PARENT.to_owned(),
        preset: preset.to_owned(),
        ..Default::default()
    }
}

fn whole(model: v1::PriorityModel) -> v1::CreatePriorityModelRequest {
    v1::CreatePriorityModelRequest {
        parent: PARENT.to_owned(),
        priority_model: Some(model),
        ..Default::default()
    }
}

fn activate(id: &str) -> v1::ActivatePriorityModelRequest {
    v1::ActivatePriorityModelRequest {
        name: format!("{PARENT}/priorityModels/{id}"),
        ..Default::default()
    }
}

fn rollback(used: &str) -> v1::RollbackPriorityModelRequest {
    v1::RollbackPriorityModelRequest {
        name: format!("{PARENT}/priorityModels/{used}-active"),
        ..Default::default()
    }
}

/// C-01 … C-03: two uses, each with a built-in version, and a preset for each reading of the sources.
#[tokio::test]
async fn a_tenant_begins_with_a_built_in_model_for_each_use() {
    let play = Play::begin().await;
    let mut boss = play.priorities("user:boss", TENANT, &["supervisor"]).await;
    let case = get(&mut boss, "case-active").await;
    assert_eq!(case, get(&mut boss, "case-0").await);
    assert_eq!(
        (case.preset.as_str(), case.version, case.active, case.author.as_str()),
        ("after-sales", 0, true, "system")
    );
    assert_eq!(case.levels.len(), 4);
    assert_eq!(case.cells.len(), 9);
    let improvement = get(&mut boss, "improvement-active").await;
    assert_eq!(
        (improvement.preset.as_str(), improvement.r#use()),
        ("product-optimization", PriorityUse::Improvement)
    );
    let parent = PARENT.to_owned();
    let presets = boss
        .list_priority_presets(v1::ListPriorityPresetsRequest { parent })
        .await
        .unwrap()
        .into_inner()
        .presets;
    let keys: Vec<&str> = presets.iter().map(|preset| preset.preset.as_str()).collect();
    assert_eq!(
        keys,
        [
            "after-sales",
            "strategy-text",
            "strategy-table",
            "strategy-product",
            "ecommerce",
            "tech-support",
            "product-optimization"
        ]
    );
    let missing = v1::GetPriorityModelRequest {
        name: format!("{PARENT}/priorityModels/case-1"),
    };
    assert_eq!(
        refused(boss.get_priority_model(missing).await),
        (Code::NotFound, "RESOURCE_NOT_FOUND".to_owned())
    );
    assert_eq!(
        refused(boss.rollback_priority_model(rollback("case")).await),
        (Code::FailedPrecondition, "NOTHING_TO_ROLL_BACK".to_owned())
    );
}

/// C-02: a version has effect from its activation on, each use has its own, and a rollback takes activations back one by one.
#[tokio::test]
async fn a_version_is_activated_and_rolled_back() {
    let play = Play::begin().await;
    let mut boss = play.priorities("user:boss", TENANT, &["supervisor"]).await;
    let before = play.classified("APP闪退").await;
    assert_eq!(before.priority.unwrap().key, "P2");

    let mut edited = get(&mut boss, "case-0").await;
    edited.cells[4].composite = 3.0; // serious × existing
    edited.cells[5].composite = 4.0;
    edited.cells[7].composite = 4.0;
    edited.change_reason = "严重的更急".to_owned();
    let checked = v1::CreatePriorityModelRequest {
        validate_only: true,
        ..whole(edited.clone())
    };
    assert_eq!(
        boss.create_priority_model(checked).await.unwrap().into_inner().version,
        1
    );
    let request = v1::CreatePriorityModelRequest {
        request_id: "0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b".to_owned(),
        ..whole(edited)
    };
    let made = boss.create_priority_model(request.clone()).await.unwrap().into_inner();
    assert_eq!(
        boss.create_priority_model(request).await.unwrap().into_inner(),
        made,
        "AIP-155"
    );
    assert_eq!(
        (made.name.as_str(), made.version, made.active, made.author.as_str()),
        ("tenants/acme/priorityModels/case-1", 1, false, "user:boss")
    );
    let second = boss
        .create_priority_model(of_preset("strategy-table"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((second.version, second.preset.as_str()), (2, "strategy-table"));

    let stale = v1::ActivatePriorityModelRequest {
        etag: "99".to_owned(),
        ..activate("case-1")
    };
    assert_eq!(
        refused(boss.activate_priority_model(stale).await),
        (Code::Aborted, "ETAG_MISMATCH".to_owned())
    );
    let active = boss
        .activate_priority_model(activate("case-1"))
        .await
        .unwrap()
        .into_inner();
    assert!(active.active && active.etag != made.etag && active.activate_time.is_some());
    let again = boss
        .activate_priority_model(activate("case-1"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(again, active, "activating the active one changes nothing");
    let after = play.classified("APP闪退").await;
    let decision = after.decision.unwrap();
    assert_eq!(
        (
            after.priority.unwrap().key.as_str(),
            decision.model_version,
            decision.composite
        ),
        ("P1", 1, Some(3.0))
    );
    boss.activate_priority_model(activate("case-2")).await.unwrap();
    assert_eq!(
        get(&mut boss, "improvement-active").await.version,
        0,
        "the other use stays"
    );

    let first = boss
        .rollback_priority_model(rollback("case"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((first.version, first.active), (1, true));
    let zero = boss
        .rollback_priority_model(rollback("case"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((zero.version, zero.active), (0, true));
    assert_eq!(
        refused(boss.rollback_priority_model(rollback("case")).await),
        (Code::FailedPrecondition, "NOTHING_TO_ROLL_BACK".to_owned())
    );
    assert_eq!(play.classified("APP闪退").await.priority.unwrap().key, "P2");

    let list = v1::ListPriorityModelsRequest {
        parent: PARENT.to_owned(),
        page_size: 2,
        filter: "use = CASE".to_owned(),
        ..Default::default()
    };
    let page = boss.list_priority_models(list.clone()).await.unwrap().into_inner();
    let rest = v1::ListPriorityModelsRequest {
        page_token: page.next_page_token.clone(),
        ..list
    };
    let rest = boss.list_priority_models(rest).await.unwrap().into_inner();
    let versions: Vec<(i32, bool)> = page
        .priority_models
        .iter()
        .chain(&rest.priority_models)
        .map(|model| (model.version, model.active))
        .collect();
    assert_eq!(versions, [(2, false), (1, false), (0, true)]);
    let all = v1::ListPriorityModelsRequest {
        parent: PARENT.to_owned(),
        ..Default::default()
    };
    assert_eq!(
        boss.list_priority_models(all)
            .await
            .unwrap()
            .into_inner()
            .priority_models
            .len(),
        4
    );
}

/// Everything that does not fit is named at once, and nothing is made; another tenant finds nothing.
#[tokio::test]
async fn a_model_that_does_not_fit_is_refused_with_every_field() {
    let play = Play::begin().await;
    let mut boss = play.priorities("user:boss", TENANT, &["supervisor"]).await;
    let made = boss
        .create_priority_model(of_preset("strategy-text"))
        .await
        .unwrap()
        .into_inner();
    let mut broken = made.clone();
    broken.levels[3].rank = 9;
    broken.bands[3].min_score = 4.0;
    broken.dimensions[0].rules[0].condition.as_mut().unwrap().categories = vec!["nonsense".to_owned()];
    broken.reviews[0].roles[0] = "janitor".to_owned();
    assert_eq!(
        violated(boss.create_priority_model(whole(broken)).await),
        [
            "priority_model.levels[3].rank",
            "priority_model.bands",
            "priority_model.reviews[0].roles[0]",
            "priority_model.dimensions[0].rules[0].condition.categories[0]",
        ]
    );
    assert_eq!(
        refused(boss.create_priority_model(of_preset("nothing")).await).0,
        Code::NotFound
    );
    let both = v1::CreatePriorityModelRequest {
        preset: "ecommerce".to_owned(),
        ..whole(made.clone())
    };
    assert_eq!(refused(boss.create_priority_model(both).await).0, Code::InvalidArgument);

    let mut stranger = play.priorities("user:x", "globex", &["admin"]).await;
    let theirs = v1::GetPriorityModelRequest { name: made.name };
    assert_eq!(refused(stranger.get_priority_model(theirs).await).0, Code::NotFound);
    let theirs = v1::GetPriorityModelRequest {
        name: "tenants/globex/priorityModels/case-1".to_owned(),
    };
    assert_eq!(refused(stranger.get_priority_model(theirs).await).0, Code::NotFound);
    let mut agent = play.priorities("user:li", TENANT, &["agent"]).await;
    assert_eq!(
        refused(agent.activate_priority_model(activate("case-1")).await).0,
        Code::PermissionDenied
    );
}

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

    let mut draft = get(&mut analyst, "case-0").await;
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
