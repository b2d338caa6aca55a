//! Sentences of our own, with what each of them is: how often the reading is right.

#![expect(clippy::print_stdout, reason = "a measurement is read by a person")]

use std::time::Instant;

use proptest::prelude::*;

use super::*;

const SENTENCES: &str = include_str!("sentences.tsv");

fn told(description: &str) -> Told<'_> {
    Told {
        title: "",
        description,
        has_model: false,
        has_version: false,
        has_expectation: false,
    }
}

/// 000-15, "must be shown" 2: precision and recall, over sentences of which more than half are hard.
#[test]
fn vague_complaints_are_told_from_clear_ones() {
    let rows: Vec<(bool, &str, &str)> = SENTENCES
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let mut parts = line.splitn(3, '\t');
            let label = parts.next().unwrap();
            assert!(matches!(label, "vague" | "clear"), "{line}");
            (label == "vague", parts.next().unwrap(), parts.next().unwrap())
        })
        .collect();
    let hard = rows.iter().filter(|(_, difficulty, _)| *difficulty == "hard").count();
    println!("{} sentences, {hard} of them hard", rows.len());
    assert!(rows.len() >= 200 && hard * 2 >= rows.len());
    let (mut wanted, mut said, mut right) = (0, 0, 0);
    for (is_vague, _, text) in &rows {
        let found = read(told(text)).is_vague;
        wanted += u32::from(*is_vague);
        said += u32::from(found);
        right += u32::from(found && *is_vague);
        if found != *is_vague {
            println!("taken for {}: {text}", if found { "vague" } else { "clear" });
        }
    }
    println!("vague: {right} right of {said} said (precision), of {wanted} there are (recall)");
    assert!(right * 100 >= said * 95, "precision: {right} of {said}");
    assert!(right * 100 >= wanted * 93, "recall: {right} of {wanted}");
}

/// 000-15: what is lacking depends on what is said, in words or beside them.
#[test]
fn what_is_missing_is_named() {
    use Aspect::{Expectation, Model, Step, Symptom, Version};
    let missing = |text: &str| read(told(text)).missing(&Aspect::ALL);
    assert_eq!(missing("不好用"), [Model, Version, Step, Symptom, Expectation]);
    assert_eq!(missing("iPhone 15 登录有问题，希望解决"), [Version, Symptom]);
    assert_eq!(missing("升级到 3.2.1 后打开首页就闪退"), []);
    let with_fields = read(Told {
        has_model: true,
        has_version: true,
        has_expectation: true,
        ..told("用不了")
    });
    assert_eq!(with_fields.missing(&Aspect::ALL), [Step, Symptom]);
    assert_eq!(with_fields.missing(&[Model]), [Symptom]);
}

#[test]
fn a_complaint_that_is_negated_is_none() {
    for text in ["没有任何问题", "沒有問題", "no problem at all", "不是不好用"] {
        assert!(!read(told(text)).is_vague, "{text}");
    }
}

#[test]
fn hostile_text_is_read_in_the_time_of_its_length() {
    let start = Instant::now();
    for unit in ["不", "没有", "not ", "不好用", "a1", "1.", "\u{300}"] {
        read(told(&unit.repeat(200_000 / unit.len())));
    }
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

proptest! {
    #[test]
    fn only_what_is_vague_lacks_something(text in "\\PC{0,200}") {
        let read = read(told(&text));
        prop_assert_eq!(read.is_vague, !read.missing(&Aspect::ALL).is_empty());
    }
}
