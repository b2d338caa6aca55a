//! `huiyin import`: a file of feedback through the import stream, taken up again where it broke.

mod mapping;
mod rows;

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use clap::Args;
use huiyin_chassis::secret;
use huiyin_proto::intake::v1::{ImportFeedbacksRequest, ImportItem, ImportOpening, import_result::Outcome};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

pub use mapping::Mapping;
use rows::{Line, Rows};

use crate::link::Link;

/// Items in one message of the stream.
const CHUNK: usize = 500;
/// A broken stream is taken up again this often before it is given up.
const ATTEMPTS: u32 = 20;

/// What to import, and how.
#[derive(Debug, Clone, Args)]
pub struct ImportOptions {
    /// A CSV file with a header, one JSON object a line, or a spreadsheet (.xlsx) whose first row names the columns.
    pub file: PathBuf,
    /// Which column is which field, e.g. `--map text=description`; well-known column names are understood without.
    #[arg(long = "map", value_name = "COLUMN=FIELD")]
    pub map: Vec<String>,
    /// A field that is the same for all, e.g. `--set channel=ECOMMERCE_REVIEW`.
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    pub set: Vec<String>,
    /// Check every line and store nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// The name of this import; without it the hash of the file and the mapping, so that the same file goes on where it broke.
    #[arg(long)]
    pub import_id: Option<String>,
    /// No progress bar.
    #[arg(long)]
    pub quiet: bool,
}

/// What came of an import.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Lines that were accepted now.
    pub accepted: u64,
    /// Lines that were settled by an earlier run of the same import.
    pub settled_before: u64,
    /// Lines that were refused.
    pub refused: u64,
    /// Wall time.
    pub seconds: f64,
    /// Accepted lines a second.
    pub rate: f64,
    /// How often the stream broke and was taken up again.
    pub interruptions: u32,
    /// Where the refused lines are named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors_file: Option<PathBuf>,
}

#[derive(Serialize)]
struct RefusedLine<'a> {
    line: i64,
    violations: BTreeMap<&'a str, &'a str>,
}

/// Imports, shows progress, and prints the report.
///
/// # Errors
/// Where the file cannot be read, or the stream broke too often.
pub async fn run(link: &Link, options: ImportOptions, json: bool) -> anyhow::Result<()> {
    let report = import(link, &options).await?;
    if json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!(
            "{}: {} accepted, {} refused, {} settled before, in {:.1} s ({:.0} a second)",
            options.file.display(),
            report.accepted,
            report.refused,
            report.settled_before,
            report.seconds,
            report.rate
        );
        if let Some(file) = &report.errors_file {
            println!("refused lines: {}", file.display());
        }
    }
    Ok(())
}

/// Imports a file.
///
/// # Errors
/// As [`run`].
pub async fn import(link: &Link, options: &ImportOptions) -> anyhow::Result<Report> {
    let content = fs::read(&options.file).with_context(|| options.file.display().to_string())?;
    let mapping = Mapping::new(&options.map, &options.set)?;
    let import_id = options.import_id.clone().unwrap_or_else(|| {
        let described = format!("{:?}", (&options.map, &options.set));
        secret::to_text(&secret::keyed_hash(described.as_bytes(), &[&content]))
    });
    let rows = Rows::read(&options.file, &content)?;
    let bar = progress_bar(rows.len() as u64, options.quiet);
    let mut importing = Importing {
        link,
        options,
        mapping,
        import_id,
        rows,
        bar,
        report: Report::default(),
        errors: None,
    };
    let began = Instant::now();
    let mut pause = Duration::from_millis(200);
    while let Err(error) = importing.stream().await {
        importing.report.interruptions += 1;
        if importing.report.interruptions >= ATTEMPTS || !is_interruption(&error) {
            return Err(error);
        }
        importing.bar.println(format!("the stream broke ({error:#}); going on"));
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
    importing.bar.finish_and_clear();
    let mut report = importing.report;
    report.seconds = began.elapsed().as_secs_f64();
    report.rate = report.accepted as f64 / report.seconds.max(0.001);
    Ok(report)
}

fn is_interruption(error: &anyhow::Error) -> bool {
    let code = error.downcast_ref::<tonic::Status>().map(tonic::Status::code);
    matches!(
        code,
        Some(tonic::Code::Unavailable | tonic::Code::Unknown | tonic::Code::Internal | tonic::Code::Cancelled)
    )
}

fn progress_bar(lines: u64, quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(lines);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} lines, {per_sec}, {eta} left") {
        bar.set_style(style);
    }
    bar
}

struct Importing<'a> {
    link: &'a Link,
    options: &'a ImportOptions,
    mapping: Mapping,
    import_id: String,
    rows: Rows,
    bar: ProgressBar,
    report: Report,
    errors: Option<fs::File>,
}

impl Importing<'_> {
    /// One stream, from where the last one ended.
    async fn stream(&mut self) -> anyhow::Result<()> {
        let (send, receive) = mpsc::channel::<ImportFeedbacksRequest>(4);
        let opening = ImportOpening {
            parent: self.link.parent.clone(),
            import_id: self.import_id.clone(),
            validate_only: self.options.dry_run,
        };
        send.send(ImportFeedbacksRequest {
            opening: Some(opening),
            items: Vec::new(),
        })
        .await?;
        let mut answers = self
            .link
            .intake()
            .import_feedbacks(ReceiverStream::new(receive))
            .await?
            .into_inner();
        let first = answers
            .message()
            .await?
            .context("the stream ended before it was opened")?;
        let after = first.settled_through;
        self.bar.set_position(u64::try_from(after).unwrap_or(0));
        if self.report.interruptions == 0 {
            self.report.settled_before = u64::try_from(after).unwrap_or(0);
        }

        let (items, unreadable) = self.items(after);
        for (line, problem) in &unreadable {
            self.refuse(*line, &[("line", problem.as_str())])?;
        }
        let sending = async move {
            for chunk in items.chunks(CHUNK) {
                let request = ImportFeedbacksRequest {
                    opening: None,
                    items: chunk.to_vec(),
                };
                if send.send(request).await.is_err() {
                    break; // the other side ended: its answer says why
                }
            }
        };
        let receiving = async {
            while let Some(answer) = answers.message().await? {
                for result in answer.results {
                    match result.outcome {
                        Some(Outcome::Feedback(_)) => self.report.accepted += 1,
                        Some(Outcome::SettledBefore(_)) => self.report.settled_before += 1,
                        Some(Outcome::Refusal(refusal)) => {
                            let violations: Vec<(&str, &str)> = refusal
                                .violations
                                .iter()
                                .map(|violation| (violation.field.as_str(), violation.description.as_str()))
                                .collect();
                            self.refuse(result.sequence, &violations)?;
                        }
                        None => {}
                    }
                    self.bar.set_position(u64::try_from(result.sequence).unwrap_or(0));
                }
            }
            anyhow::Ok(())
        };
        tokio::join!(sending, receiving).1
    }

    /// The lines behind `after` as items, and those that cannot be read at all.
    fn items(&self, after: i64) -> (Vec<ImportItem>, Vec<(i64, String)>) {
        let (mut items, mut unreadable) = (Vec::new(), Vec::new());
        for Line { sequence, fields } in self.rows.iter().filter(|line| line.sequence > after) {
            let feedback = fields
                .as_ref()
                .map_err(Clone::clone)
                .and_then(|fields| self.mapping.feedback(fields));
            match feedback {
                Ok(feedback) => items.push(ImportItem {
                    sequence: *sequence,
                    feedback: Some(feedback),
                }),
                Err(problem) => unreadable.push((*sequence, problem)),
            }
        }
        (items, unreadable)
    }

    fn refuse(&mut self, line: i64, violations: &[(&str, &str)]) -> anyhow::Result<()> {
        self.report.refused += 1;
        let path = self.options.file.with_extension("errors.jsonl");
        let path = PathBuf::from(path.file_name().unwrap_or(path.as_os_str()));
        if self.errors.is_none() {
            self.errors = Some(fs::File::create(&path).with_context(|| path.display().to_string())?);
            self.report.errors_file = Some(path);
        }
        if let Some(file) = &mut self.errors {
            let refused = RefusedLine {
                line,
                violations: violations.iter().copied().collect(),
            };
            writeln!(file, "{}", serde_json::to_string(&refused)?)?;
        }
        Ok(())
    }
}
