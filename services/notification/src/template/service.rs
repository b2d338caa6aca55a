//! Use cases of templates: read, list, save a version, preview; and finding the words for a message.

use std::collections::BTreeMap;

use huiyin_chassis::{
    Caller, Refusal, Tenant, Transaction,
    listing::{Field, Kind, Page, PageKey, PageRequest, Paging},
    repeat::{self, Repeatable},
};

use super::{
    builtin::BuiltIn,
    convert::{self, Shown},
    domain::{Template, Values, Words, id, nearest, parse_id},
    engine, store,
};
use crate::{domain::Purpose, error::Error, room::Room};

const FIELDS: &[Field] = &[
    Field::of("purpose", Kind::Enum("huiyin.notification.v1.Purpose")),
    Field::at("locale", "tag", Kind::Text),
    Field::of("version", Kind::Integer),
    Field::at("update_time", "create_time", Kind::Time),
];
/// Pages are ordered by a time and an id: here the time is the same for all, so the name alone counts.
const ORDER: &[Field] = &[Field::at("name", "'epoch'::timestamptz", Kind::Time)];

/// What an update asks for.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) subject: Option<String>,
    pub(crate) body: Option<String>,
    pub(crate) etag: String,
    pub(crate) allow_missing: bool,
    pub(crate) validate_only: bool,
}

/// What a message is written from, and what came of it.
#[derive(Debug)]
pub(crate) struct Written {
    /// Lower case.
    pub(crate) locale: String,
    pub(crate) version: i32,
    pub(crate) words: Words,
}

impl Room {
    /// One version of a template, or the one in force.
    pub(crate) async fn get_template(
        &self,
        tenant: &Tenant,
        id: &str,
        version: Option<i32>,
    ) -> Result<Template, Refusal> {
        let missing = || Refusal::not_found(&tenant.child("templates", id));
        let (purpose, locale) = parse_id(id).ok_or_else(missing)?;
        let mut tx = self.database.tenant(tenant).await?;
        self.find_template(&mut tx, tenant, purpose, locale, version)
            .await?
            .ok_or_else(missing)
    }

    /// A page of the templates in force.
    pub(crate) async fn list_templates(&self, tenant: &Tenant, paging: Paging<'_>) -> Result<Page<Template>, Refusal> {
        // The default of pages is newest first; that of this list is by name.
        let page = PageRequest::new(
            &self.page_tokens,
            tenant,
            "templates",
            paging.or_order_by("name"),
            (FIELDS, ORDER),
        )?;
        let mut tx = self.database.tenant(tenant).await?;
        let templates = store::list(&mut tx, tenant, self.built_in.all(), &page).await?;
        Ok(page.page(&self.page_tokens, templates, |template| PageKey {
            time: 0,
            id: id(template.purpose, &template.locale).into(),
        }))
    }

    /// Saves a new version.
    pub(crate) async fn update_template(
        &self,
        tenant: &Tenant,
        caller: &Caller,
        repeat: Option<Repeatable>,
        id: &str,
        change: Change,
    ) -> Result<Shown, Refusal> {
        let name = tenant.child("templates", id);
        let missing = || Refusal::not_found(&name);
        let (purpose, locale) = parse_id(id).ok_or_else(missing)?;
        let mut tx = self.database.tenant(tenant).await?;
        if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
            return Ok(answer);
        }
        let current = self.find_template(&mut tx, tenant, purpose, locale, None).await?;
        if current.is_none() && !change.allow_missing {
            return Err(missing());
        }
        let current_etag = current
            .as_ref()
            .map(|template| template.version.to_string())
            .unwrap_or_default();
        if !change.etag.is_empty() && change.etag != current_etag {
            return Err(Refusal::etag_mismatch(&name));
        }
        let version = current.as_ref().map_or(0, |template| template.version) + 1;
        let words = current.map_or_else(
            || Words {
                subject: String::new(),
                body: String::new(),
            },
            |template| template.words,
        );
        let words = Words {
            subject: change.subject.unwrap_or(words.subject),
            body: change.body.unwrap_or(words.body),
        };
        check_saved(&words)?;
        engine::check(purpose, &words)?;
        let saved = Template {
            purpose,
            locale: locale.to_owned(),
            version,
            words,
            update_time: Some(self.clock.now()),
            author: caller.subject.clone(),
        };
        let answer = convert::template(tenant, &saved);
        if change.validate_only {
            return Ok(answer);
        }
        store::insert(&mut tx, tenant, &saved).await?;
        repeat::commit(tx, &self.clock, repeat.as_ref(), answer).await
    }

    /// What words, given or saved, make of values, given or samples; and which variables they use.
    pub(crate) async fn preview_template(
        &self,
        tenant: &Tenant,
        id: &str,
        mut words: Words,
        given: BTreeMap<String, String>,
    ) -> Result<(Words, Vec<String>), Refusal> {
        let missing = || Refusal::not_found(&tenant.child("templates", id));
        let (purpose, locale) = parse_id(id).ok_or_else(missing)?;
        if words.subject.is_empty() || words.body.is_empty() {
            let mut tx = self.database.tenant(tenant).await?;
            let saved = self
                .find_template(&mut tx, tenant, purpose, locale, None)
                .await?
                .ok_or_else(missing)?
                .words;
            words.subject = if words.subject.is_empty() {
                saved.subject
            } else {
                words.subject
            };
            words.body = if words.body.is_empty() { saved.body } else { words.body };
        }
        let variables = engine::check(purpose, &words)?;
        let mut values = purpose.sample_values();
        let unknown: Vec<String> = given
            .keys()
            .filter(|name| !values.contains_key(name.as_str()))
            .cloned()
            .collect();
        if !unknown.is_empty() {
            return Err(Error::TemplateVariablesUnknown {
                unknown,
                available: purpose.variable_names(),
            }
            .into());
        }
        for (name, value) in &mut values {
            if let Some(given) = given.get(*name) {
                value.clone_from(given);
            }
        }
        Ok((engine::render(&self.environment, &words, &values)?, variables))
    }

    /// Writes a message in the language nearest to `language`; `own` are the locales in which the tenant has a template of its
    /// own for this purpose.
    ///
    /// A template that passed its check and fails all the same gives way to the built-in one: the message matters more.
    pub(crate) async fn write(
        &self,
        tx: &mut Transaction,
        tenant: &Tenant,
        purpose: Purpose,
        language: &str,
        own: &[String],
        values: &Values,
    ) -> Result<Written, Refusal> {
        let built_in = BuiltIn::locales();
        let available: Vec<&str> = built_in.into_iter().chain(own.iter().map(String::as_str)).collect();
        let locale = nearest(language, &available);
        if own.iter().any(|tag| tag == locale)
            && let Some(template) = store::get(tx, tenant, purpose, locale, None).await?
        {
            match engine::render(&self.environment, &template.words, values) {
                Ok(words) => {
                    return Ok(Written {
                        locale: template.locale,
                        version: template.version,
                        words,
                    });
                }
                Err(error) => {
                    tracing::warn!(%tenant, template = id(purpose, locale), %error, "a saved template does not render; the built-in one is used");
                }
            }
        }
        let locale = nearest(language, &built_in);
        let template = self.built_in.get(purpose, locale);
        let template =
            template.ok_or_else(|| Refusal::fault(anyhow::anyhow!("no built-in {} in {locale}", purpose.key())))?;
        let words = engine::render(&self.environment, &template.words, values).map_err(Refusal::fault)?;
        Ok(Written {
            locale: template.locale.clone(),
            version: 0,
            words,
        })
    }

    async fn find_template(
        &self,
        tx: &mut Transaction,
        tenant: &Tenant,
        purpose: Purpose,
        locale: &str,
        version: Option<i32>,
    ) -> Result<Option<Template>, Refusal> {
        let own = if version == Some(0) {
            None
        } else {
            store::get(tx, tenant, purpose, locale, version).await?
        };
        let built_in = || {
            self.built_in
                .get(purpose, locale)
                .filter(|_| version.unwrap_or(0) == 0)
                .cloned()
        };
        Ok(own.or_else(built_in))
    }
}

/// A template that is saved has both texts, and a subject of one line.
fn check_saved(words: &Words) -> Result<(), Refusal> {
    let mut violations = Vec::new();
    for (field, text) in [("template.subject", &words.subject), ("template.body", &words.body)] {
        if text.trim().is_empty() {
            violations.push((field.to_owned(), "must not be empty".to_owned()));
        }
    }
    if words.subject.contains(['\n', '\r']) {
        violations.push(("template.subject".to_owned(), "must be one line".to_owned()));
    }
    if violations.is_empty() {
        Ok(())
    } else {
        Err(Refusal::invalid(violations))
    }
}
