//! Articles that are used and listed, and forgotten with a customer.

use huiyin_proto::{
    classifier::v1::{self, Article, ArticleKind, ArticleOutcome},
    event::v1::{
        EraseCustomerDataRequest, ExportCustomerDataRequest, customer_data_service_client::CustomerDataServiceClient,
    },
};
use huiyin_testkit::{Connection, eventually};
use jiff::SignedDuration;
use tonic::Code;
use uuid::Uuid;

use crate::{
    knowledge::{archival, article, creation, next_version, publication, reading, use_of},
    play::{LIMIT, PARENT, Play, TENANT, refused, violated},
};

fn counts(article: &Article) -> [i64; 6] {
    let all = article.uses.unwrap_or_default();
    let of_version = article.version_uses.unwrap_or_default();
    [
        all.used,
        all.helped,
        all.not_helped,
        of_version.used,
        of_version.helped,
        of_version.not_helped,
    ]
}

/// FEATURES 40: usage is counted, for the article and for each of its versions.
#[tokio::test(flavor = "multi_thread")]
async fn a_use_is_counted_once_for_a_person_and_a_feedback_and_its_last_outcome_counts() {
    let play = Play::begin().await;
    let first = play.published(article("充电慢", "换线")).await;
    let mut boss = play.librarian().await;
    let mut agent = play.knowledge("user:agent", TENANT, "agent").await;
    let feedback = format!("{PARENT}/feedbacks/{}", Uuid::from_u128(7));
    for (outcome, wanted) in [
        (ArticleOutcome::Used, [1, 0, 0, 1, 0, 0]),
        (ArticleOutcome::Used, [1, 0, 0, 1, 0, 0]),
        (ArticleOutcome::NotHelped, [1, 0, 1, 1, 0, 1]),
        (ArticleOutcome::Helped, [1, 1, 0, 1, 1, 0]),
        (ArticleOutcome::Used, [1, 1, 0, 1, 1, 0]),
    ] {
        let answer = agent
            .record_article_use(use_of(&first, outcome, &feedback))
            .await
            .unwrap()
            .into_inner();
        assert_eq!(counts(&answer), wanted, "{outcome:?}");
        assert_eq!(answer.etag, first.etag, "a use changes nothing of the article");
    }
    // Somebody else, and without a feedback: a use for each request.
    boss.record_article_use(use_of(&first, ArticleOutcome::NotHelped, &feedback))
        .await
        .unwrap();
    let request = v1::RecordArticleUseRequest {
        request_id: Uuid::from_u128(2 << 76).to_string(),
        ..use_of(&first, ArticleOutcome::Used, "")
    };
    agent.record_article_use(request.clone()).await.unwrap();
    agent.record_article_use(request).await.unwrap();
    let second = boss
        .update_article(next_version(&first, article("充电慢", "换头")))
        .await
        .unwrap()
        .into_inner();
    let drafted = agent
        .record_article_use(use_of(&second, ArticleOutcome::Used, ""))
        .await;
    assert_eq!(refused(drafted), (Code::FailedPrecondition, "STATE_FORBIDS".to_owned()));
    boss.publish_article(publication(&second)).await.unwrap();
    let answer = agent
        .record_article_use(use_of(&second, ArticleOutcome::Helped, &feedback))
        .await
        .unwrap();
    assert_eq!(counts(&answer.into_inner()), [4, 2, 1, 1, 1, 0]);
    let before = boss.get_article(reading(&first, 1, "")).await.unwrap().into_inner();
    assert_eq!(counts(&before), [4, 2, 1, 3, 1, 1]);
    let elsewhere = format!("tenants/other/feedbacks/{}", Uuid::from_u128(7));
    assert_eq!(
        refused(
            agent
                .record_article_use(use_of(&first, ArticleOutcome::Used, &elsewhere))
                .await
        )
        .0,
        Code::NotFound
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_shows_each_article_once_as_it_is_in_effect() {
    let play = Play::begin().await;
    let mut boss = play.librarian().await;
    let guide = Article {
        kind: ArticleKind::Troubleshooting.into(),
        categories: vec!["function.crash".to_owned()],
        ..article("甲", "一")
    };
    let first = play.published(guide).await;
    play.stage.clock.advance(SignedDuration::from_mins(1));
    let draft = boss
        .create_article(creation(article("乙", "二")))
        .await
        .unwrap()
        .into_inner();
    play.stage.clock.advance(SignedDuration::from_mins(1));
    let english = Article {
        locale: "en".to_owned(),
        ..article("C", "three")
    };
    let third = play.published(english).await;
    play.stage.clock.advance(SignedDuration::from_mins(1));
    boss.update_article(next_version(&first, article("甲改", "一改")))
        .await
        .unwrap();
    boss.record_article_use(use_of(&third, ArticleOutcome::Used, ""))
        .await
        .unwrap();
    let mut list = async |filter: &str, order_by: &str| {
        let mut found = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = v1::ListArticlesRequest {
                parent: PARENT.to_owned(),
                page_size: 2,
                page_token,
                filter: filter.to_owned(),
                order_by: order_by.to_owned(),
            };
            let page = boss.list_articles(request).await.unwrap().into_inner();
            assert!(page.articles.iter().all(|article| article.body.is_empty()));
            found.extend(page.articles.into_iter().map(|article| article.title));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return found.join(" ");
            }
        }
    };
    assert_eq!(
        list("", "").await,
        "甲 C 乙",
        "the last changed first, as it is published"
    );
    assert_eq!(list("", "create_time").await, "甲 乙 C");
    assert_eq!(list("", "uses.used desc").await.split(' ').next(), Some("C"));
    for (filter, wanted) in [
        ("state = DRAFT", "乙"),
        ("kind = TROUBLESHOOTING AND state = PUBLISHED", "甲"),
        ("locale = en", "C"),
        ("categories : function.crash", "甲"),
        ("audience = CUSTOMERS", ""),
        ("uses.used > 0", "C"),
    ] {
        assert_eq!(list(filter, "").await, wanted, "{filter}");
    }
    boss.archive_article(archival(&draft)).await.unwrap();
    assert_eq!(
        violated(
            boss.list_articles(v1::ListArticlesRequest {
                parent: PARENT.to_owned(),
                filter: "body = x".to_owned(),
                ..Default::default()
            })
            .await
        ),
        ["filter"]
    );
}

/// 000-21, 004-13: what was used for a customer's feedback is handed out, and stays counted when the customer is erased.
#[tokio::test(flavor = "multi_thread")]
async fn an_erased_customer_takes_the_feedback_out_of_its_uses_and_leaves_the_count() {
    let play = Play::begin().await;
    let found = play.published(article("充电慢", "换线")).await;
    let feedback = format!("{PARENT}/feedbacks/{}", Uuid::from_u128(7));
    let mut agent = play.knowledge("user:agent", TENANT, "agent").await;
    agent
        .record_article_use(use_of(&found, ArticleOutcome::Helped, &feedback))
        .await
        .unwrap();
    let token = play.stage.service_token("intake");
    let mut data = CustomerDataServiceClient::new(play.stage.connect(play.running.address, &token).await);
    let customers = vec![format!("{PARENT}/customers/{}", Uuid::from_u128(9))];
    let export = ExportCustomerDataRequest {
        parent: PARENT.to_owned(),
        customers: customers.clone(),
        feedbacks: vec![feedback.clone()],
    };
    let exported = async |data: &mut CustomerDataServiceClient<Connection>| {
        let mut answers = data.export_customer_data(export.clone()).await.unwrap().into_inner();
        let mut lines = Vec::new();
        while let Some(answer) = answers.message().await.unwrap() {
            lines.extend(answer.lines);
        }
        lines
            .into_iter()
            .filter(|line| line.contains("article_use"))
            .collect::<Vec<_>>()
    };
    let lines = exported(&mut data).await;
    assert!(lines.len() == 1 && lines[0].contains(&feedback), "{lines:?}");
    let erase = EraseCustomerDataRequest {
        parent: PARENT.to_owned(),
        erasure: Uuid::from_u128(5).to_string(),
        part: 0,
        customers,
        feedbacks: vec![feedback],
        tables_only: false,
    };
    let erased = eventually("it is erased", LIMIT, async || {
        let answer = data.erase_customer_data(erase.clone()).await.unwrap().into_inner();
        answer.done.then_some(answer)
    })
    .await;
    assert!(
        erased
            .counts
            .iter()
            .any(|count| count.kind == "article_use" && count.count == 1),
        "{erased:?}"
    );
    assert!(exported(&mut data).await.is_empty());
    let after = agent.get_article(reading(&found, 0, "")).await.unwrap().into_inner();
    assert_eq!(counts(&after), [1, 1, 0, 1, 1, 0]);
}
