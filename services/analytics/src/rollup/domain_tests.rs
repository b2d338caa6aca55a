//! The rollups are the sum of what the facts contribute, whatever happened and however often.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::fact::change::{Change, Deadline, Mark, Order, Priority, Score, State, Submission};

fn at(minute: u32) -> Timestamp {
    Timestamp::from_second(1_772_413_200 + i64::from(minute) * 60).unwrap()
}

fn order(episode: i32) -> Order {
    Order {
        work_order: Uuid::from_u128(9),
        team: format!("team{}", episode % 2),
        episode,
    }
}

fn priority(rank: i32) -> Priority {
    Priority {
        key: format!("P{rank}"),
        rank,
    }
}

/// The changes of one source each: what comes from one of them comes in order.
fn change(source: usize) -> BoxedStrategy<Change> {
    let clock = prop_oneof![Just("resolve".to_owned()), Just("first_response".to_owned())];
    match source {
        0 => (0i16..4, 0i16..3, 0u32..5000)
            .prop_map(|(channel, tier, minute)| {
                Change::Submitted(Submission {
                    number: "FB1".to_owned(),
                    channel,
                    customer: String::new(),
                    tier,
                    product_model: "X1".to_owned(),
                    batch: String::new(),
                    occur_time: None,
                    receive_time: at(minute),
                    language: "zh-CN".to_owned(),
                    reachable: true,
                })
            })
            .boxed(),
        1 => (1i32..4, 0i32..3)
            .prop_map(|(revision, rank)| Change::Classified {
                revision,
                category: format!("function.{rank}"),
                priority: priority(rank),
                sentiment: 1,
                impact: 2,
            })
            .boxed(),
        2 => prop_oneof![
            (1i32..3, clock.clone()).prop_map(|(episode, clock)| Change::Opened {
                order: order(episode),
                deadlines: vec![Deadline {
                    clock,
                    due_time: at(60)
                }]
            }),
            (1i32..3, 1i32..4).prop_map(|(episode, assignment)| Change::Assigned {
                order: order(episode),
                assignment
            }),
            (1i32..3, state(), 0i64..9_000_000_000).prop_map(|(episode, to, working)| Change::Transitioned {
                order: order(episode),
                to,
                working_us: Some(working)
            }),
            (1i32..3, 0i32..3).prop_map(|(episode, rank)| Change::Retargeted {
                order: order(episode),
                priority: priority(rank),
                deadlines: Vec::new()
            }),
            (1i32..3, clock, mark(), 0u32..5000).prop_map(|(episode, clock, mark, due)| Change::Marked {
                order: order(episode),
                clock,
                mark,
                due_time: Some(at(due))
            }),
        ]
        .boxed(),
        _ => prop_oneof![
            (1i32..3).prop_map(|episode| Change::Invited {
                episode,
                invitation: format!("i{episode}")
            }),
            (1i32..3, 1i32..=5).prop_map(|(episode, value)| Change::Answered {
                episode,
                invitation: format!("i{episode}"),
                scores: vec![Score {
                    dimension: "effect".to_owned(),
                    value
                }],
                satisfaction: i64::from(value) * 1_000_000,
                solved: value > 2,
            }),
        ]
        .boxed(),
    }
}

fn state() -> impl Strategy<Value = State> {
    prop_oneof![
        Just(State::Active),
        Just(State::Waiting),
        Just(State::Resolved),
        Just(State::Closed),
        Just(State::Rejected)
    ]
}

fn mark() -> impl Strategy<Value = Mark> {
    prop_oneof![
        Just(Mark::Warned),
        Just(Mark::Breached),
        Just(Mark::Met),
        Just(Mark::StoppedLate)
    ]
}

type Cells = BTreeMap<Key, Aggregate>;

fn keep(cells: &mut Cells, delta: &Delta) {
    for (key, aggregate) in delta.cells() {
        cells.entry(key.clone()).or_default().add(aggregate);
    }
    cells.retain(|_, aggregate| !aggregate.is_nothing());
}

proptest! {
    #[test]
    fn the_rollups_are_a_recount_of_the_facts_after_any_changes(
        happened in prop::collection::vec((0usize..3, (0usize..4).prop_flat_map(change), 0u32..5000), 0..60),
        batch in 1usize..20,
    ) {
        let mut facts: BTreeMap<usize, Fact> = BTreeMap::new();
        let (mut cells, mut totals) = (Cells::new(), BTreeMap::new());
        for batch in happened.chunks(batch) {
            let before = facts.clone();
            for (which, change, minute) in batch {
                let id = Uuid::from_u128(u128::try_from(*which).unwrap());
                facts.entry(*which).or_insert_with(|| Fact::new(id)).apply(change.clone(), at(*minute));
            }
            let mut delta = Delta::default();
            for (which, fact) in &facts {
                delta.replace(before.get(which), fact);
            }
            keep(&mut cells, &delta);
            for (total, by) in delta.totals() {
                *totals.entry(total.clone()).or_insert(0) += by;
            }
        }
        let mut recount = Delta::default();
        for fact in facts.values() {
            recount.replace(None, fact);
        }
        let mut recounted = Cells::new();
        keep(&mut recounted, &recount);
        prop_assert_eq!(cells, recounted);
        totals.retain(|_, value| *value != 0);
        let recounted: BTreeMap<_, _> = recount.totals().map(|(total, value)| (total.clone(), value)).collect();
        prop_assert_eq!(totals, recounted);
    }

    #[test]
    fn in_which_order_the_sources_speak_makes_no_difference(
        streams in (
            prop::collection::vec((change(0), 0u32..5000), 0..2),
            prop::collection::vec((change(1), 0u32..5000), 0..4),
            prop::collection::vec((change(2), 0u32..5000), 0..12),
            prop::collection::vec((change(3), 0u32..5000), 0..4),
        ),
        turns in prop::collection::vec(0usize..4, 0..40),
    ) {
        let streams = [streams.0, streams.1, streams.2, streams.3];
        let apply = |fact: &mut Fact, (change, minute): &(Change, u32)| fact.apply(change.clone(), at(*minute));
        let mut one_by_one = Fact::new(Uuid::nil());
        streams.iter().flatten().for_each(|change| apply(&mut one_by_one, change));

        let mut interleaved = Fact::new(Uuid::nil());
        let mut rest = streams.each_ref().map(|stream| stream.iter());
        for turn in turns {
            if let Some(change) = rest[turn].next() {
                apply(&mut interleaved, change);
            }
        }
        rest.into_iter().flatten().for_each(|change| apply(&mut interleaved, change));
        prop_assert_eq!(one_by_one, interleaved);
    }
}
