//! What people correct is learnt from: a correction becomes an example of its dimension, in the transaction that makes it.

use huiyin_chassis::{Refusal, Tenant, Transaction, mask::mask};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    domain::{Example, Side, Source, Target},
    store, store_examples,
};
use crate::domain::Sentiment;

/// What a person said a feedback is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Said<'s> {
    pub(crate) classification: Uuid,
    /// Name of the feedback.
    pub(crate) feedback: &'s str,
    /// Key of the main dimension, and the category of it.
    pub(crate) category: Option<(&'s str, &'s str)>,
    pub(crate) sentiment: Option<Sentiment>,
    pub(crate) author: &'s str,
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
        let label = match (task.target, said.category, said.sentiment) {
            (Target::Dimension, Some((dimension, category)), _) if dimension == task.dimension => category,
            (Target::Sentiment, _, Some(Sentiment::Negative)) => "NEGATIVE",
            (Target::Sentiment, _, Some(Sentiment::Neutral)) => "NEUTRAL",
            (Target::Sentiment, _, Some(Sentiment::Positive)) => "POSITIVE",
            _ => continue,
        };
        wanted.push((task.id, label));
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let Some(text) = store_examples::statement(tx, tenant, said.classification).await? else {
        return Ok(());
    };
    for (task, label) in wanted {
        let example = Example {
            // Corrected once more, it is the same example with another label.
            id: format!("feedback-{}", said.classification),
            text: mask(&text),
            label: label.to_owned(),
            side: Side::ByHash,
            source: Source::Correction,
            feedback: said.feedback.to_owned(),
            author: said.author.to_owned(),
            create_time: now,
        };
        store_examples::put(tx, tenant, &task, &[example]).await?;
    }
    Ok(())
}
