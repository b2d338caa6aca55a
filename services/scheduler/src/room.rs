//! What every subject of the room works with.

use std::collections::BTreeMap;

use anyhow::Context as _;
use huiyin_chassis::{Clock, Database, Service, Tenant, listing::PageTokenKey};
use huiyin_events::{Events, Log, Outbox};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

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
    number_zone: TimeZone,
    number_zones: BTreeMap<String, TimeZone>,
}

impl Room {
    /// The room on a service that is coming up.
    ///
    /// # Errors
    /// Where a time zone of the configuration is not known.
    pub(crate) fn new(service: &Service, events: &Events, config: &Config) -> anyhow::Result<Self> {
        let zone = |name: &str| TimeZone::get(name).with_context(|| format!("numbers: time zone {name:?}"));
        let zones = config.numbers.time_zones.iter().map(|(tenant, name)| Ok((tenant.clone(), zone(name)?)));
        Ok(Self {
            number_zone: zone(&config.numbers.time_zone)?,
            number_zones: zones.collect::<anyhow::Result<_>>()?,
            database: service.database.clone(),
            clock: service.clock.clone(),
            page_tokens: service.page_tokens.clone(),
            outbox: events.outbox(),
            log: events.log(),
            shelf: Shelf { database: service.database.clone(), clock: service.clock.clone(), page_tokens: service.page_tokens.clone() },
            metrics: Metrics::new(),
        })
    }

    /// The date that stands in a display number of a tenant.
    pub(crate) fn number_day(&self, tenant: &Tenant, at: Timestamp) -> Date {
        self.number_zones.get(tenant.key()).unwrap_or(&self.number_zone).to_datetime(at).date()
    }
}
