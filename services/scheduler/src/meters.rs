//! What the room measures of itself, beside what the chassis measures of every method.

use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Histogram, UpDownCounter},
};

/// The room's instruments.
#[derive(Clone)]
pub(crate) struct Meters {
    /// Work orders by state; ended ones are not counted.
    open: UpDownCounter<i64>,
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
                .i64_up_down_counter("scheduler.open_work_orders")
                .with_description("open work orders by state")
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

    /// A work order left one state and is in another.
    pub(crate) fn moved(&self, from: Option<&'static str>, to: Option<&'static str>) {
        for (state, by) in [(from, -1), (to, 1)] {
            if let Some(state) = state {
                self.open.add(by, &[KeyValue::new("state", state)]);
            }
        }
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
