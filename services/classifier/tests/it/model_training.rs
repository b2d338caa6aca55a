//! Training that does not come to its end.

use huiyin_proto::{
    classifier::v1,
    google::longrunning::{CancelOperationRequest, GetOperationRequest, operation},
    r#type::v1::OperationMetadata,
};
use huiyin_testkit::eventually;
use sqlx::Connection as _;
use tonic::Code;
use tonic_types::RpcStatusExt as _;

use crate::{
    models::{example, labels_task, two_topics},
    play::{LIMIT, Play, refused},
};

#[tokio::test(flavor = "multi_thread")]
async fn training_that_cannot_succeed_says_why_and_is_started_once_for_a_request_id() {
    let play = Play::begin().await;
    let task = play.task("topics", labels_task()).await;
    play.import(
        &task.name,
        vec![example("1", "好", "only"), example("2", "很好", "only")],
    )
    .await;
    let request = v1::TrainModelRequest {
        name: task.name.clone(),
        request_id: "0195a000-0000-4000-8000-000000000001".to_owned(),
        ..Default::default()
    };
    let mut models = play.models().await;
    let first = models.train_model(request.clone()).await.unwrap().into_inner();
    let second = models.train_model(request).await.unwrap().into_inner();
    assert_eq!(first.name, second.name);
    let ended = play.ended(&first.name).await;
    let Some(operation::Result::Error(error)) = &ended.result else {
        panic!("{ended:?}")
    };
    let details = error.get_error_details();
    let info = details.error_info().unwrap();
    assert_eq!(
        (info.reason.as_str(), info.domain.as_str()),
        ("TASK_UNTRAINABLE", "huiyin.classifier")
    );
    assert!(details.localized_message().is_some());
    let metadata: OperationMetadata = ended.metadata.unwrap().to_msg().unwrap();
    assert_eq!(
        (metadata.kind.as_str(), metadata.author.as_str()),
        ("classifier.TrainModel", "user:boss")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn training_that_is_cancelled_leaves_no_version() {
    let play = Play::begin().await;
    let task = play.task("topics", labels_task()).await;
    // Enough to take a moment; whether it is cancelled before or while it runs, nothing may be kept.
    play.import(&task.name, two_topics(6000)).await;
    let started = play.started(&task.name).await;
    let mut operations = play.operations().await;
    let cancel = CancelOperationRequest {
        name: started.name.clone(),
    };
    operations.cancel_operation(cancel).await.unwrap();
    let ended = play.ended(&started.name).await;
    let mut models = play.models().await;
    let versions = models
        .list_models(v1::ListModelsRequest {
            parent: task.name.clone(),
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner();
    let cancelled = matches!(ended.result, Some(operation::Result::Error(_)));
    assert_eq!(
        versions.models.is_empty(),
        cancelled,
        "a version is kept with its operation, or not at all"
    );

    // Deleted with all that is its own; its operations stay.
    let delete = v1::DeleteTaskRequest {
        name: task.name.clone(),
        ..Default::default()
    };
    models.delete_task(delete).await.unwrap();
    let gone = models.get_task(v1::GetTaskRequest { name: task.name }).await;
    assert_eq!(refused(gone).0, Code::NotFound);
    let request = GetOperationRequest { name: started.name };
    assert!(operations.get_operation(request).await.unwrap().into_inner().done);
}

/// Each training may need most of a gigabyte: two at once would be more than a pod has.
#[tokio::test(flavor = "multi_thread")]
async fn one_trains_at_a_time_and_the_other_says_that_it_waits() {
    let play = Play::begin().await;
    let mut tasks = Vec::new();
    for id in ["topics", "tones"] {
        let task = play.task(id, labels_task()).await;
        play.import(&task.name, two_topics(100)).await;
        tasks.push(task.name);
    }
    let mut owner = sqlx::PgConnection::connect(&play.stage.database_url()).await.unwrap();
    let mut held = owner.begin().await.unwrap();
    sqlx::query("LOCK TABLE example").execute(&mut *held).await.unwrap();

    let first = play.started(&tasks[0]).await;
    eventually("the first reads its examples", LIMIT, async || {
        let waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'example'::regclass AND NOT granted";
        let waiting: i64 = sqlx::query_scalar(waiting).fetch_one(&mut *held).await.unwrap();
        (waiting > 0).then_some(())
    })
    .await;
    let second = play.started(&tasks[1]).await;
    let mut operations = play.operations().await;
    eventually("the second waits", LIMIT, async || {
        let request = GetOperationRequest {
            name: second.name.clone(),
        };
        let operation = operations.get_operation(request).await.unwrap().into_inner();
        let metadata: OperationMetadata = operation.metadata.unwrap().to_msg().unwrap();
        (metadata.stage == "waiting for another training").then_some(())
    })
    .await;

    held.rollback().await.unwrap();
    for operation in [first, second] {
        let ended = play.ended(&operation.name).await;
        assert!(
            matches!(ended.result, Some(operation::Result::Response(_))),
            "{ended:?}"
        );
    }
}

/// A model tells 1,000 labels apart and no more; who wants more hears so, and no version is made.
#[tokio::test(flavor = "multi_thread")]
async fn more_than_a_thousand_labels_are_refused() {
    let play = Play::begin().await;
    let task = play.task("topics", labels_task()).await;
    let labels = (0..1_001).map(|place| v1::Example {
        side: v1::ExampleSide::Training.into(),
        ..example(&format!("e{place}"), &format!("第{place}类"), &format!("l{place}"))
    });
    play.import(&task.name, labels.collect()).await;
    let ended = play.ended(&play.started(&task.name).await.name).await;
    let Some(operation::Result::Error(error)) = &ended.result else {
        panic!("{ended:?}")
    };
    assert_eq!(
        error.get_error_details().error_info().unwrap().reason,
        "TASK_UNTRAINABLE"
    );
    assert!(error.message.contains("1000 labels"), "{}", error.message);
    let request = v1::ListModelsRequest {
        parent: task.name,
        ..Default::default()
    };
    let made = play.models().await.list_models(request).await.unwrap().into_inner();
    assert!(made.models.is_empty(), "{made:?}");
}
