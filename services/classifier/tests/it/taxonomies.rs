//! Versions of the taxonomy: made, activated, rolled back.

use huiyin_proto::{
    classifier::v1::{self, Keyword},
    r#type::v1::Impact,
};
use tonic::Code;

use crate::play::{Client, PARENT, Play, TENANT, classification_of, correction, refused, violated};

async fn get(client: &mut Client, version: &str) -> v1::Taxonomy {
    let name = format!("{PARENT}/taxonomies/{version}");
    client
        .get_taxonomy(v1::GetTaxonomyRequest { name })
        .await
        .unwrap()
        .into_inner()
}

/// The built-in one with a category more.
async fn with_drones(client: &mut Client) -> v1::Taxonomy {
    let mut taxonomy = get(client, "0").await;
    let mut drones = taxonomy.categories[0].clone();
    drones.key = "drones".to_owned();
    drones.keywords = vec![Keyword {
        term: "無人機".to_owned(),
        weight: 0.0,
    }];
    drones.default_impact = Impact::Serious.into();
    drones.examples.clear();
    drones.counter_examples.clear();
    taxonomy.categories.push(drones);
    taxonomy.display_name = "加了无人机".to_owned();
    taxonomy.change_reason = "我们开始送无人机".to_owned();
    taxonomy
}

fn create(taxonomy: v1::Taxonomy) -> v1::CreateTaxonomyRequest {
    v1::CreateTaxonomyRequest {
        parent: PARENT.to_owned(),
        taxonomy: Some(taxonomy),
        ..Default::default()
    }
}

fn activate(version: i32) -> v1::ActivateTaxonomyRequest {
    v1::ActivateTaxonomyRequest {
        name: format!("{PARENT}/taxonomies/{version}"),
        ..Default::default()
    }
}

/// C-10: a tenant without a version of its own has the built-in one.
#[tokio::test]
async fn a_tenant_begins_with_the_built_in_version() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    let (active, zero) = (get(&mut boss, "active").await, get(&mut boss, "0").await);
    assert_eq!(active, zero);
    assert_eq!(
        (zero.name.as_str(), zero.version, zero.active, zero.author.as_str()),
        ("tenants/acme/taxonomies/0", 0, true, "system")
    );
    assert_eq!(zero.dimensions[0].key, "nature");
    assert!(zero.categories.len() > 40 && zero.sentiment.unwrap().terms.len() > 300);
    assert!(zero.activate_time.is_none());
    let missing = v1::GetTaxonomyRequest {
        name: format!("{PARENT}/taxonomies/1"),
    };
    assert_eq!(
        refused(boss.get_taxonomy(missing).await),
        (Code::NotFound, "RESOURCE_NOT_FOUND".to_owned())
    );
    assert_eq!(
        refused(boss.activate_taxonomy(activate(1)).await),
        (Code::NotFound, "RESOURCE_NOT_FOUND".to_owned())
    );
    let again = boss.activate_taxonomy(activate(0)).await.unwrap().into_inner();
    assert_eq!(
        (again.active, again.etag, again.activate_time),
        (true, zero.etag, None),
        "activating the active one changes nothing"
    );
}

/// C-10: a new version has effect when it is activated, for what comes from then on; an older one rolls back; replicas follow.
#[tokio::test]
async fn a_version_has_effect_from_its_activation_on_every_replica() {
    let play = Play::begin().await;
    let config = play.stage.config_with("classifier", &play.stage.database_url(), "");
    let second = classifier::start(config, play.stage.context()).await.unwrap();
    let mut boss = play.boss().await;
    let mut elsewhere = play.client_of(&second, "user:boss", TENANT, &["supervisor"]).await;
    let tried = |version| v1::ClassifyTextRequest {
        parent: PARENT.to_owned(),
        text: "无人机撞树上了".to_owned(),
        taxonomy_version: version,
        ..Default::default()
    };

    let made = boss
        .create_taxonomy(create(with_drones(&mut boss.clone()).await))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (made.version, made.active, made.author.as_str()),
        (1, false, "user:boss")
    );
    assert_eq!(
        made.categories.last().unwrap().keywords[0].weight,
        1.0,
        "0 is taken as 1"
    );
    assert_eq!(get(&mut elsewhere, "1").await, made);
    assert_eq!(
        elsewhere
            .classify_text(tried(None))
            .await
            .unwrap()
            .into_inner()
            .category,
        "unclassified"
    );
    assert_eq!(
        elsewhere
            .classify_text(tried(Some(1)))
            .await
            .unwrap()
            .into_inner()
            .category,
        "drones"
    );
    let before = play.classified("无人机撞树上了").await;
    assert_eq!((before.category.as_str(), before.taxonomy_version), ("unclassified", 0));

    let active = boss
        .activate_taxonomy(v1::ActivateTaxonomyRequest {
            etag: made.etag.clone(),
            ..activate(1)
        })
        .await
        .unwrap()
        .into_inner();
    assert!(active.active && active.etag != made.etag && active.activate_time.is_some());
    assert_eq!(get(&mut elsewhere, "active").await, active);
    assert!(!get(&mut elsewhere, "0").await.active);
    let verdict = elsewhere.classify_text(tried(None)).await.unwrap().into_inner();
    assert_eq!(
        (verdict.category.as_str(), verdict.taxonomy_version, verdict.impact()),
        ("drones", 1, Impact::Serious)
    );
    let after = play.classified("无人机撞树上了").await;
    assert_eq!((after.category.as_str(), after.taxonomy_version), ("drones", 1));
    let kept = boss
        .get_classification(v1::GetClassificationRequest {
            name: before.name.clone(),
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(kept, before, "what is classified stays");
    // A correction goes by the version in effect.
    let correct = v1::CorrectClassificationRequest {
        category: "drones".to_owned(),
        ..correction(&before.name)
    };
    let corrected = boss.correct_classification(correct).await.unwrap().into_inner();
    assert_eq!(
        (corrected.taxonomy_version, corrected.computed.unwrap().taxonomy_version),
        (1, 0)
    );

    assert_eq!(
        refused(
            boss.activate_taxonomy(v1::ActivateTaxonomyRequest {
                etag: "99".to_owned(),
                ..activate(0)
            })
            .await
        ),
        (Code::Aborted, "ETAG_MISMATCH".to_owned())
    );
    boss.activate_taxonomy(activate(0)).await.unwrap();
    assert_eq!(
        elsewhere
            .classify_text(tried(None))
            .await
            .unwrap()
            .into_inner()
            .category,
        "unclassified"
    );
    assert_ne!(get(&mut boss, "1").await.etag, active.etag, "another took its place");
    let rolled_back = play.submitted("无人机撞树上了");
    let rolled_back_name = classification_of(&rolled_back);
    assert_eq!(
        play.classified_as(&rolled_back).await.taxonomy_version,
        0,
        "{rolled_back_name}"
    );

    // Another tenant has none of it.
    let mut stranger = play.client("user:x", "globex", &["supervisor"]).await;
    let theirs = v1::ClassifyTextRequest {
        parent: "tenants/globex".to_owned(),
        ..tried(Some(1))
    };
    assert_eq!(refused(stranger.classify_text(theirs).await).0, Code::NotFound);
}

/// Every entry that does not fit is named at once, and nothing is made.
#[tokio::test]
async fn a_version_that_does_not_fit_is_refused_with_every_field() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    let mut taxonomy = with_drones(&mut boss.clone()).await;
    let first = taxonomy.categories[0].key.clone();
    taxonomy.categories.last_mut().unwrap().key = first;
    let model = taxonomy.priority_model.as_mut().unwrap();
    model.levels[1].rank = 9;
    model.matrix[0].priority = "P7".to_owned();
    model.overrides[0].categories.clear();
    taxonomy
        .sentiment
        .as_mut()
        .unwrap()
        .negations
        .push("\u{200b}".to_owned());
    let last = taxonomy.categories.len() - 1;
    let negation = taxonomy.sentiment.as_ref().unwrap().negations.len() - 1;
    assert_eq!(
        violated(boss.create_taxonomy(create(taxonomy)).await),
        [
            format!("taxonomy.categories[{last}].key"),
            format!("taxonomy.sentiment.negations[{negation}]"),
            "taxonomy.priority_model.levels[1].rank".to_owned(),
            "taxonomy.priority_model.matrix[0].priority".to_owned(),
            "taxonomy.priority_model.overrides[0]".to_owned(),
        ]
    );
    // What the proto can say stands there.
    let bare = v1::Taxonomy {
        display_name: String::new(),
        ..with_drones(&mut boss.clone()).await
    };
    assert_eq!(
        violated(boss.create_taxonomy(create(bare)).await),
        ["taxonomy.display_name"]
    );
    assert_eq!(
        refused(
            boss.get_taxonomy(v1::GetTaxonomyRequest {
                name: format!("{PARENT}/taxonomies/1")
            })
            .await
        )
        .0,
        Code::NotFound
    );
}

#[tokio::test]
async fn a_checked_version_is_not_made_and_a_repeated_one_is_made_once() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    let taxonomy = with_drones(&mut boss.clone()).await;
    let checked = v1::CreateTaxonomyRequest {
        validate_only: true,
        ..create(taxonomy.clone())
    };
    assert_eq!(boss.create_taxonomy(checked).await.unwrap().into_inner().version, 1);
    let request = v1::CreateTaxonomyRequest {
        request_id: "0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b".to_owned(),
        ..create(taxonomy.clone())
    };
    let first = boss.create_taxonomy(request.clone()).await.unwrap().into_inner();
    assert_eq!(boss.create_taxonomy(request.clone()).await.unwrap().into_inner(), first);
    let other = v1::CreateTaxonomyRequest {
        taxonomy: Some(get(&mut boss.clone(), "0").await),
        ..request
    };
    assert_eq!(
        refused(boss.create_taxonomy(other).await),
        (Code::AlreadyExists, "REQUEST_ID_REUSED".to_owned())
    );
    assert_eq!(
        boss.create_taxonomy(create(taxonomy))
            .await
            .unwrap()
            .into_inner()
            .version,
        2
    );

    let mut versions = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = v1::ListTaxonomiesRequest {
            parent: PARENT.to_owned(),
            page_size: 1,
            page_token,
            ..Default::default()
        };
        let page = boss.list_taxonomies(request).await.unwrap().into_inner();
        for taxonomy in page.taxonomies {
            assert!(taxonomy.categories.is_empty() && taxonomy.sentiment.is_none());
            versions.push((taxonomy.version, taxonomy.active));
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(versions, [(2, false), (1, false), (0, true)]);
    let filtered = v1::ListTaxonomiesRequest {
        parent: PARENT.to_owned(),
        filter: "author = \"user:boss\"".to_owned(),
        order_by: "version".to_owned(),
        ..Default::default()
    };
    let filtered = boss.list_taxonomies(filtered).await.unwrap().into_inner().taxonomies;
    assert_eq!(
        filtered.iter().map(|taxonomy| taxonomy.version).collect::<Vec<_>>(),
        [1, 2]
    );
    let mut stranger = play.client("user:x", "globex", &["supervisor"]).await;
    let theirs = v1::ListTaxonomiesRequest {
        parent: "tenants/globex".to_owned(),
        ..Default::default()
    };
    let theirs = stranger.list_taxonomies(theirs).await.unwrap().into_inner().taxonomies;
    assert_eq!(
        theirs
            .iter()
            .map(|taxonomy| (taxonomy.version, taxonomy.active))
            .collect::<Vec<_>>(),
        [(0, true)]
    );
    let mut agent = play.client("user:agent", TENANT, &["agent"]).await;
    assert_eq!(
        refused(agent.activate_taxonomy(activate(1)).await).0,
        Code::PermissionDenied
    );
}
