//! What people say of a classification takes effect: a correction, or a review that settles a label, is the next revision.

use huiyin_chassis::{Refusal, Tenant, Transaction};
use uuid::Uuid;

use super::{
    domain::{Change, Classification},
    domain_priority::Rules,
    reviewing::{customers, watch_review},
    service::tell,
    store,
};
use crate::{
    domain::Sentiment,
    model::{
        corrections::{self, Said},
        domain::{Source, Target, Task},
    },
    priority::domain::UsedFor,
    reading::lexicon::Lexicon,
    review::queue,
    room::Room,
};

/// A classification, held until the transaction ends.
///
/// # Errors
/// NOT_FOUND where there is none.
pub(crate) async fn hold(tx: &mut Transaction, tenant: &Tenant, id: Uuid) -> Result<Classification, Refusal> {
    let found = store::lock(tx, tenant, id).await?;
    found.ok_or_else(|| Refusal::not_found(&tenant.child("classifications", id)))
}

/// The label that people settled on in a review.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settled<'s> {
    pub(crate) task: &'s Task,
    /// `unclassified` for none.
    pub(crate) label: &'s str,
    pub(crate) author: &'s str,
    /// Masked.
    pub(crate) comment: &'s str,
}

/// Writes what a review settled, also where it confirms what holds.
///
/// # Errors
/// As those of a correction.
pub(crate) async fn settle(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    found: &mut Classification,
    settled: Settled<'_>,
) -> Result<(), Refusal> {
    let lexicon = room.lexicons.active(tx, tenant).await?;
    let mut change = Change {
        author: settled.author.to_owned(),
        reason: settled.comment.to_owned(),
        confirms: true,
        ..Change::default()
    };
    let task = settled.task;
    match task.target {
        Target::Labels => return Ok(()),
        Target::Sentiment => change.sentiment = Sentiment::of_key(settled.label),
        Target::Dimension if lexicon.dimensions.first() == Some(&task.dimension) => {
            change.category = Some(settled.label.to_owned());
        }
        Target::Dimension => change.labels = vec![(task.dimension.clone(), settled.label.to_owned())],
    }
    revise(room, tx, tenant, found, change, Source::Review).await
}

/// Makes the next revision of a classification that is held: it is kept, learnt from and told, and what waits for what it says is closed.
pub(super) async fn revise(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    found: &mut Classification,
    change: Change,
    source: Source,
) -> Result<(), Refusal> {
    let lexicon = room.lexicons.active(tx, tenant).await?;
    check_dimensions(&lexicon, &change)?;
    let model = room.priorities.active(tx, tenant, UsedFor::Case).await?;
    let category = change.category.as_deref().unwrap_or(&found.category);
    let problem = (&found.feedback, category);
    let customers = customers(tx, tenant, &model, problem, found.create_time).await?;
    let rules = Rules {
        lexicon: &lexicon,
        model: &model,
        customers,
    };
    let said = change.clone();
    let round = found.review.as_ref().map(|review| review.round);
    let now = room.clock.now();
    found.correct(rules, change, now)?;
    store::correct(tx, tenant, found).await?;
    watch_review(tx, tenant, found, round).await?;
    let main = lexicon.dimensions.first().map(String::as_str);
    let mut labels: Vec<(&str, &str)> = main.zip(said.category.as_deref()).into_iter().collect();
    let others = said.labels.iter();
    labels.extend(others.map(|(dimension, category)| (dimension.as_str(), category.as_str())));
    let example = Said {
        classification: found.id,
        feedback: &found.feedback.name,
        labels: &labels,
        sentiment: said.sentiment,
        author: &said.author,
        source,
    };
    corrections::learn_from(tx, tenant, example, now).await?;
    let dimensions: Vec<&str> = labels.iter().map(|(dimension, _)| *dimension).collect();
    queue::corrected(room, tx, tenant, found.id, (&dimensions, said.sentiment.is_some())).await?;
    tell(room, tx, tenant, found, &said.author).await?;
    room.meters.corrected(tx);
    Ok(())
}

/// The labels of a change name dimensions that there are, each once and not the main one.
fn check_dimensions(lexicon: &Lexicon, change: &Change) -> Result<(), Refusal> {
    let mut violations = Vec::new();
    for (at, (dimension, _)) in change.labels.iter().enumerate() {
        let place = lexicon.dimensions.iter().position(|known| known == dimension);
        let problem = match place {
            None => "is no dimension of the taxonomy in effect",
            Some(0) => "is the main dimension: its label is `category`",
            Some(_) if change.labels[..at].iter().any(|(earlier, _)| earlier == dimension) => "is named twice",
            Some(_) => continue,
        };
        violations.push((format!("labels[{at}].dimension"), problem.to_owned()));
    }
    if violations.is_empty() {
        Ok(())
    } else {
        Err(Refusal::invalid(violations))
    }
}
