//! What the room measures of itself, beside what the chassis measures of every method.

use jiff::Timestamp;
use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Histogram},
};

/// The room's instruments.
#[derive(Debug)]
pub(crate) struct Meters {
    counted: Counter<u64>,
    lag: Histogram<f64>,
}

impl Meters {
    pub(crate) fn new() -> Self {
        let meter = global::meter("huiyin");
        Self {
            counted: meter
                .u64_counter("analytics.events_counted")
                .with_description("events counted, by source")
                .build(),
            lag: meter
                .f64_histogram("analytics.counting_lag")
                .with_unit("s")
                .with_description("time between the first event of a batch and its being counted")
                .build(),
        }
    }

    /// So many events of a source were counted.
    pub(crate) fn counted(&self, source: &str, events: i64) {
        self.counted.add(
            u64::try_from(events).unwrap_or_default(),
            &[KeyValue::new("source", source.to_owned())],
        );
    }

    /// The first event of a batch happened then, and is counted now.
    pub(crate) fn lagged(&self, first: Timestamp, now: Timestamp) {
        self.lag.record(now.duration_since(first).as_secs_f64().max(0.0), &[]);
    }
}
