//! What a service measures of its state now and then: what waits, and since when. Whoever asks its database for that asks in one tick.

use std::{future::Future, pin::Pin, time::Duration};

use futures::future;
use jiff_sqlx::Timestamp;
use opentelemetry::{
    KeyValue, global,
    metrics::{Gauge, Meter},
};

use crate::{
    clock::Clock,
    db::Database,
    error::Refusal,
    tasks::{MoreToDo, Tasks},
};

/// How often is looked: no more often than anybody asks for the numbers.
const PAUSE: Duration = Duration::from_secs(15);

type Looking = Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send>>;
type Look = Box<dyn Fn() -> Looking + Send + Sync>;

/// The looks of one service. Every replica has them, and sees the same database: of its replicas the largest number counts, not their
/// sum.
#[derive(Default)]
pub struct Gauges(Vec<Look>);

impl std::fmt::Debug for Gauges {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gauges({})", self.0.len())
    }
}

impl Gauges {
    /// Adds a look: something cheap that records what it finds. Where it fails the gauges stay as they were until the next.
    pub fn add<Fut>(&mut self, look: impl Fn() -> Fut + Send + Sync + 'static)
    where
        Fut: Future<Output = Result<(), Refusal>> + Send + 'static,
    {
        self.0.push(Box::new(move || Box::pin(look())));
    }

    /// Looks at once, and again and again.
    pub(crate) fn start(self, tasks: &mut Tasks) {
        let shutdown = tasks.shutdown();
        tasks.tick("gauges", PAUSE, move || {
            let looks = future::join_all(self.0.iter().map(|look| look()));
            let shutdown = shutdown.clone();
            async move {
                let seen = tokio::select! {
                    seen = looks => seen,
                    () = shutdown.requested() => Vec::new(),
                };
                for refusal in seen.into_iter().filter_map(Result::err) {
                    tracing::info!(error = %refusal, "a gauge stays as it was");
                }
                Ok(MoreToDo(false))
            }
        });
    }
}

/// What every service measures of itself.
#[derive(Debug, Clone)]
struct Own {
    service: &'static str,
    connections: Gauge<u64>,
    age: Gauge<f64>,
    failed: Gauge<u64>,
}

impl Own {
    fn new(service: &'static str, meter: &Meter) -> Self {
        Self {
            service,
            connections: meter
                .u64_gauge("db.pool.connections")
                .with_description("connections to the database that calls share, by state: idle or used")
                .build(),
            age: meter
                .f64_gauge("chassis.timer_age")
                .with_unit("s")
                .with_description("how late the timer is that is due for longest")
                .build(),
            failed: meter
                .u64_gauge("chassis.timers_failed")
                .with_description("timers whose effect failed, and is tried again")
                .build(),
        }
    }

    async fn look(self, database: Database, clock: Clock) -> Result<(), Refusal> {
        // Several services may share a process, and with it a meter.
        let service = KeyValue::new("service", self.service);
        // Before it takes one itself.
        let (idle, used) = database.connections();
        for (state, count) in [("idle", idle), ("used", used)] {
            let attributes = [service.clone(), KeyValue::new("state", state)];
            self.connections.record(count, &attributes);
        }
        let mut tx = database.worker().await?;
        let (due, failed): (Option<Timestamp>, i64) = sqlx::query_as(
            "SELECT (SELECT min(due_time) FROM chassis.timer), (SELECT count(*) FROM chassis.timer WHERE attempts > 0)",
        )
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        let late = due.map_or(0.0, |due| clock.now().duration_since(due.to_jiff()).as_secs_f64());
        self.age.record(late.max(0.0), std::slice::from_ref(&service));
        self.failed.record(u64::try_from(failed).unwrap_or(0), &[service]);
        Ok(())
    }
}

/// Adds what every service measures of itself.
pub(crate) fn add_own(gauges: &mut Gauges, service: &'static str, database: &Database, clock: &Clock) {
    let own = Own::new(service, &global::meter("huiyin"));
    let (database, clock) = (database.clone(), clock.clone());
    gauges.add(move || own.clone().look(database.clone(), clock.clone()));
}
