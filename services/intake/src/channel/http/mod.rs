//! Forms and connectors (000-10, 000-12, 003-10): JSON or a form, posted to a port of its own, signed as Standard Webhooks
//! prescribes. It is not the port of gRPC, so that a network policy can tell the public from the enterprise's back ends.

pub(crate) mod api;
pub(crate) mod body;
pub(crate) mod limit;
pub(crate) mod proof;

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use huiyin_chassis::Service;
use tokio::net::TcpListener;

use crate::{config::HttpConfig, room::Room};

/// Serves where the configuration says; nowhere where it does not.
///
/// # Errors
/// Where the port is taken or a limit does not hold.
pub(crate) async fn serve(service: &mut Service, room: &Arc<Room>, config: &HttpConfig) -> anyhow::Result<()> {
    let Some(listen) = config.listen else { return Ok(()) };
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("[http] cannot listen on {listen}"))?;
    service.others.insert("http", listener.local_addr()?);
    let router = api::router(Arc::clone(room), config)?;
    let shutdown = service.shutdown.clone();
    let drain = Duration::from_millis(config.deadline_ms);
    service.tasks.spawn("http", async move {
        let stop = shutdown.clone();
        let serving = axum::serve(listener, router)
            .with_graceful_shutdown(async move { stop.requested().await })
            .into_future();
        tokio::select! {
            ended = serving => Ok(ended?),
            () = async {
                shutdown.requested().await;
                tokio::time::sleep(drain).await;
            } => {
                tracing::warn!("requests were still under way at the end of the drain; they are cut");
                Ok(())
            }
        }
    });
    Ok(())
}
