//! The rules of a new version that one entry alone cannot break: every violation, each with its field.

use std::collections::{HashMap, HashSet};

use super::{
    check_rules::{expressions_together, neighbors, rules, sizes},
    domain::{Category, Content},
};
use crate::{domain::UNCLASSIFIED, reading::fold};

/// Fields with what is wrong about them.
pub(super) type Violations = Vec<(String, String)>;

/// What keeps this content from becoming a version; empty where nothing does. Fields are those of the message `Taxonomy`.
pub(crate) fn violations(content: &Content) -> Violations {
    let mut found = Vec::new();
    dimensions(content, &mut found);
    let few = sizes(content, &mut found);
    categories(content, few, &mut found);
    if few {
        expressions_together(content, &mut found);
    }
    sentiment(content, &mut found);
    words(
        content.impact_terms.iter().map(|term| term.term.as_str()),
        "impact_terms",
        ".term",
        &mut found,
    );
    found
}

pub(super) fn say(found: &mut Violations, field: String, problem: impl Into<String>) {
    found.push((field, problem.into()));
}

fn dimensions(content: &Content, found: &mut Violations) {
    let mut known = HashSet::new();
    for (index, dimension) in content.dimensions.iter().enumerate() {
        if !known.insert(&dimension.key) {
            say(
                found,
                format!("dimensions[{index}].key"),
                format!("{} is there already", dimension.key),
            );
        }
    }
}

fn categories(content: &Content, few_rules: bool, found: &mut Violations) {
    let mut known: HashMap<&str, &Category> = HashMap::new();
    for (index, category) in content.categories.iter().enumerate() {
        let field = |name: &str| format!("categories[{index}].{name}");
        if category.key == UNCLASSIFIED || category.key.starts_with("unclassified.") {
            say(found, field("key"), "unclassified is reserved");
        }
        if !content
            .dimensions
            .iter()
            .any(|dimension| dimension.key == category.dimension)
        {
            say(
                found,
                field("dimension"),
                format!("there is no dimension {}", category.dimension),
            );
        }
        if let Some((parent, _)) = category.key.rsplit_once('.') {
            match known.get(parent) {
                None => say(
                    found,
                    field("key"),
                    format!("its parent {parent} does not stand before it"),
                ),
                Some(parent) if parent.dimension != category.dimension => {
                    say(
                        found,
                        field("dimension"),
                        format!("its parent belongs to dimension {}", parent.dimension),
                    );
                }
                Some(_) => {}
            }
        }
        if known.insert(&category.key, category).is_some() {
            say(found, field("key"), format!("{} is there already", category.key));
        }
        words(
            category.keywords.iter().map(|keyword| keyword.term.as_str()),
            &field("keywords"),
            ".term",
            found,
        );
        words(
            category.exclusions.iter().map(String::as_str),
            &field("exclusions"),
            "",
            found,
        );
        rules(category, few_rules, &field("rules"), found);
        neighbors(content, category, &field("counter_examples"), found);
        for (place, keyword) in category.keywords.iter().enumerate() {
            if !keyword.weight.is_finite() || keyword.weight <= 0.0 {
                say(
                    found,
                    format!("{}[{place}].weight", field("keywords")),
                    "must be a number above 0",
                );
            }
        }
    }
}

fn sentiment(content: &Content, found: &mut Violations) {
    let model = &content.sentiment;
    words(
        model.terms.iter().map(|term| term.term.as_str()),
        "sentiment.terms",
        ".term",
        found,
    );
    for (field, list) in [
        ("sentiment.negations", &model.negations),
        ("sentiment.rhetoricals", &model.rhetoricals),
        ("sentiment.sarcasm_cues", &model.sarcasm_cues),
    ] {
        words(list.iter().map(String::as_str), field, "", found);
    }
    words(
        model.degrees.iter().map(|degree| degree.term.as_str()),
        "sentiment.degrees",
        ".term",
        found,
    );
    for (index, term) in model.terms.iter().enumerate() {
        if !term.weight.is_finite() || term.weight == 0.0 {
            say(
                found,
                format!("sentiment.terms[{index}].weight"),
                "must be a number other than 0",
            );
        }
    }
    for (index, degree) in model.degrees.iter().enumerate() {
        if !degree.factor.is_finite() || degree.factor <= 0.0 {
            say(
                found,
                format!("sentiment.degrees[{index}].factor"),
                "must be a number above 0",
            );
        }
    }
    for (name, threshold) in [
        ("negative_below", model.negative_below),
        ("positive_above", model.positive_above),
    ] {
        if !threshold.is_finite() {
            say(found, format!("sentiment.{name}"), "must be a number");
        }
    }
}

/// Terms of one list: none is empty, none there twice, whatever their case, width and script. `name` is the field of an entry that holds
/// the term; empty where the entry is the term.
fn words<'w>(terms: impl Iterator<Item = &'w str>, field: &str, name: &str, found: &mut Violations) {
    let mut known: HashMap<String, usize> = HashMap::new();
    for (index, term) in terms.enumerate() {
        let folded = fold::fold_term(term);
        let at = format!("{field}[{index}]{name}");
        if folded.is_empty() {
            say(found, at, "holds nothing that could be found in a text");
        } else if let Some(first) = known.insert(folded, index) {
            say(found, at, format!("{term} is the same word as that at {first}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::taxonomy::{
        builtin::Builtin,
        domain::{CounterExample, DegreeTerm, Example, Keyword, Pattern, Rule},
    };

    fn fields(change: impl FnOnce(&mut Content)) -> Vec<String> {
        let mut content = Builtin::load().unwrap().content;
        for category in &mut content.categories {
            category.counter_examples.clear(); // they name categories that a test may take away
        }
        change(&mut content);
        violations(&content).into_iter().map(|(field, _)| field).collect()
    }

    /// Every entry that does not fit is named, and nothing else.
    #[test]
    fn each_broken_rule_names_its_field() {
        assert_eq!(
            fields(|content| content.dimensions.push(content.dimensions[0].clone())),
            ["dimensions[2].key"]
        );
        assert_eq!(
            fields(|content| content.categories[1].key = "nowhere.fire".to_owned()),
            ["categories[1].key"]
        );
        assert_eq!(
            fields(|content| content.categories[1].dimension = "module".to_owned()),
            ["categories[1].dimension"]
        );
        assert_eq!(
            fields(|content| content.categories[1].key = "safety.food".to_owned()),
            ["categories[3].key"]
        );
        assert_eq!(
            fields(|content| content.categories[0].keywords.push(Keyword {
                term: "\u{200b} ".to_owned(),
                weight: 1.0
            }))
            .len(),
            1
        );
        assert_eq!(
            fields(|content| content.sentiment.degrees.insert(
                0,
                DegreeTerm {
                    term: "x".to_owned(),
                    factor: f64::NAN
                }
            )),
            ["sentiment.degrees[0].factor"]
        );
    }

    /// Rules, exclusions and counter-examples are checked when they are saved.
    #[test]
    fn a_rule_that_cannot_be_held_against_a_text_is_refused() {
        let rule = |key: &str, pattern| Rule {
            key: key.to_owned(),
            pattern,
            weight: 1.0,
            product_models: Vec::new(),
            channels: Vec::new(),
            overrides: false,
        };
        let phrase = |part: &str| Pattern::Phrase {
            parts: vec!["屏幕".to_owned(), part.to_owned()],
            gap: 3,
        };
        let regex = |pattern: &str| Pattern::Regex(pattern.to_owned());
        assert_eq!(
            fields(|content| {
                content.categories[0].rules = vec![
                    rule("a", regex("(")),
                    rule("a", phrase("\u{200b}")),
                    rule("b", regex("x*")),
                    rule("c", regex("订单\\d+")),
                ];
            }),
            [
                "categories[0].rules[0].regex",
                "categories[0].rules[1].key",
                "categories[0].rules[1].phrase.parts[1]",
                "categories[0].rules[2].regex"
            ]
        );
        assert_eq!(
            fields(|content| {
                content.categories[0].rules = (0..101).map(|n| rule(&format!("r{n}"), regex("("))).collect();
            }),
            ["categories"],
            "so many are not even compiled"
        );
        assert_eq!(
            fields(|content| {
                let rules = (0..5).map(|n| rule(&format!("r{n}"), regex(&format!("(?:a?){{1500}}[^a]{n}"))));
                content.categories[0].rules = rules.collect();
            }),
            ["categories"],
            "each is small enough, together they are not"
        );
        let counter = |category: &str| CounterExample {
            example: Example {
                text: "x".to_owned(),
                product_model: String::new(),
                channel: 0,
            },
            category: category.to_owned(),
        };
        assert_eq!(
            fields(|content| {
                content.categories[0].exclusions = vec!["安全帶".to_owned(), "安全带".to_owned()];
                content.categories[0].counter_examples = ["", "unclassified", "function", "nonsense", "safety.fire"]
                    .map(counter)
                    .to_vec();
            }),
            [
                "categories[0].exclusions[1]",
                "categories[0].counter_examples[3].category",
                "categories[0].counter_examples[4].category"
            ]
        );
    }

    #[test]
    fn the_same_word_in_another_script_is_there_twice() {
        let double = |terms: [&str; 2]| {
            fields(|content| {
                content.categories[0].keywords = terms
                    .map(|term| Keyword {
                        term: term.to_owned(),
                        weight: 1.0,
                    })
                    .to_vec();
            })
        };
        assert_eq!(double(["軟體 A", "软体　ａ"]), ["categories[0].keywords[1].term"]);
        assert!(double(["软件", "软体"]).is_empty());
    }
}
