//! What the room measures of itself, beside what the chassis measures of every method.

use huiyin_chassis::Transaction;
use jiff::SignedDuration;
use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Histogram},
};

use crate::domain::{Medium, Purpose};

/// The room's instruments; an effect is counted when it is committed.
#[derive(Clone)]
pub(crate) struct Meters {
    settled: Counter<u64>,
    wait: Histogram<f64>,
}

impl Meters {
    pub(crate) fn new() -> Self {
        let meter = global::meter("huiyin");
        Self {
            settled: meter
                .u64_counter("notification.settled")
                .with_description("messages that were delivered, or given up")
                .build(),
            wait: meter
                .f64_histogram("notification.delivery_time")
                .with_unit("s")
                .with_description("time from a message's being queued to its delivery")
                .build(),
        }
    }

    /// A message ends with this transaction, so long after it was queued.
    pub(crate) fn settled(
        &self,
        tx: &mut Transaction,
        purpose: Purpose,
        medium: Option<Medium>,
        delivered: bool,
        after: SignedDuration,
    ) {
        let Self { settled, wait } = self.clone();
        let medium = KeyValue::new("medium", medium.map_or("NONE", Medium::name));
        tx.on_commit(move || {
            if delivered {
                wait.record(after.as_secs_f64().max(0.0), std::slice::from_ref(&medium));
            }
            let purpose = KeyValue::new("purpose", purpose.name());
            settled.add(1, &[medium, purpose, KeyValue::new("delivered", delivered)]);
        });
    }
}
