//! A customer is erased through six processes: nothing is found any more, the certificate verifies, and the reports stay the same.

use std::{collections::BTreeMap, time::Duration};

use huiyin::suite::SERVICES;
use huiyin_chassis::{Clock, sql};
use huiyin_e2e::Suite;
use huiyin_proto::{
    analytics::v1::{Interval, ListMetricsRequest, QueryMetricRequest, TopProblemsRequest},
    event::v1::GetEventFlowRequest,
    google::longrunning::{GetOperationRequest, operation::Result as Outcome, operations_client::OperationsClient},
    intake::v1::{
        Contact, ContactKind, CreateFeedbackRequest, EraseCustomerRequest, ErasureCertificate, Feedback,
        VerifyErasureCertificateRequest, customer_service_client::CustomerServiceClient,
    },
    r#type::v1::Channel,
};
use huiyin_testkit::eventually;
use jiff::SignedDuration;
use prost::Message as _;

const LIMIT: Duration = Duration::from_secs(60);
const ADDRESS: &str = "13912345678";
const MAIL: &str = "yu.san@example.com";
/// Words that nobody else says.
const WORDS: &str = "闪退之后紫色雨伞图标消失";

/// 000-21, 000-22, 001-81, 004-13.
#[tokio::test(flavor = "multi_thread")]
async fn an_erased_customer_is_found_nowhere_and_the_reports_stay() {
    let suite = Suite::start(&[]).await;
    let link = suite.link();
    let mut intake = link.intake();
    let submit = |address: &str, words: String| CreateFeedbackRequest {
        parent: link.parent.clone(),
        feedback: Some(Feedback {
            channel: Channel::WebForm.into(),
            description: words,
            contact: Some(Contact {
                kind: ContactKind::Email.into(),
                address: address.to_owned(),
            }),
            ..Feedback::default()
        }),
        request_id: Clock::system().id().to_string(),
    };
    let words = format!("{WORDS}，请打{ADDRESS}");
    let theirs = intake.create_feedback(submit(MAIL, words)).await.unwrap().into_inner();
    let others = "打开就闪退，完全不能用".to_owned();
    intake
        .create_feedback(submit("wang@example.com", others))
        .await
        .unwrap();
    settled(&suite).await;

    let now = Clock::system().now();
    let month = Interval {
        start_time: Some(sql::to_proto(now - SignedDuration::from_hours(24 * 30))),
        end_time: Some(sql::to_proto(now)),
    };
    let before = totals(&suite, &month).await;
    let found = suite.search(WORDS).await;
    for service in SERVICES {
        if service != "survey" && service != "analytics" {
            assert!(found.get(service).is_some_and(|rows| *rows > 0), "{service}: {found:?}");
        }
    }
    assert!(found["redis"] > 0, "{found:?}");

    let addresses = suite.files.addresses().unwrap();
    let channel = link.connection("intake");
    let mut customers = CustomerServiceClient::new(channel.clone());
    let operation = customers
        .erase_customer(EraseCustomerRequest {
            name: theirs.customer.clone(),
            reason: String::new(),
            request_id: String::new(),
        })
        .await
        .unwrap()
        .into_inner();
    let mut operations = OperationsClient::new(channel);
    let ended = eventually("the erasure ends", LIMIT, async || {
        let request = GetOperationRequest {
            name: operation.name.clone(),
        };
        let operation = operations.get_operation(request).await.ok()?.into_inner();
        operation.done.then_some(operation)
    })
    .await;
    let Some(Outcome::Response(response)) = ended.result else {
        panic!("{ended:?}");
    };
    let certificate = ErasureCertificate::decode(response.value.as_slice()).unwrap();
    assert_eq!(certificate.rooms.len(), addresses.len());
    let verdict = customers
        .verify_erasure_certificate(VerifyErasureCertificateRequest {
            parent: link.parent.clone(),
            certificate: Some(certificate),
        })
        .await
        .unwrap()
        .into_inner();
    assert!(verdict.valid, "{verdict:?}");
    settled(&suite).await;

    for secret in [WORDS, ADDRESS, MAIL, "紫色雨伞"] {
        let found = suite.search(secret).await;
        assert!(found.values().all(|rows| *rows == 0), "{secret}: {found:?}");
    }
    assert_eq!(totals(&suite, &month).await, before);
}

/// Waits until every event of every service has had its effect everywhere.
async fn settled(suite: &Suite) {
    let mut last = String::new();
    let mut same = 0;
    eventually("all is consumed", LIMIT, async || {
        let mut flows = BTreeMap::new();
        for service in SERVICES {
            let mut log = suite.link().events(service);
            flows.insert(
                service,
                log.get_event_flow(GetEventFlowRequest {}).await.ok()?.into_inner(),
            );
        }
        let done = flows.values().all(|flow| {
            flow.unpositioned == 0
                && flow.sources.iter().all(|source| {
                    flows[source.as_str()]
                        .heads
                        .iter()
                        .filter(|head| head.position > 0)
                        .all(|head| {
                            flow.cursors.iter().any(|cursor| {
                                cursor.source == *source
                                    && cursor.partition == head.partition
                                    && cursor.position >= head.position
                            })
                        })
                })
        });
        let now = format!("{flows:?}");
        // Analytics counts behind its cursor, notification queues: some rounds without a change are the end.
        same = if done && now == last { same + 1 } else { 0 };
        last = now;
        (same >= 10).then_some(())
    })
    .await;
}

/// What the reports say of last month, which is all that there is: each metric, and the unique customers of each problem.
async fn totals(suite: &Suite, interval: &Interval) -> BTreeMap<String, String> {
    let link = suite.link();
    let mut totals = BTreeMap::new();
    let metrics = link
        .analytics()
        .list_metrics(ListMetricsRequest {
            page_size: 100,
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner()
        .metrics;
    for metric in metrics {
        let request = QueryMetricRequest {
            parent: link.parent.clone(),
            metric: metric.name.clone(),
            interval: Some(*interval),
            ..QueryMetricRequest::default()
        };
        let answer = link.analytics().query_metric(request).await.unwrap().into_inner();
        totals.insert(metric.name, format!("{:?}", answer.rows));
    }
    let request = TopProblemsRequest {
        parent: link.parent.clone(),
        interval: Some(*interval),
        ..TopProblemsRequest::default()
    };
    let problems = link.analytics().top_problems(request).await.unwrap().into_inner();
    totals.insert("problems".to_owned(), format!("{:?}", problems.problems));
    totals
}
