//! What keeps the rules and examples of categories from becoming part of a version.

use std::collections::HashSet;

use super::{
    check::{Violations, say},
    domain::{Category, Content, Pattern},
    examples::is_at_or_below,
};
use crate::{
    domain::UNCLASSIFIED,
    reading::{
        fold,
        rules::{compile, fit_together},
    },
};

/// So many of each may a version hold: they are held against texts one by one.
const REGEXES: usize = 100;
const PHRASES: usize = 5_000;
const EXAMPLES: usize = 5_000;

/// True where there are not too many regular expressions.
pub(super) fn sizes(content: &Content, found: &mut Violations) -> bool {
    let patterns = || {
        content
            .categories
            .iter()
            .flat_map(|category| &category.rules)
            .map(|rule| &rule.pattern)
    };
    let regexes = patterns()
        .filter(|pattern| matches!(pattern, Pattern::Regex(_)))
        .count();
    let phrases = patterns().count() - regexes;
    let examples = content
        .categories
        .iter()
        .map(|category| category.examples.len() + category.counter_examples.len())
        .sum();
    for (what, count, most) in [
        ("regular expressions", regexes, REGEXES),
        ("phrases", phrases, PHRASES),
        ("examples", examples, EXAMPLES),
    ] {
        if count > most {
            say(
                found,
                "categories".to_owned(),
                format!("hold {count} {what}; {most} are allowed"),
            );
        }
    }
    regexes <= REGEXES
}

/// Each may be small enough, and all together too much to search every text with.
pub(super) fn expressions_together(content: &Content, found: &mut Violations) {
    let rules = content.categories.iter().flat_map(|category| &category.rules);
    let patterns = rules.filter_map(|rule| match &rule.pattern {
        Pattern::Regex(pattern) => Some(pattern.as_str()),
        Pattern::Phrase { .. } => None,
    });
    if !fit_together(patterns) {
        say(
            found,
            "categories".to_owned(),
            "hold regular expressions that are too large together when they are compiled",
        );
    }
}

/// Regular expressions are compiled only where they are few enough: a compilation is work.
pub(super) fn rules(category: &Category, few: bool, field: &str, found: &mut Violations) {
    let mut known = HashSet::new();
    for (index, rule) in category.rules.iter().enumerate() {
        let at = |name: &str| format!("{field}[{index}].{name}");
        if !known.insert(&rule.key) {
            say(found, at("key"), format!("{} is there already", rule.key));
        }
        if !rule.weight.is_finite() || rule.weight <= 0.0 {
            say(found, at("weight"), "must be a number above 0");
        }
        match &rule.pattern {
            Pattern::Phrase { parts, .. } => {
                for (place, part) in parts.iter().enumerate() {
                    if fold::fold_term(part).is_empty() {
                        say(
                            found,
                            format!("{}[{place}]", at("phrase.parts")),
                            "holds nothing that could be found in a text",
                        );
                    }
                }
            }
            Pattern::Regex(pattern) if few => {
                if let Err(problem) = compile(pattern) {
                    say(found, at("regex"), problem);
                }
            }
            Pattern::Regex(_) => {}
        }
    }
}

/// A counter-example belongs to a category that there is, and that is none of those that it is written against.
pub(super) fn neighbors(content: &Content, category: &Category, field: &str, found: &mut Violations) {
    for (index, counter) in category.counter_examples.iter().enumerate() {
        let neighbor = counter.category.as_str();
        let at = format!("{field}[{index}].category");
        if is_at_or_below(neighbor, &category.key) {
            say(found, at, format!("{neighbor} is no neighbour of {}", category.key));
        } else if !neighbor.is_empty()
            && neighbor != UNCLASSIFIED
            && !content.categories.iter().any(|known| known.key == neighbor)
        {
            say(found, at, format!("there is no category {neighbor}"));
        }
    }
}
