//! Calendars, SLA policies and routing policies in their versions, and deadlines worked out by them.

mod deadlines;
mod problems;
mod versions;

use huiyin_proto::{event::v1::StateCategory, scheduler::v1};

use crate::play::{Client, PARENT};

fn hours(all: &[(&str, &str)]) -> Vec<v1::WorkingHours> {
    all.iter()
        .map(|(start, end)| v1::WorkingHours {
            start: (*start).to_owned(),
            end: (*end).to_owned(),
        })
        .collect()
}

fn office() -> Vec<v1::WorkingHours> {
    hours(&[("09:00", "12:00"), ("13:00", "18:00")])
}

fn special(date: &str, display_name: &str, hours: Vec<v1::WorkingHours>) -> v1::SpecialDay {
    v1::SpecialDay {
        date: date.to_owned(),
        display_name: display_name.to_owned(),
        hours,
    }
}

/// The built-in week in Shanghai, with the National Day week of 2026 and its make-up Saturday.
fn calendar(display_name: &str) -> v1::Calendar {
    let mut special_days: Vec<v1::SpecialDay> = (1..=7)
        .map(|day| special(&format!("2026-10-0{day}"), "国庆节", vec![]))
        .collect();
    special_days.push(special("2026-10-10", "国庆节调休", office()));
    v1::Calendar {
        display_name: display_name.to_owned(),
        change_reason: "2026 年国务院放假安排".to_owned(),
        time_zone: "Asia/Shanghai".to_owned(),
        weekly_hours: (1..=5).map(|day| v1::WeeklyHours { day, hours: office() }).collect(),
        special_days,
        ..Default::default()
    }
}

fn elapsed(seconds: i64, basis: v1::TimeBasis) -> Option<v1::SlaTarget> {
    let duration = Some(prost_types::Duration { seconds, nanos: 0 });
    Some(v1::SlaTarget {
        elapsed: Some(v1::Elapsed {
            duration,
            basis: basis.into(),
        }),
        working_days: None,
    })
}

fn working_days(days: i32) -> Option<v1::SlaTarget> {
    Some(v1::SlaTarget {
        elapsed: None,
        working_days: Some(v1::WorkingDays {
            days,
            rule: v1::WorkingDayRule::Unspecified.into(),
        }),
    })
}

fn rule(key: &str, clock: &str, ranks: &[i32], target: Option<v1::SlaTarget>) -> v1::SlaRule {
    let condition = v1::Condition {
        priority_ranks: ranks.to_vec(),
        ..Default::default()
    };
    v1::SlaRule {
        key: key.to_owned(),
        condition: Some(condition),
        clock: clock.to_owned(),
        target,
        warn_percent: 50,
    }
}

/// A policy of one clock: `resolve`, 3 working days, paused while waiting.
fn sla_policy() -> v1::SlaPolicy {
    v1::SlaPolicy {
        display_name: "P0 三个工作日".to_owned(),
        change_reason: "001".to_owned(),
        clocks: vec![v1::SlaClockDefinition {
            key: "resolve".to_owned(),
            display_name: "解决".to_owned(),
            pause_in: vec![StateCategory::Waiting.into()],
            every_episode: true,
            ..Default::default()
        }],
        rules: vec![rule("all", "resolve", &[], working_days(3))],
        ..Default::default()
    }
}

fn routing_policy(team: &str) -> v1::RoutingPolicy {
    v1::RoutingPolicy {
        display_name: "按产品".to_owned(),
        change_reason: "000-28".to_owned(),
        rules: vec![v1::RoutingRule {
            key: "all".to_owned(),
            team: team.to_owned(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

async fn create_calendar(client: &mut Client, calendar: v1::Calendar) -> v1::Calendar {
    let request = v1::CreateCalendarRequest {
        parent: PARENT.to_owned(),
        calendar: Some(calendar),
        ..Default::default()
    };
    client.create_calendar(request).await.unwrap().into_inner()
}

async fn activate_calendar(client: &mut Client, version: i32) -> v1::Calendar {
    let request = v1::ActivateCalendarRequest {
        name: format!("{PARENT}/calendars/{version}"),
        ..Default::default()
    };
    client.activate_calendar(request).await.unwrap().into_inner()
}

async fn get_calendar(client: &mut Client, id: &str) -> v1::Calendar {
    client
        .get_calendar(v1::GetCalendarRequest {
            name: format!("{PARENT}/calendars/{id}"),
        })
        .await
        .unwrap()
        .into_inner()
}
