//! Between the taxonomy of the proto and that of the domain.

use huiyin_chassis::{Refusal, Tenant, sql};
use huiyin_proto::classifier::v1;

pub(crate) use huiyin_proto::classifier::v1::Taxonomy;

use super::{
    diff::{Difference, Field, Kind},
    domain::{
        Category, Content, CounterExample, DegreeTerm, Dimension, Example, Head, ImpactTerm, Keyword, LocalName,
        NewTaxonomy, Pattern, Rule, SentimentModel, SentimentTerm,
    },
    examples::Broken,
};
use crate::{
    classification::convert::{impact_number, span},
    domain::Impact,
};

/// A version for the wire; without its content in lists.
pub(crate) fn taxonomy(tenant: &Tenant, head: &Head, content: Option<&Content>) -> Taxonomy {
    Taxonomy {
        name: tenant.child("taxonomies", head.version),
        version: head.version,
        display_name: head.display_name.clone(),
        change_reason: head.change_reason.clone(),
        dimensions: content
            .map(|content| content.dimensions.iter().map(dimension).collect())
            .unwrap_or_default(),
        categories: content
            .map(|content| content.categories.iter().map(category).collect())
            .unwrap_or_default(),
        sentiment: content.map(|content| sentiment(&content.sentiment)),
        impact_terms: content
            .map(|content| content.impact_terms.iter().map(impact_term).collect())
            .unwrap_or_default(),
        active: head.active,
        author: head.author.clone(),
        etag: head.revision.to_string(),
        create_time: Some(sql::to_proto(head.create_time)),
        activate_time: head.activate_time.map(sql::to_proto),
        broken_examples: Vec::new(),
    }
}

/// What the answers of Create and Check say beside the version.
pub(super) trait WithBroken: Sized {
    /// The same with the examples that it does not keep.
    fn with_broken(self, broken: &[Broken]) -> Result<Self, Refusal>;
}

impl WithBroken for Taxonomy {
    fn with_broken(mut self, broken: &[Broken]) -> Result<Self, Refusal> {
        self.broken_examples = broken.iter().map(broken_example).collect::<Result<_, _>>()?;
        Ok(self)
    }
}

fn broken_example(broken: &Broken) -> Result<v1::BrokenExample, Refusal> {
    Ok(v1::BrokenExample {
        field: broken.field.clone(),
        category: broken.category.clone(),
        counter: broken.counter,
        text: broken.text.clone(),
        expected: broken.expected.clone(),
        found: broken.found.clone(),
        spans: broken.spans.iter().map(span).collect::<Result<_, _>>()?,
    })
}

/// What differs, for the wire.
pub(super) fn difference(difference: Difference) -> v1::TaxonomyDifference {
    let kind = match difference.kind {
        Kind::Added => v1::DifferenceKind::Added,
        Kind::Removed => v1::DifferenceKind::Removed,
        Kind::Changed => v1::DifferenceKind::Changed,
    };
    let field = |field: Field| v1::FieldDifference {
        field: field.field,
        added: field.added,
        removed: field.removed,
    };
    v1::TaxonomyDifference {
        section: difference.section,
        key: difference.key,
        kind: kind.into(),
        fields: difference.fields.into_iter().map(field).collect(),
    }
}

fn local_name(name: &LocalName) -> v1::LocalName {
    v1::LocalName {
        zh_cn: name.zh_cn.clone(),
        zh_tw: name.zh_tw.clone(),
        en: name.en.clone(),
    }
}

fn dimension(dimension: &Dimension) -> v1::Dimension {
    v1::Dimension {
        key: dimension.key.clone(),
        display_name: Some(local_name(&dimension.display_name)),
        required: dimension.required,
    }
}

fn rule(rule: &Rule) -> v1::Rule {
    let (phrase, regex) = match &rule.pattern {
        Pattern::Phrase { parts, gap } => {
            let phrase = v1::Phrase {
                parts: parts.clone(),
                gap: i32::try_from(*gap).unwrap_or(i32::MAX),
            };
            (Some(phrase), String::new())
        }
        Pattern::Regex(pattern) => (None, pattern.clone()),
    };
    v1::Rule {
        key: rule.key.clone(),
        phrase,
        regex,
        weight: rule.weight,
        product_models: rule.product_models.clone(),
        channels: rule.channels.clone(),
        overrides: rule.overrides,
    }
}

fn example(example: &Example) -> v1::DictionaryExample {
    v1::DictionaryExample {
        text: example.text.clone(),
        product_model: example.product_model.clone(),
        channel: example.channel,
    }
}

fn counter_example(counter: &CounterExample) -> v1::DictionaryCounterExample {
    v1::DictionaryCounterExample {
        text: counter.example.text.clone(),
        category: counter.category.clone(),
        product_model: counter.example.product_model.clone(),
        channel: counter.example.channel,
    }
}

fn category(category: &Category) -> v1::Category {
    v1::Category {
        key: category.key.clone(),
        dimension: category.dimension.clone(),
        display_name: Some(local_name(&category.display_name)),
        definition: category.definition.clone(),
        boundary: category.boundary.clone(),
        keywords: category
            .keywords
            .iter()
            .map(|keyword| v1::Keyword {
                term: keyword.term.clone(),
                weight: keyword.weight,
            })
            .collect(),
        skills: category.skills.clone(),
        department: category.department.clone(),
        default_impact: category.default_impact.map_or(0, impact_number),
        rules: category.rules.iter().map(rule).collect(),
        exclusions: category.exclusions.clone(),
        examples: category.examples.iter().map(example).collect(),
        counter_examples: category.counter_examples.iter().map(counter_example).collect(),
    }
}

fn sentiment(model: &SentimentModel) -> v1::SentimentModel {
    v1::SentimentModel {
        terms: model
            .terms
            .iter()
            .map(|term| v1::SentimentTerm {
                term: term.term.clone(),
                weight: term.weight,
            })
            .collect(),
        negations: model.negations.clone(),
        degrees: model
            .degrees
            .iter()
            .map(|degree| v1::DegreeTerm {
                term: degree.term.clone(),
                factor: degree.factor,
            })
            .collect(),
        negative_below: model.negative_below,
        positive_above: model.positive_above,
        rhetoricals: model.rhetoricals.clone(),
        sarcasm_cues: model.sarcasm_cues.clone(),
    }
}

fn impact_term(term: &ImpactTerm) -> v1::ImpactTerm {
    v1::ImpactTerm {
        term: term.term.clone(),
        impact: impact_number(term.impact),
    }
}

/// A version that a caller wants to make. The rules of the proto hold already; where an enum is none of ours all the same,
/// every such field is named.
pub(super) fn new_taxonomy(proto: Taxonomy) -> Result<NewTaxonomy, Refusal> {
    let mut reader = Reader(Vec::new());
    let content = Content {
        dimensions: proto
            .dimensions
            .into_iter()
            .map(|entry| Dimension {
                key: entry.key,
                display_name: name(entry.display_name),
                required: entry.required,
            })
            .collect(),
        categories: proto.categories.into_iter().map(new_category).collect(),
        sentiment: new_sentiment(proto.sentiment.unwrap_or_default()),
        impact_terms: reader.impact_terms(proto.impact_terms),
    };
    if reader.0.is_empty() {
        Ok(NewTaxonomy {
            display_name: proto.display_name,
            change_reason: proto.change_reason,
            content,
        })
    } else {
        Err(Refusal::invalid(reader.0))
    }
}

fn name(proto: Option<v1::LocalName>) -> LocalName {
    let v1::LocalName { zh_cn, zh_tw, en } = proto.unwrap_or_default();
    LocalName { zh_cn, zh_tw, en }
}

/// A weight that was left out is 1.
fn weight(weight: f64) -> f64 {
    if weight == 0.0 { 1.0 } else { weight }
}

fn new_rule(proto: v1::Rule) -> Rule {
    Rule {
        key: proto.key,
        pattern: match proto.phrase {
            Some(phrase) => Pattern::Phrase {
                parts: phrase.parts,
                gap: usize::try_from(phrase.gap).unwrap_or(0),
            },
            None => Pattern::Regex(proto.regex),
        },
        weight: weight(proto.weight),
        product_models: proto.product_models,
        channels: proto.channels,
        overrides: proto.overrides,
    }
}

fn new_example(text: String, product_model: String, channel: i32) -> Example {
    Example {
        text,
        product_model,
        channel,
    }
}

fn new_category(proto: v1::Category) -> Category {
    Category {
        key: proto.key,
        dimension: proto.dimension,
        display_name: name(proto.display_name),
        definition: proto.definition,
        boundary: proto.boundary,
        keywords: proto
            .keywords
            .into_iter()
            .map(|keyword| Keyword {
                term: keyword.term,
                weight: weight(keyword.weight),
            })
            .collect(),
        skills: proto.skills,
        department: proto.department,
        default_impact: impact(proto.default_impact),
        rules: proto.rules.into_iter().map(new_rule).collect(),
        exclusions: proto.exclusions,
        examples: proto
            .examples
            .into_iter()
            .map(|example| new_example(example.text, example.product_model, example.channel))
            .collect(),
        counter_examples: proto
            .counter_examples
            .into_iter()
            .map(|counter| CounterExample {
                example: new_example(counter.text, counter.product_model, counter.channel),
                category: counter.category,
            })
            .collect(),
    }
}

fn new_sentiment(proto: v1::SentimentModel) -> SentimentModel {
    SentimentModel {
        terms: proto
            .terms
            .into_iter()
            .map(|term| SentimentTerm {
                term: term.term,
                weight: term.weight,
            })
            .collect(),
        negations: proto.negations,
        degrees: proto
            .degrees
            .into_iter()
            .map(|degree| DegreeTerm {
                term: degree.term,
                factor: degree.factor,
            })
            .collect(),
        negative_below: proto.negative_below,
        positive_above: proto.positive_above,
        rhetoricals: proto.rhetoricals,
        sarcasm_cues: proto.sarcasm_cues,
    }
}

fn impact(number: i32) -> Option<Impact> {
    crate::classification::convert::impact(number)
}

/// Reads enums and notes every one that is none.
struct Reader(Vec<(String, String)>);

impl Reader {
    fn read<T>(&mut self, field: String, value: Option<T>, otherwise: T) -> T {
        value.unwrap_or_else(|| {
            self.0.push((field, "is not a value of its enum".to_owned()));
            otherwise
        })
    }

    fn impact_terms(&mut self, proto: Vec<v1::ImpactTerm>) -> Vec<ImpactTerm> {
        let read = |(index, term): (usize, v1::ImpactTerm)| {
            let impact = self.read(
                format!("taxonomy.impact_terms[{index}].impact"),
                impact(term.impact),
                Impact::Minor,
            );
            ImpactTerm {
                term: term.term,
                impact,
            }
        };
        proto.into_iter().enumerate().map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::taxonomy::builtin::Builtin;

    /// What GetTaxonomy answers can be changed a little and given to CreateTaxonomy.
    #[test]
    fn a_taxonomy_survives_the_wire() {
        let builtin = Builtin::load().unwrap();
        let head = Head {
            version: 0,
            display_name: "d".to_owned(),
            change_reason: "r".to_owned(),
            author: "a".to_owned(),
            active: true,
            revision: 1,
            create_time: builtin.made,
            activate_time: None,
        };
        let proto = taxonomy(&Tenant::stored("acme").unwrap(), &head, Some(&builtin.content));
        assert_eq!(new_taxonomy(proto).unwrap().content, builtin.content);
    }
}
