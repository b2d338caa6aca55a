//! Deadlines: warned of, breached, paused, explained, each exactly as the log says.

use huiyin_proto::{
    event::v1::SlaMark,
    scheduler::v1::{self, SlaClockAction, SlaClockState},
};
use huiyin_testkit::eventually;
use jiff::SignedDuration;

use crate::play::{LIMIT, Play, agent, classified, clock, get, seconds, solution};

fn marks(order: &v1::WorkOrder, key: &str) -> Vec<SlaMark> {
    clock(order, key).marks.iter().map(|mark| mark.mark()).collect()
}

async fn marked(play: &Play, name: &str, key: &str, wanted: &[SlaMark]) -> v1::WorkOrder {
    let mut boss = play.boss().await;
    eventually("the clock is marked", LIMIT, async || {
        let order = get(&mut boss, name).await;
        let found = marks(&order, key);
        if found == wanted {
            Ok(order)
        } else {
            Err(format!("{found:?}"))
        }
    })
    .await
}

/// 003-42: a warning at 80 percent, a breach at the deadline, each exactly once, though two rooms look at the same timers.
#[tokio::test]
async fn a_warning_and_a_breach_come_once_though_two_rooms_look() {
    let play = Play::begin().await;
    let second = play.second_room().await;
    let order = play.open(&classified("f1")).await;
    assert!(marks(&order, "acknowledge").is_empty());

    // acknowledge: 2 h, warned of at 1 h 36 min.
    play.advance(SignedDuration::from_mins(96));
    let warned = marked(&play, &order.name, "acknowledge", &[SlaMark::Warned]).await;
    assert!(!warned.breached);
    assert_ne!(warned.etag, order.etag, "a warning is a change");
    play.advance(SignedDuration::from_mins(24));
    let breached = marked(&play, &order.name, "acknowledge", &[SlaMark::Warned, SlaMark::Breached]).await;
    assert!(breached.breached);
    // Far beyond all deadlines of the first day: everything that is due comes, and nothing twice.
    play.advance(SignedDuration::from_hours(23));
    let all = [SlaMark::Warned, SlaMark::Breached];
    marked(&play, &order.name, "resolve", &all).await;
    marked(&play, &order.name, "first_response", &all).await;
    let told = play.told_in_short(&order.name, 8).await;
    let mut sorted = told.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(sorted.len(), told.len(), "nothing is told twice: {told:?}");
    assert_eq!(told[2..4], ["acknowledge warned", "acknowledge breached"]);

    // A clock that stops after its time says so, once.
    let mut boss = play.boss().await;
    let late = boss
        .acknowledge_work_order(v1::AcknowledgeWorkOrderRequest {
            name: order.name.clone(),
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        marks(&late, "acknowledge"),
        [SlaMark::Warned, SlaMark::Breached, SlaMark::StoppedLate]
    );
    second.stop().await.unwrap();
}

/// A clock that was stopped in time never warns or breaches, however late it gets.
#[tokio::test]
async fn what_was_met_does_not_breach_later() {
    let play = Play::begin().await;
    let order = play.open(&classified("f1")).await;
    let mut boss = play.boss().await;
    boss.acknowledge_work_order(v1::AcknowledgeWorkOrderRequest {
        name: order.name.clone(),
        ..Default::default()
    })
    .await
    .unwrap();
    play.advance(SignedDuration::from_hours(30));
    let later = marked(&play, &order.name, "resolve", &[SlaMark::Warned, SlaMark::Breached]).await;
    assert_eq!(marks(&later, "acknowledge"), [SlaMark::Met]);
}

/// Waiting moves the deadline by exactly as long as it lasts, and no warning comes in the meantime.
#[tokio::test]
async fn a_pause_moves_the_deadline_exactly() {
    let play = Play::begin().await;
    play.team("software").await;
    play.agent("li-wei", agent("user:li.wei", "software", &[("software", 4)]))
        .await;
    let order = play.open(&classified("f1")).await;
    let name = order.name.clone();
    let mut li = play.client("user:li.wei", "acme", &["engineer"]).await;
    let due = seconds(clock(&order, "resolve").due_time);
    li.start_work_order(v1::StartWorkOrderRequest {
        name: name.clone(),
        ..Default::default()
    })
    .await
    .unwrap();
    li.note_progress(v1::NoteProgressRequest {
        name: name.clone(),
        stage: v1::WorkOrderStage::Contacted.into(),
        ..Default::default()
    })
    .await
    .unwrap();
    play.advance(SignedDuration::from_hours(3));
    let held = li
        .hold_work_order(v1::HoldWorkOrderRequest {
            name: name.clone(),
            reason: "等配件".to_owned(),
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(clock(&held, "resolve").state(), SlaClockState::Paused);
    assert!(clock(&held, "resolve").warn_time.is_none() && held.next_due_time.is_none());
    play.advance(SignedDuration::from_hours(50));
    let waiting = get(&mut li, &name).await;
    assert_eq!(seconds(waiting.due_time), due + 50 * 3600, "as if it went on now");
    let resumed = li
        .resume_work_order(v1::ResumeWorkOrderRequest {
            name: name.clone(),
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(seconds(resumed.due_time), due + 50 * 3600);
    assert_eq!(seconds(resumed.next_due_time), due + 50 * 3600);
    assert!(
        marks(&resumed, "resolve").is_empty(),
        "the timer of the old deadline marks nothing"
    );

    // And the new deadline holds: nothing just before its warning, the warning at it.
    play.advance(SignedDuration::from_secs(24 * 3600 * 8 / 10 - 3 * 3600));
    let warned = marked(&play, &name, "resolve", &[SlaMark::Warned]).await;
    assert_eq!(clock(&warned, "resolve").marks[0].due_time, warned.due_time);

    let explained = li
        .explain_deadline(v1::ExplainDeadlineRequest {
            name: format!("{name}/slaClocks/resolve"),
            episode: 0,
        })
        .await
        .unwrap()
        .into_inner();
    let actions: Vec<SlaClockAction> = explained.log.iter().map(|entry| entry.action()).collect();
    assert_eq!(
        actions,
        [SlaClockAction::Start, SlaClockAction::Pause, SlaClockAction::Resume]
    );
    assert_eq!(explained.log[1].cause, "ACTIVE to WAITING");
    assert_eq!(explained.log[1].actor, "user:li.wei");
    let counted: i64 = explained
        .segments
        .iter()
        .map(|segment| segment.counted.unwrap().seconds)
        .sum();
    assert_eq!(counted, 24 * 3600, "what counts adds up to the target");
    assert_eq!(seconds(explained.clock.unwrap().due_time), due + 50 * 3600);
    assert!(
        explained.sentence.starts_with("Due 2026-03-05 11:00"),
        "{}",
        explained.sentence
    );
    assert_eq!(explained.episode, 1);

    let solved = li
        .resolve_work_order(v1::ResolveWorkOrderRequest {
            name: name.clone(),
            resolution: solution(),
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(marks(&solved, "resolve"), [SlaMark::Warned, SlaMark::Met]);
}

/// An answer in the caller's language; a clock that is not there is not found.
#[tokio::test]
async fn an_explanation_speaks_the_callers_language() {
    let play = Play::begin().await;
    let order = play.open(&classified("f1")).await;
    let mut boss = play.boss().await;
    let mut request = tonic::Request::new(v1::ExplainDeadlineRequest {
        name: format!("{}/slaClocks/acknowledge", order.name),
        episode: 1,
    });
    request
        .metadata_mut()
        .insert("accept-language", "zh-CN".parse().unwrap());
    let explained = boss.explain_deadline(request).await.unwrap().into_inner();
    assert!(explained.sentence.contains("截止时间"), "{}", explained.sentence);
    for (key, episode) in [("no_such", 0), ("acknowledge", 2)] {
        let missing = boss
            .explain_deadline(v1::ExplainDeadlineRequest {
                name: format!("{}/slaClocks/{key}", order.name),
                episode,
            })
            .await;
        crate::play::refused(missing, tonic::Code::NotFound, "RESOURCE_NOT_FOUND");
    }
}
