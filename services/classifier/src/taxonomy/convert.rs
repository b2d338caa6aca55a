//! Between the taxonomy of the proto and that of the domain.

use huiyin_chassis::{Refusal, Tenant, sql};
use huiyin_proto::classifier::v1;

pub(crate) use huiyin_proto::classifier::v1::Taxonomy;

use super::domain::{
    Category, Content, DegreeTerm, Dimension, Head, ImpactTerm, Keyword, LocalName, NewTaxonomy, SentimentModel,
    SentimentTerm,
};
use crate::{classification::convert::impact_number, domain::Impact};

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

fn new_category(proto: v1::Category) -> Category {
    // 0 is taken as 1.
    let weight = |weight: f64| if weight == 0.0 { 1.0 } else { weight };
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
