//! Mailboxes (003-12, 004-10): mail as the enterprise's own mail server hands it over, by LMTP or SMTP. What is answered 250 is
//! stored. Mails of machines are written down, never answered, and never a case (RFC 3834, RFC 3464).
//!
//! The way of a mail: [`session`] (the talk) → [`domain`] (what it is and says; `domain_text` cuts quotations) → [`service`]
//! (its thread, and whether machines talk in a loop) → `feedback::api::take`.

pub(crate) mod convert;
pub(crate) mod domain;
pub(crate) mod domain_text;
pub(crate) mod service;
pub(crate) mod session;
pub(crate) mod store;

use std::{collections::HashMap, sync::Arc, time::Duration};

use anyhow::Context as _;
use huiyin_chassis::{Service, Shutdown, Tenant};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinSet};
use tracing::Instrument as _;

use self::session::{Rules, Session};
use super::meters::Meters;
use crate::{
    config::{MailConfig, MailProtocol},
    room::Room,
};

/// Whose mailbox an address is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mailbox {
    pub(crate) tenant: Tenant,
    pub(crate) source: String,
}

/// Receives where the configuration says; nowhere where it does not.
///
/// # Errors
/// Where the port is taken or a mailbox names no tenant.
pub(crate) async fn serve(service: &mut Service, room: &Arc<Room>, config: &MailConfig) -> anyhow::Result<()> {
    let Some(listen) = config.listen else { return Ok(()) };
    anyhow::ensure!(config.connections > 0, "[mail] connections is at least 1");
    let mut mailboxes = HashMap::new();
    for (address, mailbox) in &config.mailboxes {
        let tenant = Tenant::stored(&mailbox.tenant)
            .map_err(|_| anyhow::anyhow!("[mail] {:?} is not the key of a tenant", mailbox.tenant))?;
        let source = mailbox.source.clone();
        mailboxes.insert(address.to_lowercase(), Mailbox { tenant, source });
    }
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("[mail] cannot listen on {listen}"))?;
    service.others.insert("mail", listener.local_addr()?);
    let rules = Arc::new(Rules {
        is_lmtp: config.protocol == MailProtocol::Lmtp,
        host: config.host.clone(),
        mailboxes,
        message_bytes: config.message_bytes,
        timeout: Duration::from_millis(config.timeout_ms),
        repeats: config.repeats,
        meters: Meters::new(),
    });
    let (room, shutdown, places) = (Arc::clone(room), service.shutdown.clone(), config.connections);
    service.tasks.spawn("mail", async move {
        receive(&listener, &room, &rules, &shutdown, places).await;
        Ok(())
    });
    Ok(())
}

/// Takes connections until the shutdown is requested, and ends when the talks have ended; they hear of it themselves.
async fn receive(listener: &TcpListener, room: &Arc<Room>, rules: &Arc<Rules>, shutdown: &Shutdown, places: usize) {
    let places = Arc::new(Semaphore::new(places));
    let mut talks = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = shutdown.requested() => break,
            Some(ended) = talks.join_next() => {
                if let Err(panic) = ended {
                    tracing::error!(error = %panic, "a talk with a mail server broke off");
                }
                continue;
            }
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
        let session = Session::new(stream, Arc::clone(room), Arc::clone(rules), shutdown.clone());
        let talk = async move {
            let _place = place;
            if let Err(error) = session.run().await {
                tracing::debug!(error = %error, "a talk with a mail server broke off");
            }
        };
        talks.spawn(talk.instrument(tracing::info_span!("mail")));
    }
    while talks.join_next().await.is_some() {}
}
