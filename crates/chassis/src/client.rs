//! The channel to another service: lazy, with our identity, a deadline, and retries where repeating is safe.

use std::{
    collections::BTreeMap,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use anyhow::Context as _;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, Uri, uri::Scheme};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::Instant;
use tonic::{
    Code, Status,
    body::Body,
    transport::{Channel, Endpoint},
};
use tower::Service;

use crate::{access, auth::Identity, call, secret, telemetry, tls::Tls};

/// A call that nobody gave a deadline has this one.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(10);
/// The first pause before a retry; each further one is twice as long, and all are shortened at random.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// A call is tried this many times at most, while its deadline allows.
const ATTEMPTS: u32 = 5;

/// Where the other services are: name → URL, e.g. `intake = "http://intake:50051"`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct NeighborsConfig(pub BTreeMap<String, String>);

/// The other services, as one of them reaches them.
#[derive(Debug, Clone)]
pub struct Neighbors {
    urls: NeighborsConfig,
    identity: Identity,
    tls: Option<Tls>,
}

impl Neighbors {
    /// As whom the others are called, and with which certificate.
    #[must_use]
    pub fn new(urls: &NeighborsConfig, identity: Identity, tls: Option<Tls>) -> Self {
        Self {
            urls: urls.clone(),
            identity,
            tls,
        }
    }

    /// True where it is configured where `service` is.
    pub(crate) fn has(&self, service: &str) -> bool {
        self.urls.0.contains_key(service)
    }

    /// A channel to `service`. It connects when it is first used: services may start in any order.
    ///
    /// # Errors
    /// Where its URL is missing or malformed, or says `https` and there is no certificate.
    pub fn connect(&self, service: &str) -> anyhow::Result<Neighbor> {
        let key = || format!("service.neighbors.{service}");
        let url = self.urls.0.get(service);
        let url: Uri = url
            .with_context(|| format!("{} is not configured", key()))?
            .parse()
            .with_context(key)?;
        let is_secure = url.scheme() == Some(&Scheme::HTTPS);
        let endpoint = Endpoint::from(plain(url.clone()).with_context(key)?)
            .origin(url)
            .connect_timeout(Duration::from_secs(2))
            .http2_keep_alive_interval(Duration::from_secs(20))
            .keep_alive_while_idle(true);
        let channel = if is_secure {
            let tls = self.tls.clone();
            let tls = tls.with_context(|| format!("{} is https, and service.tls is not configured", key()))?;
            endpoint.connect_with_connector_lazy(tower::service_fn(move |uri| {
                let tls = tls.clone();
                async move { tls.connect(uri).await.map(TokioIo::new) }
            }))
        } else {
            endpoint.connect_lazy()
        };
        Ok(Neighbor {
            channel,
            identity: self.identity.clone(),
        })
    }
}

/// The same address without TLS, with its port: tonic speaks TLS by itself to what is called https, by a certificate that never changes.
fn plain(url: Uri) -> anyhow::Result<Uri> {
    let port = url
        .port_u16()
        .unwrap_or(if url.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 });
    let host = url.host().context("a URL with a host is needed")?;
    Ok(format!("http://{host}:{port}").parse()?)
}

/// A channel to another service; the generated clients take it.
#[derive(Debug, Clone)]
pub struct Neighbor {
    channel: Channel,
    identity: Identity,
}

impl Service<Request<Body>> for Neighbor {
    type Response = Response<Body>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Status>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(())) // each attempt waits for the channel itself
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let neighbor = self.clone();
        Box::pin(neighbor.send(request))
    }
}

impl Neighbor {
    async fn send(self, request: Request<Body>) -> Result<Response<Body>, Status> {
        let (mut parts, body) = request.into_parts();
        let method = access::method(parts.uri.path());
        let unary = method.is_some_and(|method| method.unary);
        let deadline = call::current().map_or_else(|| Instant::now() + DEFAULT_DEADLINE, |call| call.deadline);
        self.introduce(&mut parts.headers)?;
        if !unary || !method.is_some_and(|method| method.repeatable) {
            if unary {
                set_deadline(&mut parts.headers, deadline);
            }
            return self.attempt(Request::from_parts(parts, body)).await;
        }
        // A unary request is one small message: kept, it can be sent again.
        let body = body.collect().await?.to_bytes();
        let mut pause = FIRST_PAUSE;
        for attempt in 1.. {
            set_deadline(&mut parts.headers, deadline);
            let outcome = self.attempt(copy(&parts, &body)).await;
            let unavailable = match &outcome {
                Ok(response) => {
                    Status::from_header_map(response.headers()).is_some_and(|status| status.code() == Code::Unavailable)
                }
                Err(status) => status.code() == Code::Unavailable,
            };
            let wait = pause.mul_f64(0.5 + secret::random_fraction() / 2.0);
            if !unavailable || attempt >= ATTEMPTS || Instant::now() + wait >= deadline {
                return outcome;
            }
            tokio::time::sleep(wait).await;
            pause *= 2;
        }
        Err(Status::unavailable("no attempt was made")) // not reached: the loop returns
    }

    async fn attempt(&self, request: Request<Body>) -> Result<Response<Body>, Status> {
        let mut channel = self.channel.clone();
        let unreachable = |error: tonic::transport::Error| Status::unavailable(error.to_string());
        std::future::poll_fn(|context| channel.poll_ready(context))
            .await
            .map_err(unreachable)?;
        channel.call(request).await.map_err(unreachable)
    }

    /// Says who calls, for whom, and as part of what.
    fn introduce(&self, headers: &mut HeaderMap) -> Result<(), Status> {
        let mut set = |name: &'static str, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        set("authorization", &format!("Bearer {}", self.identity.token()?));
        let traceparent = telemetry::current_traceparent();
        if !traceparent.is_empty() {
            set("traceparent", &traceparent);
        }
        if let Some(call) = call::current() {
            set("x-huiyin-caller", &call.caller);
            set("x-request-id", &call.request_id);
        }
        Ok(())
    }
}

fn copy(parts: &http::request::Parts, body: &Bytes) -> Request<Body> {
    let mut request = Request::new(Body::new(Full::new(body.clone())));
    *request.method_mut() = parts.method.clone();
    *request.uri_mut() = parts.uri.clone();
    *request.version_mut() = parts.version;
    *request.headers_mut() = parts.headers.clone();
    request
}

fn set_deadline(headers: &mut HeaderMap, deadline: Instant) {
    let left = deadline.saturating_duration_since(Instant::now()).as_millis();
    if let Ok(value) = HeaderValue::from_str(&format!("{left}m")) {
        headers.insert("grpc-timeout", value);
    }
}
