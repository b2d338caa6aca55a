//! What waits in the review queue and ends without it, and what models and tendencies have to do with it.

use huiyin_proto::{
    classifier::v1::{self, ReviewCloseReason, ReviewReason},
    event::v1::{
        EraseCustomerDataRequest, ExportCustomerDataRequest, customer_data_service_client::CustomerDataServiceClient,
    },
    r#type::v1::Sentiment,
};
use tonic::Code;

use crate::{
    models::{example, two_topics},
    play::{PARENT, Play, correction, refused, violated},
    reviewing::{claim, of_dimension, resolve, unready},
};

/// An item is closed by itself where somebody corrects what it asks for, where a reading anew is in no doubt, and where the customer is erased.
#[tokio::test]
async fn an_item_is_closed_where_nobody_needs_to_look_any_more() {
    let play = Play::begin().await;
    play.task("nature", of_dimension("nature")).await;
    play.task("module", of_dimension("module")).await;
    let found = play.classified("今天下雨").await;
    let open = |filter: &'static str| play.queue(filter);
    assert_eq!(open("state = OPEN").await.len(), 2);
    let mut boss = play.boss().await;
    let corrected = v1::CorrectClassificationRequest {
        category: "service.attitude".to_owned(),
        ..correction(&found.name)
    };
    boss.correct_classification(corrected).await.unwrap();
    let closed = open("state = CLOSED").await;
    assert_eq!(closed.len(), 1, "the other dimension still waits");
    assert_eq!(
        (closed[0].task.as_str(), closed[0].close_reason()),
        ("tenants/acme/tasks/nature", ReviewCloseReason::Corrected)
    );
    let mut li = play.reviewer("user:li").await;
    assert_eq!(
        refused(li.claim_review_item(claim(&closed[0].name)).await),
        unready("REVIEW_ITEM_DONE")
    );

    // The customer goes: what they said, and what was said of it.
    let waiting = open("state = OPEN").await;
    li.claim_review_item(claim(&waiting[0].name)).await.unwrap();
    let token = play.stage.service_token("intake");
    let mut data = CustomerDataServiceClient::new(play.stage.connect(play.running.address, &token).await);
    let feedback = found.feedback.unwrap();
    let export = data.export_customer_data(ExportCustomerDataRequest {
        parent: PARENT.to_owned(),
        customers: vec![feedback.customer.clone()],
        feedbacks: vec![feedback.feedback.clone()],
    });
    let mut answers = export.await.unwrap().into_inner();
    let export = answers.message().await.unwrap().unwrap().lines.join("\n");
    assert!(
        export.contains("review_items") && export.contains("user:li"),
        "{export}"
    );
    let erase = data.erase_customer_data(EraseCustomerDataRequest {
        parent: PARENT.to_owned(),
        erasure: uuid::Uuid::from_u128(7).to_string(),
        part: 0,
        customers: vec![feedback.customer],
        feedbacks: vec![feedback.feedback],
        tables_only: false,
    });
    erase.await.unwrap();
    let gone = li.get_review_item(v1::GetReviewItemRequest {
        name: waiting[0].name.clone(),
    });
    let gone = gone.await.unwrap().into_inner();
    assert_eq!(
        (gone.close_reason(), gone.text.as_str(), gone.assignee.as_str()),
        (ReviewCloseReason::Erased, "", "")
    );
}

/// Where a model is active, it is the model's doubt that counts; the queue is paged in the order of that doubt.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_model_is_unsure_of_waits_too_with_what_it_thought() {
    let play = Play::begin().await;
    let task = play.task("nature", of_dimension("nature")).await;
    let examples = two_topics(400).into_iter().map(|example| v1::Example {
        label: if example.label == "app" {
            "function.crash"
        } else {
            "service.attitude"
        }
        .to_owned(),
        ..example
    });
    play.import(&task.name, examples.collect()).await;
    let model = play.trained(&task.name).await;
    play.activated(&model).await;
    play.classified("软件又闪退").await;
    for text in ["嗯", "哦，好吧", "明天下雪"] {
        play.classified(text).await;
    }
    let queue = play.queue("reason = MODEL_UNSURE AND task = \"nature\"").await;
    assert_eq!(queue.len(), 3, "{queue:?}");
    assert!(
        queue
            .iter()
            .all(|item| model.labels.contains(&item.guessed_label) && item.confidence < 0.6)
    );

    let mut reader = play.reviewer("user:reader").await;
    let (mut seen, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListReviewItemsRequest {
            parent: PARENT.to_owned(),
            page_size: 1,
            page_token,
            order_by: "confidence".to_owned(),
            ..Default::default()
        };
        let page = reader.list_review_items(request).await.unwrap().into_inner();
        seen.extend(page.review_items.into_iter().map(|item| item.confidence));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert!(seen.len() == 3 && seen.is_sorted(), "{seen:?}");
    let wrong = reader.list_review_items(v1::ListReviewItemsRequest {
        parent: PARENT.to_owned(),
        filter: "label = \"x\"".to_owned(),
        ..Default::default()
    });
    assert_eq!(wrong.await.unwrap_err().code(), Code::InvalidArgument);
}

/// A tendency is reviewed as a category is; a later reading that is in no doubt closes what waits.
#[tokio::test(flavor = "multi_thread")]
async fn a_tendency_is_reviewed_and_a_reading_anew_closes_what_waits() {
    let play = Play::begin().await;
    let tone = v1::Task {
        target: v1::TaskTarget::Sentiment.into(),
        review_share: 1.0,
        ..Default::default()
    };
    let tone = play.task("tone", tone).await;
    let nature = play.task("nature", of_dimension("nature")).await;
    let found = play.classified("无人机撞树上了").await;
    let waiting = play.queue("task = \"tone\"").await;
    assert_eq!(
        (waiting[0].reason(), waiting[0].found_label.as_str()),
        (ReviewReason::Sample, "NEUTRAL")
    );
    let mut li = play.reviewer("user:li").await;
    let wrong = li.resolve_review_item(resolve(&waiting[0].name, "unclassified")).await;
    assert_eq!(violated(wrong), ["label"]);
    li.resolve_review_item(resolve(&waiting[0].name, "NEGATIVE"))
        .await
        .unwrap();
    assert_eq!(play.read(&found.name).await.sentiment(), Sentiment::Negative);
    assert_eq!(play.examples(&tone, "source = REVIEW").await[0].label, "NEGATIVE");

    // A model that knows the text now is asked when it is read anew.
    let known = (0..40).flat_map(|place| {
        [
            example(
                &format!("d{place}"),
                &format!("无人机撞树上了，第{place}次"),
                "function.crash",
            ),
            example(
                &format!("s{place}"),
                &format!("店员不理人，第{place}次"),
                "service.attitude",
            ),
        ]
    });
    play.import(&nature.name, known.collect()).await;
    let model = play.trained(&nature.name).await;
    play.activated(&model).await;
    let anew = v1::ReclassifyFeedbacksRequest {
        parent: PARENT.to_owned(),
        ..Default::default()
    };
    let started = play.boss().await.reclassify_feedbacks(anew).await.unwrap().into_inner();
    play.ended(&started.name).await;
    assert_eq!(play.read(&found.name).await.category, "function.crash");
    let closed = play.queue("task = \"nature\"").await;
    assert_eq!(closed[0].close_reason(), ReviewCloseReason::Reclassified);
}
