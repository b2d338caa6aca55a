//! Pages of classifications.

use huiyin_proto::classifier::v1;
use jiff::SignedDuration;
use sqlx::Connection as _;
use tonic::Code;

use crate::{
    play::{Client, PARENT, Play, correction, refused, violated},
    reviewing::of_dimension,
};

/// Five, a minute apart.
async fn some(play: &Play) -> Vec<v1::Classification> {
    let mut found = Vec::new();
    for text in [
        "非常满意，五星好评",
        "APP闪退",
        "客服态度恶劣，垃圾",
        "今天下雨",
        "面包发霉",
    ] {
        found.push(play.classified(text).await);
        play.stage.clock.advance(SignedDuration::from_mins(1));
    }
    found
}

async fn excerpts(client: &mut Client, filter: &str, order_by: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = v1::ListClassificationsRequest {
            parent: PARENT.to_owned(),
            page_size: 2,
            page_token,
            filter: filter.to_owned(),
            order_by: order_by.to_owned(),
        };
        let page = client.list_classifications(request).await.unwrap().into_inner();
        assert!(page.classifications.len() <= 2);
        found.extend(
            page.classifications
                .into_iter()
                .map(|found| found.excerpt.chars().take(3).collect::<String>()),
        );
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return found;
        }
    }
}

#[tokio::test]
async fn pages_neither_skip_nor_repeat_in_any_order() {
    let play = Play::begin().await;
    let found = some(&play).await;
    let mut boss = play.boss().await;
    assert_eq!(
        excerpts(&mut boss, "", "").await,
        ["面包发", "今天下", "客服态", "APP", "非常满"]
    );
    assert_eq!(
        excerpts(&mut boss, "", "create_time").await,
        ["非常满", "APP", "客服态", "今天下", "面包发"]
    );
    assert_eq!(excerpts(&mut boss, "", "sentiment_score").await[0], "客服态");
    assert_eq!(excerpts(&mut boss, "", "sentiment_score desc").await[0], "非常满");
    assert_eq!(excerpts(&mut boss, "", "sentiment_score").await.len(), 5);
    let correct = v1::CorrectClassificationRequest {
        category: "service".to_owned(),
        ..correction(&found[0].name)
    };
    boss.correct_classification(correct).await.unwrap();
    assert_eq!(excerpts(&mut boss, "", "update_time desc").await[0], "非常满");
}

#[tokio::test]
async fn filters_find_what_they_say() {
    let play = Play::begin().await;
    let found = some(&play).await;
    let mut boss = play.boss().await;
    let correct = v1::CorrectClassificationRequest {
        category: "service".to_owned(),
        ..correction(&found[3].name)
    };
    boss.correct_classification(correct).await.unwrap();
    let number = found[1].feedback.as_ref().unwrap().number.clone();
    for (filter, wanted) in [
        ("category : service", vec!["今天下", "客服态"]),
        ("category = service", vec!["今天下"]),
        ("sentiment = POSITIVE", vec!["非常满"]),
        ("sentiment_score < -0.3", vec!["面包发", "客服态", "APP"]),
        (
            "impact = SERIOUS AND NOT category : safety",
            vec!["今天下", "客服态", "APP"],
        ),
        ("priority.key = P0", vec!["面包发"]),
        ("priority.rank <= 2 AND department = product", vec!["APP"]),
        ("revision > 1", vec!["今天下"]),
        ("taxonomy_version = 1", vec![]),
        (&format!("feedback.number = {number}"), vec!["APP"]),
        ("feedback.channel = EMAIL OR feedback.tier = VIP", vec![]),
        (
            "feedback.product_model = X1 AND create_time < 2026-03-02T01:01:30Z",
            vec!["APP", "非常满"],
        ),
    ] {
        assert_eq!(excerpts(&mut boss, filter, "").await, wanted, "{filter}");
    }
}

#[tokio::test]
async fn a_query_that_is_not_understood_is_refused() {
    let play = Play::begin().await;
    some(&play).await;
    let mut boss = play.boss().await;
    let request = v1::ListClassificationsRequest {
        parent: PARENT.to_owned(),
        page_size: 2,
        ..Default::default()
    };
    let unknown = v1::ListClassificationsRequest {
        filter: "colour = red".to_owned(),
        ..request.clone()
    };
    assert_eq!(violated(boss.list_classifications(unknown).await), ["filter"]);
    let unknown = v1::ListClassificationsRequest {
        order_by: "category".to_owned(),
        ..request.clone()
    };
    assert_eq!(violated(boss.list_classifications(unknown).await), ["order_by"]);
    let token = boss
        .list_classifications(request.clone())
        .await
        .unwrap()
        .into_inner()
        .next_page_token;
    let other = v1::ListClassificationsRequest {
        page_token: token,
        filter: "revision = 1".to_owned(),
        ..request
    };
    assert_eq!(
        refused(boss.list_classifications(other).await),
        (Code::InvalidArgument, "PAGE_TOKEN_INVALID".to_owned())
    );
}

/// A value in the middle between two millionths is rounded alike where rows are ordered and where a page ends.
#[tokio::test]
async fn pages_neither_skip_nor_repeat_where_values_lie_between_two_millionths() {
    let play = Play::begin().await;
    play.task("nature", of_dimension("nature")).await;
    for text in ["今天下雨", "明天下雨", "后天下雨"] {
        play.classified(text).await;
    }
    let mut owner = sqlx::PgConnection::connect(&play.stage.database_url()).await.unwrap();
    for statement in [
        "UPDATE classification SET sentiment_score = 0.5078125",
        "UPDATE review_item SET confidence = 0.5078125",
    ] {
        sqlx::query(statement).execute(&mut owner).await.unwrap();
    }
    let mut boss = play.boss().await;
    assert_eq!(excerpts(&mut boss, "", "sentiment_score").await.len(), 3);
    let mut reviewer = play.reviewer("user:li").await;
    let mut request = v1::ListReviewItemsRequest {
        parent: PARENT.to_owned(),
        page_size: 2,
        order_by: "confidence".to_owned(),
        ..Default::default()
    };
    let first = reviewer.list_review_items(request.clone()).await.unwrap().into_inner();
    request.page_token = first.next_page_token;
    let second = reviewer.list_review_items(request).await.unwrap().into_inner();
    assert_eq!((first.review_items.len(), second.review_items.len()), (2, 1));
}
