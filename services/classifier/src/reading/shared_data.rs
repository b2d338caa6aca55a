//! Real comments beside the checkout, where there are any: nothing may panic, and the tendency must be right often enough.

#![expect(clippy::print_stdout, reason = "a measurement is read by a person")]

use std::{collections::BTreeMap, fs};

use serde::Deserialize;

use super::{
    lexicon::Lexicon,
    verdict::{Statement, Verdict, read},
};
use crate::{domain::Sentiment, taxonomy::builtin::Builtin};

#[derive(Deserialize)]
struct Comment {
    text: String,
    label: String,
}

/// Every comment of a file with what the built-in taxonomy says of it; none where there is no such data.
fn verdicts(path: &str) -> Option<Vec<(Comment, Verdict)>> {
    let text = fs::read_to_string(huiyin_testkit::shared_data(path)?).unwrap();
    let lexicon = Lexicon::new(0, &Builtin::load().unwrap().content).unwrap();
    let said = |line: &str| {
        let comment: Comment = serde_json::from_str(line).unwrap();
        let verdict = read(&lexicon, Statement::of(&comment.text));
        (comment, verdict)
    };
    Some(text.lines().map(said).collect())
}

/// C-13. Where nothing in the wording speaks, the answer is neutral, which no comment of this set is: that counts as wrong.
#[test]
fn the_tendency_of_real_comments_on_meals_is_mostly_right() {
    let Some(verdicts) = verdicts("dev/zh_waimai_sentiment.jsonl") else {
        return;
    };
    let right = |(comment, verdict): &&(Comment, Verdict)| match verdict.sentiment {
        Sentiment::Negative => comment.label == "negative",
        Sentiment::Positive => comment.label == "positive",
        Sentiment::Neutral => false,
    };
    let decided = verdicts
        .iter()
        .filter(|(_, verdict)| verdict.sentiment != Sentiment::Neutral)
        .count();
    let right = verdicts.iter().filter(right).count();
    println!(
        "sentiment: {right} right of {} comments, {decided} of which it decided",
        verdicts.len()
    );
    assert!(right * 100 > verdicts.len() * 72, "{right} of {}", verdicts.len());
    assert!(right * 100 > decided * 85, "{right} of {decided}");
}

/// C-10: the subjects of vehicles.
#[test]
fn real_comments_on_cars_find_their_subject() {
    let Some(verdicts) = verdicts("dev/zh_car_topic.jsonl") else {
        return;
    };
    let topics: BTreeMap<&str, &str> = [
        ("vehicle.power", "动力"),
        ("vehicle.fuel", "油耗"),
        ("vehicle.interior", "内饰"),
        ("vehicle.space", "空间"),
        ("vehicle.handling", "操控"),
        ("vehicle.comfort", "舒适性"),
        ("vehicle.features", "配置"),
        ("vehicle.looks", "外观"),
        ("vehicle.price", "价格"),
        ("price.level", "价格"),
        ("price.promotion", "价格"),
        ("vehicle.safety", "安全性"),
        ("safety.vehicle", "安全性"),
    ]
    .into();
    let right = verdicts
        .iter()
        .filter(|(comment, verdict)| topics.get(verdict.category.as_str()) == Some(&comment.label.as_str()))
        .count();
    println!("subject: {right} right of {} comments", verdicts.len());
    assert!(right * 100 > verdicts.len() * 68, "{right} of {}", verdicts.len());
}
