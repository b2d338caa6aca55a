//! The review queue beside readings anew and new versions of the taxonomy, and one person who asks twice at once.

use huiyin_proto::classifier::v1::{self, ReviewCloseReason, ReviewReason, ReviewState};
use huiyin_testkit::eventually;
use sqlx::Connection as _;
use tonic::Code;

use crate::{
    dictionary::{activate, builtin, category, create},
    play::{Client, LIMIT, Play, refused},
    reclassifying::{all, read_anew},
    reviewing::{claim, of_dimension, resolve},
};

/// Another version comes into effect, in which these words speak for categories; everything is read anew by it.
async fn read_by_words(play: &Play, boss: &mut Client, words: &[(&str, &str, f64)]) {
    let mut taxonomy = builtin(boss).await;
    for (key, term, weight) in words {
        category(&mut taxonomy, key).keywords.push(v1::Keyword {
            term: (*term).to_owned(),
            weight: *weight,
        });
    }
    let made = boss.create_taxonomy(create(taxonomy)).await.unwrap().into_inner();
    boss.activate_taxonomy(activate(made.version)).await.unwrap();
    assert_eq!(read_anew(play, boss, all()).await.changed, 1);
}

/// 人工复核后确认: a reading anew that is in no doubt does not take from people what they are to confirm.
#[tokio::test]
async fn what_people_are_to_confirm_still_waits_after_a_reading_anew() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    let every = v1::Task {
        review_share: 1.0,
        ..of_dimension("nature")
    };
    play.task("nature", every).await;
    let found = play.classified("无人机撞树上了，应用闪退").await;
    assert_eq!(found.category, "function.crash");
    read_by_words(&play, &mut boss, &[("hardware.fault", "无人机", 9.0)]).await;
    let queue = play.queue("").await;
    assert_eq!(
        (queue[0].state(), queue[0].reason(), queue[0].found_label.as_str()),
        (ReviewState::Open, ReviewReason::Sample, "hardware.fault")
    );
    let mut li = play.reviewer("user:li").await;
    li.resolve_review_item(resolve(&queue[0].name, "")).await.unwrap();
    assert_eq!(play.read(&found.name).await.category, "hardware.fault");
}

/// An item says what is in effect, so that whoever confirms it confirms that; what somebody has in work stays as they have read it.
#[tokio::test]
async fn an_item_that_still_waits_says_what_is_in_effect_after_a_reading_anew() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    play.task("nature", of_dimension("nature")).await;
    let found = play.classified("无人机撞树上了").await;
    let before = play.queue("").await.remove(0);
    assert_eq!(before.found_label, "unclassified");
    let torn = [("hardware.fault", "无人机", 1.0), ("function.crash", "撞树", 1.0)];
    read_by_words(&play, &mut boss, &torn).await;
    let now = play.read(&found.name).await;
    let item = play.queue("").await.remove(0);
    assert_eq!(
        (item.reason(), item.found_label.as_str(), item.state()),
        (ReviewReason::WordsUnsure, now.category.as_str(), ReviewState::Open)
    );
    assert_ne!(item.etag, before.etag);

    let mut li = play.reviewer("user:li").await;
    let claimed = li.claim_review_item(claim(&item.name)).await.unwrap().into_inner();
    let turned = [("function.crash", "无人机", 4.0), ("hardware.fault", "撞树", 5.0)];
    read_by_words(&play, &mut boss, &turned).await;
    let held = play.queue("").await.remove(0);
    assert_eq!((held.found_label, held.etag), (claimed.found_label, claimed.etag));
}

/// The second label is asked for with the first, or never: alone it would wait for a first one that nobody gives.
#[tokio::test]
async fn a_second_label_is_never_asked_for_alone() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    let task = play.task("nature", of_dimension("nature")).await;
    play.classified("无人机撞树上了").await;
    read_by_words(&play, &mut boss, &[("hardware.fault", "无人机", 1.0)]).await;
    let closed = play.queue("").await;
    assert_eq!(closed[0].close_reason(), ReviewCloseReason::Reclassified);
    let request = v1::UpdateTaskRequest {
        name: task.name.clone(),
        threshold: task.threshold,
        hold_out_share: task.hold_out_share,
        double_coding_share: Some(1.0),
        ..Default::default()
    };
    play.models().await.update_task(request).await.unwrap();
    let torn = [("hardware.fault", "无人机", 1.0), ("function.crash", "撞树", 1.0)];
    read_by_words(&play, &mut boss, &torn).await;
    assert_eq!(play.queue("").await.len(), 1);
}

/// What a person has said of a text is not lost because a machine is sure of it now: the second label is still asked for.
#[tokio::test]
async fn a_text_that_one_person_has_labelled_still_waits_for_the_second_after_a_reading_anew() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    let twice = v1::Task {
        double_coding_share: 1.0,
        ..of_dimension("nature")
    };
    play.task("nature", twice).await;
    let found = play.classified("无人机撞树上了").await;
    let queue = play.queue("").await;
    let (mut li, mut wang) = (play.reviewer("user:li").await, play.reviewer("user:wang").await);
    let label = "function.crash";
    li.resolve_review_item(resolve(&queue[0].name, label)).await.unwrap();
    read_by_words(&play, &mut boss, &[("hardware.fault", "无人机", 1.0)]).await;
    wang.resolve_review_item(resolve(&queue[1].name, label)).await.unwrap();
    assert_eq!(play.read(&found.name).await.category, label);
}

/// A task whose dimension is gone has no label, not even none of the categories.
#[tokio::test]
async fn a_label_of_a_dimension_that_is_gone_is_refused_at_the_label() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    play.task("module", of_dimension("module")).await;
    play.classified("今天下雨").await;
    let mut taxonomy = builtin(&mut boss).await;
    taxonomy.dimensions.retain(|dimension| dimension.key != "module");
    taxonomy.categories.retain(|category| category.dimension != "module");
    boss.create_taxonomy(create(taxonomy)).await.unwrap();
    boss.activate_taxonomy(activate(1)).await.unwrap();
    let item = play.queue("").await.remove(0);
    let mut li = play.reviewer("user:li").await;
    let none = li.resolve_review_item(resolve(&item.name, "unclassified")).await;
    assert_eq!(refused(none), (Code::InvalidArgument, "CATEGORY_UNKNOWN".to_owned()));
}

/// One person never has both labels of a text in work, also where they ask for both at once.
#[tokio::test(flavor = "multi_thread")]
async fn one_person_who_claims_both_labels_at_once_gets_one() {
    let play = Play::begin().await;
    let twice = v1::Task {
        review_share: 1.0,
        double_coding_share: 1.0,
        ..of_dimension("nature")
    };
    play.task("nature", twice).await;
    play.classified("应用闪退").await;
    let queue = play.queue("").await;
    // Both have looked at the other before either is written.
    let mut owner = sqlx::PgConnection::connect(&play.stage.database_url()).await.unwrap();
    sqlx::raw_sql(
        "CREATE FUNCTION wait_for_the_test() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN PERFORM pg_advisory_xact_lock_shared(4711); RETURN NEW; END $$;
         CREATE TRIGGER wait_for_the_test BEFORE UPDATE ON review_item FOR EACH ROW EXECUTE FUNCTION wait_for_the_test();",
    )
    .execute(&mut owner)
    .await
    .unwrap();
    let mut watcher = sqlx::PgConnection::connect(&play.stage.database_url()).await.unwrap();
    sqlx::query("SELECT pg_advisory_lock(4711)")
        .execute(&mut owner)
        .await
        .unwrap();
    let (mut one, mut other) = (play.reviewer("user:li").await, play.reviewer("user:li").await);
    let open_the_way = async {
        eventually("both wait", LIMIT, async || {
            let waiting: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pg_blocking_pids(pid) <> '{}'",
            )
            .fetch_one(&mut watcher)
            .await
            .unwrap();
            (waiting == 2).then_some(())
        })
        .await;
        sqlx::query("SELECT pg_advisory_unlock(4711)")
            .execute(&mut owner)
            .await
            .unwrap();
    };
    let (first, second, ()) = tokio::join!(
        one.claim_review_item(claim(&queue[0].name)),
        other.claim_review_item(claim(&queue[1].name)),
        open_the_way
    );
    let (got, missed) = if first.is_ok() {
        (first, second)
    } else {
        (second, first)
    };
    assert!(got.is_ok(), "{got:?}");
    assert_eq!(
        refused(missed),
        (Code::FailedPrecondition, "REVIEWED_BY_THE_SAME".to_owned())
    );
}
