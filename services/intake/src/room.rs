//! What every use case of the room works with.

use std::sync::Arc;

use huiyin_chassis::{Service, Shutdown, listing::PageTokenKey, operations::Operations, shelf::Shelf};
use huiyin_events::{Eraser, Events, Log, Outbox};

use crate::feedback::{ledger::Ledger, writer::Writer};
use crate::status::{changes::Changes, domain_limit::Limit};
use crate::{Config, attachment::service::Files, neighbors::Neighbors, validation::profiles::Profiles, vault::Vault};

/// The room; its use cases stand in `service` and `import`.
pub(crate) struct Room {
    /// Stores feedback, whichever way it came.
    pub(crate) ledger: Ledger,
    /// Has many callers share a commit.
    pub(crate) writer: Writer,
    /// Makes pseudonyms, and seals addresses.
    pub(crate) vault: Arc<Vault>,
    /// Files that come along.
    pub(crate) files: Files,
    /// Wakes those who watch a status.
    pub(crate) status_changes: Changes,
    /// How often a status may be asked for.
    pub(crate) status_limit: Limit,
    /// What each tenant takes in, in its versions.
    pub(crate) shelf: Shelf,
    /// Of these the ones in effect, ready.
    pub(crate) profiles: Profiles,
    /// Erases customers from its own log.
    pub(crate) eraser: Eraser,
    /// Where its long work is started.
    pub(crate) operations: Operations,
    /// Whom it asks about customers.
    pub(crate) neighbors: Neighbors,
    /// Where it tells what happened, beside feedback.
    pub(crate) outbox: Outbox,
    /// Where `Watch…` reads events.
    pub(crate) log: Log,
    /// Seals page tokens and cursors.
    pub(crate) page_tokens: PageTokenKey,
    /// Ends its streams.
    pub(crate) shutdown: Shutdown,
}

impl Room {
    /// The room on a service that is coming up; its writer starts.
    ///
    /// # Errors
    /// Where a key, a time zone or an address of the configuration does not hold.
    pub(crate) fn new(service: &mut Service, events: &Events, config: &Config) -> anyhow::Result<Self> {
        let vault = Arc::new(Vault::new(&config.vault)?);
        let ledger = Ledger::new(
            service.database.clone(),
            service.clock.clone(),
            events.outbox(),
            Arc::clone(&vault),
            &config.numbers,
        )?;
        let writer = Writer::start(
            &mut service.tasks,
            &service.shutdown,
            &ledger,
            &config.writer,
            &config.service,
        );
        Ok(Self {
            ledger,
            writer,
            vault,
            files: Files::new(&config.attachments)?,
            status_changes: Changes::start(&mut service.tasks, &service.database, &service.shutdown),
            status_limit: Limit::new(),
            shelf: Shelf {
                database: service.database.clone(),
                clock: service.clock.clone(),
                page_tokens: service.page_tokens.clone(),
            },
            profiles: Profiles::new(service.clock.clone()),
            eraser: events.eraser(service)?,
            operations: service.operations.clone(),
            neighbors: Neighbors::new(&service.neighbors),
            outbox: events.outbox(),
            log: events.log(),
            page_tokens: service.page_tokens.clone(),
            shutdown: service.shutdown.clone(),
        })
    }
}
