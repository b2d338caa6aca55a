//! Who is told because of which event.

use huiyin_proto::{
    event::v1::{SlaClockMarked, SurveyInvited, WorkOrderAssigned},
    r#type::v1::{FeedbackDigest, Priority},
};
use jiff::tz::TimeZone;

use super::*;

fn wording() -> Wording {
    Wording {
        staff_locale: "zh-CN".to_owned(),
        time_zone: TimeZone::get("Asia/Shanghai").unwrap(),
        survey_link: "https://example.com/s#{token}".to_owned(),
    }
}

fn digest() -> WorkOrderDigest {
    WorkOrderDigest {
        work_order: "tenants/acme/workOrders/w".to_owned(),
        number: "WO20260302001".to_owned(),
        feedback: Some(FeedbackDigest {
            feedback: "tenants/acme/feedbacks/f".to_owned(),
            number: "FB20260302001".to_owned(),
            customer: "tenants/acme/customers/c".to_owned(),
            language: "en".to_owned(),
            reachable: true,
            ..Default::default()
        }),
        category: "function.crash".to_owned(),
        priority: Some(Priority {
            key: "P0".to_owned(),
            rank: 0,
        }),
        episode: 2,
        assignee: "user:li.wei".to_owned(),
        team: "app".to_owned(),
        excerpt: "打不开，请打13800138000".to_owned(),
    }
}

fn told(payload: Payload) -> Vec<Telling> {
    tellings(
        &Event {
            payload: Some(payload),
            ..Default::default()
        },
        &wording(),
    )
    .unwrap()
}

fn to(tellings: &[Telling]) -> Vec<(Purpose, Audience, &str)> {
    tellings
        .iter()
        .map(|telling| (telling.purpose, telling.audience, telling.recipient.as_str()))
        .collect()
}

fn transition(from: StateCategory, to: StateCategory) -> Payload {
    Payload::WorkOrderTransitioned(WorkOrderTransitioned {
        work_order: Some(digest()),
        from: from.into(),
        to: to.into(),
        reason: "仍然闪退".to_owned(),
        resolution: "已修复".to_owned(),
        ..Default::default()
    })
}

fn marked(mark: SlaMark, assignee: &str) -> Payload {
    let work_order = Some(WorkOrderDigest {
        assignee: assignee.to_owned(),
        ..digest()
    });
    Payload::SlaClockMarked(SlaClockMarked {
        work_order,
        clock: "resolve".to_owned(),
        mark: mark.into(),
        due_time: None,
    })
}

#[test]
fn an_assignee_is_told_and_without_one_the_supervisors() {
    let assigned = |assignee: &str, team: &str| {
        told(Payload::WorkOrderAssigned(WorkOrderAssigned {
            work_order: Some(WorkOrderDigest {
                assignee: assignee.to_owned(),
                team: team.to_owned(),
                ..digest()
            }),
            due_time: Some(prost_types::Timestamp {
                seconds: 1_772_424_000,
                nanos: 0,
            }),
            ..Default::default()
        }))
    };
    let told = assigned("user:li.wei", "app");
    assert_eq!(to(&told), [(Purpose::Assignment, Audience::Assignee, "user:li.wei")]);
    assert_eq!(told[0].values["due_time"], "2026-03-02 12:00");
    assert_eq!(told[0].values["excerpt"], "打不开，请打[手机号]");
    assert_eq!(told[0].language, "zh-CN");
    assert_eq!(
        to(&assigned("", "app")),
        [(Purpose::Assignment, Audience::Supervisor, "team:app")]
    );
    assert_eq!(
        to(&assigned("", "")),
        [(Purpose::Assignment, Audience::Supervisor, "team:fallback")]
    );
}

#[test]
fn a_customer_is_told_the_result_and_why_there_is_none() {
    use StateCategory::{Active, Closed, New, Rejected, Resolved, Verifying, Waiting};
    let customer = (Purpose::Resolution, Audience::Customer, "tenants/acme/customers/c");
    let resolved = told(transition(Verifying, Resolved));
    assert_eq!(to(&resolved), [customer]);
    assert_eq!(
        (resolved[0].values["outcome"].as_str(), resolved[0].language.as_str()),
        ("RESOLVED", "en")
    );
    assert_eq!(told(transition(New, Rejected))[0].values["outcome"], "REJECTED");
    // From the customer, or from whoever looked it through (003-51).
    for (from, state) in [
        (Resolved, Active),
        (Closed, New),
        (Verifying, Active),
        (Rejected, Active),
    ] {
        assert_eq!(
            to(&told(transition(from, state))),
            [(Purpose::Reopened, Audience::Assignee, "user:li.wei")]
        );
    }
    for (from, state) in [
        (New, Active),
        (Active, Waiting),
        (Resolved, Closed),
        (Resolved, Resolved),
    ] {
        assert!(told(transition(from, state)).is_empty(), "{from:?} {state:?}");
    }
}

#[test]
fn a_breach_is_told_to_the_assignee_and_the_supervisor() {
    let (assignee, supervisor) = ((Audience::Assignee, "user:li.wei"), (Audience::Supervisor, "team:app"));
    let who = |payload| {
        to(&told(payload))
            .into_iter()
            .map(|(_, audience, recipient)| (audience, recipient.to_owned()))
            .collect::<Vec<_>>()
    };
    let owned = |(audience, recipient): (Audience, &str)| (audience, recipient.to_owned());
    assert_eq!(who(marked(SlaMark::Warned, "user:li.wei")), [owned(assignee)]);
    assert_eq!(who(marked(SlaMark::Warned, "")), [owned(supervisor)]);
    assert_eq!(
        who(marked(SlaMark::Breached, "user:li.wei")),
        [owned(assignee), owned(supervisor)]
    );
    assert_eq!(who(marked(SlaMark::Breached, "")), [owned(supervisor)]);
    assert!(who(marked(SlaMark::Met, "user:li.wei")).is_empty());
}

#[test]
fn a_customer_whom_nobody_knows_is_not_told() {
    let mut work_order = digest();
    work_order.feedback.as_mut().unwrap().customer.clear();
    let invited = |work_order: WorkOrderDigest| {
        told(Payload::SurveyInvited(SurveyInvited {
            work_order: Some(work_order),
            ..Default::default()
        }))
    };
    assert!(invited(work_order).is_empty());
    let asked = invited(digest());
    assert_eq!(asked[0].values["link"], "https://example.com/s#\u{fffc}");
    assert!(asked[0].reachable);
}

#[test]
fn an_internal_note_is_nobodys_business() {
    let noted = |text: &str| {
        told(Payload::WorkOrderProgressed(WorkOrderProgressed {
            work_order: Some(digest()),
            customer_text: text.to_owned(),
            ..Default::default()
        }))
    };
    assert!(noted("").is_empty());
    assert_eq!(noted("正在远程排查\u{fffc}")[0].values["text"], "正在远程排查");
}

#[test]
fn an_event_without_a_work_order_is_a_fault() {
    let event = Event {
        payload: Some(Payload::WorkOrderAssigned(WorkOrderAssigned::default())),
        ..Default::default()
    };
    assert!(tellings(&event, &wording()).is_err());
}
