//! The last word on an error: every one says its reason, and says it in the caller's language.

use http::{HeaderMap, HeaderValue};
use prost::Message as _;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, RpcStatusExt as _, StatusExt as _, pb};

/// Completes the error in the headers of an answer, if there is one. Errors in the middle of a stream travel in trailers
/// and stay as they are.
pub(super) fn finish(headers: &mut HeaderMap, accept_language: &str) {
    let Some(status) = Status::from_header_map(headers).filter(|status| status.code() != Code::Ok) else {
        return;
    };
    let mut details = status.get_error_details();
    if details.error_info().is_none() {
        // Of the transport itself, such as UNIMPLEMENTED for a method that does not exist.
        details.set_error_info(
            format!("{:?}", status.code()).to_uppercase(),
            "grpc",
            std::collections::HashMap::new(),
        );
    }
    let language = Language::accepted(accept_language);
    if let Some(text) = details
        .error_info()
        .and_then(|info| text(&info.domain, &info.reason, &info.metadata, language))
    {
        details.set_localized_message(language.tag(), text);
    }
    rewrite(headers, &status, details);
}

/// What an error says in a language: the sentence of its reason, or the message where it has none. For edges other than gRPC.
#[must_use]
pub fn sentence(status: &Status, language: Language) -> String {
    status
        .get_details_error_info()
        .and_then(|info| text(&info.domain, &info.reason, &info.metadata, language))
        .unwrap_or_else(|| status.message().to_owned())
}

/// An error that is told inside an answer, completed in the same way.
pub(crate) fn localized(error: pb::Status, language: Language) -> pb::Status {
    let mut details = error.get_error_details();
    let said = details
        .error_info()
        .and_then(|info| text(&info.domain, &info.reason, &info.metadata, language));
    let Some(said) = said else { return error };
    details.set_localized_message(language.tag(), said);
    let complete = Status::with_error_details(Code::from(error.code), &error.message, details);
    pb::Status::decode(complete.details()).unwrap_or(error)
}

fn rewrite(headers: &mut HeaderMap, status: &Status, details: ErrorDetails) {
    let complete = Status::with_error_details(status.code(), status.message(), details);
    let mut fresh = HeaderMap::new();
    if complete.add_header(&mut fresh).is_ok() {
        for (name, value) in fresh {
            if let Some(name) = name {
                headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap_or(value));
            }
        }
    }
}

/// A language that we speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Simplified Chinese (简体中文).
    Simplified,
    /// Traditional Chinese (繁體中文).
    Traditional,
}

impl Language {
    /// The language in which the caller of a request wants to be answered.
    #[must_use]
    pub fn of<T>(request: &tonic::Request<T>) -> Self {
        Self::accepted(
            request
                .metadata()
                .get("accept-language")
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default(),
        )
    }

    /// The first of the languages in an `accept-language` that we speak; English otherwise.
    #[must_use]
    pub fn accepted(header: &str) -> Self {
        let tags = header
            .split(',')
            .map(|tag| tag.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
        for tag in tags {
            if tag.starts_with("zh-tw")
                || tag.starts_with("zh-hk")
                || tag.starts_with("zh-mo")
                || tag.starts_with("zh-hant")
            {
                return Self::Traditional;
            }
            if tag.starts_with("zh") {
                return Self::Simplified;
            }
            if tag.starts_with("en") {
                return Self::English;
            }
        }
        Self::English
    }

    /// Its BCP 47 tag.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Simplified => "zh-CN",
            Self::Traditional => "zh-TW",
        }
    }

    fn field(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Simplified => "zh_cn",
            Self::Traditional => "zh_tw",
        }
    }
}

/// The sentence that stands beside the reason in its proto, with the metadata filled in.
fn text(
    domain: &str,
    reason: &str,
    metadata: &std::collections::HashMap<String, String>,
    language: Language,
) -> Option<String> {
    let package = if domain == "huiyin" {
        "huiyin.type.v1".to_owned()
    } else {
        format!("{domain}.v1")
    };
    let reasons = huiyin_proto::POOL.get_enum_by_name(&format!("{package}.ErrorReason"))?;
    let value = reasons.get_value_by_name(&format!("ERROR_REASON_{reason}"))?;
    let extension = huiyin_proto::POOL.get_extension_by_name("huiyin.type.v1.text")?;
    let options = value.options();
    let texts = options.get_extension(&extension);
    let mut sentence = texts
        .as_message()
        .and_then(|texts| texts.get_field_by_name(language.field()))?
        .as_str()?
        .to_owned();
    for (key, filled) in metadata {
        sentence = sentence.replace(&format!("{{{key}}}"), filled);
    }
    Some(sentence).filter(|sentence| !sentence.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_said_in_the_callers_language() {
        let metadata = std::collections::HashMap::from([("resource".to_owned(), "tenants/a/feedbacks/1".to_owned())]);
        let said = |header: &str| text("huiyin", "RESOURCE_NOT_FOUND", &metadata, Language::accepted(header)).unwrap();
        assert_eq!(said("zh-CN,en;q=0.5"), "未找到 tenants/a/feedbacks/1。");
        assert_eq!(said("zh-TW"), "找不到 tenants/a/feedbacks/1。");
        assert_eq!(said("fr"), "tenants/a/feedbacks/1 was not found.");
    }

    #[test]
    fn every_reason_in_the_protos_has_its_three_sentences() {
        let extension = huiyin_proto::POOL.get_extension_by_name("huiyin.type.v1.text").unwrap();
        for reasons in huiyin_proto::POOL
            .all_enums()
            .filter(|found| found.name() == "ErrorReason" && found.full_name().starts_with("huiyin."))
        {
            for value in reasons.values().filter(|value| value.number() != 0) {
                let options = value.options();
                let texts = options.get_extension(&extension);
                for field in ["en", "zh_cn", "zh_tw"] {
                    let sentence = texts
                        .as_message()
                        .and_then(|texts| texts.get_field_by_name(field))
                        .and_then(|text| text.as_str().map(str::to_owned));
                    assert!(
                        sentence.is_some_and(|sentence| !sentence.is_empty()),
                        "{} {field}",
                        value.full_name()
                    );
                }
            }
        }
    }
}
