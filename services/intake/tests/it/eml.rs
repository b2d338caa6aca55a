//! An .eml with attachments: it arrives as feedback with its files, and an erasure takes all of it along.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use huiyin_proto::intake::v1::Feedback;
use huiyin_testkit::eventually;

use crate::{
    attachment::{PATIENCE, client, download, png, stored},
    erasure::World,
    mailbox::{BOX, deliver, keep_mailbox, mail, settings},
    stand::Stand,
};

const WORDS: &str = "包装破损，见附图与收据。";
const RECEIPT: &[u8] = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n";

/// As mail programs write it: words in two forms, then files, with a name that is not ASCII, one of them a program.
fn eml() -> String {
    let file = |headers: &str, bytes: &[u8]| {
        let lines: Vec<String> = STANDARD
            .encode(bytes)
            .as_bytes()
            .chunks(76)
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect();
        format!(
            "--outer\n{headers}\nContent-Transfer-Encoding: base64\n\n{}\n",
            lines.join("\n")
        )
    };
    let program: Vec<u8> = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0"
        .iter()
        .copied()
        .chain([0; 200])
        .collect();
    [
        format!("From: =?UTF-8?B?5p2O5Lyf?= <li@example.com>\nTo: {BOX}\nSubject: =?UTF-8?B?5YyF6KOF56C05o2f?="),
        "Date: Mon, 2 Mar 2026 08:30:00 +0800\nMessage-ID: <eml@example.com>\nMIME-Version: 1.0".to_owned(),
        "Content-Type: multipart/mixed; boundary=\"outer\"\n".to_owned(),
        "--outer\nContent-Type: multipart/alternative; boundary=\"inner\"\n".to_owned(),
        format!("--inner\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{WORDS}\n"),
        format!("--inner\nContent-Type: text/html; charset=utf-8\n\n<p>{WORDS}</p>\n\n--inner--"),
        file(
            "Content-Type: image/png\nContent-Disposition: attachment; filename*=UTF-8''%E7%A0%B4%E6%8D%9F.png",
            &png(3000),
        ),
        file(
            "Content-Type: application/octet-stream\nContent-Disposition: attachment; filename=\"receipt.pdf\"",
            RECEIPT,
        ),
        file(
            "Content-Type: image/jpeg\nContent-Disposition: attachment; filename=\"photo.jpg\"",
            &program,
        ),
        "--outer--".to_owned(),
    ]
    .join("\n")
}

/// The feedback that it became.
async fn arrived(stand: &Stand) -> Feedback {
    keep_mailbox(stand).await;
    assert_eq!(deliver(stand, "li@example.com", &eml()).await, "250 2.0.0 taken");
    stand.feedbacks().await.remove(0)
}

/// 000-24, 001-22, 003-12: words and files arrive; what is not taken is named, and loses nothing else.
#[tokio::test]
async fn an_eml_with_attachments_arrives_as_feedback_with_its_files() {
    let stand = Stand::with(&settings("lmtp")).await;
    let feedback = arrived(&stand).await;
    assert_eq!(feedback.title, "包装破损");
    assert!(feedback.description.starts_with(WORDS), "{}", feedback.description);
    assert!(
        feedback.description.contains("\n[photo.jpg: "),
        "{}",
        feedback.description
    );

    let mut files = client(&stand).await;
    let mut held = Vec::new();
    for reference in &feedback.attachments {
        let (file, bytes) = download(&mut files, &reference.attachment, 0, 0).await.unwrap();
        assert_eq!(
            (&file.feedback, &file.media_type),
            (&feedback.name, &reference.media_type)
        );
        held.push((file.file_name, file.media_type, bytes));
    }
    let held_as = |name: &str, media_type: &str, bytes: &[u8]| (name.to_owned(), media_type.to_owned(), bytes.to_vec());
    assert_eq!(
        held,
        [
            held_as("破损.png", "image/png", &png(3000)),
            held_as("receipt.pdf", "application/pdf", RECEIPT),
        ]
    );
}

/// 000-21, 001-81: files, sketches, threads and hashes of mails go with their customer; those of others stay.
#[tokio::test]
async fn what_hangs_on_the_feedback_of_an_erased_customer_goes_along() {
    let world = World::with(&settings("lmtp")).await;
    let stand = &world.stand;
    let first = arrived(stand).await;
    let answer = mail(
        &[
            "From: li@example.com",
            "Subject: Re: 包装破损",
            "Message-ID: <answer@example.com>",
            "In-Reply-To: <eml@example.com>",
        ],
        "补充一点，外箱也湿了。",
    );
    let other = mail(
        &[
            "From: wang@example.com",
            "Subject: 门锁",
            "Message-ID: <other@example.com>",
        ],
        "指纹锁识别不了手指，已经三天。",
    );
    assert_eq!(deliver(stand, "li@example.com", &answer).await, "250 2.0.0 taken");
    assert_eq!(deliver(stand, "wang@example.com", &other).await, "250 2.0.0 taken");

    let counts = async || {
        let counts: (i64, i64, i64, i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM attachment), (SELECT count(*) FROM mail), (SELECT count(*) FROM feedback_thread),
                    (SELECT count(*) FROM feedback_print), (SELECT count(DISTINCT feedback_id) FROM feedback_band)",
        )
        .fetch_one(&mut stand.database().await)
        .await
        .unwrap();
        counts
    };
    eventually("all three are compared", PATIENCE, async || {
        let counts = counts().await;
        if counts == (2, 3, 1, 3, 3) {
            Ok(())
        } else {
            Err(format!("{counts:?}"))
        }
    })
    .await;
    assert_eq!(stored(stand).len(), 2);

    let operation = world.erase(&first.customer, 1).await.unwrap();
    let certificate = world.ended(&operation).await;
    assert_eq!(stored(stand), Vec::<String>::new(), "what is certified is gone");
    assert_eq!(counts().await, (0, 1, 0, 1, 1));
    assert_eq!(certificate.feedback_count, 2);
    let intake = certificate.rooms.iter().find(|room| room.service == "intake").unwrap();
    let files = intake.counts.iter().find(|count| count.kind == "attachment").unwrap();
    assert_eq!(files.count, 2);
    for words in [WORDS, "receipt.pdf", "外箱也湿了"] {
        assert_eq!(world.rows_with(words).await, 0, "{words}");
    }
}
