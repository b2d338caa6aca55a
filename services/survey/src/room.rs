//! What every subject of the room works with.

use huiyin_chassis::{Clock, Database, Service, listing::PageTokenKey};
use huiyin_events::{Events, Outbox};

use crate::{Config, invitation::token::Keys, meters::Meters};

/// The room; its use cases are the `service.rs` of each subject.
pub(crate) struct Room {
    /// Its database.
    pub(crate) database: Database,
    /// Where it takes the time from.
    pub(crate) clock: Clock,
    /// Seals page tokens.
    pub(crate) page_tokens: PageTokenKey,
    /// Where its events go.
    pub(crate) outbox: Outbox,
    /// Makes and opens the tokens of invitations.
    pub(crate) tokens: Keys,
    /// What it counts.
    pub(crate) meters: Meters,
}

impl Room {
    /// The room on a service that is coming up.
    ///
    /// # Errors
    /// Where a key of the configuration does not hold.
    pub(crate) fn new(service: &Service, events: &Events, config: &Config) -> anyhow::Result<Self> {
        Ok(Self {
            database: service.database.clone(),
            clock: service.clock.clone(),
            page_tokens: service.page_tokens.clone(),
            outbox: events.outbox(),
            tokens: Keys::new(&config.tokens)?,
            meters: Meters::new(),
        })
    }
}
