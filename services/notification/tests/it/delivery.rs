//! Delivery by mail and into inboxes: the channel that a customer came by, retries, dead letters, replay.

use huiyin_proto::{
    intake::v1::ContactKind,
    notification::v1::{Audience, Medium, MessageState, Purpose, ReplayMessageRequest},
};
use huiyin_testkit::eventually;
use jiff::SignedDuration;
use tonic::Code;
use uuid::Uuid;

use crate::{
    access::reason,
    scene::{CUSTOMER, FEEDBACK, LIMIT, Scene, digest, get, invited, messages, progressed, resolved, subject},
};

/// 003-50, 004-40: over the channel that the customer came by.
#[tokio::test]
async fn a_customer_with_a_mail_address_gets_a_mail() {
    let scene = Scene::new().await;
    let mut client = scene.admin().await;
    scene
        .intake
        .contact(FEEDBACK, ContactKind::Email, "customer@example.com");
    let event = scene.scheduler.publish("acme", &subject("w1"), resolved(digest("w1")));

    let told = scene.settled(&mut client, &event.id, 1).await.remove(0);
    assert_eq!(
        (told.state(), told.medium(), told.audience()),
        (MessageState::Delivered, Medium::Mail, Audience::Customer)
    );
    assert_eq!(told.recipient, CUSTOMER, "never an address");
    let mail = scene.mail.mails().remove(0);
    assert_eq!(mail.to, "customer@example.com");
    assert_eq!(mail.header("Subject"), "您的反馈 FB20260302001 已处理完成");
    assert_eq!(mail.header("From"), "回音 <echo@example.com>");
    // FEATURES 11: no machine answers it, and intake knows an answer to it, and the mail itself should it come back.
    assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
    assert_eq!(mail.header("X-Huiyin-Hops"), "1");
    let feedback = FEEDBACK.rsplit('/').next().unwrap();
    assert_eq!(mail.header("References"), format!("<{feedback}.feedback@example.com>"));
    assert_eq!(
        mail.header("Message-ID"),
        format!("<{}@example.com>", told.name.rsplit('/').next().unwrap())
    );
    assert!(mail.body().contains("处理结果：已在 3.2.1 版本修复"), "{}", mail.body());
    assert_eq!(mail.body().trim_end(), told.body);
    let attempts = get(&mut client, &told.name).await.deliveries;
    assert_eq!(
        (attempts.len(), attempts[0].status_code, attempts[0].delivered),
        (1, 250, true)
    );
}

#[tokio::test]
async fn a_customer_with_another_address_or_none_is_told_in_the_inbox() {
    let scene = Scene::new().await;
    let mut client = scene.admin().await;
    let without = scene.scheduler.publish("acme", &subject("w1"), resolved(digest("w1")));
    assert_eq!(
        scene.settled(&mut client, &without.id, 1).await[0].medium(),
        Medium::Inbox
    );
    scene.intake.contact(FEEDBACK, ContactKind::Phone, "13800138000");
    let phone = scene.scheduler.publish("acme", &subject("w1"), resolved(digest("w1")));
    assert_eq!(
        scene.settled(&mut client, &phone.id, 1).await[0].medium(),
        Medium::Inbox
    );
    assert!(scene.mail.mails().is_empty());
}

/// 000-55: the link stands whole in the mail and in the inbox, and in no answer to anybody else.
#[tokio::test]
async fn a_survey_carries_its_link_to_the_customer_alone() {
    let scene = Scene::new().await;
    let mut client = scene.admin().await;
    scene
        .intake
        .contact(FEEDBACK, ContactKind::Email, "customer@example.com");
    let event = scene
        .surveys
        .publish("acme", "tenants/acme/surveys/standard", invited(digest("w1"), "i1"));
    let told = scene.settled(&mut client, &event.id, 1).await.remove(0);
    assert_eq!((told.purpose(), told.medium()), (Purpose::Survey, Medium::Mail));
    assert!(
        told.body.contains("https://example.com/s#…") && !told.body.contains("token-of"),
        "{}",
        told.body
    );
    assert!(
        scene.mail.mails()[0]
            .body()
            .contains("https://example.com/s#token-of-i1")
    );
}

#[tokio::test]
async fn an_invitation_that_is_answered_is_not_sent_any_more() {
    let scene = Scene::without_mail().await;
    let mut client = scene.admin().await;
    scene.survey.set_answered();
    let event = scene
        .surveys
        .publish("acme", "tenants/acme/surveys/standard", invited(digest("w1"), "i1"));
    let told = scene.settled(&mut client, &event.id, 1).await.remove(0);
    assert_eq!(
        (told.state(), told.attempts, told.last_error.as_str()),
        (MessageState::Dead, 1, "the invitation is answered")
    );
}

/// A neighbour that is down costs no attempt: the message waits, and nothing is lost.
#[tokio::test]
async fn a_message_waits_for_a_neighbour_that_is_down() {
    let scene = Scene::new().await;
    let mut client = scene.admin().await;
    scene
        .intake
        .contact(FEEDBACK, ContactKind::Email, "customer@example.com");
    scene.intake.set_down(true);
    let event = scene.scheduler.publish("acme", &subject("w1"), resolved(digest("w1")));
    let filter = format!("event = \"{}\"", event.id);
    let waiting = eventually("the message waits", LIMIT, async || {
        messages(&mut client, &filter)
            .await
            .into_iter()
            .find(|message| message.last_error.contains("intake cannot be asked"))
    })
    .await;
    assert_eq!(
        (waiting.state(), waiting.attempts, waiting.medium()),
        (MessageState::Queued, 0, Medium::Unspecified)
    );
    assert!(waiting.next_attempt_time.is_some());

    scene.intake.set_down(false);
    scene.stage.clock.advance(SignedDuration::from_secs(6));
    let told = scene.settled(&mut client, &event.id, 1).await.remove(0);
    assert_eq!((told.state(), told.attempts), (MessageState::Delivered, 1));
}

#[tokio::test]
async fn a_mail_is_tried_again_where_the_server_is_busy_and_given_up_where_it_refuses() {
    let scene = Scene::new().await;
    let mut client = scene.admin().await;
    scene
        .intake
        .contact(FEEDBACK, ContactKind::Email, "customer@example.com");
    scene.mail.refuse(Some("451 come back later"));
    let event = scene
        .scheduler
        .publish("acme", &subject("w1"), progressed(digest("w1"), "正在处理"));
    let filter = format!("event = \"{}\"", event.id);
    let busy = eventually("it is tried", LIMIT, async || {
        messages(&mut client, &filter)
            .await
            .into_iter()
            .find(|message| message.attempts == 1)
    })
    .await;
    assert_eq!(busy.state(), MessageState::Queued);
    assert_eq!(get(&mut client, &busy.name).await.deliveries[0].status_code, 451);

    // About us and not about the customer: whoever runs it sets it right.
    scene.mail.refuse(Some("535 authentication failed"));
    scene.stage.clock.advance(SignedDuration::from_secs(6));
    let unknown = scene.attempted(&mut client, &busy.name, 2).await;
    assert_eq!(unknown.state(), MessageState::Queued);

    scene.mail.refuse(Some("550 no such user customer@example.com"));
    scene.stage.clock.advance(SignedDuration::from_secs(11));
    let dead = scene.settled(&mut client, &event.id, 1).await.remove(0);
    assert_eq!((dead.state(), dead.attempts), (MessageState::Dead, 3));
    assert!(
        dead.last_error.contains("no such user [邮箱]"),
        "no address is shown: {}",
        dead.last_error
    );
    assert!(dead.settle_time.is_some() && dead.next_attempt_time.is_none());

    scene.mail.refuse(None);
    let request = ReplayMessageRequest {
        name: dead.name.clone(),
        request_id: Uuid::from_u128(1).to_string(),
    };
    let queued = client.replay_message(request.clone()).await.unwrap().into_inner();
    assert_eq!(
        (queued.state(), queued.attempts, queued.deliveries.len()),
        (MessageState::Queued, 0, 3)
    );
    let told = scene.settled(&mut client, &event.id, 1).await.remove(0);
    assert_eq!((told.state(), told.attempts), (MessageState::Delivered, 1));
    assert_eq!(
        client.replay_message(request).await.unwrap().into_inner(),
        queued,
        "the same answer again, and no second mail"
    );
    assert_eq!(scene.mail.mails().len(), 1);
    let ordinals: Vec<i32> = get(&mut client, &told.name)
        .await
        .deliveries
        .iter()
        .map(|delivery| delivery.ordinal)
        .collect();
    assert_eq!(ordinals, [1, 2, 3, 4]);

    let again = client
        .replay_message(ReplayMessageRequest {
            name: told.name,
            ..Default::default()
        })
        .await
        .unwrap_err();
    assert_eq!(
        (again.code(), reason(&again).0.as_str()),
        (Code::FailedPrecondition, "STATE_FORBIDS")
    );
}

/// What a crash left taken and not settled is taken again when its lease is over.
#[tokio::test]
async fn a_restart_delivers_what_was_queued_before() {
    let mut scene = Scene::new().await;
    let mut client = scene.admin().await;
    scene
        .intake
        .contact(FEEDBACK, ContactKind::Email, "customer@example.com");
    scene.intake.set_down(true);
    let event = scene.scheduler.publish("acme", &subject("w1"), resolved(digest("w1")));
    eventually("the message is queued", LIMIT, async || {
        messages(&mut client, "").await.len() == 1
    })
    .await;
    scene.restart().await;
    scene.intake.set_down(false);
    scene.stage.clock.advance(SignedDuration::from_mins(2));
    let mut client = scene.admin().await;
    let told = scene.settled(&mut client, &event.id, 1).await.remove(0);
    assert_eq!((told.state(), told.medium()), (MessageState::Delivered, Medium::Mail));
    assert_eq!(scene.mail.mails().len(), 1);
}
