//! What people correct is learnt from: a correction becomes an example of its dimension, in the transaction that makes it.

use huiyin_chassis::{Refusal, Tenant, Transaction, mask::mask};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    domain::{Example, Side, Source, Target},
    store, store_examples,
};
use crate::domain::{Sentiment, UNCLASSIFIED};

/// What a person said a feedback is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Said<'s> {
    pub(crate) classification: Uuid,
    /// Name of the feedback.
    pub(crate) feedback: &'s str,
    /// Keys of dimensions, each with its category, `unclassified` for none.
    pub(crate) labels: &'s [(&'s str, &'s str)],
    pub(crate) sentiment: Option<Sentiment>,
    pub(crate) author: &'s str,
    /// How they said it.
    pub(crate) source: Source,
}

/// Keeps an example in each task that learns what was said. Without such a task, or where the text is no longer kept, in none.
///
/// # Errors
/// UNAVAILABLE where the database is gone.
pub(crate) async fn learn_from(
    tx: &mut Transaction,
    tenant: &Tenant,
    said: Said<'_>,
    now: Timestamp,
) -> Result<(), Refusal> {
    let mut wanted = Vec::new();
    for task in store::of_taxonomy(tx, tenant).await? {
        let mut labels = said.labels.iter();
        let label = match task.target {
            Target::Labels => None,
            Target::Dimension => labels
                .find(|(dimension, _)| *dimension == task.dimension)
                .map(|(_, category)| *category),
            Target::Sentiment => said.sentiment.map(Sentiment::key),
        };
        wanted.extend(label.map(|label| (task.id, label)));
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let Some(text) = store_examples::statement(tx, tenant, said.classification).await? else {
        return Ok(());
    };
    // Said once more, it is the same example with another label.
    let id = format!("feedback-{}", said.classification);
    for (task, label) in wanted {
        if label == UNCLASSIFIED {
            // None of the categories is nothing to learn, and what was said before is wrong.
            store_examples::delete(tx, tenant, &task, std::slice::from_ref(&id)).await?;
            continue;
        }
        let example = Example {
            id: id.clone(),
            text: mask(&text),
            label: label.to_owned(),
            side: Side::ByHash,
            source: said.source,
            feedback: said.feedback.to_owned(),
            author: said.author.to_owned(),
            create_time: now,
        };
        store_examples::put(tx, tenant, &task, &[example]).await?;
    }
    Ok(())
}
