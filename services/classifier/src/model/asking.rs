//! Use cases that ask a version: what it says of texts, and how good it is on texts whose labels are known.

use huiyin_chassis::{Refusal, Tenant, Transaction, mask::mask};

use super::{
    convert::{self, TASKS},
    domain::{Judgement, Labelled, Target},
    judging::{aside, best, judge},
    store::{self, Hold},
    store_examples, tasks,
    versions::Named,
};
use crate::{
    error::Error,
    learning::{Evidence, Model, Scratch},
    reading::answers::{About, Answer},
    room::Room,
};

/// So many of the likeliest labels are shown.
const CANDIDATES: usize = 3;
/// So many pieces of the text that spoke are shown.
const PIECES: usize = 5;

/// What a version says of a text.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) abstained: bool,
    /// The likeliest first.
    pub(crate) candidates: Vec<(String, f64)>,
    pub(crate) evidence: Vec<Evidence>,
    /// What was read, where masking made it another text.
    pub(crate) masked_text: Option<String>,
}

/// Reads texts; `version` 0 is the active one.
pub(super) async fn predict(
    room: &Room,
    tenant: &Tenant,
    task: &str,
    version: i32,
    texts: Vec<String>,
) -> Result<(i32, Vec<Reading>), Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    let task = tasks::existing(&mut tx, tenant, task, Hold::Free).await?;
    let version = if version == 0 { task.active_version } else { version };
    if version == 0 {
        let task = tenant.child(TASKS, &task.id);
        return Err(Error::NotActive { task }.into());
    }
    let model = room.models.version(&mut tx, tenant, &task, version).await?;
    tx.rollback().await;
    let model = model.ok_or_else(|| Refusal::not_found(&convert::model_name(tenant, &task.id, version)))?;
    let threshold = task.threshold;
    let readings = aside(move || {
        let mut scratch = Scratch::default();
        let texts = texts.iter();
        texts
            .map(|text| {
                let masked = mask(text);
                let reading = read(&model, &masked, threshold, &mut scratch);
                Reading {
                    masked_text: (masked != *text).then_some(masked),
                    ..reading
                }
            })
            .collect()
    });
    Ok((version, readings.await?))
}

/// Reads one text.
pub(super) fn read(model: &Model, text: &str, threshold: f64, scratch: &mut Scratch) -> Reading {
    let probabilities = model.read(text, scratch);
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|a, b| probabilities[*b].total_cmp(&probabilities[*a]).then(a.cmp(b)));
    order.truncate(CANDIDATES);
    let candidates: Vec<(String, f64)> = order
        .iter()
        .map(|place| (model.labels()[*place].clone(), f64::from(probabilities[*place])))
        .collect();
    let sure = candidates
        .first()
        .is_some_and(|(_, probability)| *probability >= threshold);
    Reading {
        abstained: !sure,
        evidence: order
            .first()
            .map(|best| model.explain(text, *best, PIECES))
            .unwrap_or_default(),
        candidates,
        masked_text: None,
    }
}

/// Judges a version on these texts, or on the hold-out as it is now.
pub(super) async fn evaluate(
    room: &Room,
    named: Named<'_>,
    texts: Option<Vec<Labelled>>,
) -> Result<Judgement, Refusal> {
    let mut tx = room.database.tenant(named.tenant).await?;
    let (task, _) = named.find(&mut tx, Hold::Free).await?;
    let model = room.models.version(&mut tx, named.tenant, &task, named.version).await?;
    let model = model.ok_or_else(|| Refusal::not_found(&named.name()))?;
    let texts = match texts {
        Some(texts) => texts,
        None => store_examples::labelled(&mut tx, named.tenant, &task, true).await?,
    };
    tx.rollback().await;
    if texts.is_empty() {
        return Err(Error::NotEvaluated { model: named.name() }.into());
    }
    aside(move || judge(&model, &texts, task.threshold)).await
}

/// What the active models of dimensions and of sentiment say of a masked text.
///
/// # Errors
/// UNAVAILABLE where the database is gone.
pub(crate) async fn answers(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    text: &str,
) -> Result<Vec<Answer>, Refusal> {
    let mut answers = Vec::new();
    for task in store::deciding(tx, tenant).await? {
        let about = match task.target {
            Target::Dimension => About::Dimension(task.dimension.clone()),
            Target::Sentiment => About::Sentiment,
            Target::Labels => continue,
        };
        let found = room.models.version(tx, tenant, &task, task.active_version).await?;
        let Some(model) = found else { continue };
        let mut scratch = Scratch::default();
        let (best, confidence) = best(model.read(text, &mut scratch));
        let Some(label) = model.labels().get(best) else {
            continue;
        };
        answers.push(Answer {
            about,
            label: label.clone(),
            confidence: confidence.into(),
            sure: f64::from(confidence) >= task.threshold,
            model: convert::model_name(tenant, &task.id, task.active_version),
        });
    }
    Ok(answers)
}
