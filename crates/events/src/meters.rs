//! What is measured of events that pass: how many, and how late their effects are.

use huiyin_chassis::{Clock, sql};
use huiyin_proto::event::v1::Event;
use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Histogram},
};

/// The measures of what a service consumes.
#[derive(Debug)]
pub(crate) struct Consumed {
    service: &'static str,
    consumed: Counter<u64>,
    lag: Histogram<f64>,
}

impl Consumed {
    pub(crate) fn new(service: &'static str) -> Self {
        let meter = global::meter("huiyin");
        Self {
            service,
            consumed: meter
                .u64_counter("events.consumed")
                .with_description("events whose effect is committed")
                .build(),
            lag: meter
                .f64_histogram("events.lag")
                .with_unit("s")
                .with_description("time from an event to its effect")
                .build(),
        }
    }

    /// The effect of an event is committed.
    pub(crate) fn count(&self, source: &str, event: &Event, clock: &Clock) {
        let attributes = self.attributes(source);
        self.consumed.add(1, &attributes);
        if let Some(time) = sql::from_proto(event.occur_time.as_ref()) {
            self.lag
                .record(clock.now().duration_since(time).as_secs_f64().max(0.0), &attributes);
        }
    }

    fn attributes(&self, source: &str) -> [KeyValue; 2] {
        // Several services may share a process, and with it a meter.
        [
            KeyValue::new("service", self.service),
            KeyValue::new("source", source.to_owned()),
        ]
    }
}

/// The measure of what a service's relay passes on.
#[derive(Debug)]
pub(crate) struct Relayed {
    service: &'static str,
    relayed: Counter<u64>,
}

impl Relayed {
    pub(crate) fn new(service: &'static str) -> Self {
        let relayed = global::meter("huiyin")
            .u64_counter("events.relayed")
            .with_description("events that got their position")
            .build();
        Self { service, relayed }
    }

    pub(crate) fn count(&self, events: usize) {
        self.relayed.add(
            u64::try_from(events).unwrap_or(u64::MAX),
            &[KeyValue::new("service", self.service)],
        );
    }
}
