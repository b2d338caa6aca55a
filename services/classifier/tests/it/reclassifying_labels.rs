//! Labels of dimensions beside the main one that people set, where old feedback is read anew (C-10); and what is not read anew.

use huiyin_proto::{
    classifier::v1,
    google::longrunning::{Operation, operation},
};
use huiyin_testkit::eventually;
use jiff::SignedDuration;
use sqlx::Connection as _;

use crate::{
    dictionary::{activate, builtin, category, create},
    play::{Client, LIMIT, PARENT, Play, correction},
    reclassifying::{all, read_anew},
};

/// Somebody says which module it is of.
async fn set_module(boss: &mut Client, name: &str, module: &str) -> v1::Classification {
    let request = v1::CorrectClassificationRequest {
        labels: vec![v1::DimensionLabel {
            dimension: "module".to_owned(),
            category: module.to_owned(),
        }],
        ..correction(name)
    };
    boss.correct_classification(request).await.unwrap().into_inner()
}

fn module_of(found: &v1::Classification) -> &str {
    let mut labels = found.labels.iter();
    let label = labels.find(|label| label.dimension == "module");
    label.map_or("unclassified", |label| &label.category)
}

/// The built-in taxonomy without a category, and with a word of its own for a fault of the hardware.
async fn without(boss: &mut Client, gone: &str) -> v1::Taxonomy {
    let mut taxonomy = builtin(boss).await;
    taxonomy.categories.retain(|category| category.key != gone);
    for category in &mut taxonomy.categories {
        category.counter_examples.clear();
    }
    category(&mut taxonomy, "hardware.fault").keywords.push(word("无人机"));
    taxonomy
}

fn word(term: &str) -> v1::Keyword {
    v1::Keyword {
        term: term.to_owned(),
        weight: 5.0,
    }
}

async fn comes_into_effect(boss: &mut Client, taxonomy: v1::Taxonomy) -> i32 {
    let made = boss.create_taxonomy(create(taxonomy)).await.unwrap().into_inner();
    boss.activate_taxonomy(activate(made.version)).await.unwrap();
    made.version
}

/// Says what becomes of a category of an earlier version; of nothing else is there anything to say.
async fn map(boss: &mut Client, (version, from_version): (i32, i32), from: &str, to: &[&str]) {
    let entry = v1::MappedCategory {
        from: from.to_owned(),
        to: to.iter().map(|key| (*key).to_owned()).collect(),
        reclassify: to.is_empty(),
    };
    let request = v1::MapTaxonomyRequest {
        name: format!("{PARENT}/taxonomies/{version}"),
        mapping: Some(v1::TaxonomyMapping {
            from_version,
            categories: vec![entry],
            ..Default::default()
        }),
        ..Default::default()
    };
    boss.map_taxonomy(request).await.unwrap();
}

/// C-10: nobody says what becomes of a label of another dimension: it stays, and holds up nothing else.
#[tokio::test]
async fn a_label_that_the_later_version_lacks_holds_up_nothing_else() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    let drone = play.classified("无人机撞树上了").await;
    set_module(&mut boss, &drone.name, "marketing").await;
    let taxonomy = without(&mut boss, "marketing").await;
    comes_into_effect(&mut boss, taxonomy).await;

    assert_eq!(read_anew(&play, &mut boss, all()).await.changed, 1);
    let now = play.read(&drone.name).await;
    assert_eq!(
        (now.category.as_str(), now.taxonomy_version, module_of(&now)),
        ("hardware.fault", 1, "marketing")
    );
    assert_eq!(read_anew(&play, &mut boss, all()).await.changed, 0, "once is enough");
    // A later version says it after all, of the version that the label was said by.
    let mut taxonomy = without(&mut boss, "marketing").await;
    category(&mut taxonomy, "function.crash").keywords.push(word("撞树"));
    let version = comes_into_effect(&mut boss, taxonomy).await;
    map(&mut boss, (version, 0), "marketing", &["customer_service"]).await;
    read_anew(&play, &mut boss, all()).await;
    assert_eq!(module_of(&play.read(&drone.name).await), "customer_service");
}

/// C-10: a label is mapped from the version that a person said it by, whatever version the category is of.
#[tokio::test]
async fn a_label_is_mapped_from_the_version_that_a_person_said_it_by() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    let found = play.classified("退款超时").await;
    let mut taxonomy = builtin(&mut boss).await;
    let mut events = category(&mut taxonomy, "marketing").clone();
    events.key = "events".to_owned();
    events.keywords.clear();
    events.examples.clear();
    taxonomy.categories.push(events);
    let first = comes_into_effect(&mut boss, taxonomy.clone()).await;
    let set = set_module(&mut boss, &found.name, "events").await;
    assert_eq!(set.taxonomy_version, 0, "the category is the one of before");

    category(&mut taxonomy, "events").key = "happenings".to_owned();
    let second = comes_into_effect(&mut boss, taxonomy).await;
    map(&mut boss, (second, first), "events", &["happenings"]).await;
    assert_eq!(read_anew(&play, &mut boss, all()).await.changed, 1);
    let now = play.read(&found.name).await;
    assert_eq!(
        (now.category.as_str(), module_of(&now), now.taxonomy_version),
        (found.category.as_str(), "happenings", second)
    );
}

/// C-10: what a mapping takes from a person is the machine's from then on, in any dimension.
#[tokio::test]
async fn a_label_that_a_mapping_has_read_anew_is_the_persons_no_longer() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    let found = play.classified("快递呢").await;
    assert_eq!(module_of(&found), "logistics_delivery");
    set_module(&mut boss, &found.name, "marketing").await;
    let taxonomy = without(&mut boss, "marketing").await;
    let version = comes_into_effect(&mut boss, taxonomy.clone()).await;
    map(&mut boss, (version, 0), "marketing", &[]).await;
    read_anew(&play, &mut boss, all()).await;
    assert_eq!(module_of(&play.read(&found.name).await), "logistics_delivery");

    let mut later = taxonomy;
    category(&mut later, "customer_service").keywords.push(word("快递呢"));
    comes_into_effect(&mut boss, later).await;
    read_anew(&play, &mut boss, all()).await;
    assert_eq!(module_of(&play.read(&found.name).await), "customer_service");
}

/// What comes in after a reading anew began is read by the version in effect already, and is not looked at.
#[tokio::test]
async fn what_comes_in_after_a_reading_anew_began_is_not_looked_at() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    let old = play.classified("无人机撞树上了").await;
    let taxonomy = without(&mut boss, "marketing").await;
    comes_into_effect(&mut boss, taxonomy).await;

    // The old one is held, so that the operation has begun and waits.
    let mut owner = sqlx::PgConnection::connect(&play.stage.database_url()).await.unwrap();
    let mut watcher = sqlx::PgConnection::connect(&play.stage.database_url()).await.unwrap();
    let mut tx = owner.begin().await.unwrap();
    let holder: i32 = sqlx::query_scalar("SELECT pg_backend_pid() FROM classification FOR UPDATE")
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    let started = boss.reclassify_feedbacks(all()).await.unwrap().into_inner();
    eventually("it waits", LIMIT, async || {
        let waits: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND $1 = ANY (pg_blocking_pids(pid)))",
        )
        .bind(holder)
        .fetch_one(&mut watcher)
        .await
        .unwrap();
        waits.then_some(())
    })
    .await;
    play.stage.clock.advance(SignedDuration::from_mins(1));
    let new = play.classified("无人机又撞树上了").await;
    assert_eq!((new.category.as_str(), new.taxonomy_version), ("hardware.fault", 1));
    tx.rollback().await.unwrap();
    let ended: Operation = play.ended(&started.name).await;
    let Some(operation::Result::Response(response)) = ended.result else {
        panic!("{ended:?}")
    };
    let did: v1::ReclassifyFeedbacksResponse = response.to_msg().unwrap();
    assert_eq!((did.looked_at, did.changed), (1, 1));
    assert_eq!(play.read(&old.name).await.category, "hardware.fault");
    assert_eq!(play.read(&new.name).await, new);
}
