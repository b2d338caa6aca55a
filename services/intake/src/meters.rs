//! What the room measures of itself, beside what the chassis measures of every method.

use std::collections::HashMap;

use huiyin_chassis::{Transaction, enums};
use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Histogram},
};

use crate::screening::domain::{FindingKind, nearness::Relation};

/// The room's instruments; an effect is counted when it is committed.
#[derive(Clone)]
pub(crate) struct Meters {
    accepted: Counter<u64>,
    batches: Histogram<u64>,
    linked: Counter<u64>,
    set_aside: Counter<u64>,
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
            linked: meter
                .u64_counter("intake.linked")
                .with_description("pairs of feedbacks that say nearly the same, by relation")
                .build(),
            set_aside: meter
                .u64_counter("intake.set_aside")
                .with_description("feedbacks that screening set aside when they came in, by finding")
                .build(),
        }
    }

    /// Feedbacks that came by these channels are stored with this transaction.
    pub(crate) fn accepted(&self, tx: &mut Transaction, channels: impl Iterator<Item = i32>) {
        let mut by_channel: HashMap<i32, u64> = HashMap::new();
        for channel in channels {
            *by_channel.entry(channel).or_default() += 1;
        }
        let Self { accepted, batches, .. } = self.clone();
        tx.on_commit(move || {
            batches.record(by_channel.values().sum(), &[]);
            for (channel, count) in by_channel {
                let name = enums::name("huiyin.type.v1.Channel", channel).unwrap_or("OTHER");
                accepted.add(count, &[KeyValue::new("channel", name)]);
            }
        });
    }

    /// Pairs of feedbacks are linked with this transaction.
    pub(crate) fn linked(&self, tx: &mut Transaction, relations: impl Iterator<Item = Relation>) {
        let relations: Vec<Relation> = relations.collect();
        let linked = self.linked.clone();
        tx.on_commit(move || {
            for relation in relations {
                let name = enums::name("huiyin.intake.v1.Relation", relation as i32).unwrap_or("OTHER");
                linked.add(1, &[KeyValue::new("relation", name)]);
            }
        });
    }

    /// Feedbacks are set aside with this transaction, for what was found in each.
    pub(crate) fn set_aside(&self, tx: &mut Transaction, findings: impl Iterator<Item = FindingKind>) {
        let findings: Vec<FindingKind> = findings.collect();
        if findings.is_empty() {
            return;
        }
        let set_aside = self.set_aside.clone();
        tx.on_commit(move || {
            for finding in findings {
                let name = enums::name("huiyin.intake.v1.FindingKind", finding as i32).unwrap_or("OTHER");
                set_aside.add(1, &[KeyValue::new("finding", name)]);
            }
        });
    }
}
