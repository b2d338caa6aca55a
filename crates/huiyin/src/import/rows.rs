//! The lines of a file, CSV or JSONL, as columns.

use std::{collections::BTreeMap, path::Path};

/// One line.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// Its number among the lines of data, from 1.
    pub(super) sequence: i64,
    /// Its columns, or why it cannot be read.
    pub(super) fields: Result<BTreeMap<String, String>, String>,
}

/// All lines of a file.
#[derive(Debug)]
pub(super) struct Rows(Vec<Line>);

impl Rows {
    /// Reads a file; one bad line spoils no other.
    pub(super) fn read(path: &Path, content: &[u8]) -> anyhow::Result<Self> {
        let text = String::from_utf8_lossy(content);
        let text = text.trim_start_matches('\u{feff}');
        let is_csv = path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        let fields = if is_csv {
            csv_lines(text)?
        } else {
            text.lines()
                .filter(|line| !line.trim().is_empty())
                .map(json_line)
                .collect()
        };
        let lines = (1..)
            .zip(fields)
            .map(|(sequence, fields)| Line { sequence, fields })
            .collect();
        Ok(Self(lines))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Line> {
        self.0.iter()
    }
}

type Fields = Result<BTreeMap<String, String>, String>;

fn csv_lines(text: &str) -> anyhow::Result<Vec<Fields>> {
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let header: Vec<String> = reader.headers()?.iter().map(|name| name.trim().to_owned()).collect();
    let line = |record: Result<csv::StringRecord, csv::Error>| {
        let record = record.map_err(|error| error.to_string())?;
        Ok(header.iter().cloned().zip(record.iter().map(str::to_owned)).collect())
    };
    Ok(reader.records().map(line).collect())
}

fn json_line(line: &str) -> Fields {
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(line).map_err(|error| format!("not a JSON object: {error}"))?;
    let text = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    };
    Ok(object.into_iter().map(|(name, value)| (name, text(value))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_line_spoils_no_other() {
        let rows = Rows::read(Path::new("x.jsonl"), b"{\"text\":\"a\"}\nnot json\n{\"text\":\"b\"}\n").unwrap();
        let readable: Vec<bool> = rows.iter().map(|line| line.fields.is_ok()).collect();
        assert_eq!(readable, [true, false, true]);
        let rows = Rows::read(
            Path::new("x.csv"),
            "\u{feff}id,text\n1,\"好, 不错\"\n2\n3,c\n".as_bytes(),
        )
        .unwrap();
        let texts: Vec<Option<&str>> = rows
            .iter()
            .map(|line| {
                line.fields
                    .as_ref()
                    .ok()
                    .and_then(|fields| fields.get("text"))
                    .map(String::as_str)
            })
            .collect();
        assert_eq!(texts, [Some("好, 不错"), None, Some("c")]);
    }
}
