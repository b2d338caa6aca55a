//! `huiyin bench`: what the suite does in a second, beside the floor that the same machine and Postgres set in the same run.

mod events;
mod floor;
mod intake;
mod naive;

use std::{path::Path, sync::Arc};

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
    let mut notes = Notes::default();
    let outcome = tokio::select! {
        outcome = measure(&folder, &options, &mut notes) => outcome,
        // Cut short, it stops its servers, and their folder goes as well: it may hold gigabytes.
        () = huiyin_chassis::termination() => Err(anyhow::anyhow!("stopped before the end")),
    };
    let _ = huiyin_embedded::remove(&folder);
    outcome?;
    if json {
        println!("{}", serde_json::to_string(&notes.0)?);
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["", "per second", "p50 ms", "p99 ms", "ratio to its floor"]);
    for measured in &notes.0 {
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

/// So many callers at once are what most installations have.
const MANY: usize = 64;

/// What has been measured, said as it comes: the whole takes minutes.
#[derive(Default)]
struct Notes(Vec<Measured>);

impl Notes {
    fn take(&mut self, measured: Measured) {
        eprintln!("{}: {:.0} a second", measured.what, measured.per_second);
        self.0.push(measured);
    }

    /// Beside the floor that the same machine set a moment ago.
    fn take_beside(&mut self, floor: Measured, mut measured: Measured) {
        measured.ratio = measured.per_second / floor.per_second;
        self.take(floor);
        self.take(measured);
    }
}

async fn measure(folder: &Path, options: &BenchOptions, notes: &mut Notes) -> anyhow::Result<()> {
    // Intake alone first: the floor is one insert, and the other five services' work is not part of it.
    let alone = folder.join("intake");
    let suite = Up::start_only(&alone, options.up.clone(), &["intake"]).await?;
    let link = Link::open(&alone)?;
    let floor = Arc::new(floor::Floor::prepare(&link, &suite.database_url("intake")).await?);
    let naive = naive::Naive::start(Arc::clone(&floor)).await?;
    let to_naive = link.with("intake", &naive.url)?;
    let mut grouped = None;
    for concurrency in [1, MANY, 256] {
        notes.take(floor.one_by_one(concurrency, options.seconds).await?);
        let mut below = intake::create(&to_naive, concurrency, options.seconds).await?;
        below.what = format!("floor: a naive service, a transaction each, {concurrency} callers");
        let created = intake::create(&link, concurrency, options.seconds).await?;
        if concurrency == MANY {
            grouped = Some(created.clone());
        }
        notes.take_beside(below, created);
        notes.take(floor.rest().await?);
    }
    let below = floor.unnest(options.rows).await?;
    let imported = intake::import(&link, options.rows).await?;
    notes.take_beside(below, imported);
    notes.take(floor.rest().await?);
    naive.stop().await?;
    floor.remove().await?;
    suite.stop().await?;

    // The same service without its group commit: one transaction for each request, on as many connections as it has.
    let without = UpOptions {
        more: vec![("intake", "\n[writer]\nwriters = 16\nbatch = 1\n")],
        ..options.up.clone()
    };
    let suite = Up::start_only(&alone, without, &["intake"]).await?;
    let ungrouped = intake::create(&Link::open(&alone)?, MANY, options.seconds).await?;
    suite.stop().await?;
    if let Some(grouped) = grouped {
        let what = format!("{} without group commit", grouped.what);
        notes.take_beside(Measured { what, ..ungrouped }, grouped);
    }

    // All six on databases of their own: what intake took in above is not theirs to digest here.
    let all = folder.join("all");
    let suite = Up::start(&all, options.up.clone()).await?;
    notes.take(events::end_to_end(&Link::open(&all)?).await?);
    suite.stop().await
}
