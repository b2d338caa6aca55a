//! What the room measures of itself, beside what the chassis measures of every method.

use huiyin_chassis::Transaction;
use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Gauge, Histogram},
};

/// The room's instruments; an effect is counted when it is committed.
pub(crate) struct Meters {
    /// Feedback that was classified, by what decided on its category.
    classified: Counter<u64>,
    /// Classifications that a person corrected.
    corrected: Counter<u64>,
    /// Problems that were proposed.
    proposed: Counter<u64>,
    /// What training took.
    trained: Histogram<f64>,
    /// Items of the review queues.
    waiting: Gauge<u64>,
    /// Seconds since the oldest of them came.
    oldest: Gauge<f64>,
}

impl Meters {
    pub(crate) fn new() -> Self {
        let meter = global::meter("huiyin");
        Self {
            classified: meter
                .u64_counter("classifier.classified")
                .with_description(
                    "feedback that was classified, by what decided on its category: dictionary, rule, model or nothing",
                )
                .build(),
            corrected: meter
                .u64_counter("classifier.corrected")
                .with_description("classifications that were corrected")
                .build(),
            proposed: meter
                .u64_counter("classifier.proposed")
                .with_description("problems that were proposed")
                .build(),
            trained: meter
                .f64_histogram("classifier.trained")
                .with_unit("s")
                .with_description("time that training a version took")
                .build(),
            waiting: meter
                .u64_gauge("classifier.review_queue")
                .with_description("items that wait for somebody to say their label, of all tenants")
                .build(),
            oldest: meter
                .f64_gauge("classifier.review_queue_age")
                .with_unit("s")
                .with_description("how long the oldest of these items has waited")
                .build(),
        }
    }

    /// A feedback is classified with this transaction, its category decided by `by`.
    pub(crate) fn classified(&self, tx: &mut Transaction, by: &'static str) {
        let counter = self.classified.clone();
        tx.on_commit(move || counter.add(1, &[KeyValue::new("by", by)]));
    }

    /// A person corrects a classification with this transaction.
    pub(crate) fn corrected(&self, tx: &mut Transaction) {
        let counter = self.corrected.clone();
        tx.on_commit(move || counter.add(1, &[]));
    }

    /// A problem is proposed with this transaction.
    pub(crate) fn proposed(&self, tx: &mut Transaction) {
        let counter = self.proposed.clone();
        tx.on_commit(move || counter.add(1, &[]));
    }

    /// So many review items wait, the oldest for so long.
    pub(crate) fn review_queue(&self, waiting: u64, age: jiff::SignedDuration) {
        self.waiting.record(waiting, &[]);
        self.oldest.record(age.as_secs_f64().max(0.0), &[]);
    }

    /// A version is kept with this transaction, after so many seconds of training.
    pub(crate) fn trained(&self, tx: &mut Transaction, seconds: f64) {
        let histogram = self.trained.clone();
        tx.on_commit(move || histogram.record(seconds, &[]));
    }
}
