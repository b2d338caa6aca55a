//! What every subject of the room works with.

use huiyin_chassis::{Clock, Database, Operations, Service, listing::PageTokenKey};
use huiyin_events::{Events, Outbox};
use tokio::sync::Semaphore;

use crate::{Config, meters::Meters, model::loaded::Loaded, priority::models::Models, taxonomy::lexicons::Lexicons};

/// The room. Subjects take from it what they need; it does nothing itself.
pub(crate) struct Room {
    /// Its database.
    pub(crate) database: Database,
    /// Where it takes the time from.
    pub(crate) clock: Clock,
    /// Seals page tokens.
    pub(crate) page_tokens: PageTokenKey,
    /// Where its events go.
    pub(crate) outbox: Outbox,
    /// Taxonomies, ready to read with.
    pub(crate) lexicons: Lexicons,
    /// Priority models, ready to decide with.
    pub(crate) priorities: Models,
    /// Trained versions, ready to read with.
    pub(crate) models: Loaded,
    /// Whoever trains holds it: one at a time, for each may need most of a gigabyte.
    pub(crate) training: Semaphore,
    /// Where its long work is started.
    pub(crate) operations: Operations,
    /// What it counts.
    pub(crate) meters: Meters,
}

impl Room {
    /// The room on a service that is coming up.
    ///
    /// # Errors
    /// Where the built-in taxonomy or a preset of the priority model cannot be read.
    pub(crate) fn new(service: &Service, events: &Events, config: &Config) -> anyhow::Result<Self> {
        Ok(Self {
            database: service.database.clone(),
            clock: service.clock.clone(),
            page_tokens: service.page_tokens.clone(),
            outbox: events.outbox(),
            lexicons: Lexicons::new(config.taxonomies.kept, config.taxonomies.memory_mb << 20)?,
            priorities: Models::new()?,
            models: Loaded::new(config.models.memory_mb << 20),
            training: Semaphore::new(1),
            operations: service.operations.clone(),
            meters: Meters::new(),
        })
    }
}
