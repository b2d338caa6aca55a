//! What every subject of the room works with.

use huiyin_chassis::{Clock, Database, Service, listing::PageTokenKey};
use huiyin_events::{Events, Log, Outbox};
use jiff::tz::TimeZone;

use crate::{Config, metrics::Metrics, shelf::Shelf};

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
    pub(crate) metrics: Metrics,
    /// Time zone of the date in display numbers.
    pub(crate) number_time_zone: TimeZone,
}

impl Room {
    /// # Errors
    /// Where the time zone of the configuration is not known.
    pub(crate) fn new(service: &Service, events: &Events, config: &Config) -> anyhow::Result<Self> {
        Ok(Self {
            database: service.database.clone(),
            clock: service.clock.clone(),
            page_tokens: service.page_tokens.clone(),
            outbox: events.outbox(),
            log: events.log(),
            shelf: Shelf { database: service.database.clone(), clock: service.clock.clone(), page_tokens: service.page_tokens.clone() },
            metrics: Metrics::new(),
            number_time_zone: TimeZone::get(&config.numbers.time_zone)?,
        })
    }
}
