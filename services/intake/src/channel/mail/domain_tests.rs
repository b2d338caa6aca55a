//! Tests of what a mail is and says.

use huiyin_testkit::grows_no_faster;
use proptest::prelude::*;

use super::*;

fn read(mail: &str) -> Letter {
    letter(mail.replace('\n', "\r\n").as_bytes(), "li@example.com").unwrap()
}

fn with(header: &str) -> Option<Kind> {
    read(&format!("From: Li <li@example.com>\nSubject: s\n{header}\n\n坏了\n")).machine
}

/// 003-12: the key facts of a mail.
#[test]
fn a_mail_is_understood_in_all_its_parts() {
    let mail = "From: =?utf-8?B?5p2O5Lyf?= <Li@Example.com>\nTo: feedback@acme.cn\nDate: Mon, 2 Mar 2026 08:30:00 +0800\n\
         Message-ID: <a1@example.com>\nIn-Reply-To: <b2@acme.cn>\nReferences: <z0@acme.cn>\n <b2@acme.cn>\n\
         Subject: =?gb2312?B?u9i4tKO6v9W19w==?= FB20260301007\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: multipart/alternative; boundary=a\n\n\
         --a\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n6L+Y5piv5LiN6KGM\n\
         --a\nContent-Type: text/html; charset=utf-8\n\n<p>还是<b>不行</b></p>\n--a--\n\
         --m\nContent-Type: image/png; name=\"shot.png\"\nContent-Disposition: attachment; filename=\"../shot.png\"\n\
         Content-Transfer-Encoding: base64\n\niVBORw0KGgo=\n--m--\n";
    let letter = read(mail);
    assert_eq!(letter.message_id, "a1@example.com");
    assert_eq!(letter.references, ["z0@acme.cn", "b2@acme.cn", "b2@acme.cn"]);
    assert_eq!(letter.sender, "li@example.com");
    assert_eq!(letter.title, "回复：空调 FB20260301007");
    assert_eq!(letter.number(), Some("FB20260301007"));
    assert_eq!(letter.description(), "还是不行");
    assert_eq!(letter.date, Some("2026-03-02T00:30:00Z".parse().unwrap()));
    assert_eq!(letter.machine, None);
    let files: Vec<(&str, &str, &[u8])> = letter
        .files
        .iter()
        .map(|file| (file.name.as_str(), file.media_type.as_str(), &*file.bytes))
        .collect();
    assert_eq!(files, [("../shot.png", "image/png", b"\x89PNG\r\n\x1a\n".as_slice())]);
}

#[test]
fn html_alone_is_read_as_text_and_an_empty_mail_says_its_subject() {
    let html = read(
        "From: a@b.cn\nSubject: s\nContent-Type: text/html; charset=utf-8\n\n<style>x{}</style><p>坏了&amp;慢</p>",
    );
    assert_eq!(html.description(), "坏了&慢");
    assert_eq!(read("From: a@b.cn\nSubject: 只有主题\n\n\n").description(), "只有主题");
    assert_eq!(read("From: a@b.cn\n\n \n").description(), "");
}

/// FEATURES 11: the marks of RFC 3834 and 3464, and those that machines write instead.
#[test]
fn machines_are_recognised() {
    for header in [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-generated (vacation)",
        "auto-submitted: AUTO-NOTIFIED; owner-email=x",
        "Precedence: auto_reply",
        "X-Autoreply: yes",
    ] {
        assert_eq!(with(header), Some(Kind::Automatic), "{header}");
    }
    for subject in [
        "自动回复: 休假",
        "自動回覆：休假",
        "Automatic reply: away",
        "Out of Office: back on Monday",
    ] {
        let mail = read(&format!("From: a@b.cn\nSubject: {subject}\n\nx"));
        assert_eq!(mail.machine, Some(Kind::Automatic), "{subject}");
    }
    assert_eq!(
        letter(b"From: a@b.cn\r\n\r\nx", "").unwrap().machine,
        Some(Kind::Automatic)
    );
    let report = "Content-Type: multipart/report; report-type=delivery-status; boundary=r";
    assert_eq!(with(report), Some(Kind::Report));
    assert_eq!(read("From: MAILER-DAEMON@b.cn\n\nx").machine, Some(Kind::Report));
    assert_eq!(with(&format!("{HOPS}: 1")), Some(Kind::Loop));
    assert_eq!(with(&format!("{HOPS}: many")), Some(Kind::Loop));
    assert_eq!(
        with(&"Received: from a by b; Mon, 2 Mar 2026 08:30:00 +0800\n".repeat(51)),
        Some(Kind::Loop)
    );
}

#[test]
fn people_are_not_taken_for_machines() {
    for header in [
        "Auto-Submitted: no",
        "Precedence: first-class",
        // RFC 3834: such a mail is not to be answered by a machine; that one wrote it is not said.
        "Precedence: bulk",
        "Precedence: list",
        "X-Auto-Response-Suppress: All",
        "X-Auto-Response-Suppress: DR, OOF, AutoReply",
        "X-Huiyin-Hops: 0",
        "Received: from a by b; Mon, 2 Mar 2026 08:30:00 +0800",
        "X-Nothing: 1",
    ] {
        assert_eq!(with(header), None, "{header}");
    }
    for subject in [
        "自动回复功能坏了",
        "Auto: 刹车异响",
        "Auto focus is broken",
        "automatic reply does not work",
        "自动回复 失效",
    ] {
        assert_eq!(
            read(&format!("From: a@b.cn\nSubject: {subject}\n\nx")).machine,
            None,
            "{subject}"
        );
    }
}

/// 003-12: programs of old send the Chinese of their machine and do not say so.
#[test]
fn chinese_without_a_character_set_is_read() {
    let gbk = |text: &str| GB18030.encode(text).0.into_owned();
    let body = gbk("空调漏水，电话占线");
    let quoted: String = body.iter().map(|byte| format!("={byte:02X}")).collect();
    let bodies: [(&str, Vec<u8>); 4] = [
        ("Content-Type: text/plain\n", body.clone()),
        ("Content-Type: text/plain; charset=unknown-8bit\n", body),
        ("Content-Transfer-Encoding: quoted-printable\n", quoted.into_bytes()),
        ("Content-Type: text/html\n", gbk("<p>空调漏水，电话占线</p>")),
    ];
    for (headers, body) in bodies {
        let mail = [
            b"From: a@b.cn\nSubject: ",
            gbk("空调").as_slice(),
            b"\n",
            headers.as_bytes(),
            b"\n",
            &body,
        ]
        .concat();
        let letter = letter(&mail, "a@b.cn").unwrap();
        assert_eq!(
            (letter.title.as_str(), letter.description()),
            ("空调", "空调漏水，电话占线"),
            "{headers}"
        );
    }
    // What is said to be UTF-8 is not guessed at, nor what is no Chinese either.
    let cut = "From: a@b.cn\nContent-Type: text/plain; charset=utf-8\n\n空调".as_bytes();
    assert_eq!(letter(&cut[..cut.len() - 1], "a@b.cn").unwrap().words, "空\u{fffd}");
    assert_eq!(
        letter(b"From: a@b.cn\n\nx \xff y", "a@b.cn").unwrap().words,
        "x \u{fffd} y"
    );
}

/// 000-24: of more files than are looked at every one is named.
#[test]
fn files_beyond_those_that_are_kept_have_a_name() {
    let parts: String = (0..70)
        .map(|n| format!("--m\nContent-Type: image/png\nContent-Disposition: attachment; filename=a{n}.png\n\nx\n"))
        .collect();
    let mail = read(&format!(
        "From: a@b.cn\nContent-Type: multipart/mixed; boundary=m\n\n{parts}--m--\n"
    ));
    assert_eq!(mail.files.len(), 70);
    assert_eq!(
        (mail.files[69].name.as_str(), mail.files[69].bytes.len()),
        ("a69.png", 0)
    );
}

#[test]
fn our_own_mails_name_their_feedback() {
    let mail = read(
        "From: a@b.cn\nReferences: <0195a2b0-0000-7000-8000-000000000007.feedback@acme.cn> <x.feedback@acme.cn>\n\
         In-Reply-To: <0195a2b0-0000-7000-8000-000000000008@acme.cn>\n\nx",
    );
    assert_eq!(
        mail.named_feedbacks(),
        [Uuid::from_u128(0x0195_a2b0_0000_7000_8000_0000_0000_0007)]
    );
}

#[test]
fn what_is_too_long_is_cut_and_says_so() {
    let mail = read(&format!(
        "From: a@b.cn\nSubject: {}\nContent-Type: text/plain; charset=utf-8\n\n{}",
        "长".repeat(300),
        "话".repeat(30_000)
    ));
    assert_eq!((mail.title.chars().count(), mail.words.chars().count()), (200, 20_000));
    assert!(mail.title.ends_with('…') && mail.words.ends_with(CUT));
    assert_eq!(mail.whole.unwrap().chars().count(), 30_000);
}

#[test]
fn files_that_are_not_kept_are_named_and_a_mail_of_files_alone_says_their_names() {
    let lost = |name: &str| Lost {
        name: name.to_owned(),
        problem: "is too large".to_owned(),
    };
    let mail = read("From: a@b.cn\n\n坏了");
    assert_eq!(mail.description_without(&[]), "坏了");
    assert_eq!(
        mail.description_without(&[lost("a.exe")]),
        "坏了\n[a.exe: is too large]"
    );
    let files = read(
        "From: a@b.cn\nContent-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: image/png\n\
         Content-Disposition: attachment; filename=a.png\n\nx\n--m--\n",
    );
    assert_eq!(files.description_without(&[]), "[a.png]");
    assert_eq!(files.description_without(&[lost("a.png")]), "[a.png: is too large]");
    let many: Vec<Lost> = (0..10_000).map(|_| lost(&"长".repeat(100))).collect();
    assert!(mail.description_without(&many).chars().count() <= MOST_DESCRIPTION);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    /// Over a million characters of what mails are made of, in an order that they are not: read or refused, never a panic, and
    /// within the lengths that a feedback may have.
    #[test]
    fn any_bytes_are_understood_or_none(
        parts in proptest::collection::vec(
            prop_oneof![
                4 => proptest::sample::select(vec![
                    "From: ", "To: <a@b>", "Subject: =?utf-8?B?", "=?=", "\r\n", "\r\n\r\n", "--x", "--x--", "<", ">", "@", ";", "\"",
                    "Content-Type: multipart/mixed; boundary=x\r\n", "Content-Type: message/rfc822\r\n\r\n", "Date: Mon, 99 Foo 999999",
                    "Content-Transfer-Encoding: base64\r\n\r\n", "References: <a@b> <", "Received: ", "Message-ID: <", "=E5=9D", "<p",
                    "Content-Type: text/html; charset=gb18030\r\n\r\n", "&amp", "filename*0*=utf-8''%", "Auto-Submitted: ",
                ]).prop_map(|part| part.as_bytes().to_vec()),
                1 => proptest::collection::vec(any::<u8>(), 0..64),
            ],
            0..1_200,
        ),
    ) {
        if let Some(letter) = letter(&parts.concat(), "a@b") {
            prop_assert!(letter.title.chars().count() <= MOST_TITLE);
            prop_assert!(letter.words.chars().count() <= MOST_DESCRIPTION);
            prop_assert!(letter.references.len() <= MOST_REFERENCES);
            prop_assert!(!letter.words.contains('\0') && !letter.title.contains('\0'));
            let _ = (letter.bare_words(), letter.number(), letter.named_feedbacks());
        }
    }
}

/// Two million characters of nesting, encoding and headers: neither the stack nor the time grows faster than the mail.
#[test]
fn nesting_and_repetition_cost_no_more_than_their_length() {
    let nested = |length: usize| {
        let level = |level| format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n");
        (0..length / 50).map(level).collect::<String>()
    };
    grows_no_faster("nested", 2_000_000, |length| {
        let _ = letter(nested(length).as_bytes(), "a@b");
    });
    for (head, part) in [
        ("", "Content-Type: message/rfc822\r\n\r\n"),
        ("", "References: <a@b>\r\n"),
        ("References: ", "<a@b> "),
        ("From: ", "a <"),
        ("Subject: ", "=?utf-8?Q?a?= "),
        ("Content-Type: text/html\r\n\r\n", "<div>"),
        ("Content-Type: text/html\r\n\r\n", "&"),
        ("Content-Type: text/html\r\n\r\n", "<"),
        ("Content-Type: multipart/mixed; boundary=x\r\n\r\n", "--x\r\n\r\na\r\n"),
        ("Content-Type: text/plain; ", "name*0*=a; "),
    ] {
        grows_no_faster(part, 2_000_000, |length| {
            let mail = format!("{head}{}\r\n\r\nx", part.repeat(length / part.len()));
            let _ = letter(mail.as_bytes(), "a@b");
        });
    }
}
