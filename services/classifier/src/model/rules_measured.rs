//! What rules as features cost and bring, on real comments.

#![expect(clippy::print_stdout, reason = "how well and how fast it reads is worth reading")]

use std::{fs, sync::Arc};

use serde::Deserialize;

use super::{
    domain::Labelled,
    judging::judge,
    reader::{Reader, Rules},
};
use crate::{
    learning::{Hints, Model, Options},
    reading::{answers::About, lexicon::Lexicon},
    taxonomy::builtin::Builtin,
};

#[derive(Deserialize)]
struct Comment {
    text: String,
    label: String,
}

/// Issue 3: rules as features lose nothing of what the words say; what they cost is printed.
#[test]
fn rules_as_features_lose_nothing_of_what_the_words_say() {
    let Some(path) = huiyin_testkit::shared_data("dev/zh_waimai_sentiment.jsonl") else {
        return;
    };
    let comments = fs::read_to_string(path).unwrap();
    let comments: Vec<Labelled> = comments
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .map(|comment: Comment| (comment.text, comment.label.to_uppercase()))
        .collect();
    let labels = ["NEGATIVE".to_owned(), "POSITIVE".to_owned()];
    let (held, seen): (Vec<usize>, Vec<usize>) = (0..comments.len()).partition(|at| at % 5 == 0);
    let held: Vec<Labelled> = held.into_iter().map(|at| comments[at].clone()).collect();
    let seen: Vec<(&str, usize)> = seen
        .into_iter()
        .map(|at| (comments[at].0.as_str(), usize::from(comments[at].1 == labels[1])))
        .collect();
    let rules = Rules {
        lexicon: Arc::new(Lexicon::new(0, &Builtin::load().unwrap().content).unwrap()),
        about: About::Sentiment,
    };
    let hints = Hints {
        version: 0,
        found: seen.iter().map(|(text, _)| rules.hints(text)).collect(),
    };
    let [by_words, by_both] = [None, Some(&hints)].map(|hints| {
        let model = Model::train(&labels, &seen, hints, &Options::default(), &mut |_| true).unwrap();
        let reader = Reader {
            model: Arc::new(model),
            rules: hints.map(|_| rules.clone()),
        };
        judge(&reader, &held, 0.6)
    });
    for judged in [&by_words, &by_both] {
        println!(
            "accuracy {:.4}, macro-F1 {:.4}, ECE {:.4}, {:.0} texts a second",
            judged.accuracy, judged.macro_f1, judged.ece, judged.texts_per_cpu_second
        );
    }
    assert!(by_both.accuracy >= by_words.accuracy - 0.005);
}
