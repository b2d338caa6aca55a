//! The happenings of one batch, sorted by what they are about.

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

use super::store::Taken;
use crate::{
    fact::change::{Change, Happening},
    rollup::{domain::Delta, totals::Kind},
};

/// How a message ended. Delivered once is delivered, whatever came before or after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) work_order: Option<Uuid>,
    pub(crate) delivered: bool,
    pub(crate) time: Timestamp,
}

/// How many events of a source, and when the last happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) events: i64,
    pub(crate) last_event_time: Timestamp,
}

/// A batch, sorted.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) events: Vec<Uuid>,
    /// When the first of them happened.
    pub(crate) first: Option<Timestamp>,
    /// In the order in which they were taken in.
    pub(crate) changes: Vec<(Uuid, Change, Timestamp)>,
    pub(crate) messages: BTreeMap<Uuid, Settled>,
    pub(crate) progress: BTreeMap<String, Progress>,
}

impl Batch {
    pub(crate) fn of(taken: Vec<Taken>) -> Self {
        let mut batch = Self::default();
        for Taken {
            event,
            source,
            time,
            happening,
        } in taken
        {
            batch.events.push(event);
            batch.first = Some(batch.first.map_or(time, |first| first.min(time)));
            let progress = batch.progress.entry(source).or_insert(Progress {
                events: 0,
                last_event_time: time,
            });
            progress.events += 1;
            progress.last_event_time = progress.last_event_time.max(time);
            match happening {
                Happening::Feedback { feedback, change } => batch.changes.push((feedback, change, time)),
                Happening::Message {
                    message,
                    work_order,
                    delivered,
                } => {
                    let new = Settled {
                        work_order,
                        delivered,
                        time,
                    };
                    batch
                        .messages
                        .entry(message)
                        .and_modify(|known| *known = known.then(new))
                        .or_insert(new);
                }
            }
        }
        batch
    }

    /// The feedbacks that changes are about.
    pub(crate) fn feedbacks(&self) -> Vec<Uuid> {
        let mut feedbacks: Vec<Uuid> = self.changes.iter().map(|(feedback, ..)| *feedback).collect();
        feedbacks.sort_unstable();
        feedbacks.dedup();
        feedbacks
    }

    /// The work orders that messages speak of.
    pub(crate) fn work_orders(&self) -> Vec<Uuid> {
        let mut work_orders: Vec<Uuid> = self
            .messages
            .values()
            .filter_map(|settled| settled.work_order)
            .collect();
        work_orders.sort_unstable();
        work_orders.dedup();
        work_orders
    }
}

impl Settled {
    pub(crate) fn then(self, later: Self) -> Self {
        Self {
            work_order: later.work_order.or(self.work_order),
            delivered: self.delivered || later.delivered,
            time: self.time.max(later.time),
        }
    }

    /// Moves the totals from what was known of the message to this.
    pub(crate) fn count(self, before: Option<bool>, delta: &mut Delta) {
        let kind = |delivered| {
            if delivered {
                Kind::MessagesDelivered
            } else {
                Kind::MessagesDead
            }
        };
        if let Some(before) = before {
            delta.total(kind(before).alone(), -1);
        }
        delta.total(kind(self.delivered || before == Some(true)).alone(), 1);
    }
}
