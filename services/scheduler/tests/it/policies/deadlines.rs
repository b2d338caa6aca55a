//! Deadlines worked out on request, and the versions that work orders go by.

use huiyin_chassis::sql;
use huiyin_proto::scheduler::v1;
use jiff::Timestamp;
use tonic::{Code, Request};

use super::{activate_calendar, calendar, create_calendar, elapsed, hours, sla_policy, special, working_days};
use crate::play::{Client, PARENT, Play, classified, clock, get, refused, violated};

fn time(text: &str) -> Option<prost_types::Timestamp> {
    Some(sql::to_proto(text.parse().unwrap()))
}

fn text(time: Option<&prost_types::Timestamp>) -> String {
    sql::from_proto(time)
        .map(|time: Timestamp| time.to_string())
        .unwrap_or_default()
}

fn question(start: &str, target: Option<v1::SlaTarget>) -> v1::ComputeDeadlineRequest {
    v1::ComputeDeadlineRequest {
        parent: PARENT.to_owned(),
        start_time: time(start),
        target,
        ..Default::default()
    }
}

async fn due(client: &mut Client, question: v1::ComputeDeadlineRequest) -> String {
    text(
        client
            .compute_deadline(question)
            .await
            .unwrap()
            .into_inner()
            .due_time
            .as_ref(),
    )
}

/// 003-71, 002-31, 000-31 over the National Day week (§J); Shanghai is eight hours ahead.
#[tokio::test]
async fn a_deadline_goes_by_the_calendar_that_is_asked_for() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    create_calendar(&mut boss, calendar("2026")).await;
    let start = "2026-09-30T02:00:00Z";
    let with = |version, target| v1::ComputeDeadlineRequest {
        calendar_version: version,
        ..question(start, target)
    };

    // Not activated yet: the built-in one is in effect, and knows no holidays.
    assert_eq!(
        due(&mut boss, with(None, working_days(3))).await,
        "2026-10-05T10:00:00Z"
    );
    assert_eq!(
        due(&mut boss, with(Some(1), working_days(3))).await,
        "2026-10-10T10:00:00Z"
    );
    activate_calendar(&mut boss, 1).await;
    assert_eq!(
        due(&mut boss, with(None, working_days(3))).await,
        "2026-10-10T10:00:00Z"
    );
    assert_eq!(
        due(&mut boss, with(Some(0), working_days(7))).await,
        "2026-10-09T10:00:00Z"
    );
    assert_eq!(
        due(&mut boss, with(None, working_days(7))).await,
        "2026-10-15T10:00:00Z"
    );
    for hours in [8, 24, 48] {
        let wanted = start.parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_hours(hours);
        assert_eq!(
            due(&mut boss, with(None, elapsed(hours * 3600, v1::TimeBasis::Calendar))).await,
            wanted.to_string()
        );
    }
    assert_eq!(
        due(&mut boss, with(None, elapsed(8 * 3600, v1::TimeBasis::Business))).await,
        "2026-10-08T02:00:00Z"
    );
}

#[tokio::test]
async fn a_calendar_can_be_tried_out_without_being_stored() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    let mut berlin = calendar("Berlin");
    berlin.time_zone = "Europe/Berlin".to_owned();
    berlin.weekly_hours = vec![v1::WeeklyHours {
        day: 7,
        hours: hours(&[("01:00", "04:00")]),
    }];
    let question = v1::ComputeDeadlineRequest {
        calendar: Some(berlin.clone()),
        warn_percent: 50,
        ..question("2026-03-28T12:00:00Z", elapsed(2 * 3600, v1::TimeBasis::Business))
    };
    let answer = boss.compute_deadline(question.clone()).await.unwrap().into_inner();
    // From 02:00 to 03:00 there is no time that night.
    assert_eq!(
        (text(answer.warn_time.as_ref()), text(answer.due_time.as_ref())),
        ("2026-03-29T01:00:00Z".to_owned(), "2026-03-29T02:00:00Z".to_owned())
    );
    assert_eq!(answer.calendar_version, None);

    berlin.special_days.push(special("2026-02-30", "", vec![]));
    let status = boss
        .compute_deadline(v1::ComputeDeadlineRequest {
            calendar: Some(berlin),
            ..question.clone()
        })
        .await
        .unwrap_err();
    assert_eq!(violated(&status), ["calendar.special_days[8].date"]);
    let both = v1::ComputeDeadlineRequest {
        calendar_version: Some(0),
        ..question
    };
    refused(
        boss.compute_deadline(both).await,
        Code::InvalidArgument,
        "FIELDS_INVALID",
    );
}

#[tokio::test]
async fn pauses_are_left_out_and_every_stretch_is_told_in_the_callers_language() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    create_calendar(&mut boss, calendar("2026")).await;
    activate_calendar(&mut boss, 1).await;
    let pause = |start: &str, end: &str| v1::Pause {
        start_time: time(start),
        end_time: time(end),
    };
    let question = v1::ComputeDeadlineRequest {
        pauses: vec![
            pause("2026-09-30T06:00:00Z", "2026-09-30T08:00:00Z"),
            pause("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"),
        ],
        warn_percent: 80,
        ..question("2026-09-30T03:00:00Z", elapsed(8 * 3600, v1::TimeBasis::Business))
    };
    let mut request = Request::new(question);
    request
        .metadata_mut()
        .insert("accept-language", "zh-CN".parse().unwrap());
    let answer = boss.compute_deadline(request).await.unwrap().into_inner();
    // 1 h before lunch, 1 h after it, 2 h after the pause, then the week, and 4 h more.
    assert_eq!(
        (text(answer.due_time.as_ref()), answer.calendar_version),
        ("2026-10-08T06:00:00Z".to_owned(), Some(1))
    );
    assert_eq!(text(answer.warn_time.as_ref()), "2026-10-08T03:24:00Z");
    assert_eq!(
        answer.sentence,
        "截止时间 2026-10-08 14:00（Asia/Shanghai）：自 2026-09-30 11:00 起 8 小时（工作时间）；其间暂停 2 小时。"
    );
    let told: Vec<(i64, &str)> = answer
        .segments
        .iter()
        .map(|segment| (segment.counted.unwrap().seconds / 60, segment.note.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (60, "working time"),
            (0, "not working time"),
            (60, "working time"),
            (0, "paused"),
            (120, "working time"),
            (0, "国庆节"),
            (180, "working time"),
            (0, "not working time"),
            (60, "working time"),
        ]
    );
    assert_eq!(
        answer.segments.first().unwrap().start_time,
        time("2026-09-30T03:00:00Z")
    );
    assert_eq!(answer.segments.last().unwrap().end_time, answer.due_time);
    for pair in answer.segments.windows(2) {
        assert_eq!(pair[0].end_time, pair[1].start_time, "no hole");
    }
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_refused_with_every_field() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    let pause = |start: &str, end: &str| v1::Pause {
        start_time: time(start),
        end_time: time(end),
    };
    let wrong = v1::ComputeDeadlineRequest {
        pauses: vec![
            pause("2026-03-01T00:00:00Z", "2026-03-03T00:00:00Z"),
            pause("2026-03-02T12:00:00Z", "2026-03-04T00:00:00Z"),
            pause("2026-03-06T00:00:00Z", "2026-03-05T00:00:00Z"),
        ],
        ..question("2026-03-02T00:00:00Z", working_days(3))
    };
    assert_eq!(
        violated(&boss.compute_deadline(wrong).await.unwrap_err()),
        ["pauses[0].start_time", "pauses[1].start_time", "pauses[2].end_time"]
    );
    let timeless = v1::ComputeDeadlineRequest {
        start_time: Some(prost_types::Timestamp {
            seconds: i64::MAX,
            nanos: -1,
        }),
        ..question("2026-03-02T00:00:00Z", working_days(3))
    };
    assert_eq!(
        violated(&boss.compute_deadline(timeless).await.unwrap_err()),
        ["start_time"]
    );

    let missing = v1::ComputeDeadlineRequest {
        calendar_version: Some(7),
        ..question("2026-03-02T00:00:00Z", working_days(3))
    };
    refused(
        boss.compute_deadline(missing).await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
    let mut lazy = calendar("a minute a week");
    lazy.weekly_hours = vec![v1::WeeklyHours {
        day: 1,
        hours: hours(&[("09:00", "09:01")]),
    }];
    let far = v1::ComputeDeadlineRequest {
        calendar: Some(lazy),
        ..question("2026-03-02T00:00:00Z", elapsed(24 * 3600, v1::TimeBasis::Business))
    };
    refused(
        boss.compute_deadline(far).await,
        Code::FailedPrecondition,
        "DEADLINE_OUT_OF_REACH",
    );
    let end_of_time = question("9999-12-30T00:00:00Z", working_days(3));
    refused(
        boss.compute_deadline(end_of_time).await,
        Code::FailedPrecondition,
        "DEADLINE_OUT_OF_REACH",
    );
    let mut other = play.client("user:eve", "other", &["supervisor"]).await;
    refused(
        other
            .compute_deadline(question("2026-03-02T00:00:00Z", working_days(3)))
            .await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
}

/// A version that is activated later leaves the clocks that run as they are.
#[tokio::test]
async fn a_work_order_goes_by_the_versions_that_were_active_when_it_was_opened() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    create_calendar(&mut boss, calendar("2026")).await;
    activate_calendar(&mut boss, 1).await;
    let policy = v1::CreateSlaPolicyRequest {
        parent: PARENT.to_owned(),
        sla_policy: Some(sla_policy()),
        ..Default::default()
    };
    let policy = boss.create_sla_policy(policy).await.unwrap().into_inner();
    boss.activate_sla_policy(v1::ActivateSlaPolicyRequest {
        name: policy.name,
        ..Default::default()
    })
    .await
    .unwrap();

    let early = play.open(&classified("early")).await;
    let resolve = clock(&early, "resolve");
    assert_eq!(
        (
            resolve.rule.as_str(),
            resolve.policy_version,
            resolve.calendar_version,
            early.sla_clocks.len()
        ),
        ("all", 1, 1, 1)
    );
    // Three working days after Monday, 2 March 2026.
    assert_eq!(text(early.due_time.as_ref()), "2026-03-05T10:00:00Z");

    let back = v1::ActivateSlaPolicyRequest {
        name: format!("{PARENT}/slaPolicies/0"),
        ..Default::default()
    };
    boss.activate_sla_policy(back).await.unwrap();
    assert_eq!(get(&mut boss, &early.name).await.due_time, early.due_time);
    let late = play.open(&classified("late")).await;
    assert_eq!((clock(&late, "resolve").policy_version, late.sla_clocks.len()), (0, 3));

    let explain = v1::ExplainDeadlineRequest {
        name: format!("{}/slaClocks/resolve", early.name),
        ..Default::default()
    };
    let explained = boss.explain_deadline(explain).await.unwrap().into_inner();
    assert_eq!(explained.log.len(), 1);
    assert_eq!(
        (
            explained.log[0].rule.as_str(),
            explained.log[0].policy_version,
            explained.log[0].calendar_version
        ),
        ("all", 1, 1)
    );
    assert!(
        explained
            .sentence
            .ends_with("by rule all of SLA policy 1 and calendar 1."),
        "{}",
        explained.sentence
    );
    assert_eq!(explained.segments.last().unwrap().end_time, early.due_time);
}
