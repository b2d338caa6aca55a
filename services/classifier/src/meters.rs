//! What the room measures of itself, beside what the chassis measures of every method.

use opentelemetry::{KeyValue, global, metrics::Counter};

/// The room's instruments.
pub(crate) struct Meters {
    /// Feedback that was classified; `abstained` where nothing spoke for any category.
    classified: Counter<u64>,
    /// Classifications that a person corrected.
    corrected: Counter<u64>,
}

impl Meters {
    pub(crate) fn new() -> Self {
        let meter = global::meter("huiyin");
        Self {
            classified: meter
                .u64_counter("classifier.classified")
                .with_description("feedback that was classified")
                .build(),
            corrected: meter
                .u64_counter("classifier.corrected")
                .with_description("classifications that were corrected")
                .build(),
        }
    }

    /// A feedback was classified.
    pub(crate) fn classified(&self, abstained: bool) {
        self.classified.add(1, &[KeyValue::new("abstained", abstained)]);
    }

    /// A person corrected a classification.
    pub(crate) fn corrected(&self) {
        self.corrected.add(1, &[]);
    }
}
