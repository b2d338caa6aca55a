//! Between mappings of the domain and those of the proto.

use huiyin_chassis::{Tenant, sql};
use huiyin_proto::classifier::v1;

pub(super) use huiyin_proto::classifier::v1::TaxonomyMapping as Answer;

use super::domain::{Mapped, Mapping};

/// A mapping for the wire.
pub(super) fn mapping(tenant: &Tenant, mapping: &Mapping) -> Answer {
    let category = |mapped: &Mapped| v1::MappedCategory {
        from: mapped.from.clone(),
        to: mapped.to.clone(),
        reclassify: mapped.reclassify,
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

/// What a caller says.
pub(super) fn mapped(categories: Vec<v1::MappedCategory>) -> Vec<Mapped> {
    let mapped = |category: v1::MappedCategory| Mapped {
        from: category.from,
        to: category.to,
        reclassify: category.reclassify,
    };
    categories.into_iter().map(mapped).collect()
}
