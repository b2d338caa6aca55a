//! The port for those who look after the process: health and metrics, without TLS and without a token.

use std::net::SocketAddr;

use anyhow::Context as _;
use axum::routing::get;
use tokio::{net::TcpListener, sync::oneshot};
use tonic::{
    service::Routes,
    transport::server::{Server, TcpIncoming},
};
use tonic_health::pb::health_server::{Health, HealthServer};

use crate::{tasks::Tasks, telemetry};

/// Serves them until the sender that it returns is dropped.
pub(super) async fn serve<H: Health>(
    tasks: &mut Tasks,
    listen: SocketAddr,
    health: HealthServer<H>,
) -> anyhow::Result<(SocketAddr, oneshot::Sender<()>)> {
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}"))?;
    let address = listener.local_addr()?;
    let routes = Routes::new(health).into_axum_router().route("/metrics", get(metrics));
    let (stop, stopped) = oneshot::channel::<()>();
    tasks.spawn("probes", async move {
        let serving = Server::builder()
            .accept_http1(true) // Prometheus
            .add_routes(Routes::from(routes))
            .serve_with_incoming(TcpIncoming::from(listener));
        tokio::select! {
            ended = serving => Ok(ended?),
            // Nobody is waited for: whoever watches the health would hold the process for ever.
            _ = stopped => Ok(()),
        }
    });
    Ok((address, stop))
}

/// The metrics of the process, in the text format of Prometheus; 404 where `telemetry.prometheus` is off.
async fn metrics() -> Result<String, http::StatusCode> {
    telemetry::prometheus_text().ok_or(http::StatusCode::NOT_FOUND)
}
