//! What is measured in the process of a test, as Prometheus would fetch it.

use opentelemetry::global;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{
    Registry,
    proto::{Metric, MetricType},
};

/// The metrics of the process; a test has a process of its own.
#[derive(Debug)]
pub struct Metrics(Registry);

impl Metrics {
    /// From here on. What was started before is not measured.
    ///
    /// # Panics
    /// Where the exporter does not start.
    pub fn begin() -> Self {
        let registry = Registry::new();
        let reader = opentelemetry_prometheus::exporter().with_registry(registry.clone());
        let provider = SdkMeterProvider::builder().with_reader(reader.build().unwrap());
        global::set_meter_provider(provider.build());
        Self(registry)
    }

    /// The value of a gauge or a counter as it is now, by its name and at least these labels; none where it was never recorded.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let families = self.0.gather();
        let family = families.iter().find(|family| family.name() == name)?;
        let has = |metric: &Metric, (name, value): &(&str, &str)| {
            let mut found = metric.get_label().iter();
            found.any(|label| label.name() == *name && label.value() == *value)
        };
        let mut metrics = family.get_metric().iter();
        let metric = metrics.find(|metric| labels.iter().all(|label| has(metric, label)))?;
        let is_counter = family.get_field_type() == MetricType::COUNTER;
        Some(if is_counter {
            metric.get_counter().get_value()
        } else {
            metric.get_gauge().get_value()
        })
    }
}
