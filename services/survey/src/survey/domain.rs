//! Rules of a survey: what it must say, how one version becomes the next, and the one that is built in.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The survey that asks about a resolution; it is built in.
pub(crate) const RESOLUTION: &str = "resolution";
/// A new version without a window has this one.
const DEFAULT_WINDOW_SECONDS: i64 = 7 * 24 * 3600;
/// A new version without a threshold has this one.
const DEFAULT_REOPEN_THRESHOLD: f64 = 2.5;
/// A heading or label may be this long, in characters.
const MAX_LABEL: usize = 200;
/// An introduction may be this long, in characters.
const MAX_INTRODUCTION: usize = 2000;

/// A survey at one version.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Survey {
    pub(crate) id: String,
    /// 0 for the built-in one.
    pub(crate) version: i32,
    pub(crate) definition: Definition,
    /// `None` for the built-in one.
    pub(crate) update_time: Option<Timestamp>,
    /// Empty for the built-in one.
    pub(crate) author: String,
}

/// What a version says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Definition {
    pub(crate) title: Text,
    pub(crate) introduction: Text,
    pub(crate) dimensions: Vec<Dimension>,
    pub(crate) window_seconds: i64,
    pub(crate) reopen_threshold: f64,
}

/// Something that is rated 1 … 5 (003-52).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Dimension {
    pub(crate) key: String,
    pub(crate) label: Text,
}

/// One text in every language that we speak.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Text {
    pub(crate) en: String,
    pub(crate) zh_cn: String,
    pub(crate) zh_tw: String,
}

/// A language that we speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    Simplified,
    Traditional,
}

/// What an update takes over; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Changes {
    pub(crate) title: Option<Text>,
    pub(crate) introduction: Option<Text>,
    pub(crate) dimensions: Option<Vec<Dimension>>,
    /// `Some(None)` sets it back to the default.
    pub(crate) window_seconds: Option<Option<i64>>,
    /// `Some(None)` sets it back to the default.
    pub(crate) reopen_threshold: Option<Option<f64>>,
}

/// The built-in survey of this id, if there is one (003-52, C-14).
pub(crate) fn built_in(id: &str) -> Option<Survey> {
    (id == RESOLUTION).then(|| Survey {
        id: RESOLUTION.to_owned(),
        version: 0,
        definition: Definition {
            title: Text::new("How did we do?", "请评价本次服务", "請評價本次服務"),
            introduction: Text::new(
                "Your answers help us to serve you better; they take less than a minute.",
                "您的评价将帮助我们改进服务，用时不到一分钟。",
                "您的評價將協助我們改善服務，用時不到一分鐘。",
            ),
            dimensions: vec![
                Dimension::new("response_speed", Text::new("Response speed", "响应速度", "回應速度")),
                Dimension::new("professionalism", Text::new("Professionalism", "专业能力", "專業能力")),
                Dimension::new("effect", Text::new("Effect of the solution", "解决效果", "解決效果")),
                Dimension::new("attitude", Text::new("Attitude", "服务态度", "服務態度")),
            ],
            window_seconds: DEFAULT_WINDOW_SECONDS,
            reopen_threshold: DEFAULT_REOPEN_THRESHOLD,
        },
        update_time: None,
        author: String::new(),
    })
}

impl Survey {
    /// Changes with every version.
    pub(crate) fn etag(&self) -> String {
        self.version.to_string()
    }

    /// The version after this one; `None` where the changes change nothing.
    ///
    /// # Errors
    /// Every violated field with what is wrong about it.
    pub(crate) fn changed(
        &self,
        changes: Changes,
        now: Timestamp,
        author: &str,
    ) -> Result<Option<Self>, Vec<(String, String)>> {
        let mut definition = self.definition.clone();
        if let Some(title) = changes.title {
            definition.title = title;
        }
        if let Some(introduction) = changes.introduction {
            definition.introduction = introduction;
        }
        if let Some(dimensions) = changes.dimensions {
            definition.dimensions = dimensions;
        }
        if let Some(window) = changes.window_seconds {
            definition.window_seconds = window.unwrap_or(DEFAULT_WINDOW_SECONDS);
        }
        if let Some(threshold) = changes.reopen_threshold {
            definition.reopen_threshold = threshold.unwrap_or(DEFAULT_REOPEN_THRESHOLD);
        }
        let violations = definition.violations();
        if !violations.is_empty() {
            return Err(violations);
        }
        let version = self.version + 1;
        Ok((definition != self.definition).then(|| Self {
            id: self.id.clone(),
            version,
            definition,
            update_time: Some(now),
            author: author.to_owned(),
        }))
    }
}

impl Definition {
    /// How long an answer is taken.
    pub(crate) fn window(&self) -> SignedDuration {
        SignedDuration::from_secs(self.window_seconds)
    }

    /// Every field that keeps it from being asked. Ranges of single fields stand in the proto as well; a definition is
    /// complete only here.
    fn violations(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        self.title.check("survey.title", MAX_LABEL, true, &mut found);
        self.introduction
            .check("survey.introduction", MAX_INTRODUCTION, false, &mut found);
        if self.dimensions.is_empty() {
            found.push(("survey.dimensions".to_owned(), "must have at least one".to_owned()));
        }
        let mut keys = HashSet::new();
        for (index, dimension) in self.dimensions.iter().enumerate() {
            let field = format!("survey.dimensions[{index}]");
            if !keys.insert(&dimension.key) {
                found.push((format!("{field}.key"), format!("{} comes twice", dimension.key)));
            }
            dimension
                .label
                .check(&format!("{field}.label"), MAX_LABEL, true, &mut found);
        }
        if !(3600..=7_776_000).contains(&self.window_seconds) {
            found.push(("survey.window".to_owned(), "must be from an hour to 90 days".to_owned()));
        }
        if !(1.0..=5.0).contains(&self.reopen_threshold) {
            found.push(("survey.reopen_threshold".to_owned(), "must be from 1 to 5".to_owned()));
        }
        found
    }
}

impl Dimension {
    fn new(key: &str, label: Text) -> Self {
        Self {
            key: key.to_owned(),
            label,
        }
    }
}

impl Text {
    fn new(en: &str, zh_cn: &str, zh_tw: &str) -> Self {
        Self {
            en: en.to_owned(),
            zh_cn: zh_cn.to_owned(),
            zh_tw: zh_tw.to_owned(),
        }
    }

    /// The text in one language.
    pub(crate) fn of(&self, language: Language) -> &str {
        match language {
            Language::English => &self.en,
            Language::Simplified => &self.zh_cn,
            Language::Traditional => &self.zh_tw,
        }
    }

    /// A text that is there is there in every language; one that is not required may be missing in all.
    fn check(&self, field: &str, longest: usize, required: bool, found: &mut Vec<(String, String)>) {
        let languages = [("en", &self.en), ("zh_cn", &self.zh_cn), ("zh_tw", &self.zh_tw)];
        let wanted = required || languages.iter().any(|(_, text)| !text.trim().is_empty());
        for (language, text) in languages {
            let problem = if wanted && text.trim().is_empty() {
                "is required in every language".to_owned()
            } else if text.chars().count() > longest {
                format!("must have at most {longest} characters")
            } else if text.contains('\0') {
                "must not hold the character U+0000".to_owned()
            } else {
                continue;
            };
            found.push((format!("{field}.{language}"), problem));
        }
    }
}

impl Language {
    /// The first language of an `accept-language` header, or the one of a BCP 47 tag, that we speak.
    pub(crate) fn accepted(header: &str) -> Option<Self> {
        let tags = header
            .split(',')
            .map(|tag| tag.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
        tags.into_iter().find_map(|tag| {
            let mut parts = tag.split(['-', '_']);
            match parts.next() {
                Some("en") => Some(Self::English),
                Some("zh") if parts.any(|part| ["tw", "hk", "mo", "hant"].contains(&part)) => Some(Self::Traditional),
                Some("zh") => Some(Self::Simplified),
                _ => None,
            }
        })
    }

    /// Its BCP 47 tag.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Simplified => "zh-CN",
            Self::Traditional => "zh-TW",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolution() -> Survey {
        built_in(RESOLUTION).unwrap()
    }

    /// 003-52, C-14.
    #[test]
    fn the_built_in_survey_asks_the_four_dimensions_and_is_complete() {
        let survey = resolution();
        let keys: Vec<&str> = survey
            .definition
            .dimensions
            .iter()
            .map(|dimension| dimension.key.as_str())
            .collect();
        assert_eq!(keys, ["response_speed", "professionalism", "effect", "attitude"]);
        assert_eq!(survey.definition.violations(), []);
        assert_eq!(built_in("other"), None);
    }

    #[test]
    fn a_change_makes_the_next_version_and_none_makes_none() {
        let survey = resolution();
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(survey.changed(Changes::default(), now, "user:a").unwrap(), None);
        let changes = Changes {
            window_seconds: Some(Some(7200)),
            ..Changes::default()
        };
        let next = survey.changed(changes, now, "user:a").unwrap().unwrap();
        assert_eq!(
            (next.version, next.definition.window_seconds, next.author.as_str()),
            (1, 7200, "user:a")
        );
        let back = Changes {
            window_seconds: Some(None),
            ..Changes::default()
        };
        assert_eq!(
            next.changed(back, now, "user:a").unwrap().unwrap().definition,
            survey.definition
        );
    }

    #[test]
    fn every_violated_field_is_named() {
        let twice = Dimension::new("a", Text::new("A", "", "A"));
        let changes = Changes {
            title: Some(Text::default()),
            introduction: Some(Text::new("only English", "", "")),
            dimensions: Some(vec![twice.clone(), twice]),
            window_seconds: Some(Some(1)),
            reopen_threshold: Some(Some(f64::NAN)),
        };
        let fields: Vec<String> = resolution()
            .changed(changes, Timestamp::UNIX_EPOCH, "")
            .unwrap_err()
            .into_iter()
            .map(|(field, _)| field)
            .collect();
        assert_eq!(
            fields,
            [
                "survey.title.en",
                "survey.title.zh_cn",
                "survey.title.zh_tw",
                "survey.introduction.zh_cn",
                "survey.introduction.zh_tw",
                "survey.dimensions[0].label.zh_cn",
                "survey.dimensions[1].key",
                "survey.dimensions[1].label.zh_cn",
                "survey.window",
                "survey.reopen_threshold",
            ]
        );
        let none = Changes {
            dimensions: Some(Vec::new()),
            introduction: Some(Text::default()),
            ..Changes::default()
        };
        assert_eq!(
            resolution().changed(none, Timestamp::UNIX_EPOCH, "").unwrap_err()[0].0,
            "survey.dimensions"
        );
    }

    #[test]
    fn the_first_language_that_we_speak_is_taken() {
        for (header, language) in [
            ("zh-CN,en;q=0.5", Some(Language::Simplified)),
            ("zh-Hant-HK", Some(Language::Traditional)),
            ("fr, zh_TW;q=0.8", Some(Language::Traditional)),
            ("en-GB", Some(Language::English)),
            ("fr", None),
            ("", None),
        ] {
            assert_eq!(Language::accepted(header), language, "{header}");
        }
    }
}
