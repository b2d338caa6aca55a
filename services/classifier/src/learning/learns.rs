//! What a learner must be able to do, from two examples to a set of real comments.

#![expect(clippy::print_stdout, reason = "a measurement is read by a person")]

use std::fs;

use proptest::prelude::*;
use serde::Deserialize;

use super::{Hints, Model, Options, Scratch, Untrainable, bytes::Unreadable, evaluate, hint};

const LABELS: [&str; 3] = ["crash", "delivery", "praise"];

fn labels(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Sentences of three subjects; the model of a product says nothing about the subject.
fn examples(each: usize) -> Vec<(String, usize)> {
    let sentences = [
        ["打开就闪退", "APP一直崩溃", "the app crashes on start", "又闪退了"],
        ["快递太慢", "送货晚了三天", "my parcel arrived late", "物流还没到"],
        ["非常好用", "很满意", "works great, love it", "五星好评"],
    ];
    (0..each * sentences.len())
        .map(|at| {
            let (round, label) = (at / sentences.len(), at % sentences.len());
            (format!("{}, X{round}", sentences[label][round % 4]), label)
        })
        .collect()
}

fn train(names: &[&str], examples: &[(String, usize)], options: &Options) -> Result<Model, Untrainable> {
    let examples: Vec<(&str, usize)> = examples.iter().map(|(text, label)| (text.as_str(), *label)).collect();
    Model::train(&labels(names), &examples, None, options, &mut |_| true)
}

fn three_subjects() -> Model {
    train(&LABELS, &examples(20), &Options::default()).unwrap()
}

fn best(model: &Model, text: &str) -> usize {
    super::evaluation::best(model.read(text, &[], &mut Scratch::default())).0
}

#[test]
fn what_was_not_among_the_examples_is_read_by_what_it_shares_with_them() {
    let model = three_subjects();
    for (text, label) in [
        ("crashing", 0),
        ("昨天开始閃退", 0),
        ("It CRASHES all the time", 0),
        ("物流真慢", 1),
        ("still no parcel", 1),
        ("好用，好评", 2),
    ] {
        assert_eq!(best(&model, text), label, "{text}");
    }
    assert_eq!(model.labels(), labels(&LABELS));
}

#[test]
fn two_labels_share_one_weight_and_are_told_apart_as_well() {
    let two: Vec<(String, usize)> = examples(20).into_iter().filter(|(_, label)| *label < 2).collect();
    let model = train(&LABELS[..2], &two, &Options::default()).unwrap();
    assert_eq!(best(&model, "闪退"), 0);
    assert_eq!(best(&model, "快递"), 1);
    let probabilities = model.read("快递", &[], &mut Scratch::default()).to_vec();
    assert_eq!(probabilities.len(), 2);
    assert!((probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-5);
}

#[test]
fn one_example_of_each_label_is_enough() {
    let model = train(&LABELS, &examples(1), &Options::default()).unwrap();
    for (text, label) in examples(1) {
        assert_eq!(best(&model, &text), label, "{text}");
    }
}

#[test]
fn a_label_without_examples_is_known_and_never_said() {
    let names = ["crash", "delivery", "praise", "price"];
    let model = train(&names, &examples(20), &Options::default()).unwrap();
    for (text, label) in examples(20) {
        assert_eq!(best(&model, &text), label);
    }
}

#[test]
fn empty_texts_neither_stop_training_nor_reading() {
    let mut with_empty = examples(5);
    with_empty.extend([(String::new(), 0), ("  \n".to_owned(), 1)]);
    let model = train(&LABELS, &with_empty, &Options::default()).unwrap();
    let total: f32 = model.read("", &[], &mut Scratch::default()).iter().sum();
    assert!((total - 1.0).abs() < 1e-5);
    assert_eq!(best(&model, "闪退"), 0);
}

#[test]
fn the_same_seed_gives_the_same_model_on_any_number_of_threads() {
    let model = |seed, threads| {
        let options = Options { seed, threads };
        train(&LABELS, &examples(20), &options).unwrap().to_bytes()
    };
    assert_eq!(model(7, 1), model(7, 4));
    assert_ne!(model(7, 1), model(8, 1));
}

#[test]
fn what_cannot_be_learnt_is_refused() {
    let refused =
        |names: &[&str], examples: &[(String, usize)]| train(names, examples, &Options::default()).err().unwrap();
    let one: Vec<(String, usize)> = vec![("闪退".to_owned(), 0); 5];
    assert_eq!(refused(&LABELS, &[]), Untrainable::OneLabel);
    assert_eq!(refused(&LABELS, &one), Untrainable::OneLabel);
    assert_eq!(refused(&LABELS[..2], &examples(2)), Untrainable::UnknownLabel);
}

#[test]
fn training_ends_when_it_is_told_to() {
    let examples = examples(20);
    let examples: Vec<(&str, usize)> = examples.iter().map(|(text, label)| (text.as_str(), *label)).collect();
    let mut shares = Vec::new();
    let stopped = Model::train(&labels(&LABELS), &examples, None, &Options::default(), &mut |share| {
        shares.push(share);
        false
    });
    assert_eq!(stopped.err(), Some(Untrainable::Stopped));
    assert_eq!(shares.len(), 1);

    let finished = Model::train(&labels(&LABELS), &examples, None, &Options::default(), &mut |share| {
        shares.push(share);
        true
    });
    assert!(finished.is_ok());
    assert!(shares.is_sorted() && shares.iter().all(|share| (0.0..=1.0).contains(share)));
}

#[test]
fn evidence_points_at_the_words_that_spoke() {
    let model = three_subjects();
    let text = "您好， 這個 ＡＰＰ 閃退";
    let evidence = model.explain(text, &[], 0, 3);
    let strongest = evidence[0];
    let piece: String = text
        .chars()
        .skip(strongest.start as usize)
        .take((strongest.end - strongest.start) as usize)
        .collect();
    assert!(piece.contains("閃退"), "{piece}");
    assert!(evidence.is_sorted_by(|a, b| a.weight >= b.weight && b.weight > 0.0));
    assert_eq!(model.explain(text, &[], 0, 1).len(), 1);
    assert_eq!(model.explain(text, &[], 0, 0), []);
    assert_eq!(model.explain(text, &[], 9, 3), []);
    assert_eq!(model.explain("", &[], 0, 3), []);
}

#[test]
fn a_negation_is_learnt_wherever_in_its_reach_the_word_stands() {
    let pairs = ["很好", "好吃", "好看", "真好", "特别好", "挺好"];
    let mut said: Vec<(String, usize)> = Vec::new();
    for (at, pair) in pairs.iter().cycle().take(60).enumerate() {
        said.push((format!("{pair}，第{at}次"), 1));
        said.push((format!("不{pair}，第{at}次"), 0));
    }
    let model = train(&["bad", "good"], &said, &Options::default()).unwrap();
    assert_eq!(best(&model, "还好"), 1);
    assert_eq!(best(&model, "不算好"), 0);
    // The model has seen neither of these words: one of them turns the next.
    let bad = |text: &str| model.read(text, &[], &mut Scratch::default())[0];
    assert!(
        bad("not 好") > bad("hot 好") + 0.1,
        "{} {}",
        bad("not 好"),
        bad("hot 好")
    );
}

#[test]
fn a_word_of_any_length_is_read_in_a_time_that_grows_with_it_alone() {
    let model = three_subjects();
    let word = "a".repeat(300_000);
    assert_eq!(model.read(&word, &[], &mut Scratch::default()).len(), 3);
    assert!(model.explain(&word, &[], 0, 5).len() <= 5);
}

#[test]
fn bytes_give_the_model_back() {
    let model = three_subjects();
    let again = Model::from_bytes(&model.to_bytes()).unwrap();
    assert_eq!(again.to_bytes(), model.to_bytes());
    for (text, _) in examples(5) {
        assert_eq!(
            again.read(&text, &[], &mut Scratch::default()),
            model.read(&text, &[], &mut Scratch::default())
        );
    }
}

/// Models of a release before looked at runs of tokens and letters alone; they go on reading as they did.
#[test]
fn a_model_that_knows_no_words_reads_as_it_did() {
    let mut model = three_subjects();
    model.with_words = false;
    model.confidence.chance = 0.0;
    let bytes = model.to_bytes();
    assert_eq!((three_subjects().to_bytes()[4], bytes[4]), (5, 1));
    let again = Model::from_bytes(&bytes).unwrap();
    let read = |model: &Model| model.read("打开就闪退!!", &[], &mut Scratch::default()).to_vec();
    assert_eq!(read(&again), read(&model));
    assert_ne!(read(&again), read(&three_subjects()));
}

/// Nor did those of another release leave anything to chance.
#[test]
fn a_model_that_was_written_before_chance_was_reads_as_it_did() {
    let mut model = three_subjects();
    model.confidence.chance = 0.0;
    let mut bytes = model.to_bytes();
    // After the labels and the sharpness.
    let labels: usize = model.labels().iter().map(|label| 4 + label.len()).sum();
    let chance = 9 + 4 + labels + 4;
    bytes.drain(chance..chance + 4);
    bytes[4] = 3;
    let sum = crc32fast::hash(&bytes[9..]).to_le_bytes();
    bytes[5..9].copy_from_slice(&sum);
    let again = Model::from_bytes(&bytes).unwrap();
    let read = |model: &Model| model.read("打开就闪退!!", &[], &mut Scratch::default()).to_vec();
    assert_eq!(read(&again), read(&model));
}

/// What rules find counts beside the words, is asked for again by the version that was learnt from, and outlives the bytes.
#[test]
fn what_rules_find_is_learnt_from_and_remembered() {
    let said: Vec<String> = (0..40).map(|at| format!("第{}条", at * 7)).collect();
    let examples: Vec<(&str, usize)> = said
        .iter()
        .enumerate()
        .map(|(at, text)| (text.as_str(), at % 2))
        .collect();
    let (bad, good) = (hint(&["tendency", "bad"]), hint(&["tendency", "good"]));
    let hints = Hints {
        version: 3,
        found: examples.iter().map(|(_, label)| vec![[bad, good][*label]]).collect(),
    };
    let options = Options::default();
    let model = Model::train(
        &labels(&["bad", "good"]),
        &examples,
        Some(&hints),
        &options,
        &mut |_| true,
    )
    .unwrap();
    let again = Model::from_bytes(&model.to_bytes()).unwrap();
    assert_eq!(
        (model.rules(), again.rules(), three_subjects().rules()),
        (Some(3), Some(3), None)
    );
    for (found, label) in [(bad, 0), (good, 1)] {
        let mut scratch = Scratch::default();
        let probabilities = again.read("一句没见过的话", &[found], &mut scratch).to_vec();
        assert_eq!(super::evaluation::best(&probabilities).0, label);
        assert!(probabilities[label] > 0.8, "{probabilities:?}");
        assert_eq!(probabilities, model.read("一句没见过的话", &[found], &mut scratch));
    }
}

#[test]
fn bytes_of_something_else_are_refused() {
    let bytes = three_subjects().to_bytes();
    let refused = |bytes: &[u8]| Model::from_bytes(bytes).err();
    assert_eq!(refused(b""), Some(Unreadable::Foreign));
    assert_eq!(refused(b"PK\x03\x04 something else"), Some(Unreadable::Foreign));
    assert_eq!(refused(&bytes[..bytes.len() - 1]), Some(Unreadable::Damaged));
    let mut later = bytes;
    later[4] += 9;
    assert_eq!(refused(&later), Some(Unreadable::Version));
}

/// The bytes with their checksum put right: what follows must hold by itself.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = crc32fast::hash(&bytes[9..]).to_le_bytes();
    bytes[5..9].copy_from_slice(&sum);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn hostile_bytes_are_refused_or_read_to_numbers(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        length in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let mut bytes = train(&LABELS, &examples(2), &Options::default()).unwrap().to_bytes();
        if cut {
            bytes.truncate(9 + length.index(bytes.len() - 9));
        }
        for (at, byte) in changes {
            let length = bytes.len();
            if length > 9 {
                bytes[9 + at.index(length - 9)] = byte;
            }
        }
        if let Ok(model) = Model::from_bytes(&sealed(bytes)) {
            let mut scratch = Scratch::default();
            let probabilities = model.read("打开就闪退 the app crashes", &[], &mut scratch);
            prop_assert!(probabilities.iter().all(|probability| probability.is_finite()));
        }
    }

    #[test]
    fn any_text_is_read_to_probabilities_and_evidence_within_it(text in "[\\PC\u{4e00}-\u{9fff}\u{300}-\u{36f} ]{0,200}") {
        let model = train(&LABELS, &examples(2), &Options::default()).unwrap();
        let total: f32 = model.read(&text, &[], &mut Scratch::default()).iter().sum();
        prop_assert!((total - 1.0).abs() < 1e-4);
        let length = u32::try_from(text.chars().count()).unwrap();
        for evidence in model.explain(&text, &[], 0, 10) {
            prop_assert!(evidence.start < evidence.end && evidence.end <= length);
        }
    }

    #[test]
    fn any_texts_can_be_learnt_from(texts in prop::collection::vec(("\\PC{0,30}", 0..3_usize), 0..20)) {
        match train(&LABELS, &texts, &Options::default()) {
            Ok(model) => prop_assert_eq!(model.read("x", &[], &mut Scratch::default()).len(), 3),
            Err(refused) => prop_assert_eq!(refused, Untrainable::OneLabel),
        }
    }
}

#[derive(Deserialize)]
struct Comment {
    text: String,
    label: String,
}

/// Issue 3, "Must be shown" 1, on one set: four fifths of real comments on meals teach what the last fifth says.
#[test]
fn real_comments_are_learnt_and_the_probabilities_are_meant() {
    let Some(path) = huiyin_testkit::shared_data("dev/zh_waimai_sentiment.jsonl") else {
        return;
    };
    let comments: Vec<Comment> = fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let names = ["negative", "positive"];
    let example = |at: usize| {
        let comment = &comments[at];
        (
            comment.text.as_str(),
            names.iter().position(|name| *name == comment.label).unwrap(),
        )
    };
    let (held, seen): (Vec<usize>, Vec<usize>) = (0..comments.len()).partition(|at| at % 5 == 0);
    let seen: Vec<_> = seen.into_iter().map(example).collect();
    let held: Vec<_> = held.into_iter().map(example).collect();
    let held: Vec<_> = held
        .into_iter()
        .map(|(text, label)| (text, Vec::new(), label))
        .collect();
    let model = Model::train(&labels(&names), &seen, None, &Options::default(), &mut |_| true).unwrap();
    let evaluation = evaluate(&model, &held);
    println!(
        "waimai: accuracy {:.4}, macro-F1 {:.4}, ECE {:.4}",
        evaluation.accuracy, evaluation.macro_f1, evaluation.ece
    );
    assert!(evaluation.accuracy > 0.88, "{}", evaluation.accuracy);
    assert!(evaluation.macro_f1 > 0.86, "{}", evaluation.macro_f1);
    assert!(evaluation.ece < 0.04, "{}", evaluation.ece);
}

/// The limit itself is learnt: training that is stopped at once gets as far as looking at the labels.
#[test]
fn a_thousand_labels_are_told_apart_and_no_more() {
    let stopped = |count: usize| {
        let names: Vec<String> = (0..count).map(|place| format!("l{place:04}")).collect();
        let texts: Vec<(String, usize)> = (0..count).map(|place| (format!("第{place}类"), place)).collect();
        let examples: Vec<(&str, usize)> = texts.iter().map(|(text, label)| (text.as_str(), *label)).collect();
        Model::train(&names, &examples, None, &Options::default(), &mut |_| false).err()
    };
    assert_eq!(
        (stopped(1_000), stopped(1_001)),
        (Some(Untrainable::Stopped), Some(Untrainable::TooManyLabels))
    );
}
