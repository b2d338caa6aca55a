//! What the room measures of itself, beside what the chassis measures of every method.

use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Gauge, Histogram},
};

/// The room's instruments.
#[derive(Clone)]
pub(crate) struct Meters {
    /// Open work orders, by state and by how their clocks stand.
    open: Gauge<u64>,
    /// Marks of SLA clocks.
    marks: Counter<u64>,
    /// How late a mark was made, against the moment that it was due. Seconds.
    lateness: Histogram<f64>,
}

impl Meters {
    pub(crate) fn new() -> Self {
        let meter = global::meter("huiyin");
        Self {
            open: meter
                .u64_gauge("scheduler.open_work_orders")
                .with_description("open work orders of all tenants, by state and by how their clocks stand: running, breached or still")
                .build(),
            marks: meter
                .u64_counter("scheduler.sla_marks")
                .with_description("marks of SLA clocks")
                .build(),
            lateness: meter
                .f64_histogram("scheduler.timer_lateness")
                .with_unit("s")
                .with_description("time between a mark's due moment and the mark")
                .build(),
        }
    }

    /// So many work orders are open, in this state and with clocks that stand so.
    pub(crate) fn open(&self, state: &'static str, clocks: &'static str, count: u64) {
        let attributes = [KeyValue::new("state", state), KeyValue::new("clocks", clocks)];
        self.open.record(count, &attributes);
    }

    /// A clock got a mark; where a timer made it, so long after it was due.
    pub(crate) fn marked(&self, clock: String, mark: &'static str, late: Option<jiff::SignedDuration>) {
        self.marks
            .add(1, &[KeyValue::new("clock", clock), KeyValue::new("mark", mark)]);
        if let Some(late) = late {
            self.lateness.record(late.as_secs_f64(), &[]);
        }
    }
}
