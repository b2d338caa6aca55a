//! An upgrade as the chart does it, and the way back: migrations while the version before serves on, then one service after the other, both
//! versions beside each other, under load. helm/huiyin/UPGRADING.md says what comes of it.

#![expect(clippy::disallowed_methods, reason = "the load of a test is joined by it")]
#![expect(clippy::print_stdout, reason = "what the two versions did is told")]

use std::{
    collections::BTreeMap,
    error::Error as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use huiyin::{
    suite::SERVICES,
    verify::{self, VerifyOptions},
};
use huiyin_e2e::{Fleet, Version};
use huiyin_proto::event::v1::GetEventFlowRequest;
use tokio::task::JoinSet;
use tonic::{Code, Status};

use crate::load::{Accepted, create, feedbacks, finish, import, play_until};

/// Neither with the events nor against them: a new version tells those who are old, and hears from those who are old.
const ORDER: [&str; 6] = [
    "scheduler",
    "notification",
    "intake",
    "analytics",
    "classifier",
    "survey",
];
/// Of each of two imports.
const LINES: usize = 60;

#[tokio::test(flavor = "multi_thread")]
async fn a_suite_is_upgraded_and_rolled_back_under_load_and_nothing_is_refused_or_lost() {
    let Some(fleet) = Fleet::start().await else { return };
    let fleet = Arc::new(fleet);
    let walk = Arc::new(Walk::default());

    under_load(&fleet, &walk, async || {
        for service in SERVICES {
            fleet.migrate(service, Version::Present).await;
        }
        replace_all(&fleet, &walk, Version::Present).await;
    })
    .await;
    all_is_there(&fleet, &walk).await;

    // `helm rollback`: nothing migrates, and the databases are those of the new version.
    under_load(&fleet, &walk, async || {
        replace_all(&fleet, &walk, Version::Previous).await;
    })
    .await;
    all_is_there(&fleet, &walk).await;
}

/// What came of the load.
#[derive(Debug, Default)]
struct Walk {
    accepted: Accepted,
    /// How many lines each import had.
    imports: Mutex<Vec<usize>>,
    refused: Mutex<BTreeMap<String, usize>>,
}

impl Walk {
    /// A call that was refused for the moment, or whose connection closed before it was sent; whoever made it repeats it.
    fn refused(&self, who: &str, status: &Status) {
        let of_connection = status
            .source()
            .is_some_and(|source| source.is::<tonic::transport::Error>());
        assert!(of_connection || status.code() == Code::Unavailable, "{who}: {status}");
        *self
            .refused
            .lock()
            .unwrap()
            .entry(format!("{who}: {status}"))
            .or_default() += 1;
    }
}

/// Callers come and go, and stay, and people work, while something happens.
async fn under_load(fleet: &Arc<Fleet>, walk: &Arc<Walk>, happens: impl AsyncFnOnce()) {
    let stop = Arc::new(AtomicBool::new(false));
    let callers = tokio::task::spawn(call_until(Arc::clone(fleet), Arc::clone(walk), Arc::clone(&stop)));
    let people = tokio::task::spawn_blocking({
        let (link, stop) = (fleet.suite.link(), Arc::clone(&stop));
        let walk = Arc::clone(walk);
        let broken = move |error: &anyhow::Error| match error.downcast_ref() {
            Some(status) => walk.refused("people", status),
            None => panic!("people: {error:#}"),
        };
        move || tokio::runtime::Handle::current().block_on(play_until(link, stop, broken))
    });
    happens().await;
    stop.store(true, Ordering::Relaxed);
    callers.await.unwrap();
    people.await.unwrap();
}

/// One who keeps the connections of the beginning, and one who opens new ones each time; they create feedback and ask every service.
async fn call_until(fleet: Arc<Fleet>, walk: Arc<Walk>, stop: Arc<AtomicBool>) {
    let stays = fleet.suite.link();
    for n in 0usize.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        for (place, link) in [&stays, &fleet.suite.link()].into_iter().enumerate() {
            let name = create(link, 2 * n + place, |status| walk.refused("create", status)).await;
            let is_new = walk.accepted.lock().unwrap().insert(name);
            assert!(is_new, "each feedback has a name of its own");
            for service in SERVICES {
                while let Err(status) = link.events(service).get_event_flow(GetEventFlowRequest {}).await {
                    walk.refused(service, &status);
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        // People work on what has come to rest; calls that come too fast would have them wait.
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

async fn replace_all(fleet: &Fleet, walk: &Walk, version: Version) {
    for service in ORDER {
        let began = Instant::now();
        let mut imports = JoinSet::new();
        let meanwhile = async || {
            if service == "intake" {
                // New connections go to each in turn: one of the two is at the replica that leaves.
                for _ in 0..2 {
                    imports.spawn(import_another(fleet, walk));
                }
            }
        };
        fleet.replace(service, version, meanwhile).await;
        imports.join_all().await;
        println!("{service} is {version:?} after {:.1?}", began.elapsed());
    }
}

/// A file that is none of those before.
fn import_another(fleet: &Fleet, walk: &Walk) -> impl Future<Output = ()> + use<> {
    let mut imports = walk.imports.lock().unwrap();
    let lines = LINES + imports.len();
    imports.push(lines);
    let folder = fleet.suite.files.folder().join(format!("import-{lines}"));
    std::fs::create_dir(&folder).unwrap();
    let link = fleet.suite.link();
    async move {
        let report = import(link, folder, lines).await.unwrap();
        assert_eq!(report.refused, 0, "the file has no bad line");
        println!(
            "an import of {lines} lines was interrupted {} times",
            report.interruptions
        );
    }
}

/// All is handled once, whichever version took it in, and every service has told what it has to tell.
async fn all_is_there(fleet: &Fleet, walk: &Walk) {
    let link = fleet.suite.link();
    finish(&link).await;
    let audit = verify::run(&link, &VerifyOptions { wait: 120, strays: 20 })
        .await
        .unwrap();
    audit.print(false);
    assert!(audit.is_clean());

    let there = feedbacks(&link).await.unwrap();
    let accepted = walk.accepted.lock().unwrap().clone();
    assert!(accepted.is_subset(&there), "what was accepted is there");
    let imported: usize = walk.imports.lock().unwrap().iter().sum();
    assert_eq!(there.len(), accepted.len() + imported, "each request was accepted once");

    println!("refused for a moment: {:?}", walk.refused.lock().unwrap());
    for (service, done) in fleet.done().await {
        println!("{service}: {done:?}");
        // Analytics tells nothing.
        assert!(
            done.relayed > 0 || service == "analytics",
            "{service} is the relay after the one that left"
        );
    }
}
