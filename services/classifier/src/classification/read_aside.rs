//! Reads a text without holding up others.

use std::sync::Arc;

use huiyin_chassis::Refusal;

use crate::reading::{
    answers::Answer,
    lexicon::Lexicon,
    verdict::{Statement, Verdict, read_with},
};

/// What a version says of a text; in a thread of its own where that takes as long as the author of its regular expressions likes.
///
/// # Errors
/// A fault where it panics.
pub(super) async fn read(
    lexicon: &Arc<Lexicon>,
    statement: Statement<'_>,
    answers: Vec<Answer>,
) -> Result<Verdict, Refusal> {
    if !lexicon.has_expressions() {
        return Ok(read_with(lexicon, statement, &answers));
    }
    let lexicon = lexicon.clone();
    let Statement {
        text,
        tier,
        impact,
        urgency,
        emotion_level,
        product_model,
        channel,
    } = statement;
    let (text, product_model) = (text.to_owned(), product_model.to_owned());
    let read = tokio::task::spawn_blocking(move || {
        let statement = Statement {
            text: &text,
            tier,
            impact,
            urgency,
            emotion_level,
            product_model: &product_model,
            channel,
        };
        read_with(&lexicon, statement, &answers)
    });
    read.await.map_err(Refusal::fault)
}
