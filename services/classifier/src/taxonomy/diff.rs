//! What differs between two versions, entry by entry (001-79). It goes by the fields as they are stored, so that a field that a taxonomy
//! learns later is compared too.

use std::collections::BTreeMap;

use serde_json::Value;

use super::domain::Content;

/// The section of what stands in no list with keys.
const WHOLE: &str = "taxonomy";

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Added,
    Removed,
    Changed,
}

/// What differs in one field of an entry.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    pub(crate) field: String,
    pub(crate) added: Vec<String>,
    pub(crate) removed: Vec<String>,
}

/// An entry that differs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Difference {
    /// The list that it stands in.
    pub(crate) section: String,
    pub(crate) key: String,
    pub(crate) kind: Kind,
    /// Where it is changed.
    pub(crate) fields: Vec<Field>,
}

/// What differs from `base`: list by list, what is gone or changed in the order of the base, then what is new.
///
/// # Errors
/// Where a content cannot be said as JSON, which each is stored as.
pub(crate) fn differences(base: &Content, other: &Content) -> Result<Vec<Difference>, serde_json::Error> {
    let mut found = Vec::new();
    let mut loose = Vec::new();
    walk(
        "",
        &serde_json::to_value(base)?,
        &serde_json::to_value(other)?,
        &mut found,
        &mut loose,
    );
    if !loose.is_empty() {
        found.push(Difference {
            section: WHOLE.to_owned(),
            key: String::new(),
            kind: Kind::Changed,
            fields: loose,
        });
    }
    Ok(found)
}

fn walk(path: &str, base: &Value, other: &Value, found: &mut Vec<Difference>, loose: &mut Vec<Field>) {
    let nothing = Value::Null;
    match (base, other) {
        (Value::Object(base), Value::Object(other)) => {
            for name in base.keys().chain(other.keys().filter(|name| !base.contains_key(*name))) {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                let (base, other) = (base.get(name), other.get(name));
                walk(&path, base.unwrap_or(&nothing), other.unwrap_or(&nothing), found, loose);
            }
        }
        (Value::Array(base), Value::Array(other)) if base.iter().chain(other).all(|entry| key(entry).is_some()) => {
            entries(path, base, other, found);
        }
        (base, other) => loose.extend(field(path, base, other)),
    }
}

/// What names an entry of a list.
fn key(entry: &Value) -> Option<&str> {
    entry.get("key").or_else(|| entry.get("term"))?.as_str()
}

fn entries(section: &str, base: &[Value], other: &[Value], found: &mut Vec<Difference>) {
    let by_key = |entries: &'_ [Value]| -> BTreeMap<String, usize> {
        let named = entries.iter().enumerate();
        named
            .filter_map(|(index, entry)| Some((key(entry)?.to_owned(), index)))
            .collect()
    };
    let (known, now) = (by_key(base), by_key(other));
    let mut say = |entry: &Value, kind, fields| {
        found.push(Difference {
            section: section.to_owned(),
            key: key(entry).unwrap_or_default().to_owned(),
            kind,
            fields,
        });
    };
    for entry in base {
        match key(entry).and_then(|key| now.get(key)) {
            None => say(entry, Kind::Removed, Vec::new()),
            Some(index) => {
                let fields = fields("", entry, &other[*index]);
                if !fields.is_empty() {
                    say(entry, Kind::Changed, fields);
                }
            }
        }
    }
    for entry in other {
        if key(entry).is_some_and(|key| !known.contains_key(key)) {
            say(entry, Kind::Added, Vec::new());
        }
    }
}

/// The fields of an entry that differ, those of a message in it by their dotted names.
fn fields(path: &str, base: &Value, other: &Value) -> Vec<Field> {
    let (Value::Object(base), Value::Object(other)) = (base, other) else {
        return field(path, base, other).into_iter().collect();
    };
    let nothing = Value::Null;
    base.keys()
        .chain(other.keys().filter(|name| !base.contains_key(*name)))
        .flat_map(|name| {
            let path = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            let (base, other) = (base.get(name), other.get(name));
            fields(&path, base.unwrap_or(&nothing), other.unwrap_or(&nothing))
        })
        .collect()
}

fn field(name: &str, base: &Value, other: &Value) -> Option<Field> {
    let (removed, added) = match (base, other) {
        (base, other) if base == other => return None,
        (Value::Array(base), Value::Array(other)) => (without(base, other), without(other, base)),
        (base, other) => (shown(base).into_iter().collect(), shown(other).into_iter().collect()),
    };
    Some(Field {
        field: name.to_owned(),
        added,
        removed,
    })
}

/// What stands in one list and not in the other.
fn without(list: &[Value], other: &[Value]) -> Vec<String> {
    let known: std::collections::HashSet<String> = other.iter().filter_map(shown).collect();
    let shown = list.iter().filter_map(shown);
    shown.filter(|value| !known.contains(value)).collect()
}

/// A text as it is, nothing as nothing, anything else as JSON.
fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::taxonomy::{
        builtin::Builtin,
        domain::{Keyword, SentimentTerm},
    };

    /// 001-79: what was changed, by key and field.
    #[test]
    fn every_change_is_named_and_nothing_else() {
        let base = Builtin::load().unwrap().content;
        assert_eq!(differences(&base, &base).unwrap(), Vec::new());
        let mut other = base.clone();
        let removed = other.categories.remove(3);
        other.categories[0].keywords.push(Keyword {
            term: "新词".to_owned(),
            weight: 2.0,
        });
        other.categories[0].display_name.en = "Safety first".to_owned();
        other.sentiment.terms.push(SentimentTerm {
            term: "新语气".to_owned(),
            weight: 0.5,
        });
        other.sentiment.negations.push("没得".to_owned());
        other.sentiment.negative_below = -0.2;
        let found = differences(&base, &other).unwrap();
        let shown: Vec<(&str, &str, Kind)> = found
            .iter()
            .map(|difference| (difference.section.as_str(), difference.key.as_str(), difference.kind))
            .collect();
        assert_eq!(
            shown,
            [
                ("categories", "safety", Kind::Changed),
                ("categories", removed.key.as_str(), Kind::Removed),
                ("sentiment.terms", "新语气", Kind::Added),
                ("taxonomy", "", Kind::Changed),
            ]
        );
        let field = |name: &str, added: &[&str], removed: &[&str]| Field {
            field: name.to_owned(),
            added: added.iter().map(|text| (*text).to_owned()).collect(),
            removed: removed.iter().map(|text| (*text).to_owned()).collect(),
        };
        assert_eq!(
            found[0].fields,
            [
                field("display_name.en", &["Safety first"], &["Safety and compliance"]),
                field("keywords", &[r#"{"term":"新词","weight":2.0}"#], &[]),
            ]
        );
        assert_eq!(
            found[3].fields,
            [
                field("sentiment.negations", &["没得"], &[]),
                field("sentiment.negative_below", &["-0.2"], &["-0.1"]),
            ]
        );
    }
}
