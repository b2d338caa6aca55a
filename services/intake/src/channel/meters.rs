//! What the adapters measure: how much came by each, and what became of it.

use opentelemetry::{KeyValue, global, metrics::Counter};

/// The adapters' instrument.
#[derive(Clone)]
pub(crate) struct Meters(Counter<u64>);

impl Meters {
    pub(crate) fn new() -> Self {
        let counter = global::meter("huiyin")
            .u64_counter("intake.channel_requests")
            .with_description("what senders handed in beside gRPC, by adapter and outcome")
            .build();
        Self(counter)
    }

    /// Something came by `adapter`; `outcome` is what became of it, or the reason of the refusal.
    pub(crate) fn came(&self, adapter: &'static str, outcome: String) {
        self.0.add(
            1,
            &[KeyValue::new("adapter", adapter), KeyValue::new("outcome", outcome)],
        );
    }
}
