//! A small scenario whose numbers were worked out by hand, question by question.
//!
//! Times are UTC; the interval asked about is Monday 2 March 00:00 to Wednesday 4 March 00:00.
//!
//! | | received | by | about | became |
//! |-|----------|----|-------|--------|
//! | A | Mon 01:00 | EMAIL, VIP | crash, P0, X1 | first response in time Mon 02:00; resolved in time Mon 05:00 after 4 h; rated 4.5 Tue; closed |
//! | B | Mon 02:00 | PHONE | crash, P1, X1 | due Mon 07:00, resolved late Mon 08:00 after 6 h; rated 2.0 Tue and reopened; resolved in time Wed 02:00 after 10 h in all; rated 4.0 Wed |
//! | C | Mon 03:00 | EMAIL | login, P1 | due Tue 03:00, still open: overdue |
//! | D | Tue 01:00 | EMAIL | late delivery, P2 | rejected |
//! | E | Sun 10:00 | PHONE | login, P2 | resolved Mon 09:00 after 2 h |
//! | F | Tue 04:00 | EMAIL | unclassified, P3 | opened |
//! | G | Sat 05:00 | PHONE | crash, P1, X1 | resolved Tue 06:00 after 20 h |

use huiyin_proto::{
    analytics::v1::{Dimension, TopProblemsRequest},
    event::v1::{SlaMark, StateCategory},
    r#type::v1::{Channel, CustomerTier},
};

use crate::{
    case::Case,
    world::{Ask, World, at, facts, interval, totals, values},
};

const HOUR: i64 = 3600;

/// Tells the scenario and says how many events it has.
fn tell(world: &World) -> usize {
    let mut told = 0;
    let mut say = |time: &str, said| {
        world.say(time, said);
        told += 1;
    };
    let case = |received: &str, channel, category: &str, priority, product: &str, customer: &str| Case {
        channel,
        category: category.to_owned(),
        priority,
        product_model: product.to_owned(),
        customer: customer.to_owned(),
        ..Case::new(world, received)
    };

    let a = case("2026-03-02T01:00:00Z", Channel::Email, "function.crash", 0, "X1", "c1");
    let a = Case {
        tier: CustomerTier::Vip,
        ..a
    };
    let b = case("2026-03-02T02:00:00Z", Channel::Phone, "function.crash", 1, "X1", "c1");
    let c = case("2026-03-02T03:00:00Z", Channel::Email, "function.login", 1, "", "c2");
    let d = case("2026-03-03T01:00:00Z", Channel::Email, "logistics.late", 2, "", "c3");
    let e = case("2026-03-01T10:00:00Z", Channel::Phone, "function.login", 2, "", "c4");
    let f = case("2026-03-03T04:00:00Z", Channel::Email, "unclassified", 3, "", "");
    let g = case("2026-02-28T05:00:00Z", Channel::Phone, "function.crash", 1, "X1", "c5");
    for case in [&a, &b, &c, &d, &e, &f, &g] {
        let received = case.received.to_string();
        say(&received, case.submitted());
        say(&received, case.classified(1));
        say(&received, case.opened(&[]));
        say(&received, case.assigned(1, 1));
    }

    say(
        "2026-03-02T02:00:00Z",
        a.marked(1, "first_response", SlaMark::Met, at("2026-03-02T02:30:00Z")),
    );
    say("2026-03-02T05:00:00Z", a.resolved(1, 4 * HOUR));
    say(
        "2026-03-02T05:00:00Z",
        a.marked(1, "resolve", SlaMark::Met, at("2026-03-02T09:00:00Z")),
    );
    say("2026-03-02T05:01:00Z", a.invited(1));
    say("2026-03-03T01:00:00Z", a.answered(1, &[5, 5, 4, 4]));
    say("2026-03-03T02:00:00Z", a.moved(1, StateCategory::Closed));

    say(
        "2026-03-02T06:00:00Z",
        b.marked(1, "resolve", SlaMark::Warned, at("2026-03-02T07:00:00Z")),
    );
    say(
        "2026-03-02T07:02:00Z",
        b.marked(1, "resolve", SlaMark::Breached, at("2026-03-02T07:00:00Z")),
    );
    say("2026-03-02T08:00:00Z", b.resolved(1, 6 * HOUR));
    say(
        "2026-03-02T08:00:00Z",
        b.marked(1, "resolve", SlaMark::StoppedLate, at("2026-03-02T07:00:00Z")),
    );
    say("2026-03-02T08:01:00Z", b.invited(1));
    say("2026-03-03T02:00:00Z", b.answered(1, &[2, 2, 2, 2]));
    say("2026-03-03T02:05:00Z", b.moved(2, StateCategory::Active));
    say("2026-03-04T02:00:00Z", b.resolved(2, 10 * HOUR));
    say(
        "2026-03-04T02:00:00Z",
        b.marked(2, "resolve", SlaMark::Met, at("2026-03-04T09:00:00Z")),
    );
    say("2026-03-04T02:01:00Z", b.invited(2));
    say("2026-03-04T05:00:00Z", b.answered(2, &[4, 4, 4, 4]));

    say(
        "2026-03-03T03:00:01Z",
        c.marked(1, "resolve", SlaMark::Breached, at("2026-03-03T03:00:00Z")),
    );
    say("2026-03-03T01:30:00Z", d.moved(1, StateCategory::Rejected));
    say("2026-03-02T09:00:00Z", e.resolved(1, 2 * HOUR));
    say("2026-03-03T06:00:00Z", g.resolved(1, 20 * HOUR));
    told
}

/// 001-75, 001-76, 003-51, 003-52, 003-60, 000-40, 002-50, 002-71, C-04, C-14, C-16; FreeScout #4125: the flow and the cohort are two rates.
#[tokio::test]
async fn the_numbers_of_a_small_scenario_are_those_worked_out_by_hand() {
    let world = World::new().await;
    let client = world.client("acme").await;
    let told = tell(&world);
    world.counted(&client, "acme", told).await;
    let ask = Ask {
        client: &client,
        interval: interval("2026-03-02T00:00:00Z", "2026-03-04T00:00:00Z"),
    };

    // A, B, C, D and F were received.
    assert_eq!(ask.value("volume").await, Some(5.0));
    assert_eq!(
        ask.groups("share", &[Dimension::Category], "").await,
        values(&[
            ("function.crash", 0.4),
            ("function.login", 0.2),
            ("logistics.late", 0.2),
            ("unclassified", 0.2)
        ])
    );
    // 000-40: of what is a defect of a function (60 %), two thirds are crashes.
    assert_eq!(
        ask.groups("share", &[Dimension::Category], "category : function").await,
        values(&[("function.crash", 2.0 / 3.0), ("function.login", 1.0 / 3.0)])
    );
    assert_eq!(
        ask.groups("share", &[Dimension::Channel, Dimension::Category], "")
            .await,
        values(&[
            ("EMAIL/function.crash", 0.25),
            ("EMAIL/function.login", 0.25),
            ("EMAIL/logistics.late", 0.25),
            ("EMAIL/unclassified", 0.25),
            ("PHONE/function.crash", 1.0),
        ])
    );

    // Flow: A, E and G were resolved, B stands resolved only since Wednesday; A, B, C and F were received and not rejected.
    assert_eq!(ask.value("resolution_rate").await, Some(0.75));
    // Cohort: of A, B, C and F, A and B are resolved by now.
    assert_eq!(ask.value("resolution_rate_cohort").await, Some(0.5));
    // 4 h, 2 h and 20 h: exactly the three that the flow counts.
    assert_eq!(ask.value("resolution_time_mean").await, Some(26.0 * 3600.0 / 3.0));
    assert_eq!(ask.value("resolution_time_p50").await, Some(4.0 * 3600.0));
    assert_eq!(ask.value("resolution_time_p90").await, Some(20.0 * 3600.0));
    // In time: A twice. Passed their deadline: B, late, and C, which is still open.
    assert_eq!(ask.value("on_time_rate").await, Some(0.5));
    assert_eq!(
        ask.groups("on_time_rate", &[Dimension::Clock], "").await,
        values(&[("resolve", 1.0 / 3.0), ("first_response", 1.0)])
    );
    assert_eq!(
        ask.groups(
            "on_time_rate",
            &[Dimension::Priority],
            "clock = resolve AND channel = EMAIL"
        )
        .await,
        values(&[("P0", 1.0), ("P1", 0.0)])
    );
    // Answers: 4.5 and 2.0.
    assert_eq!(ask.value("satisfaction_mean").await, Some(3.25));
    assert_eq!(ask.value("satisfaction_on_target").await, Some(0.5));
    // Resolutions: A, B's first, E and G; B's was reopened.
    assert_eq!(ask.value("reopen_rate").await, Some(0.25));

    // A day later B stands resolved, after 10 h over both episodes, and 4.0 is on target.
    let later = Ask {
        client: &client,
        interval: interval("2026-03-04T00:00:00Z", "2026-03-05T00:00:00Z"),
    };
    assert_eq!(later.value("resolution_time_mean").await, Some(36_000.0));
    assert_eq!(later.value("satisfaction_on_target").await, Some(1.0));
    // Nothing was received on that day, so there is no rate; what was resolved is told all the same.
    let answer = later.answer("acme", "resolution_rate", &[], "").await;
    assert_eq!(
        (
            answer.rows[0].value,
            answer.rows[0].numerator,
            answer.rows[0].denominator
        ),
        (None, 1.0, 0.0)
    );
}

/// 003-60, 002-50, C-16: by unique customers as well as by count.
#[tokio::test]
async fn the_top_problems_are_counted_exactly_and_by_customers() {
    let world = World::new().await;
    let client = world.client("acme").await;
    let told = tell(&world);
    world.counted(&client, "acme", told).await;
    let mut request = TopProblemsRequest {
        parent: "tenants/acme".to_owned(),
        interval: interval("2026-02-28T00:00:00Z", "2026-03-04T00:00:00Z"),
        limit: 0,
        filter: String::new(),
    };
    let answer = client.clone().top_problems(request.clone()).await.unwrap().into_inner();
    let found: Vec<_> = answer
        .problems
        .iter()
        .map(|problem| {
            (
                problem.category.as_str(),
                problem.product_model.as_str(),
                problem.count,
                problem.unique_customers,
            )
        })
        .collect();
    // A and B are the same customer; F is not classified.
    assert_eq!(
        found,
        [
            ("function.crash", "X1", 3, 2),
            ("function.login", "", 2, 2),
            ("logistics.late", "", 1, 1)
        ]
    );
    assert_eq!(answer.total_count, 6);
    assert_eq!(answer.problems[0].share, 0.5);
    assert_eq!(answer.metric.unwrap().key, "volume");

    request.limit = 1;
    request.filter = "channel = PHONE".to_owned();
    let answer = client.clone().top_problems(request).await.unwrap().into_inner();
    assert_eq!(answer.problems.len(), 1);
    assert_eq!((answer.problems[0].count, answer.total_count), (2, 3));
}

/// The audit: what was accepted, classified, opened, resolved, reopened, asked and answered.
#[tokio::test]
async fn the_totals_of_the_scenario_are_those_counted_by_hand() {
    let world = World::new().await;
    let client = world.client("acme").await;
    let told = tell(&world);
    world.counted(&client, "acme", told).await;
    let totals = totals(&client, "acme").await;
    assert_eq!((totals.feedbacks, totals.classified, totals.work_orders), (7, 7, 7));
    assert_eq!((totals.resolved_episodes, totals.reopened), (5, 1));
    assert_eq!((totals.invitations, totals.answers), (3, 3));
    let clocks: Vec<_> = totals
        .clocks
        .iter()
        .map(|clock| {
            (
                clock.clock.as_str(),
                clock.warned,
                clock.breached,
                clock.met,
                clock.stopped_late,
            )
        })
        .collect();
    assert_eq!(clocks, [("first_response", 0, 0, 1, 0), ("resolve", 1, 2, 2, 1)]);
    let as_of = totals.as_of.unwrap();
    let classifier = as_of
        .sources
        .iter()
        .find(|source| source.source == "classifier")
        .unwrap();
    assert_eq!(classifier.events, 7);
    assert_eq!(
        classifier.last_event_time,
        Some(huiyin_chassis::sql::to_proto(at("2026-03-03T04:00:00Z")))
    );
    let notification = as_of
        .sources
        .iter()
        .find(|source| source.source == "notification")
        .unwrap();
    assert_eq!((notification.events, notification.last_event_time), (0, None));
}

/// Facts show every stage: B went through all of them.
#[tokio::test]
async fn a_fact_tells_every_stage_of_a_feedback() {
    let world = World::new().await;
    let client = world.client("acme").await;
    let told = tell(&world);
    world.counted(&client, "acme", told).await;
    let facts = facts(&client, "acme").await;
    let b = facts.iter().find(|fact| fact.episodes.len() == 2).unwrap();
    assert_eq!(b.classification.as_ref().unwrap().category, "function.crash");
    assert_eq!(b.work_order.as_ref().unwrap().state(), StateCategory::Resolved);
    assert_eq!(b.episodes[0].satisfaction, 2.0);
    assert_eq!(
        b.episodes[0].reopen_time,
        Some(huiyin_chassis::sql::to_proto(at("2026-03-03T02:05:00Z")))
    );
    assert_eq!(b.episodes[1].working_duration.as_ref().unwrap().seconds, 36_000);
    assert_eq!(b.episodes[1].scores.len(), 4);
    assert_eq!(
        (b.clocks[0].mark(), b.clocks[1].mark()),
        (SlaMark::StoppedLate, SlaMark::Met)
    );
    assert_eq!(
        b.clocks[0].breach_time,
        Some(huiyin_chassis::sql::to_proto(at("2026-03-02T07:00:00Z")))
    );
    assert_eq!(
        b.last_event_time,
        Some(huiyin_chassis::sql::to_proto(at("2026-03-04T05:00:00Z")))
    );
}

/// Two tenants tell the same; neither sees the other's numbers.
#[tokio::test]
async fn the_numbers_of_two_tenants_never_mix() {
    let world = World::new().await;
    for (tenant, cases) in [("acme", 3), ("bolt", 2)] {
        for _ in 0..cases {
            let case = Case::of(&world, tenant, at("2026-03-02T01:00:00Z"));
            world.tell(&world.event(tenant, case.received, case.submitted()));
        }
    }
    for (tenant, cases) in [("acme", 3), ("bolt", 2)] {
        let client = world.client(tenant).await;
        world.counted(&client, tenant, cases).await;
        let ask = Ask {
            client: &client,
            interval: interval("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"),
        };
        assert_eq!(
            ask.answer(tenant, "volume", &[], "").await.rows[0].value,
            Some(cases as f64)
        );
        assert_eq!(facts(&client, tenant).await.len(), cases);
    }
}
