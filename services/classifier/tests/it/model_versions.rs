//! Versions of models: judged, compared, let decide, rolled back.

use futures::stream;
use huiyin_proto::classifier::v1;
use sqlx::Connection as _;
use tonic::Code;

use crate::{
    models::{activation, example, labels_task, two_topics},
    play::{PARENT, Play, TENANT, refused, violated},
    reviewing::of_dimension,
};

/// Issue 3: "evaluated on a fixed hold-out before it may be activated; versions, roll back".
#[tokio::test(flavor = "multi_thread")]
async fn a_worse_version_is_refused_unless_somebody_insists_and_can_be_rolled_back() {
    let play = Play::begin().await;
    let task = play.task("topics", labels_task()).await;
    let good = two_topics(300);
    play.import(&task.name, good.clone()).await;
    let first = play.trained(&task.name).await;
    play.activated(&first).await;

    // The training side mislabelled, the hold-out left as it is.
    let wrong: Vec<v1::Example> = good
        .into_iter()
        .map(|example| {
            let label = if example.label == "app" { "delivery" } else { "app" };
            v1::Example {
                id: format!("wrong-{}", example.id),
                label: label.to_owned(),
                side: v1::ExampleSide::Training.into(),
                ..example
            }
        })
        .collect();
    play.import(&task.name, wrong.clone()).await;
    let more: Vec<v1::Example> = wrong
        .into_iter()
        .map(|example| v1::Example {
            id: format!("more-{}", example.id),
            ..example
        })
        .collect();
    play.import(&task.name, more).await;
    let second = play.trained(&task.name).await;
    assert_eq!(second.version, 2);
    let mut models = play.models().await;
    assert_eq!(
        refused(models.activate_model(activation(&second)).await),
        (Code::FailedPrecondition, "MODEL_WORSE".to_owned())
    );
    let mut insisting = activation(&second);
    insisting.force = true;
    assert_eq!(violated(models.activate_model(insisting.clone()).await), ["reason"]);
    insisting.reason = "试一试".to_owned();
    assert_eq!(
        models
            .activate_model(insisting)
            .await
            .unwrap()
            .into_inner()
            .active_version,
        2
    );

    let back = || v1::RollbackModelRequest {
        name: task.name.clone(),
        ..Default::default()
    };
    assert_eq!(
        models.rollback_model(back()).await.unwrap().into_inner().active_version,
        1
    );
    assert_eq!(
        models.rollback_model(back()).await.unwrap().into_inner().active_version,
        0
    );
    assert_eq!(
        refused(models.rollback_model(back()).await),
        (Code::FailedPrecondition, "NOTHING_TO_ROLL_BACK_TO".to_owned())
    );
    play.activated(&first).await;
    let none = v1::DeactivateModelRequest {
        name: task.name.clone(),
        etag: "1".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        refused(models.deactivate_model(none.clone()).await),
        (Code::Aborted, "ETAG_MISMATCH".to_owned())
    );
    let none = v1::DeactivateModelRequest {
        etag: String::new(),
        ..none
    };
    assert_eq!(
        models.deactivate_model(none).await.unwrap().into_inner().active_version,
        0
    );
    let versions = models
        .list_models(v1::ListModelsRequest {
            parent: task.name.clone(),
            page_size: 1,
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(versions.models[0].version, 2);
    assert!(!versions.next_page_token.is_empty());
}

/// Issue 3: a version is judged against the active one on what neither has learnt, and the same text stands on one side.
#[tokio::test(flavor = "multi_thread")]
async fn versions_are_compared_on_what_neither_has_learnt() {
    let play = Play::begin().await;
    let task = play.task("topics", labels_task()).await;
    let twice = two_topics(200).into_iter().flat_map(|example| {
        let again = v1::Example {
            id: format!("again-{}", example.id),
            ..example.clone()
        };
        [example, again]
    });
    play.import(&task.name, twice.collect()).await;
    let mut owner = sqlx::PgConnection::connect(&play.stage.database_url()).await.unwrap();
    let apart: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM (SELECT text FROM example GROUP BY text HAVING count(DISTINCT bucket) > 1) AS apart",
    )
    .fetch_one(&mut owner)
    .await
    .unwrap();
    assert_eq!(apart, 0);

    let mut models = play.models().await;
    let share = |hold_out_share: f64| v1::UpdateTaskRequest {
        name: task.name.clone(),
        threshold: 0.6,
        hold_out_share,
        ..Default::default()
    };
    models.update_task(share(0.0)).await.unwrap();
    let first = play.trained(&task.name).await;
    let insisting = v1::ActivateModelRequest {
        force: true,
        reason: "试一试".to_owned(),
        ..activation(&first)
    };
    models.activate_model(insisting).await.unwrap();
    models.update_task(share(0.5)).await.unwrap();
    let second = play.trained(&task.name).await;
    assert!(second.evaluation.as_ref().unwrap().texts > 0);
    // The first has learnt all of it.
    assert_eq!(
        refused(models.activate_model(activation(&second)).await),
        (Code::FailedPrecondition, "MODEL_NOT_EVALUATED".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_hold_out_a_version_is_not_evaluated_and_texts_of_a_stream_can_judge_it() {
    let play = Play::begin().await;
    let task = play.task("topics", labels_task()).await;
    let training: Vec<v1::Example> = two_topics(100)
        .into_iter()
        .map(|example| v1::Example {
            side: v1::ExampleSide::Training.into(),
            ..example
        })
        .collect();
    play.import(&task.name, training).await;
    let model = play.trained(&task.name).await;
    assert_eq!(model.evaluation, None);
    let mut models = play.models().await;
    let not_evaluated = (Code::FailedPrecondition, "MODEL_NOT_EVALUATED".to_owned());
    assert_eq!(refused(models.activate_model(activation(&model)).await), not_evaluated);
    let tried = |examples: Vec<v1::Example>| {
        stream::iter([v1::EvaluateModelRequest {
            name: model.name.clone(),
            examples,
        }])
    };
    assert_eq!(refused(models.evaluate_model(tried(Vec::new())).await), not_evaluated);
    let empty = vec![example("", "快递太慢了", "delivery"), example("", "", "delivery")];
    assert_eq!(
        violated(models.evaluate_model(tried(empty)).await),
        ["examples[1].text"]
    );
    let long = vec![example("", &"长".repeat(20_001), "delivery")];
    assert_eq!(violated(models.evaluate_model(tried(long)).await), ["examples[0].text"]);
    let texts = vec![
        example("1", "快递太慢了", "delivery"),
        example("2", "软件又闪退", "app"),
        example("3", "应用打不开", "weather"),
    ];
    let evaluation = models.evaluate_model(tried(texts)).await.unwrap().into_inner();
    assert_eq!((evaluation.texts, evaluation.unknown_texts), (3, 1));
    assert!(
        (evaluation.accuracy - 2.0 / 3.0).abs() < 1e-6,
        "a label it does not know is wrong: {evaluation:?}"
    );
}

/// A version has effect from its activation on every replica, also on one that has read with another before.
#[tokio::test(flavor = "multi_thread")]
async fn a_newly_activated_version_decides_on_every_replica() {
    let play = Play::begin().await;
    let config = play.stage.config_with("classifier", &play.stage.database_url(), "");
    let second = classifier::start(config, play.stage.context()).await.unwrap();
    let mut elsewhere = play.client_of(&second, "user:boss", TENANT, &["supervisor"]).await;
    let mut says = async || {
        let request = v1::ClassifyTextRequest {
            parent: PARENT.to_owned(),
            text: "快递又太慢了".to_owned(),
            ..Default::default()
        };
        let said = elsewhere.classify_text(request).await.unwrap().into_inner();
        let label = said.labels.into_iter().find(|label| label.dimension == "nature");
        label.map(|label| (label.model, label.category)).unwrap_or_default()
    };
    assert_eq!(says().await.0, "");
    let task = play.task("nature", of_dimension("nature")).await;
    for natures in [
        ["service.attitude", "function.crash"],
        ["logistics.damage", "function.crash"],
    ] {
        let examples = two_topics(400).into_iter().map(|example| v1::Example {
            label: natures[usize::from(example.label == "app")].to_owned(),
            ..example
        });
        play.import(&task.name, examples.collect()).await;
        let model = play.trained(&task.name).await;
        let insisting = v1::ActivateModelRequest {
            force: true,
            reason: "试一试".to_owned(),
            ..activation(&model)
        };
        play.models().await.activate_model(insisting).await.unwrap();
        assert_eq!(says().await, (model.name, natures[0].to_owned()));
    }
    let back = v1::RollbackModelRequest {
        name: task.name.clone(),
        ..Default::default()
    };
    play.models().await.rollback_model(back).await.unwrap();
    assert_eq!(says().await.1, "service.attitude");
}
