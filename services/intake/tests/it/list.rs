//! Lists: filters, order, and pages that neither skip nor repeat.

use std::collections::BTreeSet;

use huiyin_proto::{
    intake::v1::{
        BatchCreateFeedbacksRequest, Contact, ContactKind, Feedback, ListFeedbacksRequest, ListFeedbacksResponse,
        ProductContext,
    },
    r#type::v1::{Channel, CustomerTier, Impact},
};
use proptest::{
    collection::vec,
    test_runner::{Config, TestRunner},
};
use tonic::{Code, Status};

use crate::stand::{ACME, Client, Stand, create, external, feedback, fields, reason};

async fn list(client: &mut Client, filter: &str, order_by: &str) -> Result<ListFeedbacksResponse, Status> {
    let request = ListFeedbacksRequest {
        parent: ACME.to_owned(),
        filter: filter.to_owned(),
        order_by: order_by.to_owned(),
        ..ListFeedbacksRequest::default()
    };
    client.list_feedbacks(request).await.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn a_list_can_be_filtered_by_every_documented_field() {
    let stand = Stand::new().await;
    let mut client = stand.client().await;
    let said = [
        Feedback {
            impact: Impact::Fatal.into(),
            ..external("一", "E-1")
        },
        Feedback {
            tier: CustomerTier::Vip.into(),
            channel: Channel::Email.into(),
            ..feedback("二")
        },
        Feedback {
            product: Some(ProductContext {
                model: "X1".to_owned(),
                batch: "B7".to_owned(),
                order_number: "20260301-88".to_owned(),
                ..ProductContext::default()
            }),
            contact: Some(Contact {
                kind: ContactKind::Email.into(),
                address: "li@example.com".to_owned(),
            }),
            occur_time: Some(prost_types::Timestamp {
                seconds: 1_772_000_000,
                nanos: 0,
            }),
            ..feedback("三")
        },
    ];
    let mut customer = String::new();
    for feedback in said {
        let answer = client.create_feedback(create(feedback)).await.unwrap().into_inner();
        customer = answer.customer;
        stand.stage.clock.advance(jiff::SignedDuration::from_mins(1));
    }
    for (filter, expected) in [
        ("", vec!["三", "二", "一"]),
        ("number = FB20260302002", vec!["二"]),
        ("channel = EMAIL", vec!["二"]),
        ("channel != EMAIL AND NOT impact = FATAL", vec!["三"]),
        (&format!("customer = \"{customer}\""), vec!["三"]),
        ("external_id = E-1 AND source = erp", vec!["一"]),
        ("tier = VIP OR impact = FATAL", vec!["二", "一"]),
        (
            "tier = CUSTOMER_TIER_UNSPECIFIED AND impact = IMPACT_UNSPECIFIED",
            vec!["三"],
        ),
        ("product.model : X AND product.batch = B7", vec!["三"]),
        ("product.order_number = \"20260301-88\"", vec!["三"]),
        ("create_time >= 2026-03-02T01:01:00Z", vec!["三", "二"]),
        ("occur_time < 2026-03-01T00:00:00Z", vec!["三"]),
    ] {
        let found = list(&mut client, filter, "").await.unwrap().feedbacks;
        assert_eq!(
            found
                .iter()
                .map(|feedback| feedback.description.as_str())
                .collect::<Vec<_>>(),
            expected,
            "{filter}"
        );
    }
    let oldest = list(&mut client, "", "create_time").await.unwrap().feedbacks;
    assert_eq!(oldest.first().unwrap().description, "一");
}

#[tokio::test]
async fn a_query_that_is_not_understood_is_refused() {
    let stand = Stand::new().await;
    let mut client = stand.client().await;
    for (filter, order_by, field) in [
        ("colour = red", "", "filter"),
        ("channel = PIGEON", "", "filter"),
        ("customer = li", "", "filter"),
        ("", "number", "order_by"),
    ] {
        let refused = list(&mut client, filter, order_by).await.unwrap_err();
        assert_eq!(
            (refused.code(), fields(&refused)),
            (Code::InvalidArgument, vec![field.to_owned()])
        );
    }
    for _ in 0..2 {
        client.create_feedback(create(feedback("一"))).await.unwrap();
    }
    let request = ListFeedbacksRequest {
        parent: ACME.to_owned(),
        page_size: 1,
        ..ListFeedbacksRequest::default()
    };
    let page = client.list_feedbacks(request.clone()).await.unwrap().into_inner();
    let other_query = ListFeedbacksRequest {
        page_token: page.next_page_token,
        filter: "channel = EMAIL".to_owned(),
        ..request
    };
    assert_eq!(
        reason(&client.list_feedbacks(other_query).await.unwrap_err()),
        "PAGE_TOKEN_INVALID"
    );
}

/// Whatever is added between two pages, what was there when the list was begun is seen exactly once, and nothing twice.
#[test]
fn pages_never_skip_or_repeat_while_rows_are_added() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let stand = runtime.block_on(Stand::new());
    let count = std::sync::atomic::AtomicU32::new(0);
    let (on, count) = (&stand, &count);
    let strategy = (
        0..25_usize,
        1..8_i32,
        proptest::bool::ANY,
        vec((0..4_usize, 0..3_i64), 1..12),
    );
    let case = |(before, page_size, descending, additions): (usize, i32, bool, Vec<(usize, i64)>)| async move {
        let tenant = format!("t{}", count.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        let mut client = on.client_of("key:erp", &tenant, "integration").await;
        let parent = format!("tenants/{tenant}");
        let mut adder = client.clone();
        let mut add = async |some: usize| {
            if some == 0 {
                return Vec::new();
            }
            let request = BatchCreateFeedbacksRequest {
                parent: parent.clone(),
                feedbacks: vec![feedback("翻页"); some],
                request_id: String::new(),
            };
            let answers = adder.batch_create_feedbacks(request).await.unwrap().into_inner();
            answers
                .feedbacks
                .into_iter()
                .map(|feedback| feedback.name)
                .collect::<Vec<_>>()
        };
        let mut there: BTreeSet<String> = add(before).await.into_iter().collect();
        on.stage.clock.advance(jiff::SignedDuration::from_millis(1));
        let mut seen = Vec::new();
        let mut additions = additions.into_iter().cycle();
        let order_by = if descending { "create_time desc" } else { "create_time" };
        let mut request = ListFeedbacksRequest {
            parent: parent.clone(),
            page_size,
            order_by: order_by.to_owned(),
            ..ListFeedbacksRequest::default()
        };
        for _ in 0..60 {
            let page = client.list_feedbacks(request.clone()).await.unwrap().into_inner();
            seen.extend(page.feedbacks.into_iter().map(|feedback| feedback.name));
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
            let (some, pause) = additions.next().unwrap_or_default();
            on.stage.clock.advance(jiff::SignedDuration::from_millis(pause));
            add(some).await;
        }
        let distinct: BTreeSet<&String> = seen.iter().collect();
        assert_eq!(distinct.len(), seen.len(), "an entry came twice");
        // An ascending list whose end is added to faster than it is read has no last page.
        there.retain(|name| !distinct.contains(name));
        assert_eq!(there, BTreeSet::new(), "entries were skipped");
    };
    TestRunner::new(Config {
        cases: 24,
        ..Config::default()
    })
    .run(&strategy, |input| {
        runtime.block_on(case(input));
        Ok(())
    })
    .unwrap();
}
