//! Sentences of our own, each with what the built-in taxonomy must say of it: `sentences.txt`.

use super::{
    fold,
    lexicon::Lexicon,
    span::Spoken,
    verdict::{Statement, read},
};
use crate::taxonomy::builtin::Builtin;

fn lexicon() -> Lexicon {
    Lexicon::new(0, &Builtin::load().unwrap().content).unwrap()
}

fn statement(text: &str) -> Statement<'_> {
    Statement::of(text)
}

/// 001-21, 001-31, 002-01 … 002-05, 002-21, 003-22, 004-12.
#[test]
fn every_sentence_is_understood() {
    let lexicon = lexicon();
    let (mut wrong, mut count) = (Vec::new(), 0);
    for line in include_str!("sentences.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let parts: Vec<&str> = line.splitn(5, " | ").collect();
        let [category, tendency, impact, term, text] = parts[..] else {
            panic!("{line}")
        };
        count += 1;
        let verdict = read(&lexicon, statement(text));
        let found = (
            verdict.category.as_str(),
            format!("{:?}", verdict.sentiment).to_lowercase(),
            verdict.impact.word(),
        );
        if found != (category, tendency.to_owned(), impact) {
            wrong.push(format!("{text}: {found:?} ({})", verdict.sentiment_score));
        }
        let speaks = |spoken: &Spoken| matches!(spoken, Spoken::Category { category: of, .. } if of == category);
        let found = verdict
            .spans
            .iter()
            .any(|span| span.term == term && !span.negated && speaks(&span.spoken));
        if (category == "unclassified") != (term == "-") || !found && term != "-" {
            wrong.push(format!("{text}: {term} does not speak"));
        }
        // Every span's own text is its term, whatever its spelling.
        for span in verdict.spans.iter().filter(|span| span.rule.is_empty()) {
            let length = (span.end - span.start) as usize;
            let piece: String = text.chars().skip(span.start as usize).take(length).collect();
            assert_eq!(fold::fold_term(&piece), fold::fold_term(&span.term), "{text}");
        }
    }
    assert!(count >= 60, "{count}");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

/// C-13: words of degree strengthen and weaken; a negation turns around and weakens.
#[test]
fn degree_and_negation_order_tones() {
    let lexicon = lexicon();
    for rising in [
        ["极其失望", "非常失望", "失望", "有点失望", "不失望"],
        ["非常不满意", "不满意", "有点不满意", "满意", "非常满意"],
        [
            "extremely slow",
            "slow",
            "a bit slow",
            "not slow",
            "not slow, very good",
        ],
    ] {
        let scores: Vec<f64> = rising
            .iter()
            .map(|text| read(&lexicon, statement(text)).sentiment_score)
            .collect();
        assert!(scores.is_sorted_by(|one, other| one < other), "{rising:?} {scores:?}");
    }
}
