//! Versions are made, activated, rolled back to, listed, and never changed.

use huiyin_chassis::{Database, Tenant, db::DatabaseConfig};
use huiyin_proto::scheduler::v1;
use tonic::Code;

use super::{activate_calendar, calendar, create_calendar, get_calendar, routing_policy, sla_policy};
use crate::play::{PARENT, Play, refused, violated};

const REQUEST: &str = "0198c7a2-0000-7000-8000-00000000000a";

#[tokio::test]
async fn the_built_in_versions_are_in_effect_until_another_is_activated() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    for id in ["active", "0"] {
        let calendar = get_calendar(&mut boss, id).await;
        assert_eq!(
            (calendar.name.as_str(), calendar.version, calendar.active),
            ("tenants/acme/calendars/0", 0, true)
        );
        assert_eq!(
            (
                calendar.time_zone.as_str(),
                calendar.weekly_hours.len(),
                calendar.author.as_str()
            ),
            ("Asia/Shanghai", 5, "system")
        );
        assert_eq!((calendar.create_time, calendar.activate_time), (None, None));

        let policy = boss
            .get_sla_policy(v1::GetSlaPolicyRequest {
                name: format!("{PARENT}/slaPolicies/{id}"),
            })
            .await
            .unwrap()
            .into_inner();
        let clocks: Vec<&str> = policy.clocks.iter().map(|clock| clock.key.as_str()).collect();
        assert_eq!(
            (policy.version, policy.active, clocks),
            (0, true, vec!["acknowledge", "first_response", "resolve"])
        );

        let routing = boss
            .get_routing_policy(v1::GetRoutingPolicyRequest {
                name: format!("{PARENT}/routingPolicies/{id}"),
            })
            .await
            .unwrap()
            .into_inner();
        assert_eq!((routing.version, routing.active, routing.rules.len()), (0, true, 0));
    }
}

#[tokio::test]
async fn a_new_version_takes_effect_when_it_is_activated_and_an_earlier_one_rolls_back() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    let first = create_calendar(&mut boss, calendar("2026")).await;
    assert_eq!(
        (first.name.as_str(), first.version, first.active, first.author.as_str()),
        ("tenants/acme/calendars/1", 1, false, "user:boss")
    );
    assert!(first.create_time.is_some() && first.activate_time.is_none());
    assert_eq!(get_calendar(&mut boss, "active").await.version, 0);
    assert_eq!(get_calendar(&mut boss, "1").await, first);

    let active = activate_calendar(&mut boss, 1).await;
    assert!(active.active && active.activate_time.is_some() && active.etag != first.etag);
    assert_eq!(get_calendar(&mut boss, "active").await, active);
    assert!(!get_calendar(&mut boss, "0").await.active);
    // Activating the active one changes nothing.
    play.advance(jiff::SignedDuration::from_hours(1));
    assert_eq!(activate_calendar(&mut boss, 1).await, active);

    let back = activate_calendar(&mut boss, 0).await;
    assert!(back.active && back.activate_time.is_some());
    assert_eq!(get_calendar(&mut boss, "active").await, back);
    let replaced = get_calendar(&mut boss, "1").await;
    assert!(!replaced.active && replaced.etag != active.etag);
    assert_eq!(
        replaced.activate_time, active.activate_time,
        "when it was last activated stays known"
    );
}

#[tokio::test]
async fn all_three_kinds_are_counted_each_by_itself() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    create_calendar(&mut boss, calendar("one")).await;
    create_calendar(&mut boss, calendar("two")).await;
    let sla = v1::CreateSlaPolicyRequest {
        parent: PARENT.to_owned(),
        sla_policy: Some(sla_policy()),
        ..Default::default()
    };
    let sla = boss.create_sla_policy(sla).await.unwrap().into_inner();
    assert_eq!(sla.name, "tenants/acme/slaPolicies/1");
    assert_eq!((sla.clocks, sla.rules[0].warn_percent), (sla_policy().clocks, 50));
    let routing = v1::CreateRoutingPolicyRequest {
        parent: PARENT.to_owned(),
        routing_policy: Some(routing_policy("fallback")),
        ..Default::default()
    };
    let routing = boss.create_routing_policy(routing).await.unwrap().into_inner();
    assert_eq!(routing.name, "tenants/acme/routingPolicies/1");

    let name = sla.name.clone();
    let sla = boss
        .activate_sla_policy(v1::ActivateSlaPolicyRequest {
            name,
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner();
    let name = routing.name.clone();
    let routing = boss
        .activate_routing_policy(v1::ActivateRoutingPolicyRequest {
            name,
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner();
    assert!(sla.active && routing.active);
    assert_eq!(get_calendar(&mut boss, "active").await.version, 0);
}

#[tokio::test]
async fn the_same_request_gives_the_same_answer_and_makes_one_version() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    let request = |name: &str| v1::CreateCalendarRequest {
        parent: PARENT.to_owned(),
        calendar: Some(calendar(name)),
        request_id: REQUEST.to_owned(),
        ..Default::default()
    };
    let first = boss.create_calendar(request("2026")).await.unwrap().into_inner();
    assert_eq!(boss.create_calendar(request("2026")).await.unwrap().into_inner(), first);
    refused(
        boss.create_calendar(request("2027")).await,
        Code::AlreadyExists,
        "REQUEST_ID_REUSED",
    );
    assert_eq!(create_calendar(&mut boss, calendar("next")).await.version, 2);

    let activate = v1::ActivateCalendarRequest {
        name: first.name,
        request_id: REQUEST.to_owned(),
        ..Default::default()
    };
    let active = boss.activate_calendar(activate.clone()).await.unwrap().into_inner();
    activate_calendar(&mut boss, 2).await;
    assert_eq!(
        boss.activate_calendar(activate).await.unwrap().into_inner(),
        active,
        "the answer, not the deed"
    );
    assert_eq!(get_calendar(&mut boss, "active").await.version, 2);
}

#[tokio::test]
async fn a_version_that_is_only_looked_at_is_not_stored() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    let request = v1::CreateCalendarRequest {
        parent: PARENT.to_owned(),
        calendar: Some(calendar("2026")),
        validate_only: true,
        ..Default::default()
    };
    let looked_at = boss.create_calendar(request).await.unwrap().into_inner();
    assert_eq!((looked_at.version, looked_at.special_days.len()), (1, 8));
    let missing = boss.get_calendar(v1::GetCalendarRequest { name: looked_at.name }).await;
    refused(missing, Code::NotFound, "RESOURCE_NOT_FOUND");
    assert_eq!(create_calendar(&mut boss, calendar("2026")).await.version, 1);
}

#[tokio::test]
async fn an_activation_on_a_stale_etag_is_refused() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    let first = create_calendar(&mut boss, calendar("2026")).await;
    activate_calendar(&mut boss, 1).await;
    activate_calendar(&mut boss, 0).await;
    let activate = |etag: &str| v1::ActivateCalendarRequest {
        name: first.name.clone(),
        etag: etag.to_owned(),
        ..Default::default()
    };
    refused(
        boss.activate_calendar(activate(&first.etag)).await,
        Code::Aborted,
        "ETAG_MISMATCH",
    );
    let now = get_calendar(&mut boss, "1").await;
    assert!(
        boss.activate_calendar(activate(&now.etag))
            .await
            .unwrap()
            .into_inner()
            .active
    );
}

#[tokio::test]
async fn a_version_of_another_tenant_is_not_to_be_told_from_one_that_is_missing() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    create_calendar(&mut boss, calendar("2026")).await;
    let mut other = play.client("user:eve", "other", &["supervisor"]).await;
    for name in [
        "tenants/acme/calendars/1",
        "tenants/acme/calendars/active",
        "tenants/other/calendars/1",
    ] {
        let name = name.to_owned();
        refused(
            other.get_calendar(v1::GetCalendarRequest { name: name.clone() }).await,
            Code::NotFound,
            "RESOURCE_NOT_FOUND",
        );
        if !name.ends_with("active") {
            let activate = v1::ActivateCalendarRequest {
                name,
                ..Default::default()
            };
            refused(
                other.activate_calendar(activate).await,
                Code::NotFound,
                "RESOURCE_NOT_FOUND",
            );
        }
    }
    let list = v1::ListCalendarsRequest {
        parent: "tenants/other".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        other.list_calendars(list).await.unwrap().into_inner().calendars.len(),
        1,
        "its own built-in one"
    );
}

#[tokio::test]
async fn pages_neither_skip_nor_repeat_and_include_the_built_in_one() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    let list = |filter: &str, order_by: &str, page_token: &str| v1::ListCalendarsRequest {
        parent: PARENT.to_owned(),
        page_size: 2,
        page_token: page_token.to_owned(),
        filter: filter.to_owned(),
        order_by: order_by.to_owned(),
    };
    let untouched = boss
        .list_calendars(list("active = true", "", ""))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        untouched
            .calendars
            .iter()
            .map(|calendar| calendar.version)
            .collect::<Vec<_>>(),
        [0]
    );

    for number in 1..=11 {
        create_calendar(&mut boss, calendar(&format!("number {number}"))).await;
    }
    activate_calendar(&mut boss, 4).await;
    for (filter, order_by, wanted) in [
        ("", "", (0..=11).rev().collect::<Vec<_>>()),
        ("", "version", (0..=11).collect()),
        ("version >= 9", "version desc", vec![11, 10, 9]),
        ("active = true", "", vec![4]),
        ("author = \"system\"", "", vec![0]),
        ("create_time > 2026-03-01T00:00:00Z AND version < 3", "", vec![2, 1]),
    ] {
        let (mut found, mut token) = (Vec::new(), String::new());
        loop {
            let page = boss
                .list_calendars(list(filter, order_by, &token))
                .await
                .unwrap()
                .into_inner();
            assert!(page.calendars.len() <= 2);
            found.extend(page.calendars.iter().map(|calendar| calendar.version));
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(found, wanted, "{filter} {order_by}");
    }
    let page = boss.list_calendars(list("", "", "")).await.unwrap().into_inner();
    refused(
        boss.list_calendars(list("", "version", &page.next_page_token)).await,
        Code::InvalidArgument,
        "PAGE_TOKEN_INVALID",
    );
    assert_eq!(
        violated(&boss.list_calendars(list("colour = red", "", "")).await.unwrap_err()),
        ["filter"]
    );
    assert_eq!(
        violated(&boss.list_calendars(list("", "author", "")).await.unwrap_err()),
        ["order_by"]
    );
}

#[tokio::test]
async fn versions_made_at_the_same_time_follow_each_other_and_one_is_active() {
    let play = Play::begin().await;
    let boss = play.boss().await;
    let made = futures::future::join_all((0..8).map(|number| {
        let mut boss = boss.clone();
        async move {
            let version = create_calendar(&mut boss, calendar(&format!("number {number}")))
                .await
                .version;
            activate_calendar(&mut boss, version).await;
            version
        }
    }));
    let mut versions = made.await;
    versions.sort_unstable();
    assert_eq!(versions, (1..=8).collect::<Vec<_>>());
    let list = v1::ListCalendarsRequest {
        parent: PARENT.to_owned(),
        filter: "active = true".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        boss.clone()
            .list_calendars(list)
            .await
            .unwrap()
            .into_inner()
            .calendars
            .len(),
        1
    );
}

/// Deadlines of the past refer to versions: the database itself refuses to change one.
#[tokio::test]
async fn a_version_cannot_be_changed_even_by_a_mistake_of_ours() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    create_calendar(&mut boss, calendar("2026")).await;
    let config = DatabaseConfig {
        url: play.stage.database_url().into(),
        max_connections: 1,
        migrate: true,
    };
    let database = Database::connect(&config, vec![]).await.unwrap();
    for statement in [
        "UPDATE policy_version SET content = '{}'",
        "UPDATE policy_version SET version = 7",
        "DELETE FROM policy_version",
    ] {
        let mut tx = database.tenant(&Tenant::stored("acme").unwrap()).await.unwrap();
        let refused = sqlx::query(statement).execute(&mut *tx).await.unwrap_err();
        assert_eq!(
            refused.as_database_error().unwrap().code().as_deref(),
            Some("42501"),
            "{statement}: {refused}"
        );
    }
}
