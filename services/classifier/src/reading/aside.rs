//! Looks for what stands in a text without holding up others.

use std::sync::Arc;

use huiyin_chassis::Refusal;

use super::{
    lexicon::Lexicon,
    verdict::{Found, Scan, Statement},
};

/// Looks for what stands in a text; in a thread of its own where that takes as long as the author of regular expressions likes.
///
/// # Errors
/// A fault where it panics.
pub(crate) async fn scan<'s>(lexicon: &'s Arc<Lexicon>, statement: Statement<'s>) -> Result<Scan<'s>, Refusal> {
    if !lexicon.has_expressions() {
        return Ok(Scan::new(lexicon, statement));
    }
    let (text, product_model) = (statement.text.to_owned(), statement.product_model.to_owned());
    let Statement {
        tier,
        impact,
        urgency,
        emotion_level,
        channel,
        ..
    } = statement;
    let by = lexicon.clone();
    let found = tokio::task::spawn_blocking(move || {
        let statement = Statement {
            text: &text,
            tier,
            impact,
            urgency,
            emotion_level,
            product_model: &product_model,
            channel,
        };
        Found::look(&by, statement)
    });
    let found = found.await.map_err(Refusal::fault)?;
    Ok(Scan::of(lexicon, statement, found))
}
