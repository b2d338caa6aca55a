//! Telemetry: what the services tell an OTLP collector of a feedback on its way, and that it names no customer.

#![expect(clippy::disallowed_methods, reason = "the collector ends with its test")]

mod collector;

use std::time::Duration;

use huiyin::{
    demo::{self, DemoOptions},
    link::Link,
    suite::SERVICES,
};
use huiyin_chassis::Clock;
use huiyin_e2e::Suite;
use huiyin_proto::{
    intake::v1::{
        Contact, ContactKind, CreateFeedbackRequest, Feedback, GetFeedbackRequest, GetFeedbackStatusRequest,
        ListFeedbacksRequest, ProductContext, RevealContactRequest, status_service_client::StatusServiceClient,
    },
    r#type::v1::Channel,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use tonic::Request;

use collector::{Collector, text_of};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Who a customer is and how to reach them, and words that nobody else says.
const NAME: &str = "欧阳紫嫣";
const MOBILE: &str = "13987654321";
const MAIL: &str = "ouyang.ziyan@example.com";
const CONTACT: &str = "ziyan.private@example.net";
const REFERENCE: &str = "crm-ouyang-7741";
const ORDER: &str = "订单尾号紫嫣7741";
const WORDS: &str = "更新以后闪退并且紫色雨伞图标消失";
const PLANTED: [&str; 7] = [NAME, MOBILE, MAIL, CONTACT, REFERENCE, ORDER, WORDS];
/// How long telemetry may be on its way.
const SOON: Duration = Duration::from_secs(30);

/// ARCHITECTURE §8: one trace across the services that a feedback goes through, links to it from what is done later, and no personal data in any of it (000-21, 000-22).
#[tokio::test(flavor = "multi_thread")]
async fn a_collector_is_told_of_a_feedback_on_its_way_and_of_no_customer() {
    let collector = Collector::default();
    let (endpoint, third_party) = collector.behind_a_third_party().await;
    let suite = Suite::start(&[
        ("HUIYIN_PROCESS__TELEMETRY__OTLP_ENDPOINT", &endpoint),
        ("OTEL_METRIC_EXPORT_INTERVAL", "500"),
    ])
    .await;

    let link = suite.link();
    let mut request = Request::new(submission(&link));
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    request.metadata_mut().insert("traceparent", parent.parse().unwrap());
    let feedback = link.intake().create_feedback(request).await.unwrap().into_inner();

    collector
        .hears("the call is a span of its caller's trace", |told| {
            let is_call = |span: &Span| span.name == "/huiyin.intake.v1.IntakeService/CreateFeedback";
            let mut spans = told.spans.iter();
            spans.any(|(service, span)| service == "intake" && is_call(span) && span.trace_id == trace_id())
        })
        .await;
    for service in ["classifier", "scheduler", "notification", "analytics"] {
        collector
            .hears(&format!("what {service} did with it is of the same trace"), |told| {
                let mut spans = told.spans.iter();
                spans.any(|(from, span)| from == service && span.name == "event" && span.trace_id == trace_id())
            })
            .await;
    }

    collector
        .hears("what is told of it is delivered in the same trace", |told| {
            let is_delivery = |span: &Span| span.name == "delivery" && span.trace_id == trace_id();
            told.spans
                .iter()
                .any(|(from, span)| from == "notification" && is_delivery(span))
        })
        .await;

    // Round the whole loop, and through what goes wrong.
    go_wrong(&link, &feedback).await;
    let options = DemoOptions::to_the_end(4);
    demo::play(&link, &options).await.unwrap();
    goes_on_in_linked_traces(&collector).await;
    for service in SERVICES {
        collector
            .hears(&format!("{service} told spans, metrics and logs"), |told| {
                let is_work = |span: &Span| span.name == "event" || service == "intake";
                told.spans.iter().any(|(from, span)| from == service && is_work(span))
                    && told
                        .metrics
                        .contains(&(service.to_owned(), "rpc.server.duration".to_owned()))
                    && told.logs.iter().any(|from| from == service)
            })
            .await;
    }
    // The last call of all: when it is heard of, everything before it was.
    let answered = link
        .intake()
        .get_feedback(GetFeedbackRequest {
            name: feedback.name.clone(),
        })
        .await;
    assert!(answered.is_ok());
    collector
        .hears("the last call", |told| {
            told.spans
                .iter()
                .any(|(_, span)| span.name == "/huiyin.intake.v1.IntakeService/GetFeedback")
        })
        .await;

    let mut texts = vec![("the collector".to_owned(), collector.0.lock().unwrap().text.clone())];
    texts.extend(third_party.map(|log| ("the third party".to_owned(), std::fs::read_to_string(log).unwrap())));
    for (who, text) in &texts {
        assert!(
            text.contains("/huiyin.intake.v1.IntakeService/CreateFeedback"),
            "{who} was told nothing"
        );
    }
    for service in SERVICES {
        let log = suite.files.folder().join(format!("{service}.log"));
        texts.push((format!("the log of {service}"), std::fs::read_to_string(log).unwrap()));
    }
    for (who, text) in &texts {
        for planted in PLANTED {
            let at = text.find(planted);
            let around = at.map(|at| {
                text[..at]
                    .chars()
                    .rev()
                    .take(300)
                    .collect::<String>()
                    .chars()
                    .rev()
                    .collect::<String>()
            });
            assert_eq!(around, None, "{who} was told {planted}");
        }
    }
}

/// What others do with the feedback later has traces of its own, each with a link to the one by which it came in.
async fn goes_on_in_linked_traces(collector: &Collector) {
    let rpc = |service: &str, method: &str| format!("/huiyin.{service}.v1.{method}");
    let wanted = [
        ("scheduler", rpc("scheduler", "SchedulerService/ResolveWorkOrder"), ""),
        ("survey", "event".to_owned(), "scheduler"),
        ("notification", "event".to_owned(), "survey"),
        ("survey", rpc("survey", "SurveyService/SubmitResponse"), ""),
        ("scheduler", "event".to_owned(), "survey"),
        ("analytics", "event".to_owned(), "survey"),
    ];
    for (service, name, source) in &wanted {
        collector
            .hears(
                &format!("{service} links {name} {source} to the feedback's trace"),
                |told| {
                    told.spans.iter().any(|(from, span)| {
                        let says = source.is_empty() || text_of(&span.attributes, "source") == *source;
                        from == service && span.name == *name && says && is_linked(span) && span.trace_id != trace_id()
                    })
                },
            )
            .await;
    }
    let told = collector.0.lock().unwrap();
    for service in SERVICES {
        let belongs = |span: &Span| span.trace_id == trace_id() || is_linked(span);
        let mut spans = told.spans.iter();
        assert!(
            spans.any(|(from, span)| from == service && belongs(span)),
            "from the trace of the feedback nobody finds what {service} did"
        );
    }
    for (_, span) in &told.spans {
        assert!(span.trace_state.is_empty(), "{span:?}");
        let mut links: Vec<_> = span.links.iter().map(|link| link.trace_id.as_slice()).collect();
        links.sort_unstable();
        links.dedup();
        assert_eq!(links.len(), span.links.len(), "each trace once: {span:?}");
        assert!(
            span.links
                .iter()
                .all(|link| link.trace_state.is_empty() && link.attributes.is_empty()),
            "{span:?}"
        );
    }
}

fn is_linked(span: &Span) -> bool {
    span.links.iter().any(|link| link.trace_id == trace_id())
}

fn submission(link: &Link) -> CreateFeedbackRequest {
    let feedback = Feedback {
        channel: Channel::WebForm.into(),
        description: format!("{WORDS}，我叫{NAME}，请打{MOBILE}或写信到{MAIL}"),
        customer_reference: REFERENCE.to_owned(),
        contact: Some(Contact {
            kind: ContactKind::Email.into(),
            address: CONTACT.to_owned(),
        }),
        product: Some(ProductContext {
            order_number: ORDER.to_owned(),
            ..ProductContext::default()
        }),
        ..Feedback::default()
    };
    CreateFeedbackRequest {
        parent: link.parent.clone(),
        feedback: Some(feedback),
        request_id: Clock::system().id().to_string(),
    }
}

/// Calls that are refused, find nothing, or open what is sealed.
async fn go_wrong(link: &Link, feedback: &Feedback) {
    let mut intake = link.intake();
    let mut nowhere = submission(link);
    nowhere.feedback.as_mut().unwrap().channel = 0;
    assert!(intake.create_feedback(nowhere.clone()).await.is_err());
    nowhere.request_id = MAIL.to_owned();
    assert!(intake.create_feedback(nowhere).await.is_err());
    let mut reused = submission(link);
    intake.create_feedback(reused.clone()).await.unwrap();
    reused.feedback.as_mut().unwrap().title = NAME.to_owned();
    assert!(
        intake.create_feedback(reused).await.is_err(),
        "the request id was used for another body"
    );
    // What callers may write beside the call.
    for (header, value) in [
        ("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01-{MAIL}")),
        ("traceparent", MOBILE.to_owned()),
        ("tracestate", format!("crm={REFERENCE}")),
        ("baggage", format!("mail={MAIL}")),
    ] {
        let mut request = Request::new(submission(link));
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        request.metadata_mut().insert("traceparent", parent.parse().unwrap());
        request.metadata_mut().insert(header, value.parse().unwrap());
        intake.create_feedback(request).await.unwrap();
    }
    let request = ListFeedbacksRequest {
        parent: link.parent.clone(),
        filter: format!("external_id = \"{MOBILE}\" AND nothing = \"{NAME}\""),
        ..ListFeedbacksRequest::default()
    };
    assert!(intake.list_feedbacks(request).await.is_err());
    let request = RevealContactRequest {
        name: feedback.name.clone(),
    };
    // Only a service of ours may; what it would open is not told either way.
    let _ = intake.reveal_contact(request).await;
    let wrong = GetFeedbackStatusRequest {
        number: feedback.number.clone(),
        token: MOBILE.to_owned(),
        ..GetFeedbackStatusRequest::default()
    };
    let mut status = StatusServiceClient::new(link.connection("intake"));
    assert!(status.get_feedback_status(wrong).await.is_err());
}

fn trace_id() -> Vec<u8> {
    (0..TRACE.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&TRACE[at..at + 2], 16).unwrap())
        .collect()
}
