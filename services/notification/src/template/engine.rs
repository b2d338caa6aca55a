//! The template engine: minijinja with few filters, strict about what is missing, and with limits that no template exceeds.

use std::collections::BTreeSet;

use minijinja::{Environment, ErrorKind, UndefinedBehavior, filters, tests};

use super::{
    domain::{Values, Words},
    grammar,
};
use crate::{domain::Purpose, error::Error};

/// Instructions that a template may take; a loop in a loop in a loop ends here.
const FUEL: u64 = 20_000;
/// Bytes that a text may grow to.
const MAX_BYTES: usize = 64 << 10;
/// Characters of a subject line.
const MAX_SUBJECT: usize = 300;

/// Nothing but what is named here is in reach of a template: no loader, no globals, no escaping (mails are plain text).
pub(crate) fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.add_filter("default", filters::default);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("trim", filters::trim);
    environment.add_filter("upper", filters::upper);
    environment.add_test("defined", tests::is_defined);
    environment
}

/// Refuses words that are no template, or that use what their purpose does not have, and says which variables they use.
///
/// They are rendered twice, with samples and with everything empty: what fails fails now, and not when a customer waits.
pub(crate) fn check(purpose: Purpose, words: &Words) -> Result<Vec<String>, Error> {
    let environment = environment();
    let mut used = BTreeSet::new();
    for (field, text) in fields(words) {
        grammar::check(text).map_err(|(line, problem)| Error::TemplateMalformed { field, line, problem })?;
        let template = environment
            .template_from_named_str(field, text)
            .map_err(|error| malformed(field, &error))?;
        used.extend(template.undeclared_variables(false));
    }
    let available = purpose.variable_names();
    let unknown: Vec<String> = used.iter().filter(|name| !available.contains(name)).cloned().collect();
    if !unknown.is_empty() {
        return Err(Error::TemplateVariablesUnknown { unknown, available });
    }
    let samples = purpose.sample_values();
    let nothing: Values = samples.keys().map(|name| (*name, String::new())).collect();
    for values in [&samples, &nothing] {
        render(&environment, words, values)?;
    }
    Ok(used.into_iter().collect())
}

/// The words with their variables filled in; the subject in one line.
pub(crate) fn render(environment: &Environment<'_>, words: &Words, values: &Values) -> Result<Words, Error> {
    let mut rendered = Words {
        subject: String::new(),
        body: String::new(),
    };
    for (field, text) in fields(words) {
        let mut filled = Bounded(Vec::new());
        environment
            .template_from_named_str(field, text)
            .and_then(|template| template.render_captured_to(values, &mut filled).map(|_| ()))
            .map_err(|error| malformed(field, &error))?;
        let filled = String::from_utf8_lossy(&filled.0);
        match field {
            "subject" => rendered.subject = one_line(&filled),
            _ => rendered.body = filled.trim().to_owned(),
        }
    }
    Ok(rendered)
}

/// What grows no further than a text may.
struct Bounded(Vec<u8>);

impl std::io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_BYTES {
            return Err(std::io::Error::other("too long"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn fields(words: &Words) -> [(&'static str, &str); 2] {
    [("subject", &words.subject), ("body", &words.body)]
}

/// A line break in a subject would begin another header of the mail.
fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars()
        .filter(|character| !character.is_control())
        .take(MAX_SUBJECT)
        .collect()
}

fn malformed(field: &'static str, error: &minijinja::Error) -> Error {
    if error.kind() == ErrorKind::WriteFailure {
        return Error::TemplateMalformed {
            field,
            line: error.line().unwrap_or(1),
            problem: format!("it becomes longer than {MAX_BYTES} bytes"),
        };
    }
    let problem = error.detail().map_or_else(
        || error.kind().to_string(),
        |detail| format!("{}: {detail}", error.kind()),
    );
    Error::TemplateMalformed {
        field,
        line: error.line().unwrap_or(1),
        problem,
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    fn words(subject: &str, body: &str) -> Words {
        Words {
            subject: subject.to_owned(),
            body: body.to_owned(),
        }
    }

    #[test]
    fn the_variables_that_are_used_are_said_in_order() {
        let used = check(
            Purpose::Survey,
            &words("{{ number }}", "{% if expire_time %}{{ link }}{% endif %}"),
        )
        .unwrap();
        assert_eq!(used, ["expire_time", "link", "number"]);
    }

    #[test]
    fn an_unknown_variable_is_named_when_saved() {
        let error = check(Purpose::Assignment, &words("{{ number }} {{ phone }}", "{{ link }}")).unwrap_err();
        let Error::TemplateVariablesUnknown { unknown, available } = error else {
            panic!("{error}")
        };
        assert_eq!(unknown, ["link", "phone"]);
        assert!(available.contains(&"due_time".to_owned()));
    }

    /// Fuel counts instructions, and one of these makes gigabytes.
    #[test]
    fn what_could_make_a_text_of_any_length_is_refused_before_it_is_run() {
        for body in [
            "{{ ('x'*100000000)|replace('x', 'x'*100000000) }}",
            "{{ 'x' * 100000000 }}",
            "{{ number ~ number }}",
            "{% set x = number %}{{ x }}",
            "{% set x %}{{ number }}{% endset %}",
            "{% macro m() %}{% endmacro %}",
            "{{ [number, number] }}",
        ] {
            let error = check(Purpose::Survey, &words("ok", body)).unwrap_err();
            assert!(
                matches!(
                    error,
                    Error::TemplateMalformed {
                        field: "body",
                        line: 1,
                        ..
                    }
                ),
                "{body}: {error}"
            );
        }
        // What stands outside the braces, or in quotes, is text.
        check(Purpose::Survey, &words("ok", "a * b ~ [c] {{ number|default('* ~') }}")).unwrap();
    }

    #[test]
    fn a_broken_text_is_refused_with_its_line() {
        let error = check(Purpose::Survey, &words("ok", "one\ntwo {{ link }\nthree")).unwrap_err();
        assert!(
            matches!(
                &error,
                Error::TemplateMalformed {
                    field: "body",
                    line: 2,
                    ..
                }
            ),
            "{error}"
        );
        for body in [
            "{{ number.part.of_it }}",
            "{{ number | nofilter }}",
            "{% include 'x' %}",
            "{{ number() }}",
        ] {
            assert!(
                matches!(
                    check(Purpose::Survey, &words("ok", body)),
                    Err(Error::TemplateMalformed { .. })
                ),
                "{body}"
            );
        }
    }

    #[test]
    fn a_template_cannot_run_for_ever_or_grow_without_end() {
        let endless = "{% for a in 'x' * 500 %}{% for b in 'x' * 500 %}{{ a }}{% endfor %}{% endfor %}";
        assert!(check(Purpose::Survey, &words("ok", endless)).is_err());
        assert!(check(Purpose::Survey, &words("ok", "{{ 'x' * 1000000 }}")).is_err());
    }

    #[test]
    fn a_subject_stays_one_line() {
        let values = [("text", "one\r\nBcc: somebody@example.com".to_owned())].into();
        let rendered = render(&environment(), &words("{{ text }}", ""), &values).unwrap();
        assert_eq!(rendered.subject, "one Bcc: somebody@example.com");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_check_panic(subject in "\\PC{0,40}", body in "([{}%# a-z|'.*()]|number|for|in|if|endif){0,60}") {
            let _ = check(Purpose::Progress, &words(&subject, &body));
        }
    }
}
