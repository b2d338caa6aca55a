//! The review queue (复核队列, 003-22): opened where a label is in doubt, worked on by one person at a time, and what comes of it.

use huiyin_proto::classifier::v1::{
    self, ReviewReason, ReviewStage, ReviewState, review_service_client::ReviewServiceClient,
};
use huiyin_testkit::Connection;
use jiff::SignedDuration;
use tonic::Code;

use crate::{
    models::labels_task,
    play::{PARENT, Play, TENANT, refused, violated},
};

pub(crate) type Reviews = ReviewServiceClient<Connection>;

pub(crate) fn of_dimension(dimension: &str) -> v1::Task {
    v1::Task {
        target: v1::TaskTarget::Dimension.into(),
        dimension: dimension.to_owned(),
        ..Default::default()
    }
}

impl Play {
    /// Somebody at the queue.
    pub(crate) async fn reviewer(&self, subject: &str) -> Reviews {
        let token = self.stage.token(subject, TENANT, &["agent"]);
        ReviewServiceClient::new(self.stage.connect(self.running.address, &token).await)
    }

    /// The items, the oldest first.
    pub(crate) async fn queue(&self, filter: &str) -> Vec<v1::ReviewItem> {
        let request = v1::ListReviewItemsRequest {
            parent: PARENT.to_owned(),
            filter: filter.to_owned(),
            order_by: "create_time".to_owned(),
            ..Default::default()
        };
        let mut reader = self.reviewer("user:reader").await;
        reader
            .list_review_items(request)
            .await
            .unwrap()
            .into_inner()
            .review_items
    }

    pub(crate) async fn read(&self, name: &str) -> v1::Classification {
        let request = v1::GetClassificationRequest { name: name.to_owned() };
        self.boss()
            .await
            .get_classification(request)
            .await
            .unwrap()
            .into_inner()
    }

    pub(crate) async fn examples(&self, task: &v1::Task, filter: &str) -> Vec<v1::Example> {
        let request = v1::ListExamplesRequest {
            parent: task.name.clone(),
            filter: filter.to_owned(),
            ..Default::default()
        };
        self.models()
            .await
            .list_examples(request)
            .await
            .unwrap()
            .into_inner()
            .examples
    }
}

pub(crate) fn claim(name: &str) -> v1::ClaimReviewItemRequest {
    v1::ClaimReviewItemRequest {
        name: name.to_owned(),
        ..Default::default()
    }
}

pub(crate) fn next() -> v1::ClaimNextReviewItemRequest {
    v1::ClaimNextReviewItemRequest {
        parent: PARENT.to_owned(),
        ..Default::default()
    }
}

pub(crate) fn resolve(name: &str, label: &str) -> v1::ResolveReviewItemRequest {
    v1::ResolveReviewItemRequest {
        name: name.to_owned(),
        label: label.to_owned(),
        ..Default::default()
    }
}

async fn next_of(reviewer: &mut Reviews) -> Option<String> {
    let answer = reviewer.claim_next_review_item(next()).await.unwrap().into_inner();
    answer.review_item.map(|item| item.name)
}

pub(crate) fn unready(reason: &str) -> (Code, String) {
    (Code::FailedPrecondition, reason.to_owned())
}

/// 003-22: where the words say nothing or no one thing a person is asked, once; what they say is a correction and an example.
#[tokio::test]
async fn what_is_in_doubt_waits_for_a_person_and_becomes_a_correction_and_an_example() {
    let play = Play::begin().await;
    let task = play.task("nature", of_dimension("nature")).await;
    let sure = play.classified("应用闪退").await;
    let nothing = play.submitted("今天去了店里，回电 [手机号]");
    let event = play.submit(TENANT, &nothing);
    play.submit_again(&event);
    play.all_consumed().await;
    play.stage.clock.advance(SignedDuration::from_mins(1));
    let several = play.classified("包裹破损，而且退款超时").await;

    let queue = play.queue("").await;
    let opened: Vec<(ReviewReason, &str)> = queue
        .iter()
        .map(|item| (item.reason(), item.found_label.as_str()))
        .collect();
    assert_eq!(
        opened,
        [
            (ReviewReason::NothingFound, "unclassified"),
            (ReviewReason::WordsUnsure, several.category.as_str())
        ]
    );
    assert!(
        queue
            .iter()
            .all(|item| item.classification != sure.name && item.text.is_empty())
    );
    let item = &queue[0];
    assert_eq!(
        (
            item.task.as_str(),
            item.stage(),
            item.state(),
            item.confidence,
            item.double_coded
        ),
        (task.name.as_str(), ReviewStage::First, ReviewState::Open, 0.0, false)
    );

    let mut li = play.reviewer("user:li").await;
    let read = li.get_review_item(v1::GetReviewItemRequest {
        name: item.name.clone(),
    });
    let read = read.await.unwrap().into_inner();
    assert_eq!(read.text, "今天去了店里，回电 [手机号]");
    let wrong = li.resolve_review_item(resolve(&item.name, "no.such")).await;
    assert_eq!(refused(wrong), (Code::InvalidArgument, "CATEGORY_UNKNOWN".to_owned()));
    let stale = v1::ResolveReviewItemRequest {
        etag: "9".to_owned(),
        ..resolve(&item.name, "service.attitude")
    };
    assert_eq!(
        refused(li.resolve_review_item(stale).await),
        (Code::Aborted, "ETAG_MISMATCH".to_owned())
    );
    play.stage.clock.advance(SignedDuration::from_mins(1));
    let request = v1::ResolveReviewItemRequest {
        comment: "客户 13800138000 说店员态度差".to_owned(),
        etag: read.etag.clone(),
        request_id: "0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b".to_owned(),
        ..resolve(&item.name, "service.attitude")
    };
    let resolved = li.resolve_review_item(request.clone()).await.unwrap().into_inner();
    assert_eq!(
        (
            resolved.state(),
            resolved.label.as_str(),
            resolved.confirmed,
            resolved.assignee.as_str()
        ),
        (ReviewState::Resolved, "service.attitude", false, "user:li")
    );
    assert_eq!(resolved.comment, "客户 [手机号] 说店员态度差");
    assert_eq!(li.resolve_review_item(request).await.unwrap().into_inner(), resolved);

    let corrected = play.read(&item.classification).await;
    assert_eq!(
        (corrected.revision, corrected.category.as_str()),
        (2, "service.attitude")
    );
    assert_eq!(corrected.corrections[0].author, "user:li");
    let told = play.told(&nothing.feedback.unwrap().feedback, 2).await;
    assert_eq!(
        (told[1].0.as_str(), told[1].1.category.as_str()),
        ("user:li", "service.attitude")
    );
    let learnt = play.examples(&task, "source = REVIEW").await;
    assert_eq!(learnt.len(), 1);
    assert_eq!(
        (learnt[0].label.as_str(), learnt[0].author.as_str()),
        ("service.attitude", "user:li")
    );

    let again = li.resolve_review_item(resolve(&item.name, "service.attitude")).await;
    assert_eq!(refused(again), unready("REVIEW_ITEM_DONE"));
    let missing = li
        .claim_review_item(claim(&format!("{PARENT}/reviewItems/{}", uuid::Uuid::nil())))
        .await;
    assert_eq!(refused(missing), (Code::NotFound, "RESOURCE_NOT_FOUND".to_owned()));
}

/// 003-22, 人工复核后确认: with a share of 1 a person looks at every label; what they leave is confirmed, and stays when it is read anew.
#[tokio::test]
async fn what_is_in_no_doubt_is_confirmed_where_the_task_asks_for_it() {
    let play = Play::begin().await;
    let every = v1::Task {
        review_share: 1.0,
        ..of_dimension("nature")
    };
    let task = play.task("nature", every).await;
    assert_eq!((task.review_share, task.double_coding_share), (1.0, 0.0));
    let found = play.classified("应用闪退").await;
    let queue = play.queue("reason = SAMPLE").await;
    assert_eq!(queue.len(), 1);
    let mut li = play.reviewer("user:li").await;
    let confirmed = li
        .resolve_review_item(resolve(&queue[0].name, ""))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (confirmed.label.as_str(), confirmed.confirmed),
        ("function.crash", true)
    );
    let held = play.read(&found.name).await;
    assert_eq!(
        (held.revision, held.category.as_str(), held.labels[0].confidence),
        (2, "function.crash", 1.0)
    );
    assert_eq!(play.examples(&task, "source = REVIEW").await[0].label, "function.crash");

    // None of the categories is an answer too; then there is nothing to learn.
    play.classified("今天下雨，应用闪退").await;
    let queue = play.queue("state = OPEN").await;
    li.resolve_review_item(resolve(&queue[0].name, "unclassified"))
        .await
        .unwrap();
    assert_eq!(play.read(&queue[0].classification).await.category, "unclassified");
    assert_eq!(play.examples(&task, "source = REVIEW").await.len(), 1);

    let own = v1::Task {
        review_share: 0.5,
        ..labels_task()
    };
    let mut models = play.models().await;
    let refused_task = models.create_task(v1::CreateTaskRequest {
        parent: PARENT.to_owned(),
        task_id: "own".to_owned(),
        task: Some(own),
        ..Default::default()
    });
    assert_eq!(violated(refused_task.await), ["task.review_share"]);
}

/// Two people do not do the same: an item is leased, the lease lapses, and who skips one is not given it again.
#[tokio::test]
async fn an_item_is_one_persons_until_the_lease_lapses() {
    let play = Play::begin().await;
    play.task("nature", of_dimension("nature")).await;
    for text in ["今天下雨", "明天下雪"] {
        play.classified(text).await;
        play.stage.clock.advance(SignedDuration::from_mins(1));
    }
    let queue = play.queue("").await;
    let (older, newer) = (queue[0].name.clone(), queue[1].name.clone());
    let (mut li, mut wang) = (play.reviewer("user:li").await, play.reviewer("user:wang").await);
    assert_eq!(next_of(&mut li).await.as_ref(), Some(&older));
    assert_eq!(next_of(&mut wang).await.as_ref(), Some(&newer));
    let mut zhao = play.reviewer("user:zhao").await;
    assert_eq!(next_of(&mut zhao).await, None);
    for request in [
        wang.claim_review_item(claim(&older)).await,
        wang.resolve_review_item(resolve(&older, "")).await,
    ] {
        assert_eq!(refused(request), unready("REVIEW_ITEM_TAKEN"));
    }
    let mine = play.queue("assignee = \"user:li\" AND state = CLAIMED").await;
    assert_eq!(mine.len(), 1);
    assert_eq!(
        (mine[0].name.as_str(), mine[0].lease_expire_time.is_some()),
        (older.as_str(), true)
    );

    // It is given back, and skipped.
    wang.release_review_item(v1::ReleaseReviewItemRequest { name: newer.clone() })
        .await
        .unwrap();
    let skipped = wang
        .skip_review_item(v1::SkipReviewItemRequest { name: newer.clone() })
        .await;
    assert_eq!(skipped.unwrap().into_inner().state(), ReviewState::Open);
    assert_eq!(next_of(&mut wang).await, None);
    assert_eq!(next_of(&mut li).await.as_ref(), Some(&newer));

    // Fifteen minutes later nobody has anything, whoever looks.
    play.stage.clock.advance(SignedDuration::from_mins(15));
    assert_eq!(play.queue("state = OPEN").await.len(), 2);
    assert!(play.queue("assignee = \"user:li\"").await.is_empty());
    assert_eq!(next_of(&mut wang).await.as_ref(), Some(&older));
    let late = li.resolve_review_item(resolve(&older, "")).await;
    assert_eq!(refused(late), unready("REVIEW_ITEM_TAKEN"));
    wang.resolve_review_item(resolve(&older, "")).await.unwrap();
    // A claim that is repeated is one claim.
    let request = v1::ClaimNextReviewItemRequest {
        request_id: "0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6c".to_owned(),
        task: format!("{PARENT}/tasks/nature"),
        lease: Some(prost_types::Duration { seconds: 60, nanos: 0 }),
        ..next()
    };
    let first = li.claim_next_review_item(request.clone()).await.unwrap().into_inner();
    assert_eq!(first.review_item.as_ref().unwrap().name, newer);
    assert_eq!(li.claim_next_review_item(request).await.unwrap().into_inner(), first);
}

/// Many who ask at once never get the same.
#[tokio::test(flavor = "multi_thread")]
async fn many_who_take_the_next_at_once_never_get_the_same() {
    let play = Play::begin().await;
    play.task("nature", of_dimension("nature")).await;
    for place in 0..12 {
        play.submit(TENANT, &play.submitted(&format!("今天下雨，第{place}天")));
    }
    play.all_consumed().await;
    assert_eq!(play.queue("").await.len(), 12);
    let people = (0..6).map(|person| {
        let play = &play;
        async move {
            let mut reviewer = play.reviewer(&format!("user:{person}")).await;
            let mut taken = Vec::new();
            for _ in 0..3 {
                taken.extend(next_of(&mut reviewer).await);
            }
            taken
        }
    });
    let mut taken: Vec<String> = futures::future::join_all(people).await.concat();
    let all = taken.len();
    taken.sort_unstable();
    taken.dedup();
    assert_eq!(taken.len(), all, "somebody got what somebody else had");
    assert!(all <= 12);
    // Who came away with nothing met others who were taking; what is left is there.
    let mut last = play.reviewer("user:last").await;
    while let Some(name) = next_of(&mut last).await {
        taken.push(name);
    }
    assert_eq!(taken.len(), 12);
}

/// A service of ours acts in any tenant: a task of another one is none of this queue.
#[tokio::test]
async fn the_next_item_is_not_one_of_a_task_of_another_tenant() {
    let play = Play::begin().await;
    play.task("nature", of_dimension("nature")).await;
    play.classified("今天下雨").await;
    let token = play.stage.service_token("intake");
    let mut service = ReviewServiceClient::new(play.stage.connect(play.running.address, &token).await);
    let foreign = v1::ClaimNextReviewItemRequest {
        task: "tenants/globex/tasks/nature".to_owned(),
        ..next()
    };
    assert_eq!(refused(service.claim_next_review_item(foreign).await).0, Code::NotFound);
    let own = v1::ClaimNextReviewItemRequest {
        task: format!("{PARENT}/tasks/nature"),
        ..next()
    };
    let claimed = service.claim_next_review_item(own).await.unwrap().into_inner();
    assert!(claimed.review_item.is_some());
}
