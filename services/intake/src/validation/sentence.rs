//! What is wrong about a field, and what a vague description lacks, in the caller's language (000-15, 003-70).

use huiyin_chassis::server::Language;

use super::domain::{Sentence, problem::Problem};
use crate::screening::domain::Aspect;

/// What is wrong, for the caller.
pub(crate) fn problem(problem: &Problem, language: Language) -> String {
    let said = |en: &str, zh_cn: &str, zh_tw: &str| in_language(language, en, zh_cn, zh_tw).to_owned();
    match problem {
        Problem::Empty => said("must say something", "不能为空白", "不能為空白"),
        Problem::Missing => said("is required", "为必填项", "為必填項"),
        Problem::NoMoment => said("is not a moment of this calendar", "不是有效的时间", "不是有效的時間"),
        Problem::InFuture => said("must not lie in the future", "不能晚于当前时间", "不能晚於目前時間"),
        Problem::TooEarly => said("must not lie before 1900", "不能早于 1900 年", "不能早於 1900 年"),
        Problem::Null => said(
            "must not contain the character U+0000",
            "不能包含字符 U+0000",
            "不能包含字元 U+0000",
        ),
        Problem::NoPhone => said(
            "must be a telephone number, such as +86 138 0013 8000",
            "必须是有效的电话号码，例如 +86 138 0013 8000",
            "必須是有效的電話號碼，例如 +86 138 0013 8000",
        ),
        Problem::NoMail => said(
            "must be a mail address, such as li@example.com",
            "必须是有效的邮箱地址，例如 li@example.com",
            "必須是有效的電子郵件地址，例如 li@example.com",
        ),
        Problem::NoUrl => said(
            "must be a URL with http or https",
            "必须是 http 或 https 网址",
            "必須是 http 或 https 網址",
        ),
        Problem::NoAccount => said("must name an account", "必须填写账号", "必須填寫帳號"),
        Problem::NoMediaType => said(
            "must be said of a URI",
            "以网址提供附件时为必填项",
            "以網址提供附件時為必填項",
        ),
        Problem::Twice => said("must not be there twice", "不能重复", "不能重複"),
        Problem::TooShort { least, has } => match language {
            Language::English => format!("must have at least {least} characters; it has {has}"),
            Language::Simplified => format!("至少需要 {least} 个字，目前 {has} 个字"),
            Language::Traditional => format!("至少需要 {least} 個字，目前 {has} 個字"),
        },
        Problem::NotAllowed { allowed } => {
            let allowed = allowed.join(", ");
            match language {
                Language::English => format!("must be one of: {allowed}"),
                Language::Simplified => format!("必须是以下之一：{allowed}"),
                Language::Traditional => format!("必須是以下之一：{allowed}"),
            }
        }
        Problem::NoMatch { pattern } => match language {
            Language::English => format!("must look like {pattern}"),
            Language::Simplified => format!("格式必须符合 {pattern}"),
            Language::Traditional => format!("格式必須符合 {pattern}"),
        },
        Problem::Vague { missing } => {
            let asks: Vec<&str> = missing.iter().map(|(_, words)| words.as_str()).collect();
            match language {
                Language::English => format!("is too vague. {}", asks.join(" ")),
                Language::Simplified => format!("描述过于笼统。{}", asks.concat()),
                Language::Traditional => format!("描述過於籠統。{}", asks.concat()),
            }
        }
    }
}

/// The words that ask for something: the tenant's own, or ours.
pub(crate) fn guidance(aspect: Aspect, own: Option<&Sentence>, language: Language) -> String {
    if let Some(Sentence { en, zh_cn, zh_tw }) = own {
        return in_language(language, en, zh_cn, zh_tw).to_owned();
    }
    let (en, zh_cn, zh_tw) = match aspect {
        Aspect::Model => (
            "Which product, model or device is it?",
            "请说明产品或设备的型号。",
            "請說明產品或裝置的型號。",
        ),
        Aspect::Version => (
            "Which version of the app and of the system do you use?",
            "请说明软件版本和系统版本。",
            "請說明軟體版本和系統版本。",
        ),
        Aspect::Step => (
            "What did you do before it happened, such as which button you pressed on which page?",
            "请说明出现问题前的操作步骤和场景，例如在哪个页面点了哪个按钮。",
            "請說明出現問題前的操作步驟和情境，例如在哪個頁面點了哪個按鈕。",
        ),
        Aspect::Symptom => (
            "What exactly happened, such as the message that was shown?",
            "请说明具体的故障现象，例如屏幕上的提示。",
            "請說明具體的故障現象，例如螢幕上的提示。",
        ),
        Aspect::Expectation => (
            "What would you like us to do?",
            "请说明您期望的解决方案。",
            "請說明您期望的解決方案。",
        ),
    };
    in_language(language, en, zh_cn, zh_tw).to_owned()
}

fn in_language<'t>(language: Language, en: &'t str, zh_cn: &'t str, zh_tw: &'t str) -> &'t str {
    match language {
        Language::English => en,
        Language::Simplified => zh_cn,
        Language::Traditional => zh_tw,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 000-15: whoever is asked for something is asked in their language, and no two languages say the same.
    #[test]
    fn every_aspect_is_asked_for_in_three_languages() {
        for aspect in Aspect::ALL {
            let said = [Language::English, Language::Simplified, Language::Traditional]
                .map(|language| guidance(aspect, None, language));
            assert!(said[0] != said[1] && said[1] != said[2], "{said:?}");
        }
        let own = Sentence {
            en: "Model?".to_owned(),
            zh_cn: "什么型号？".to_owned(),
            zh_tw: "什麼型號？".to_owned(),
        };
        assert_eq!(guidance(Aspect::Model, Some(&own), Language::Traditional), "什麼型號？");
    }
}
