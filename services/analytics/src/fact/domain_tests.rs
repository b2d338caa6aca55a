//! What each change makes of a fact.

use super::*;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_772_413_200 + minute * 60).unwrap()
}

fn order(episode: i32) -> Order {
    Order {
        work_order: Uuid::from_u128(7),
        team: "support".to_owned(),
        episode,
    }
}

fn priority(rank: i32) -> Priority {
    Priority {
        key: format!("P{rank}"),
        rank,
    }
}

fn classified(revision: i32, rank: i32) -> Change {
    Change::Classified {
        revision,
        category: format!("c{revision}"),
        priority: priority(rank),
        sentiment: 1,
        impact: 1,
    }
}

fn fact(changes: Vec<(i64, Change)>) -> Fact {
    let mut fact = Fact::new(Uuid::from_u128(1));
    for (minute, change) in changes {
        fact.apply(change, at(minute));
    }
    fact
}

#[test]
fn the_highest_revision_of_a_classification_wins_and_the_first_dates_it() {
    let fact = fact(vec![(5, classified(2, 1)), (1, classified(1, 3))]);
    let found = fact.classification.unwrap();
    assert_eq!(
        (found.revision, found.category.as_str(), found.classify_time),
        (2, "c2", at(1))
    );
}

/// 001-12: what says the same as another one is counted, and known to be no other.
#[test]
fn a_feedback_is_merged_until_it_is_taken_apart() {
    let submitted = || {
        Change::Submitted(Submission {
            number: "FB1".to_owned(),
            channel: 1,
            customer: String::new(),
            tier: 1,
            product_model: String::new(),
            batch: String::new(),
            occur_time: None,
            receive_time: at(0),
            language: "zh-CN".to_owned(),
            reachable: false,
        })
    };
    let counted = |changes| {
        let of = crate::rollup::totals::of(&fact(changes));
        let one = |kind: crate::rollup::totals::Kind| {
            let total = of.iter().find(|(total, _)| *total == kind.alone());
            total.map_or(0, |(_, count)| *count)
        };
        use crate::rollup::totals::Kind::{Feedbacks, Merged};
        (one(Feedbacks), one(Merged))
    };
    let merged = |merged| Change::Merged { merged };
    assert_eq!(counted(vec![(0, submitted())]), (1, 0));
    assert_eq!(counted(vec![(0, submitted()), (1, merged(true))]), (1, 1));
    assert_eq!(
        counted(vec![(0, submitted()), (1, merged(true)), (2, merged(false))]),
        (1, 0)
    );
    // One that is held was never counted, merged or not.
    assert_eq!(counted(vec![(1, merged(true))]), (0, 0));
}

#[test]
fn the_later_of_a_correction_and_a_retargeting_sets_the_priority() {
    let retargeted = Change::Retargeted {
        order: order(1),
        priority: priority(0),
        deadlines: Vec::new(),
    };
    for changes in [
        vec![(1, classified(1, 3)), (2, retargeted.clone())],
        vec![(2, retargeted.clone()), (1, classified(1, 3))],
    ] {
        assert_eq!(fact(changes).priority().unwrap().rank, 0);
    }
    assert_eq!(
        fact(vec![(2, retargeted), (3, classified(2, 2))])
            .priority()
            .unwrap()
            .rank,
        2
    );
}

#[test]
fn a_reopened_work_order_has_no_resolution_that_stands_until_it_is_resolved_again() {
    let resolved = |episode| Change::Transitioned {
        order: order(episode),
        to: State::Resolved,
        working_us: Some(60),
    };
    let reopened = Change::Transitioned {
        order: order(2),
        to: State::Active,
        working_us: None,
    };
    let mut fact = fact(vec![(1, resolved(1))]);
    assert_eq!(fact.resolution().unwrap().0, at(1));
    fact.apply(reopened, at(2));
    assert!(fact.resolution().is_none());
    assert_eq!(fact.episodes[0].reopen_time, Some(at(2)));
    fact.apply(resolved(2), at(9));
    assert_eq!(fact.resolution().unwrap().0, at(9));
    assert_eq!(fact.episodes[1].reopen_time, None);
}

#[test]
fn an_open_clock_past_its_deadline_has_breached_and_one_that_met_a_later_deadline_has_not() {
    let mark = |mark, due| Change::Marked {
        order: order(1),
        clock: "resolve".to_owned(),
        mark,
        due_time: Some(at(due)),
    };
    let mut fact = fact(vec![(12, mark(Mark::Breached, 10))]);
    assert_eq!(fact.clocks[0].breached(), Some(at(10)));
    fact.apply(mark(Mark::Met, 60), at(20));
    assert_eq!((fact.clocks[0].breached(), fact.clocks[0].is_met()), (None, true));
    fact.apply(mark(Mark::StoppedLate, 10), at(30));
    assert_eq!(fact.clocks[0].breached(), Some(at(10)));
}
