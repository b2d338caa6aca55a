//! Between mappings of the domain and those of the proto.

use huiyin_chassis::{Refusal, Tenant, sql};
use huiyin_proto::classifier::v1;

pub(super) use huiyin_proto::classifier::v1::TaxonomyMapping as Answer;

use super::domain::{Mapped, Mapping};

/// A mapping for the wire.
pub(super) fn mapping(tenant: &Tenant, mapping: &Mapping) -> Answer {
    let category = |mapped: &Mapped| v1::MappedCategory {
        from: mapped.from.clone(),
        to: mapped.to.clone(),
        reclassify: mapped.to.is_empty(),
    };
    Answer {
        name: format!(
            "{}/mappings/{}",
            tenant.child("taxonomies", mapping.version),
            mapping.from_version
        ),
        from_version: mapping.from_version,
        categories: mapping.categories.iter().map(category).collect(),
        author: mapping.author.clone(),
        etag: mapping.revision.to_string(),
        create_time: Some(sql::to_proto(mapping.create_time)),
        update_time: Some(sql::to_proto(mapping.update_time)),
    }
}

/// What a caller says: each entry has either keys or `reclassify`.
pub(super) fn mapped(categories: Vec<v1::MappedCategory>) -> Result<Vec<Mapped>, Refusal> {
    let wrong: Vec<(String, String)> = categories
        .iter()
        .enumerate()
        .filter(|(_, category)| category.to.is_empty() != category.reclassify)
        .map(|(index, _)| {
            (
                format!("mapping.categories[{index}]"),
                "must have either `to` or `reclassify`".to_owned(),
            )
        })
        .collect();
    if !wrong.is_empty() {
        return Err(Refusal::invalid(wrong));
    }
    let mapped = |category: v1::MappedCategory| Mapped {
        from: category.from,
        to: category.to,
    };
    Ok(categories.into_iter().map(mapped).collect())
}
