//! What counts (001-12): set aside and let go, said twice, merged and taken apart.

use std::time::Duration;

use huiyin_proto::{
    event::v1::event::Payload,
    intake::v1::{
        CheckFeedbackRequest, Feedback, FeedbackState, FindSimilarFeedbacksRequest, FindSimilarFeedbacksResponse,
        FindingKind, GetFeedbackRequest, ListFeedbacksRequest, ListQuarantinedFeedbacksRequest, MergeFeedbacksRequest,
        QuarantineFeedbackRequest, Relation, ReleaseFeedbackRequest, ScreeningAction, ScreeningPolicy,
        UnmergeFeedbackRequest, ValidationProfile, screening_service_client::ScreeningServiceClient,
    },
};
use huiyin_testkit::{Connection, eventually};
use tonic::Code;

use crate::{
    stand::{ACME, Stand, create, feedback, reason, request_id},
    validation::{in_effect, profile, validation},
};

const LIMIT: Duration = Duration::from_secs(20);

type Screening = ScreeningServiceClient<Connection>;

async fn screening(stand: &Stand) -> Screening {
    let token = stand.stage.token("user:boss", "acme", &["supervisor"]);
    ScreeningServiceClient::new(stand.stage.connect(stand.address(), &token).await)
}

fn setting_aside(policy: ScreeningPolicy) -> ValidationProfile {
    ValidationProfile {
        screening: Some(policy),
        ..profile(Vec::new())
    }
}

fn of_li(description: &str) -> Feedback {
    Feedback {
        customer_reference: "crm-li".to_owned(),
        ..feedback(description)
    }
}

/// What was told, in order: the kinds of the events.
async fn told(stand: &Stand) -> Vec<&'static str> {
    let told = stand.stage.written().await.into_iter();
    told.map(|event| match event.payload {
        Some(Payload::FeedbackSubmitted(_)) => "submitted",
        Some(Payload::FeedbackQuarantined(said)) if said.held => "held",
        Some(Payload::FeedbackQuarantined(_)) => "quarantined",
        Some(Payload::FeedbackReleased(_)) => "released",
        Some(Payload::FeedbackMerged(_)) => "merged",
        Some(Payload::FeedbackUnmerged(_)) => "unmerged",
        other => panic!("{other:?}"),
    })
    .collect()
}

fn quarantine(name: &str) -> QuarantineFeedbackRequest {
    QuarantineFeedbackRequest {
        name: name.to_owned(),
        reason: "电话 13800138000 打不通".to_owned(),
        ..QuarantineFeedbackRequest::default()
    }
}

fn release(name: &str) -> ReleaseFeedbackRequest {
    ReleaseFeedbackRequest {
        name: name.to_owned(),
        reason: "是真的".to_owned(),
        ..ReleaseFeedbackRequest::default()
    }
}

async fn compared(stand: &Stand, name: &str) -> FindSimilarFeedbacksResponse {
    eventually("the feedback is compared", LIMIT, async || {
        let similar = screening(stand)
            .await
            .find_similar_feedbacks(FindSimilarFeedbacksRequest { name: name.to_owned() })
            .await
            .unwrap()
            .into_inner();
        similar.compared.then_some(similar)
    })
    .await
}

/// 001-12: what screening finds is noted and, without a policy, changes nothing else.
#[tokio::test]
async fn what_is_found_is_noted() {
    let stand = Stand::new().await;
    let answer = stand
        .client()
        .await
        .create_feedback(create(feedback("测试123")))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((answer.state(), answer.held), (FeedbackState::Accepted, false));
    assert_eq!(answer.findings[0].kind(), FindingKind::TestData);
    assert_eq!(told(&stand).await, ["submitted"]);
    let read = stand
        .client()
        .await
        .get_feedback(GetFeedbackRequest {
            name: answer.name.clone(),
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(read.findings, answer.findings);
}

/// 001-12: what is set aside is stored and numbered, no other service hears of it, and whoever lets it go tells them.
#[tokio::test]
async fn what_is_set_aside_is_told_when_it_is_let_go() {
    let stand = Stand::new().await;
    in_effect(
        &stand,
        setting_aside(ScreeningPolicy {
            test_data: ScreeningAction::Quarantine.into(),
            ..ScreeningPolicy::default()
        }),
    )
    .await;
    let mut client = stand.client().await;
    let aside = client
        .create_feedback(create(feedback("test")))
        .await
        .unwrap()
        .into_inner();
    client.create_feedback(create(feedback("屏幕碎了"))).await.unwrap();
    assert_eq!((aside.state(), aside.held), (FeedbackState::Quarantined, true));
    assert!(aside.number.starts_with("FB"));
    assert_eq!(told(&stand).await, ["held", "submitted"]);

    let mut screening = screening(&stand).await;
    let list = || ListQuarantinedFeedbacksRequest {
        parent: ACME.to_owned(),
        ..ListQuarantinedFeedbacksRequest::default()
    };
    let listed = screening
        .list_quarantined_feedbacks(list())
        .await
        .unwrap()
        .into_inner()
        .feedbacks;
    assert_eq!(
        listed.iter().map(|feedback| &feedback.name).collect::<Vec<_>>(),
        [&aside.name]
    );
    let mut filtered = async |filter: &str| {
        client
            .list_feedbacks(ListFeedbacksRequest {
                parent: ACME.to_owned(),
                filter: filter.to_owned(),
                ..ListFeedbacksRequest::default()
            })
            .await
            .unwrap()
            .into_inner()
            .feedbacks
            .len()
    };
    assert_eq!(
        (
            filtered("state = QUARANTINED").await,
            filtered("state = ACCEPTED").await,
            filtered("").await
        ),
        (1, 1, 2)
    );

    let released = screening
        .release_feedback(release(&aside.name))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (released.state(), released.held, released.state_reason.as_str()),
        (FeedbackState::Accepted, false, "是真的")
    );
    assert_eq!(told(&stand).await, ["held", "submitted", "released", "submitted"]);
    assert_eq!(
        screening
            .list_quarantined_feedbacks(list())
            .await
            .unwrap()
            .into_inner()
            .feedbacks,
        []
    );
    let again = screening.release_feedback(release(&aside.name)).await.unwrap_err();
    assert_eq!(
        (again.code(), reason(&again)),
        (Code::FailedPrecondition, "STATE_FORBIDS".to_owned())
    );
}

/// A person sets aside what the others know of already: they are told, and told once more; the reason is masked (001-81).
#[tokio::test]
async fn a_person_sets_aside_and_lets_go() {
    let stand = Stand::new().await;
    let name = stand
        .client()
        .await
        .create_feedback(create(feedback("屏幕碎了")))
        .await
        .unwrap()
        .into_inner()
        .name;
    let mut screening = screening(&stand).await;
    let request = QuarantineFeedbackRequest {
        request_id: request_id(1),
        ..quarantine(&name)
    };
    let aside = screening
        .quarantine_feedback(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!((aside.state(), aside.held), (FeedbackState::Quarantined, false));
    assert!(!aside.state_reason.contains("13800138000"), "{}", aside.state_reason);
    // The same request again is answered as it was, and changes nothing.
    assert_eq!(
        screening.quarantine_feedback(request).await.unwrap().into_inner(),
        aside
    );
    screening.release_feedback(release(&name)).await.unwrap();
    assert_eq!(told(&stand).await, ["submitted", "quarantined", "released"]);
    let missing = format!("{ACME}/feedbacks/00000000-0000-7000-8000-000000000000");
    assert_eq!(
        screening
            .quarantine_feedback(quarantine(&missing))
            .await
            .unwrap_err()
            .code(),
        Code::NotFound
    );
}

/// 001-12: the same customer says the same of the same product: linked, and set aside where the tenant wants that.
#[tokio::test]
async fn what_is_said_twice_is_linked_and_set_aside_where_the_policy_says() {
    let stand = Stand::new().await;
    let mut client = stand.client().await;
    let first = client
        .create_feedback(create(of_li("充電十分鐘就發燙")))
        .await
        .unwrap()
        .into_inner();
    compared(&stand, &first.name).await;
    stand.stage.clock.advance(jiff::SignedDuration::from_secs(1));
    let second = client
        .create_feedback(create(of_li("充电十分钟，就发烫。")))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(second.state(), FeedbackState::Accepted);
    let similar = compared(&stand, &second.name).await.similar;
    assert_eq!(
        (similar[0].feedback.as_str(), similar[0].relation()),
        (first.name.as_str(), Relation::Exact)
    );
    // It goes both ways.
    let similar = compared(&stand, &first.name).await.similar;
    assert_eq!(similar[0].feedback, second.name);

    in_effect(
        &stand,
        setting_aside(ScreeningPolicy {
            duplicate: ScreeningAction::Quarantine.into(),
            ..ScreeningPolicy::default()
        }),
    )
    .await;
    let third = client
        .create_feedback(create(of_li("充电十分钟就发烫")))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((third.state(), third.held), (FeedbackState::Quarantined, true));
    assert_eq!(
        (third.findings[0].kind(), third.findings[0].feedback.as_str()),
        (FindingKind::Duplicate, first.name.as_str())
    );
    let tried = validation(&stand)
        .await
        .check_feedback(CheckFeedbackRequest {
            parent: ACME.to_owned(),
            feedback: Some(of_li("充电十分钟就发烫")),
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (tried.state(), tried.similar[0].relation()),
        (FeedbackState::Quarantined, Relation::Exact)
    );
    // Another customer, or nobody known, says it for the first time.
    let other = client
        .create_feedback(create(feedback("充电十分钟就发烫")))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(other.state(), FeedbackState::Accepted);
    // The window is over.
    stand.stage.clock.advance(jiff::SignedDuration::from_hours(8 * 24));
    let later = client
        .create_feedback(create(of_li("充电十分钟就发烫")))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(later.state(), FeedbackState::Accepted);
    assert_eq!(
        told(&stand).await,
        ["submitted", "submitted", "held", "submitted", "submitted"]
    );
}

/// 001-12: what is all but the same is linked, what is alike is shown, and nobody is merged for it.
#[tokio::test]
async fn what_is_nearly_the_same_is_linked() {
    let stand = Stand::new().await;
    let mut client = stand.client().await;
    let text = "昨天下午升级到新版本以后打开首页就闪退，重启手机三次也一样，卸载重新安装还是不行，联系客服也没有得到答复，请尽快处理这个问题";
    let first = client
        .create_feedback(create(feedback(text)))
        .await
        .unwrap()
        .into_inner();
    compared(&stand, &first.name).await;
    let near = client
        .create_feedback(create(feedback(&format!("{text}吧"))))
        .await
        .unwrap()
        .into_inner();
    // A number apart: another matter, perhaps.
    let alike = text.replace("三次", "五次");
    let alike = client
        .create_feedback(create(feedback(&alike)))
        .await
        .unwrap()
        .into_inner();
    let other = client
        .create_feedback(create(feedback("快递三天没有更新")))
        .await
        .unwrap()
        .into_inner();
    let relation = async |name: &str| {
        let similar = compared(&stand, name).await.similar;
        similar
            .iter()
            .find(|near| near.feedback == first.name)
            .map(|near| near.relation())
    };
    assert_eq!(relation(&near.name).await, Some(Relation::Linked));
    assert_eq!(relation(&alike.name).await, Some(Relation::Proposed));
    assert_eq!(relation(&other.name).await, None);
    assert!(
        [near, alike, other]
            .iter()
            .all(|feedback| feedback.state() == FeedbackState::Accepted)
    );
}

/// 001-12: the same words from many at once are compared together, a minute later at most where more of them pour in; each hangs
/// together with the others, and leads to a few only.
#[tokio::test]
async fn a_burst_of_the_same_words_hangs_together_by_few_links() {
    let stand = Stand::new().await;
    let client = stand.client().await;
    let submitted = (0..40).map(|_| {
        let mut client = client.clone();
        async move {
            let new = feedback("新版本更新以后打开相册总是闪退，重新安装也没有用");
            client.create_feedback(create(new)).await.unwrap().into_inner().name
        }
    });
    let names = futures::future::join_all(submitted).await;
    stand.stage.clock.advance(jiff::SignedDuration::from_secs(61));
    // One that is compared before the others are stored is found by them.
    for name in &names {
        compared(&stand, name).await;
    }
    for name in &names {
        let similar = compared(&stand, name).await.similar;
        assert_eq!(similar.first().map(|near| near.relation()), Some(Relation::Linked));
    }
    let mut database = stand.database().await;
    let (links, waiting): (i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM feedback_link), (SELECT count(*) FROM chassis.timer WHERE kind LIKE 'screening.compare%')",
    )
    .fetch_one(&mut database)
    .await
    .unwrap();
    assert!((39..=40 * 5).contains(&links), "{links} links");
    assert_eq!(waiting, 0);
    let together: i64 = sqlx::query_scalar(
        "WITH RECURSIVE pair (one, other) AS (SELECT id, other FROM feedback_link UNION SELECT other, id FROM feedback_link),
             reached (id) AS (
                 (SELECT one FROM pair LIMIT 1) UNION SELECT pair.other FROM reached JOIN pair ON pair.one = reached.id
             )
         SELECT count(*) FROM reached",
    )
    .fetch_one(&mut database)
    .await
    .unwrap();
    assert_eq!(together, 40, "all are reached from any of them");
}

/// What nothing is compared with any more is dropped; what was found with it stays.
#[tokio::test]
async fn sketches_older_than_the_window_are_dropped() {
    let stand = Stand::new().await;
    let mut client = stand.client().await;
    let old = client
        .create_feedback(create(of_li("充电十分钟就发烫")))
        .await
        .unwrap()
        .into_inner();
    compared(&stand, &old.name).await;
    let mut database = stand.database().await;
    let mut bands = async || -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM feedback_band")
            .fetch_one(&mut database)
            .await
            .unwrap()
    };
    assert_eq!(bands().await, 8);
    stand.stage.clock.advance(jiff::SignedDuration::from_hours(8 * 24));
    eventually("the bands are dropped", LIMIT, async || bands().await == 0).await;
    assert!(compared(&stand, &old.name).await.compared);
}

/// 001-12: a merge is a link, and is taken back without loss.
#[tokio::test]
async fn a_merge_is_taken_back_without_loss() {
    let stand = Stand::new().await;
    let mut client = stand.client().await;
    let mut names = Vec::new();
    for text in ["屏幕碎了", "屏幕裂了", "螢幕破了"] {
        names.push(
            client
                .create_feedback(create(feedback(text)))
                .await
                .unwrap()
                .into_inner()
                .name,
        );
    }
    let mut screening = screening(&stand).await;
    // One of them is set aside already: it comes back there.
    screening.quarantine_feedback(quarantine(&names[2])).await.unwrap();
    let mut get = async |name: &str| {
        client
            .get_feedback(GetFeedbackRequest { name: name.to_owned() })
            .await
            .unwrap()
            .into_inner()
    };
    let before = [get(&names[1]).await, get(&names[2]).await];
    let merge = |into: &str, names: &[String]| MergeFeedbacksRequest {
        name: into.to_owned(),
        feedbacks: names.to_vec(),
        reason: "同一件事".to_owned(),
        ..MergeFeedbacksRequest::default()
    };
    let answer = screening
        .merge_feedbacks(merge(&names[0], &names[1..]))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answer.canonical.unwrap().name, names[0]);
    assert!(
        answer
            .merged
            .iter()
            .all(|merged| merged.state() == FeedbackState::Duplicate && merged.canonical == names[0])
    );

    for (into, from) in [(&names[1], &names[0]), (&names[0], &names[1])] {
        let refused = screening
            .merge_feedbacks(merge(into, std::slice::from_ref(from)))
            .await
            .unwrap_err();
        assert_eq!(reason(&refused), "STATE_FORBIDS");
    }
    let itself = screening
        .merge_feedbacks(merge(&names[0], &names[..1]))
        .await
        .unwrap_err();
    assert_eq!(itself.code(), Code::InvalidArgument);

    for (name, before) in names[1..].iter().zip(&before) {
        let request = UnmergeFeedbackRequest {
            name: name.clone(),
            reason: "不是一回事".to_owned(),
            ..UnmergeFeedbackRequest::default()
        };
        let after = screening.unmerge_feedback(request.clone()).await.unwrap().into_inner();
        assert_eq!(after, *before);
        assert_eq!(get(name).await, *before);
        assert_eq!(
            reason(&screening.unmerge_feedback(request).await.unwrap_err()),
            "STATE_FORBIDS"
        );
    }
    assert_eq!(
        told(&stand).await,
        [
            "submitted",
            "submitted",
            "submitted",
            "quarantined",
            "merged",
            "merged",
            "unmerged",
            "unmerged"
        ]
    );
}

/// Two merges against each other: one of them finds that it is too late.
#[tokio::test]
async fn two_feedbacks_never_lead_to_each_other() {
    let stand = Stand::new().await;
    let mut client = stand.client().await;
    let left = client
        .create_feedback(create(feedback("屏幕碎了")))
        .await
        .unwrap()
        .into_inner()
        .name;
    let right = client
        .create_feedback(create(feedback("屏幕裂了")))
        .await
        .unwrap()
        .into_inner()
        .name;
    let merge = async |into: &str, from: &str| {
        screening(&stand)
            .await
            .merge_feedbacks(MergeFeedbacksRequest {
                name: into.to_owned(),
                feedbacks: vec![from.to_owned()],
                reason: "同一件事".to_owned(),
                ..MergeFeedbacksRequest::default()
            })
            .await
    };
    let (one, other) = tokio::join!(merge(&left, &right), merge(&right, &left));
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
}
