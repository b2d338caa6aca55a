//! Version 0 of every tenant: the built-in taxonomy, read from the files in `builtin/` that people edit.

use jiff::Timestamp;
use serde::Deserialize;

use super::domain::{
    Category, Content, DegreeTerm, Dimension, ImpactTerm, Keyword, LocalName, SentimentModel, SentimentTerm,
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
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentimentFile {
    negative_below: f64,
    positive_above: f64,
    negations: Vec<String>,
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
                    })
                    .collect(),
                categories: with_dimensions(categories.categories),
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
        });
    }
    categories
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
