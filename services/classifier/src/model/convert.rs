//! Between tasks, examples and versions of the domain and those of the proto.

use huiyin_chassis::{Refusal, Tenant, mask::mask, sql};
use huiyin_proto::{classifier::v1, codec};
use jiff::Timestamp;

pub(super) use huiyin_proto::classifier::v1::{
    Model as ModelAnswer, ShadowReport as ShadowAnswer, Task as TaskAnswer, TrainModelRequest,
};

use super::{
    asking::Reading,
    domain::{
        Counts, DEFAULT_HOLD_OUT, DEFAULT_THRESHOLD, Example, Judgement, Labelled, Side, Source, Target, Task, Version,
    },
    examples::Imported,
    shadow::Report,
    tasks::reviewable,
};

/// The part of a name behind `tenants/{tenant}/`.
pub(super) const TASKS: &str = "tasks";

/// A target; none where the number is none of ours.
pub(super) fn target(number: i32) -> Option<Target> {
    match v1::TaskTarget::try_from(number) {
        Ok(v1::TaskTarget::Labels) => Some(Target::Labels),
        Ok(v1::TaskTarget::Dimension) => Some(Target::Dimension),
        Ok(v1::TaskTarget::Sentiment) => Some(Target::Sentiment),
        Ok(v1::TaskTarget::Unspecified) | Err(_) => None,
    }
}

/// The number of a target.
pub(super) fn target_number(target: Target) -> i32 {
    match target {
        Target::Labels => v1::TaskTarget::Labels,
        Target::Dimension => v1::TaskTarget::Dimension,
        Target::Sentiment => v1::TaskTarget::Sentiment,
    }
    .into()
}

/// A side; none where the number is none of ours.
pub(super) fn side(number: i32) -> Option<Side> {
    match v1::ExampleSide::try_from(number) {
        Ok(v1::ExampleSide::Unspecified) => Some(Side::ByHash),
        Ok(v1::ExampleSide::Training) => Some(Side::Training),
        Ok(v1::ExampleSide::HoldOut) => Some(Side::HoldOut),
        Err(_) => None,
    }
}

/// The number of a side.
pub(super) fn side_number(side: Side) -> i32 {
    match side {
        Side::ByHash => v1::ExampleSide::Unspecified,
        Side::Training => v1::ExampleSide::Training,
        Side::HoldOut => v1::ExampleSide::HoldOut,
    }
    .into()
}

/// A source; none where the number is none of ours.
pub(super) fn source(number: i32) -> Option<Source> {
    match v1::ExampleSource::try_from(number) {
        Ok(v1::ExampleSource::Import) => Some(Source::Import),
        Ok(v1::ExampleSource::Correction) => Some(Source::Correction),
        Ok(v1::ExampleSource::Review) => Some(Source::Review),
        Ok(v1::ExampleSource::Unspecified) | Err(_) => None,
    }
}

/// The number of a source.
pub(super) fn source_number(source: Source) -> i32 {
    match source {
        Source::Import => v1::ExampleSource::Import,
        Source::Correction => v1::ExampleSource::Correction,
        Source::Review => v1::ExampleSource::Review,
    }
    .into()
}

/// A task to make.
pub(super) fn new_task(task: v1::Task, id: String, author: &str, now: Timestamp) -> Result<Task, Refusal> {
    let wanted = target(task.target).ok_or_else(|| Refusal::invalid_field("task.target", "must be said"))?;
    if (wanted == Target::Dimension) == task.dimension.is_empty() {
        return Err(Refusal::invalid_field(
            "task.dimension",
            "must be said where the target is a dimension, and only there",
        ));
    }
    let or = |said: f64, default: f64| if said == 0.0 { default } else { said };
    let task = Task {
        id,
        display_name: task.display_name,
        target: wanted,
        dimension: task.dimension,
        threshold: or(task.threshold, DEFAULT_THRESHOLD),
        hold_out_share: or(task.hold_out_share, DEFAULT_HOLD_OUT),
        review_share: task.review_share,
        double_coding_share: task.double_coding_share,
        last_version: 0,
        active_version: 0,
        previous_versions: Vec::new(),
        shadow_version: 0,
        revision: 1,
        author: author.to_owned(),
        create_time: now,
        update_time: now,
    };
    reviewable(&task, "task.")?;
    Ok(task)
}

/// A task; lists leave out how many examples it has.
pub(super) fn task(tenant: &Tenant, task: &Task, counts: Counts) -> v1::Task {
    v1::Task {
        name: tenant.child(TASKS, &task.id),
        display_name: task.display_name.clone(),
        target: target_number(task.target),
        dimension: task.dimension.clone(),
        threshold: task.threshold,
        hold_out_share: task.hold_out_share,
        review_share: task.review_share,
        double_coding_share: task.double_coding_share,
        active_version: task.active_version,
        shadow_version: task.shadow_version,
        training_examples: counts.training,
        hold_out_examples: counts.hold_out,
        etag: task.revision.to_string(),
        author: task.author.clone(),
        create_time: Some(sql::to_proto(task.create_time)),
        update_time: Some(sql::to_proto(task.update_time)),
    }
}

/// An example of a stream, or its id with what is wrong about it.
pub(super) fn incoming(example: v1::Example, author: &str, now: Timestamp) -> Result<Example, (String, Vec<String>)> {
    let violations = codec::violations(&example);
    if !violations.is_empty() {
        let id = example.id.chars().take(128).collect();
        let said = violations
            .into_iter()
            .map(|(field, problem)| format!("{field}: {problem}"));
        return Err((id, said.collect()));
    }
    Ok(Example {
        side: side(example.side).unwrap_or(Side::ByHash),
        id: example.id,
        text: mask(&example.text),
        label: example.label,
        source: Source::Import,
        feedback: String::new(),
        author: author.to_owned(),
        create_time: now,
    })
}

/// Texts of a stream to try a version on, of which `before` came before.
pub(super) fn labelled(examples: Vec<v1::Example>, before: usize) -> Result<Vec<Labelled>, Refusal> {
    let labelled = |(place, mut example): (usize, v1::Example)| {
        "1".clone_into(&mut example.id); // only text and label are looked at
        example.side = 0;
        match codec::violations(&example).into_iter().next() {
            Some((field, problem)) => Err(Refusal::invalid_field(
                &format!("examples[{}].{field}", before + place),
                problem,
            )),
            None => Ok((mask(&example.text), example.label)),
        }
    };
    examples.into_iter().enumerate().map(labelled).collect()
}

/// What became of an import.
pub(super) fn imported(imported: Imported) -> v1::ImportExamplesResponse {
    let refusals = imported.refusals.into_iter();
    v1::ImportExamplesResponse {
        stored: imported.stored,
        unchanged: imported.unchanged,
        refused: imported.refused,
        refusals: refusals
            .map(|(index, id, violations)| v1::ExampleRefusal { index, id, violations })
            .collect(),
    }
}

/// An example.
pub(super) fn example(tenant: &Tenant, task: &str, example: &Example) -> v1::Example {
    v1::Example {
        name: format!("{}/examples/{}", tenant.child(TASKS, task), example.id),
        id: example.id.clone(),
        text: example.text.clone(),
        label: example.label.clone(),
        side: side_number(example.side),
        source: source_number(example.source),
        feedback: example.feedback.clone(),
        author: example.author.clone(),
        create_time: Some(sql::to_proto(example.create_time)),
    }
}

/// The name of a version.
pub(super) fn model_name(tenant: &Tenant, task: &str, version: i32) -> String {
    format!("{}/models/{version}", tenant.child(TASKS, task))
}

/// A version of a task.
pub(super) fn model(tenant: &Tenant, task: &Task, version: &Version) -> v1::Model {
    v1::Model {
        name: model_name(tenant, &task.id, version.version),
        version: version.version,
        change_reason: version.change_reason.clone(),
        labels: version.labels.clone(),
        training_examples: version.training_examples,
        evaluation: version.judgement.as_ref().map(evaluation),
        train_seconds: version.train_seconds,
        size_bytes: version.size_bytes,
        digest: version.digest.clone(),
        author: version.author.clone(),
        create_time: Some(sql::to_proto(version.create_time)),
        active: task.active_version == version.version,
        shadow: task.shadow_version == version.version,
        rules_version: version.rules_version,
    }
}

/// How good a version is.
pub(super) fn evaluation(judgement: &Judgement) -> v1::Evaluation {
    let labels = judgement.labels.iter();
    v1::Evaluation {
        texts: judgement.texts,
        accuracy: judgement.accuracy,
        macro_f1: judgement.macro_f1,
        ece: judgement.ece,
        labels: labels
            .map(|label| v1::LabelEvaluation {
                label: label.label.clone(),
                precision: label.precision,
                recall: label.recall,
                f1: label.f1,
                texts: label.texts,
            })
            .collect(),
        texts_per_cpu_second: judgement.texts_per_cpu_second,
        coverage: judgement.coverage,
        covered_accuracy: judgement.covered_accuracy,
        unknown_texts: judgement.unknown_texts,
    }
}

/// Which labels it took for which.
pub(super) fn confusion(judgement: &Judgement) -> v1::ConfusionMatrix {
    let rows = judgement.confusion.chunks(judgement.labels.len().max(1));
    v1::ConfusionMatrix {
        labels: judgement.labels.iter().map(|label| label.label.clone()).collect(),
        rows: rows
            .map(|row| v1::ConfusionRow {
                texts: row.iter().map(|texts| i64::from(*texts)).collect(),
            })
            .collect(),
    }
}

/// How a version did in the shadow.
pub(super) fn shadow_report(name: &str, report: &Report) -> ShadowAnswer {
    #[expect(clippy::cast_precision_loss, reason = "counts of texts")]
    let share = |part: i64, of: i64| (of > 0).then(|| part as f64 / of as f64);
    let accuracy = |right: i64| v1::ShadowAccuracy {
        known: report.known,
        right,
        accuracy: share(right, report.known),
    };
    ShadowAnswer {
        name: format!("{name}/shadowReport"),
        compared: report.compared,
        agreed: report.agreed,
        agreement: share(report.agreed, report.compared),
        shadow: Some(accuracy(report.shadow_right)),
        active: Some(accuracy(report.active_right)),
        first_time: report.first_time.map(sql::to_proto),
        last_time: report.last_time.map(sql::to_proto),
    }
}

/// What a version said of a text.
pub(super) fn prediction(reading: Reading) -> v1::Prediction {
    let best = reading.candidates.first();
    v1::Prediction {
        label: match best {
            Some((label, _)) if !reading.abstained => label.clone(),
            _ => String::new(),
        },
        confidence: best.map_or(0.0, |(_, probability)| *probability),
        abstained: reading.abstained,
        candidates: reading
            .candidates
            .into_iter()
            .map(|(label, probability)| v1::LabelProbability { label, probability })
            .collect(),
        evidence: reading
            .evidence
            .into_iter()
            .map(|piece| v1::Evidence {
                start: i32::try_from(piece.start).unwrap_or(i32::MAX),
                end: i32::try_from(piece.end).unwrap_or(i32::MAX),
                weight: piece.weight.into(),
            })
            .collect(),
        masked_text: reading.masked_text.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_enum_survives_the_wire() {
        for found in [Target::Labels, Target::Dimension, Target::Sentiment] {
            assert_eq!(target(target_number(found)), Some(found));
        }
        for found in [Side::ByHash, Side::Training, Side::HoldOut] {
            assert_eq!(side(side_number(found)), Some(found));
        }
        for found in [Source::Import, Source::Correction, Source::Review] {
            assert_eq!(source(source_number(found)), Some(found));
        }
        assert_eq!((target(0), side(9), source(0)), (None, None, None));
    }
}
