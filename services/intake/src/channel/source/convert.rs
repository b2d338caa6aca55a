//! Sources on the wire.

use huiyin_chassis::{Refusal, Tenant, sql, update::Taken};
pub(crate) use huiyin_proto::intake::v1::Source as Shown;
use huiyin_proto::intake::v1::{FieldMapping, FixedField, SourceState, UpdateSourceRequest};
use jiff::Timestamp;

use super::{
    domain::Source,
    service::{Change, SOURCES},
};

/// The paths of an update.
const CHANGEABLE: [&str; 6] = [
    "display_name",
    "feedback_source",
    "mappings",
    "fixed_fields",
    "keywords",
    "origins",
];

/// A source as callers see it; `secret` is empty except in the two answers that show it.
pub(crate) fn source(tenant: &Tenant, source: &Source, secret: String, now: Timestamp) -> Shown {
    let state = if source.enabled {
        SourceState::Enabled
    } else {
        SourceState::Disabled
    };
    let mapping = |(pointer, field): &(String, String)| FieldMapping {
        pointer: pointer.clone(),
        field: field.clone(),
    };
    let fixed = |(field, value): &(String, String)| FixedField {
        field: field.clone(),
        value: value.clone(),
    };
    Shown {
        name: tenant.child(SOURCES, &source.id),
        display_name: source.display_name.clone(),
        channel: source.channel,
        feedback_source: source.feedback_source.clone(),
        mappings: source.mappings.iter().map(mapping).collect(),
        fixed_fields: source.fixed_fields.iter().map(fixed).collect(),
        keywords: source.keywords.clone(),
        origins: source.origins.clone(),
        secret,
        previous_secret_expire_time: source.previous_secret_at(now).map(|(_, until)| sql::to_proto(until)),
        state: state.into(),
        disable_reason: source.disable_reason.clone(),
        etag: source.etag(),
        create_time: Some(sql::to_proto(source.create_time)),
        update_time: Some(sql::to_proto(source.update_time)),
    }
}

/// A source that is to be added, without its secret.
pub(crate) fn new_source(id: String, given: Shown, now: Timestamp) -> Source {
    Source {
        id,
        display_name: given.display_name,
        channel: given.channel,
        feedback_source: given.feedback_source,
        mappings: mappings(given.mappings),
        fixed_fields: fixed_fields(given.fixed_fields),
        keywords: given.keywords,
        origins: given.origins,
        enabled: true,
        disable_reason: String::new(),
        secret: Vec::new(),
        previous_secret: None,
        revision: 1,
        create_time: now,
        update_time: now,
    }
}

/// What an update asks for.
///
/// # Errors
/// INVALID_ARGUMENT where the mask names what cannot be changed.
pub(crate) fn change(request: UpdateSourceRequest) -> Result<Change, Refusal> {
    let given = request.source.unwrap_or_default();
    let taken = Taken::new(request.update_mask.as_ref(), &CHANGEABLE)?;
    Ok(Change {
        display_name: taken
            .takes("display_name", !given.display_name.is_empty())
            .then_some(given.display_name),
        feedback_source: taken
            .takes("feedback_source", !given.feedback_source.is_empty())
            .then_some(given.feedback_source),
        mappings: taken
            .takes("mappings", !given.mappings.is_empty())
            .then(|| mappings(given.mappings)),
        fixed_fields: taken
            .takes("fixed_fields", !given.fixed_fields.is_empty())
            .then(|| fixed_fields(given.fixed_fields)),
        keywords: taken
            .takes("keywords", !given.keywords.is_empty())
            .then_some(given.keywords),
        origins: taken
            .takes("origins", !given.origins.is_empty())
            .then_some(given.origins),
        etag: given.etag,
    })
}

fn mappings(given: Vec<FieldMapping>) -> Vec<(String, String)> {
    given
        .into_iter()
        .map(|mapping| (mapping.pointer, mapping.field))
        .collect()
}

fn fixed_fields(given: Vec<FixedField>) -> Vec<(String, String)> {
    given.into_iter().map(|fixed| (fixed.field, fixed.value)).collect()
}
