//! Telemetry: what the services tell an OTLP collector of one feedback on its way.

#![expect(clippy::disallowed_methods, reason = "the collector ends with its test")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use huiyin_e2e::Suite;
use huiyin_proto::{
    intake::v1::{CreateFeedbackRequest, Feedback},
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
use tonic::{Request, Response, Status, transport::Server};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// What the collector was told, each with the service that told it.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Told>>);

#[derive(Default)]
struct Told {
    spans: Vec<(String, Span)>,
    metrics: Vec<(String, String)>,
    logs: Vec<String>,
}

/// ARCHITECTURE §8: one trace across the services that a feedback goes through.
#[tokio::test(flavor = "multi_thread")]
async fn a_collector_is_told_spans_metrics_and_logs_of_one_feedback_on_its_way() {
    let collector = Collector::default();
    let endpoint = collector.serve().await;
    let suite = Suite::start(&[
        ("HUIYIN_PROCESS__TELEMETRY__OTLP_ENDPOINT", &endpoint),
        ("OTEL_METRIC_EXPORT_INTERVAL", "500"),
    ])
    .await;

    let link = suite.link();
    let feedback = Feedback {
        channel: Channel::Api as i32,
        description: "新版本总是闪退".to_owned(),
        ..Feedback::default()
    };
    let mut request = Request::new(CreateFeedbackRequest {
        parent: link.parent.clone(),
        feedback: Some(feedback),
        request_id: String::new(),
    });
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    request.metadata_mut().insert("traceparent", parent.parse().unwrap());
    link.intake().create_feedback(request).await.unwrap();

    let hears = async |what: &str, told: &dyn Fn(&Told) -> bool| {
        let limit = Duration::from_secs(30);
        eventually(what, limit, async || told(&collector.0.lock().unwrap()).then_some(())).await;
    };
    hears("the call is a span of its caller's trace", &|told| {
        let is_call = |span: &Span| span.name == "/huiyin.intake.v1.IntakeService/CreateFeedback";
        let mut spans = told.spans.iter();
        spans.any(|(service, span)| service == "intake" && is_call(span) && span.trace_id == trace_id())
    })
    .await;
    for service in ["classifier", "scheduler", "notification", "analytics"] {
        hears(&format!("what {service} did with it is of the same trace"), &|told| {
            let mut spans = told.spans.iter();
            spans.any(|(from, span)| from == service && span.name == "event" && span.trace_id == trace_id())
        })
        .await;
    }
    hears("intake measures its calls", &|told| {
        told.metrics
            .contains(&("intake".to_owned(), "rpc.server.duration".to_owned()))
    })
    .await;
    hears("every service has logged something", &|told| {
        huiyin::suite::SERVICES
            .iter()
            .all(|service| told.logs.iter().any(|from| from == service))
    })
    .await;
}

fn trace_id() -> Vec<u8> {
    (0..TRACE.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&TRACE[at..at + 2], 16).unwrap())
        .collect()
}

impl Collector {
    async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::builder()
            .add_service(TraceServiceServer::new(self.clone()))
            .add_service(MetricsServiceServer::new(self.clone()))
            .add_service(LogsServiceServer::new(self.clone()));
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
        for resource in request.into_inner().resource_spans {
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
        for resource in request.into_inner().resource_metrics {
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
        for resource in request.into_inner().resource_logs {
            told.logs.push(service(resource.resource.as_ref()));
        }
        Ok(Response::new(Default::default()))
    }
}
