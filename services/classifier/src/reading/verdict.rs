//! What a taxonomy says of a text.

use serde::{Deserialize, Serialize};

pub(crate) use super::statement::Statement;
use super::{
    answers::{self, Answer},
    aspect::{self, Aspect},
    fold::{self, Folded},
    lexicon::Lexicon,
    rules::About,
    scan::{self, Scanned},
    score,
    span::{self, Span},
};
use crate::domain::{Impact, Label, Sentiment, UNCLASSIFIED};

/// What the taxonomy says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Verdict {
    pub(crate) taxonomy_version: i32,
    pub(crate) category: String,
    pub(crate) labels: Vec<Label>,
    pub(crate) sentiment: Sentiment,
    pub(crate) sentiment_score: f64,
    pub(crate) impact: Impact,
    /// How the category was found, as a basis says it.
    pub(crate) found_by: String,
    /// The impact that was stated or worded, and how that is said in a basis; none where the category's default holds.
    pub(crate) spoken_impact: Option<(Impact, String)>,
    pub(crate) skills: Vec<String>,
    pub(crate) department: String,
    pub(crate) spans: Vec<Span>,
    /// Keys of the required dimensions for which nothing spoke.
    #[serde(default)]
    pub(crate) missing_dimensions: Vec<String>,
    /// A hint for people; it decides nothing.
    #[serde(default)]
    pub(crate) sarcasm_hint: bool,
    #[serde(default)]
    pub(crate) aspects: Vec<Aspect>,
    /// Name of the version that gave the sentiment; empty where none did.
    #[serde(default)]
    pub(crate) sentiment_model: String,
}

impl Verdict {
    /// What decided on the category.
    pub(crate) fn decided_by(&self) -> &'static str {
        let main = self.labels.iter().find(|label| label.category == self.category);
        match main {
            _ if self.category == UNCLASSIFIED => "nothing",
            Some(label) if !label.rule.is_empty() => "rule",
            Some(label) if !label.model.is_empty() => "model",
            _ => "dictionary",
        }
    }
}

/// Reads a text by the dictionary alone.
pub(crate) fn read(lexicon: &Lexicon, statement: Statement<'_>) -> Verdict {
    Scan::new(lexicon, statement).verdict(&[])
}

/// Reads a text, with what trained models say of it.
#[cfg(test)]
pub(crate) fn read_with(lexicon: &Lexicon, statement: Statement<'_>, answers: &[Answer]) -> Verdict {
    Scan::new(lexicon, statement).verdict(answers)
}

/// A text with what stands in it: what trained models take of it, and what is made of both.
#[derive(Debug)]
pub(crate) struct Scan<'s> {
    pub(super) lexicon: &'s Lexicon,
    statement: Statement<'s>,
    folded: Folded,
    pub(super) scanned: Scanned,
}

/// What was found in a text.
#[derive(Debug)]
pub(super) struct Found {
    folded: Folded,
    scanned: Scanned,
}

impl Found {
    /// Looks for what stands in a text.
    pub(super) fn look(lexicon: &Lexicon, statement: Statement<'_>) -> Self {
        let folded = fold::fold(statement.text);
        let about = About {
            product_model: statement.product_model,
            channel: statement.channel,
        };
        Self {
            scanned: scan::scan(lexicon, &folded, about),
            folded,
        }
    }
}

impl<'s> Scan<'s> {
    /// Looks for what stands in a text. Takes as long as the author of regular expressions likes: `aside::scan` in an async task.
    pub(crate) fn new(lexicon: &'s Lexicon, statement: Statement<'s>) -> Self {
        Self::of(lexicon, statement, Found::look(lexicon, statement))
    }

    /// A text with what this version found in it.
    pub(super) fn of(lexicon: &'s Lexicon, statement: Statement<'s>, found: Found) -> Self {
        let Found { folded, scanned } = found;
        Self {
            lexicon,
            statement,
            folded,
            scanned,
        }
    }

    /// The text.
    pub(crate) fn text(&self) -> &'s str {
        self.statement.text
    }

    /// The text as it was compared.
    pub(crate) fn folded(&self) -> &Folded {
        &self.folded
    }

    /// By which version of the taxonomy.
    pub(crate) fn taxonomy_version(&self) -> i32 {
        self.lexicon.version
    }

    /// What the taxonomy says, with what trained models say.
    pub(crate) fn verdict(&self, answers: &[Answer]) -> Verdict {
        verdict(self, answers)
    }
}

fn verdict(scan: &Scan<'_>, answers: &[Answer]) -> Verdict {
    let Scan {
        lexicon,
        statement,
        folded,
        scanned,
    } = scan;
    let hits = &scanned.hits;
    let found = score::categories(lexicon, scanned);
    let answers::Settled { labels, main, found_by } = answers::settle(lexicon, scanned, found, answers);
    let (sentiment_score, wording) = score::sentiment(lexicon, hits);
    let (sentiment, sentiment_model) = if statement.tells_tendency() {
        (Sentiment::Negative, "")
    } else {
        answers::sentiment(answers).unwrap_or((wording, ""))
    };
    let main = main.map(|index| &lexicon.categories[index]);
    let category = main.map_or(UNCLASSIFIED, |main| main.key.as_str());

    let spoken_impact = worse(statement.impact, score::impact(lexicon, hits));
    let impact = spoken_impact.as_ref().map_or_else(
        || main.map_or(Impact::Minor, |main| main.default_impact),
        |(impact, _)| *impact,
    );
    let spans = span::spans(lexicon, folded, scanned);
    let missing_dimensions = missing_dimensions(lexicon, &labels);
    let aspects = aspect::aspects(lexicon, folded, scanned, &labels);
    let found_by = found_by.unwrap_or_else(|| span::deciding_terms(&spans, category));
    Verdict {
        taxonomy_version: lexicon.version,
        category: category.to_owned(),
        labels,
        sentiment,
        sentiment_score,
        impact,
        found_by,
        spoken_impact,
        skills: main.map(|main| main.skills.clone()).unwrap_or_default(),
        department: main.map(|main| main.department.clone()).unwrap_or_default(),
        spans,
        missing_dimensions,
        sarcasm_hint: score::sarcasm(lexicon, folded.text(), hits),
        aspects,
        sentiment_model: sentiment_model.to_owned(),
    }
}

fn missing_dimensions(lexicon: &Lexicon, labels: &[Label]) -> Vec<String> {
    let keys = lexicon.required.iter().map(|dimension| &lexicon.dimensions[*dimension]);
    keys.filter(|key| labels.iter().all(|label| label.dimension != **key))
        .cloned()
        .collect()
}

fn worse(stated: Option<Impact>, worded: Option<(Impact, String)>) -> Option<(Impact, String)> {
    match (stated, worded) {
        (Some(stated), Some((worded, term))) if worded > stated => Some((worded, format!("“{term}”"))),
        (Some(stated), _) => Some((stated, "stated".to_owned())),
        (None, worded) => worded.map(|(impact, term)| (impact, format!("“{term}”"))),
    }
}

/// `serious (“闪退”)`, `fatal (stated)`, `minor (of the category)`.
pub(crate) fn impact_words(impact: Impact, spoken: Option<&(Impact, String)>) -> String {
    format!(
        "{} ({})",
        impact.word(),
        spoken.map_or("of the category", |(_, source)| source.as_str())
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::taxonomy::builtin::Builtin;

    fn lexicon() -> Lexicon {
        Lexicon::new(0, &Builtin::load().unwrap().content).unwrap()
    }

    fn statement(text: &str) -> Statement<'_> {
        Statement::of(text)
    }

    /// 000-26: the worst of what was stated and what the wording says; the category's default where neither says any.
    #[test]
    fn impact_is_the_worst_that_anybody_says() {
        let lexicon = lexicon();
        let impact = |text, stated| {
            let verdict = read(
                &lexicon,
                Statement {
                    impact: stated,
                    ..statement(text)
                },
            );
            let words = impact_words(verdict.impact, verdict.spoken_impact.as_ref());
            (verdict.impact, words)
        };
        assert_eq!(impact("应用闪退", Some(Impact::Minor)).0, Impact::Serious);
        assert_eq!(impact("应用闪退", Some(Impact::Fatal)).0, Impact::Fatal);
        assert!(impact("应用闪退", Some(Impact::Fatal)).1.contains("fatal (stated)"));
        assert!(impact("应用闪退", None).1.contains("serious (“闪退”)"));
        let (by_default, basis) = impact("客服态度差", None);
        assert_eq!(by_default, Impact::Serious);
        assert!(basis.contains("of the category"), "{basis}");
        assert_eq!(impact("今天下雨", None).0, Impact::Minor);
    }

    /// 000-11: what an agent heard weighs more than polite wording; the score stays that of the wording.
    #[test]
    fn a_furious_caller_is_negative_whatever_the_words() {
        let lexicon = lexicon();
        let verdict = |level| {
            read(
                &lexicon,
                Statement {
                    emotion_level: level,
                    ..statement("谢谢，服务很好")
                },
            )
        };
        assert_eq!(verdict(3).sentiment, Sentiment::Positive);
        assert_eq!(verdict(4).sentiment, Sentiment::Negative);
        assert_eq!(verdict(5).sentiment, Sentiment::Negative);
        assert_eq!(verdict(5).sentiment_score, verdict(0).sentiment_score);
    }

    /// 001-30: one label per dimension, and what comes close.
    #[test]
    fn each_dimension_has_its_label_and_the_main_one_comes_first() {
        let verdict = read(&lexicon(), statement("包裹破损，而且退款超时"));
        let labels: Vec<&str> = verdict.labels.iter().map(|label| label.category.as_str()).collect();
        assert_eq!(labels[0], verdict.category);
        assert!(
            labels.contains(&"logistics.damage") && labels.contains(&"payment.refund"),
            "{labels:?}"
        );
        assert!(
            verdict.labels.iter().any(|label| label.dimension == "module"),
            "{labels:?}"
        );
        let shares: f64 = verdict
            .labels
            .iter()
            .filter(|label| label.dimension == "nature")
            .map(|label| label.confidence)
            .sum();
        assert!(shares <= 1.001, "{shares}");
    }

    /// The same word in 繁體 and 简体 is one word.
    #[test]
    fn scripts_do_not_count_twice() {
        let lexicon = lexicon();
        let (one, other) = (
            read(&lexicon, statement("軟體一直閃退")),
            read(&lexicon, statement("软体一直闪退")),
        );
        assert_eq!(
            (one.category, one.labels, one.sentiment_score),
            (other.category, other.labels, other.sentiment_score)
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_and_every_span_lies_in_it(
            text in "(\\PC{0,40}|[\u{4e00}-\u{9fff}]{0,30}|不|没有|一点都不|闪退|起火|好吃|crash|not|,|。|\u{200b}|\u{301}| |\n|ﬁ|①){0,12}",
        ) {
            let lexicon = SHARED.get_or_init(lexicon);
            let verdict = read(lexicon, statement(&text));
            let length = u32::try_from(text.chars().count()).unwrap();
            proptest::prop_assert!((-1.0..=1.0).contains(&verdict.sentiment_score));
            for span in &verdict.spans {
                proptest::prop_assert!(span.start < span.end && span.end <= length);
                let piece: String = text.chars().skip(span.start as usize).take((span.end - span.start) as usize).collect();
                proptest::prop_assert!(!span.rule.is_empty() || fold::fold(&piece).text().contains(&fold::fold_term(&span.term)), "{:?} is not {:?}", piece, span.term);
            }
        }
    }

    static SHARED: std::sync::OnceLock<Lexicon> = std::sync::OnceLock::new();
}
