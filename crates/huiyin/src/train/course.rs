//! One training over the public RPCs: a task, its examples, the operation, the evaluation; then the task goes.

use std::time::Duration;

use anyhow::Context as _;
use futures::stream;
use huiyin_chassis::secret;
use huiyin_proto::{
    classifier::v1::{
        CreateTaskRequest, DeleteTaskRequest, Example, ExampleSide, ImportExamplesRequest, ListTasksRequest, Model,
        Task, TaskTarget, TrainModelRequest,
    },
    google::longrunning::{Operation, WaitOperationRequest, operation},
};
use serde::Serialize;

use super::rows::Row;
use crate::link::Link;

/// A message carries so many examples, and about so many bytes of text, at most.
const BATCH: usize = 500;
const BATCH_BYTES: usize = 1 << 20;
/// The longest text that an example may have, in characters.
const LONGEST: usize = 20_000;

/// How good a model became.
#[derive(Debug, Clone, Serialize)]
pub struct Measured {
    /// What the texts are.
    pub set: String,
    /// Texts that it learnt from.
    pub train_texts: usize,
    /// Texts that it was tried on.
    pub test_texts: usize,
    /// Share of texts whose label it gave, 0 … 1.
    pub accuracy: f64,
    /// Mean of the labels' F1, 0 … 1.
    pub macro_f1: f64,
    /// Expected calibration error, 0 … 1.
    pub ece: f64,
    /// Texts read in a second of processor time, on one core.
    pub texts_per_cpu_s: f64,
    /// Seconds of training.
    pub train_s: f64,
    /// Megabytes (10⁶ bytes) of the model.
    pub model_mb: f64,
}

/// True where somebody answers for models there.
pub(super) async fn answers(link: &Link) -> bool {
    let request = ListTasksRequest {
        parent: link.parent.clone(),
        page_size: 1,
        ..ListTasksRequest::default()
    };
    link.models().list_tasks(request).await.is_ok()
}

/// Trains on some rows and evaluates on others.
pub(super) async fn measure(link: &Link, set: &str, train: &[Row], test: &[Row]) -> anyhow::Result<Measured> {
    let task = link
        .models()
        .create_task(CreateTaskRequest {
            parent: link.parent.clone(),
            task_id: format!("eval-{:016x}", u64::from_be_bytes(secret::random_bytes())),
            task: Some(Task {
                display_name: set.chars().take(200).collect(),
                target: TaskTarget::Labels.into(),
                ..Task::default()
            }),
            ..CreateTaskRequest::default()
        })
        .await?
        .into_inner();
    let model = course(link, &task.name, train, test).await;
    // Also where it went wrong: the task is nobody else's.
    let request = DeleteTaskRequest {
        name: task.name,
        ..DeleteTaskRequest::default()
    };
    link.models().delete_task(request).await?;
    let model = model?;
    let evaluation = model.evaluation.context("test.jsonl holds no text")?;
    Ok(Measured {
        set: set.to_owned(),
        train_texts: train.len(),
        test_texts: test.len(),
        accuracy: evaluation.accuracy,
        macro_f1: evaluation.macro_f1,
        ece: evaluation.ece,
        texts_per_cpu_s: evaluation.texts_per_cpu_second,
        train_s: model.train_seconds,
        #[expect(clippy::cast_precision_loss, reason = "bytes of a model")]
        model_mb: model.size_bytes as f64 / 1e6,
    })
}

async fn course(link: &Link, task: &str, train: &[Row], test: &[Row]) -> anyhow::Result<Model> {
    let sides = [
        ("train", train, ExampleSide::Training),
        ("test", test, ExampleSide::HoldOut),
    ];
    let examples = sides.into_iter().flat_map(|(side, rows, number)| {
        // By its place: whatever ids the file has, no line is lost, and none stands on both sides.
        let numbered = rows.iter().enumerate();
        numbered.map(move |(place, row)| Example {
            id: format!("{side}-{place:08}"),
            text: text(&row.text),
            label: row.label.clone(),
            side: number.into(),
            ..Example::default()
        })
    });
    let messages = batches(task, examples);
    let imported = link
        .models()
        .import_examples(stream::iter(messages))
        .await?
        .into_inner();
    if let Some(refusal) = imported.refusals.first() {
        anyhow::bail!(
            "{} lines were refused; {}: {}",
            imported.refused,
            refusal.id,
            refusal.violations.join(", ")
        );
    }
    let request = TrainModelRequest {
        name: task.to_owned(),
        ..TrainModelRequest::default()
    };
    let mut operation = link.models().train_model(request).await?.into_inner();
    while !operation.done {
        let request = WaitOperationRequest {
            name: operation.name,
            timeout: Some(Duration::from_secs(20).try_into()?),
        };
        operation = link
            .operations("classifier")
            .wait_operation(request)
            .await?
            .into_inner();
    }
    ended(operation)
}

fn ended(operation: Operation) -> anyhow::Result<Model> {
    match operation.result {
        Some(operation::Result::Response(response)) => Ok(response.to_msg()?),
        Some(operation::Result::Error(error)) => anyhow::bail!("training failed: {}", error.message),
        None => anyhow::bail!("training ended without a result"),
    }
}

/// A text as an example may have it.
fn text(text: &str) -> String {
    // U+0000 stands in no database, and an empty text says as much as a blank one.
    let text: String = text.chars().filter(|char| *char != '\0').take(LONGEST).collect();
    if text.is_empty() { " ".to_owned() } else { text }
}

fn batches(task: &str, examples: impl Iterator<Item = Example>) -> Vec<ImportExamplesRequest> {
    let mut messages = vec![ImportExamplesRequest {
        parent: task.to_owned(),
        examples: Vec::new(),
    }];
    let mut bytes = 0;
    for example in examples {
        bytes += example.text.len();
        match messages.last_mut() {
            Some(message) if message.examples.len() < BATCH && bytes < BATCH_BYTES => message.examples.push(example),
            _ => {
                bytes = example.text.len();
                messages.push(ImportExamplesRequest {
                    parent: task.to_owned(),
                    examples: vec![example],
                });
            }
        }
    }
    messages
}
