//! A stream of items: answered one by one, taken up again where it broke, nothing taken in twice.

use std::{collections::BTreeSet, time::Duration};

use futures::StreamExt as _;
use huiyin_proto::intake::v1::{
    Feedback, ImportFeedbacksRequest, ImportFeedbacksResponse, ImportItem, ImportOpening, import_result::Outcome,
};
use huiyin_testkit::eventually;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};

use crate::stand::{ACME, Client, Stand, create, external, feedback, fields, reason};

fn opening(import_id: &str, validate_only: bool) -> ImportFeedbacksRequest {
    let opening = ImportOpening {
        parent: ACME.to_owned(),
        import_id: import_id.to_owned(),
        validate_only,
    };
    ImportFeedbacksRequest {
        opening: Some(opening),
        items: Vec::new(),
    }
}

fn items(items: impl IntoIterator<Item = (i64, Feedback)>) -> ImportFeedbacksRequest {
    let items = items
        .into_iter()
        .map(|(sequence, feedback)| ImportItem {
            sequence,
            feedback: Some(feedback),
        })
        .collect();
    ImportFeedbacksRequest { opening: None, items }
}

fn plain(sequences: std::ops::RangeInclusive<i64>) -> ImportFeedbacksRequest {
    items(sequences.map(|sequence| (sequence, feedback(&format!("第{sequence}条")))))
}

/// Sends all messages and reads all answers.
async fn import(
    client: &mut Client,
    messages: Vec<ImportFeedbacksRequest>,
) -> Result<Vec<ImportFeedbacksResponse>, Status> {
    let mut answers = client
        .import_feedbacks(futures::stream::iter(messages))
        .await?
        .into_inner();
    let mut all = Vec::new();
    while let Some(answer) = answers.message().await? {
        all.push(answer);
    }
    Ok(all)
}

/// A stream that is written by hand.
async fn open(
    client: &mut Client,
    import_id: &str,
) -> (
    mpsc::Sender<ImportFeedbacksRequest>,
    Streaming<ImportFeedbacksResponse>,
    i64,
) {
    let (sender, receiver) = mpsc::channel(16);
    let mut answers = client
        .import_feedbacks(ReceiverStream::new(receiver))
        .await
        .unwrap()
        .into_inner();
    sender.send(opening(import_id, false)).await.unwrap();
    let first = answers.message().await.unwrap().unwrap();
    assert_eq!(first.results, Vec::new());
    (sender, answers, first.settled_through)
}

/// What became of each item: its sequence, and `stored`, `before`, or the violated fields.
fn outcomes(answers: &[ImportFeedbacksResponse]) -> Vec<(i64, String)> {
    let outcome = |outcome: &Outcome| match outcome {
        Outcome::Feedback(name) if name.starts_with("tenants/acme/feedbacks/") => "stored".to_owned(),
        Outcome::Feedback(name) => format!("valid{name}"),
        Outcome::SettledBefore(_) => "before".to_owned(),
        Outcome::Refusal(refusal) => refusal
            .violations
            .iter()
            .map(|violation| violation.field.as_str())
            .collect::<Vec<_>>()
            .join(" "),
    };
    answers
        .iter()
        .flat_map(|answer| &answer.results)
        .map(|result| (result.sequence, outcome(result.outcome.as_ref().unwrap())))
        .collect()
}

fn of(outcomes: &[(i64, &str)]) -> Vec<(i64, String)> {
    outcomes
        .iter()
        .map(|(sequence, outcome)| (*sequence, (*outcome).to_owned()))
        .collect()
}

#[tokio::test]
async fn every_item_is_answered_and_a_bad_one_holds_up_no_other() {
    let stand = Stand::new().await;
    let mut client = stand.client().await;
    client.create_feedback(create(external("占用", "TAKEN"))).await.unwrap();
    let mut without_feedback = items([(5, feedback("五"))]);
    without_feedback.items.push(ImportItem {
        sequence: 6,
        feedback: None,
    });
    let answers = import(
        &mut client,
        vec![
            opening("a", false),
            items([
                (1, feedback("一")),
                (
                    2,
                    Feedback {
                        emotion_level: 9,
                        ..feedback("")
                    },
                ),
                (4, external("四", "TAKEN")),
            ]),
            without_feedback,
            items([]),
            items([
                (7, feedback(" ")),
                (8, external("八", "E-8")),
                (9, external("九", "E-8")),
            ]),
        ],
    )
    .await
    .unwrap();
    assert_eq!(
        answers.iter().map(|answer| answer.settled_through).collect::<Vec<_>>(),
        [0, 4, 6, 6, 9]
    );
    let expected = [
        (1, "stored"),
        (2, "feedback.description feedback.emotion_level"),
        (4, "feedback.external_id"),
        (5, "stored"),
        (6, "feedback"),
        (7, "feedback.description"),
        (8, "stored"),
        (9, "feedback.external_id"),
    ];
    assert_eq!(outcomes(&answers), of(&expected));
    assert_eq!((stand.stored().await, stand.events().await.len()), (4, 4));
    let counted: (i64, i64, i64) = sqlx::query_as("SELECT settled_through, accepted, refused FROM feedback_import")
        .fetch_one(&mut stand.database().await)
        .await
        .unwrap();
    assert_eq!(counted, (9, 3, 5));
    let authors: Vec<String> = sqlx::query_scalar("SELECT DISTINCT author FROM feedback")
        .fetch_all(&mut stand.database().await)
        .await
        .unwrap();
    assert_eq!(authors, ["key:erp"]);
}

/// C-21: more than 999 in one day.
#[tokio::test]
async fn a_large_import_is_numbered_without_a_gap() {
    let stand = Stand::new().await;
    let answers = import(
        &mut stand.client().await,
        vec![opening("a", false), plain(1..=1000), plain(1001..=1700)],
    )
    .await
    .unwrap();
    assert_eq!(answers.last().unwrap().settled_through, 1700);
    let mut numbers: Vec<String> = sqlx::query_scalar("SELECT number FROM feedback ORDER BY length(number), number")
        .fetch_all(&mut stand.database().await)
        .await
        .unwrap();
    assert_eq!(
        (
            numbers.len(),
            numbers[0].as_str(),
            numbers[998].as_str(),
            numbers[999].as_str()
        ),
        (1700, "FB20260302001", "FB20260302999", "FB202603021000")
    );
    assert_eq!(numbers.pop().unwrap(), "FB202603021700");
}

/// The stream breaks after an answer; taken up again, items that were settled are passed over, wherever the caller goes on.
#[tokio::test]
async fn a_broken_import_goes_on_without_taking_anything_in_twice() {
    let stand = Stand::new().await;
    let mut client = stand.client().await;
    let (sender, mut answers, through) = open(&mut client, "file-1").await;
    assert_eq!(through, 0);
    sender.send(plain(1..=10)).await.unwrap();
    assert_eq!(answers.message().await.unwrap().unwrap().settled_through, 10);
    // Sent, and the connection breaks before the answer: it may be settled or not.
    sender.send(plain(11..=20)).await.unwrap();
    drop((sender, answers));

    let (sender, mut answers, through) = open(&mut client, "file-1").await;
    assert!(through == 10 || through == 20, "{through}");
    sender.send(plain(6..=25)).await.unwrap();
    drop(sender);
    let answer = answers.message().await.unwrap().unwrap();
    assert_eq!(answer.settled_through, 25);
    assert!(answers.message().await.unwrap().is_none());
    // Those that another stream settled by now are told apart from those stored here; together they are all there once.
    let outcomes = outcomes(&[answer]);
    assert!(
        outcomes.iter().all(|(sequence, outcome)| if *sequence <= 10 {
            outcome == "before"
        } else {
            outcome == "before" || outcome == "stored"
        }),
        "{outcomes:?}"
    );
    assert_eq!(outcomes.last().unwrap().1, "stored");
    let mut stored: Vec<String> = sqlx::query_scalar("SELECT description FROM feedback")
        .fetch_all(&mut stand.database().await)
        .await
        .unwrap();
    stored.sort_by_key(|text| {
        text.chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
            .parse::<i64>()
            .unwrap()
    });
    assert_eq!(
        stored,
        (1..=25).map(|sequence| format!("第{sequence}条")).collect::<Vec<_>>()
    );
    assert_eq!(stand.events().await.len(), 25);
}

/// Two streams of one import at the same time take turns: each item is taken in by one of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_streams_of_one_import_take_nothing_in_twice() {
    let stand = Stand::new().await;
    let messages = || {
        [
            vec![opening("file-1", false)],
            (0..30).map(|part| plain(part * 10 + 1..=part * 10 + 10)).collect(),
        ]
        .concat()
    };
    let (mut left, mut right) = (
        stand.client().await,
        stand.client_of("key:crm", "acme", "integration").await,
    );
    let (left, right) = futures::join!(import(&mut left, messages()), import(&mut right, messages()));
    let (left, right) = (left.unwrap(), right.unwrap());
    for answers in [&left, &right] {
        assert!(
            answers
                .windows(2)
                .all(|pair| pair[0].settled_through <= pair[1].settled_through)
        );
        assert_eq!(answers.last().unwrap().settled_through, 300);
    }
    for (left, right) in outcomes(&left).into_iter().zip(outcomes(&right)) {
        assert_eq!(left.0, right.0);
        assert_eq!(
            BTreeSet::from([left.1.as_str(), right.1.as_str()]),
            BTreeSet::from(["stored", "before"]),
            "{left:?} {right:?}"
        );
    }
    assert_eq!((stand.stored().await, stand.events().await.len()), (300, 300));
    let counted: (i64, i64) = sqlx::query_as("SELECT accepted, refused FROM feedback_import")
        .fetch_one(&mut stand.database().await)
        .await
        .unwrap();
    assert_eq!(counted, (300, 0));
}

#[tokio::test]
async fn an_import_that_only_checks_stores_nothing() {
    let stand = Stand::new().await;
    let mut client = stand.client().await;
    for _ in 0..2 {
        let answers = import(
            &mut client,
            vec![opening("a", true), items([(1, feedback("一")), (2, feedback(" "))])],
        )
        .await
        .unwrap();
        assert_eq!(outcomes(&answers), of(&[(1, "valid"), (2, "feedback.description")]));
        assert_eq!(answers.last().unwrap().settled_through, 2);
    }
    let left: i64 =
        sqlx::query_scalar("SELECT (SELECT count(*) FROM feedback_import) + (SELECT count(*) FROM number_counter)")
            .fetch_one(&mut stand.database().await)
            .await
            .unwrap();
    assert_eq!((stand.stored().await, stand.events().await.len(), left), (0, 0, 0));
}

#[tokio::test]
async fn an_import_begins_with_its_opening_and_has_one_only() {
    let stand = Stand::new().await;
    let mut client = stand.client().await;
    let both = ImportFeedbacksRequest {
        items: plain(1..=1).items,
        ..opening("a", false)
    };
    for messages in [
        vec![plain(1..=1)],
        vec![opening("a", false), opening("a", false)],
        vec![both],
    ] {
        let refused = import(&mut client, messages).await.unwrap_err();
        assert_eq!(
            (refused.code(), reason(&refused)),
            (Code::FailedPrecondition, "IMPORT_NOT_OPEN".to_owned())
        );
    }
    let refused = import(
        &mut stand.client_of("key:erp", "globex", "integration").await,
        vec![opening("a", false)],
    )
    .await
    .unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused)),
        (Code::NotFound, "RESOURCE_NOT_FOUND".to_owned())
    );
    assert_eq!(stand.stored().await, 0);
}

#[tokio::test]
async fn a_message_that_breaks_the_order_ends_the_stream() {
    let stand = Stand::new().await;
    let mut client = stand.client().await;
    for (messages, field) in [
        (
            vec![opening("a", false), items([(0, feedback("零"))])],
            "items[0].sequence",
        ),
        (
            vec![opening("b", false), items([(1, feedback("一")), (1, feedback("一"))])],
            "items[1].sequence",
        ),
        (vec![opening("c", false), plain(1..=1001)], "items"),
        (vec![opening("not a name", false)], "opening.import_id"),
    ] {
        let refused = import(&mut client, messages).await.unwrap_err();
        assert_eq!(
            (refused.code(), fields(&refused)),
            (Code::InvalidArgument, vec![field.to_owned()])
        );
    }
    assert_eq!(stand.stored().await, 0);
    // What came before the message that broke the order stays.
    let refused = import(&mut client, vec![opening("d", false), plain(1..=5), plain(5..=6)])
        .await
        .unwrap_err();
    assert_eq!(fields(&refused), ["items[0].sequence"]);
    assert_eq!(stand.stored().await, 5);
}

/// What the database refuses for one item refuses that item; its neighbours are stored.
#[tokio::test]
async fn one_bad_item_is_refused_alone() {
    let stand = Stand::new().await;
    sqlx::query("ALTER TABLE feedback ADD CHECK (title <> 'poison')")
        .execute(&mut stand.database().await)
        .await
        .unwrap();
    let poison = Feedback {
        title: "poison".to_owned(),
        ..feedback("三")
    };
    let messages = vec![
        opening("a", false),
        items([(1, feedback("一")), (3, poison), (4, feedback("四"))]),
    ];
    let answers = import(&mut stand.client().await, messages).await.unwrap();
    assert_eq!(outcomes(&answers), of(&[(1, "stored"), (3, "feedback"), (4, "stored")]));
    assert_eq!(answers.last().unwrap().settled_through, 4);
    assert_eq!((stand.stored().await, stand.events().await.len()), (2, 2));
}

/// A stream that is open when the service stops ends at once, with a reason to take it up again.
#[tokio::test]
async fn an_open_import_is_told_of_the_drain() {
    let stand = Stand::new().await;
    let mut client = stand.client().await;
    let (sender, mut answers, _) = open(&mut client, "a").await;
    sender.send(plain(1..=3)).await.unwrap();
    assert_eq!(answers.message().await.unwrap().unwrap().settled_through, 3);
    let _stage = stand.stop().await;
    let ended = answers.message().await.unwrap_err();
    assert_eq!(
        (ended.code(), reason(&ended)),
        (Code::Unavailable, "DEPENDENCY_UNAVAILABLE".to_owned())
    );
    assert!(answers.next().await.is_none());
}

/// A caller that goes away ends the import: the lock on it is free again.
#[tokio::test]
async fn a_caller_that_goes_away_frees_the_import() {
    let stand = Stand::new().await;
    let mut client = stand.client().await;
    for _ in 0..3 {
        let (sender, answers, _) = open(&mut client, "a").await;
        sender.send(plain(1..=1000)).await.unwrap();
        drop((sender, answers));
    }
    eventually("the import can be finished", Duration::from_secs(20), async || {
        let (sender, mut answers, through) = open(&mut client, "a").await;
        if through < 1000 {
            sender.send(plain(1..=1000)).await.unwrap();
            answers.message().await.unwrap().unwrap();
        }
        stand.stored().await == 1000
    })
    .await;
}
