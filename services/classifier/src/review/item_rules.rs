//! The rules of review items: whose they are, what they settle, and which texts are dealt to people.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

use super::domain::{Item, Outcome, Reason, Stage, Standing, State, is_dealt};
use crate::{
    domain::Sentiment,
    error::Error,
    model::domain::{Target, Task},
    reading::{
        answers::{About, Answer},
        lexicon::Lexicon,
        verdict::{Scan, Statement},
    },
    taxonomy::builtin::Builtin,
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn item(stage: Stage, double_coded: bool) -> Item {
    let standing = Standing {
        found: "function.crash".to_owned(),
        guess: String::new(),
        confidence: 0.5,
        doubt: Some(Reason::WordsUnsure),
    };
    let of = ("nature", Uuid::nil());
    Item::new(
        Uuid::nil(),
        of,
        (Reason::WordsUnsure, &standing),
        (stage, double_coded),
        at(0),
    )
}

/// As the store reads it: a lease that has lapsed is none.
fn now(mut item: Item, now: Timestamp) -> Item {
    if item.state == State::Claimed && item.lease_expire_time.is_none_or(|until| until <= now) {
        item.state = State::Open;
        item.assignee.clear();
        item.lease_expire_time = None;
    }
    item
}

fn said(label: &str) -> (String, String) {
    (label.to_owned(), String::new())
}

#[test]
fn two_who_agree_settle_and_two_who_differ_leave_it_to_a_third() {
    let (mut first, mut second) = (item(Stage::First, true), item(Stage::Second, true));
    let outcome = first.resolve("user:a", std::slice::from_ref(&second), said("function"), at(1));
    assert_eq!(outcome, Ok(Outcome::Waits));
    let alike = second
        .clone()
        .resolve("user:b", std::slice::from_ref(&first), said("function"), at(2));
    assert_eq!(alike, Ok(Outcome::Settled("function".to_owned())));
    let differ = second.resolve("user:b", std::slice::from_ref(&first), said("experience"), at(2));
    let candidates = vec!["experience".to_owned(), "function".to_owned()];
    assert_eq!(differ, Ok(Outcome::Differ(candidates.clone())));
    let mut third = first.adjudication(Uuid::nil(), candidates, at(3));
    let others = [first, second];
    for coder in ["user:a", "user:b"] {
        let again = third.clone().resolve(coder, &others, said("function"), at(4));
        assert_eq!(again, Err(Error::ReviewedByTheSame), "{coder}");
    }
    let settled = third.resolve("user:c", &others, said("function.login"), at(4));
    assert_eq!(settled, Ok(Outcome::Settled("function.login".to_owned())));
}

#[test]
fn what_is_done_is_nobodys_any_more() {
    let mut once = item(Stage::First, false);
    let settled = once.resolve("user:a", &[], said("function"), at(1));
    assert_eq!(settled, Ok(Outcome::Settled("function".to_owned())));
    let done = Err(Error::ReviewItemDone { state: "resolved" });
    assert_eq!(once.resolve("user:a", &[], said("function"), at(2)), done);
    assert_eq!(
        once.claim("user:b", &[], SignedDuration::from_mins(1), at(2)),
        done.map(|_| ())
    );
}

fn task(target: Target) -> Task {
    Task {
        id: "nature".to_owned(),
        display_name: String::new(),
        target,
        dimension: "nature".to_owned(),
        threshold: 0.6,
        hold_out_share: 0.2,
        review_share: 0.0,
        double_coding_share: 0.0,
        last_version: 1,
        active_version: 1,
        previous_versions: Vec::new(),
        shadow_version: 0,
        revision: 1,
        author: String::new(),
        create_time: at(0),
        update_time: at(0),
    }
}

/// What is in doubt of a text, where a model said this of it or none is active.
fn doubt(target: Target, text: &str, said: Option<(&str, f64)>) -> Option<Reason> {
    let lexicon = Lexicon::new(0, &Builtin::load().unwrap().content).unwrap();
    let task = task(target);
    let answer = said.map(|(label, confidence)| Answer {
        about: task.about().unwrap_or(About::Sentiment),
        label: label.to_owned(),
        confidence,
        sure: confidence >= task.threshold,
        model: "tenants/acme/tasks/nature/models/1".to_owned(),
    });
    let statement = Statement::of(text);
    let verdict = Scan::new(&lexicon, statement).verdict(answer.as_slice());
    Standing::of(&task, &statement, &verdict, answer.as_ref()).and_then(|standing| standing.doubt)
}

#[test]
fn a_label_is_in_doubt_where_the_model_abstains_or_the_words_say_nothing_or_no_one_thing() {
    let nature = |text, said| doubt(Target::Dimension, text, said);
    assert_eq!(nature("今天下雨", None), Some(Reason::NothingFound));
    assert_eq!(nature("应用闪退", None), None);
    assert_eq!(nature("包裹破损，而且退款超时", None), Some(Reason::WordsUnsure));
    assert_eq!(
        nature("应用闪退", Some(("function.crash", 0.59))),
        Some(Reason::ModelUnsure)
    );
    assert_eq!(nature("今天下雨", Some(("function.crash", 0.6))), None);
    assert_eq!(doubt(Target::Labels, "今天下雨", None), None);
    // A text without a tone is neutral; only a model may be in doubt of that.
    assert_eq!(doubt(Target::Sentiment, "今天下雨", None), None);
    let neutral = Sentiment::Neutral.key();
    assert_eq!(
        doubt(Target::Sentiment, "今天下雨", Some((neutral, 0.4))),
        Some(Reason::ModelUnsure)
    );
    assert_eq!(doubt(Target::Sentiment, "今天下雨", Some((neutral, 0.9))), None);
}

proptest! {
    /// Whatever people do and however long they wait: an item is one person's at a time, and is resolved once.
    #[test]
    fn a_lease_is_never_two_peoples(acts in prop::collection::vec((0..3_usize, 0..4_u8, 0..100_i64), 1..40)) {
        let people = ["user:a", "user:b", "user:c"];
        let mut known = item(Stage::First, false);
        let mut time = 0;
        // Who has it, as those who were told believe, and until when.
        let mut held: Option<(&str, i64)> = None;
        let mut resolved = 0;
        for (person, act, waited) in acts {
            let person = people[person];
            time += waited;
            held = held.filter(|(_, until)| *until > time);
            known = now(known, at(time));
            let before = known.clone();
            let is_others = held.is_some_and(|(holder, _)| holder != person);
            let done = match act {
                0 | 1 => {
                    let claimed = known.claim(person, &[], SignedDuration::from_secs(60), at(time));
                    if claimed.is_ok() {
                        held = Some((person, time + 60));
                    }
                    claimed
                }
                2 => {
                    let released = known.release(person, true, at(time)).map(|_| ());
                    if released.is_ok() {
                        held = None;
                    }
                    released
                }
                _ => known.resolve(person, &[], said("function"), at(time)).map(|_| resolved += 1),
            };
            prop_assert!(!is_others || done.is_err(), "{} had it", before.assignee);
            if done.is_err() {
                prop_assert_eq!(&known, &before);
            }
            prop_assert!(resolved <= 1);
        }
    }

    /// The share that is dealt is the one that was asked for, and a greater share only adds to it.
    #[test]
    fn a_hash_deals_texts_to_people(share in 0.0..1.0_f64, more in 0.0..1.0_f64, seed in any::<u64>()) {
        let ids = |share: f64| -> Vec<u64> {
            let is_dealt = |n: &u64| is_dealt("review", "nature", Uuid::from_u64_pair(seed, *n), share);
            (0..2000).filter(is_dealt).collect()
        };
        let (dealt, wider) = (ids(share), ids(share.max(more)));
        prop_assert!((dealt.len() as f64 / 2000.0 - share).abs() < 0.06, "{} of {share}", dealt.len());
        prop_assert!(dealt.iter().all(|id| wider.contains(id)));
        prop_assert_eq!((ids(0.0).len(), ids(1.0).len()), (0, 2000));
    }
}
