//! The dictionary beyond words: examples as tests, rules with conditions, what differs, and what becomes of old categories.

use huiyin_proto::{
    classifier::v1,
    r#type::v1::{Channel, Sentiment},
};
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::play::{Client, PARENT, Play, refused, violated};

pub(crate) async fn builtin(client: &mut Client) -> v1::Taxonomy {
    let name = format!("{PARENT}/taxonomies/0");
    client
        .get_taxonomy(v1::GetTaxonomyRequest { name })
        .await
        .unwrap()
        .into_inner()
}

pub(crate) fn category<'t>(taxonomy: &'t mut v1::Taxonomy, key: &str) -> &'t mut v1::Category {
    taxonomy
        .categories
        .iter_mut()
        .find(|category| category.key == key)
        .unwrap()
}

pub(crate) fn create(mut taxonomy: v1::Taxonomy) -> v1::CreateTaxonomyRequest {
    "试一试".clone_into(&mut taxonomy.change_reason);
    v1::CreateTaxonomyRequest {
        parent: PARENT.to_owned(),
        taxonomy: Some(taxonomy),
        ..Default::default()
    }
}

pub(crate) fn activate(version: i32) -> v1::ActivateTaxonomyRequest {
    v1::ActivateTaxonomyRequest {
        name: format!("{PARENT}/taxonomies/{version}"),
        ..Default::default()
    }
}

fn tried(text: &str, version: i32) -> v1::ClassifyTextRequest {
    v1::ClassifyTextRequest {
        parent: PARENT.to_owned(),
        text: text.to_owned(),
        taxonomy_version: Some(version),
        ..Default::default()
    }
}

/// 002-21, C-02: a taxonomy that would silently switch a priority model's rules off does not come into effect, nor such a model beside it.
#[tokio::test]
async fn a_version_without_the_categories_of_the_priority_model_does_not_come_into_effect() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    let mut taxonomy = builtin(&mut boss).await;
    taxonomy
        .categories
        .retain(|category| !category.key.starts_with("collective"));
    for category in &mut taxonomy.categories {
        category.counter_examples.clear();
    }
    boss.create_taxonomy(create(taxonomy)).await.unwrap();
    let status = boss.activate_taxonomy(activate(1)).await.unwrap_err();
    let info = status.get_details_error_info().unwrap();
    assert_eq!(
        (
            status.code(),
            info.reason.as_str(),
            info.metadata["priority_model"].as_str(),
            info.metadata["version"].as_str()
        ),
        (
            Code::FailedPrecondition,
            "CATEGORIES_MISSING",
            "tenants/acme/priorityModels/case-0",
            "1"
        )
    );
    let fields = status.get_details_bad_request().unwrap().field_violations;
    assert_eq!(fields[0].field, "overrides[4].condition.categories[0]");

    play.goes_by("tech-support").await;
    boss.activate_taxonomy(activate(1)).await.unwrap();
    let mut priorities = play.priorities("user:boss", "acme", &["supervisor"]).await;
    let back = v1::RollbackPriorityModelRequest {
        name: format!("{PARENT}/priorityModels/case-active"),
        ..Default::default()
    };
    let missing = (Code::FailedPrecondition, "CATEGORIES_MISSING".to_owned());
    assert_eq!(refused(priorities.rollback_priority_model(back).await), missing);
    let builtin = v1::ActivatePriorityModelRequest {
        name: format!("{PARENT}/priorityModels/case-0"),
        ..Default::default()
    };
    assert_eq!(refused(priorities.activate_priority_model(builtin).await), missing);
}

/// 001-40: a version that does not keep its own examples does not come into effect, and says of each what decided.
#[tokio::test]
async fn a_version_that_breaks_its_examples_does_not_come_into_effect() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    let mut taxonomy = builtin(&mut boss).await;
    let crash = category(&mut taxonomy, "function.crash");
    let example = |text: &str| v1::DictionaryExample {
        text: text.to_owned(),
        ..Default::default()
    };
    crash.examples = vec![example("一打开就闪退"), example("退款超时")];
    crash.counter_examples = vec![v1::DictionaryCounterExample {
        text: "老是崩溃".to_owned(),
        category: "performance.lag".to_owned(),
        ..Default::default()
    }];
    let checked = v1::CreateTaxonomyRequest {
        validate_only: true,
        ..create(taxonomy.clone())
    };
    let checked = boss.create_taxonomy(checked).await.unwrap().into_inner();
    let made = boss
        .create_taxonomy(create(taxonomy.clone()))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(checked.broken_examples, made.broken_examples);
    let [example, counter] = made.broken_examples.as_slice() else {
        panic!("{:?}", made.broken_examples)
    };
    assert_eq!(
        (
            example.category.as_str(),
            example.expected.as_str(),
            example.found.as_str()
        ),
        ("function.crash", "function.crash", "payment.refund")
    );
    assert_eq!(example.text, "退款超时");
    assert!(example.spans.iter().any(|span| span.term == "退款超时"), "{example:?}");
    assert!(counter.counter && counter.field.ends_with("counter_examples[0]"));
    assert_eq!(
        (counter.expected.as_str(), counter.found.as_str()),
        ("performance.lag", "function.crash")
    );

    let status = boss.activate_taxonomy(activate(1)).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    let info = status.get_details_error_info().unwrap();
    assert_eq!(
        (info.reason.as_str(), info.metadata["count"].as_str()),
        ("EXAMPLES_BROKEN", "2")
    );
    let named: Vec<String> = status
        .get_details_bad_request()
        .unwrap()
        .field_violations
        .into_iter()
        .map(|violation| violation.field)
        .collect();
    assert_eq!(named, [example.field.clone(), counter.field.clone()]);
    let check = v1::CheckTaxonomyRequest {
        name: format!("{PARENT}/taxonomies/1"),
    };
    let head = boss.check_taxonomy(check).await.unwrap().into_inner();
    assert!(!head.active && head.categories.is_empty());
    assert_eq!(head.broken_examples, made.broken_examples);

    // Mended, it comes into effect; and the built-in one keeps its own.
    let crash = category(&mut taxonomy, "function.crash");
    crash.examples.pop();
    crash.counter_examples.clear();
    let mended = boss.create_taxonomy(create(taxonomy)).await.unwrap().into_inner();
    assert_eq!((mended.version, mended.broken_examples.len()), (2, 0));
    assert!(boss.activate_taxonomy(activate(2)).await.unwrap().into_inner().active);
    let check = v1::CheckTaxonomyRequest {
        name: format!("{PARENT}/taxonomies/0"),
    };
    assert!(
        boss.check_taxonomy(check)
            .await
            .unwrap()
            .into_inner()
            .broken_examples
            .is_empty()
    );
    let missing = v1::CheckTaxonomyRequest {
        name: format!("{PARENT}/taxonomies/9"),
    };
    assert_eq!(refused(boss.check_taxonomy(missing).await).0, Code::NotFound);
}

/// FEATURES 27, 31: phrases, regular expressions, exclusions and conditions, each with its span.
#[tokio::test]
async fn rules_find_what_words_cannot() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    let mut taxonomy = builtin(&mut boss).await;
    let fault = category(&mut taxonomy, "hardware.fault");
    fault.rules = vec![
        v1::Rule {
            key: "hinge".to_owned(),
            phrase: Some(v1::Phrase {
                parts: vec!["轉軸".to_owned(), "松".to_owned()],
                gap: 5,
            }),
            ..Default::default()
        },
        v1::Rule {
            key: "serial".to_owned(),
            regex: "SN-\\d{4,}".to_owned(),
            weight: 3.0,
            product_models: vec!["Ｘ1".to_owned()],
            channels: vec![Channel::Phone.into()],
            ..Default::default()
        },
    ];
    fault.exclusions = vec!["模拟器".to_owned()];
    boss.create_taxonomy(create(taxonomy.clone())).await.unwrap();

    let verdict = boss
        .classify_text(tried("🙂转轴用几天就松了", 1))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(verdict.category, "hardware.fault");
    let span = verdict.spans.iter().find(|span| span.rule == "hinge").unwrap();
    assert_eq!(
        (span.term.as_str(), span.start, span.end, span.weight),
        ("轉軸…松", 1, 8, 1.0)
    );
    let turned = boss.classify_text(tried("转轴没有松", 1)).await.unwrap().into_inner();
    assert_eq!(turned.category, "unclassified");
    assert_eq!(turned.missing_dimensions, ["nature"]);
    assert!(
        turned
            .spans
            .iter()
            .any(|span| span.rule == "hinge" && span.negated && span.weight == 0.0)
    );
    let excluded = boss
        .classify_text(tried("模拟器里转轴松了。", 1))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(excluded.category, "unclassified");

    let by_phone = |product_model: &str, channel: Channel| v1::ClassifyTextRequest {
        product_model: product_model.to_owned(),
        channel: channel.into(),
        ..tried("编号 sn-20391", 1)
    };
    for (model, channel, category) in [
        ("x1", Channel::Phone, "hardware.fault"),
        ("x2", Channel::Phone, "unclassified"),
        ("x1", Channel::Email, "unclassified"),
    ] {
        let verdict = boss.classify_text(by_phone(model, channel)).await.unwrap().into_inner();
        assert_eq!(verdict.category, category, "{model} {channel:?}");
    }

    category(&mut taxonomy, "hardware.fault").rules[1].regex = "(".to_owned();
    let place = taxonomy
        .categories
        .iter()
        .position(|category| category.key == "hardware.fault")
        .unwrap();
    assert_eq!(
        violated(boss.create_taxonomy(create(taxonomy.clone())).await),
        [format!("taxonomy.categories[{place}].rules[1].regex")]
    );
    category(&mut taxonomy, "hardware.fault").rules[1].regex.clear();
    assert!(!violated(boss.create_taxonomy(create(taxonomy)).await).is_empty());
}

/// 001-30, FEATURES 32, 33: what each clause says of each label, and a hint of what is not meant.
#[tokio::test]
async fn clauses_speak_for_themselves() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    let verdict = boss
        .classify_text(tried("饭菜很好吃，但是骑手迟到了，呵呵", 0))
        .await
        .unwrap()
        .into_inner();
    let said: Vec<(&str, Sentiment, i32, i32)> = verdict
        .aspects
        .iter()
        .map(|aspect| (aspect.category.as_str(), aspect.sentiment(), aspect.start, aspect.end))
        .collect();
    assert!(
        said.contains(&("catering.taste", Sentiment::Positive, 0, 6)),
        "{said:?}"
    );
    assert!(
        said.iter()
            .any(|(_, sentiment, start, _)| *sentiment == Sentiment::Negative && *start == 6),
        "{said:?}"
    );
    assert!(verdict.sarcasm_hint);
    assert!(
        !boss
            .classify_text(tried("饭菜很好吃", 0))
            .await
            .unwrap()
            .into_inner()
            .sarcasm_hint
    );
}

/// 001-79: what differs between two versions, by key and field.
#[tokio::test]
async fn two_versions_are_compared_entry_by_entry() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    let mut taxonomy = builtin(&mut boss).await;
    category(&mut taxonomy, "function.crash").keywords.push(v1::Keyword {
        term: "炸裂".to_owned(),
        weight: 1.0,
    });
    boss.create_taxonomy(create(taxonomy)).await.unwrap();
    let compared = |name: &str, base_version| v1::DiffTaxonomiesRequest {
        name: format!("{PARENT}/taxonomies/{name}"),
        base_version,
    };
    let found = boss
        .diff_taxonomies(compared("1", 0))
        .await
        .unwrap()
        .into_inner()
        .differences;
    let [one] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(
        (one.section.as_str(), one.key.as_str(), one.kind()),
        ("categories", "function.crash", v1::DifferenceKind::Changed)
    );
    assert_eq!(one.fields[0].field, "keywords");
    assert_eq!(one.fields[0].added, [r#"{"term":"炸裂","weight":1.0}"#]);
    assert!(
        boss.diff_taxonomies(compared("active", 0))
            .await
            .unwrap()
            .into_inner()
            .differences
            .is_empty()
    );
    assert_eq!(refused(boss.diff_taxonomies(compared("1", 7)).await).0, Code::NotFound);
    assert_eq!(refused(boss.diff_taxonomies(compared("7", 0)).await).0, Code::NotFound);
}

/// C-10: a mapping gives every old category a place; said again it takes the place of the one before.
#[tokio::test]
async fn a_mapping_leaves_no_category_without_a_place() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    let mut taxonomy = builtin(&mut boss).await;
    taxonomy.categories.retain(|category| category.key != "function.login");
    for category in &mut taxonomy.categories {
        category.counter_examples.clear();
    }
    boss.create_taxonomy(create(taxonomy)).await.unwrap();
    let mapping = |to: &[&str]| v1::MapTaxonomyRequest {
        name: format!("{PARENT}/taxonomies/1"),
        mapping: Some(v1::TaxonomyMapping {
            categories: vec![v1::MappedCategory {
                from: "function.login".to_owned(),
                to: to.iter().map(|key| (*key).to_owned()).collect(),
                reclassify: to.is_empty(),
            }],
            ..Default::default()
        }),
        ..Default::default()
    };
    let mut empty = mapping(&[]);
    empty.mapping.as_mut().unwrap().categories.clear();
    assert_eq!(violated(boss.map_taxonomy(empty).await), ["mapping.categories"]);
    assert_eq!(
        violated(boss.map_taxonomy(mapping(&["function.login"])).await),
        ["mapping.categories[0].to[0]"]
    );
    let mut both = mapping(&["function"]);
    both.mapping.as_mut().unwrap().categories[0].reclassify = true;
    assert_eq!(violated(boss.map_taxonomy(both).await), ["mapping.categories[0]"]);
    let read = v1::GetTaxonomyMappingRequest {
        name: format!("{PARENT}/taxonomies/1/mappings/0"),
    };
    assert_eq!(refused(boss.get_taxonomy_mapping(read.clone()).await).0, Code::NotFound);
    let checked = v1::MapTaxonomyRequest {
        validate_only: true,
        ..mapping(&["function"])
    };
    boss.map_taxonomy(checked).await.unwrap();
    assert_eq!(refused(boss.get_taxonomy_mapping(read.clone()).await).0, Code::NotFound);
    let first = boss.map_taxonomy(mapping(&["function"])).await.unwrap().into_inner();
    assert_eq!(
        (first.name.as_str(), first.etag.as_str(), first.author.as_str()),
        (read.name.as_str(), "1", "user:boss")
    );
    let second = v1::MapTaxonomyRequest {
        etag: first.etag,
        ..mapping(&["function.defect", "function"])
    };
    let said = boss.map_taxonomy(second.clone()).await.unwrap().into_inner();
    assert_eq!(
        boss.get_taxonomy_mapping(read.clone()).await.unwrap().into_inner(),
        said
    );
    assert_eq!(
        refused(boss.map_taxonomy(second).await),
        (Code::Aborted, "ETAG_MISMATCH".to_owned())
    );
    let mut stranger = play.client("user:x", "globex", &["supervisor"]).await;
    assert_eq!(refused(stranger.get_taxonomy_mapping(read).await).0, Code::NotFound);
}
