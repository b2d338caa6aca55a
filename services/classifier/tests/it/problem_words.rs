//! The words of problems: what comes up (FEATURES 38), and what is left of them when a customer is erased (001-81, 004-13).

use huiyin_proto::{
    classifier::v1::{self, ProblemOrigin},
    event::v1::{
        EraseCustomerDataRequest, ExportCustomerDataRequest, customer_data_service_client::CustomerDataServiceClient,
    },
};
use huiyin_testkit::eventually;
use jiff::SignedDuration;
use uuid::Uuid;

use crate::{
    play::{LIMIT, PARENT, Play, violated},
    problems::{feedbacks_of, got, listed},
};

/// 000-04: a topic that nobody spoke of before is found, and proposed where enough speak of it.
#[tokio::test]
async fn words_that_were_rare_before_are_a_topic_and_then_a_problem() {
    let play = Play::begin().await;
    let mut boss = play.problems("user:boss", &["supervisor"]).await;
    let policy = boss
        .get_problem_policy(v1::GetProblemPolicyRequest {
            name: format!("{PARENT}/problemPolicy"),
        })
        .await
        .unwrap()
        .into_inner();
    let topics_alone = v1::UpdateProblemPolicyRequest {
        policy: Some(v1::ProblemPolicy {
            propose_groups: false,
            ..policy
        }),
        ..Default::default()
    };
    boss.update_problem_policy(topics_alone).await.unwrap();
    let usual = [
        "物流太慢了，等了很久",
        "客服一直不回复",
        "屏幕颜色不对",
        "打开软件卡顿",
        "退款什么时候到账",
    ];
    for at in 0..60 {
        play.says(1 + at % 20, "X1", usual[(at % 5) as usize]);
    }
    play.all_consumed().await;
    // Shows when new feedback has been looked at.
    let create = v1::CreateProblemRequest {
        parent: PARENT.to_owned(),
        problem: Some(v1::Problem {
            title: "物流慢".to_owned(),
            terms: vec![v1::TellingTerm {
                term: "物流".to_owned(),
                ..Default::default()
            }],
            ..Default::default()
        }),
        ..Default::default()
    };
    let slow = boss.create_problem(create).await.unwrap().into_inner();
    play.stage.clock.advance(SignedDuration::from_hours(24 * 14));
    for at in 0..20 {
        play.says(1 + at % 20, "X1", usual[(at % 5) as usize]);
    }
    for at in 0..12 {
        play.says(
            100 + at % 6,
            "X2",
            ["充电器冒烟了，吓死人", "半夜充电器冒烟", "充电器又冒烟，请尽快处理"][(at % 3) as usize],
        );
    }
    play.all_consumed().await;
    // The end of a stretch of time is exclusive, and the clock stands still.
    play.stage.clock.advance(SignedDuration::from_secs(1));
    let asked = v1::ListEmergingTopicsRequest {
        parent: PARENT.to_owned(),
        ..Default::default()
    };
    let found = boss.list_emerging_topics(asked.clone()).await.unwrap().into_inner();
    assert_eq!(
        (found.feedback_count, found.baseline_count, found.truncated),
        (32, 60, false)
    );
    let [topic] = found.topics.as_slice() else {
        panic!("{found:?}")
    };
    let words: Vec<&str> = topic.terms.iter().map(|term| term.term.as_str()).collect();
    assert!(words.contains(&"冒烟") && words.contains(&"充电器"), "{words:?}");
    assert_eq!(
        (topic.feedback_count, topic.customer_count, topic.baseline_count),
        (12, 6, 0)
    );
    assert_eq!((topic.samples.len(), topic.in_problems), (5, 0));
    assert!(topic.samples[0].excerpt.contains("冒烟"));
    let backwards = v1::ListEmergingTopicsRequest {
        start_time: Some(prost_types::Timestamp {
            seconds: 4_000_000_000,
            nanos: 0,
        }),
        ..asked.clone()
    };
    assert_eq!(violated(boss.list_emerging_topics(backwards).await), ["end_time"]);
    let elsewhere = v1::ListEmergingTopicsRequest {
        category: "logistics".to_owned(),
        ..asked.clone()
    };
    assert!(
        boss.list_emerging_topics(elsewhere)
            .await
            .unwrap()
            .into_inner()
            .topics
            .is_empty()
    );

    play.stage.clock.advance(SignedDuration::from_mins(1));
    eventually("all was looked at", LIMIT, async || {
        let slow = got(&mut boss, &slow.name).await;
        if slow.feedback_count == 16 {
            Ok(())
        } else {
            Err(format!("{slow:?}"))
        }
    })
    .await;
    play.stage.clock.advance(SignedDuration::from_hours(1));
    let topics = "origin = TOPIC";
    let proposed = eventually("a topic is proposed", LIMIT, async || {
        listed(&mut boss, topics).await.pop().ok_or("none yet")
    })
    .await;
    assert_eq!(
        (proposed.origin(), proposed.feedback_count, proposed.customer_count),
        (ProblemOrigin::Topic, 12, 6)
    );
    assert_eq!(proposed.product_model, "X2");
    assert!(proposed.title.contains("冒烟"), "{}", proposed.title);
    let found = boss.list_emerging_topics(asked).await.unwrap().into_inner();
    assert_eq!(found.topics[0].in_problems, 12);
    // Once, however often topics are looked for; and what says the same joins.
    play.says(200, "X2", "充电器冒烟");
    play.all_consumed().await;
    play.stage.clock.advance(SignedDuration::from_hours(2));
    let grown = play.problem_of("X2", |problem| problem.feedback_count == 13).await;
    assert_eq!(grown.name, proposed.name);
    assert_eq!(listed(&mut boss, topics).await.len(), 1);
}

/// What fewer than three others say goes with the customer; what was counted stays.
#[tokio::test]
async fn an_erased_customer_leaves_numbers_and_no_words() {
    let play = Play::begin().await;
    let word = "紫色雨伞";
    let mut theirs = Vec::new();
    for at in 0..12 {
        let customer = 1 + at % 6;
        let text = match customer {
            1..=3 => "打开紫色雨伞相册闪退",
            _ => "打开相册就闪退",
        };
        let submitted = play.says(customer, "X1", text);
        if customer == 1 {
            theirs.push(submitted.feedback.unwrap().feedback);
        }
    }
    play.a_minute_later().await;
    let mut boss = play.problems("user:boss", &["supervisor"]).await;
    let before = play.problem_of("X1", |_| true).await;
    let says = |problem: &v1::Problem| format!("{} {:?}", problem.title, problem.terms).contains("雨伞");
    assert!(before.terms.iter().any(|term| word.contains(&term.term)), "{before:?}");
    assert_eq!((before.feedback_count, before.customer_count), (12, 6));

    let customer = format!("{PARENT}/customers/{}", Uuid::from_u128(1));
    let token = play.stage.service_token("intake");
    let mut data = CustomerDataServiceClient::new(play.stage.connect(play.running.address, &token).await);
    let export = ExportCustomerDataRequest {
        parent: PARENT.to_owned(),
        customers: vec![customer.clone()],
        feedbacks: theirs.clone(),
    };
    let mut answers = data.export_customer_data(export).await.unwrap().into_inner();
    let mut lines = Vec::new();
    while let Some(answer) = answers.message().await.unwrap() {
        lines.extend(answer.lines);
    }
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|line| line.contains(&before.number)), "{lines:?}");

    let erase = EraseCustomerDataRequest {
        parent: PARENT.to_owned(),
        erasure: Uuid::from_u128(5).to_string(),
        part: 0,
        customers: vec![customer.clone()],
        feedbacks: theirs.clone(),
        tables_only: false,
    };
    let erased = eventually("the room is done", LIMIT, async || {
        let answer = data.erase_customer_data(erase.clone()).await.unwrap().into_inner();
        if answer.done {
            Ok(answer)
        } else {
            Err(format!("{answer:?}"))
        }
    })
    .await;
    let count = erased.counts.iter().find(|count| count.kind == "problem_feedback");
    assert_eq!(count.unwrap().count, 2);
    let after = got(&mut boss, &before.name).await;
    assert!(!says(&after), "two others are not enough: {after:?}");
    assert!(after.terms.iter().any(|term| term.term == "闪退"), "{after:?}");
    assert_eq!(
        (after.feedback_count, after.customer_count, after.unknown_customer_count),
        (12, 6, 0)
    );
    let members = feedbacks_of(&mut boss, &before.name).await;
    let of_nobody: Vec<&str> = members
        .iter()
        .filter(|member| theirs.contains(&member.feedback))
        .map(|member| member.customer.as_str())
        .collect();
    assert_eq!(of_nobody, ["", ""]);
    assert!(members.iter().all(|member| member.customer != customer));
    // It goes on counting once when other feedback comes.
    play.says(2, "X1", "打开相册就闪退");
    play.a_minute_later().await;
    let later = play.problem_of("X1", |problem| problem.feedback_count == 13).await;
    assert_eq!(later.customer_count, 6);
}
