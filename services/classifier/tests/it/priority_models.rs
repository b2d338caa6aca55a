//! Versions of the priority model: made, activated, rolled back (§G, FEATURES 34).

use huiyin_proto::classifier::v1::{self, PriorityUse};
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
