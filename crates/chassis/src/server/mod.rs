//! The gRPC server that every service has: health, reflection, the pipeline in front of each method, and a drain that ends.

mod localize;
mod pipeline;
mod probes;
mod stream_body;

use std::{collections::BTreeMap, future::Future, net::SocketAddr, sync::Arc};

pub(crate) use localize::localized;
pub use localize::{Language, sentence};

use anyhow::Context as _;
use futures::FutureExt as _;
use tokio::net::TcpListener;
use tonic::{
    body::Body,
    server::NamedService,
    service::{Routes, RoutesBuilder},
    transport::server::TcpIncoming,
};
use tower::Service;

use crate::{
    access,
    auth::{ApiKeys, Authenticator},
    config::{Limits, ServiceConfig},
    tasks::{Shutdown, Tasks},
    tls::Tls,
};

/// A server under construction.
#[derive(Debug)]
pub struct Server {
    service: &'static str,
    listener: TcpListener,
    tls: Option<Tls>,
    probe_listen: Option<SocketAddr>,
    limits: Limits,
    authenticator: Authenticator,
    routes: RoutesBuilder,
    names: Vec<&'static str>,
}

impl Server {
    /// Takes the port, so that its number is known before anything runs. `service` is the room's name, e.g. `intake`.
    ///
    /// # Errors
    /// Where the port is taken.
    pub async fn bind(
        service: &'static str,
        config: &ServiceConfig,
        authenticator: Authenticator,
        tls: Option<Tls>,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(config.listen)
            .await
            .with_context(|| format!("cannot listen on {}", config.listen))?;
        Ok(Self {
            service,
            listener,
            tls,
            probe_listen: config.probe_listen,
            limits: config.limits.clone(),
            authenticator,
            routes: Routes::builder(),
            names: Vec::new(),
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// Where the system does not say.
    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// The largest request message; give it to the `max_decoding_message_size` of each service.
    #[must_use]
    pub fn message_bytes(&self) -> usize {
        self.limits.message_bytes
    }

    /// Names whoever keeps the API keys that are not configured, here instead of intake over gRPC.
    pub fn look_up_api_keys_in(&mut self, keeper: Arc<dyn ApiKeys>) {
        self.authenticator.ask(keeper);
    }

    /// Adds a service.
    ///
    /// # Errors
    /// Where one of its methods does not say who may call it.
    pub fn add<S>(&mut self, service: S) -> anyhow::Result<()>
    where
        S: Service<http::Request<Body>, Response = http::Response<Body>, Error = std::convert::Infallible>,
        S: NamedService + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        access::require_rules(S::NAME)?;
        self.names.push(S::NAME);
        self.routes.add_service(service);
        Ok(())
    }

    /// Serves until the shutdown is requested and the drain is over. Returns where, and where else by what is served there.
    ///
    /// # Errors
    /// Where reflection cannot be built, a port is already someone else's, or where calls are counted is malformed.
    pub async fn serve(
        mut self,
        tasks: &mut Tasks,
        shutdown: Shutdown,
    ) -> anyhow::Result<(SocketAddr, BTreeMap<&'static str, SocketAddr>)> {
        let address = self.address()?;
        let mut others = BTreeMap::new();
        let (health, health_service) = tonic_health::server::health_reporter();
        for name in self.names.iter().copied().chain([""]) {
            health
                .set_service_status(name, tonic_health::ServingStatus::Serving)
                .await;
        }
        // It answers as long as calls may be under way.
        let mut probes = None;
        if let Some(listen) = self.probe_listen {
            let (address, stop) = probes::serve(tasks, listen, health_service.clone()).await?;
            others.insert("probes", address);
            probes = Some(stop);
        }
        self.routes.add_service(health_service);
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(huiyin_proto::DESCRIPTORS)
        };
        self.routes.add_service(reflection().build_v1()?);
        self.routes.add_service(reflection().build_v1alpha()?);

        let pipeline = pipeline::PipelineLayer::new(self.service, &self.limits, self.authenticator)?;
        let router = tonic::transport::Server::builder()
            .http2_keepalive_interval(Some(std::time::Duration::from_secs(30)))
            .http2_keepalive_timeout(Some(std::time::Duration::from_secs(20)))
            .layer(pipeline)
            .add_routes(self.routes.routes());
        let (names, limits) = (self.names, self.limits);
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let stopped = async {
            let _ = stopped.await; // a dropped sender stops as well
        };
        let mut serving = match self.tls {
            // Without it a small answer waits for the caller's delayed acknowledgement: 40 ms.
            None => {
                let incoming = TcpIncoming::from(self.listener).with_nodelay(Some(true));
                router.serve_with_incoming_shutdown(incoming, stopped).boxed()
            }
            Some(tls) => {
                tls.follow(tasks);
                router
                    .serve_with_incoming_shutdown(tls.incoming(self.listener), stopped)
                    .boxed()
            }
        };
        tasks.spawn("grpc", async move {
            let _probes = probes;
            tokio::select! {
                ended = &mut serving => return Ok(ended?),
                () = shutdown.requested() => {}
            }
            // First stage: say so, and go on serving until everybody has heard it.
            for name in names.into_iter().chain([""]) {
                health
                    .set_service_status(name, tonic_health::ServingStatus::NotServing)
                    .await;
            }
            wait_while(&mut serving, limits.drain_notice()).await?;
            // Second stage: no new calls; those under way may finish, but not for ever.
            let _ = stop.send(());
            match tokio::time::timeout(limits.drain(), serving).await {
                Ok(ended) => Ok(ended?),
                Err(_) => {
                    tracing::warn!(
                        limit_ms = limits.drain_ms,
                        "calls were still under way at the end of the drain; they are cut"
                    );
                    Ok(())
                }
            }
        });
        Ok((address, others))
    }
}

async fn wait_while<E>(
    serving: &mut (impl Future<Output = Result<(), E>> + Unpin),
    notice: std::time::Duration,
) -> Result<(), E> {
    if notice.is_zero() {
        return Ok(());
    }
    match tokio::time::timeout(notice, serving).await {
        Ok(ended) => ended,
        Err(_) => Ok(()),
    }
}
