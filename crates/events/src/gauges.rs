//! Where a service stands, for its gauges: what waits in its outbox, how far it is behind others, and what waits for a person.

use std::{collections::BTreeMap, sync::Arc};

use huiyin_chassis::{Clock, Database, Refusal, Service, client::Neighbor};
use huiyin_proto::event::v1::{GetEventFlowRequest, event_log_service_client::EventLogServiceClient};
use opentelemetry::{KeyValue, global, metrics::Gauge};

use crate::outbox;

/// The gauges of one service.
#[derive(Debug)]
struct Stands {
    service: &'static str,
    database: Database,
    clock: Clock,
    outbox_age: Gauge<f64>,
    behind: Gauge<u64>,
    dead_letters: Gauge<u64>,
}

/// Has them looked at: those of the service's own log, and those of each source that it follows.
pub(crate) fn add(service: &mut Service, sources: &[(&'static str, Neighbor)]) {
    let meter = global::meter("huiyin");
    let stands = Arc::new(Stands {
        service: service.name,
        database: service.database.clone(),
        clock: service.clock.clone(),
        outbox_age: meter
            .f64_gauge("events.outbox_age")
            .with_unit("s")
            .with_description("age of the oldest event that has no position yet")
            .build(),
        behind: meter
            .u64_gauge("events.behind")
            .with_description("events of a source whose effect is still to come, over all partitions")
            .build(),
        dead_letters: meter
            .u64_gauge("events.dead_letters")
            .with_description("events that wait for a retry or for a person")
            .build(),
    });
    let own = Arc::clone(&stands);
    service.gauges.add(move || Arc::clone(&own).outbox());
    for (source, neighbor) in sources.iter().cloned() {
        let (stands, letters) = (Arc::clone(&stands), Arc::clone(&stands));
        service
            .gauges
            .add(move || Arc::clone(&stands).behind(source, neighbor.clone()));
        service.gauges.add(move || Arc::clone(&letters).set_aside(source));
    }
}

impl Stands {
    async fn outbox(self: Arc<Self>) -> Result<(), Refusal> {
        let mut tx = self.database.worker().await?;
        let age = outbox::age(&mut tx, &self.clock).await?;
        tx.commit().await?;
        self.outbox_age
            .record(age.as_secs_f64(), &[KeyValue::new("service", self.service)]);
        Ok(())
    }

    /// The source says how long its log is: what a consumer does not hear of, it cannot count.
    async fn behind(self: Arc<Self>, source: &'static str, neighbor: Neighbor) -> Result<(), Refusal> {
        let mut client = EventLogServiceClient::new(neighbor);
        let flow = client
            .get_event_flow(GetEventFlowRequest {})
            .await
            .map_err(Refusal::unavailable)?
            .into_inner();
        let mut tx = self.database.worker().await?;
        let cursors: Vec<(i16, i64)> =
            sqlx::query_as("SELECT partition, position FROM events.cursor WHERE source = $1 AND epoch = $2")
                .bind(source)
                .bind(&flow.epoch)
                .fetch_all(&mut *tx)
                .await?;
        tx.commit().await?;
        let cursors: BTreeMap<i32, i64> = cursors
            .into_iter()
            .map(|(partition, position)| (partition.into(), position))
            .collect();
        let missing = flow.heads.iter().map(|head| {
            let position = cursors.get(&head.partition).copied().unwrap_or(0);
            u64::try_from(head.position - position).unwrap_or(0)
        });
        self.behind.record(missing.sum(), &self.attributes(source));
        Ok(())
    }

    async fn set_aside(self: Arc<Self>, source: &'static str) -> Result<(), Refusal> {
        let mut tx = self.database.worker().await?;
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM events.dead_letter WHERE source = $1")
            .bind(source)
            .fetch_one(&mut *tx)
            .await?;
        tx.commit().await?;
        self.dead_letters
            .record(u64::try_from(count).unwrap_or(0), &self.attributes(source));
        Ok(())
    }

    fn attributes(&self, source: &'static str) -> [KeyValue; 2] {
        // Several services may share a process, and with it a meter.
        [KeyValue::new("service", self.service), KeyValue::new("source", source)]
    }
}
