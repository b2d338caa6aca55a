//! Texts with labels, as files have them.

use std::{fs, path::Path};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Row {
    /// May be missing; then the line's place is its id.
    #[serde(default)]
    pub(super) id: String,
    pub(super) text: String,
    pub(super) label: String,
}

/// Reads a file of lines.
///
/// # Errors
/// Names the first line that is none.
pub(super) fn read(file: &Path) -> anyhow::Result<Vec<Row>> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let rows = lines
        .map(|(place, line)| serde_json::from_str(line).with_context(|| format!("{}:{}", file.display(), place + 1)));
    rows.collect()
}

/// Writes a file of lines.
///
/// # Errors
/// Where it cannot be written.
pub(super) fn write(file: &Path, rows: &[Row]) -> anyhow::Result<()> {
    let mut text = String::new();
    for row in rows {
        text.push_str(&serde_json::to_string(row)?);
        text.push('\n');
    }
    fs::write(file, text).with_context(|| file.display().to_string())
}
