//! Telemetry: what the services tell an OTLP collector of a feedback on its way, and that it names no customer.

#![expect(clippy::disallowed_methods, reason = "the collector ends with its test")]

use std::{
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use huiyin::{
    demo::{self, DemoOptions},
    link::Link,
    suite::SERVICES,
};
use huiyin_chassis::Clock;
use huiyin_e2e::Suite;
use huiyin_embedded::{Process, Signal};
use huiyin_proto::{
    intake::v1::{
        Contact, ContactKind, CreateFeedbackRequest, Feedback, GetFeedbackRequest, GetFeedbackStatusRequest,
        ListFeedbacksRequest, ProductContext, RevealContactRequest, status_service_client::StatusServiceClient,
    },
    r#type::v1::Channel,
};
use huiyin_testkit::eventually;
use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::{
            ExportLogsServiceRequest, ExportLogsServiceResponse,
            logs_service_server::{LogsService, LogsServiceServer},
        },
        metrics::v1::{
            ExportMetricsServiceRequest, ExportMetricsServiceResponse,
            metrics_service_server::{MetricsService, MetricsServiceServer},
        },
        trace::v1::{
            ExportTraceServiceRequest, ExportTraceServiceResponse,
            trace_service_server::{TraceService, TraceServiceServer},
        },
    },
    resource::v1::Resource,
    trace::v1::Span,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, codec::CompressionEncoding, transport::Server};

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
const SOON: Duration = Duration::from_secs(30);

/// What the collector was told, each with the service that told it.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Told>>);

#[derive(Default)]
struct Told {
    spans: Vec<(String, Span)>,
    metrics: Vec<(String, String)>,
    logs: Vec<String>,
    /// All of it, as text.
    text: String,
    /// Through whom it was told; it ends with the test.
    third_party: Option<Process>,
}

/// ARCHITECTURE §8: one trace across the services that a feedback goes through, and no personal data in any of it (000-21, 000-22).
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

    // Round the whole loop, and through what goes wrong.
    go_wrong(&link, &feedback).await;
    let options = DemoOptions::to_the_end(4);
    demo::play(&link, &options).await.unwrap();
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

impl Collector {
    async fn hears(&self, what: &str, told: impl Fn(&Told) -> bool) {
        eventually(what, SOON, async || told(&self.0.lock().unwrap()).then_some(())).await;
    }

    /// Where to send telemetry, so that a receiver of somebody else's takes it and passes it on to this one, and where it writes
    /// what it takes. Where there is none for this machine, this one alone.
    async fn behind_a_third_party(&self) -> (String, Option<PathBuf>) {
        let own = self.serve().await;
        let agent = huiyin_e2e::root().join(".tools/bin/rotel-agent");
        if !agent.exists() {
            #[expect(clippy::print_stderr, reason = "a person should know")]
            {
                eprintln!("skipped: no rotel for this machine; the collector of the test is told alone");
            }
            return (own, None);
        }
        let port = || {
            std::net::TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
        };
        let (grpc, http) = (port(), port());
        let log = huiyin_e2e::binary(&format!("e2e/{}-rotel.log", grpc.port()));
        std::fs::create_dir_all(log.parent().unwrap()).unwrap();
        let file = std::fs::File::create(&log).unwrap();
        let mut command = Process::command(agent, Signal::KILL);
        command
            .args([
                "start",
                "--otlp-grpc-endpoint",
                &grpc.to_string(),
                "--otlp-http-endpoint",
                &http.to_string(),
            ])
            .args(["--exporter", "otlp", "--otlp-exporter-endpoint", &own])
            .args(["--debug-log", "traces", "--debug-log", "metrics", "--debug-log", "logs"])
            .args(["--debug-log-verbosity", "detailed"])
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .stdin(Stdio::null());
        let process = Process::spawn(command, Signal::KILL).unwrap();
        self.0.lock().unwrap().third_party = Some(process);
        eventually("the third party listens", SOON, async || {
            tokio::net::TcpStream::connect(grpc).await.is_ok()
        })
        .await;
        (format!("http://{grpc}"), Some(log))
    }

    async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::builder()
            .add_service(TraceServiceServer::new(self.clone()).accept_compressed(CompressionEncoding::Gzip))
            .add_service(MetricsServiceServer::new(self.clone()).accept_compressed(CompressionEncoding::Gzip))
            .add_service(LogsServiceServer::new(self.clone()).accept_compressed(CompressionEncoding::Gzip));
        tokio::task::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        format!("http://{address}")
    }
}

fn service(resource: Option<&Resource>) -> String {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    let mut attributes = resource.iter().flat_map(|resource| &resource.attributes);
    let name = attributes.find(|attribute| attribute.key == "service.name");
    match name.and_then(|name| name.value.as_ref()?.value.as_ref()) {
        Some(Value::StringValue(name)) => name.clone(),
        _ => String::new(),
    }
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut told = self.0.lock().unwrap();
        let request = request.into_inner();
        told.text.push_str(&format!("{request:?}\n"));
        for resource in request.resource_spans {
            let from = service(resource.resource.as_ref());
            let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
            told.spans.extend(spans.map(|span| (from.clone(), span)));
        }
        Ok(Response::new(Default::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let mut told = self.0.lock().unwrap();
        let request = request.into_inner();
        told.text.push_str(&format!("{request:?}\n"));
        for resource in request.resource_metrics {
            let from = service(resource.resource.as_ref());
            let metrics = resource.scope_metrics.into_iter().flat_map(|scope| scope.metrics);
            told.metrics.extend(metrics.map(|metric| (from.clone(), metric.name)));
        }
        Ok(Response::new(Default::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Collector {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        let mut told = self.0.lock().unwrap();
        let request = request.into_inner();
        told.text.push_str(&format!("{request:?}\n"));
        for resource in request.resource_logs {
            told.logs.push(service(resource.resource.as_ref()));
        }
        Ok(Response::new(Default::default()))
    }
}
