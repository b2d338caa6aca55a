//! Versions in the shadow (影子模式), and rules as features and overrides of a model.

use huiyin_proto::classifier::v1;
use tonic::Code;

use crate::{
    dictionary::{activate, builtin, category, create},
    models::{activation, example, labels_task, two_topics},
    play::{Play, correction, refused},
    reviewing::of_dimension,
};

fn as_natures(examples: Vec<v1::Example>, turned: bool) -> Vec<v1::Example> {
    let natures = ["function.crash", "service.attitude"];
    let examples = examples.into_iter();
    examples
        .map(|example| v1::Example {
            label: natures[usize::from((example.label == "app") == turned)].to_owned(),
            ..example
        })
        .collect()
}

fn shadow(model: &v1::Model) -> v1::SetShadowModelRequest {
    v1::SetShadowModelRequest {
        name: model.name.clone(),
        ..Default::default()
    }
}

async fn report(play: &Play, model: &v1::Model) -> v1::ShadowReport {
    let request = v1::GetShadowReportRequest {
        name: model.name.clone(),
    };
    play.models()
        .await
        .get_shadow_report(request)
        .await
        .unwrap()
        .into_inner()
}

async fn get(play: &Play, model: &v1::Model) -> v1::Model {
    let request = v1::GetModelRequest {
        name: model.name.clone(),
    };
    play.models().await.get_model(request).await.unwrap().into_inner()
}

/// Issue 3, "tried in the shadow": what a version would say is kept and compared, and never has effect.
#[tokio::test(flavor = "multi_thread")]
async fn a_version_in_the_shadow_is_compared_and_never_has_effect() {
    let play = Play::begin().await;
    let task = play.task("nature", of_dimension("nature")).await;
    play.import(&task.name, as_natures(two_topics(400), true)).await;
    let wrong = play.trained(&task.name).await;
    play.import(&task.name, as_natures(two_topics(400), false)).await;
    let right = play.trained(&task.name).await;
    play.activated(&wrong).await;
    let mut models = play.models().await;
    assert_eq!(
        refused(models.set_shadow_model(shadow(&wrong)).await),
        (Code::FailedPrecondition, "MODEL_ACTIVE".to_owned())
    );
    let stale = v1::SetShadowModelRequest {
        etag: "99".to_owned(),
        ..shadow(&right)
    };
    assert_eq!(
        refused(models.set_shadow_model(stale).await),
        (Code::Aborted, "ETAG_MISMATCH".to_owned())
    );
    let set = models.set_shadow_model(shadow(&right)).await.unwrap().into_inner();
    assert_eq!((set.active_version, set.shadow_version), (1, 2));
    assert!(get(&play, &right).await.shadow && !get(&play, &wrong).await.shadow);

    let texts = ["快递又太慢了", "物流还是不动", "软件又闪退了", "登录还是失败"];
    let mut found = Vec::new();
    for text in texts {
        found.push(play.classified(text).await);
    }
    assert!(
        found
            .iter()
            .all(|found| found.labels.iter().all(|label| label.model != right.name))
    );
    let compared = report(&play, &right).await;
    assert_eq!(
        (compared.compared, compared.agreed, compared.agreement),
        (4, 0, Some(0.0))
    );
    assert_eq!(compared.shadow.as_ref().unwrap().accuracy, None);
    assert!(compared.first_time.is_some() && compared.last_time.is_some());

    // People say what two of them are.
    let mut boss = play.boss().await;
    for found in &found[..2] {
        let correct = v1::CorrectClassificationRequest {
            category: "service.attitude".to_owned(),
            ..correction(&found.name)
        };
        boss.correct_classification(correct).await.unwrap();
    }
    let compared = report(&play, &right).await;
    let (shadowed, active) = (compared.shadow.unwrap(), compared.active.unwrap());
    assert_eq!((shadowed.known, shadowed.right, shadowed.accuracy), (2, 2, Some(1.0)));
    assert_eq!((active.known, active.right, active.accuracy), (2, 0, Some(0.0)));

    // It comes into effect: it is no shadow any more, and what was compared stays.
    let task = play.activated(&right).await;
    assert_eq!((task.active_version, task.shadow_version), (2, 0));
    assert_eq!(play.classified("快递又太慢了呢").await.labels[0].model, right.name);
    assert_eq!(report(&play, &right).await.compared, 4);

    models.set_shadow_model(shadow(&wrong)).await.unwrap();
    let clear = v1::ClearShadowModelRequest {
        name: task.name.clone(),
        ..Default::default()
    };
    let cleared = models.clear_shadow_model(clear).await.unwrap().into_inner();
    assert_eq!(cleared.shadow_version, 0);
    play.classified("软件又闪退了呢").await;
    assert_eq!(report(&play, &wrong).await.compared, 0);
}

/// Before any version is active, what decides is the words; labels of a tenant's own are asked of no feedback.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_version_is_compared_with_the_words() {
    let play = Play::begin().await;
    let task = play.task("nature", of_dimension("nature")).await;
    play.import(&task.name, as_natures(two_topics(400), false)).await;
    let model = play.trained(&task.name).await;
    let mut models = play.models().await;
    models.set_shadow_model(shadow(&model)).await.unwrap();
    let by_words = play.classified("软件又闪退了").await;
    assert_eq!(
        (by_words.category.as_str(), by_words.labels[0].model.as_str()),
        ("function.crash", "")
    );
    let compared = report(&play, &model).await;
    assert_eq!((compared.compared, compared.agreed), (1, 1));

    let own = play.task("own", labels_task()).await;
    play.import(&own.name, two_topics(60)).await;
    let model = play.trained(&own.name).await;
    assert_eq!(model.rules_version, None);
    assert_eq!(
        refused(models.set_shadow_model(shadow(&model)).await),
        (Code::FailedPrecondition, "TASK_READS_NO_FEEDBACK".to_owned())
    );
}

/// Rules are features: a word that no example has, and the dictionary knows, is read by what the dictionary says; by that version of it,
/// whatever comes into effect later.
#[tokio::test(flavor = "multi_thread")]
async fn what_rules_find_is_a_feature_of_the_version_that_was_in_effect_when_it_was_trained() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    let mut taxonomy = builtin(&mut boss).await;
    for word in ["甲甲甲", "乙乙乙", "丙丙丙", "丁丁丁"] {
        category(&mut taxonomy, "function.crash").keywords.push(v1::Keyword {
            term: word.to_owned(),
            weight: 1.0,
        });
    }
    boss.create_taxonomy(create(taxonomy)).await.unwrap();
    boss.activate_taxonomy(activate(1)).await.unwrap();
    let task = play.task("nature", of_dimension("nature")).await;
    let known = (0..60).flat_map(|place| {
        let word = ["甲甲甲", "乙乙乙", "丙丙丙"][place % 3];
        [
            example(&format!("a{place}"), &format!("{word}，第{place}次"), "function.crash"),
            example(
                &format!("b{place}"),
                &format!("东西南北，第{place}次"),
                "service.attitude",
            ),
        ]
    });
    play.import(&task.name, known.collect()).await;
    let model = play.trained(&task.name).await;
    assert_eq!(model.rules_version, Some(1));
    let ask = v1::PredictRequest {
        name: task.name.clone(),
        version: 1,
        texts: vec!["丁丁丁，第7次".to_owned()],
    };
    let mut models = play.models().await;
    let before = models.predict(ask.clone()).await.unwrap().into_inner().predictions;
    assert_eq!(before[0].label, "function.crash", "{before:?}");
    // The version in effect changes, the model does not.
    boss.activate_taxonomy(activate(0)).await.unwrap();
    assert_eq!(models.predict(ask).await.unwrap().into_inner().predictions, before);
    models.activate_model(activation(&model)).await.unwrap();
    let found = play.classified("丁丁丁，第7次").await;
    assert_eq!(
        (found.category.as_str(), found.labels[0].model.as_str()),
        ("function.crash", model.name.as_str())
    );
    assert!((found.labels[0].confidence - before[0].confidence).abs() < 1e-3);
}

/// And overrides: a rule that says so wins over the surest model, and the label names it.
#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_overrides_wins_over_a_model() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    let mut taxonomy = builtin(&mut boss).await;
    category(&mut taxonomy, "logistics.damage").rules.push(v1::Rule {
        key: "box".to_owned(),
        regex: "箱子.{0,4}压扁".to_owned(),
        overrides: true,
        ..Default::default()
    });
    boss.create_taxonomy(create(taxonomy.clone())).await.unwrap();
    boss.activate_taxonomy(activate(1)).await.unwrap();
    let name = "tenants/acme/taxonomies/1".to_owned();
    let kept = boss
        .get_taxonomy(v1::GetTaxonomyRequest { name })
        .await
        .unwrap()
        .into_inner();
    let mut kept = kept;
    assert!(
        category(&mut kept, "logistics.damage")
            .rules
            .iter()
            .any(|rule| rule.overrides)
    );
    let task = play.task("nature", of_dimension("nature")).await;
    play.import(&task.name, as_natures(two_topics(400), false)).await;
    let model = play.trained(&task.name).await;
    play.activated(&model).await;
    let by_model = play.classified("应用又打不开了").await;
    assert_eq!(by_model.labels[0].model, model.name);
    let by_rule = play.classified("箱子被压扁，应用又打不开了").await;
    let label = &by_rule.labels[0];
    assert_eq!(
        (
            by_rule.category.as_str(),
            label.rule.as_str(),
            label.model.as_str(),
            label.confidence
        ),
        ("logistics.damage", "box", "", 1.0)
    );
    assert!(by_rule.basis.contains("rule box"), "{}", by_rule.basis);
}
