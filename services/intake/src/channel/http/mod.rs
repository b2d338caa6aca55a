//! Forms and connectors (000-10, 000-12, 003-10): JSON or a form, posted to a port of its own, signed as Standard Webhooks
//! prescribes. It is not the port of gRPC, so that a network policy can tell the public from the enterprise's back ends.

pub(crate) mod api;
pub(crate) mod body;
pub(crate) mod proof;

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::Router;
use huiyin_chassis::{Service, Shutdown};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinSet};

use crate::{config::HttpConfig, room::Room};

/// Whoever needs longer to say what they want, or is silent for so long between two requests, is left.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);

/// Serves where the configuration says; nowhere where it does not.
///
/// # Errors
/// Where the port is taken or a limit does not hold.
pub(crate) async fn serve(service: &mut Service, room: &Arc<Room>, config: &HttpConfig) -> anyhow::Result<()> {
    let Some(listen) = config.listen else { return Ok(()) };
    anyhow::ensure!(config.connections > 0, "[http] connections is at least 1");
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("[http] cannot listen on {listen}"))?;
    service.others.insert("http", listener.local_addr()?);
    let router = api::router(Arc::clone(room), config)?;
    let (shutdown, places) = (service.shutdown.clone(), config.connections);
    let drain = Duration::from_millis(config.deadline_ms);
    service.tasks.spawn("http", async move {
        accept(&listener, router, &shutdown, places, drain).await;
        Ok(())
    });
    Ok(())
}

/// Takes connections until the shutdown is requested, and ends when what is under way has ended, or with the drain.
async fn accept(listener: &TcpListener, router: Router, shutdown: &Shutdown, places: usize, drain: Duration) {
    let places = Arc::new(Semaphore::new(places));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADERS_WITHIN);
    let (open, mut connections) = (GracefulShutdown::new(), JoinSet::new());
    loop {
        let accepted = tokio::select! {
            () = shutdown.requested() => break,
            Some(_) = connections.join_next() => continue,
            accepted = async {
                // Whoever comes when all places are taken waits to be accepted.
                let place = Arc::clone(&places).acquire_owned().await;
                (place, listener.accept().await)
            } => accepted,
        };
        let (Ok(place), Ok((stream, _))) = accepted else {
            // Out of file handles, say: others must end before the next can be accepted.
            shutdown.sleep(Duration::from_millis(100)).await;
            continue;
        };
        let served = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router.clone()));
        let served = open.watch(served);
        connections.spawn(async move {
            let _place = place;
            if let Err(error) = served.await {
                tracing::debug!(%error, "a connection of HTTP broke off");
            }
        });
    }
    if tokio::time::timeout(drain, open.shutdown()).await.is_err() {
        tracing::warn!("requests were still under way at the end of the drain; they are cut");
    }
}
