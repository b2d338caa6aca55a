//! Who is told because of what, once.

use huiyin_proto::{
    event::v1::{
        Event, PartitionCursor, ReadEventsRequest, SlaClockMarked, SlaMark, StateCategory, event::Payload,
        event_log_service_client::EventLogServiceClient,
    },
    notification::v1::{Audience, Medium, MessageState, Purpose},
};
use huiyin_testkit::eventually;

use crate::scene::{
    CUSTOMER, FEEDBACK, LIMIT, Scene, assigned, digest, get, messages, progressed, resolved, subject, transitioned,
    unreachable,
};

/// 000-52, 003-32.
#[tokio::test]
async fn an_assignee_is_told_of_a_work_order_with_what_it_is_about_and_its_limit() {
    let scene = Scene::without_mail().await;
    let mut client = scene.admin().await;
    let event = scene.scheduler.publish("acme", &subject("w1"), assigned(digest("w1")));

    let told = scene.settled(&mut client, &event.id, 1).await.remove(0);
    assert_eq!(
        (told.purpose(), told.audience(), told.medium()),
        (Purpose::Assignment, Audience::Assignee, Medium::Inbox)
    );
    assert_eq!(
        (told.recipient.as_str(), told.state()),
        ("user:li.wei", MessageState::Delivered)
    );
    assert_eq!(
        (told.work_order.as_str(), told.feedback.as_str(), told.episode),
        (subject("w1").as_str(), FEEDBACK, 1)
    );
    assert_eq!((told.locale.as_str(), told.template_version), ("zh-CN", 0));
    assert_eq!(told.template, "tenants/acme/templates/assignment-zh-cn");
    assert_eq!(told.subject, "【派单】WO20260302001（P0）");
    for part in ["已分派给您", "打开订单页面时程序闪退。", "2026-03-02 12:00", "技能匹配"] {
        assert!(told.body.contains(part), "{part}: {}", told.body);
    }
    let attempts = get(&mut client, &told.name).await.deliveries;
    assert_eq!(attempts.len(), 1);
    assert!(attempts[0].delivered && attempts[0].ordinal == 1);
}

/// 003-31: what nobody can be found for is the supervisors' to assign.
#[tokio::test]
async fn where_nobody_is_assigned_the_supervisors_of_the_team_are_told() {
    let scene = Scene::without_mail().await;
    let mut client = scene.admin().await;
    let mut work_order = digest("w1");
    (work_order.assignee, work_order.team) = (String::new(), "fallback".to_owned());
    let event = scene.scheduler.publish("acme", &subject("w1"), assigned(work_order));

    let told = scene.settled(&mut client, &event.id, 1).await.remove(0);
    assert_eq!(
        (told.audience(), told.recipient.as_str()),
        (Audience::Supervisor, "team:fallback")
    );
    assert!(told.body.contains("请人工分派"), "{}", told.body);
}

/// 003-42: both, each once.
#[tokio::test]
async fn a_breach_is_told_to_the_assignee_and_the_supervisor() {
    let scene = Scene::without_mail().await;
    let mut client = scene.admin().await;
    let marked = |mark: SlaMark| {
        Payload::SlaClockMarked(SlaClockMarked {
            work_order: Some(digest("w1")),
            clock: "first_response".to_owned(),
            mark: mark.into(),
            due_time: Some(prost_types::Timestamp {
                seconds: 1_772_424_000,
                nanos: 0,
            }),
        })
    };
    let warned = scene.scheduler.publish("acme", &subject("w1"), marked(SlaMark::Warned));
    let breached = scene
        .scheduler
        .publish("acme", &subject("w1"), marked(SlaMark::Breached));

    let warning = scene.settled(&mut client, &warned.id, 1).await.remove(0);
    assert_eq!(
        (warning.purpose(), warning.audience()),
        (Purpose::SlaWarning, Audience::Assignee)
    );
    assert!(
        warning.body.contains("首次响应") && warning.body.contains("2026-03-02 12:00"),
        "{}",
        warning.body
    );
    let mut told: Vec<_> = scene.settled(&mut client, &breached.id, 2).await;
    told.sort_by_key(|message| message.audience);
    let recipients: Vec<_> = told
        .iter()
        .map(|message| (message.audience(), message.recipient.as_str()))
        .collect();
    assert_eq!(
        recipients,
        [(Audience::Assignee, "user:li.wei"), (Audience::Supervisor, "team:app")]
    );
}

/// 004-41: not taken on is told with its reason; 003-51: reopened is told to whoever handles it.
#[tokio::test]
async fn a_customer_hears_why_not_and_an_assignee_why_again() {
    let scene = Scene::without_mail().await;
    let mut client = scene.admin().await;
    let rejected = transitioned(digest("w1"), StateCategory::New, StateCategory::Rejected);
    let reopened = transitioned(digest("w2"), StateCategory::Resolved, StateCategory::Active);
    let rejected = scene.scheduler.publish("acme", &subject("w1"), rejected);
    let reopened = scene.scheduler.publish("acme", &subject("w2"), reopened);

    let told = scene.settled(&mut client, &rejected.id, 1).await.remove(0);
    assert_eq!(
        (told.purpose(), told.audience(), told.recipient.as_str()),
        (Purpose::Resolution, Audience::Customer, CUSTOMER)
    );
    assert!(
        told.body.contains("未能采纳") && told.body.contains("更新后仍然闪退"),
        "{}",
        told.body
    );
    let told = scene.settled(&mut client, &reopened.id, 1).await.remove(0);
    assert_eq!(
        (told.purpose(), told.audience()),
        (Purpose::Reopened, Audience::Assignee)
    );
    assert!(told.body.contains("未解决原因：更新后仍然闪退"), "{}", told.body);
}

/// Exactly one message per event, audience, recipient and endpoint, however often the event comes.
#[tokio::test]
async fn an_event_that_comes_twice_is_told_once() {
    let scene = Scene::without_mail().await;
    let mut client = scene.admin().await;
    let event = scene.scheduler.publish("acme", &subject("w1"), resolved(digest("w1")));
    let first = scene.settled(&mut client, &event.id, 1).await;
    scene.scheduler.publish_again(&event);
    // Events of one subject are taken in their order: once the next is told, the repeated one has been read.
    let next = scene
        .scheduler
        .publish("acme", &subject("w1"), progressed(digest("w1"), "再次确认"));
    scene.settled(&mut client, &next.id, 1).await;

    assert_eq!(messages(&mut client, &format!("event = \"{}\"", event.id)).await, first);
    assert_eq!(messages(&mut client, "").await.len(), 2);
    eventually("each is said to have settled once", LIMIT, async || {
        published(&scene).await.len() == 2
    })
    .await;
}

/// The rule that the audit relies on: a customer's message is there exactly where the feedback names a customer.
#[tokio::test]
async fn a_customer_whom_nobody_knows_is_not_told_and_one_without_an_address_is_told_in_the_inbox() {
    let scene = Scene::new().await;
    let mut client = scene.admin().await;
    let mut unknown = unreachable("w1");
    unknown.feedback.as_mut().unwrap().customer.clear();
    let nobody = scene.scheduler.publish("acme", &subject("w1"), resolved(unknown));
    let known = scene
        .scheduler
        .publish("acme", &subject("w1"), resolved(unreachable("w1")));

    let told = scene.settled(&mut client, &known.id, 1).await.remove(0);
    assert_eq!((told.medium(), told.recipient.as_str()), (Medium::Inbox, CUSTOMER));
    assert!(
        messages(&mut client, &format!("event = \"{}\"", nobody.id))
            .await
            .is_empty()
    );
    assert_eq!(scene.intake.asked(), 0, "who left no address is not asked for");
}

/// What people write is masked, in every message (001-81).
#[tokio::test]
async fn numbers_that_name_a_person_are_masked() {
    let scene = Scene::without_mail().await;
    let mut client = scene.admin().await;
    let event = scene
        .scheduler
        .publish("acme", &subject("w1"), progressed(digest("w1"), "请致电13800138000"));
    let told = scene.settled(&mut client, &event.id, 1).await.remove(0);
    assert!(told.body.contains("请致电[手机号]"), "{}", told.body);
}

#[tokio::test]
async fn what_settled_is_said_in_an_event() {
    let scene = Scene::without_mail().await;
    let mut client = scene.admin().await;
    let event = scene.scheduler.publish("acme", &subject("w1"), resolved(digest("w1")));
    let told = scene.settled(&mut client, &event.id, 1).await.remove(0);

    let events = eventually("the event is in the log", LIMIT, async || {
        let events = published(&scene).await;
        (events.len() == 1).then_some(events)
    })
    .await;
    let Some(Payload::MessageSettled(settled)) = &events[0].payload else {
        panic!("{events:?}")
    };
    assert_eq!(
        (events[0].subject.as_str(), events[0].tenant.as_str()),
        (told.name.as_str(), "acme")
    );
    assert_eq!(
        (settled.message.as_str(), settled.work_order.as_str()),
        (told.name.as_str(), subject("w1").as_str())
    );
    assert_eq!(
        (settled.purpose.as_str(), settled.medium.as_str()),
        ("RESOLUTION", "INBOX")
    );
    assert_eq!((settled.delivered, settled.attempts), (true, 1));
}

/// What the room itself has said so far.
pub(crate) async fn published(scene: &Scene) -> Vec<Event> {
    let connection = scene
        .stage
        .connect(scene.address(), &scene.stage.service_token("analytics"))
        .await;
    let cursors = (0..8)
        .map(|partition| PartitionCursor { partition, position: 0 })
        .collect();
    let request = ReadEventsRequest {
        cursors,
        follow: false,
        epoch: String::new(),
    };
    let mut stream = EventLogServiceClient::new(connection)
        .read_events(request)
        .await
        .unwrap()
        .into_inner();
    let mut events = Vec::new();
    while let Some(answer) = stream.message().await.unwrap() {
        events.extend(answer.events.into_iter().filter_map(|positioned| positioned.event));
    }
    events
}
