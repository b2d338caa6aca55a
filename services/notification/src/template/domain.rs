//! Which variables a purpose has, and what a template is.

use std::collections::BTreeMap;

use jiff::Timestamp;

pub(crate) use super::domain_locale::{canonical, nearest};
use crate::domain::Purpose;

/// Values by variable.
pub(crate) type Values = BTreeMap<&'static str, String>;

/// A variable that a template may use. Every value is text; one that the event does not say is empty.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Variable {
    /// Its name.
    pub(crate) name: &'static str,
    /// A value for previews and for the check when a template is saved.
    pub(crate) sample: &'static str,
}

const fn variable(name: &'static str, sample: &'static str) -> Variable {
    Variable { name, sample }
}

/// Those that every purpose has.
const SHARED: &[Variable] = &[
    variable("assignee", "user:li.wei"),
    variable("category", "function.crash"),
    variable("episode", "1"),
    variable("excerpt", "打开订单页面时程序闪退。"),
    variable("feedback_number", "FB20261121001"),
    variable("number", "WO20261121001"),
    variable("priority", "P1"),
    variable("product_model", "X200"),
    variable("team", "app"),
];

const REASON: Variable = variable("reason", "更新后仍然闪退");
const DUE_TIME: Variable = variable("due_time", "2026-11-23 18:00");

impl Purpose {
    /// The variables that its templates may use, in alphabetical order.
    pub(crate) fn variables(self) -> Vec<Variable> {
        let own: &[Variable] = match self {
            Self::Assignment => &[DUE_TIME, REASON],
            // `stage` is CONTACTED, REMOTE_CHECK, ON_SITE, WAITING_RND or empty (003-40).
            Self::Progress => &[
                variable("promise_time", "2026-11-24 18:00"),
                variable("stage", "REMOTE_CHECK"),
                variable("text", "工程师正在远程排查。"),
            ],
            // `outcome` is RESOLVED, or REJECTED where it was not taken on; then `reason` says why (004-41).
            Self::Resolution => &[
                variable("outcome", "RESOLVED"),
                REASON,
                variable("resolution", "已在 3.2.1 版本修复，请更新应用。"),
            ],
            Self::Survey => &[
                variable("expire_time", "2026-11-28 18:00"),
                variable("link", "https://example.com/survey#sample"),
            ],
            Self::SlaWarning | Self::SlaBreach => &[variable("clock", "resolve"), DUE_TIME],
            Self::Reopened => &[REASON],
        };
        let mut all = [SHARED, own].concat();
        all.sort_unstable_by_key(|variable| variable.name);
        all
    }

    /// The names of its variables, in alphabetical order.
    pub(crate) fn variable_names(self) -> Vec<String> {
        self.variables()
            .iter()
            .map(|variable| variable.name.to_owned())
            .collect()
    }

    /// A sample value for each.
    pub(crate) fn sample_values(self) -> Values {
        self.variables()
            .iter()
            .map(|variable| (variable.name, variable.sample.to_owned()))
            .collect()
    }
}

/// Subject and text, with or without their variables filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    /// One line.
    pub(crate) subject: String,
    /// Plain text.
    pub(crate) body: String,
}

/// A template: version 0 is built in, 1 and up are the tenant's own.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    pub(crate) purpose: Purpose,
    /// Lower case, as in the name.
    pub(crate) locale: String,
    pub(crate) version: i32,
    pub(crate) words: Words,
    /// Not set for a built-in one.
    pub(crate) update_time: Option<Timestamp>,
    /// Empty for a built-in one.
    pub(crate) author: String,
}

/// What a template is called: `sla-warning-zh-cn`.
pub(crate) fn id(purpose: Purpose, locale: &str) -> String {
    format!("{}-{locale}", purpose.key())
}

/// Purpose and locale of a template's id; `None` where it is none.
pub(crate) fn parse_id(id: &str) -> Option<(Purpose, &str)> {
    let parse = |purpose: &Purpose| Some((*purpose, id.strip_prefix(&purpose.key())?.strip_prefix('-')?));
    Purpose::ALL
        .iter()
        .find_map(parse)
        .filter(|(_, locale)| !locale.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_purpose_and_language() {
        for purpose in Purpose::ALL {
            assert_eq!(parse_id(&id(*purpose, "zh-hant-tw")), Some((*purpose, "zh-hant-tw")));
        }
        assert_eq!(parse_id("birthday-en"), None);
        assert_eq!(parse_id("survey-"), None);
    }

    #[test]
    fn variables_are_in_order_and_named_once() {
        for purpose in Purpose::ALL {
            let names = purpose.variable_names();
            let mut sorted = names.clone();
            sorted.sort();
            sorted.dedup();
            assert_eq!(names, sorted, "{purpose:?}");
        }
    }
}
