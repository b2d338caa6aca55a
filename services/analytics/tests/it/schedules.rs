//! Random lives of feedback, told in random order and more than once: the numbers are those of the facts, and the facts are
//! those of the same lives told in order.

use std::collections::BTreeMap;

use huiyin_proto::{
    analytics::v1::{Dimension, FeedbackFact, ListMetricsRequest},
    event::v1::{Event, SlaMark, StateCategory},
    r#type::v1::{Channel, CustomerTier},
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::{
    case::{Case, Said},
    recomputed::recompute,
    world::{Ask, World, at, facts, group, interval, totals},
};

const SCHEDULES: u64 = 50;

const DIMENSIONS: [Dimension; 7] = [
    Dimension::Category,
    Dimension::Channel,
    Dimension::Priority,
    Dimension::Tier,
    Dimension::ProductModel,
    Dimension::Batch,
    Dimension::Team,
];

/// A small generator, so that a failing seed can be run again (xorshift64*).
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let value = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(value).unwrap() % sides
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.throw(of.len())]
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.throw(100) < percent
    }

    fn later(&mut self, time: &mut Timestamp) -> Timestamp {
        *time += SignedDuration::from_mins(1 + i64::try_from(self.throw(900)).unwrap());
        *time
    }
}

/// Everything that happens to one feedback, in the order in which it happens.
fn life(dice: &mut Dice, case: &mut Case) -> Vec<(Timestamp, Said)> {
    let mut time = case.received;
    let mut life = vec![(time, case.submitted()), (dice.later(&mut time), case.classified(1))];
    let due = time + SignedDuration::from_hours(4);
    life.push((
        dice.later(&mut time),
        case.opened(&[("first_response", due), ("resolve", due)]),
    ));
    let mut revision = 1;
    for episode in 1..=3 {
        for assignment in 1..=1 + i32::try_from(dice.throw(2)).unwrap() {
            case.team = dice.one(&["support", "repair"]).to_owned();
            life.push((dice.later(&mut time), case.assigned(episode, assignment)));
            life.push((
                dice.later(&mut time),
                case.settled(Uuid::from_u128(dice.throw(1 << 30) as u128), dice.chance(80)),
            ));
        }
        if dice.chance(30) {
            revision += 1;
            case.category = dice.one(&["function.login", "logistics.late"]).to_owned();
            case.priority = i32::try_from(dice.throw(4)).unwrap();
            life.push((dice.later(&mut time), case.classified(revision)));
            life.push((dice.later(&mut time), case.retargeted(episode)));
        }
        if dice.chance(20) {
            life.push((dice.later(&mut time), case.moved(episode, StateCategory::Rejected)));
            return life;
        }
        for clock in ["first_response", "resolve"] {
            if dice.chance(30) {
                life.push((
                    dice.later(&mut time),
                    case.marked(episode, clock, SlaMark::Breached, due),
                ));
                if dice.chance(60) {
                    life.push((
                        dice.later(&mut time),
                        case.marked(episode, clock, SlaMark::StoppedLate, due),
                    ));
                }
            } else if dice.chance(80) {
                life.push((dice.later(&mut time), case.marked(episode, clock, SlaMark::Met, due)));
            }
        }
        if dice.chance(25) {
            return life;
        }
        let working = i64::try_from(dice.throw(200_000)).unwrap();
        life.push((dice.later(&mut time), case.resolved(episode, working)));
        life.push((dice.later(&mut time), case.invited(episode)));
        if dice.chance(70) {
            let scores: Vec<i32> = (0..3).map(|_| 1 + i32::try_from(dice.throw(5)).unwrap()).collect();
            life.push((dice.later(&mut time), case.answered(episode, &scores)));
        }
        if !dice.chance(40) {
            if dice.chance(50) {
                life.push((dice.later(&mut time), case.moved(episode, StateCategory::Closed)));
            }
            return life;
        }
        life.push((dice.later(&mut time), case.moved(episode + 1, StateCategory::Active)));
    }
    life
}

fn lives(world: &World, dice: &mut Dice, tenant: &str) -> Vec<Event> {
    let mut all = Vec::new();
    for _ in 0..4 {
        let received = at("2026-03-01T00:00:00Z") + SignedDuration::from_mins(i64::try_from(dice.throw(4000)).unwrap());
        let mut case = Case {
            channel: dice.one(&[Channel::Email, Channel::Phone, Channel::WebForm]),
            tier: dice.one(&[CustomerTier::Unspecified, CustomerTier::Existing, CustomerTier::Vip]),
            product_model: dice.one(&["", "X1", "X2"]).to_owned(),
            batch: dice.one(&["", "b7"]).to_owned(),
            priority: i32::try_from(dice.throw(4)).unwrap(),
            ..Case::of(world, tenant, received)
        };
        all.extend(
            life(dice, &mut case)
                .into_iter()
                .map(|(time, said)| world.event(tenant, time, said)),
        );
    }
    all
}

/// The same events, shuffled, but those of one subject in their order; some come again later.
fn shuffled(dice: &mut Dice, events: &[Event]) -> Vec<Event> {
    let mut by_subject: BTreeMap<(String, String), Vec<Event>> = BTreeMap::new();
    for event in events.iter().rev() {
        by_subject
            .entry((event.source.clone(), event.subject.clone()))
            .or_default()
            .push(event.clone());
    }
    let mut rest: Vec<Vec<Event>> = by_subject.into_values().collect();
    let mut shuffled: Vec<Event> = Vec::new();
    while !rest.is_empty() {
        let which = dice.throw(rest.len());
        let event = rest[which].pop().unwrap();
        if rest[which].is_empty() {
            rest.swap_remove(which);
        }
        shuffled.push(event);
        if dice.chance(20) {
            let again = dice.throw(shuffled.len());
            shuffled.push(shuffled[again].clone());
        }
    }
    shuffled
}

/// The facts as they are in any tenant.
fn without_tenant(facts: Vec<FeedbackFact>, tenant: &str) -> String {
    format!("{facts:?}").replace(&format!("tenants/{tenant}/"), "tenants/-/")
}

/// Out of order and more than once, fifty times (P3): rollups equal a recount from the published facts, for every metric and
/// dimension, and facts do not depend on the order.
#[tokio::test]
async fn numbers_are_a_recount_of_the_facts_after_any_schedule_with_duplicates() {
    let world = World::new().await;
    for seed in 1..=SCHEDULES {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let (mixed, ordered) = (format!("mixed-{seed}"), format!("ordered-{seed}"));
        let told = lives(&world, &mut dice, &mixed);
        // The same lives in another tenant, each event with an id of its own, in the order in which they happened.
        for event in &told {
            let text = format!("tenants/{mixed}/");
            let mut twin = event.clone();
            twin.id = world.stage.clock.id().to_string();
            twin.tenant = ordered.clone();
            twin.subject = twin.subject.replace(&text, &format!("tenants/{ordered}/"));
            world.tell(&twin);
        }
        for event in shuffled(&mut dice, &told) {
            world.tell(&event);
        }
        let client = world.client(&mixed).await;
        world.counted(&client, &mixed, told.len()).await;
        let known = facts(&client, &mixed).await;
        check_metrics(&world, &mixed, &known, seed).await;
        check_totals(&world, &mixed, &known, seed).await;

        let twin = world.client(&ordered).await;
        world.counted(&twin, &ordered, told.len()).await;
        let twins = facts(&twin, &ordered).await;
        let invitations = |text: String| text.replace(&format!("tenants/{mixed}/"), "tenants/-/");
        assert_eq!(
            invitations(without_tenant(known, &mixed)),
            invitations(without_tenant(twins, &ordered)),
            "seed {seed}"
        );
    }
}

/// Every metric as a whole and by one dimension; over all seeds by every one.
async fn check_metrics(world: &World, tenant: &str, facts: &[FeedbackFact], seed: u64) {
    let client = world.client(tenant).await;
    // Ragged ends, so that days and quarters of an hour are both read.
    let (start, end) = ("2026-03-01T05:15:00Z", "2026-03-06T16:30:00Z");
    let ask = Ask {
        client: &client,
        interval: interval(start, end),
    };
    let listed = client.clone().list_metrics(ListMetricsRequest::default()).await;
    let metrics = listed.unwrap().into_inner().metrics;
    for (at_metric, metric) in metrics.iter().map(|metric| metric.key.as_str()).enumerate() {
        let turn = usize::try_from(seed).unwrap() + at_metric;
        let extra = (metric == "on_time_rate").then_some(Dimension::Clock);
        for dimension in [None, Some(DIMENSIONS[turn % DIMENSIONS.len()])]
            .into_iter()
            .chain(extra.map(Some))
        {
            let asked: Vec<Dimension> = dimension.into_iter().collect();
            let answer = ask.answer(tenant, metric, &asked, "").await;
            let found: BTreeMap<String, Option<f64>> = answer.rows.iter().map(|row| (group(row), row.value)).collect();
            let expected = recompute(facts, metric, dimension, at(start), at(end));
            assert!(
                same(&found, &expected),
                "seed {seed}: {metric} by {dimension:?}: {found:?}, but the facts say {expected:?}"
            );
        }
    }
}

fn same(found: &BTreeMap<String, Option<f64>>, expected: &BTreeMap<String, Option<f64>>) -> bool {
    found.len() == expected.len()
        && found.iter().all(|(group, value)| match (value, expected.get(group)) {
            (Some(found), Some(Some(expected))) => (found - expected).abs() < 1e-5,
            (None, Some(None)) => true,
            _ => false,
        })
}

async fn check_totals(world: &World, tenant: &str, facts: &[FeedbackFact], seed: u64) {
    let totals = totals(&world.client(tenant).await, tenant).await;
    let among = |holds: &dyn Fn(&huiyin_proto::analytics::v1::EpisodeFact) -> bool| {
        i64::try_from(
            facts
                .iter()
                .flat_map(|fact| &fact.episodes)
                .filter(|episode| holds(episode))
                .count(),
        )
        .unwrap()
    };
    assert_eq!(totals.feedbacks, i64::try_from(facts.len()).unwrap(), "seed {seed}");
    assert_eq!(
        totals.resolved_episodes,
        among(&|episode| episode.resolve_time.is_some()),
        "seed {seed}"
    );
    assert_eq!(
        totals.reopened,
        among(&|episode| episode.reopen_time.is_some()),
        "seed {seed}"
    );
    assert_eq!(
        totals.invitations,
        among(&|episode| episode.invite_time.is_some()),
        "seed {seed}"
    );
    assert_eq!(
        totals.answers,
        among(&|episode| episode.answer_time.is_some()),
        "seed {seed}"
    );
    let delivered: i64 = facts.iter().map(|fact| i64::from(fact.messages_delivered)).sum();
    let dead: i64 = facts.iter().map(|fact| i64::from(fact.messages_dead)).sum();
    assert_eq!(
        (totals.messages_delivered, totals.messages_dead),
        (delivered, dead),
        "seed {seed}"
    );
    for clock in &totals.clocks {
        let marked = |holds: &dyn Fn(&huiyin_proto::analytics::v1::ClockFact) -> bool| {
            let clocks = facts
                .iter()
                .flat_map(|fact| &fact.clocks)
                .filter(|found| found.clock == clock.clock);
            i64::try_from(clocks.filter(|found| holds(found)).count()).unwrap()
        };
        assert_eq!(
            clock.breached,
            marked(&|found| found.breach_time.is_some()),
            "seed {seed}"
        );
        assert_eq!(clock.met, marked(&|found| found.mark() == SlaMark::Met), "seed {seed}");
        assert_eq!(
            clock.stopped_late,
            marked(&|found| found.mark() == SlaMark::StoppedLate),
            "seed {seed}"
        );
    }
}
