//! Surveys between proto and domain.

use huiyin_chassis::{Refusal, Tenant, sql};
use huiyin_proto::{survey::v1, r#type::v1::LocalText};

use super::{
    domain::{Changes, Dimension, Survey, Text},
    service::Update,
};
use crate::names;

/// Fields that an update never takes over (AIP-161: in a mask they are passed over).
const OUTPUT_ONLY: [&str; 5] = ["name", "version", "etag", "update_time", "author"];

/// The update that a request asks for; `id` is the survey that its name names.
///
/// # Errors
/// INVALID_ARGUMENT for an unknown path of the mask and for a window of parts of seconds.
pub(crate) fn update(request: v1::UpdateSurveyRequest, id: &str) -> Result<Update, Refusal> {
    let survey = request.survey.unwrap_or_default();
    let paths = request.update_mask.map(|mask| mask.paths).unwrap_or_default();
    let mut violations = Vec::new();
    for path in &paths {
        let known = ["*", "title", "introduction", "dimensions", "window", "reopen_threshold"];
        if !known.contains(&path.as_str()) && !OUTPUT_ONLY.contains(&path.as_str()) {
            violations.push((
                "update_mask".to_owned(),
                format!(
                    "{path:?} is not a path that can be updated; there are {}",
                    known.join(", ")
                ),
            ));
        }
    }
    if survey.window.as_ref().is_some_and(|window| window.nanos != 0) {
        violations.push(("survey.window".to_owned(), "must be whole seconds".to_owned()));
    }
    if !violations.is_empty() {
        return Err(Refusal::invalid(violations));
    }
    // Without a mask, what is set is taken over.
    let taken = |path: &str, set: bool| {
        if paths.is_empty() {
            set
        } else {
            paths.iter().any(|asked| asked == path || asked == "*")
        }
    };
    let changes = Changes {
        title: taken("title", survey.title.is_some()).then(|| text(survey.title)),
        introduction: taken("introduction", survey.introduction.is_some()).then(|| text(survey.introduction)),
        dimensions: taken("dimensions", !survey.dimensions.is_empty())
            .then(|| survey.dimensions.into_iter().map(dimension).collect()),
        window_seconds: taken("window", survey.window.is_some()).then(|| survey.window.map(|window| window.seconds)),
        reopen_threshold: taken("reopen_threshold", survey.reopen_threshold.is_some())
            .then_some(survey.reopen_threshold),
    };
    Ok(Update {
        survey: id.to_owned(),
        changes,
        etag: survey.etag,
        validate_only: request.validate_only,
    })
}

/// A survey for the wire.
pub(crate) fn survey(tenant: &Tenant, survey: Survey) -> v1::Survey {
    let etag = survey.etag();
    let definition = survey.definition;
    v1::Survey {
        name: names::survey(tenant, &survey.id),
        title: Some(local_text(definition.title)),
        introduction: Some(local_text(definition.introduction)),
        dimensions: definition
            .dimensions
            .into_iter()
            .map(|dimension| v1::SurveyDimension {
                key: dimension.key,
                label: Some(local_text(dimension.label)),
            })
            .collect(),
        window: Some(prost_types::Duration {
            seconds: definition.window_seconds,
            nanos: 0,
        }),
        reopen_threshold: Some(definition.reopen_threshold),
        version: survey.version,
        etag,
        update_time: survey.update_time.map(sql::to_proto),
        author: survey.author,
    }
}

fn dimension(dimension: v1::SurveyDimension) -> Dimension {
    Dimension {
        key: dimension.key,
        label: text(dimension.label),
    }
}

fn text(text: Option<LocalText>) -> Text {
    let text = text.unwrap_or_default();
    Text {
        en: text.en,
        zh_cn: text.zh_cn,
        zh_tw: text.zh_tw,
    }
}

fn local_text(text: Text) -> LocalText {
    LocalText {
        en: text.en,
        zh_cn: text.zh_cn,
        zh_tw: text.zh_tw,
    }
}
