//! `huiyin bench-classifier`: every set of a folder, split the same way each time, trained and tried as `huiyin train` does.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args;
use huiyin_chassis::secret;

use super::{
    Place, course, print,
    rows::{self, Row},
};
use crate::suite::UpOptions;

/// Which sets.
#[derive(Debug, Args)]
pub struct SplitsOptions {
    /// A folder of sets, one *.jsonl each, with lines {"id": …, "text": …, "label": …}.
    #[arg(
        long,
        value_name = "DIR",
        default_value = "../shared/data/dev",
        env = "HUIYIN_BENCH_DATA"
    )]
    pub data: PathBuf,
    /// Only sets whose name contains this.
    #[arg(long, default_value = "")]
    pub only: String,
    /// Another split: which fifth is the one to test on is a hash of this and the line's id.
    #[arg(long, default_value_t = 0)]
    pub split: u64,
    #[command(flatten)]
    up: UpOptions,
}

/// Splits each set, 80 % to train on and 20 % to test on, and prints how good a model becomes.
///
/// # Errors
/// Where a set cannot be read, or a classifier does not start.
pub async fn bench(options: SplitsOptions, json: bool) -> anyhow::Result<()> {
    if !options.data.is_dir() {
        println!("skipped: no {}", options.data.display());
        return Ok(());
    }
    let folder = std::env::temp_dir().join(format!("huiyin-splits-{}", std::process::id()));
    let sets = split(&options, &folder);
    let measured = match sets {
        Ok(sets) => measure(&sets, options.up).await,
        Err(error) => Err(error),
    };
    let _ = fs::remove_dir_all(&folder);
    let measured = measured?;
    if json {
        println!("{}", serde_json::to_string(&measured)?);
    } else {
        print(&measured);
    }
    Ok(())
}

/// Writes a folder with train.jsonl and test.jsonl for each set.
fn split(options: &SplitsOptions, folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = fs::read_dir(&options.data)?
        .map(|entry| Ok(entry?.path()))
        .collect::<anyhow::Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    let mut sets = Vec::new();
    for file in files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if !name.contains(&options.only) {
            continue;
        }
        let (test, train): (Vec<Row>, Vec<Row>) = rows::read(&file)?
            .into_iter()
            .partition(|row| is_test(row, options.split));
        let set = folder.join(name);
        fs::create_dir_all(&set).with_context(|| set.display().to_string())?;
        rows::write(&set.join("train.jsonl"), &train)?;
        rows::write(&set.join("test.jsonl"), &test)?;
        sets.push(set);
    }
    Ok(sets)
}

/// One line in five, whatever its place.
fn is_test(row: &Row, split: u64) -> bool {
    let id = if row.id.is_empty() { &row.text } else { &row.id };
    secret::hash(format!("{split}\u{1f}{id}").as_bytes())[0].is_multiple_of(5)
}

async fn measure(sets: &[PathBuf], up: UpOptions) -> anyhow::Result<Vec<course::Measured>> {
    let place = Place::own(up).await?;
    let mut all = Vec::new();
    let measuring = async {
        for set in sets {
            let name = set.file_name().unwrap_or_default().to_string_lossy();
            let train = rows::read(&set.join("train.jsonl"))?;
            let test = rows::read(&set.join("test.jsonl"))?;
            eprintln!("{name} …");
            all.push(course::measure(&place.link, &name, &train, &test).await?);
        }
        anyhow::Ok(())
    };
    let outcome = tokio::select! {
        outcome = measuring => outcome,
        // Cut short, it leaves nothing behind either.
        () = huiyin_chassis::termination() => Err(anyhow::anyhow!("stopped before the end")),
    };
    place.leave().await?;
    outcome.map(|()| all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stands_on_the_same_side_each_time_and_one_in_five_is_tested() {
        let row = |id: usize| Row {
            id: id.to_string(),
            text: String::new(),
            label: String::new(),
        };
        let tested = (0..5000).filter(|id| is_test(&row(*id), 0)).count();
        assert!((900..1130).contains(&tested), "{tested}");
        assert!((0..100).all(|id| is_test(&row(id), 0) == is_test(&row(id), 0)));
        assert!((0..100).any(|id| is_test(&row(id), 0) != is_test(&row(id), 1)));
    }
}
