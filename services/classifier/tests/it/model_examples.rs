//! Tasks and their examples: imported, listed, deleted, and made of what people correct.

use futures::stream;
use huiyin_proto::{classifier::v1, r#type::v1::Sentiment};
use sqlx::Connection as _;
use tonic::Code;

use crate::{
    models::{example, labels_task, two_topics},
    play::{PARENT, Play, correction, refused, violated},
};

#[tokio::test(flavor = "multi_thread")]
async fn an_example_that_is_not_one_is_named_and_holds_up_no_other() {
    let play = Play::begin().await;
    let task = play
        .task(
            "nature",
            v1::Task {
                target: v1::TaskTarget::Dimension.into(),
                dimension: "nature".to_owned(),
                ..Default::default()
            },
        )
        .await;
    let examples = vec![
        example("good", "手机号13812345678，应用闪退", "function.crash"),
        example("no text", "", "function.crash"),
        example("foreign", "应用闪退", "no.such.category"),
        example("good", "应用闪退了", "function.crash"),
    ];
    let imported = play.import(&task.name, examples).await;
    assert_eq!((imported.stored, imported.unchanged, imported.refused), (1, 1, 2));
    let refused_ids: Vec<(i64, &str)> = imported
        .refusals
        .iter()
        .map(|refusal| (refusal.index, refusal.id.as_str()))
        .collect();
    assert_eq!(refused_ids, [(1, "no text"), (2, "foreign")]);
    assert!(
        imported.refusals[0]
            .violations
            .iter()
            .any(|said| said.starts_with("text"))
    );
    assert!(imported.refusals[1].violations[0].contains("category"));

    play.import(
        &task.name,
        vec![example("good", "13812345678 应用闪退", "function.crash")],
    )
    .await;
    let mut models = play.models().await;
    let list = |filter: &str| v1::ListExamplesRequest {
        parent: task.name.clone(),
        filter: filter.to_owned(),
        ..Default::default()
    };
    let kept = models.list_examples(list("label:function")).await.unwrap().into_inner();
    // 001-81: what names a person is not kept.
    assert_eq!(kept.examples[0].text, "[手机号] 应用闪退");
    assert_eq!(kept.examples[0].source(), v1::ExampleSource::Import);
    let delete = v1::DeleteExamplesRequest {
        parent: task.name.clone(),
        ids: vec!["good".to_owned(), "not there".to_owned()],
    };
    let deleted = models.delete_examples(delete).await.unwrap().into_inner();
    assert_eq!(deleted.deleted, 1);
    assert!(
        models
            .list_examples(list(""))
            .await
            .unwrap()
            .into_inner()
            .examples
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dimension_has_one_task_and_must_be_there() {
    let play = Play::begin().await;
    let of = |dimension: &str| v1::CreateTaskRequest {
        parent: PARENT.to_owned(),
        task_id: "a".to_owned(),
        task: Some(v1::Task {
            target: v1::TaskTarget::Dimension.into(),
            dimension: dimension.to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let mut models = play.models().await;
    assert_eq!(violated(models.create_task(of("no_such")).await), ["task.dimension"]);
    assert_eq!(violated(models.create_task(of("")).await), ["task.dimension"]);
    models.create_task(of("nature")).await.unwrap();
    let mut second = of("nature");
    second.task_id = "b".to_owned();
    assert_eq!(
        refused(models.create_task(second).await),
        (Code::AlreadyExists, "RESOURCE_EXISTS".to_owned())
    );
    let page = models
        .list_tasks(v1::ListTasksRequest {
            parent: PARENT.to_owned(),
            filter: "target = DIMENSION".to_owned(),
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(page.tasks.len(), 1);
}

/// What does not fit is not read into memory. Imports end there; corrections, one at a time, do not.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_task_takes_no_import_and_goes_on_learning_from_what_is_newest() {
    let play = Play::begin().await;
    let task = play.task("topics", labels_task()).await;
    play.import(&task.name, two_topics(50)).await;
    let mut owner = sqlx::PgConnection::connect(&play.stage.database_url()).await.unwrap();
    sqlx::query(
        "UPDATE example SET text = repeat('x', 256 << 20), create_time = create_time - interval '1 day' WHERE example_id = 'e0'",
    )
    .execute(&mut owner)
    .await
    .unwrap();
    let model = play.trained(&task.name).await;
    assert_eq!(model.training_examples + model.evaluation.unwrap().texts, 49);
    let more = v1::ImportExamplesRequest {
        parent: task.name.clone(),
        examples: vec![example("more", "快递太慢了", "delivery")],
    };
    let mut models = play.models().await;
    assert_eq!(
        refused(models.import_examples(stream::iter([more])).await),
        (Code::FailedPrecondition, "TASK_FULL".to_owned())
    );
}

/// Issue 3: a model learns "from the tenant's own labels and corrections"; 001-81: and keeps nothing that names a person.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_corrects_becomes_an_example_of_its_dimension_and_of_sentiment() {
    let play = Play::begin().await;
    let of = |target: v1::TaskTarget, dimension: &str| v1::Task {
        target: target.into(),
        dimension: dimension.to_owned(),
        ..Default::default()
    };
    let nature = play.task("nature", of(v1::TaskTarget::Dimension, "nature")).await;
    let module = play.task("module", of(v1::TaskTarget::Dimension, "module")).await;
    let tone = play.task("tone", of(v1::TaskTarget::Sentiment, "")).await;
    let text = "应用闪退，回电 [手机号]";
    let found = play.classified(text).await;
    let mut owner = sqlx::PgConnection::connect(&play.stage.database_url()).await.unwrap();
    sqlx::query(
        "INSERT INTO statement (tenant_id, classification_id, text, stated_impact, emotion_level)
         SELECT tenant_id, classification_id, $1, 0, 0 FROM classification ON CONFLICT DO NOTHING",
    )
    .bind(text)
    .execute(&mut owner)
    .await
    .unwrap();

    let mut boss = play.boss().await;
    let first = v1::CorrectClassificationRequest {
        category: "service.attitude".to_owned(),
        sentiment: Sentiment::Positive.into(),
        ..correction(&found.name)
    };
    boss.correct_classification(first).await.unwrap();
    let second = v1::CorrectClassificationRequest {
        category: "logistics.damage".to_owned(),
        ..correction(&found.name)
    };
    boss.correct_classification(second).await.unwrap();

    let mut models = play.models().await;
    let mut examples = async |task: &v1::Task| {
        let request = v1::ListExamplesRequest {
            parent: task.name.clone(),
            filter: "source = CORRECTION".to_owned(),
            ..Default::default()
        };
        models.list_examples(request).await.unwrap().into_inner().examples
    };
    let learnt = examples(&nature).await;
    let [example] = learnt.as_slice() else {
        panic!("{learnt:?}")
    };
    assert_eq!(
        (example.label.as_str(), example.text.as_str()),
        ("logistics.damage", text)
    );
    assert_eq!(example.feedback, found.feedback.unwrap().feedback);
    assert_eq!(example.author, "user:boss");
    assert_eq!(examples(&tone).await[0].label, "POSITIVE");
    assert!(examples(&module).await.is_empty());
}
