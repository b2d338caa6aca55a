//! Any sequence of what people do to problems, and all pages of what is there then (FEATURES 39).

use std::collections::{BTreeMap, BTreeSet};

use huiyin_proto::{classifier::v1, event::v1::ProblemState};
use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::TestRunner,
};
use tonic::Code;
use uuid::Uuid;

use crate::{
    play::{PARENT, Play, refused, violated},
    problem_changes::{adding, made, merging, splitting, unmerging},
    problems::{Problems, accept, feedbacks_of, listed},
};

/// What a person may try next; indices are taken modulo what there is.
#[derive(Debug, Clone)]
enum Try {
    Merge(usize, usize),
    Unmerge(usize),
    Split(usize, usize),
    Move(usize, usize),
}

fn tries() -> impl proptest::strategy::Strategy<Value = Vec<Try>> {
    let at = 0..64_usize;
    proptest::collection::vec(
        proptest::prop_oneof![
            4 => (at.clone(), at.clone()).prop_map(|(into, from)| Try::Merge(into, from)),
            3 => at.clone().prop_map(Try::Unmerge),
            2 => (at.clone(), 1..5_usize).prop_map(|(from, count)| Try::Split(from, count)),
            1 => (at.clone(), at).prop_map(|(to, feedback)| Try::Move(to, feedback)),
        ],
        30,
    )
}

/// Any sequence of merges, unmerges, splits and moves keeps each feedback in exactly one problem, and all that is counted equal to
/// what is there.
#[tokio::test]
async fn whatever_people_do_every_feedback_is_in_exactly_one_problem() {
    let play = Play::begin().await;
    let mut boss = play.problems("user:boss", &["supervisor"]).await;
    let feedbacks = play.crashes("X1", 20, 7);
    play.all_consumed().await;
    let mut names = Vec::new();
    for (at, part) in feedbacks.chunks(5).enumerate() {
        names.push(made(&mut boss, &format!("第{at}个"), part).await.name);
    }
    let mut runner = TestRunner::deterministic();
    let mut done = 0;
    for round in 0..4 {
        for next in tries().new_tree(&mut runner).unwrap().current() {
            let name = |at: usize| names[at % names.len()].clone();
            let answer = match next.clone() {
                Try::Merge(into, from) => boss.merge_problems(merging(&name(into), &[&name(from)])).await,
                Try::Unmerge(at) => boss.unmerge_problem(unmerging(&name(at))).await,
                Try::Split(at, count) => {
                    let there = feedbacks_of(&mut boss, &name(at)).await;
                    let some: Vec<String> = there.into_iter().take(count).map(|member| member.feedback).collect();
                    if some.is_empty() || names.len() >= 12 {
                        continue;
                    }
                    let split = boss.split_problem(splitting(&name(at), &some)).await;
                    names.extend(split.as_ref().ok().map(|split| split.get_ref().name.clone()));
                    split
                }
                Try::Move(to, feedback) => {
                    let one = std::slice::from_ref(&feedbacks[feedback % feedbacks.len()]);
                    boss.add_feedbacks_to_problem(adding(&name(to), one, true)).await
                }
            };
            match answer {
                Ok(_) => done += 1,
                Err(status) => assert!(
                    matches!(status.code(), Code::FailedPrecondition | Code::InvalidArgument),
                    "{next:?}: {status:?}"
                ),
            }
        }
        keeps_all(&mut boss, &feedbacks, round).await;
    }
    assert!(done > 25, "{done} of 120 were possible");
    // When all merges are taken back, each problem has its own alone.
    for name in &names {
        let _merged_or_not = boss.unmerge_problem(unmerging(name)).await;
    }
    for problem in keeps_all(&mut boss, &feedbacks, 9).await {
        let members = feedbacks_of(&mut boss, &problem.name).await;
        assert!(members.iter().all(|member| member.own_problem == problem.name));
    }
    // What was told comes to the same.
    let mut told: BTreeMap<String, String> = BTreeMap::new();
    for problem in listed(&mut boss, "").await {
        let last = play.told_of_problem(&problem).await.pop().unwrap();
        assert_eq!(
            (last.revision, last.feedback_count),
            (problem.revision, problem.feedback_count)
        );
        told.insert(problem.name, last.merged_into);
    }
    assert!(told.values().all(String::is_empty));
}

async fn keeps_all(boss: &mut Problems, feedbacks: &[String], round: usize) -> Vec<v1::Problem> {
    let problems = listed(boss, "").await;
    let mut seen = Vec::new();
    for problem in &problems {
        let members = feedbacks_of(boss, &problem.name).await;
        let customers: BTreeSet<&str> = members.iter().map(|member| member.customer.as_str()).collect();
        assert_eq!(
            problem.feedback_count,
            i64::try_from(members.len()).unwrap(),
            "round {round}"
        );
        assert_eq!(
            problem.customer_count,
            i64::try_from(customers.len()).unwrap(),
            "round {round}"
        );
        assert!(problem.state() != ProblemState::Merged || members.is_empty());
        seen.extend(members.into_iter().map(|member| member.feedback));
    }
    seen.sort();
    let mut all = feedbacks.to_vec();
    all.sort();
    assert_eq!(seen, all, "round {round}");
    problems
}

#[tokio::test]
async fn every_order_pages_through_all_problems_and_every_refusal_says_why() {
    let play = Play::begin().await;
    let mut boss = play.problems("user:boss", &["supervisor"]).await;
    for at in 0..5 {
        let feedbacks = play.crashes("X1", at, 2);
        play.all_consumed().await;
        let create = v1::CreateProblemRequest {
            parent: PARENT.to_owned(),
            problem: Some(v1::Problem {
                title: format!("第{at}个"),
                category: "function.crash".to_owned(),
                ..Default::default()
            }),
            feedbacks,
            ..Default::default()
        };
        boss.create_problem(create).await.unwrap();
    }
    for order in [
        "",
        "create_time",
        "feedback_count desc",
        "customer_count",
        "last_seen_time desc",
    ] {
        let mut seen = Vec::new();
        let mut request = v1::ListProblemsRequest {
            parent: PARENT.to_owned(),
            page_size: 2,
            order_by: order.to_owned(),
            filter: "category : function AND origin = HAND AND state = ACCEPTED".to_owned(),
            ..Default::default()
        };
        loop {
            let page = boss.list_problems(request.clone()).await.unwrap().into_inner();
            seen.extend(page.problems.into_iter().map(|problem| problem.title));
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        seen.sort();
        assert_eq!(seen, ["第0个", "第1个", "第2个", "第3个", "第4个"], "{order}");
    }
    let create = |problem: v1::Problem, feedbacks: Vec<String>| v1::CreateProblemRequest {
        parent: PARENT.to_owned(),
        problem: Some(problem),
        feedbacks,
        ..Default::default()
    };
    let titled = |category: &str| v1::Problem {
        title: "问题".to_owned(),
        category: category.to_owned(),
        ..Default::default()
    };
    assert_eq!(
        violated(boss.create_problem(create(v1::Problem::default(), vec![])).await),
        ["problem.title"]
    );
    assert_eq!(
        refused(boss.create_problem(create(titled("no.such"), vec![])).await).1,
        "CATEGORY_UNKNOWN"
    );
    let missing = vec![format!("{PARENT}/feedbacks/{}", Uuid::nil())];
    assert_eq!(
        refused(boss.create_problem(create(titled(""), missing)).await).1,
        "FEEDBACK_NOT_OF_PROBLEM"
    );
    let nowhere = format!("{PARENT}/problems/{}", Uuid::nil());
    assert_eq!(refused(boss.accept_problem(accept(&nowhere)).await).0, Code::NotFound);
    let mut agent = play.problems("user:li", &["agent"]).await;
    assert_eq!(
        refused(agent.accept_problem(accept(&nowhere)).await).0,
        Code::PermissionDenied
    );
}
