//! The templates that come with the service, one readable file per language.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::Deserialize;

use super::domain::{Template, Words};
use crate::domain::Purpose;

const FILES: [(&str, &str); 3] = [
    ("zh-cn", include_str!("builtin/zh-CN.toml")),
    ("zh-tw", include_str!("builtin/zh-TW.toml")),
    ("en", include_str!("builtin/en.toml")),
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    subject: String,
    body: String,
}

/// All of them, by purpose and locale.
#[derive(Debug)]
pub(crate) struct BuiltIn(BTreeMap<(Purpose, &'static str), Template>);

impl BuiltIn {
    /// # Errors
    /// Where a file lacks a purpose; the tests see to it that none does.
    pub(crate) fn load() -> anyhow::Result<Self> {
        let mut all = BTreeMap::new();
        for (locale, text) in FILES {
            let mut entries: BTreeMap<String, Entry> =
                toml::from_str(text).with_context(|| format!("the built-in templates in {locale}"))?;
            for purpose in Purpose::ALL {
                let entry = entries
                    .remove(&purpose.key())
                    .with_context(|| format!("no built-in {} in {locale}", purpose.key()))?;
                let words = Words {
                    subject: entry.subject,
                    body: entry.body,
                };
                let template = Template {
                    purpose: *purpose,
                    locale: locale.to_owned(),
                    version: 0,
                    words,
                    update_time: None,
                    author: String::new(),
                };
                all.insert((*purpose, locale), template);
            }
        }
        Ok(Self(all))
    }

    /// The one of this purpose and locale (lower case).
    pub(crate) fn get(&self, purpose: Purpose, locale: &str) -> Option<&Template> {
        let (locale, _) = FILES.iter().find(|(known, _)| *known == locale)?;
        self.0.get(&(purpose, *locale))
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Template> {
        self.0.values()
    }

    /// The locales that there are for every purpose.
    pub(crate) fn locales() -> [&'static str; 3] {
        FILES.map(|(locale, _)| locale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::engine;

    #[test]
    fn every_built_in_template_passes_the_check_that_a_saved_one_must() {
        let built_in = BuiltIn::load().unwrap();
        assert_eq!(built_in.all().count(), 3 * Purpose::ALL.len());
        for template in built_in.all() {
            let used = engine::check(template.purpose, &template.words);
            let used = used.unwrap_or_else(|error| panic!("{:?} {}: {error}", template.purpose, template.locale));
            assert!(
                used.contains(&"number".to_owned()) || used.contains(&"feedback_number".to_owned()),
                "{template:?}"
            );
        }
    }

    #[test]
    fn a_survey_carries_its_link_in_every_language() {
        let built_in = BuiltIn::load().unwrap();
        for locale in BuiltIn::locales() {
            let template = built_in.get(Purpose::Survey, locale).unwrap();
            let rendered = engine::render(
                &engine::environment(),
                &template.words,
                &Purpose::Survey.sample_values(),
            )
            .unwrap();
            assert!(rendered.body.contains("https://example.com/survey#sample"), "{locale}");
        }
    }
}
