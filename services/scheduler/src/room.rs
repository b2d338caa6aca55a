//! What every subject of the room works with.

use huiyin_chassis::{Clock, Database, Service, listing::PageTokenKey, shelf::Shelf};
use huiyin_events::{Events, Log, Outbox};

use crate::meters::Meters;

/// The room. Subjects take from it what they need; it does nothing itself.
pub(crate) struct Room {
    /// Its database.
    pub(crate) database: Database,
    /// Where it takes the time from.
    pub(crate) clock: Clock,
    /// Seals page tokens and cursors.
    pub(crate) page_tokens: PageTokenKey,
    /// Where its events go.
    pub(crate) outbox: Outbox,
    /// Where `Watch…` reads them.
    pub(crate) log: Log,
    /// Calendars and policies in their versions.
    pub(crate) shelf: Shelf,
    /// What it counts.
    pub(crate) meters: Meters,
}

impl Room {
    /// The room on a service that is coming up.
    pub(crate) fn new(service: &Service, events: &Events) -> Self {
        Self {
            database: service.database.clone(),
            clock: service.clock.clone(),
            page_tokens: service.page_tokens.clone(),
            outbox: events.outbox(),
            log: events.log(),
            shelf: Shelf {
                database: service.database.clone(),
                clock: service.clock.clone(),
                page_tokens: service.page_tokens.clone(),
            },
            meters: Meters::new(),
        }
    }
}
