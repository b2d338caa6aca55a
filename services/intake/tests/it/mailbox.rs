//! Mailboxes: mail in, feedback out; threads, machines, loops; 250 only for what is stored.

use std::{net::SocketAddr, time::Duration};

use huiyin_proto::{
    intake::v1::{ContactKind, DisableSourceRequest, FixedField, Source},
    r#type::v1::Channel,
};
use jiff::SignedDuration;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

use crate::stand::{Stand, create, feedback};

const MAILBOXES: &str = "[mail.mailboxes]\n\"feedback@acme.cn\" = { tenant = \"acme\", source = \"mailbox\" }\n\
     \"vip@acme.cn\" = { tenant = \"acme\", source = \"vip\" }\n\"feedback@globex.cn\" = { tenant = \"globex\", source = \"mailbox\" }\n";
pub(crate) const BOX: &str = "feedback@acme.cn";

/// Settings of an intake that receives mail.
pub(crate) fn settings(protocol: &str) -> String {
    format!("[mail]\nlisten = \"127.0.0.1:0\"\nprotocol = \"{protocol}\"\nmessage_bytes = 100000\n{MAILBOXES}")
}

/// Keeps the source that the mailbox of `acme` is.
pub(crate) async fn keep_mailbox(stand: &Stand) {
    let source = Source {
        channel: Channel::Email.into(),
        ..Source::default()
    };
    stand.source("mailbox", source).await;
}

pub(crate) async fn stand(protocol: &str) -> Stand {
    let stand = Stand::with(&settings(protocol)).await;
    keep_mailbox(&stand).await;
    stand
}

/// A mail server that hands mail over.
struct Peer {
    stream: BufReader<TcpStream>,
}

impl Peer {
    async fn connect(address: SocketAddr) -> Self {
        let mut peer = Self {
            stream: BufReader::new(TcpStream::connect(address).await.unwrap()),
        };
        assert!(peer.hear().await.starts_with("220 "));
        peer
    }

    /// One answer, the last of its lines.
    async fn hear(&mut self) -> String {
        loop {
            let mut line = String::new();
            let heard = self.stream.read_line(&mut line);
            tokio::time::timeout(Duration::from_secs(20), heard)
                .await
                .unwrap()
                .unwrap();
            if line.get(3..4) != Some("-") {
                return line.trim_end().to_owned();
            }
        }
    }

    async fn say(&mut self, line: &str) -> String {
        self.stream
            .get_mut()
            .write_all(format!("{line}\r\n").as_bytes())
            .await
            .unwrap();
        self.hear().await
    }

    /// Hands a mail over; one answer for each recipient, or of SMTP one.
    async fn hand_over(&mut self, from: &str, to: &[&str], mail: &str, answers: usize) -> Vec<String> {
        assert_eq!(self.say(&format!("MAIL FROM:<{from}>")).await, "250 2.1.0 go on");
        for recipient in to {
            assert_eq!(self.say(&format!("RCPT TO:<{recipient}>")).await, "250 2.1.5 go on");
        }
        assert!(self.say("DATA").await.starts_with("354 "));
        let stuffed: String = mail
            .lines()
            .map(|line| format!("{}{line}\r\n", if line.starts_with('.') { "." } else { "" }))
            .collect();
        self.stream
            .get_mut()
            .write_all(format!("{stuffed}.\r\n").as_bytes())
            .await
            .unwrap();
        let mut heard = Vec::new();
        for _ in 0..answers {
            heard.push(self.hear().await);
        }
        heard
    }
}

/// Hands one mail over to the mailbox of `acme`.
pub(crate) async fn deliver(stand: &Stand, from: &str, mail: &str) -> String {
    let mut peer = Peer::connect(stand.other("mail")).await;
    assert!(peer.say("LHLO mx.acme.cn").await.starts_with("250 SIZE"));
    peer.hand_over(from, &[BOX], mail, 1).await.remove(0)
}

pub(crate) fn mail(headers: &[&str], text: &str) -> String {
    let headers: String = headers.iter().map(|header| format!("{header}\n")).collect();
    format!("To: {BOX}\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n{headers}\n{text}\n")
}

/// The kinds of the mails that were written down, in order.
pub(crate) async fn kinds(stand: &Stand) -> Vec<i16> {
    sqlx::query_scalar("SELECT kind FROM mail ORDER BY receive_time, kind")
        .fetch_all(&mut stand.database().await)
        .await
        .unwrap()
}

/// 003-12: the mailbox is taken in; when it was written, from whom, about what.
#[tokio::test]
async fn a_mail_becomes_feedback_before_it_is_answered_for() {
    let stand = stand("lmtp").await;
    let text = "空调响，电话 13800138000。\n.一行以点开始\n\n> 旧的\n-- \n李伟";
    let one = mail(
        &[
            "From: Li <Li@Example.com>",
            "Subject: 空调异响",
            "Date: Mon, 2 Mar 2026 08:30:00 +0800",
            "Message-ID: <a@example.com>",
        ],
        text,
    );
    assert_eq!(deliver(&stand, "li@example.com", &one).await, "250 2.0.0 taken");
    let feedback = stand.feedbacks().await.pop().unwrap();
    assert_eq!(feedback.description, "空调响，电话 [手机号]。\n.一行以点开始");
    assert_eq!(
        (
            feedback.title.as_str(),
            feedback.channel(),
            feedback.contact_kind(),
            feedback.author.as_str()
        ),
        ("空调异响", Channel::Email, ContactKind::Email, "source:mailbox")
    );
    assert_eq!(
        feedback.create_time.unwrap().seconds - feedback.occur_time.unwrap().seconds,
        1800
    );
    assert_eq!((feedback.thread_of.as_str(), feedback.offline), ("", false));

    // The answer was lost on its way: the server comes again, and it is known.
    assert_eq!(
        deliver(
            &stand,
            "li@example.com",
            &format!("Received: from a by b; Mon, 2 Mar 2026 09:00:00 +0800\n{one}")
        )
        .await,
        "250 2.0.0 taken"
    );
    assert_eq!((stand.stored().await, kinds(&stand).await), (1, vec![1]));
    // Nobody's address and no words beside the feedback itself.
    let rows: Vec<String> = sqlx::query_scalar("SELECT m::text FROM mail AS m")
        .fetch_all(&mut stand.database().await)
        .await
        .unwrap();
    assert!(
        rows.iter()
            .all(|row| !row.contains("example.com") && !row.contains("空调"))
    );
}

/// The answer to a feedback goes on with it: by the mail that it answers, by our own mail about it, by the number in its subject.
#[tokio::test]
async fn an_answer_goes_on_with_what_it_answers() {
    let stand = stand("lmtp").await;
    deliver(
        &stand,
        "li@example.com",
        &mail(
            &["From: li@example.com", "Subject: 异响", "Message-ID: <1@example.com>"],
            "坏了",
        ),
    )
    .await;
    let first = stand.feedbacks().await.pop().unwrap();
    let id = first.name.rsplit('/').next().unwrap();
    let replies = [
        (
            "li@example.com",
            "In-Reply-To: <1@example.com>".to_owned(),
            "还是坏的",
            true,
        ),
        (
            "li@example.com",
            "References: <2@example.com>".to_owned(),
            "第三次了",
            true,
        ),
        (
            "wang@example.com",
            format!("References: <{id}.feedback@acme.cn>"),
            "我是他同事",
            true,
        ),
        (
            "li@example.com",
            format!("Subject: Re: {}", first.number),
            "看编号",
            true,
        ),
        // Whoever guesses a number goes on with nothing.
        (
            "zhao@example.com",
            format!("Subject: Re: {}", first.number),
            "我猜的",
            false,
        ),
        (
            "li@example.com",
            "In-Reply-To: <none@example.com>".to_owned(),
            "别的事",
            false,
        ),
    ];
    for (number, (from, header, text, _)) in (2..).zip(&replies) {
        let reply = mail(
            &[
                &format!("From: {from}"),
                &format!("Message-ID: <{number}@example.com>"),
                header,
            ],
            text,
        );
        assert_eq!(deliver(&stand, from, &reply).await, "250 2.0.0 taken");
    }
    let stored = stand.feedbacks().await;
    for (_, _, text, is_reply) in replies {
        let found = stored.iter().find(|feedback| feedback.description == text).unwrap();
        assert_eq!(
            found.thread_of,
            if is_reply { first.name.as_str() } else { "" },
            "{text}"
        );
    }
}

/// FEATURES 11: what machines write is written down and becomes nothing, so that nobody is told and no machine answers.
#[tokio::test]
async fn what_machines_write_is_written_down_and_never_a_case() {
    let stand = stand("lmtp").await;
    let from = "From: li@example.com";
    for (return_path, header, text, kind) in [
        ("li@example.com", "Auto-Submitted: auto-replied", "1", 3),
        ("", "Subject: none", "2", 3),
        (
            "li@example.com",
            "Content-Type: multipart/report; report-type=delivery-status; boundary=r",
            "3",
            4,
        ),
        ("li@example.com", "X-Huiyin-Hops: 1", "4", 5),
    ] {
        assert_eq!(
            deliver(&stand, return_path, &mail(&[from, header], text)).await,
            "250 2.0.0 taken"
        );
        assert_eq!(kinds(&stand).await.last(), Some(&kind), "{header}");
        stand.stage.clock.advance(SignedDuration::from_secs(1));
    }
    assert_eq!((stand.stored().await, stand.events().await.len()), (0, 0));
}

/// Two mailboxes with an answering machine each: ours sends a mail for every case, theirs answers every mail; even one that
/// marks nothing is left alone in the end.
#[tokio::test]
async fn a_loop_of_two_answering_machines_ends() {
    for mark in ["Auto-Submitted: auto-replied", "X-Nothing: marks it"] {
        let stand = stand("lmtp").await;
        let mut sent = 0;
        let mut answered = mail(
            &["From: li@example.com", "Subject: 异响", "Message-ID: <0@example.com>"],
            "坏了",
        );
        for round in 1.. {
            assert!(round < 20, "the loop does not end");
            assert_eq!(deliver(&stand, "li@example.com", &answered).await, "250 2.0.0 taken");
            let mut cases = stand.feedbacks().await;
            cases.retain(|case| !case.held);
            if cases.len() == sent {
                break; // no case, so no mail of ours, so nothing that theirs could answer
            }
            sent = cases.len();
            let (number, id) = (
                &cases[sent - 1].number,
                cases[sent - 1].name.rsplit('/').next().unwrap(),
            );
            answered = mail(
                &[
                    "From: li@example.com",
                    &format!("Subject: Re: {number}"),
                    &format!("Message-ID: <{round}@example.com>"),
                    &format!("References: <{id}.feedback@acme.cn>"),
                    mark,
                ],
                &format!("谢谢您的来信 {round}，我在休假，回来后回复。"),
            );
            stand.stage.clock.advance(SignedDuration::from_secs(60));
        }
        // The case, and of the machine that marks nothing, and says another number each time, answers that might have been a person's.
        assert_eq!(sent, if mark.starts_with("Auto") { 1 } else { 13 });
        let last = kinds(&stand).await.pop().unwrap();
        assert_eq!(last, if mark.starts_with("Auto") { 3 } else { 5 });
        // A day later the same person may say the same again.
        stand.stage.clock.advance(SignedDuration::from_hours(25));
        deliver(
            &stand,
            "li@example.com",
            &mail(&["From: li@example.com", "Message-ID: <x@example.com>"], "坏了"),
        )
        .await;
        let cases = stand.feedbacks().await;
        assert_eq!(cases.iter().filter(|case| !case.held).count(), sent + 1);
    }
}

#[tokio::test]
async fn each_recipient_of_lmtp_is_answered_for() {
    let stand = stand("lmtp").await;
    let vip = Source {
        channel: Channel::AccountManager.into(),
        fixed_fields: vec![FixedField {
            field: "tier".to_owned(),
            value: "VIP".to_owned(),
        }],
        ..Source::default()
    };
    stand.source("vip", vip).await;
    let mut peer = Peer::connect(stand.other("mail")).await;
    peer.say("LHLO mx").await;
    assert_eq!(peer.say("EHLO mx").await, "500 5.5.1 this is LMTP: say LHLO");
    let one = mail(&["From: li@example.com", "Message-ID: <a@example.com>"], "坏了");
    let to = [BOX, "VIP@acme.cn", "feedback@globex.cn"];
    let answers = peer.hand_over("li@example.com", &to, &one, 3).await;
    // The other tenant has no such source yet: its mail stays with the server, the others' is taken.
    assert_eq!(
        answers,
        ["250 2.0.0 taken", "250 2.0.0 taken", "451 4.3.0 try again later"]
    );
    let channels: Vec<Channel> = stand
        .feedbacks()
        .await
        .iter()
        .map(|feedback| feedback.channel())
        .collect();
    assert_eq!(channels, [Channel::Email, Channel::AccountManager]);
    assert_eq!(stand.feedbacks().await[1].tier, 3);
}

#[tokio::test]
async fn smtp_is_answered_once_and_what_breaks_its_rules_is_refused() {
    let stand = stand("smtp").await;
    let mut peer = Peer::connect(stand.other("mail")).await;
    for (said, heard) in [
        ("MAIL FROM:<li@example.com>", "503 5.5.1 say who you are first"),
        ("LHLO mx", "500 5.5.1 this is SMTP: say EHLO"),
        ("HELO mx", "250 huiyin"),
        ("EHLO mx", "250 SIZE 100000"),
        ("RCPT TO:<feedback@acme.cn>", "503 5.5.1 say from whom it is first"),
        (
            "MAIL FROM:<li@example.com> SIZE=100001",
            "552 5.3.4 the mail is too large",
        ),
        ("MAIL FROM:<>", "250 2.1.0 go on"),
        ("RCPT TO:<nobody@acme.cn>", "550 5.1.1 no such mailbox"),
        ("DATA", "503 5.5.1 say to whom it is first"),
        ("NOOP", "250 2.0.0 still here"),
        ("VRFY li", "252 2.1.5 send it and see"),
        ("STARTTLS", "502 5.5.1 not done here"),
        ("BDAT 5 LAST", "502 5.5.1 not done here"),
        ("WHAT", "500 5.5.2 not understood"),
        ("RSET", "250 2.0.0 forgotten"),
    ] {
        assert_eq!(peer.say(said).await, heard, "{said}");
    }
    let one = mail(&["From: li@example.com", "Message-ID: <a@example.com>"], "坏了");
    assert_eq!(
        peer.hand_over("li@example.com", &[BOX, BOX], &one, 1).await,
        ["250 2.0.0 taken"]
    );
    let large = mail(&["From: li@example.com"], &"坏了\n".repeat(20_000));
    assert_eq!(
        peer.hand_over("li@example.com", &[BOX], &large, 1).await,
        ["552 5.3.4 the mail is too large"]
    );
    let empty = peer.hand_over("li@example.com", &[BOX], "", 1).await.remove(0);
    assert!(empty.starts_with("554 5.6.0 "), "{empty}");
    assert_eq!(peer.say("QUIT").await, "221 2.0.0 bye");
    assert_eq!(stand.stored().await, 1);

    let mut peer = Peer::connect(stand.other("mail")).await;
    assert_eq!(peer.say(&"X".repeat(5000)).await, "500 5.5.2 the line is too long");
    let mut peer = Peer::connect(stand.other("mail")).await;
    for _ in 0..21 {
        assert_eq!(peer.say("WHAT").await, "500 5.5.2 not understood");
    }
    assert_eq!(peer.hear().await, "421 4.7.0 too many mistakes");
}

/// A mailbox that is closed for a while is no reason to lose a mail for ever: but what is disabled by somebody is refused.
#[tokio::test]
async fn a_disabled_mailbox_refuses_and_odd_addresses_do_not() {
    let stand = stand("lmtp").await;
    let odd = mail(&["From: \"a b\"@localhost", "Message-ID: <a@example.com>"], "坏了");
    assert_eq!(deliver(&stand, "x@example.com", &odd).await, "250 2.0.0 taken");
    let stored = stand.feedbacks().await.pop().unwrap();
    assert_eq!(
        (stored.description.as_str(), stored.contact_kind()),
        ("坏了", ContactKind::Unspecified)
    );
    let disable = DisableSourceRequest {
        name: "tenants/acme/sources/mailbox".to_owned(),
        ..DisableSourceRequest::default()
    };
    let mut sources = stand.sources("user:admin", "acme", "admin").await;
    sources.disable_source(disable).await.unwrap();
    let other = mail(&["From: li@example.com", "Message-ID: <b@example.com>"], "又坏了");
    assert_eq!(
        deliver(&stand, "li@example.com", &other).await,
        "550 5.7.1 this mailbox takes nothing"
    );
    assert_eq!(stand.stored().await, 1);
}

/// Without the database the mail stays with the server that has it.
#[tokio::test]
async fn what_cannot_be_stored_now_is_to_come_again() {
    let stand = stand("lmtp").await;
    sqlx::query("ALTER TABLE feedback RENAME TO feedback_away")
        .execute(&mut stand.database().await)
        .await
        .unwrap();
    let one = mail(&["From: li@example.com", "Message-ID: <a@example.com>"], "坏了");
    assert_eq!(
        deliver(&stand, "li@example.com", &one).await,
        "451 4.3.0 try again later"
    );
    sqlx::query("ALTER TABLE feedback_away RENAME TO feedback")
        .execute(&mut stand.database().await)
        .await
        .unwrap();
    assert_eq!(deliver(&stand, "li@example.com", &one).await, "250 2.0.0 taken");
    assert_eq!((stand.stored().await, kinds(&stand).await), (1, vec![1]));
}

/// 000-11, 000-13, 003-11, 003-20: the call centre and the store hand in as themselves, of what happened before.
#[tokio::test]
async fn what_an_agent_writes_down_is_theirs_and_of_its_own_time() {
    let stand = stand("lmtp").await;
    let mut agent = stand.client_of("user:wang", "acme", "agent").await;
    for (channel, offline) in [
        (Channel::Phone, false),
        (Channel::Store, true),
        (Channel::Paper, true),
        (Channel::CustomerMeeting, true),
        (Channel::Douyin, false),
        (Channel::AppReview, false),
    ] {
        let mut said = feedback("柜台反映开关失灵");
        said.channel = channel.into();
        said.emotion_level = 5;
        said.occur_time = Some(prost_types::Timestamp {
            seconds: 1_772_150_400,
            nanos: 0,
        });
        let taken = agent.create_feedback(create(said)).await.unwrap().into_inner();
        assert_eq!(
            (taken.channel(), taken.offline, taken.author.as_str()),
            (channel, offline, "user:wang")
        );
        assert_eq!(taken.emotion_level, 5);
        assert_eq!(taken.occur_time.unwrap().seconds, 1_772_150_400);
        assert_eq!(taken.create_time.unwrap().seconds, 1_772_413_200);
    }
}
