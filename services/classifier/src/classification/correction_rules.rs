//! What a correction means, as examples.

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

use super::{
    domain::{Change, Classification},
    domain_priority::{Computed, Rules},
};
use crate::{
    domain::{Feedback, Impact, Label, Tier},
    error::Error,
    priority::{
        domain::UsedFor,
        models::{Model, Models},
    },
    reading::{
        lexicon::Lexicon,
        verdict::{Statement, read},
    },
    taxonomy::builtin::Builtin,
};

pub(super) fn lexicon() -> Lexicon {
    Lexicon::new(0, &Builtin::load().unwrap().content).unwrap()
}

pub(super) fn model() -> std::sync::Arc<Model> {
    Models::new().unwrap().builtin(UsedFor::Case)
}

pub(super) fn rules<'r>(lexicon: &'r Lexicon, model: &'r Model) -> Rules<'r> {
    Rules {
        lexicon,
        model,
        customers: 0,
    }
}

pub(super) fn classified(lexicon: &Lexicon, text: &str, urgency: i32) -> Classification {
    classified_with(lexicon, &model(), text, urgency)
}

pub(super) fn classified_with(lexicon: &Lexicon, model: &Model, text: &str, urgency: i32) -> Classification {
    let feedback = Feedback {
        name: "tenants/acme/feedbacks/x".to_owned(),
        number: "FB20260302001".to_owned(),
        channel: 2,
        customer: String::new(),
        tier: Tier::Existing,
        tier_said: true,
        product_model: String::new(),
        batch: String::new(),
        occur_time: None,
        receive_time: None,
        language: "zh-CN".to_owned(),
        reachable: false,
        traceparent: String::new(),
    };
    let statement = Statement {
        urgency,
        channel: 2,
        ..Statement::of(text)
    };
    let computed = Computed::new(read(lexicon, statement), &statement, 0, model);
    Classification::first(
        Uuid::nil(),
        feedback,
        urgency,
        text.to_owned(),
        computed,
        model,
        Timestamp::UNIX_EPOCH,
    )
}

pub(super) fn change(author: &str) -> Change {
    Change {
        author: author.to_owned(),
        reason: "checked".to_owned(),
        ..Change::default()
    }
}

/// 003-22: a corrected category brings its skills, its department, its impact and the model's answer to them.
#[test]
fn a_new_category_has_the_priority_worked_out_again() {
    let lexicon = lexicon();
    let mut found = classified(&lexicon, "今天去了一趟", 0);
    assert_eq!(
        (found.category.as_str(), found.priority.key.as_str()),
        ("unclassified", "P3")
    );
    let before = found.computed.clone();
    found
        .correct(
            rules(&lexicon, &model()),
            Change {
                category: Some("safety.food".to_owned()),
                ..change("user:li")
            },
            Timestamp::UNIX_EPOCH,
        )
        .unwrap();
    assert_eq!(
        (found.revision, found.category.as_str(), found.priority.key.as_str()),
        (2, "safety.food", "P0")
    );
    assert_eq!(found.impact, Impact::Fatal);
    assert_eq!(found.skills, ["safety"]);
    assert_eq!(
        found.labels[0],
        Label {
            dimension: "nature".to_owned(),
            category: "safety.food".to_owned(),
            confidence: 1.0,
            ..Label::default()
        }
    );
    assert!(
        found
            .basis
            .starts_with("safety.food set by user:li; impact fatal (of the category)"),
        "{}",
        found.basis
    );
    assert_eq!(found.computed, before, "what the taxonomy had said stays");
}

/// §G: a priority that a person set stays, whatever is corrected later.
#[test]
fn a_priority_that_a_person_set_stays() {
    let lexicon = lexicon();
    let mut found = classified(&lexicon, "APP闪退", 0);
    found
        .correct(
            rules(&lexicon, &model()),
            Change {
                priority: Some("P1".to_owned()),
                ..change("user:li")
            },
            Timestamp::UNIX_EPOCH,
        )
        .unwrap();
    found
        .correct(
            rules(&lexicon, &model()),
            Change {
                impact: Some(Impact::Minor),
                ..change("user:wang")
            },
            Timestamp::UNIX_EPOCH,
        )
        .unwrap();
    assert_eq!(
        (found.revision, found.priority.key.as_str(), found.impact),
        (3, "P1", Impact::Minor)
    );
    assert!(
        found.basis.contains("minor (set by user:wang)")
            && found.basis.ends_with("priority P1 set by user:li: checked"),
        "{}",
        found.basis
    );
    assert_eq!(found.computed.priority.key, "P2");
}

#[test]
fn a_correction_of_nothing_is_refused() {
    let lexicon = lexicon();
    let mut found = classified(&lexicon, "APP闪退", 0);
    let mut refused = |change| {
        found
            .correct(rules(&lexicon, &model()), change, Timestamp::UNIX_EPOCH)
            .unwrap_err()
    };
    assert_eq!(refused(change("user:li")), Error::NothingCorrected);
    let same = Change {
        category: Some("function.crash".to_owned()),
        priority: Some("P2".to_owned()),
        ..change("user:li")
    };
    assert_eq!(refused(same), Error::NothingCorrected);
    let of_another_dimension = Change {
        category: Some("marketing".to_owned()),
        ..change("user:li")
    };
    assert_eq!(
        refused(of_another_dimension),
        Error::CategoryUnknown {
            version: 0,
            category: "marketing".to_owned(),
            field: "category".to_owned(),
        }
    );
    let unknown = Change {
        priority: Some("P9".to_owned()),
        ..change("user:li")
    };
    assert_eq!(
        refused(unknown),
        Error::PriorityUnknown {
            priority: "P9".to_owned(),
            allowed: "P0, P1, P2, P3".to_owned()
        }
    );
    assert_eq!(found.revision, 1);
}

/// 001-31: the label of any dimension is set by hand, or taken away; that it is the one that holds already only a confirmation may say.
#[test]
fn labels_of_other_dimensions_are_set_and_taken_away() {
    let lexicon = lexicon();
    let mut found = classified(&lexicon, "APP闪退", 0);
    let before = found.labels.clone();
    let modules: Vec<&str> = lexicon
        .categories
        .iter()
        .filter(|category| lexicon.dimensions[category.dimension] == "module")
        .map(|category| category.key.as_str())
        .collect();
    let other = modules.iter().find(|key| found.label_of("module") != **key).unwrap();
    let label = |category: &str| Change {
        labels: vec![("module".to_owned(), category.to_owned())],
        ..change("user:li")
    };
    let mut correct = |change| {
        found
            .correct(rules(&lexicon, &model()), change, Timestamp::UNIX_EPOCH)
            .map(|()| found.clone())
    };
    let set = correct(label(other)).unwrap();
    assert_eq!(
        (set.label_of("module"), set.category.as_str()),
        (*other, "function.crash")
    );
    let of_module = set.labels.iter().find(|label| label.dimension == "module").unwrap();
    assert_eq!(of_module.confidence, 1.0);
    assert_eq!(set.labels[0], before[0], "the main one stays first");
    assert_eq!(correct(label(other)), Err(Error::NothingCorrected));
    let confirmed = Change {
        confirms: true,
        ..label(other)
    };
    assert_eq!(correct(confirmed).unwrap().revision, 3);
    assert_eq!(
        correct(label("unclassified")).unwrap().label_of("module"),
        "unclassified"
    );
    assert_eq!(
        correct(label("function.crash")),
        Err(Error::CategoryUnknown {
            version: 0,
            category: "function.crash".to_owned(),
            field: "labels[0].category".to_owned(),
        })
    );
    let none = Change {
        category: Some("unclassified".to_owned()),
        ..change("user:li")
    };
    let none = correct(none).unwrap();
    assert_eq!(
        (none.category.as_str(), none.skills.len(), none.department.as_str()),
        ("unclassified", 0, "")
    );
    // Read anew, what people set stays: none too.
    let again = none
        .reread(&lexicon, Some((none.computed.clone(), String::new())), &BTreeMap::new())
        .unwrap();
    assert_eq!(
        (again.category.as_str(), again.label_of("module")),
        ("unclassified", "unclassified")
    );
    let again = set
        .reread(&lexicon, Some((set.computed.clone(), String::new())), &BTreeMap::new())
        .unwrap();
    assert_eq!(again.label_of("module"), *other);
}

/// 002-23, 003-21: a fault that somebody calls critical is P0, whatever is wished for beside it.
#[test]
fn a_wish_beside_a_fault_does_not_make_it_wait() {
    let lexicon = lexicon();
    let found = classified(&lexicon, "APP闪退，建议改进", 3);
    let labels: Vec<&str> = found.labels.iter().map(|label| label.category.as_str()).collect();
    assert!(labels.contains(&"suggestion.feature"), "{labels:?}");
    assert_eq!(
        (found.category.as_str(), found.priority.key.as_str()),
        ("function.crash", "P0"),
        "{}",
        found.basis
    );
}

/// 003-21: the stated urgency counts at a correction as it did at first.
#[test]
fn the_stated_urgency_still_counts() {
    let lexicon = lexicon();
    let mut found = classified(&lexicon, "APP闪退", 2);
    assert_eq!(found.priority.key, "P1");
    found
        .correct(
            rules(&lexicon, &model()),
            Change {
                impact: Some(Impact::Minor),
                ..change("user:li")
            },
            Timestamp::UNIX_EPOCH,
        )
        .unwrap();
    assert_eq!(found.priority.key, "P1");
}
