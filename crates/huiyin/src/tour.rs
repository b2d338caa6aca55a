//! `huiyin tour`: what a newcomer sees first: the suite up, the sample feedback walked round the loop, and the audit.

use std::{fs, path::Path, process::ExitCode};

use clap::Args;

use crate::{
    demo::{self, DemoOptions},
    import::{self, ImportOptions},
    link::Link,
    suite::{Up, UpOptions},
    verify::{self, VerifyOptions},
};

/// Feedback of our own writing: several languages, channels and tempers.
const SAMPLE: &str = include_str!("../sample/feedback.jsonl");

/// How to walk.
#[derive(Debug, Args)]
pub struct TourOptions {
    /// End when the audit is printed, instead of leaving the suite up.
    #[arg(long)]
    pub exit: bool,
    #[command(flatten)]
    up: UpOptions,
}

/// Walks the sample round the loop; the exit code is the audit's.
///
/// # Errors
/// Whatever keeps the suite from starting.
pub async fn run(folder: &Path, options: TourOptions) -> anyhow::Result<ExitCode> {
    let mut up = Up::start(folder, options.up).await?;
    up.print()?;
    let link = Link::open(folder)?;
    let file = up.files.folder().join("sample.jsonl");
    fs::write(&file, SAMPLE)?;

    println!("1. The sample feedback is handed in.");
    let import = ImportOptions {
        file,
        map: Vec::new(),
        set: Vec::new(),
        dry_run: false,
        import_id: Some("sample".to_owned()),
        quiet: false,
    };
    import::run(&link, import, false).await?;
    println!("\n2. Agents work on it, customers answer; some are not content, and it comes back.");
    let play = DemoOptions {
        quiet: false,
        ..DemoOptions::to_the_end(8)
    };
    demo::run(&link, play, false).await?;
    println!("\n3. The audit asks every service.");
    let audit = verify::run(&link, &VerifyOptions { wait: 60, strays: 10 }).await?;
    audit.print(false);

    if !options.exit {
        println!(
            "\nThe suite stays up; Ctrl-C ends it. In another terminal: target/debug/huiyin top, verify, import, demo."
        );
        tokio::select! {
            ended = up.ended() => ended?,
            () = huiyin_chassis::termination() => {}
        }
    }
    up.stop().await?;
    Ok(if audit.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
