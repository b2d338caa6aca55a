//! A collector that keeps what it is told, behind one of somebody else's where there is one.

use std::{
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex},
};

use huiyin_embedded::{Process, Signal};
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
    common::v1::{KeyValue, any_value::Value},
    resource::v1::Resource,
    trace::v1::Span,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, codec::CompressionEncoding, transport::Server};

use super::SOON;

/// What the collector was told, each with the service that told it.
#[derive(Clone, Default)]
pub(super) struct Collector(pub(super) Arc<Mutex<Told>>);

#[derive(Default)]
pub(super) struct Told {
    pub(super) spans: Vec<(String, Span)>,
    pub(super) metrics: Vec<(String, String)>,
    pub(super) logs: Vec<String>,
    /// All of it, as text.
    pub(super) text: String,
    /// Through whom it was told; it ends with the test.
    third_party: Option<Process>,
}

impl Collector {
    pub(super) async fn hears(&self, what: &str, told: impl Fn(&Told) -> bool) {
        eventually(what, SOON, async || told(&self.0.lock().unwrap()).then_some(())).await;
    }

    /// Where to send telemetry, so that a receiver of somebody else's takes it and passes it on to this one, and where it writes
    /// what it takes. Where there is none for this machine, this one alone.
    pub(super) async fn behind_a_third_party(&self) -> (String, Option<PathBuf>) {
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
    resource
        .map(|resource| text_of(&resource.attributes, "service.name"))
        .unwrap_or_default()
}

/// The text of an attribute; empty where there is none.
pub(super) fn text_of(attributes: &[KeyValue], key: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|found| found.value.as_ref()?.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
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
