//! What a source is, and what about one cannot be.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::channel::fields;
use crate::feedback::domain::Violation;

/// A replaced secret counts for this long, so that senders can change over.
pub(crate) const OVERLAP: SignedDuration = SignedDuration::from_hours(24);

/// A sender that is known. Its secrets are sealed. Not `Debug` for that reason.
#[derive(Clone)]
pub(crate) struct Source {
    /// The last part of its name.
    pub(crate) id: String,
    pub(crate) display_name: String,
    /// The number of the wire; never changes.
    pub(crate) channel: i32,
    /// The `source` of its feedback; empty for its id.
    pub(crate) feedback_source: String,
    /// Pointer and field.
    pub(crate) mappings: Vec<(String, String)>,
    /// Field and value.
    pub(crate) fixed_fields: Vec<(String, String)>,
    pub(crate) keywords: Vec<String>,
    pub(crate) origins: Vec<String>,
    pub(crate) enabled: bool,
    /// Why it is disabled.
    pub(crate) disable_reason: String,
    /// Sealed.
    pub(crate) secret: Vec<u8>,
    /// The one before, sealed, and until when it counts.
    pub(crate) previous_secret: Option<(Vec<u8>, Timestamp)>,
    pub(crate) revision: i32,
    pub(crate) create_time: Timestamp,
    pub(crate) update_time: Timestamp,
}

impl Source {
    /// Changes with every change.
    pub(crate) fn etag(&self) -> String {
        self.revision.to_string()
    }

    /// The author of its feedback.
    pub(crate) fn subject(&self) -> String {
        format!("source:{}", self.id)
    }

    /// The secret before the current one, while it still counts.
    pub(crate) fn previous_secret_at(&self, now: Timestamp) -> Option<(&[u8], Timestamp)> {
        self.previous_secret
            .as_ref()
            .filter(|(_, until)| now < *until)
            .map(|(secret, until)| (secret.as_slice(), *until))
    }

    /// Takes a new secret; the one that it had counts for a while longer.
    pub(crate) fn rotate(&mut self, sealed: Vec<u8>, now: Timestamp) {
        let until = now.saturating_add(OVERLAP).unwrap_or(now);
        self.previous_secret = Some((std::mem::replace(&mut self.secret, sealed), until));
    }

    /// True where one of the keywords stands in one of the texts, whatever their case, or there are no keywords (000-12).
    pub(crate) fn wants<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> bool {
        if self.keywords.is_empty() {
            return true;
        }
        let keywords: Vec<String> = self.keywords.iter().map(|keyword| keyword.to_lowercase()).collect();
        texts
            .into_iter()
            .map(str::to_lowercase)
            .any(|text| keywords.iter().any(|keyword| text.contains(keyword.as_str())))
    }

    /// What the rules of the proto do not say.
    pub(crate) fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        let mut violated = |field: String, problem: String| violations.push((format!("source.{field}"), problem));
        if self.channel == 0 {
            violated("channel".to_owned(), "is required".to_owned());
        }
        let mut pointers = BTreeSet::new();
        for (index, (pointer, field)) in self.mappings.iter().enumerate() {
            if let Some(problem) = unknown(field) {
                violated(format!("mappings[{index}].field"), problem);
            }
            if !pointers.insert((pointer, field)) {
                violated(format!("mappings[{index}]"), "is there twice".to_owned());
            }
        }
        let mut fixed = BTreeSet::new();
        for (index, (field, _)) in self.fixed_fields.iter().enumerate() {
            if let Some(problem) = unknown(field) {
                violated(format!("fixed_fields[{index}].field"), problem);
            }
            if !fixed.insert(field) {
                violated(format!("fixed_fields[{index}].field"), "is there twice".to_owned());
            }
        }
        for (index, keyword) in self.keywords.iter().enumerate() {
            if keyword.trim().is_empty() {
                violated(format!("keywords[{index}]"), "must say something".to_owned());
            }
        }
        let texts = [
            ("display_name", &self.display_name),
            ("feedback_source", &self.feedback_source),
        ];
        for (field, text) in texts {
            // The one character that Postgres cannot store.
            if text.contains('\0') {
                violated(field.to_owned(), "must not contain the character U+0000".to_owned());
            }
        }
        let lists = [
            (
                "mappings",
                self.mappings.iter().map(|(pointer, _)| pointer).collect::<Vec<_>>(),
            ),
            (
                "fixed_fields",
                self.fixed_fields.iter().map(|(_, value)| value).collect(),
            ),
            ("keywords", self.keywords.iter().collect()),
        ];
        for (field, texts) in lists {
            if texts.iter().any(|text| text.contains('\0')) {
                violated(field.to_owned(), "must not contain the character U+0000".to_owned());
            }
        }
        violations
    }
}

fn unknown(field: &str) -> Option<String> {
    (!fields::NAMES.contains(&field)).then(|| format!("must be one of {}", fields::NAMES.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> Source {
        let now: Timestamp = "2026-03-02T01:00:00Z".parse().unwrap();
        Source {
            id: "website".to_owned(),
            display_name: String::new(),
            channel: 1,
            feedback_source: String::new(),
            mappings: Vec::new(),
            fixed_fields: Vec::new(),
            keywords: Vec::new(),
            origins: Vec::new(),
            enabled: true,
            disable_reason: String::new(),
            secret: vec![1],
            previous_secret: None,
            revision: 1,
            create_time: now,
            update_time: now,
        }
    }

    #[test]
    fn a_replaced_secret_counts_for_a_day() {
        let mut source = source();
        let now = source.create_time;
        source.rotate(vec![2], now);
        assert_eq!(source.secret, [2]);
        let just_before = now + OVERLAP - SignedDuration::from_secs(1);
        assert_eq!(source.previous_secret_at(just_before).unwrap().0, [1]);
        assert!(source.previous_secret_at(now + OVERLAP).is_none());
    }

    /// 000-12: what says none of the words is not for us.
    #[test]
    fn keywords_choose_what_is_taken_in() {
        let mut source = source();
        assert!(source.wants(["天气不错"]));
        source.keywords = vec!["回音".to_owned(), "Echo".to_owned()];
        assert!(source.wants(["今天", "我的ECHO坏了"]));
        assert!(source.wants(["回音音箱"]));
        assert!(!source.wants(["天气不错"]));
    }

    #[test]
    fn every_violation_is_named() {
        let mut source = source();
        source.channel = 0;
        source.mappings = vec![("/a".to_owned(), "descriptoin".to_owned())];
        source.fixed_fields = vec![
            ("language".to_owned(), "en".to_owned()),
            ("language".to_owned(), "de".to_owned()),
        ];
        source.keywords = vec![" ".to_owned()];
        let fields: Vec<String> = source.check().into_iter().map(|(field, _)| field).collect();
        assert_eq!(
            fields,
            [
                "source.channel",
                "source.mappings[0].field",
                "source.fixed_fields[1].field",
                "source.keywords[0]"
            ]
        );
    }
}
