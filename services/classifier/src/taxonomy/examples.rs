//! Examples and counter-examples of a dictionary as tests of its own version (001-40).

use super::domain::{Content, Example};
use crate::{
    domain::UNCLASSIFIED,
    reading::{
        lexicon::Lexicon,
        span::{Span, Spoken},
        verdict::{Statement, Verdict, read},
    },
};

/// An example or counter-example that a version does not keep.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Broken {
    /// Where it stands in the message `Taxonomy`.
    pub(crate) field: String,
    /// The category that it is written for.
    pub(crate) category: String,
    pub(crate) counter: bool,
    pub(crate) text: String,
    /// `unclassified` for none; empty where any but its own will do.
    pub(crate) expected: String,
    /// `unclassified` for none.
    pub(crate) found: String,
    /// What decided, of its dimension.
    pub(crate) spans: Vec<Span>,
}

impl Broken {
    /// What is wrong about it, in a sentence.
    pub(crate) fn problem(&self) -> String {
        if self.expected.is_empty() {
            format!("must not be {}, and is {}", self.category, self.found)
        } else {
            format!("must be {}, and is {}", self.expected, self.found)
        }
    }
}

/// Every example and counter-example of a version that this version gives another category, in their order. None where nobody waits for it
/// any more: reading thousands of texts takes a while.
pub(crate) fn broken(lexicon: &Lexicon, content: &Content, waits: &dyn Fn() -> bool) -> Option<Vec<Broken>> {
    let mut all = Vec::new();
    for (index, category) in content.categories.iter().enumerate() {
        let report = |field: String, counter: bool, example: &Example, expected: &str, dimension: &str| {
            let verdict = read(
                lexicon,
                Statement {
                    product_model: &example.product_model,
                    channel: example.channel,
                    ..Statement::of(&example.text)
                },
            );
            let found = label(&verdict, dimension);
            let kept = if counter {
                !is_at_or_below(label(&verdict, &category.dimension), &category.key)
                    && (expected.is_empty() || is_at_or_below(found, expected))
            } else {
                is_at_or_below(found, expected)
            };
            (!kept).then(|| Broken {
                field: format!("categories[{index}].{field}"),
                category: category.key.clone(),
                counter,
                text: example.text.clone(),
                expected: expected.to_owned(),
                found: found.to_owned(),
                spans: spans_of(&verdict, dimension),
            })
        };
        for (place, example) in category.examples.iter().enumerate() {
            waits().then_some(())?;
            let field = format!("examples[{place}]");
            all.extend(report(field, false, example, &category.key, &category.dimension));
        }
        for (place, counter) in category.counter_examples.iter().enumerate() {
            waits().then_some(())?;
            let field = format!("counter_examples[{place}]");
            // The neighbour may be one of another dimension.
            let dimension = content
                .lineage(&counter.category)
                .next()
                .map_or(category.dimension.as_str(), |neighbor| &neighbor.dimension);
            all.extend(report(field, true, &counter.example, &counter.category, dimension));
        }
    }
    Some(all)
}

/// The first label of a dimension: its primary category.
fn label<'v>(verdict: &'v Verdict, dimension: &str) -> &'v str {
    verdict
        .labels
        .iter()
        .find(|label| label.dimension == dimension)
        .map_or(UNCLASSIFIED, |label| &label.category)
}

fn spans_of(verdict: &Verdict, wanted: &str) -> Vec<Span> {
    let of_dimension = |span: &&Span| matches!(&span.spoken, Spoken::Category { dimension, .. } if dimension == wanted);
    verdict.spans.iter().filter(of_dimension).cloned().collect()
}

/// True where a key is this one or lies below it.
pub(crate) fn is_at_or_below(key: &str, above: &str) -> bool {
    key.strip_prefix(above)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::taxonomy::{builtin::Builtin, domain::CounterExample};

    fn content() -> Content {
        Builtin::load().unwrap().content
    }

    /// 001-40: what we ship keeps its own dictionary, and every category with words has examples and a counter-example.
    #[test]
    fn the_built_in_taxonomy_keeps_its_own_examples() {
        let content = content();
        let lexicon = Lexicon::new(0, &content).unwrap();
        assert_eq!(super::broken(&lexicon, &content, &|| false), None, "nobody waits");
        let broken: Vec<String> = broken(&lexicon, &content, &|| true)
            .unwrap()
            .into_iter()
            .map(|broken| {
                let words: Vec<&str> = broken.spans.iter().map(|span| span.term.as_str()).collect();
                format!("{} {}: {} {words:?}", broken.category, broken.text, broken.problem())
            })
            .collect();
        assert!(broken.is_empty(), "{} broken:\n{}", broken.len(), broken.join("\n"));
        for category in &content.categories {
            assert!(
                category.examples.len() >= 2 && !category.counter_examples.is_empty(),
                "{} has {} and {}",
                category.key,
                category.examples.len(),
                category.counter_examples.len()
            );
        }
    }

    /// 001-40: each broken one says what was expected, what came out, and what decided.
    #[test]
    fn a_broken_example_says_what_decided() {
        let mut content = content();
        for category in &mut content.categories {
            category.examples.clear();
            category.counter_examples.clear();
        }
        let example = |text: &str| Example {
            text: text.to_owned(),
            product_model: String::new(),
            channel: 0,
        };
        let counter = |text: &str, category: &str| CounterExample {
            example: example(text),
            category: category.to_owned(),
        };
        let crash = content
            .categories
            .iter()
            .position(|category| category.key == "function.crash")
            .unwrap();
        content.categories[crash].examples = vec![example("一打开就闪退"), example("退款超时"), example("今天下雨")];
        content.categories[crash].counter_examples = vec![
            counter("没有闪退", "unclassified"),
            counter("页面卡顿", "performance.lag"),
            counter("老是崩溃", ""),
            counter("界面卡顿", "function.login"),
        ];
        let lexicon = Lexicon::new(0, &content).unwrap();
        let found: Vec<(String, String, usize)> = broken(&lexicon, &content, &|| true)
            .unwrap()
            .into_iter()
            .map(|broken| (broken.field.clone(), broken.problem(), broken.spans.len()))
            .collect();
        let field = |rest: &str| format!("categories[{crash}].{rest}");
        assert_eq!(found[0].0, field("examples[1]"));
        assert_eq!(found[0].1, "must be function.crash, and is payment.refund");
        assert!(found[0].2 > 0);
        assert_eq!(
            found[1],
            (
                field("examples[2]"),
                "must be function.crash, and is unclassified".to_owned(),
                0
            )
        );
        assert_eq!(found[2].0, field("counter_examples[2]"));
        assert_eq!(found[2].1, "must not be function.crash, and is function.crash");
        assert_eq!(found[3].1, "must be function.login, and is performance.lag");
        assert_eq!(found.len(), 4);
    }
}
