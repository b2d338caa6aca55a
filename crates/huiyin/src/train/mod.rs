//! `huiyin train` and `huiyin bench-classifier`: how good a model becomes on texts with labels, over the public RPCs.

mod course;
mod rows;
mod splits;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use comfy_table::{Table, presets};

pub use course::Measured;
pub use splits::{SplitsOptions, bench};

use crate::{
    link::Link,
    suite::{Up, UpOptions},
};

/// What to learn from, and what to try it on.
#[derive(Debug, Args)]
pub struct TrainOptions {
    /// A folder with train.jsonl and test.jsonl; each line is {"id": …, "text": …, "label": …}.
    ///
    /// A model is trained on the first and evaluated on the second, in a task that is deleted afterwards, with the options
    /// that every task has. With --json one object is printed: accuracy, macro_f1 and ece are fractions 0..1,
    /// texts_per_cpu_s texts read in a second of processor time on one core, train_s seconds of training, model_mb
    /// megabytes (10^6 bytes).
    #[arg(long, value_name = "DIR")]
    pub eval: PathBuf,
    #[command(flatten)]
    up: UpOptions,
}

/// Trains on a folder, evaluates, and says how good it is.
///
/// # Errors
/// Where a file cannot be read, the suite does not answer, or the examples do not suffice.
pub async fn run(folder: &Path, options: TrainOptions, json: bool) -> anyhow::Result<()> {
    let train = rows::read(&options.eval.join("train.jsonl"))?;
    let test = rows::read(&options.eval.join("test.jsonl"))?;
    let name = options
        .eval
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let place = Place::find(folder, options.up).await?;
    let measured = course::measure(&place.link, &name, &train, &test).await;
    place.leave().await?;
    let measured = measured?;
    if json {
        println!("{}", serde_json::to_string(&measured)?);
    } else {
        print(&[measured]);
    }
    Ok(())
}

/// The suite that is asked: the one that runs, or one of the command's own.
struct Place {
    link: Link,
    own: Option<(Up, PathBuf)>,
}

impl Place {
    async fn find(folder: &Path, up: UpOptions) -> anyhow::Result<Self> {
        if let Ok(link) = Link::open(folder)
            && course::answers(&link).await
        {
            return Ok(Self { link, own: None });
        }
        Self::own(up).await
    }

    /// A classifier and its Postgres, for the time of the command.
    async fn own(up: UpOptions) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("huiyin-train-{}", std::process::id()));
        let options = UpOptions {
            redis_url: None,
            no_redis: true,
            ..up
        };
        let started = Up::start_only(&folder, options, &["classifier"]).await;
        let up = started.context("a classifier for the time of the command")?;
        // Not `open`: variables that lead to another suite do not count here.
        let address = up.files.addresses()?.get("classifier").copied();
        let address = address.context("the classifier has no address")?;
        let urls = [("classifier", format!("http://{address}"))].into();
        let link = Link::new(&urls, &up.files.admin_token()?, "demo")?;
        Ok(Self {
            link,
            own: Some((up, folder)),
        })
    }

    async fn leave(self) -> anyhow::Result<()> {
        let Some((up, folder)) = self.own else { return Ok(()) };
        let stopped = up.stop().await;
        let _ = huiyin_embedded::remove(&folder);
        stopped
    }
}

/// A table for people; shares as percentages.
fn print(all: &[Measured]) {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header([
        "set",
        "train",
        "test",
        "accuracy %",
        "macro-F1 %",
        "ECE %",
        "texts per CPU second",
        "train s",
        "model MB",
    ]);
    for measured in all {
        table.add_row([
            measured.set.clone(),
            measured.train_texts.to_string(),
            measured.test_texts.to_string(),
            format!("{:.2}", measured.accuracy * 100.0),
            format!("{:.2}", measured.macro_f1 * 100.0),
            format!("{:.2}", measured.ece * 100.0),
            format!("{:.0}", measured.texts_per_cpu_s),
            format!("{:.2}", measured.train_s),
            format!("{:.2}", measured.model_mb),
        ]);
    }
    println!("{table}");
}
