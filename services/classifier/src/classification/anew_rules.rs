//! What a reading anew means, as examples.

use jiff::Timestamp;

use super::{
    correction_rules::{change, classified},
    domain::{Change, Classification},
    domain_anew::Anew,
};
use crate::{
    domain::{Impact, Sentiment},
    reading::{
        lexicon::Lexicon,
        verdict::{Statement, read},
    },
    taxonomy::{builtin::Builtin, domain::Keyword, mapping::domain::Mapped},
};

/// The built-in taxonomy, and a version 2 in which drones have a category and sign-in is part of another.
fn versions() -> (Lexicon, Lexicon) {
    let content = Builtin::load().unwrap().content;
    let mut later = content.clone();
    later.categories.retain(|category| category.key != "function.login");
    let crash = later
        .categories
        .iter_mut()
        .find(|category| category.key == "function.crash")
        .unwrap();
    crash.keywords.push(Keyword {
        term: "无人机".to_owned(),
        weight: 9.0,
    });
    (Lexicon::new(0, &content).unwrap(), Lexicon::new(2, &later).unwrap())
}

fn mapped(from: &str, to: &[&str]) -> Mapped {
    Mapped {
        from: from.to_owned(),
        to: to.iter().map(|key| (*key).to_owned()).collect(),
        reclassify: to.is_empty(),
    }
}

fn anew(found: &Classification, lexicon: &Lexicon, text: Option<&str>, mapping: &[Mapped]) -> Anew {
    let read = text.map(|text| (read(lexicon, Statement::of(text)), text.to_owned()));
    found.anew(lexicon, read, mapping, Timestamp::UNIX_EPOCH)
}

fn changed(anew: Anew) -> Classification {
    match anew {
        Anew::Changed(next) => *next,
        other => panic!("{other:?}"),
    }
}

/// C-10: what nobody touched is read by the later version.
#[test]
fn what_nobody_set_is_read_anew() {
    let (before, after) = versions();
    let found = classified(&before, "无人机不见了", 0);
    assert_eq!(found.category, "unclassified");
    let next = changed(anew(&found, &after, Some("无人机不见了"), &[]));
    assert_eq!(
        (next.category.as_str(), next.revision, next.taxonomy_version),
        ("function.crash", 2, 2)
    );
    assert_eq!((next.impact, next.skills[0].as_str()), (Impact::Serious, "software"));
    assert!(next.basis.starts_with("function.crash by “无人机”"), "{}", next.basis);
    assert_eq!(anew(&next, &after, Some("无人机不见了"), &[]), Anew::Same);
    assert_eq!(
        anew(&classified(&before, "退款超时", 0), &after, Some("退款超时"), &[]),
        Anew::Same
    );
}

/// C-10: what a person set stays, as the mapping has it.
#[test]
fn what_people_set_stays_and_is_mapped() {
    let (before, after) = versions();
    let mut found = classified(&before, "今天去了一趟", 0);
    let set = Change {
        category: Some("function.login".to_owned()),
        sentiment: Some(Sentiment::Negative),
        priority: Some("P1".to_owned()),
        ..change("user:li")
    };
    found.correct(&before, set, Timestamp::UNIX_EPOCH).unwrap();
    let text = Some("今天去了一趟");
    let one = changed(anew(
        &found,
        &after,
        text,
        &[mapped("function.login", &["function.defect"])],
    ));
    assert_eq!((one.category.as_str(), one.revision), ("function.defect", 3));
    assert_eq!(
        (one.sentiment, one.priority.key.as_str(), one.corrections.len()),
        (Sentiment::Negative, "P1", 1)
    );
    assert!(one.basis.starts_with("function.defect set by user:li"), "{}", one.basis);
    // Of several, the one for which the text speaks; the first where nothing does.
    let both = [mapped("function.login", &["function.defect", "function.crash"])];
    assert_eq!(changed(anew(&found, &after, text, &both)).category, "function.defect");
    assert_eq!(
        changed(anew(&found, &after, Some("一打开就闪退"), &both)).category,
        "function.crash"
    );
    // Read anew where the mapping says so.
    let none = [mapped("function.login", &[])];
    let read = changed(anew(&found, &after, Some("一打开就闪退"), &none));
    assert_eq!(read.category, "function.crash");
    assert!(read.basis.starts_with("function.crash by “闪退”"), "{}", read.basis);
}

/// Feedback from before texts were kept goes by the mapping alone.
#[test]
fn without_a_text_the_mapping_alone_speaks() {
    let (before, after) = versions();
    let found = classified(&before, "登录失败", 0);
    assert_eq!(found.category, "function.login");
    assert_eq!(anew(&found, &after, None, &[]), Anew::Unreadable);
    let next = changed(anew(
        &found,
        &after,
        None,
        &[mapped("function.login", &["function.defect"])],
    ));
    assert_eq!(next.category, "function.defect");
    let stays = classified(&before, "一打开就闪退", 0);
    assert_eq!(anew(&stays, &after, None, &[]), Anew::Same);
}
