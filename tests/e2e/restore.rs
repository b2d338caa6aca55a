//! Backup and restore: six databases, dumped one after the other while feedback comes in and is worked on, are restored after all is
//! lost, and the event log repairs what lies between their moments.

#![expect(clippy::disallowed_methods, reason = "the load of a test is joined by it")]
#![expect(clippy::print_stdout, reason = "a drill says how long it took")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};

use huiyin::{
    link::Link,
    suite::SERVICES,
    verify::{self, Audit, VerifyOptions},
};
use huiyin_e2e::Suite;
use huiyin_proto::event::v1::EventFlow;
use huiyin_testkit::eventually;

use crate::load::{Accepted, create_until, feedbacks, finish, import, play_until};

/// Each consumer before those whose events it consumes, as `tools/backup` has it.
const ORDER: [&str; 6] = [
    "analytics",
    "notification",
    "survey",
    "scheduler",
    "classifier",
    "intake",
];
const LIMIT: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn six_databases_dumped_at_different_moments_are_restored_and_the_event_log_repairs_the_difference() {
    let suite = Arc::new(Suite::start(&[]).await);
    let link = suite.link();
    let stop = Arc::new(AtomicBool::new(false));
    let accepted = Accepted::default();
    // People work on what has come to rest; calls that come too fast would have them wait.
    let pause = Duration::from_millis(400);
    let singles = tokio::task::spawn(create_until(
        link.clone(),
        Arc::clone(&stop),
        Arc::clone(&accepted),
        pause,
    ));
    let imported = import(link.clone(), suite.files.folder().to_owned(), 120)
        .await
        .unwrap();
    assert_eq!(imported.accepted, 120);
    let people = tokio::task::spawn_blocking({
        let (link, stop) = (link.clone(), Arc::clone(&stop));
        move || tokio::runtime::Handle::current().block_on(play_until(link, stop, |_| {}))
    });

    eventually("customers answer", LIMIT, async || {
        let survey = verify::flows(&link).await.ok()?;
        let survey = survey.iter().find(|flow| flow.service == "survey")?;
        // An invitation for each that was imported, and some answers.
        (told(survey) > 140).then_some(())
    })
    .await;
    let backup = suite.files.folder().join("backup");
    let began = Instant::now();
    let mut before = BTreeSet::new();
    for service in ORDER {
        // What happened since the dump before is in this one, and not in that.
        much_happens(&link).await;
        before = accepted.lock().unwrap().clone();
        print!("{}", suite.back_up(&backup, service).await);
    }
    let dumped = began.elapsed();
    let epochs = epochs(&verify::flows(&link).await.unwrap());
    much_happens(&link).await;
    let lost = accepted.lock().unwrap().len() - before.len();
    stop.store(true, std::sync::atomic::Ordering::Relaxed);

    suite.lose(&SERVICES).await;
    // Who called is answered no more.
    singles.abort();
    people.await.unwrap();
    let began = Instant::now();
    suite.restore(&backup, &SERVICES).await;
    let serving = began.elapsed();
    let audit = audit(&link).await;
    println!(
        "dumped within {dumped:.1?} (all under load); serving {serving:.1?} after the start of the restore, reconciled after {:.1?}; \
         {} feedbacks back, at most {lost} accepted after the last dump began are lost",
        began.elapsed(),
        before.len() + 120
    );

    // All that was accepted before the last dump, which is intake's, is there; verify holds each to be handled once.
    let there = feedbacks(&link).await.unwrap();
    assert!(before.is_subset(&there), "what was accepted before the dump is there");
    assert!(there.len() >= before.len() + 120);
    for (service, epoch) in &epochs {
        let flows = verify::flows(&link).await.unwrap();
        assert_ne!(
            self::epochs(&flows)[service],
            *epoch,
            "the log of {service} is another one"
        );
    }
    // Two arrows lead against the order, and verify says so; along the others nobody had seen what is lost.
    let mut readers: Vec<&str> = audit
        .lost
        .iter()
        .map(|line| line.split(" by ").next().unwrap())
        .collect();
    readers.sort_unstable();
    assert_eq!(
        readers,
        [
            "intake had effects of events that scheduler has lost,",
            "scheduler had effects of events that survey has lost,",
        ]
    );

    // And it goes on: the new events at the positions of the lost ones are nobody's old ones.
    let again = Arc::new(AtomicBool::new(false));
    let after = Accepted::default();
    let singles = tokio::task::spawn(create_until(
        link.clone(),
        Arc::clone(&again),
        Arc::clone(&after),
        pause,
    ));
    eventually("feedback is accepted", LIMIT, async || {
        after.lock().unwrap().len() >= 10
    })
    .await;
    again.store(true, std::sync::atomic::Ordering::Relaxed);
    singles.await.unwrap();
    finish(&link).await;
    self::audit(&link).await;
    assert_eq!(
        feedbacks(&link).await.unwrap().len(),
        there.len() + after.lock().unwrap().len()
    );
}

/// Against the rule that a backup is restored whole: what others had from the events that are lost is told, and nothing is
/// taken for right.
#[tokio::test(flavor = "multi_thread")]
async fn one_database_that_is_restored_behind_those_who_consume_its_events_does_not_pass_for_whole() {
    let suite = Suite::start(&[]).await;
    let link = suite.link();
    let backup = suite.files.folder().join("backup");
    let folder = |name: &str| {
        let folder = suite.files.folder().join(name);
        std::fs::create_dir(&folder).unwrap();
        folder
    };
    import(link.clone(), folder("first"), 20).await.unwrap();
    audit(&link).await;
    suite.back_up(&backup, "scheduler").await;
    import(link.clone(), folder("second"), 30).await.unwrap();
    finish(&link).await;
    assert!(audit(&link).await.lost.is_empty());

    suite.lose(&["scheduler"]).await;
    suite.restore(&backup, &["scheduler"]).await;
    let audit = verify::run(&link, &VerifyOptions { wait: 20, strays: 3 })
        .await
        .unwrap();
    audit.print(false);
    assert!(!audit.is_clean());
    // Its work orders are opened again, under names of their own; invitations and messages are of those that are lost.
    let strays_of = |name: &str| {
        audit
            .checks
            .iter()
            .find(|check| check.name == name)
            .unwrap()
            .stray_count
    };
    assert_eq!(strays_of("each accepted feedback has one work order"), 0);
    assert!(strays_of("each resolution has one survey invitation") > 0);
    assert!(strays_of("each assignment was told once") > 0);
    for reader in ["intake", "notification", "survey", "analytics"] {
        let lost = format!("{reader} had effects of events that scheduler has lost,");
        assert!(
            audit.lost.iter().any(|line| line.starts_with(&lost)),
            "{reader}: {:?}",
            audit.lost
        );
    }
}

/// Comes to rest and reconciles.
async fn audit(link: &Link) -> Audit {
    let options = VerifyOptions {
        wait: LIMIT.as_secs(),
        strays: 20,
    };
    let audit = verify::run(link, &options).await.unwrap();
    audit.print(false);
    assert!(audit.is_clean());
    audit
}

fn epochs(flows: &[EventFlow]) -> BTreeMap<String, String> {
    flows
        .iter()
        .map(|flow| (flow.service.clone(), flow.epoch.clone()))
        .collect()
}

/// Until every service that tells anything has told more of it, and all of that has had its effects.
async fn much_happens(link: &Link) {
    let before = verify::flows(link).await.unwrap();
    eventually("every service tells something", LIMIT, async || {
        let now = verify::flows(link).await.ok()?;
        let grew = |before: &EventFlow| {
            let now = now.iter().find(|flow| flow.service == before.service)?;
            Some(before.service == "analytics" || told(now) > told(before))
        };
        before.iter().all(|before| grew(before) == Some(true)).then_some(())
    })
    .await;
    let told = verify::flows(link).await.unwrap();
    eventually("it has had its effects", LIMIT, async || {
        let now = verify::flows(link).await.ok()?;
        let has_read = |flow: &EventFlow| {
            flow.cursors.iter().all(|cursor| {
                let source = told.iter().find(|source| source.service == cursor.source);
                source.is_none_or(|source| {
                    let head = source.heads.iter().find(|head| head.partition == cursor.partition);
                    head.is_none_or(|head| cursor.position >= head.position)
                })
            })
        };
        now.iter().all(has_read).then_some(())
    })
    .await;
}

fn told(flow: &EventFlow) -> i64 {
    flow.heads.iter().map(|head| head.position).sum()
}
