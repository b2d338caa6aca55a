//! Use cases that ask a version: what it says of texts, and how good it is on texts whose labels are known.

use huiyin_chassis::{Refusal, Tenant, Transaction, mask::mask};

use super::{
    convert::{self, TASKS},
    domain::{Judgement, Labelled, Task},
    judging::{aside, best, judge},
    reader::Reader,
    shadow::Shadowed,
    store::{self, Hold},
    store_examples, tasks,
    versions::Named,
};
use crate::{
    error::Error,
    learning::{Evidence, Scratch},
    reading::{answers::Answer, verdict::Scan},
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
    let reader = Reader::open(room, &mut tx, tenant, &task, version).await?;
    tx.rollback().await;
    let reader = reader.ok_or_else(|| Refusal::not_found(&convert::model_name(tenant, &task.id, version)))?;
    let threshold = task.threshold;
    let readings = aside(move || {
        let mut scratch = Scratch::default();
        let texts = texts.iter();
        texts
            .map(|text| {
                let masked = mask(text);
                let reading = read(&reader, &masked, threshold, &mut scratch);
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
fn read(reader: &Reader, text: &str, threshold: f64, scratch: &mut Scratch) -> Reading {
    let (model, hints) = (&reader.model, reader.hints(text));
    let probabilities = model.read(text, &hints, scratch);
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
            .map(|best| model.explain(text, &hints, *best, PIECES))
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
    let reader = Reader::open(room, &mut tx, named.tenant, &task, named.version).await?;
    let reader = reader.ok_or_else(|| Refusal::not_found(&named.name()))?;
    let texts = match texts {
        Some(texts) => texts,
        None => store_examples::labelled(&mut tx, named.tenant, &task, true).await?,
    };
    tx.rollback().await;
    if texts.is_empty() {
        return Err(Error::NotEvaluated { model: named.name() }.into());
    }
    aside(move || judge(&reader, &texts, task.threshold)).await
}

/// What was asked of a text: for each task of a dimension or of sentiment.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// All of them, also those without a model.
    pub(crate) tasks: Vec<Task>,
    /// Of the active versions.
    pub(crate) answers: Vec<Answer>,
    /// Of the versions in the shadow.
    pub(crate) shadows: Vec<Shadowed>,
}

impl Asked {
    /// What the active version of a task said.
    pub(crate) fn answer_for(&self, task: &Task) -> Option<&Answer> {
        let about = task.about()?;
        self.answers.iter().find(|answer| answer.about == about)
    }
}

/// What the models of dimensions and of sentiment say of a masked text that was scanned.
///
/// # Errors
/// UNAVAILABLE where the database is gone.
pub(crate) async fn ask(room: &Room, tx: &mut Transaction, tenant: &Tenant, scan: &Scan<'_>) -> Result<Asked, Refusal> {
    let mut asked = Asked {
        tasks: store::asking(tx, tenant).await?,
        ..Asked::default()
    };
    for task in &asked.tasks {
        let Some(about) = task.about() else { continue };
        if let Some((label, confidence)) = says(room, tx, tenant, (task, task.active_version), scan).await? {
            asked.answers.push(Answer {
                about,
                label,
                confidence,
                sure: confidence >= task.threshold,
                model: convert::model_name(tenant, &task.id, task.active_version),
            });
        }
        if let Some((label, confidence)) = says(room, tx, tenant, (task, task.shadow_version), scan).await? {
            asked.shadows.push(Shadowed {
                task: task.id.clone(),
                version: task.shadow_version,
                label,
                confidence,
            });
        }
    }
    Ok(asked)
}

/// The likeliest label by a version, and how likely it is; none for version 0.
async fn says(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    (task, version): (&Task, i32),
    scan: &Scan<'_>,
) -> Result<Option<(String, f64)>, Refusal> {
    if version == 0 {
        return Ok(None);
    }
    let Some(reader) = Reader::open(room, tx, tenant, task, version).await? else {
        return Ok(None);
    };
    let mut scratch = Scratch::default();
    let (best, confidence) = best(reader.read_scanned(scan, &mut scratch).await?);
    let label = reader.model.labels().get(best);
    Ok(label.map(|label| (label.clone(), confidence.into())))
}
