//! Models: trained from examples, judged, activated, asked.

use futures::stream;
use huiyin_proto::{
    classifier::v1::{self, model_service_client::ModelServiceClient},
    google::longrunning::{Operation, WaitOperationRequest, operation, operations_client::OperationsClient},
};
use huiyin_testkit::{Connection, eventually};
use sqlx::Connection as _;
use tonic::Code;

use crate::play::{LIMIT, PARENT, Play, TENANT, refused};

type Models = ModelServiceClient<Connection>;

impl Play {
    pub(crate) async fn models(&self) -> Models {
        let token = self.stage.token("user:boss", TENANT, &["supervisor"]);
        ModelServiceClient::new(self.stage.connect(self.running.address, &token).await)
    }

    pub(crate) async fn operations(&self) -> OperationsClient<Connection> {
        let token = self.stage.token("user:boss", TENANT, &["supervisor"]);
        OperationsClient::new(self.stage.connect(self.running.address, &token).await)
    }

    pub(crate) async fn task(&self, id: &str, task: v1::Task) -> v1::Task {
        let request = v1::CreateTaskRequest {
            parent: PARENT.to_owned(),
            task_id: id.to_owned(),
            task: Some(task),
            ..Default::default()
        };
        self.models().await.create_task(request).await.unwrap().into_inner()
    }

    pub(crate) async fn import(&self, task: &str, examples: Vec<v1::Example>) -> v1::ImportExamplesResponse {
        let messages: Vec<v1::ImportExamplesRequest> = examples
            .chunks(300)
            .map(|examples| v1::ImportExamplesRequest {
                parent: task.to_owned(),
                examples: examples.to_vec(),
            })
            .collect();
        let answer = self.models().await.import_examples(stream::iter(messages)).await;
        answer.unwrap().into_inner()
    }

    pub(crate) async fn started(&self, task: &str) -> Operation {
        let request = v1::TrainModelRequest {
            name: task.to_owned(),
            change_reason: "更多样本".to_owned(),
            ..Default::default()
        };
        self.models().await.train_model(request).await.unwrap().into_inner()
    }

    pub(crate) async fn ended(&self, name: &str) -> Operation {
        let mut operations = self.operations().await;
        eventually("the operation has ended", LIMIT * 4, async || {
            let request = WaitOperationRequest {
                name: name.to_owned(),
                timeout: Some(prost_types::Duration { seconds: 5, nanos: 0 }),
            };
            let operation = operations.wait_operation(request).await.unwrap().into_inner();
            operation.done.then_some(operation)
        })
        .await
    }

    pub(crate) async fn trained(&self, task: &str) -> v1::Model {
        let operation = self.ended(&self.started(task).await.name).await;
        match operation.result.unwrap() {
            operation::Result::Response(response) => response.to_msg().unwrap(),
            operation::Result::Error(error) => panic!("{error:?}"),
        }
    }

    pub(crate) async fn activated(&self, model: &v1::Model) -> v1::Task {
        self.models()
            .await
            .activate_model(activation(model))
            .await
            .unwrap()
            .into_inner()
    }
}

pub(crate) fn activation(model: &v1::Model) -> v1::ActivateModelRequest {
    v1::ActivateModelRequest {
        name: model.name.clone(),
        ..Default::default()
    }
}

pub(crate) fn labels_task() -> v1::Task {
    v1::Task {
        target: v1::TaskTarget::Labels.into(),
        ..Default::default()
    }
}

pub(crate) fn example(id: &str, text: &str, label: &str) -> v1::Example {
    v1::Example {
        id: id.to_owned(),
        text: text.to_owned(),
        label: label.to_owned(),
        ..Default::default()
    }
}

/// Sentences that a model can tell apart: what is said of the delivery, and what of the app.
pub(crate) fn two_topics(count: usize) -> Vec<v1::Example> {
    let openings = ["今天", "昨天", "上周", "刚刚", "又一次", "周末", "早上", "晚上"];
    let topics = [
        (
            "delivery",
            ["快递太慢了", "包裹迟迟没到", "物流一直不动", "配送员态度差"],
        ),
        ("app", ["应用打不开", "软件又闪退", "界面卡住不动", "登录总是失败"]),
    ];
    (0..count)
        .map(|place| {
            let (label, said) = &topics[place % 2];
            let opening = openings[(place / 2) % openings.len()];
            let text = format!("{opening}{}，第{place}次了", said[(place / 16) % said.len()]);
            example(&format!("e{place}"), &text, label)
        })
        .collect()
}

/// Issue 3, "Model per task": trained from a tenant's own labels in an operation, evaluated on a fixed hold-out, activated, asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_trained_from_a_tenants_own_labels_evaluated_activated_and_asked() {
    let play = Play::begin().await;
    let task = play.task("topics", labels_task()).await;
    assert_eq!((task.threshold, task.hold_out_share), (0.6, 0.2));
    let imported = play.import(&task.name, two_topics(400)).await;
    assert_eq!((imported.stored, imported.unchanged, imported.refused), (400, 0, 0));
    // The same stream again, as after it broke.
    let again = play.import(&task.name, two_topics(400)).await;
    assert_eq!((again.stored, again.unchanged), (0, 400));

    let model = play.trained(&task.name).await;
    assert_eq!((model.version, model.change_reason.as_str()), (1, "更多样本"));
    assert_eq!(model.labels, ["app", "delivery"]);
    assert_eq!(model.digest.len(), 64);
    let evaluation = model.evaluation.clone().unwrap();
    let mut models = play.models().await;
    let task = models
        .get_task(v1::GetTaskRequest { name: task.name })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(evaluation.texts, task.hold_out_examples);
    assert_eq!(task.training_examples + task.hold_out_examples, 400);
    assert!(
        (50..110).contains(&task.hold_out_examples),
        "{}",
        task.hold_out_examples
    );
    assert_eq!(task.active_version, 0, "training decides nothing");
    assert!(
        evaluation.accuracy > 0.95 && evaluation.macro_f1 > 0.95,
        "{evaluation:?}"
    );
    assert!(evaluation.texts_per_cpu_second > 0.0 && model.size_bytes > 0);
    let matrix = models
        .get_confusion_matrix(v1::GetConfusionMatrixRequest {
            name: model.name.clone(),
        })
        .await
        .unwrap()
        .into_inner();
    let counted: i64 = matrix.rows.iter().flat_map(|row| &row.texts).sum();
    assert_eq!((matrix.labels.len(), counted), (2, evaluation.texts));

    let ask = |version: i32| v1::PredictRequest {
        name: task.name.clone(),
        version,
        texts: vec!["快递又太慢了".to_owned(), "软件闪退".to_owned(), "嗯".to_owned()],
    };
    assert_eq!(
        refused(models.predict(ask(0)).await),
        (Code::FailedPrecondition, "MODEL_NOT_ACTIVE".to_owned())
    );
    let task = play.activated(&model).await;
    assert_eq!(task.active_version, 1);
    let answer = models.predict(ask(0)).await.unwrap().into_inner();
    assert_eq!(answer.version, 1);
    let said: Vec<&str> = answer.predictions.iter().map(|said| said.label.as_str()).collect();
    assert_eq!(said, ["delivery", "app", ""], "{answer:?}");
    let unsure = &answer.predictions[2];
    assert!(unsure.abstained && unsure.confidence < 0.6, "{unsure:?}");
    let piece = &answer.predictions[1].evidence[0];
    assert!(
        piece.weight > 0.0 && piece.start < piece.end && piece.end <= 4,
        "{piece:?}"
    );
    let masked = v1::PredictRequest {
        texts: vec!["我的电话13812345678，软件闪退".to_owned()],
        ..ask(0)
    };
    let masked = models.predict(masked).await.unwrap().into_inner().predictions.remove(0);
    let length = i32::try_from(masked.masked_text.chars().count()).unwrap();
    assert_eq!(masked.masked_text, "我的电话[手机号]，软件闪退");
    assert!(masked.evidence.iter().all(|piece| piece.end <= length), "{masked:?}");
    assert_eq!(answer.predictions[0].masked_text, "", "the text that was sent");
    let mut owner = sqlx::PgConnection::connect(&play.stage.database_url()).await.unwrap();
    let kept: (bool, i32) = sqlx::query_as("SELECT evaluation ? 'confusion', cardinality(confusion) FROM model")
        .fetch_one(&mut owner)
        .await
        .unwrap();
    assert_eq!(kept, (false, 4), "the matrix is kept for itself");
    let shares: f64 = answer.predictions[0]
        .candidates
        .iter()
        .map(|label| label.probability)
        .sum();
    assert!((shares - 1.0).abs() < 1e-3, "{shares}");
}

/// Issue 3: "rules are features and overrides. From day one, with no label at all, the rules carry it."
#[tokio::test(flavor = "multi_thread")]
async fn an_active_model_labels_its_dimension_where_it_is_sure_and_the_words_carry_the_rest() {
    let play = Play::begin().await;
    let before = play.classified("配送员把包裹送错楼了").await;
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
    let examples = two_topics(400)
        .into_iter()
        .map(|example| v1::Example {
            label: if example.label == "app" {
                "function.crash"
            } else {
                "service.attitude"
            }
            .to_owned(),
            ..example
        })
        .collect();
    let imported = play.import(&task.name, examples).await;
    assert_eq!(imported.refused, 0, "{imported:?}");
    let model = play.trained(&task.name).await;
    // Trained and not active: nothing changes.
    assert_eq!(play.classified("配送员把包裹送错楼了").await.category, before.category);
    play.activated(&model).await;

    let by_model = play.classified("配送员又把包裹送错楼了，快递太慢").await;
    assert_eq!(by_model.category, "service.attitude", "{by_model:?}");
    assert_eq!(by_model.labels[0].model, model.name);
    assert!(by_model.labels[0].confidence >= 0.6 && by_model.labels[0].confidence <= 1.0);
    assert!(by_model.basis.contains(&model.name), "{}", by_model.basis);
    let told = play.told(&by_model.feedback.clone().unwrap().feedback, 1).await;
    assert_eq!(told[0].1.labels[0].model, model.name);

    // It says nothing like what it has learnt: it abstains, and the words carry it.
    let by_words = play.classified("要求开发票，invoice please").await;
    assert!(
        by_words.labels.iter().all(|label| label.model.is_empty()),
        "{by_words:?}"
    );

    // Whoever tries a text without a version sees the same; a version is tried by itself.
    let mut boss = play.boss().await;
    let try_text = |taxonomy_version: Option<i32>| v1::ClassifyTextRequest {
        parent: PARENT.to_owned(),
        text: "配送员又把包裹送错楼了，快递太慢".to_owned(),
        taxonomy_version,
        ..Default::default()
    };
    let tried = boss.classify_text(try_text(None)).await.unwrap().into_inner();
    assert_eq!(tried.category, "service.attitude");
    let alone = boss.classify_text(try_text(Some(0))).await.unwrap().into_inner();
    assert!(alone.labels.iter().all(|label| label.model.is_empty()));
}
