//! `huiyin top`: queues, lags and rates, as they are now.

use std::time::{Duration, Instant};

use clap::Args;
use comfy_table::{Table, presets};
use huiyin_proto::event::v1::EventFlow;
use serde::Serialize;

use crate::{link::Link, verify};

/// How to watch.
#[derive(Debug, Clone, Args)]
pub struct TopOptions {
    /// Seconds between two looks.
    #[arg(long, default_value_t = 1.0)]
    pub every: f64,
    /// Look so many times and end; 0 goes on until Ctrl-C.
    #[arg(long, default_value_t = 0)]
    pub times: u32,
}

/// One service, as it is now.
#[derive(Debug, Clone, Serialize)]
struct Row {
    service: String,
    /// Events that it has said, over all partitions.
    said: i64,
    /// How many of them since the last look, per second.
    said_per_second: f64,
    /// Committed, and not positioned yet.
    waiting: i64,
    /// Age of the oldest of those, milliseconds.
    oldest_ms: i64,
    /// Events of others that it has read.
    read: i64,
    /// How many of them since the last look, per second.
    read_per_second: f64,
    /// Events whose effect failed.
    set_aside: i64,
}

/// Prints a table again and again.
///
/// # Errors
/// Where a service cannot be asked.
pub async fn run(link: &Link, options: TopOptions, json: bool) -> anyhow::Result<()> {
    let mut before: Option<(Instant, Vec<EventFlow>)> = None;
    for look in 1u32.. {
        let now = Instant::now();
        let flows = verify::flows(link).await?;
        let rows = rows(
            &flows,
            before
                .as_ref()
                .map(|(at, flows)| (now.duration_since(*at), flows.as_slice())),
        );
        let lags = verify::lags(&flows);
        if json {
            println!("{}", serde_json::json!({ "services": rows, "lags": lags }));
        } else {
            print(&rows, &lags, options.times != 1);
        }
        before = Some((now, flows));
        if look == options.times {
            break;
        }
        tokio::time::sleep(Duration::from_secs_f64(options.every.max(0.1))).await;
    }
    Ok(())
}

fn print(rows: &[Row], lags: &[String], live: bool) {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header([
        "service",
        "said",
        "per s",
        "waiting",
        "oldest ms",
        "read",
        "per s",
        "set aside",
    ]);
    for row in rows {
        table.add_row([
            row.service.clone(),
            row.said.to_string(),
            format!("{:.0}", row.said_per_second),
            row.waiting.to_string(),
            row.oldest_ms.to_string(),
            row.read.to_string(),
            format!("{:.0}", row.read_per_second),
            row.set_aside.to_string(),
        ]);
    }
    let clear = if live { "\u{1b}[2J\u{1b}[H" } else { "" };
    println!("{clear}{table}");
    for lag in lags {
        println!("{lag}");
    }
}

fn rows(flows: &[EventFlow], before: Option<(Duration, &[EventFlow])>) -> Vec<Row> {
    let said = |flow: &EventFlow| flow.heads.iter().map(|head| head.position).sum::<i64>();
    let read = |flow: &EventFlow| flow.cursors.iter().map(|cursor| cursor.position).sum::<i64>();
    flows
        .iter()
        .map(|flow| {
            let earlier = before.and_then(|(since, flows)| {
                Some((since, flows.iter().find(|earlier| earlier.service == flow.service)?))
            });
            let rate = |count: fn(&EventFlow) -> i64| {
                earlier.map_or(0.0, |(since, earlier)| {
                    (count(flow) - count(earlier)) as f64 / since.as_secs_f64().max(0.001)
                })
            };
            Row {
                service: flow.service.clone(),
                said: said(flow),
                said_per_second: rate(|flow| flow.heads.iter().map(|head| head.position).sum()),
                waiting: flow.unpositioned,
                oldest_ms: flow.oldest_unpositioned_ms,
                read: read(flow),
                read_per_second: rate(|flow| flow.cursors.iter().map(|cursor| cursor.position).sum()),
                set_aside: flow.dead_letters,
            }
        })
        .collect()
}
