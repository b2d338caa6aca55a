//! `huiyin bench`: what the suite does in a second, beside the floor that the same machine and Postgres set in the same run.

mod events;
mod floor;
mod intake;

use clap::Args;
use comfy_table::{Table, presets};
use serde::Serialize;

use crate::{
    link::Link,
    suite::{Up, UpOptions},
};

/// How much to measure.
#[derive(Debug, Clone, Args)]
pub struct BenchOptions {
    /// Seconds per measurement.
    #[arg(long, default_value_t = 5.0)]
    pub seconds: f64,
    /// Rows of the import.
    #[arg(long, default_value_t = 50_000)]
    pub rows: u32,
    #[command(flatten)]
    up: UpOptions,
}

/// One measurement.
#[derive(Debug, Clone, Serialize)]
pub struct Measured {
    /// What was done.
    pub what: String,
    /// How often a second.
    pub per_second: f64,
    /// Median time of one, milliseconds; 0 where nothing was timed one by one.
    pub p50_ms: f64,
    /// The 99th percentile, milliseconds.
    pub p99_ms: f64,
    /// The rate over that of its floor; 0 where it is one.
    pub ratio: f64,
}

/// Measures everything and prints it.
///
/// # Errors
/// Where the suite does not start or a call fails.
pub async fn run(options: BenchOptions, json: bool) -> anyhow::Result<()> {
    let folder = std::env::temp_dir().join(format!("huiyin-bench-{}", std::process::id()));
    let mut all = Vec::new();
    let outcome = measure(&folder, &options, &mut all).await;
    let _ = huiyin_embedded::remove(&folder);
    outcome?;
    if json {
        println!("{}", serde_json::to_string(&all)?);
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["", "per second", "p50 ms", "p99 ms", "ratio to its floor"]);
    for measured in &all {
        let number = |value: f64, digits: usize| {
            if value == 0.0 {
                String::new()
            } else {
                format!("{value:.digits$}")
            }
        };
        table.add_row([
            measured.what.clone(),
            number(measured.per_second, 0),
            number(measured.p50_ms, 2),
            number(measured.p99_ms, 2),
            number(measured.ratio, 2),
        ]);
    }
    println!("{table}");
    Ok(())
}

async fn measure(folder: &std::path::Path, options: &BenchOptions, all: &mut Vec<Measured>) -> anyhow::Result<()> {
    // Intake alone first: the floor is one insert, and the other five services' work is not part of it.
    let alone = Up::start_only(folder, options.up.clone(), &["intake"]).await?;
    let link = Link::open(folder)?;
    let database = alone.database_url("intake");
    let floor = floor::Floor::prepare(&link, &database).await?;
    for concurrency in [1, 64, 256] {
        let mut below = floor.one_by_one(concurrency, options.seconds).await?;
        let mut created = intake::create(&link, concurrency, options.seconds).await?;
        created.ratio = created.per_second / below.per_second;
        below.ratio = 0.0;
        all.extend([below, created]);
    }
    let below = floor.unnest(options.rows).await?;
    let mut imported = intake::import(&link, options.rows).await?;
    imported.ratio = imported.per_second / below.per_second;
    all.extend([below, imported]);
    floor.remove().await?;
    alone.stop().await?;

    let up = Up::start(folder, options.up.clone()).await?;
    let link = Link::open(folder)?;
    all.push(events::end_to_end(&link).await?);
    up.stop().await?;
    Ok(())
}
