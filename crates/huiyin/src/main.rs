//! The command that people type.

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use huiyin::{bench, demo, import, link::Link, suite, token, top, tour, train, verify};

/// Huiyin 回音: customer feedback, handled to its end.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    /// The folder of the suite: its servers' data, keys, tokens and addresses.
    #[arg(long, global = true, default_value = ".huiyin", env = "HUIYIN_FOLDER")]
    folder: PathBuf,
    /// Say it as JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the whole suite on this machine; Ctrl-C drains it.
    Up(suite::UpOptions),
    /// Start the suite, walk the sample feedback round the loop, and print the audit.
    Tour(tour::TourOptions),
    /// Hand in a file of feedback, CSV, JSONL or XLSX; taken up again where it broke.
    Import(import::ImportOptions),
    /// Play agents and customers until everything is handled.
    Demo(demo::DemoOptions),
    /// Ask every service whether anything was lost; exits 1 where something was.
    Verify(verify::VerifyOptions),
    /// Watch queues, lags and rates.
    Top(top::TopOptions),
    /// Sign a token for a person or a system.
    Token(token::TokenOptions),
    /// Measure, beside the floor that the same machine sets.
    Bench(bench::BenchOptions),
    /// Train a model on a folder of texts with labels, and say how good it is; without a suite a private one runs meanwhile.
    Train(train::TrainOptions),
    /// Train and try a model on each of a folder's sets, split the same way each time.
    BenchClassifier(train::SplitsOptions),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    match runtime.block_on(run(arguments)) {
        Ok(code) => code,
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("huiyin: {error:#}");
    ExitCode::FAILURE
}

async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { folder, json, command } = arguments;
    huiyin_chassis::install_crypto();
    match command {
        Command::Up(options) => suite::up(&folder, options).await?,
        Command::Tour(options) => return Box::pin(tour::run(&folder, options)).await,
        Command::Import(options) => import::run(&Link::open(&folder)?, options, json).await?,
        Command::Demo(options) => demo::run(&Link::open(&folder)?, options, json).await?,
        Command::Verify(options) => {
            let audit = verify::run(&Link::open(&folder)?, &options).await?;
            audit.print(json);
            return Ok(if audit.is_clean() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            });
        }
        Command::Top(options) => top::run(&Link::open(&folder)?, options, json).await?,
        Command::Token(options) => token::run(&folder, &options, json)?,
        Command::Bench(options) => bench::run(options, json).await?,
        Command::Train(options) => train::run(&folder, options, json).await?,
        Command::BenchClassifier(options) => train::bench(options, json).await?,
    }
    Ok(ExitCode::SUCCESS)
}
