//! Traces, metrics and logs: `tracing` in front, stdout and OTLP behind. Without an endpoint nothing leaves the process.

use std::{
    collections::{BTreeSet, HashMap},
    sync::OnceLock,
    time::Duration,
};

use opentelemetry::{
    KeyValue, global,
    trace::{TraceContextExt as _, TraceId, TracerProvider as _},
};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::{
    Resource,
    logs::SdkLoggerProvider,
    metrics::{Aggregation, Instrument, InstrumentKind, SdkMeterProvider, Stream},
    propagation::TraceContextPropagator,
    trace::SdkTracerProvider,
};
use prometheus::{Registry, TextEncoder};
use schemars::JsonSchema;
use serde::Deserialize;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::{
    EnvFilter, Layer as _, Registry as Spans, layer::SubscriberExt as _, registry::LookupSpan as _,
    util::SubscriberInitExt as _,
};

/// Who is told has this long to take it.
const EXPORT: Duration = Duration::from_secs(5);
/// What is there for Prometheus to fetch.
static FETCHED: OnceLock<Registry> = OnceLock::new();

/// What is told, how, and to whom.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetryConfig {
    /// OTLP over gRPC, e.g. `http://collector:4317`; not set: nothing is exported.
    pub otlp_endpoint: Option<String>,
    /// True where metrics are served for Prometheus to fetch, where `service.probe_listen` says.
    pub prometheus: bool,
    /// Which events are told, as in `RUST_LOG`, e.g. `info,sqlx=warn`.
    pub filter: String,
    /// How they look on standard output.
    pub format: LogFormat,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self {
            otlp_endpoint: None,
            prometheus: false,
            filter: "info,sqlx=warn,h2=warn,hyper=warn".to_owned(),
            format: LogFormat::Json,
        }
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Pretty,
    /// Nothing at all.
    Off,
}

/// Holds the exporters; dropped last, so that the trace of a failure is not lost.
#[derive(Debug, Default)]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
    metrics: Option<SdkMeterProvider>,
    logs: Option<SdkLoggerProvider>,
}

/// Starts telemetry for the process. Called once, by whoever owns the process; rooms only use `tracing` and
/// [`opentelemetry::global::meter`].
///
/// # Errors
/// Where the endpoint or the filter is malformed, or telemetry was started before.
pub fn start(process: &str, config: &TelemetryConfig) -> anyhow::Result<Telemetry> {
    global::set_text_map_propagator(TraceContextPropagator::new());
    let filter = || EnvFilter::try_new(std::env::var("RUST_LOG").unwrap_or_else(|_| config.filter.clone()));
    let stdout = match config.format {
        LogFormat::Json => Some(
            tracing_subscriber::fmt::layer()
                .json()
                .flatten_event(true)
                .with_current_span(true)
                .with_filter(filter()?)
                .boxed(),
        ),
        LogFormat::Pretty => Some(
            tracing_subscriber::fmt::layer()
                .compact()
                .with_writer(std::io::stderr)
                .with_filter(filter()?)
                .boxed(),
        ),
        LogFormat::Off => None,
    };
    let resource = Resource::builder()
        .with_service_name(process.to_owned())
        .with_attribute(KeyValue::new("service.namespace", "huiyin"))
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let endpoint = config.otlp_endpoint.as_deref();
    let telemetry = Telemetry {
        traces: endpoint.map(|endpoint| traces(endpoint, &resource)).transpose()?,
        metrics: metrics(endpoint, config.prometheus, &resource)?,
        logs: endpoint.map(|endpoint| logs(endpoint, &resource)).transpose()?,
    };
    let spans = telemetry.traces.as_ref().map(|traces| {
        let layer = tracing_opentelemetry::layer().with_tracer(traces.tracer("huiyin"));
        filter().map(|filter| layer.with_filter(filter))
    });
    let records = telemetry
        .logs
        .as_ref()
        .map(|logs| filter().map(|filter| OpenTelemetryTracingBridge::new(logs).with_filter(filter)));
    tracing_subscriber::registry()
        .with(stdout)
        .with(spans.transpose()?)
        .with(records.transpose()?)
        .try_init()?;
    if let Some(metrics) = &telemetry.metrics {
        global::set_meter_provider(metrics.clone());
    }
    Ok(telemetry)
}

fn traces(endpoint: &str, resource: &Resource) -> anyhow::Result<SdkTracerProvider> {
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .with_timeout(EXPORT)
        .build()?;
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource.clone())
        .build())
}

/// None where nobody is told of any.
fn metrics(endpoint: Option<&str>, prometheus: bool, resource: &Resource) -> anyhow::Result<Option<SdkMeterProvider>> {
    let mut provider = SdkMeterProvider::builder()
        .with_resource(resource.clone())
        .with_view(seconds);
    if let Some(endpoint) = endpoint {
        let exporter = opentelemetry_otlp::MetricExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint)
            .with_timeout(EXPORT)
            .build()?;
        provider = provider.with_periodic_exporter(exporter);
    }
    if prometheus {
        let registry = FETCHED.get_or_init(Registry::new);
        let reader = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .build()?;
        provider = provider.with_reader(reader);
    }
    Ok((endpoint.is_some() || prometheus).then(|| provider.build()))
}

/// Times are measured from a millisecond to an hour: the buckets that there are by default are meant for milliseconds.
fn seconds(instrument: &Instrument) -> Option<Stream> {
    let is_time = instrument.kind() == InstrumentKind::Histogram && instrument.unit() == "s";
    let boundaries = vec![
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0,
    ];
    let aggregation = Aggregation::ExplicitBucketHistogram {
        boundaries,
        record_min_max: true,
    };
    is_time
        .then(|| Stream::builder().with_aggregation(aggregation).build().ok())
        .flatten()
}

fn logs(endpoint: &str, resource: &Resource) -> anyhow::Result<SdkLoggerProvider> {
    let exporter = opentelemetry_otlp::LogExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .with_timeout(EXPORT)
        .build()?;
    Ok(SdkLoggerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource.clone())
        .build())
}

/// The metrics of the process as Prometheus fetches them; none where it does not.
pub(crate) fn prometheus_text() -> Option<String> {
    let families = FETCHED.get()?.gather();
    TextEncoder::new().encode_to_string(&families).ok()
}

impl Telemetry {
    /// Sends what is still held.
    pub fn flush(&self) {
        let flushed = [
            self.traces.as_ref().map(|provider| provider.shutdown().err()),
            self.metrics.as_ref().map(|provider| provider.shutdown().err()),
            self.logs.as_ref().map(|provider| provider.shutdown().err()),
        ];
        for error in flushed.into_iter().flatten().flatten() {
            tracing::warn!(%error, "telemetry could not be flushed");
        }
    }
}

/// The trace that the current span belongs to, as W3C `traceparent`; empty where there is none.
#[must_use]
pub fn current_traceparent() -> String {
    let mut carrier = HashMap::new();
    let context = tracing::Span::current().context();
    global::get_text_map_propagator(|propagator| propagator.inject_context(&context, &mut carrier));
    carrier.remove("traceparent").unwrap_or_default()
}

/// Writes the trace that `span` belongs to into its field `trace_id`, where log lines can be found by it.
pub fn name_trace(span: &tracing::Span) {
    let context = span.context();
    let context = context.span().span_context().clone();
    if context.is_valid() {
        span.record("trace_id", tracing::field::display(context.trace_id()));
    }
}

/// Makes `span` a part of the trace that `traceparent` names: that of the caller, or of what an event came from.
pub fn follow(span: &tracing::Span, traceparent: &str) {
    if let Some(context) = named(traceparent) {
        // Fails only where no OpenTelemetry layer is there to hear it.
        let _ = span.set_parent(context);
    }
}

/// Links `span` to the trace that `traceparent` names where that is not its own, and once: it goes on with what another call began.
pub fn link(span: &tracing::Span, traceparent: &str) {
    let Some(other) = named(traceparent) else { return };
    let (own, other) = (span.context(), other.span().span_context().clone());
    let own = own.span().span_context().trace_id();
    if own != TraceId::INVALID && own != other.trace_id() && is_news(span, other.trace_id()) {
        span.add_link(other);
    }
}

/// The traces that a span is linked to.
#[derive(Default)]
struct Linked(BTreeSet<[u8; 16]>);

/// False where `span` is linked to the trace already. OpenTelemetry does not tell which links a span has.
fn is_news(span: &tracing::Span, trace: TraceId) -> bool {
    let noted = span.with_subscriber(|(id, dispatch)| {
        let span = dispatch.downcast_ref::<Spans>()?.span(id)?;
        let mut extensions = span.extensions_mut();
        if extensions.get_mut::<Linked>().is_none() {
            extensions.insert(Linked::default());
        }
        Some(extensions.get_mut::<Linked>()?.0.insert(trace.to_bytes()))
    });
    noted.flatten().unwrap_or(true)
}

/// The context that a `traceparent` names. Callers may write there what they like: of it nothing is taken but the 55 characters of
/// version 00, and of `tracestate` nothing at all.
fn named(traceparent: &str) -> Option<opentelemetry::Context> {
    let is_hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let parts: Vec<&str> = traceparent.split('-').collect();
    let ["00", trace, span, flags] = parts[..] else {
        return None;
    };
    if !(is_hex(trace, 32) && is_hex(span, 16) && is_hex(flags, 2)) {
        return None;
    }
    let carrier = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    let nowhere = opentelemetry::Context::new();
    let context = global::get_text_map_propagator(|propagator| propagator.extract_with_context(&nowhere, &carrier));
    context.has_active_span().then_some(context)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use opentelemetry_sdk::{
        error::OTelSdkResult,
        trace::{SpanData, SpanExporter},
    };

    use super::*;

    const FIRST: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const SECOND: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[derive(Debug, Default, Clone)]
    struct Kept(Arc<Mutex<Vec<SpanData>>>);

    impl SpanExporter for Kept {
        async fn export(&self, spans: Vec<SpanData>) -> OTelSdkResult {
            self.0.lock().unwrap().extend(spans);
            Ok(())
        }
    }

    /// What is exported of the spans that `work` makes.
    fn spans(work: impl FnOnce()) -> Vec<SpanData> {
        global::set_text_map_propagator(TraceContextPropagator::new());
        let kept = Kept::default();
        let provider = SdkTracerProvider::builder().with_simple_exporter(kept.clone()).build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
        std::mem::take(&mut *kept.0.lock().unwrap())
    }

    fn trace(traceparent: &str) -> String {
        traceparent[3..35].to_owned()
    }

    #[test]
    fn a_span_is_linked_once_to_each_trace_but_its_own() {
        let spans = spans(|| {
            let span = tracing::info_span!("later");
            follow(&span, FIRST);
            for other in [FIRST, SECOND, SECOND, ""] {
                link(&span, other);
            }
        });
        assert_eq!(spans[0].span_context.trace_id().to_string(), trace(FIRST));
        let links: Vec<String> = spans[0]
            .links
            .iter()
            .map(|link| link.span_context.trace_id().to_string())
            .collect();
        assert_eq!(links, [trace(SECOND)]);
    }

    #[test]
    fn nothing_but_a_well_formed_traceparent_is_taken() {
        let said = [
            "",
            "13987654321",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-ouyang@example.com",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-ouyang@example.com",
            " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ];
        let spans = spans(|| {
            let span = tracing::info_span!("call");
            for traceparent in said {
                follow(&span, traceparent);
                link(&span, traceparent);
            }
        });
        assert_ne!(spans[0].span_context.trace_id().to_string(), trace(FIRST));
        assert!(spans[0].links.is_empty());
    }
}
