//! What is refused when a version is made: every entry that does not fit, at once.

use huiyin_proto::{event::v1::StateCategory, scheduler::v1};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::{calendar, elapsed, hours, office, routing_policy, rule, sla_policy, special, working_days};
use crate::play::{Client, PARENT, Play, metadata, refused, violated};

async fn refused_calendar(client: &mut Client, calendar: v1::Calendar) -> Vec<String> {
    let request = v1::CreateCalendarRequest {
        parent: PARENT.to_owned(),
        calendar: Some(calendar),
        ..Default::default()
    };
    violated(&client.create_calendar(request).await.unwrap_err())
}

async fn refused_policy(client: &mut Client, policy: v1::SlaPolicy) -> Vec<String> {
    let request = v1::CreateSlaPolicyRequest {
        parent: PARENT.to_owned(),
        sla_policy: Some(policy),
        ..Default::default()
    };
    violated(&client.create_sla_policy(request).await.unwrap_err())
}

async fn refused_routing(client: &mut Client, policy: v1::RoutingPolicy) -> Status {
    let request = v1::CreateRoutingPolicyRequest {
        parent: PARENT.to_owned(),
        routing_policy: Some(policy),
        ..Default::default()
    };
    client.create_routing_policy(request).await.unwrap_err()
}

#[tokio::test]
async fn a_calendar_is_refused_with_every_entry_that_does_not_fit() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    let mut wrong = calendar("wrong");
    wrong.time_zone = "Asia/Peking".to_owned();
    wrong.weekly_hours[1].day = 1;
    wrong.weekly_hours[2].hours = hours(&[("09:00", "12:00"), ("11:00", "18:00")]);
    wrong.weekly_hours[3].hours = hours(&[("18:00", "09:00")]);
    wrong.special_days = vec![
        special("2026-02-30", "", vec![]),
        special("2026-10-01", "", vec![]),
        special("2026-10-01", "", office()),
    ];
    assert_eq!(
        refused_calendar(&mut boss, wrong).await,
        [
            "calendar.time_zone",
            "calendar.weekly_hours[1].day",
            "calendar.weekly_hours[2].hours[1].start",
            "calendar.weekly_hours[3].hours[0].end",
            "calendar.special_days[0].date",
            "calendar.special_days[2].date",
        ]
    );
    // And the rules of the proto, before.
    let shapeless = v1::Calendar {
        weekly_hours: vec![v1::WeeklyHours {
            day: 8,
            hours: hours(&[("9:00", "24:30")]),
        }],
        special_days: vec![special("tomorrow", "", vec![])],
        ..calendar("")
    };
    let fields = refused_calendar(&mut boss, shapeless).await;
    for field in [
        "calendar.display_name",
        "calendar.weekly_hours[0].day",
        "calendar.weekly_hours[0].hours[0].start",
        "calendar.special_days[0].date",
    ] {
        assert!(fields.iter().any(|found| found == field), "{field} in {fields:?}");
    }
}

#[tokio::test]
async fn an_sla_policy_is_refused_with_every_entry_that_does_not_fit() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    let mut wrong = sla_policy();
    let mut both = wrong.clocks[0].clone();
    both.stop_in = vec![StateCategory::Waiting.into()];
    wrong.clocks.push(both);
    wrong.rules.push(rule("all", "missing", &[], working_days(1)));
    wrong
        .rules
        .push(rule("urgent", "resolve", &[0], elapsed(3600, v1::TimeBasis::Business)));
    assert_eq!(
        refused_policy(&mut boss, wrong).await,
        [
            "sla_policy.clocks[1].key",
            "sla_policy.clocks[1].pause_in",
            "sla_policy.rules[1].key",
            "sla_policy.rules[1].clock",
            "sla_policy.rules[2].condition"
        ]
    );
    // A target that says nothing, or two things, or no time (C-06).
    for target in [
        Some(v1::SlaTarget::default()),
        elapsed(0, v1::TimeBasis::Business),
        elapsed(3600, v1::TimeBasis::Unspecified),
        working_days(0),
        working_days(367),
    ] {
        let wrong = v1::SlaPolicy {
            rules: vec![rule("all", "resolve", &[], target)],
            ..sla_policy()
        };
        let fields = refused_policy(&mut boss, wrong).await;
        assert!(
            fields
                .iter()
                .all(|field| field.starts_with("sla_policy.rules[0].target")),
            "{fields:?}"
        );
    }
}

#[tokio::test]
async fn a_routing_policy_is_refused_for_unknown_teams_and_entries_that_do_not_fit() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    play.team("hardware").await;
    let mut unknown = routing_policy("software");
    unknown.rules[0].condition = Some(v1::Condition {
        tiers: vec![3],
        ..Default::default()
    });
    unknown.rules.push(v1::RoutingRule {
        key: "hardware".to_owned(),
        team: "hardware".to_owned(),
        condition: Some(v1::Condition {
            channels: vec![5],
            ..Default::default()
        }),
        ..Default::default()
    });
    unknown.rules.push(v1::RoutingRule {
        key: "other".to_owned(),
        team: "others".to_owned(),
        ..Default::default()
    });
    let status = refused(
        Err::<(), _>(refused_routing(&mut boss, unknown).await),
        Code::InvalidArgument,
        "TEAM_UNKNOWN",
    );
    assert_eq!(metadata(&status, "team"), "software");
    let details = status.get_error_details();
    let fields: Vec<&str> = details
        .bad_request()
        .unwrap()
        .field_violations
        .iter()
        .map(|violation| violation.field.as_str())
        .collect();
    assert_eq!(fields, ["routing_policy.rules[0].team", "routing_policy.rules[2].team"]);

    let mut wrong = routing_policy("hardware");
    let skill = v1::Skill {
        key: "software".to_owned(),
        level: 3,
    };
    wrong.rules[0].required_skills = vec![skill.clone(), skill];
    wrong.rules.push(wrong.rules[0].clone());
    wrong.rules[1].required_skills.pop();
    assert_eq!(
        violated(&refused_routing(&mut boss, wrong).await),
        [
            "routing_policy.rules[0].required_skills[1].key",
            "routing_policy.rules[1].key",
            "routing_policy.rules[1].condition"
        ]
    );
}
