//! Templates on the wire.

use huiyin_chassis::{Refusal, Tenant, sql, update::Taken};
pub(crate) use huiyin_proto::notification::v1::Template as Shown;
use huiyin_proto::notification::v1::UpdateTemplateRequest;

use super::{
    domain::{Template, canonical, id},
    engine,
    service::Change,
};
use crate::convert;

/// A template as callers see it.
pub(crate) fn template(tenant: &Tenant, template: &Template) -> Shown {
    Shown {
        name: tenant.child("templates", id(template.purpose, &template.locale)),
        purpose: convert::purpose(template.purpose).into(),
        locale: canonical(&template.locale),
        subject: template.words.subject.clone(),
        body: template.words.body.clone(),
        version: template.version,
        // What is saved has passed the check; should the engine have become stricter since, it is shown all the same.
        variables: engine::check(template.purpose, &template.words).unwrap_or_default(),
        available_variables: template.purpose.variable_names(),
        etag: template.version.to_string(),
        update_time: template.update_time.map(sql::to_proto),
        author: template.author.clone(),
    }
}

/// What an update asks for.
pub(crate) fn change(request: &UpdateTemplateRequest) -> Result<Change, Refusal> {
    let given = request.template.clone().unwrap_or_default();
    let taken = Taken::new(request.update_mask.as_ref(), &["subject", "body"])?;
    Ok(Change {
        subject: taken
            .takes("subject", !given.subject.is_empty())
            .then_some(given.subject),
        body: taken.takes("body", !given.body.is_empty()).then_some(given.body),
        etag: given.etag,
        allow_missing: request.allow_missing,
        validate_only: request.validate_only,
    })
}
