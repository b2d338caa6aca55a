//! What a reading anew means, as examples.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    correction_rules::{change, classified, model, rules},
    domain::{Change, Classification},
    domain_anew::Anew,
    domain_priority::Computed,
};
use crate::{
    domain::{Impact, Sentiment},
    reading::{
        answers::About,
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

/// A text whose category a person set.
fn set(lexicon: &Lexicon, text: &str, category: &str) -> Classification {
    let mut found = classified(lexicon, text, 0);
    let change = Change {
        category: Some(category.to_owned()),
        ..change("user:li")
    };
    found
        .correct(rules(lexicon, &model()), change, Timestamp::UNIX_EPOCH)
        .unwrap();
    found
}

fn anew(found: &Classification, lexicon: &Lexicon, text: Option<&str>, mapping: &[Mapped]) -> Anew {
    let model = model();
    let read = text.map(|text| {
        let statement = Statement::of(text);
        let computed = Computed::new(read(lexicon, statement), &statement, 0, &model);
        (computed, text.to_owned())
    });
    let mappings = BTreeMap::from([(found.taxonomy_version, mapping.to_vec())]);
    match found.reread(lexicon, read, &mappings) {
        Some(reread) => found.anew(reread, rules(lexicon, &model), Timestamp::UNIX_EPOCH),
        None => Anew::Unreadable,
    }
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
    assert_eq!(
        anew(&next, &after, Some("无人机不见了"), &[]),
        Anew::Same(BTreeMap::new())
    );
    assert_eq!(
        anew(&classified(&before, "退款超时", 0), &after, Some("退款超时"), &[]),
        Anew::Same(BTreeMap::new())
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
    found
        .correct(rules(&before, &model()), set, Timestamp::UNIX_EPOCH)
        .unwrap();
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

/// C-10: a correction of something else leaves the category one of the version that it was said by, so that the mapping finds it.
#[test]
fn a_correction_of_something_else_does_not_hide_a_category_from_its_mapping() {
    let (before, after) = versions();
    let mut found = set(&before, "今天去了一趟", "function.login");
    let tone = Change {
        sentiment: Some(Sentiment::Negative),
        ..change("user:wang")
    };
    found
        .correct(rules(&after, &model()), tone, Timestamp::UNIX_EPOCH)
        .unwrap();
    assert_eq!((found.revision, found.taxonomy_version), (3, 0));
    let entry = [mapped("function.login", &["function.defect"])];
    let next = changed(anew(&found, &after, Some("今天去了一趟"), &entry));
    assert_eq!((next.category.as_str(), next.taxonomy_version), ("function.defect", 2));
}

/// C-10: what a person set is taken away where an entry says so, and not because nobody says anything.
#[test]
fn what_a_person_set_is_read_anew_only_where_an_entry_says_so() {
    let (before, after) = versions();
    let found = set(&before, "一打开就闪退", "function.login");
    assert_eq!(anew(&found, &after, Some("一打开就闪退"), &[]), Anew::Unreadable);
    // Read anew it is the machine's from then on, also for the next version.
    let read = changed(anew(
        &found,
        &after,
        Some("一打开就闪退"),
        &[mapped("function.login", &[])],
    ));
    assert_eq!(
        (read.category.as_str(), read.category_set_by()),
        ("function.crash", None)
    );
    let next = changed(anew(&read, &before, Some("退款超时"), &[]));
    assert_eq!(next.category, "payment.refund");
    assert!(next.basis.starts_with("payment.refund by “"), "{}", next.basis);
    // Until a person says something again.
    let mut said = next;
    let category = Change {
        category: Some("function.login".to_owned()),
        ..change("user:li")
    };
    said.correct(rules(&before, &model()), category, Timestamp::UNIX_EPOCH)
        .unwrap();
    assert_eq!(said.category_set_by(), Some("user:li"));
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
    assert_eq!(anew(&stays, &after, None, &[]), Anew::Same(BTreeMap::new()));
}

/// C-10: a label is one of the version that it was said by, whatever is corrected or read anew beside it, until the mapping from there has it
/// read anew.
#[test]
fn a_label_of_another_dimension_goes_by_the_version_that_it_was_said_by() {
    let (before, after) = versions();
    let text = "今天去了一趟";
    let mut found = classified(&before, text, 0);
    let mut correct = |lexicon: &Lexicon, change: Change| {
        found
            .correct(rules(lexicon, &model()), change, Timestamp::UNIX_EPOCH)
            .unwrap();
        found.clone()
    };
    let label = Change {
        labels: vec![("module".to_owned(), "marketing".to_owned())],
        ..change("user:li")
    };
    correct(&before, label);
    let category = Change {
        category: Some("function.crash".to_owned()),
        ..change("user:li")
    };
    let found = correct(&after, category);
    assert_eq!(
        (found.taxonomy_version, found.label_versions.get("module")),
        (2, Some(&0))
    );
    let read = || {
        let statement = Statement::of(text);
        let computed = Computed::new(read(&after, statement), &statement, 0, &model());
        Some((computed, text.to_owned()))
    };
    let of = |from: i32, to: &[&str]| BTreeMap::from([(from, vec![mapped("marketing", to)])]);
    let mapped = found.reread(&after, read(), &of(0, &["customer_service"])).unwrap();
    assert_eq!(
        (mapped.label_of("module"), mapped.label_versions["module"]),
        ("customer_service", 2)
    );
    let of_another = found.reread(&after, read(), &of(2, &["customer_service"])).unwrap();
    assert_eq!(of_another.label_of("module"), "marketing");
    // It cannot be read anew where no text is kept: it stays the person's.
    let kept = found.reread(&after, None, &of(0, &[])).unwrap();
    assert_eq!(
        (kept.label_of("module"), kept.label_versions["module"]),
        ("marketing", 0)
    );
    let anew = found.reread(&after, read(), &of(0, &[])).unwrap();
    assert_eq!(
        (anew.label_of("module"), anew.label_versions.len()),
        ("unclassified", 0)
    );
    assert!(
        !anew
            .set_by_people(&after)
            .contains(&About::Dimension("module".to_owned()))
    );
}
