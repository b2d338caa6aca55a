//! What every subject of the room works with.

use std::sync::Arc;

use huiyin_chassis::{Clock, Database, Service, listing::PageTokenKey};
use tokio::sync::Notify;

use crate::{
    config::{CountingConfig, QueryConfig},
    meters::Meters,
};

/// The room; its use cases are the `service.rs` of each subject.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) database: Database,
    pub(crate) clock: Clock,
    pub(crate) page_tokens: PageTokenKey,
    pub(crate) counting: CountingConfig,
    pub(crate) query: QueryConfig,
    /// Told whenever something was taken in that is to be counted.
    pub(crate) wake: Arc<Notify>,
    pub(crate) meters: Meters,
}

impl Room {
    /// The room on a service that is coming up.
    pub(crate) fn new(service: &Service, counting: CountingConfig, query: QueryConfig) -> Self {
        Self {
            database: service.database.clone(),
            clock: service.clock.clone(),
            page_tokens: service.page_tokens.clone(),
            counting,
            query,
            wake: Arc::default(),
            meters: Meters::new(),
        }
    }
}
