//! Following the log of another service: Redis where it is there and whole, the log itself where it is not.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::Duration,
};

use futures::future;
use huiyin_chassis::{Refusal, client::Neighbor, secret};
use huiyin_proto::event::v1::{PartitionCursor, PositionedEvent, ReadEventsRequest, event_log_service_client::EventLogServiceClient};

use crate::{
    Consume,
    effect::{Effects, Place, Progress},
    ownership::Ownership,
    redis_fan_out::FanIn,
};

/// A consumer looks whether it still has its fair share of partitions this often.
const REBALANCE: Duration = Duration::from_secs(2);
/// With nothing new from Redis for so long, the log itself is asked: what was lost there tells nobody.
const IDLE: Duration = Duration::from_millis(1500);
/// After a failure of Redis the log is followed for so long before Redis is tried again.
const WITHOUT_REDIS: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Consumes the log of one source until the shutdown.
pub(crate) struct Consumer<C> {
    pub(crate) source: &'static str,
    pub(crate) neighbor: Neighbor,
    pub(crate) effects: Arc<Effects<C>>,
    pub(crate) fan_in: Option<FanIn>,
}

/// Where a consumer stands in the partitions that it owns.
struct Standing {
    epoch: String,
    positions: BTreeMap<i16, i64>,
}

impl Standing {
    fn cursors(&self) -> Vec<(i16, i64)> {
        self.positions.iter().map(|(partition, position)| (*partition, *position)).collect()
    }
}

impl<C: Consume> Consumer<C> {
    pub(crate) async fn run(mut self) -> anyhow::Result<()> {
        let mut pause = Duration::from_millis(100);
        while !self.effects.shutdown.is_requested() {
            let began = tokio::time::Instant::now();
            if let Err(refusal) = self.follow().await
                && !self.effects.shutdown.is_requested()
            {
                tracing::info!(source = self.source, error = %refusal, "the log cannot be followed right now");
            }
            // A run that went well for a while begins again at once.
            pause = if began.elapsed() > LONGEST_PAUSE { Duration::from_millis(100) } else { (pause * 2).min(LONGEST_PAUSE) };
            self.effects.shutdown.sleep(pause.mul_f64(0.5 + secret::random_fraction() / 2.0)).await;
        }
        Ok(())
    }

    /// Follows the log until something fails or changes that makes it best to begin again.
    async fn follow(&mut self) -> Result<(), Refusal> {
        let mut ownership = Ownership::join(&self.effects.database, self.source).await?;
        let mut client = EventLogServiceClient::new(self.neighbor.clone()).max_decoding_message_size(64 << 20);
        let epoch = self.epoch(&mut client).await?;
        let mut standing = Standing { epoch, positions: BTreeMap::new() };
        let mut redis_again = tokio::time::Instant::now();
        while !self.effects.shutdown.is_requested() {
            self.rebalance(&mut ownership, &mut standing).await?;
            let until = tokio::time::Instant::now() + REBALANCE;
            if standing.positions.is_empty() {
                self.effects.shutdown.sleep(REBALANCE).await;
            } else if self.fan_in.is_some() && tokio::time::Instant::now() >= redis_again {
                if !self.follow_redis(&mut client, &mut standing, until).await? {
                    redis_again = tokio::time::Instant::now() + WITHOUT_REDIS;
                }
            } else {
                self.follow_log(&mut client, &mut standing, until).await?;
            }
        }
        Ok(())
    }

    async fn rebalance(&self, ownership: &mut Ownership, standing: &mut Standing) -> Result<(), Refusal> {
        let owned = ownership.rebalance().await?;
        standing.positions.retain(|partition, _| owned.contains(partition));
        for partition in owned {
            if !standing.positions.contains_key(&partition) {
                let position = self.effects.cursor(&self.place(standing, partition)).await?;
                standing.positions.insert(partition, position);
            }
        }
        Ok(())
    }

    fn place(&self, standing: &Standing, partition: i16) -> Place {
        Place { source: self.source, epoch: standing.epoch.clone(), partition }
    }

    /// Reads from Redis until `until`; false where Redis failed.
    async fn follow_redis(&mut self, client: &mut EventLogServiceClient<Neighbor>, standing: &mut Standing, until: tokio::time::Instant) -> Result<bool, Refusal> {
        self.catch_up(client, standing).await?;
        while tokio::time::Instant::now() < until && !self.effects.shutdown.is_requested() {
            let Some(fan_in) = &mut self.fan_in else { return Ok(false) };
            let cursors = standing.cursors();
            let reading = fan_in.read(self.source, &standing.epoch, &cursors, IDLE);
            let read = tokio::select! {
                read = reading => read,
                () = self.effects.shutdown.requested() => return Ok(true),
            };
            match read {
                Err(error) => {
                    tracing::info!(source = self.source, error = format!("{error:#}"), "redis cannot be read; the log is");
                    return Ok(false);
                }
                Ok(events) if events.is_empty() => self.catch_up(client, standing).await?,
                Ok(events) => {
                    if self.take(standing, events).await? {
                        self.catch_up(client, standing).await?; // a hole
                    }
                }
            }
        }
        Ok(true)
    }

    /// Reads everything that is in the log by now.
    async fn catch_up(&self, client: &mut EventLogServiceClient<Neighbor>, standing: &mut Standing) -> Result<(), Refusal> {
        let mut stream = self.open(client, standing, false).await?;
        while let Some(response) = stream.message().await.map_err(Refusal::unavailable)? {
            require_epoch(standing, &response.epoch)?;
            self.take(standing, response.events).await?;
        }
        Ok(())
    }

    /// Follows the log itself until `until`.
    async fn follow_log(&self, client: &mut EventLogServiceClient<Neighbor>, standing: &mut Standing, until: tokio::time::Instant) -> Result<(), Refusal> {
        let mut stream = self.open(client, standing, true).await?;
        loop {
            let response = tokio::select! {
                response = stream.message() => response.map_err(Refusal::unavailable)?,
                () = tokio::time::sleep_until(until) => return Ok(()),
                () = self.effects.shutdown.requested() => return Ok(()),
            };
            let Some(response) = response else { return Ok(()) };
            require_epoch(standing, &response.epoch)?;
            if self.take(standing, response.events).await? {
                return Ok(()); // a hole in the log itself: begin from the cursors
            }
        }
    }

    async fn open(
        &self,
        client: &mut EventLogServiceClient<Neighbor>,
        standing: &Standing,
        follow: bool,
    ) -> Result<tonic::Streaming<huiyin_proto::event::v1::ReadEventsResponse>, Refusal> {
        let cursors = standing.positions.iter().map(|(partition, position)| PartitionCursor { partition: i32::from(*partition), position: *position });
        let request = ReadEventsRequest { cursors: cursors.collect(), follow, epoch: standing.epoch.clone() };
        Ok(client.read_events(request).await.map_err(Refusal::unavailable)?.into_inner())
    }

    async fn epoch(&self, client: &mut EventLogServiceClient<Neighbor>) -> Result<String, Refusal> {
        let request = huiyin_proto::event::v1::GetEventFlowRequest {};
        Ok(client.get_event_flow(request).await.map_err(Refusal::unavailable)?.into_inner().epoch)
    }

    /// Has the effects of events, partitions side by side; true where there was a hole.
    async fn take(&self, standing: &mut Standing, events: Vec<PositionedEvent>) -> Result<bool, Refusal> {
        let mut by_partition: BTreeMap<i16, Vec<PositionedEvent>> = BTreeMap::new();
        for event in events {
            let partition = i16::try_from(event.partition).map_err(Refusal::fault)?;
            if standing.positions.contains_key(&partition) {
                by_partition.entry(partition).or_default().push(event);
            }
        }
        let work = by_partition.iter().map(|(partition, events)| {
            let place = self.place(standing, *partition);
            let cursor = standing.positions.get(partition).copied().unwrap_or_default();
            async move { (*partition, self.effects.apply(&place, cursor, events).await) }
        });
        let mut hole = false;
        for (partition, progress) in future::join_all(work).await {
            let position = match progress? {
                Progress::Done(position) => position,
                Progress::Hole(position) | Progress::Moved(position) => {
                    hole = true;
                    position
                }
            };
            standing.positions.insert(partition, position);
        }
        Ok(hole)
    }
}

/// A log of another epoch is another log: its cursors are others.
fn require_epoch(standing: &Standing, epoch: &str) -> Result<(), Refusal> {
    if standing.epoch == epoch { Ok(()) } else { Err(Refusal::unavailable("the log was restored; beginning again")) }
}
