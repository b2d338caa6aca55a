//! What the room measures of itself, beside what the chassis measures of every method.

use std::collections::HashMap;

use huiyin_chassis::{Transaction, enums};
use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Histogram},
};

/// The room's instruments; an effect is counted when it is committed.
#[derive(Clone)]
pub(crate) struct Meters {
    accepted: Counter<u64>,
    batches: Histogram<u64>,
}

impl Meters {
    pub(crate) fn new() -> Self {
        let meter = global::meter("huiyin");
        Self {
            accepted: meter
                .u64_counter("intake.accepted")
                .with_description("feedbacks stored, by channel")
                .build(),
            batches: meter
                .u64_histogram("intake.batch_size")
                .with_description("feedbacks stored by one transaction")
                .build(),
        }
    }

    /// Feedbacks that came by these channels are stored with this transaction.
    pub(crate) fn accepted(&self, tx: &mut Transaction, channels: impl Iterator<Item = i32>) {
        let mut by_channel: HashMap<i32, u64> = HashMap::new();
        for channel in channels {
            *by_channel.entry(channel).or_default() += 1;
        }
        let Self { accepted, batches } = self.clone();
        tx.on_commit(move || {
            batches.record(by_channel.values().sum(), &[]);
            for (channel, count) in by_channel {
                let name = enums::name("huiyin.type.v1.Channel", channel).unwrap_or("OTHER");
                accepted.add(count, &[KeyValue::new("channel", name)]);
            }
        });
    }
}
