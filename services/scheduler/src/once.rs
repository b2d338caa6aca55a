//! A mutation that carries a `request_id` has its effect once and its answer twice.

use huiyin_chassis::{Clock, Refusal, Transaction, repeat::Repeatable};
use prost::Message;

/// The answer that the request got before, if it did.
pub(crate) async fn answered<A: Message + Default>(
    tx: &mut Transaction,
    repeat: Option<&Repeatable>,
) -> Result<Option<A>, Refusal> {
    match repeat {
        Some(repeat) => repeat.answered(tx).await,
        None => Ok(None),
    }
}

/// Keeps the answer for the next time and makes the effect durable.
pub(crate) async fn commit<A: Message>(
    mut tx: Transaction,
    clock: &Clock,
    repeat: Option<&Repeatable>,
    answer: A,
) -> Result<A, Refusal> {
    if let Some(repeat) = repeat {
        repeat.answer(&mut tx, clock, &answer).await?;
    }
    tx.commit().await?;
    Ok(answer)
}
