//! Events from the room that says them to the rooms that have their effects.

use std::time::{Duration, Instant};

use super::{Measured, intake};
use crate::{link::Link, verify};

/// How many feedbacks are handed in for the measurement.
const FEEDBACKS: u32 = 5000;

/// Hands in feedback and waits until every room has had every effect; counts the effects, one per event and reader.
pub(super) async fn end_to_end(link: &Link) -> anyhow::Result<Measured> {
    verify::settle(link, Duration::from_secs(600)).await?;
    let before = read(link).await?;
    let began = Instant::now();
    intake::import_as(link, FEEDBACKS, "events").await?;
    let lags = verify::settle(link, Duration::from_secs(600)).await?;
    anyhow::ensure!(lags.is_empty(), "the rooms never read everything: {lags:?}");
    let elapsed = began.elapsed();
    let effects = read(link).await? - before;
    Ok(Measured {
        what: format!("events end to end ({FEEDBACKS} feedbacks, all six rooms, {effects} effects)"),
        per_second: effects as f64 / elapsed.as_secs_f64(),
        p50_ms: 0.0,
        p99_ms: 0.0,
        ratio: 0.0,
    })
}

async fn read(link: &Link) -> anyhow::Result<i64> {
    Ok(verify::flows(link)
        .await?
        .iter()
        .flat_map(|flow| &flow.cursors)
        .map(|cursor| cursor.position)
        .sum())
}
