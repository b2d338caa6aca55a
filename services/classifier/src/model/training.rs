//! Training as a long-running operation: learn from the examples, judge on the hold-out, keep the next version.

use std::{sync::Arc, time::Instant};

use huiyin_chassis::{
    Refusal, Tenant,
    operations::{Ended, Operation, Run, Signal},
    repeat::{self, Repeatable},
    secret,
};

use super::{
    convert::{self, TrainModelRequest},
    domain::{Judgement, Labelled, Task, Version, labels_of},
    judging::{aside, judge},
    reader::{Reader, Rules},
    store::{self, Hold},
    store_examples, store_models, tasks,
};
use crate::{
    error::Error,
    learning::{Hints, Model, Options, Untrainable},
    room::Room,
};

/// The kind of operation that trains.
pub(crate) const KIND: &str = "classifier.TrainModel";

/// Starts training the next version of a task.
pub(super) async fn start(
    room: &Room,
    tenant: &Tenant,
    task: &str,
    author: &str,
    request: &TrainModelRequest,
    repeat: Option<Repeatable>,
) -> Result<Operation, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
        return Ok(answer);
    }
    tasks::existing(&mut tx, tenant, task, Hold::Free).await?;
    let operation = room.operations.start(&mut tx, tenant, author, KIND, request).await?;
    repeat::commit(tx, &room.clock, repeat.as_ref(), operation).await
}

/// What came of learning.
struct Learnt {
    model: Arc<Model>,
    content: Vec<u8>,
    seconds: f64,
    judgement: Option<Judgement>,
}

/// Trains, judges and keeps. Nothing is kept before the end, so an attempt after a crash begins anew.
pub(crate) async fn carry_out(room: &Room, run: &Run) -> Result<Ended, Refusal> {
    let asked: TrainModelRequest = run.request()?;
    let id = asked.name.rsplit('/').next().unwrap_or_default();
    run.report("waiting for another training", 0, 0);
    let _alone = room.training.acquire().await.map_err(Refusal::fault)?;
    run.report("reading examples", 0, 0);
    let mut tx = run.begin().await?;
    let task = tasks::existing(&mut tx, &run.tenant, id, Hold::Free).await?;
    let training = store_examples::labelled(&mut tx, &run.tenant, &task, false).await?;
    let hold_out = store_examples::labelled(&mut tx, &run.tenant, &task, true).await?;
    let rules = match task.about() {
        Some(about) => {
            let lexicon = room.lexicons.active(&mut tx, &run.tenant).await?;
            Some(Rules { lexicon, about })
        }
        None => None,
    };
    tx.rollback().await;

    let examples = training.len();
    let (signal, threshold) = (run.signal(), task.threshold);
    let learnt = aside(move || learn(&training, &hold_out, rules, threshold, &signal)).await?;
    let learnt = learnt.map_err(|problem| refused(&run.tenant, &task, problem))?;

    run.report("keeping", 100, 100);
    let mut tx = run.begin().await?;
    let (begun, first_training_bucket) = (task.create_time, task.first_training_bucket());
    let mut task = tasks::existing(&mut tx, &run.tenant, id, Hold::Whole).await?;
    if task.create_time != begun {
        return Err(Refusal::not_found(&asked.name)); // deleted, and another made of the same id
    }
    task.last_version += 1;
    let version = Version {
        version: task.last_version,
        change_reason: asked.change_reason,
        labels: learnt.model.labels().to_vec(),
        training_examples: i64::try_from(examples).unwrap_or(i64::MAX),
        first_training_bucket: Some(first_training_bucket),
        judgement: learnt.judgement,
        train_seconds: learnt.seconds,
        rules_version: learnt.model.rules(),
        size_bytes: i64::try_from(learnt.content.len()).unwrap_or(i64::MAX),
        digest: secret::hash(&learnt.content)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
        author: run.author.clone(),
        create_time: room.clock.now(),
    };
    store::update(&mut tx, &run.tenant, &task).await?;
    store_models::insert(&mut tx, &run.tenant, &task.id, &version, &learnt.content).await?;
    room.meters.trained(&mut tx, learnt.seconds);
    run.finish(tx, &convert::model(&run.tenant, &task, &version)).await
}

/// Takes a while: not for an async task.
fn learn(
    training: &[Labelled],
    hold_out: &[Labelled],
    rules: Option<Rules>,
    threshold: f64,
    signal: &Signal,
) -> Result<Learnt, Untrainable> {
    let labels = labels_of(training);
    let examples: Vec<(&str, usize)> = training
        .iter()
        // Holds because the labels are those of the training examples, in order.
        .filter_map(|(text, label)| Some((text.as_str(), labels.binary_search(label).ok()?)))
        .collect();
    let began = Instant::now();
    let hints = rules
        .as_ref()
        .map(|rules| hints(rules, &examples, signal))
        .transpose()?;
    let model = Model::train(&labels, &examples, hints.as_ref(), &Options::default(), &mut |share| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share between 0 and 1, as percent"
        )]
        let percent = (share.clamp(0.0, 1.0) * 100.0) as usize;
        signal.report("training", percent, 100)
    })?;
    let seconds = began.elapsed().as_secs_f64();
    if !signal.report("evaluating", 100, 100) {
        return Err(Untrainable::Stopped);
    }
    let content = model.to_bytes();
    let reader = Reader {
        model: Arc::new(model),
        rules,
    };
    let judgement = (!hold_out.is_empty()).then(|| judge(&reader, hold_out, threshold));
    Ok(Learnt {
        content,
        model: reader.model,
        seconds,
        judgement,
    })
}

/// What the rules find in each example. They may be slow, by the will of their author: between two examples it can be stopped.
fn hints(rules: &Rules, examples: &[(&str, usize)], signal: &Signal) -> Result<Hints, Untrainable> {
    let found = examples.iter().enumerate().map(|(at, (text, _))| {
        let goes_on = signal.report("looking for rules", at, examples.len());
        goes_on.then(|| rules.hints(text)).ok_or(Untrainable::Stopped)
    });
    Ok(Hints {
        version: rules.lexicon.version,
        found: found.collect::<Result<_, _>>()?,
    })
}

fn refused(tenant: &Tenant, task: &Task, problem: Untrainable) -> Refusal {
    match problem {
        Untrainable::Stopped => Refusal::operation_cancelled(),
        problem => Error::Untrainable {
            task: tenant.child(convert::TASKS, &task.id),
            problem: problem.to_string(),
        }
        .into(),
    }
}
