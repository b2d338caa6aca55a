//! Version 0 of every tenant: the built-in taxonomy, read from the files in `builtin/` that people edit.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::domain::{
    Category, Content, CounterExample, DegreeTerm, Dimension, Example, ImpactTerm, Keyword, LocalName, Pattern, Rule,
    SentimentModel, SentimentTerm,
};
use crate::domain::Impact;

/// The built-in taxonomy with what is said of it.
#[derive(Debug)]
pub(crate) struct Builtin {
    pub(crate) display_name: String,
    pub(crate) change_reason: String,
    pub(crate) made: Timestamp,
    pub(crate) content: Content,
}

/// Simplified, traditional, English.
type Name = [String; 3];

fn local(name: Name) -> LocalName {
    let [zh_cn, zh_tw, en] = name;
    LocalName { zh_cn, zh_tw, en }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CategoriesFile {
    display_name: String,
    change_reason: String,
    made: Timestamp,
    dimensions: Vec<DimensionEntry>,
    categories: Vec<CategoryEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DimensionEntry {
    key: String,
    name: Name,
    #[serde(default)]
    required: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CategoryEntry {
    key: String,
    /// That of its parent where it is left out.
    dimension: Option<String>,
    name: Name,
    definition: String,
    #[serde(default)]
    boundary: String,
    #[serde(default)]
    strong: Vec<String>,
    #[serde(default)]
    keywords: Vec<String>,
    #[serde(default)]
    weak: Vec<String>,
    #[serde(default)]
    skills: Vec<String>,
    #[serde(default)]
    department: String,
    impact: Option<Impact>,
    #[serde(default)]
    rules: Vec<RuleEntry>,
    #[serde(default)]
    exclusions: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleEntry {
    key: String,
    #[serde(default)]
    phrase: Vec<String>,
    #[serde(default)]
    gap: usize,
    #[serde(default)]
    regex: String,
    weight: f64,
}

/// What a category's entry in `examples.toml` says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExamplesEntry {
    /// They belong to it or below.
    examples: Vec<String>,
    /// They do not: the text, and the category that it has instead.
    counter_examples: Vec<[String; 2]>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentimentFile {
    negative_below: f64,
    positive_above: f64,
    negations: Vec<String>,
    rhetoricals: Vec<String>,
    sarcasm_cues: Vec<String>,
    degrees: Vec<DegreeGroup>,
    groups: Vec<SentimentGroup>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DegreeGroup {
    factor: f64,
    terms: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentimentGroup {
    weight: f64,
    terms: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImpactFile {
    groups: Vec<ImpactGroup>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImpactGroup {
    impact: Impact,
    terms: Vec<String>,
}

impl Builtin {
    /// Reads the files that were compiled in.
    ///
    /// # Errors
    /// Where one of them cannot be read; a test reads them all.
    pub(crate) fn load() -> anyhow::Result<Self> {
        let categories: CategoriesFile = toml::from_str(include_str!("../../builtin/categories.toml"))?;
        let sentiment: SentimentFile = toml::from_str(include_str!("../../builtin/sentiment.toml"))?;
        let impact: ImpactFile = toml::from_str(include_str!("../../builtin/impact.toml"))?;
        let examples: BTreeMap<String, ExamplesEntry> = toml::from_str(include_str!("../../builtin/examples.toml"))?;
        Ok(Self {
            display_name: categories.display_name,
            change_reason: categories.change_reason,
            made: categories.made,
            content: Content {
                dimensions: categories
                    .dimensions
                    .into_iter()
                    .map(|entry| Dimension {
                        key: entry.key,
                        display_name: local(entry.name),
                        required: entry.required,
                    })
                    .collect(),
                categories: with_examples(with_dimensions(categories.categories), examples)?,
                sentiment: sentiment_model(sentiment),
                impact_terms: impact
                    .groups
                    .into_iter()
                    .flat_map(|group| {
                        group.terms.into_iter().map(move |term| ImpactTerm {
                            term,
                            impact: group.impact,
                        })
                    })
                    .collect(),
            },
        })
    }
}

fn with_dimensions(entries: Vec<CategoryEntry>) -> Vec<Category> {
    let mut categories: Vec<Category> = Vec::with_capacity(entries.len());
    for entry in entries {
        let inherited = entry
            .key
            .split('.')
            .next()
            .and_then(|root| categories.iter().find(|category| category.key == root));
        let dimension = entry
            .dimension
            .or_else(|| inherited.map(|root| root.dimension.clone()))
            .unwrap_or_default();
        let weighted = |terms: Vec<String>, weight: f64| terms.into_iter().map(move |term| Keyword { term, weight });
        categories.push(Category {
            key: entry.key,
            dimension,
            display_name: local(entry.name),
            definition: entry.definition,
            boundary: entry.boundary,
            keywords: weighted(entry.strong, 2.0)
                .chain(weighted(entry.keywords, 1.0))
                .chain(weighted(entry.weak, 0.5))
                .collect(),
            skills: entry.skills,
            department: entry.department,
            default_impact: entry.impact,
            rules: entry.rules.into_iter().map(rule).collect(),
            exclusions: entry.exclusions,
            examples: Vec::new(),
            counter_examples: Vec::new(),
        });
    }
    categories
}

fn rule(entry: RuleEntry) -> Rule {
    Rule {
        key: entry.key,
        pattern: if entry.phrase.is_empty() {
            Pattern::Regex(entry.regex)
        } else {
            Pattern::Phrase {
                parts: entry.phrase,
                gap: entry.gap,
            }
        },
        weight: entry.weight,
        product_models: Vec::new(),
        channels: Vec::new(),
        overrides: false,
    }
}

fn with_examples(
    mut categories: Vec<Category>,
    mut examples: BTreeMap<String, ExamplesEntry>,
) -> anyhow::Result<Vec<Category>> {
    let example = |text: String| Example {
        text,
        product_model: String::new(),
        channel: 0,
    };
    for category in &mut categories {
        let Some(entry) = examples.remove(&category.key) else {
            continue;
        };
        category.examples = entry.examples.into_iter().map(example).collect();
        category.counter_examples = entry
            .counter_examples
            .into_iter()
            .map(|[text, category]| CounterExample {
                example: example(text),
                category,
            })
            .collect();
    }
    anyhow::ensure!(examples.is_empty(), "examples of no category: {:?}", examples.keys());
    Ok(categories)
}

fn sentiment_model(file: SentimentFile) -> SentimentModel {
    SentimentModel {
        terms: file
            .groups
            .into_iter()
            .flat_map(|group| {
                group.terms.into_iter().map(move |term| SentimentTerm {
                    term,
                    weight: group.weight,
                })
            })
            .collect(),
        negations: file.negations,
        degrees: file
            .degrees
            .into_iter()
            .flat_map(|group| {
                group.terms.into_iter().map(move |term| DegreeTerm {
                    term,
                    factor: group.factor,
                })
            })
            .collect(),
        negative_below: file.negative_below,
        positive_above: file.positive_above,
        rhetoricals: file.rhetoricals,
        sarcasm_cues: file.sarcasm_cues,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::taxonomy::check;

    /// C-10, 002-05: what we ship keeps the rules that we set for others.
    #[test]
    fn the_built_in_taxonomy_keeps_the_rules_of_every_other() {
        let builtin = Builtin::load().unwrap();
        assert_eq!(check::violations(&builtin.content), Vec::new());
    }

    /// 002-01 … 002-04, 003-01, 004-12: each group of the sources has its place.
    #[test]
    fn every_group_of_the_sources_is_there() {
        let content = Builtin::load().unwrap().content;
        for key in [
            "logistics.delay",
            "logistics.damage",
            "payment.refund",
            "payment.deduction",
            "order.operation",
            "quality.defect",
            "quality.mismatch",
            "quality.counterfeit",
            "service.response",
            "service.attitude",
            "service.answer",
            "after_sales.process",
            "price.promotion",
            "suggestion.feature",
            "suggestion.operation",
            "consultation",
            "function.missing",
            "experience.complexity",
            "performance.lag",
            "function.crash",
            "experience.interface",
            "hardware.fault",
            "safety.food",
        ] {
            let category = content
                .categories
                .iter()
                .find(|category| category.key == key)
                .unwrap_or_else(|| panic!("{key}"));
            assert!(
                !category.keywords.is_empty() && !category.definition.is_empty() && !category.boundary.is_empty(),
                "{key}"
            );
            assert!(
                !content.skills(key).is_empty() && !content.department(key).is_empty(),
                "{key}"
            );
        }
    }
}
