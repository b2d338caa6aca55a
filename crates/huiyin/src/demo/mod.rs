//! `huiyin demo`: plays agents and customers over the same RPCs that real ones use, until everything is handled.

mod agents;
mod customers;

use std::time::{Duration, Instant};

use clap::Args;
use huiyin_proto::scheduler::v1::{ListWorkOrdersRequest, WorkOrder};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::{link::Link, list, verify};

/// How to play.
#[derive(Debug, Clone, Args)]
pub struct DemoOptions {
    /// Play until every work order is closed and every answer is in.
    #[arg(long, conflicts_with = "rounds")]
    pub all: bool,
    /// Play so many rounds; in each, agents take one step and customers answer.
    #[arg(long, default_value_t = 3)]
    pub rounds: u32,
    /// So many people at once.
    #[arg(long, default_value_t = 32)]
    pub people: usize,
    /// At most so many steps a second; 0 is as fast as it goes.
    #[arg(long, default_value_t = 0)]
    pub speed: u32,
    /// Another seed, and other customers are not content, other work orders take longer ways.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// No progress line.
    #[arg(long)]
    pub quiet: bool,
}

impl DemoOptions {
    /// Until everything is handled, as fast as it goes, and without a progress line.
    #[must_use]
    pub fn to_the_end(people: usize) -> Self {
        Self {
            all: true,
            rounds: 0,
            people,
            speed: 0,
            seed: 1,
            quiet: true,
        }
    }
}

/// What was played.
#[derive(Debug, Default, Clone, Serialize)]
pub struct Played {
    /// Steps of agents.
    pub agent_steps: u64,
    /// Answers of customers.
    pub answers: u64,
    /// Answers that asked for the work order to be reopened.
    pub reopened: u64,
    /// Work orders that are closed now.
    pub closed: u64,
    /// Wall time.
    pub seconds: f64,
}

/// Plays, and prints what was played.
///
/// # Errors
/// Where a service refuses what a person may do.
pub async fn run(link: &Link, options: DemoOptions, json: bool) -> anyhow::Result<()> {
    let played = play(link, &options).await?;
    if json {
        println!("{}", serde_json::to_string(&played)?);
    } else {
        println!(
            "{} steps of agents, {} answers of customers ({} reopened a work order), {} closed, in {:.1} s",
            played.agent_steps, played.answers, played.reopened, played.closed, played.seconds
        );
    }
    Ok(())
}

/// Plays.
///
/// # Errors
/// As [`run`].
pub async fn play(link: &Link, options: &DemoOptions) -> anyhow::Result<Played> {
    let began = Instant::now();
    let bar = if options.quiet {
        ProgressBar::hidden()
    } else {
        ProgressBar::new_spinner()
    };
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    agents::hire(link).await?;
    let mut played = Played::default();
    let rounds = if options.all { u32::MAX } else { options.rounds };
    for round in 0..rounds {
        // What was handed in, solved or answered a moment ago is still on its way from room to room.
        verify::settle(link, Duration::from_secs(600)).await?;
        let open = open_work_orders(link).await?;
        let worked = agents::work(link, options, &open, &bar).await?;
        verify::settle(link, Duration::from_secs(600)).await?;
        let answered = customers::answer(link, options, played.answers, &bar).await?;
        played.agent_steps += worked.steps;
        played.closed += worked.closed;
        played.answers += answered.answers;
        played.reopened += answered.reopened;
        bar.set_message(format!(
            "round {}: {} steps, {} answers, {} closed",
            round + 1,
            played.agent_steps,
            played.answers,
            played.closed
        ));
        if worked.steps == 0 && answered.answers == 0 {
            break;
        }
    }
    bar.finish_and_clear();
    played.seconds = began.elapsed().as_secs_f64();
    Ok(played)
}

/// Everything that somebody still has to do something about.
async fn open_work_orders(link: &Link) -> anyhow::Result<Vec<WorkOrder>> {
    let request = ListWorkOrdersRequest {
        parent: link.parent.clone(),
        filter: "NOT (state = CLOSED OR state = REJECTED)".to_owned(),
        ..ListWorkOrdersRequest::default()
    };
    Ok(list!(link.scheduler(), list_work_orders, request, work_orders))
}

/// What this name and episode throw, of a hundred: the same for the same seed.
fn die(seed: u64, name: &str, episode: i32) -> u8 {
    let hash = huiyin_chassis::secret::hash(format!("{seed}/{name}/{episode}").as_bytes());
    hash[0] % 100
}

/// Waits its turn where a speed is asked for.
async fn pace(options: &DemoOptions) {
    if options.speed > 0 {
        let people = u32::try_from(options.people).unwrap_or(1);
        tokio::time::sleep(Duration::from_secs_f64(f64::from(people) / f64::from(options.speed))).await;
    }
}
