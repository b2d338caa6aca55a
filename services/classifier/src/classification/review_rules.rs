//! What scores, gates and votes make of a classification, as examples.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};

use super::{
    correction_rules::{change, classified_with, lexicon},
    domain::{Change, Classification},
    domain_priority::Rules,
    domain_review::{ReviewState, Reviewer},
};
use crate::{
    domain::Impact,
    error::Error,
    priority::models::{Model, Models},
    reading::lexicon::Lexicon,
};

fn model() -> Arc<Model> {
    let models = Models::new().unwrap();
    Arc::new(Model::new(3, models.preset("strategy-text").unwrap().content.clone()))
}

fn rules<'r>(lexicon: &'r Lexicon, model: &'r Model) -> Rules<'r> {
    Rules {
        lexicon,
        model,
        customers: 0,
    }
}

fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn state(found: &Classification) -> Option<ReviewState> {
    found.review.as_ref().map(|review| review.state)
}

fn score(found: &mut Classification, scores: &[(&str, i32)]) -> Result<(), Error> {
    let (lexicon, model) = (lexicon(), model());
    let scores: BTreeMap<String, i32> = scores.iter().map(|(key, score)| ((*key).to_owned(), *score)).collect();
    found.score(rules(&lexicon, &model), ("user:li", "看过了".to_owned()), scores, now())
}

fn approve(found: &mut Classification, author: &str, role: &str) -> Result<(), Error> {
    let roles = [role.to_owned()];
    let reviewer = Reviewer {
        author,
        roles: &roles,
        role: "",
        reason: String::new(),
    };
    found.approve(reviewer, now())
}

/// 001-34, 001-37: scores that a person gives count from then on, and the basis says who gave them.
#[test]
fn scores_of_a_person_count() {
    let model = model();
    let mut found = classified_with(&lexicon(), &model, "APP闪退", 0);
    assert_eq!((found.priority.key.as_str(), state(&found)), ("P1", None));
    assert_eq!(
        found.basis,
        "function.crash by “闪退”; scope 1 (by default) + urgency 3 (impact serious (“闪退”)) + value 3 (by default) = 7 gives P1"
    );
    score(&mut found, &[("scope", 1), ("urgency", 1)]).unwrap();
    assert_eq!((found.revision, found.priority.key.as_str()), (2, "P2"));
    assert!(
        found
            .basis
            .ends_with("scope 1 (by user:li) + urgency 1 (by user:li) + value 3 (by default) = 5 gives P2"),
        "{}",
        found.basis
    );
    assert_eq!(score(&mut found, &[("scope", 1)]), Err(Error::NothingCorrected));
    score(&mut found, &[("scope", 2)]).unwrap();
    let decided = found.decided.as_ref().unwrap();
    assert_eq!(
        (decided.decision.composite, decided.decision.model_version),
        (Some(6.0), 3)
    );
    assert_eq!(found.computed.priority.key, "P1", "what was said at first stays");
}

/// 001-39: a P0 waits for all three, counts meanwhile, and says so; approved, it stays through later corrections of the same level.
#[test]
fn a_top_priority_waits_for_three_and_counts_meanwhile() {
    let model = model();
    let mut found = classified_with(&lexicon(), &model, "APP闪退", 0);
    score(&mut found, &[("scope", 5), ("urgency", 4), ("value", 5)]).unwrap();
    assert_eq!(
        (found.priority.key.as_str(), state(&found)),
        ("P0", Some(ReviewState::Pending))
    );
    assert!(
        found.basis.ends_with(
            "= 14 gives P0; P0 counts while its joint review waits for operations_lead, product_lead, technical_lead"
        ),
        "{}",
        found.basis
    );
    let (round, due) = found.review_to_escalate().unwrap();
    assert_eq!((round, due), (1, now() + SignedDuration::from_hours(24)));
    for (author, role) in [("user:o", "operations_lead"), ("user:p", "product_lead")] {
        approve(&mut found, author, role).unwrap();
        assert_eq!(state(&found), Some(ReviewState::Pending));
    }
    approve(&mut found, "user:t", "technical_lead").unwrap();
    assert_eq!((found.revision, state(&found)), (5, Some(ReviewState::Approved)));
    assert!(
        found
            .basis
            .ends_with("; confirmed by user:o (operations_lead), user:p (product_lead), user:t (technical_lead)"),
        "{}",
        found.basis
    );
    score(&mut found, &[("value", 4)]).unwrap();
    assert_eq!(
        (
            found.priority.key.as_str(),
            state(&found),
            found.review.as_ref().unwrap().round
        ),
        ("P0", Some(ReviewState::Approved), 1)
    );
}

/// 001-39: a rejection sets the level that the reviewer gives, which stays as one set by hand.
#[test]
fn a_rejection_sets_another_level_for_good() {
    let model = model();
    let mut found = classified_with(&lexicon(), &model, "面包发霉了", 0);
    assert_eq!(
        (found.priority.key.as_str(), state(&found)),
        ("P0", Some(ReviewState::Pending))
    );
    let roles = ["product_lead".to_owned()];
    let reviewer = || Reviewer {
        author: "user:p",
        roles: &roles,
        role: "",
        reason: "一例".to_owned(),
    };
    assert!(matches!(
        found.reject(&model, reviewer(), "P9", now()),
        Err(Error::PriorityUnknown { .. })
    ));
    assert_eq!(
        found.reject(&model, reviewer(), "P0", now()),
        Err(Error::NothingCorrected)
    );
    assert_eq!(
        (found.revision, found.review.as_ref().unwrap().votes.len()),
        (1, 0),
        "nothing has happened"
    );
    found.reject(&model, reviewer(), "P1", now()).unwrap();
    assert_eq!(
        (found.revision, found.priority.key.as_str(), state(&found)),
        (2, "P1", Some(ReviewState::Rejected))
    );
    assert!(
        found.basis.ends_with("priority P1 set by user:p: 一例"),
        "{}",
        found.basis
    );
    score(&mut found, &[("scope", 5)]).unwrap();
    assert_eq!(
        (found.priority.key.as_str(), state(&found)),
        ("P1", Some(ReviewState::Rejected)),
        "what people set stays"
    );
    assert_eq!(
        approve(&mut found, "user:o", "operations_lead"),
        Err(Error::ReviewNotPending { state: "rejected" })
    );
}

/// 001-39: a level with a gate that a rejecting reviewer set is a decision of the review: nobody is asked again, now or later.
#[test]
fn a_level_that_a_rejection_set_is_not_reviewed() {
    let mut content = model().content.clone();
    let mut gate = content.gates[0].clone();
    "P1".clone_into(&mut gate.priority);
    content.gates.push(gate);
    let (lexicon, model) = (lexicon(), Model::new(4, content));
    let mut found = classified_with(&lexicon, &model, "面包发霉了", 0);
    let roles = ["product_lead".to_owned()];
    let reviewer = Reviewer {
        author: "user:p",
        roles: &roles,
        role: "",
        reason: "一例".to_owned(),
    };
    found.reject(&model, reviewer, "P1", now()).unwrap();
    let scores = BTreeMap::from([("scope".to_owned(), 5)]);
    found
        .score(rules(&lexicon, &model), ("user:li", String::new()), scores, now())
        .unwrap();
    assert_eq!(
        (found.priority.key.as_str(), state(&found)),
        ("P1", Some(ReviewState::Rejected))
    );
    // Somebody else's level is one like any other.
    for (level, wanted) in [("P2", ReviewState::Rejected), ("P1", ReviewState::Pending)] {
        let set = Change {
            priority: Some(level.to_owned()),
            ..change("user:li")
        };
        found.correct(rules(&lexicon, &model), set, now()).unwrap();
        assert_eq!(state(&found), Some(wanted), "{level}");
    }
}

/// 001-39: where the level under review holds no longer, nobody is asked; where it comes back, all are asked anew.
#[test]
fn a_review_ends_with_its_level_and_begins_anew_with_it() {
    let (lexicon, model) = (lexicon(), model());
    let mut found = classified_with(&lexicon, &model, "面包发霉了", 0);
    let less = Change {
        category: Some("function.crash".to_owned()),
        impact: Some(Impact::Minor),
        ..change("user:li")
    };
    found.correct(rules(&lexicon, &model), less, now()).unwrap();
    assert_ne!(found.priority.key, "P0");
    assert_eq!(
        (state(&found), found.review_to_escalate()),
        (Some(ReviewState::NotNeeded), None)
    );
    assert!(!found.escalate(1, now()));
    score(&mut found, &[("scope", 5), ("urgency", 5)]).unwrap();
    let review = found.review.as_ref().unwrap();
    assert_eq!(
        (review.state, review.round, review.votes.len()),
        (ReviewState::Pending, 2, 0)
    );
    assert!(!found.escalate(1, now()), "the first is over");
    let revision = found.revision;
    assert!(found.escalate(2, now()));
    assert_eq!(found.revision, revision + 1);
    assert!(!found.escalate(2, now()), "once");
    assert_eq!(state(&found), Some(ReviewState::Pending), "it is still asked");
}

/// C-02, 003-21: a model says whether people may set a priority by hand.
#[test]
fn a_priority_by_hand_is_refused_where_the_model_lets_nobody() {
    let lexicon = lexicon();
    let mut content = model().content.clone();
    content.manual.allowed = false;
    let model = Model::new(4, content);
    let mut found = classified_with(&lexicon, &model, "APP闪退", 0);
    let set = Change {
        priority: Some("P3".to_owned()),
        ..change("user:li")
    };
    assert_eq!(
        found.correct(rules(&lexicon, &model), set, now()),
        Err(Error::PriorityNotByHand { version: 4 })
    );
    assert_eq!(found.revision, 1);
}
