//! What people do to problems: merge, take apart, split, move feedback; nothing is lost, and nothing is counted twice (FEATURES 39).

use std::collections::BTreeSet;

use huiyin_proto::{classifier::v1, event::v1::ProblemState};
use tonic::Code;
use uuid::Uuid;

use crate::{
    play::{PARENT, Play, refused, violated},
    problems::{Problems, accept, feedbacks_of, got},
};

/// Somebody makes a problem of some feedbacks.
pub(crate) async fn made(client: &mut Problems, title: &str, feedbacks: &[String]) -> v1::Problem {
    let create = v1::CreateProblemRequest {
        parent: PARENT.to_owned(),
        problem: Some(v1::Problem {
            title: title.to_owned(),
            ..Default::default()
        }),
        feedbacks: feedbacks.to_vec(),
        ..Default::default()
    };
    client.create_problem(create).await.unwrap().into_inner()
}

pub(crate) fn merging(target: &str, sources: &[&str]) -> v1::MergeProblemsRequest {
    v1::MergeProblemsRequest {
        name: target.to_owned(),
        sources: sources.iter().map(|name| (*name).to_owned()).collect(),
        ..Default::default()
    }
}

pub(crate) fn unmerging(name: &str) -> v1::UnmergeProblemRequest {
    v1::UnmergeProblemRequest {
        name: name.to_owned(),
        ..Default::default()
    }
}

pub(crate) fn splitting(name: &str, feedbacks: &[String]) -> v1::SplitProblemRequest {
    v1::SplitProblemRequest {
        name: name.to_owned(),
        feedbacks: feedbacks.to_vec(),
        title: "另一个".to_owned(),
        ..Default::default()
    }
}

pub(crate) fn adding(name: &str, feedbacks: &[String], moves: bool) -> v1::AddFeedbacksToProblemRequest {
    v1::AddFeedbacksToProblemRequest {
        name: name.to_owned(),
        feedbacks: feedbacks.to_vec(),
        r#move: moves,
        ..Default::default()
    }
}

fn removing(name: &str, feedbacks: &[String]) -> v1::RemoveFeedbacksFromProblemRequest {
    v1::RemoveFeedbacksFromProblemRequest {
        name: name.to_owned(),
        feedbacks: feedbacks.to_vec(),
        ..Default::default()
    }
}

/// A customer who says both counts once while they are one, and once for each when they are not.
#[tokio::test]
async fn a_merge_counts_every_feedback_and_customer_once_and_can_be_taken_back() {
    let play = Play::begin().await;
    let mut boss = play.problems("user:boss", &["supervisor"]).await;
    let first = play.crashes("X1", 10, 5);
    play.a_minute_later().await;
    let group = play.problem_of("X1", |_| true).await;
    let second: Vec<String> = [3, 4, 9, 0]
        .map(|customer| play.says(customer, "X9", "屏幕发热").feedback.unwrap().feedback)
        .to_vec();
    play.all_consumed().await;
    let other = made(&mut boss, "发热", &second).await;
    assert_eq!(
        (
            other.state(),
            other.feedback_count,
            other.customer_count,
            other.unknown_customer_count
        ),
        (ProblemState::Accepted, 4, 3, 1)
    );

    let request = v1::MergeProblemsRequest {
        reason: "同一个问题".to_owned(),
        request_id: Uuid::from_u128(1).to_string(),
        ..merging(&other.name, &[&group.name])
    };
    let merged = boss.merge_problems(request.clone()).await.unwrap().into_inner();
    assert_eq!(
        boss.merge_problems(request).await.unwrap().into_inner(),
        merged,
        "AIP-155"
    );
    assert_eq!(
        (
            merged.feedback_count,
            merged.customer_count,
            merged.unknown_customer_count
        ),
        (14, 6, 1)
    );
    let gone = got(&mut boss, &group.name).await;
    assert_eq!(
        (gone.state(), gone.feedback_count, gone.merged_into.as_str()),
        (ProblemState::Merged, 0, other.name.as_str())
    );
    // What fits the one counts for the other.
    play.crashes("X1", 2, 2);
    play.a_minute_later().await;
    huiyin_testkit::eventually("the new ones count there", crate::play::LIMIT, async || {
        let now = got(&mut boss, &other.name).await;
        if now.feedback_count == 16 {
            Ok(())
        } else {
            Err(format!("{now:?}"))
        }
    })
    .await;
    let own: BTreeSet<String> = feedbacks_of(&mut boss, &other.name)
        .await
        .into_iter()
        .map(|member| member.own_problem)
        .collect();
    assert_eq!(own, BTreeSet::from([group.name.clone(), other.name.clone()]));

    let back = boss.unmerge_problem(unmerging(&group.name)).await.unwrap().into_inner();
    assert_eq!(
        (
            back.state(),
            back.feedback_count,
            back.customer_count,
            back.merged_into.as_str()
        ),
        (ProblemState::Proposed, 12, 5, "")
    );
    let left = got(&mut boss, &other.name).await;
    assert_eq!((left.feedback_count, left.customer_count), (4, 3));
    let there: BTreeSet<String> = feedbacks_of(&mut boss, &group.name)
        .await
        .into_iter()
        .map(|member| member.feedback)
        .collect();
    assert!(first.iter().all(|feedback| there.contains(feedback)));

    let refusals = [
        refused(boss.unmerge_problem(unmerging(&group.name)).await).1,
        refused(
            boss.merge_problems(merging(&group.name, &[&format!("{PARENT}/problems/{}", Uuid::nil())]))
                .await,
        )
        .1,
    ];
    assert_eq!(refusals, ["PROBLEM_STATE_FORBIDS", "RESOURCE_NOT_FOUND"]);
    assert_eq!(
        violated(boss.merge_problems(merging(&group.name, &[&group.name])).await),
        ["sources[0]"]
    );
}

#[tokio::test]
async fn feedback_belongs_to_one_problem_at_most() {
    let play = Play::begin().await;
    let mut boss = play.problems("user:boss", &["supervisor"]).await;
    let feedbacks = play.crashes("X1", 6, 3);
    play.all_consumed().await;
    let first = made(&mut boss, "一", &feedbacks[..4]).await;
    let second = made(&mut boss, "二", &feedbacks[4..]).await;
    let mut agent = play.problems("user:li", &["agent"]).await;
    let held = agent
        .add_feedbacks_to_problem(adding(&second.name, &feedbacks[3..5], false))
        .await;
    assert_eq!(
        refused(held),
        (Code::FailedPrecondition, "FEEDBACK_IN_OTHER_PROBLEM".to_owned())
    );
    let moved = agent
        .add_feedbacks_to_problem(adding(&second.name, &feedbacks[3..5], true))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (moved.feedback_count, got(&mut boss, &first.name).await.feedback_count),
        (3, 3)
    );
    let told = play.told_of_problem(&moved).await;
    assert_eq!(
        told.last().unwrap().added_feedbacks,
        feedbacks[3..4],
        "what was there is not new"
    );

    let strange = agent
        .remove_feedbacks_from_problem(removing(&first.name, &feedbacks[4..]))
        .await;
    assert_eq!(
        refused(strange),
        (Code::InvalidArgument, "FEEDBACK_NOT_OF_PROBLEM".to_owned())
    );
    let removed = agent
        .remove_feedbacks_from_problem(removing(&first.name, &feedbacks[..1]))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(removed.feedback_count, 2);
    let told = play.told_of_problem(&removed).await;
    assert_eq!(told.last().unwrap().removed_feedbacks, feedbacks[..1]);

    // A rejected one lets them go.
    let reject = v1::RejectProblemRequest {
        name: second.name.clone(),
        reason: "不是问题".to_owned(),
        ..Default::default()
    };
    boss.reject_problem(reject).await.unwrap();
    let taken = agent
        .add_feedbacks_to_problem(adding(&first.name, &feedbacks[5..], false))
        .await
        .unwrap();
    assert_eq!(taken.into_inner().feedback_count, 3);

    let update = |problem: v1::Problem, paths: &[&str]| v1::UpdateProblemRequest {
        problem: Some(v1::Problem {
            name: first.name.clone(),
            ..problem
        }),
        update_mask: Some(prost_types::FieldMask {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        }),
        ..Default::default()
    };
    let given = v1::Problem {
        title: "相册闪退，见 13912345678".to_owned(),
        category: "function.crash".to_owned(),
        terms: vec![v1::TellingTerm {
            term: "相冊".to_owned(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let paths = ["title", "category", "terms"];
    let updated = boss
        .update_problem(update(given.clone(), &paths))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (updated.title.as_str(), updated.category.as_str()),
        ("相册闪退，见 [手机号]", "function.crash")
    );
    let [term] = updated.terms.as_slice() else {
        panic!("{updated:?}")
    };
    assert_eq!((term.term.as_str(), term.given), ("相册", true));
    let stale = v1::Problem {
        etag: "1".to_owned(),
        ..given.clone()
    };
    assert_eq!(
        refused(boss.update_problem(update(stale, &paths)).await).1,
        "ETAG_MISMATCH"
    );
    assert_eq!(
        violated(boss.update_problem(update(given, &["state"])).await),
        ["update_mask"]
    );
    // By the word that was given, what comes later joins.
    play.says(9, "X7", "相册里照片不见了，闪退");
    play.a_minute_later().await;
    huiyin_testkit::eventually("it joins", crate::play::LIMIT, async || {
        let now = got(&mut boss, &first.name).await;
        if now.feedback_count == 4 {
            Ok(())
        } else {
            Err(format!("{now:?}"))
        }
    })
    .await;
}

#[tokio::test]
async fn a_split_takes_its_feedback_for_good() {
    let play = Play::begin().await;
    let mut boss = play.problems("user:boss", &["supervisor"]).await;
    let feedbacks = play.crashes("X1", 10, 5);
    play.a_minute_later().await;
    let group = play.problem_of("X1", |_| true).await;
    boss.accept_problem(accept(&group.name)).await.unwrap();
    let other = made(&mut boss, "另", &[]).await;
    boss.merge_problems(merging(&other.name, &[&group.name])).await.unwrap();
    let split = boss
        .split_problem(splitting(&other.name, &feedbacks[..3]))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (split.feedback_count, split.customer_count, split.state()),
        (3, 3, ProblemState::Accepted)
    );
    let back = boss.unmerge_problem(unmerging(&group.name)).await.unwrap().into_inner();
    assert_eq!((back.feedback_count, back.state()), (7, ProblemState::Accepted));
    let reason = &got(&mut boss, &split.name).await.transitions[0].reason;
    assert_eq!(*reason, format!("of {}", other.name));
    let strange = boss.split_problem(splitting(&back.name, &feedbacks[..1])).await;
    assert_eq!(refused(strange).1, "FEEDBACK_NOT_OF_PROBLEM");
}
