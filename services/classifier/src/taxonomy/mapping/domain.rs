//! A mapping: what becomes of each category of an earlier version.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::taxonomy::domain::Content;

/// What becomes of one category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mapped {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    /// Each text is to be read anew; `to` is empty then, and only then.
    #[serde(default)]
    pub(crate) reclassify: bool,
}

/// How the categories of an earlier version become those of a later one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mapping {
    /// The later version.
    pub(crate) version: i32,
    pub(crate) from_version: i32,
    /// Those that do not stay as they are.
    pub(crate) categories: Vec<Mapped>,
    pub(crate) author: String,
    /// The etag.
    pub(crate) revision: i32,
    pub(crate) create_time: Timestamp,
    pub(crate) update_time: Timestamp,
}

/// What a mapping makes of a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate<'m> {
    /// It is one of these: the one for which most speaks, else the first.
    Becomes(&'m [String]),
    /// It has the same key as before.
    Stays,
    /// An entry has each text read anew.
    ReadAnew,
    /// No entry says it, and the later version does not have it.
    Unknown,
}

/// What becomes of a category; one that no entry names stays as it is where the later version has it.
pub(crate) fn fate<'m>(categories: &'m [Mapped], later: impl Fn(&str) -> bool, key: &str) -> Fate<'m> {
    match categories.iter().find(|mapped| mapped.from == key) {
        Some(mapped) if mapped.reclassify => Fate::ReadAnew,
        Some(mapped) => Fate::Becomes(&mapped.to),
        None if later(key) => Fate::Stays,
        None => Fate::Unknown,
    }
}

/// What keeps these entries from becoming a mapping: every violation with its field in the message `TaxonomyMapping`.
pub(crate) fn violations(earlier: &Content, later: &Content, categories: &[Mapped]) -> Vec<(String, String)> {
    let dimensions = |content: &Content| -> HashMap<String, String> {
        let both = content
            .categories
            .iter()
            .map(|category| (category.key.clone(), category.dimension.clone()));
        both.collect()
    };
    let (earlier_dimensions, later_dimensions) = (dimensions(earlier), dimensions(later));
    let mut found = Vec::new();
    let mut known = HashSet::new();
    for (index, mapped) in categories.iter().enumerate() {
        let field = |name: &str| format!("categories[{index}].{name}");
        if mapped.to.is_empty() != mapped.reclassify {
            found.push((
                format!("categories[{index}]"),
                "must have either `to` or `reclassify`".to_owned(),
            ));
        }
        let Some(dimension) = earlier_dimensions.get(&mapped.from) else {
            found.push((
                field("from"),
                format!("the earlier version has no category {}", mapped.from),
            ));
            continue;
        };
        if !known.insert(&mapped.from) {
            found.push((field("from"), format!("{} has an entry already", mapped.from)));
        }
        for (place, key) in mapped.to.iter().enumerate() {
            match later_dimensions.get(key) {
                None => found.push((
                    format!("{}[{place}]", field("to")),
                    format!("the later version has no category {key}"),
                )),
                Some(other) if other != dimension => found.push((
                    format!("{}[{place}]", field("to")),
                    format!("is of dimension {other}, and {} of {dimension}", mapped.from),
                )),
                Some(_) => {}
            }
        }
    }
    for category in &earlier.categories {
        if later_dimensions.get(&category.key) != Some(&category.dimension) && !known.contains(&category.key) {
            found.push((
                "categories".to_owned(),
                format!(
                    "do not say what becomes of {}, which the later version does not have",
                    category.key
                ),
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::taxonomy::builtin::Builtin;

    fn mapped(from: &str, to: &[&str]) -> Mapped {
        Mapped {
            from: from.to_owned(),
            to: to.iter().map(|key| (*key).to_owned()).collect(),
            reclassify: to.is_empty(),
        }
    }

    /// C-10: every category of the earlier version has a place in the later one.
    #[test]
    fn no_category_is_left_without_a_place() {
        let earlier = Builtin::load().unwrap().content;
        let mut later = earlier.clone();
        later.categories.retain(|category| category.key != "function.login");
        let fields = |categories: &[Mapped]| -> Vec<String> {
            let found = violations(&earlier, &later, categories);
            found.into_iter().map(|(field, _)| field).collect()
        };
        assert_eq!(fields(&[]), ["categories"]);
        assert!(fields(&[mapped("function.login", &["function.defect", "function"])]).is_empty());
        assert!(fields(&[mapped("function.login", &[])]).is_empty(), "read anew");
        assert_eq!(
            fields(&[
                mapped("function.login", &["function.login"]),
                mapped("function.login", &["marketing"]),
                mapped("nonsense", &["function"]),
            ]),
            [
                "categories[0].to[0]",
                "categories[1].from",
                "categories[1].to[0]",
                "categories[2].from"
            ]
        );
        assert!(violations(&earlier, &earlier, &[]).is_empty());
    }

    #[test]
    fn what_no_entry_names_stays_where_it_can() {
        let entries = [mapped("a", &["b", "c"]), mapped("d", &[])];
        let later = |key: &str| key == "e";
        assert_eq!(
            fate(&entries, later, "a"),
            Fate::Becomes(&["b".to_owned(), "c".to_owned()])
        );
        assert_eq!(fate(&entries, later, "d"), Fate::ReadAnew);
        assert_eq!(fate(&entries, later, "e"), Fate::Stays);
        assert_eq!(fate(&entries, later, "f"), Fate::Unknown);
    }
}
