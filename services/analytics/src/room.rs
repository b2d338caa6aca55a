//! What every use case of the room holds.

use std::sync::Arc;

use huiyin_chassis::{Clock, Database, listing::PageTokenKey};
use tokio::sync::Notify;

use crate::{
    config::{CountingConfig, QueryConfig},
    metrics::Metrics,
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
    pub(crate) metrics: Metrics,
}
