//! Sentences of our own, with what each of them is: how often screening is right.

#![expect(clippy::print_stdout, reason = "a measurement is read by a person")]

use std::time::Instant;

use proptest::prelude::*;

use super::*;

const SENTENCES: &str = include_str!("sentences.tsv");

fn label(text: &str) -> &'static str {
    match screen(text).first().map(|finding| finding.kind) {
        None => "ok",
        Some(FindingKind::TestData) => "test",
        Some(FindingKind::Spam) => "spam",
        Some(FindingKind::Irrelevant) => "irrelevant",
        Some(FindingKind::Duplicate) => "duplicate",
    }
}

/// 001-12, "must be shown" 2: precision and recall of each kind, over sentences of which about half are hard.
#[test]
fn test_data_spam_and_what_says_nothing_are_told_from_feedback() {
    let rows: Vec<(&str, &str, &str)> = SENTENCES
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let mut parts = line.splitn(3, '\t');
            (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap())
        })
        .collect();
    let hard = rows.iter().filter(|(_, difficulty, _)| *difficulty == "hard").count();
    println!("{} sentences, {hard} of them hard", rows.len());
    assert!(rows.len() >= 190 && hard * 2 >= rows.len() - 10);
    for (expected, _, text) in &rows {
        if label(text) != *expected {
            println!("{expected} taken for {}: {text}", label(text));
        }
    }
    for (kind, precision_floor, recall_floor) in [
        ("test", 95, 90),
        ("spam", 95, 90),
        ("irrelevant", 90, 85),
        ("ok", 90, 95),
    ] {
        let wanted = rows.iter().filter(|(expected, ..)| *expected == kind).count();
        let said = rows.iter().filter(|(.., text)| label(text) == kind).count();
        let right = rows
            .iter()
            .filter(|(expected, _, text)| *expected == kind && label(text) == kind)
            .count();
        println!("{kind}: {right} right of {said} said (precision), of {wanted} there are (recall)");
        assert!(
            right * 100 >= said * precision_floor,
            "precision of {kind}: {right} of {said}"
        );
        assert!(
            right * 100 >= wanted * recall_floor,
            "recall of {kind}: {right} of {wanted}"
        );
    }
}

#[test]
fn every_finding_says_why() {
    let reasons = |text: &str| {
        screen(text)
            .into_iter()
            .flat_map(|finding| finding.reasons)
            .collect::<Vec<_>>()
    };
    assert_eq!(reasons("测试test123"), [Reason::TestWords]);
    assert_eq!(reasons("asdfghjkl"), [Reason::Keyboard]);
    assert_eq!(reasons("Lorem ipsum dolor sit amet"), [Reason::Placeholder]);
    assert_eq!(reasons("？？！！😡"), [Reason::NoWords]);
    assert_eq!(reasons("你好，在吗"), [Reason::NoMeaning]);
    assert_eq!(
        reasons("日赚500，无抵押贷款，加微信：abc12345"),
        [Reason::Advertising, Reason::Solicitation]
    );
}

/// Hostile lengths cost no more than their length.
#[test]
fn hostile_text_is_screened_in_the_time_of_its_length() {
    let start = Instant::now();
    for unit in [
        "a",
        "测试",
        "加微信",
        "http://",
        "1qaz",
        ".",
        "t.me/",
        "😡",
        "loan a.b.c.d.",
    ] {
        screen(&unit.repeat(200_000 / unit.len()));
    }
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

proptest! {
    #[test]
    fn screening_is_a_function_of_the_words(text in "\\PC{0,200}") {
        let first = screen(&text);
        prop_assert_eq!(&first, &screen(&text));
        prop_assert!(first.iter().all(|finding| !finding.reasons.is_empty()));
    }
}
