//! The group commit: many callers at once, each answered as if it were alone.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use futures::future::join_all;
use huiyin_proto::intake::v1::{CreateFeedbackRequest, Feedback, GetFeedbackRequest};
use huiyin_testkit::eventually;
use sqlx::{Connection as _, PgConnection};
use tonic::Code;

use crate::stand::{Client, Stand, create, external, feedback, reason, request_id, unheld};

const LIMIT: Duration = Duration::from_secs(20);

/// Holds the writers up in the middle of a batch, so that whoever comes now must go into the next one together.
struct HeldUp(PgConnection);

impl HeldUp {
    async fn new(stand: &Stand) -> Self {
        let mut connection = stand.database().await;
        sqlx::raw_sql("BEGIN; LOCK TABLE number_counter IN EXCLUSIVE MODE")
            .execute(&mut connection)
            .await
            .unwrap();
        Self(connection)
    }

    /// Waits until at least so many writers stand before the lock.
    async fn waiting(&self, stand: &Stand, writers: i64) {
        let mut database = stand.database().await;
        eventually("the writers are held up", LIMIT, async || {
            let waiting: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'number_counter'::regclass",
            )
            .fetch_one(&mut database)
            .await
            .unwrap();
            waiting >= writers
        })
        .await;
    }

    async fn release(mut self) {
        sqlx::raw_sql("ROLLBACK").execute(&mut self.0).await.unwrap();
        self.0.close().await.unwrap();
    }
}

/// Sends a request in a task of its own.
fn send(client: &Client, request: CreateFeedbackRequest) -> tokio::task::JoinHandle<Result<Feedback, tonic::Status>> {
    let mut client = client.clone();
    #[expect(clippy::disallowed_methods, reason = "the test joins it")]
    tokio::spawn(async move { client.create_feedback(request).await.map(tonic::Response::into_inner) })
}

/// 64 callers, three rounds each: a third repeat somebody's request id, some carry an external id that is taken.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_callers_at_once_are_answered_as_if_alone() {
    let stand = Stand::new().await;
    let client = stand.client().await;
    let holder = client
        .clone()
        .create_feedback(create(external("占用", "TAKEN")))
        .await
        .unwrap()
        .into_inner();

    let round = async |caller: u32| {
        let mut client = client.clone();
        let mut answers = Vec::new();
        for step in 0..3 {
            // Callers 42…63 repeat the requests of 0…21 while those are under way.
            let of = (caller % 42) * 3 + step;
            let said = if of % 10 == 7 {
                external("重复", "TAKEN")
            } else {
                feedback(&format!("第{of}条"))
            };
            let request = CreateFeedbackRequest {
                request_id: request_id(of),
                ..create(said)
            };
            answers.push((
                of,
                client.create_feedback(request).await.map(tonic::Response::into_inner),
            ));
        }
        answers
    };
    let answers: Vec<(u32, Result<Feedback, tonic::Status>)> =
        join_all((0..64).map(round)).await.into_iter().flatten().collect();
    assert_eq!(answers.len(), 192);

    let mut first: HashMap<u32, Feedback> = HashMap::new();
    for (of, answer) in answers {
        if of % 10 == 7 {
            let refused = answer.unwrap_err();
            assert_eq!(
                (refused.code(), reason(&refused)),
                (Code::AlreadyExists, "EXTERNAL_ID_TAKEN".to_owned())
            );
            continue;
        }
        let answer = answer.unwrap();
        assert_eq!(answer.description, format!("第{of}条"));
        assert_eq!(first.entry(of).or_insert_with(|| answer.clone()), &answer);
    }
    let expected = 126 - (0..126).filter(|of| of % 10 == 7).count();
    assert_eq!(first.len(), expected);
    assert_eq!(stand.stored().await, i64::try_from(expected).unwrap() + 1);

    let events = stand.events().await;
    let told: BTreeSet<String> = events.iter().map(|(event, _)| event.subject.clone()).collect();
    let stored: BTreeSet<String> = first
        .values()
        .map(|feedback| feedback.name.clone())
        .chain([holder.name])
        .collect();
    assert_eq!((events.len(), told), (expected + 1, stored));
    let numbers: BTreeSet<&str> = first
        .values()
        .map(|feedback| feedback.number.as_str())
        .chain([holder.number.as_str()])
        .collect();
    assert_eq!(numbers.len(), expected + 1);
}

/// What comes while a batch is being committed shares the next transaction: tenants too, and the same request twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_during_a_commit_shares_the_next() {
    let stand = Stand::with("[writer]\nwriters = 1\n").await;
    let client = stand.client().await;
    let globex = stand.client_of("key:erp", "globex", "integration").await;
    let held_up = HeldUp::new(&stand).await;
    let alone = send(&client, create(feedback("第一批")));
    held_up.waiting(&stand, 1).await;

    let twice = CreateFeedbackRequest {
        request_id: request_id(1),
        ..create(feedback("两次"))
    };
    let reused = CreateFeedbackRequest {
        request_id: request_id(1),
        ..create(feedback("另一条"))
    };
    let theirs = CreateFeedbackRequest {
        parent: "tenants/globex".to_owned(),
        ..create(external("别家", "E-1"))
    };
    let together = [
        send(&client, create(external("一", "E-1"))),
        send(&client, create(feedback("二"))),
        send(&globex, theirs),
        send(&client, create(external("三", "E-2"))),
    ];
    let (first, second) = (send(&client, twice.clone()), send(&client, twice.clone()));
    // Nothing tells from outside that they are queued; the outcome is the same either way, and shared almost always.
    tokio::task::yield_now().await;
    held_up.release().await;

    alone.await.unwrap().unwrap();
    let mut names = BTreeSet::new();
    for answer in together {
        names.insert(answer.await.unwrap().unwrap().name);
    }
    let (first, second) = (first.await.unwrap().unwrap(), second.await.unwrap().unwrap());
    assert_eq!(first, second);
    names.insert(first.name);
    assert_eq!(names.len(), 5);
    assert_eq!(stand.stored().await, 6);
    let refused = send(&client, reused).await.unwrap().unwrap_err();
    assert_eq!(reason(&refused), "REQUEST_ID_REUSED");
}

/// What the database refuses for one row is answered to that caller; the others of its batch are stored.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_bad_row_refuses_its_caller_alone() {
    let stand = Stand::with("[writer]\nwriters = 1\n").await;
    sqlx::query("ALTER TABLE feedback ADD CHECK (title <> 'poison')")
        .execute(&mut stand.database().await)
        .await
        .unwrap();
    let client = stand.client().await;
    let held_up = HeldUp::new(&stand).await;
    let alone = send(&client, create(feedback("第一批")));
    held_up.waiting(&stand, 1).await;
    let calls: Vec<_> = (0..32)
        .map(|index| {
            let title = if index == 9 { "poison".to_owned() } else { String::new() };
            send(
                &client,
                CreateFeedbackRequest {
                    request_id: request_id(index),
                    ..create(Feedback {
                        title,
                        ..feedback("同一批")
                    })
                },
            )
        })
        .collect();
    tokio::task::yield_now().await;
    held_up.release().await;
    alone.await.unwrap().unwrap();
    for (index, call) in calls.into_iter().enumerate() {
        match call.await.unwrap() {
            Ok(_) => assert_ne!(index, 9),
            Err(refused) => {
                assert_eq!(
                    (index, refused.code(), reason(&refused)),
                    (9, Code::Internal, "FAULT".to_owned())
                );
                assert!(!refused.message().contains("check"), "{refused:?}");
            }
        }
    }
    assert_eq!((stand.stored().await, stand.events().await.len()), (32, 32));
}

/// Two replicas that get the same request at the same time give the same answer, and take it in once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_give_one_answer() {
    let stand = Stand::new().await;
    let replica = stand.replica().await;
    let token = stand.stage.token("key:erp", "acme", &["integration"]);
    let (here, there) = (
        stand.client_at(stand.address(), &token).await,
        stand.client_at(replica.address, &token).await,
    );
    let held_up = HeldUp::new(&stand).await;
    let request = |number: u32| CreateFeedbackRequest {
        request_id: request_id(number),
        ..create(external("两处", &format!("E-{number}")))
    };
    // Both have looked for an answer and found none before either can go on.
    let (left, right) = (send(&here, request(0)), send(&there, request(0)));
    held_up.waiting(&stand, 2).await;
    held_up.release().await;
    assert_eq!(left.await.unwrap().unwrap(), right.await.unwrap().unwrap());

    let pairs: Vec<_> = (1..40)
        .map(|number| (send(&here, request(number)), send(&there, request(number))))
        .collect();
    for (left, right) in pairs {
        assert_eq!(left.await.unwrap().unwrap(), right.await.unwrap().unwrap());
    }
    assert_eq!((stand.stored().await, stand.events().await.len()), (40, 40));
    replica.stop().await.unwrap();
}

/// A caller that goes away leaves nothing behind that would hurt the next.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_goes_away_does_not_hurt() {
    let stand = Stand::new().await;
    let client = stand.client().await;
    let held_up = HeldUp::new(&stand).await;
    let gone: Vec<_> = (0..20).map(|_| send(&client, create(feedback("走了")))).collect();
    held_up.waiting(&stand, 1).await;
    for call in gone {
        call.abort();
        assert!(call.await.unwrap_err().is_cancelled());
    }
    let stayed = send(&client, create(feedback("留下")));
    held_up.release().await;
    let answer = stayed.await.unwrap().unwrap();
    let read = client
        .clone()
        .get_feedback(GetFeedbackRequest {
            name: answer.name.clone(),
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(read, unheld(answer));
    assert_eq!(
        usize::try_from(stand.stored().await).unwrap(),
        stand.events().await.len()
    );
}

/// A service that is stopped under load has stored whatever it answered for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_under_load_loses_no_answered_request() {
    let stand = Stand::new().await;
    let client = stand.client().await;
    let held_up = HeldUp::new(&stand).await;
    let calls: Vec<_> = (0..100)
        .map(|index| send(&client, create(feedback(&format!("第{index}条")))))
        .collect();
    held_up.waiting(&stand, 1).await;
    let mut database = stand.database().await;
    #[expect(clippy::disallowed_methods, reason = "the test joins it")]
    let stopping = tokio::spawn(stand.stop());
    held_up.release().await;
    let mut answered = Vec::new();
    for call in calls {
        if let Ok(answer) = call.await.unwrap() {
            answered.push(answer.number);
        }
    }
    let _stage = stopping.await.unwrap();
    let stored: Vec<String> = sqlx::query_scalar("SELECT number FROM feedback")
        .fetch_all(&mut database)
        .await
        .unwrap();
    let stored: BTreeSet<String> = stored.into_iter().collect();
    assert!(!answered.is_empty());
    for number in answered {
        assert!(stored.contains(&number), "{number} was answered for and is not stored");
    }
}
