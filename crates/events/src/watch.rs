//! What a `Watch…` method sends: the events of one tenant, with a cursor that outlives the connection and the replica.

use std::{collections::BTreeMap, time::Duration};

use huiyin_chassis::{Refusal, Tenant, listing::PageTokenKey};
use huiyin_proto::event::v1::Event;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::{lineage, log::Log};

/// A watcher hears something at least this often, if only that nothing happened.
const CHECKPOINT: Duration = Duration::from_secs(3);
/// Between two looks into a log that grows all the time: it grows for every watcher of every tenant at once.
const LULL: Duration = Duration::from_millis(150);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Cursor {
    epoch: String,
    positions: BTreeMap<i16, i64>,
}

/// A watch of one tenant's events.
#[derive(Debug)]
pub struct Watch {
    log: Log,
    tenant: String,
    key: PageTokenKey,
    cursor: Cursor,
    grown: tokio::sync::watch::Receiver<u64>,
}

/// Some events of the tenant, in order per subject.
#[derive(Debug, Clone)]
pub struct Watched {
    /// The events; empty in a checkpoint.
    pub events: Vec<Event>,
    /// Where to go on after a break.
    pub cursor: String,
}

impl Log {
    /// Watches the events of a tenant, from a cursor on or, where it is empty, from now on.
    ///
    /// # Errors
    /// INVALID_ARGUMENT / PAGE_TOKEN_INVALID for a cursor that is not ours; OUT_OF_RANGE / CURSOR_EXPIRED for one of a log
    /// that was restored since to a time before it.
    pub async fn watch(&self, tenant: &Tenant, key: &PageTokenKey, start_cursor: &str) -> Result<Watch, Refusal> {
        let cursor = if start_cursor.is_empty() {
            Cursor {
                epoch: self.epoch.clone(),
                positions: self.heads().await?.into_iter().collect(),
            }
        } else {
            let mut cursor: Cursor = key.open(start_cursor, &bound(tenant.key()))?;
            if cursor.epoch != self.epoch {
                let shared = lineage::shared(&self.ancestors, &cursor.epoch).unwrap_or_default();
                let is_shared = |(partition, position): (&i16, &i64)| shared.get(partition) >= Some(position);
                if !cursor.positions.iter().all(is_shared) {
                    return Err(Refusal::cursor_expired());
                }
                cursor.epoch.clone_from(&self.epoch);
            }
            cursor
        };
        Ok(Watch {
            log: self.clone(),
            tenant: tenant.key().to_owned(),
            key: key.clone(),
            cursor,
            grown: self.grown(),
        })
    }
}

impl Watch {
    /// The cursor that leads here: a watch that begins at it is told what [`Watch::next`] says next.
    #[must_use]
    pub fn here(&self) -> String {
        self.key.seal(&self.cursor, &bound(&self.tenant))
    }

    /// Waits for the next events, or for the next checkpoint. Dropped while it waits, it has lost nothing.
    ///
    /// # Errors
    /// OUT_OF_RANGE / CURSOR_EXPIRED where the watcher fell behind what is kept; UNAVAILABLE when the service stops.
    pub async fn next(&mut self) -> Result<Watched, Refusal> {
        let checkpoint = Instant::now() + CHECKPOINT;
        while !self.log.shutdown.is_requested() {
            self.grown.mark_unchanged();
            let looked = Instant::now();
            let cursors: Vec<(i16, i64)> = self
                .cursor
                .positions
                .iter()
                .map(|(partition, position)| (*partition, *position))
                .collect();
            let found = self.log.read(&cursors, Some(&self.tenant)).await?;
            let grew = !found.is_empty();
            let mut events = Vec::new();
            for placed in found {
                let partition = i16::try_from(placed.partition).map_err(Refusal::fault)?;
                self.cursor.positions.insert(partition, placed.position);
                events.extend(placed.event);
            }
            if !events.is_empty() || Instant::now() >= checkpoint {
                return Ok(Watched {
                    events,
                    cursor: self.here(),
                });
            }
            if grew {
                continue; // events of others: there may be more behind them
            }
            tokio::select! {
                changed = self.grown.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    tokio::time::sleep_until((looked + LULL).min(checkpoint)).await;
                }
                () = tokio::time::sleep_until(checkpoint) => {}
                () = self.log.shutdown.requested() => break,
            }
        }
        Err(Refusal::unavailable("the service stops"))
    }
}

fn bound(tenant: &str) -> Vec<u8> {
    format!("watch\u{1f}{tenant}").into_bytes()
}
