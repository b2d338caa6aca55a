//! What of a mail is kept: all that was written, each mail once, and for how long.

use std::time::Duration;

use huiyin_proto::{intake::v1::Source, r#type::v1::Channel};
use huiyin_testkit::eventually;
use jiff::SignedDuration;

use crate::{
    mailbox::{deliver, keep_mailbox, kinds, mail, settings, stand},
    stand::Stand,
};

/// 001-12: what only looks like a loop is kept, and set aside; who says something else each time is a person.
#[tokio::test]
async fn what_says_the_same_over_and_over_is_set_aside_and_never_thrown_away() {
    let stand = stand("lmtp").await;
    let send = async |n: usize, subject: &str, text: &str| {
        let id = format!("Message-ID: <{n}@example.com>");
        let one = mail(&["From: li@example.com", &format!("Subject: {subject}"), &id], text);
        assert_eq!(deliver(&stand, "li@example.com", &one).await, "250 2.0.0 taken");
    };
    for n in 0..5 {
        send(n, "漏发", &format!("订单 2026000{n} 漏发配件，请补发")).await;
        send(10 + n, "催单", "请尽快处理我的工单").await;
    }
    let held = |feedbacks: &[huiyin_proto::intake::v1::Feedback]| -> Vec<String> {
        let held = feedbacks.iter().filter(|feedback| feedback.held);
        held.map(|feedback| feedback.description.clone()).collect()
    };
    let feedbacks = stand.feedbacks().await;
    assert_eq!(feedbacks.len(), 10, "none is thrown away");
    assert_eq!(held(&feedbacks), ["请尽快处理我的工单", "请尽快处理我的工单"]);
}

/// A mail without a Message-ID is known by its date and by all that it says.
#[tokio::test]
async fn another_mail_without_a_message_id_is_another_mail() {
    let stand = stand("lmtp").await;
    let from = "From: li@example.com";
    let first = mail(&[from, "Date: Mon, 2 Mar 2026 08:30:00 +0800"], "又坏了");
    let second = mail(&[from, "Date: Mon, 2 Mar 2026 08:40:00 +0800"], "又坏了");
    for one in [&first, &first, &second] {
        assert_eq!(deliver(&stand, "li@example.com", one).await, "250 2.0.0 taken");
    }
    assert_eq!(stand.stored().await, 2);
}

/// 003-12: a forwarded complaint arrives whole; what is cut of an answer is kept beside it, masked.
#[tokio::test]
async fn nothing_that_was_written_is_lost() {
    let stand = stand("lmtp").await;
    let quoted =
        "发件人: 李伟 <li@example.com>\n发送时间: 2026年3月1日\n收件人: 王芳 <w@acme.cn>\n主题: 空调\n\n空调漏水";
    let forwarded = mail(
        &[
            "From: wang@acme.cn",
            "Subject: =?utf-8?B?6L2s5Y+R77ya56m66LCD?=",
            "References: <1@example.com>",
            "Message-ID: <2@acme.cn>",
        ],
        &format!("请处理\n\n{quoted}"),
    );
    let answer = mail(
        &[
            "From: li@example.com",
            "Subject: Re",
            "References: <1@example.com>",
            "Message-ID: <3@example.com>",
        ],
        &format!("还是漏\n\n{quoted}\n电话13800138000"),
    );
    for one in [forwarded, answer] {
        assert_eq!(deliver(&stand, "wang@acme.cn", &one).await, "250 2.0.0 taken");
    }
    let [forwarded, answer] = stand.feedbacks().await.try_into().unwrap();
    assert!(forwarded.description.ends_with("空调漏水"), "{}", forwarded.description);
    assert_eq!((answer.description.as_str(), answer.attachments.len()), ("还是漏", 1));
    let mut files = crate::attachment::client(&stand).await;
    let (file, bytes) = crate::attachment::download(&mut files, &answer.attachments[0].attachment, 0, 0)
        .await
        .unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(file.file_name, "mail.txt");
    assert!(
        text.starts_with("还是漏\n") && text.ends_with("空调漏水\n电话[手机号]"),
        "{text}"
    );
}

/// 000-24: where the day's quota is used up the mail waits with its server, with its file.
#[tokio::test]
async fn a_mail_whose_file_finds_no_room_waits() {
    let stand = Stand::with(&format!("day_bytes = 10\n{}", settings("lmtp"))).await;
    keep_mailbox(&stand).await;
    let one = "From: li@example.com\nMessage-ID: <1@example.com>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=m\n\n\
         --m\nContent-Type: text/plain; charset=utf-8\n\n坏了\n--m\nContent-Type: text/plain; charset=utf-8\n\
         Content-Disposition: attachment; filename=a.txt\n\n比十个字节多一些\n--m--\n";
    assert_eq!(
        deliver(&stand, "li@example.com", one).await,
        "451 4.3.0 try again later"
    );
    assert_eq!((stand.stored().await, kinds(&stand).await), (0, vec![]));
}

/// 000-12: keywords choose among mails too; an answer need not say them again.
#[tokio::test]
async fn a_mail_that_says_no_keyword_is_written_down_and_becomes_nothing() {
    let stand = Stand::with(&settings("lmtp")).await;
    let source = Source {
        channel: Channel::Email.into(),
        keywords: vec!["空调".to_owned()],
        ..Source::default()
    };
    stand.source("mailbox", source).await;
    let from = "From: li@example.com";
    for one in [
        mail(&[from, "Message-ID: <1@example.com>"], "空调坏了"),
        mail(&[from, "Message-ID: <2@example.com>"], "促销"),
        mail(
            &[from, "Message-ID: <3@example.com>", "In-Reply-To: <1@example.com>"],
            "还没修好",
        ),
    ] {
        assert_eq!(deliver(&stand, "li@example.com", &one).await, "250 2.0.0 taken");
        stand.stage.clock.advance(SignedDuration::from_secs(1));
    }
    assert_eq!(kinds(&stand).await, [1, 6, 2]);
    assert_eq!(stand.stored().await, 2);
}

/// Mails that became nothing are forgotten after two days, the others after ninety.
#[tokio::test]
async fn mails_are_forgotten_in_time() {
    let stand = stand("lmtp").await;
    let send = async |n: usize, header: &str| {
        let id = format!("Message-ID: <{n}@example.com>");
        let one = mail(&["From: li@example.com", &id, header], &format!("坏了 {n}"));
        assert_eq!(deliver(&stand, "li@example.com", &one).await, "250 2.0.0 taken");
    };
    send(1, "X: 1").await;
    send(2, "Auto-Submitted: auto-replied").await;
    for (days, left) in [(3, vec![1]), (91, vec![])] {
        stand.stage.clock.advance(SignedDuration::from_hours(24 * days));
        eventually("they are forgotten", Duration::from_secs(20), async || {
            (kinds(&stand).await == left).then_some(())
        })
        .await;
    }
}
