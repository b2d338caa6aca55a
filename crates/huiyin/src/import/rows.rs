//! The lines of a file, CSV, JSONL or a spreadsheet (XLSX), as columns.

use std::{collections::BTreeMap, io::Cursor, path::Path};

use anyhow::Context as _;
use calamine::{Data, Reader as _, Xlsx};

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
    ///
    /// # Errors
    /// Where the file as a whole is not what its name says.
    pub(super) fn read(path: &Path, content: &[u8]) -> anyhow::Result<Self> {
        let is_of = |kind: &str| {
            path.extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case(kind))
        };
        if is_of("xlsx") {
            return Ok(Self::numbered(sheet_lines(content)?));
        }
        let text = String::from_utf8_lossy(content);
        let text = text.trim_start_matches('\u{feff}');
        let fields = if is_of("csv") {
            csv_lines(text)?
        } else {
            text.lines()
                .filter(|line| !line.trim().is_empty())
                .map(json_line)
                .collect()
        };
        Ok(Self::numbered(fields))
    }

    fn numbered(fields: Vec<Fields>) -> Self {
        let lines = (1..)
            .zip(fields)
            .map(|(sequence, fields)| Line { sequence, fields })
            .collect();
        Self(lines)
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

/// The lines of the first sheet; its first row names the columns. Rows in which nothing stands are no lines.
fn sheet_lines(content: &[u8]) -> anyhow::Result<Vec<Fields>> {
    let mut book = Xlsx::new(Cursor::new(content)).context("not a spreadsheet")?;
    let sheet = book
        .worksheet_range_at(0)
        .context("no sheet")?
        .context("the first sheet")?;
    let mut rows = sheet.rows();
    let header: Vec<String> = rows
        .next()
        .into_iter()
        .flatten()
        .map(|cell| cell_text(cell).unwrap_or_default().trim().to_owned())
        .collect();
    let line = |row: &[Data]| {
        let named = header.iter().zip(row).filter(|(name, _)| !name.is_empty());
        named
            .map(|(name, cell)| match cell_text(cell) {
                Ok(text) => Ok((name.clone(), text)),
                Err(problem) => Err(format!("{name}: {problem}")),
            })
            .collect()
    };
    Ok(rows
        .filter(|row| row.iter().any(|cell| !matches!(cell, Data::Empty)))
        .map(line)
        .collect())
}

/// What a cell says: whole numbers without a point, moments as they are written elsewhere.
fn cell_text(cell: &Data) -> Result<String, String> {
    Ok(match cell {
        Data::Empty => String::new(),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => text.clone(),
        Data::Int(number) => number.to_string(),
        // Ids and order numbers are typed as numbers.
        Data::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.0}"),
        Data::Float(number) => number.to_string(),
        Data::Bool(is) => is.to_string(),
        Data::DateTime(moment) if moment.is_datetime() => moment_text(moment.as_f64()).ok_or("is no date")?,
        Data::DateTime(moment) => moment.as_f64().to_string(),
        Data::Error(error) => return Err(format!("holds the error {error}")),
    })
}

/// A moment of a sheet, days since 1899-12-30, in UTC: sheets know no time zone.
fn moment_text(days: f64) -> Option<String> {
    let epoch = jiff::civil::date(1899, 12, 30)
        .to_zoned(jiff::tz::TimeZone::UTC)
        .ok()?
        .timestamp();
    let seconds = jiff::SignedDuration::try_from_secs_f64((days * 86_400.0).round()).ok()?;
    Some(epoch.checked_add(seconds).ok()?.to_string())
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
    use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};

    use super::*;

    #[test]
    fn a_spreadsheet_is_read_like_any_other_file() {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        for (column, name) in (0..).zip(["id", "内容", "occur_time", "", "emotion_level"]) {
            sheet.write(0, column, name).unwrap();
        }
        let date = Format::new().set_num_format("yyyy-mm-dd hh:mm");
        sheet.write(1, 0, 2_026_030_200_001_i64).unwrap();
        sheet.write(1, 1, "物流太慢").unwrap();
        let moment = ExcelDateTime::parse_from_str("2026-03-02T08:30").unwrap();
        sheet.write_with_format(1, 2, &moment, &date).unwrap();
        sheet.write(1, 3, "a column without a name").unwrap();
        sheet.write(1, 4, 3).unwrap();
        // Row 3 is empty: no line.
        sheet.write(3, 1, Formula::new("=1/0").set_result("#DIV/0!")).unwrap();
        sheet.write(4, 1, true).unwrap();
        let content = book.save_to_buffer().unwrap();

        let rows = Rows::read(Path::new("x.XLSX"), &content).unwrap();
        let lines: Vec<&Line> = rows.iter().collect();
        let first = lines[0].fields.as_ref().unwrap();
        let of = |name: &str| first[name].as_str();
        assert_eq!(
            (of("id"), of("内容"), of("emotion_level")),
            ("2026030200001", "物流太慢", "3")
        );
        assert_eq!((of("occur_time"), first.len()), ("2026-03-02T08:30:00Z", 4));
        assert_eq!(lines.iter().map(|line| line.sequence).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(
            lines[1]
                .fields
                .as_ref()
                .unwrap_err()
                .starts_with("内容: holds the error"),
            "{:?}",
            lines[1]
        );
        assert_eq!(lines[2].fields.as_ref().unwrap()["内容"], "true");
        assert!(Rows::read(Path::new("x.xlsx"), b"PK\x03\x04 not one").is_err());
    }

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
