//! What happens to every call before and after its handler, in order: trace, limit, who, how often, whether, deadline, panic,
//! language.

use std::{
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::FutureExt as _;
use http::{HeaderMap, HeaderValue, Request, Response};
use opentelemetry::{KeyValue, global, metrics::Histogram};
use tokio::{sync::Semaphore, time::Instant};
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};
use tracing::Instrument as _;

use super::{localize, stream_body::StreamBody};
use crate::{
    access::{self, Method},
    auth::{Authenticator, Caller},
    call::{self, Call},
    config::Limits,
    error::Refusal,
    rate::Limiter,
    secret, telemetry,
};

/// Callers who are refused at the limit are asked to come back after this.
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// Puts the pipeline in front of the routes.
#[derive(Debug, Clone)]
pub(super) struct PipelineLayer(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    service: &'static str,
    authenticator: Authenticator,
    rates: Limiter,
    /// Places for unary calls, and for streams.
    calls: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    deadline: Duration,
    duration: Histogram<f64>,
}

impl PipelineLayer {
    pub(super) fn new(service: &'static str, limits: &Limits, authenticator: Authenticator) -> anyhow::Result<Self> {
        let duration = global::meter("huiyin")
            .f64_histogram("rpc.server.duration")
            .with_unit("s")
            .with_description("time from request to answer")
            .build();
        let (calls, streams) = (
            Arc::new(Semaphore::new(limits.concurrency)),
            Arc::new(Semaphore::new(limits.streams)),
        );
        tell_active(
            service,
            [
                ("unary", limits.concurrency, &calls),
                ("stream", limits.streams, &streams),
            ],
        );
        Ok(Self(Arc::new(Shared {
            service,
            rates: Limiter::new(service, &limits.rates, authenticator.clock().clone())?,
            authenticator,
            calls,
            streams,
            deadline: limits.deadline(),
            duration,
        })))
    }
}

/// Has the places that are taken counted whenever somebody asks: kinds, each with its limit and its places.
fn tell_active(service: &'static str, kinds: [(&'static str, usize, &Arc<Semaphore>); 2]) {
    let kinds = kinds.map(|(kind, limit, places)| (kind, limit, Arc::downgrade(places)));
    let _active = global::meter("huiyin")
        .u64_observable_gauge("rpc.server.active")
        .with_description("calls under way, by kind: unary or stream, each with a limit of its own")
        .with_callback(move |active| {
            for (kind, limit, places) in &kinds {
                let Some(places) = places.upgrade() else { continue };
                let taken = limit.saturating_sub(places.available_permits());
                let taken = u64::try_from(taken).unwrap_or(u64::MAX);
                active.observe(
                    taken,
                    &[KeyValue::new("service", service), KeyValue::new("kind", *kind)],
                );
            }
        })
        .build();
}

impl<S> Layer<S> for PipelineLayer {
    type Service = Pipeline<S>;
    fn layer(&self, inner: S) -> Pipeline<S> {
        Pipeline {
            inner,
            shared: Arc::clone(&self.0),
        }
    }
}

/// See the file.
#[derive(Debug, Clone)]
pub(super) struct Pipeline<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> Service<Request<Body>> for Pipeline<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The clone that was polled ready must be the one that is called.
        let ready = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, ready);
        let shared = Arc::clone(&self.shared);
        let path = request.uri().path().to_owned();
        let request_id = request_id(request.headers());
        let span = tracing::info_span!(
            "rpc",
            otel.name = path,
            otel.kind = "server",
            method = path,
            request_id,
            caller = tracing::field::Empty,
            trace_id = tracing::field::Empty
        );
        telemetry::follow(&span, header(request.headers(), "traceparent"));
        telemetry::name_trace(&span);
        let language = header(request.headers(), "accept-language").to_owned();
        Box::pin(
            async move {
                let began = Instant::now();
                let mut response = match shared.run(inner, request, &path, &request_id).await {
                    Ok(response) => response,
                    Err(Failure::Inner(error)) => return Err(error),
                    Err(Failure::Refused(refusal)) => Status::from(refusal).into_http(),
                };
                localize::finish(response.headers_mut(), &language);
                if let Ok(value) = HeaderValue::from_str(&request_id) {
                    response.headers_mut().insert("x-request-id", value);
                }
                shared.measure(&path, response.headers(), began);
                Ok(response)
            }
            .instrument(span),
        )
    }
}

enum Failure<E> {
    Refused(Refusal),
    Inner(E),
}

impl<E> From<Refusal> for Failure<E> {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Shared {
    async fn run<S>(
        &self,
        mut inner: S,
        mut request: Request<Body>,
        path: &str,
        request_id: &str,
    ) -> Result<Response<Body>, Failure<S::Error>>
    where
        S: Service<Request<Body>, Response = Response<Body>>,
    {
        if path.starts_with("/grpc.health.v1.Health/") {
            return inner.call(request).await.map_err(Failure::Inner);
        }
        let method = access::method(path);
        let unary = method.is_some_and(|method| method.unary);
        // Shed load before any work is done for it.
        let places = Arc::clone(if unary { &self.calls } else { &self.streams });
        let place = places
            .try_acquire_owned()
            .map_err(|_| Refusal::overloaded(RETRY_AFTER))?;
        let caller = match method {
            Some(method) if method.token_bound => Caller::anonymous(),
            _ => self.authenticator.authenticate(request.headers()).await?,
        };
        tracing::Span::current().record("caller", caller.subject.as_str());
        self.rates.take(&caller).await?;
        authorize(self.service, method, &caller)?;

        let caller_name = match on_behalf_of(request.headers(), &caller) {
            Some(first) => format!("{} for {first}", caller.subject),
            None => caller.subject.clone(),
        };
        request.extensions_mut().insert(caller);
        let limit =
            requested_deadline(request.headers()).map_or(self.deadline, |requested| requested.min(self.deadline));
        let call = Call {
            caller: caller_name,
            request_id: request_id.to_owned(),
            deadline: Instant::now() + limit,
        };
        let work = AssertUnwindSafe(call::within(call, inner.call(request))).catch_unwind();
        // A stream takes as long as it takes; its caller's own deadline is kept by the transport.
        let outcome = if unary {
            tokio::time::timeout(limit, work)
                .await
                .map_err(|_| Refusal::deadline_passed())?
        } else {
            work.await
        };
        match outcome {
            Ok(Ok(answer)) if unary => Ok(answer),
            Ok(Ok(answer)) => Ok(answer.map(|body| Body::new(StreamBody::new(body, place)))),
            Ok(Err(error)) => Err(Failure::Inner(error)),
            Err(panic) => Err(Refusal::panicked(&*panic).into()),
        }
    }

    fn measure(&self, path: &str, headers: &HeaderMap, began: Instant) {
        let code = headers
            .get(Status::GRPC_STATUS)
            .map_or(Code::Ok, |status| Code::from_bytes(status.as_bytes()));
        let attributes = [
            KeyValue::new("rpc.system", "grpc"),
            // A path that we do not serve is made up by its caller, who must not make up series of ours.
            KeyValue::new(
                "rpc.method",
                access::method(path).map_or("unknown", |method| &method.path),
            ),
            KeyValue::new("rpc.grpc.status_code", i64::from(code as i32)),
        ];
        self.duration.record(began.elapsed().as_secs_f64(), &attributes);
    }
}

fn authorize(service: &str, method: Option<&Method>, caller: &Caller) -> Result<(), Refusal> {
    // Reflection, and methods that do not exist: the routes say so, to callers with an identity.
    let Some(method) = method.filter(|method| !method.token_bound) else {
        return Ok(());
    };
    let permission = method.permission_in(service);
    if caller.may(&permission) {
        Ok(())
    } else {
        Err(Refusal::permission_missing(&permission))
    }
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// For whom a service of ours makes the call; nobody else may speak for others.
fn on_behalf_of<'h>(headers: &'h HeaderMap, caller: &Caller) -> Option<&'h str> {
    const LONGEST: usize = 256;
    let first = header(headers, "x-huiyin-caller");
    (caller.is_service() && (1..=LONGEST).contains(&first.len())).then_some(first)
}

/// The caller's id of the call where it is a plain short one, or a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = header(headers, "x-request-id");
    let plain = (1..=64).contains(&given.len())
        && given
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if plain {
        given.to_owned()
    } else {
        secret::to_text(&secret::random_bytes::<12>())
    }
}

/// `grpc-timeout`: digits and a unit.
fn requested_deadline(headers: &HeaderMap) -> Option<Duration> {
    let text = header(headers, "grpc-timeout");
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(amount.saturating_mul(3600)),
        "M" => Duration::from_secs(amount.saturating_mul(60)),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}
