//! The fast way from a log to its readers: Redis streams whose entry ids are the positions. Best effort: what does not
//! arrive here is read from the log itself.

use std::time::Duration;

use huiyin_chassis::Refusal;
use huiyin_proto::event::v1::PositionedEvent;
use redis::{
    AsyncCommands as _, AsyncConnectionConfig, Client, FromRedisValue as _, RedisResult,
    aio::MultiplexedConnection,
    streams::{StreamReadOptions, StreamReadReply},
};
use secrecy::ExposeSecret as _;
use tokio::time::Instant;

use crate::{config::EventsConfig, outbox, relay::Placed};

/// The field of a stream entry that holds the event.
const FIELD: &str = "event";
/// A publisher that cannot reach Redis gives up after this: the log does not wait for it.
const PATIENCE: Duration = Duration::from_secs(2);
/// and tries again after this: nobody waits for a Redis that hangs, batch after batch.
const PAUSE: Duration = Duration::from_secs(1);

fn stream(config: &EventsConfig, source: &str, epoch: &str, partition: i16) -> String {
    format!("{}:{source}:{epoch}:{partition}", config.redis_prefix)
}

/// Publishes a service's own events.
pub(crate) struct FanOut {
    client: Client,
    connection: Option<MultiplexedConnection>,
    config: EventsConfig,
    source: &'static str,
    epoch: String,
    broken_until: Option<Instant>,
}

impl FanOut {
    /// None where no Redis is configured.
    pub(crate) fn new(config: &EventsConfig, source: &'static str, epoch: &str) -> anyhow::Result<Option<Self>> {
        let Some(url) = &config.redis_url else { return Ok(None) };
        let client = Client::open(url.expose_secret())?;
        Ok(Some(Self {
            client,
            connection: None,
            config: config.clone(),
            source,
            epoch: epoch.to_owned(),
            broken_until: None,
        }))
    }

    /// Publishes events that have their positions; one that was published before is refused by Redis, which is right.
    pub(crate) async fn publish(&mut self, placed: &[Placed]) {
        if self.broken_until.is_some_and(|until| Instant::now() < until) {
            return;
        }
        let outcome = tokio::time::timeout(PATIENCE, self.send(placed)).await;
        let problem = match outcome {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("redis does not answer".to_owned()),
        };
        match (problem, self.broken_until.is_some()) {
            (None, false) => {}
            (None, true) => {
                tracing::info!(source = self.source, "events are fanned out again");
                self.broken_until = None;
            }
            (Some(problem), known) => {
                if !known {
                    tracing::warn!(
                        source = self.source,
                        error = problem,
                        "events are not fanned out; their readers read the log"
                    );
                }
                self.connection = None;
                self.broken_until = Some(Instant::now() + PAUSE);
            }
        }
    }

    async fn send(&mut self, placed: &[Placed]) -> RedisResult<()> {
        if self.connection.is_none() {
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(PATIENCE))
                .set_response_timeout(Some(PATIENCE));
            self.connection = Some(
                self.client
                    .get_multiplexed_async_connection_with_config(&config)
                    .await?,
            );
        }
        let Some(connection) = &mut self.connection else {
            return Ok(());
        };
        for chunk in placed.chunks(500) {
            let mut pipeline = redis::pipe();
            for placed in chunk {
                let stream = stream(&self.config, self.source, &self.epoch, placed.partition);
                pipeline
                    .cmd("XADD")
                    .arg(stream)
                    .arg("MAXLEN")
                    .arg("~")
                    .arg(self.config.redis_kept)
                    .arg(format!("{}-0", placed.position))
                    .arg(FIELD)
                    .arg(&placed.event)
                    .ignore();
            }
            // An id that is not newer is an error of that command alone, and no failure.
            pipeline.ignore_errors();
            let _: redis::Value = pipeline.query_async(connection).await?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for FanOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FanOut")
    }
}

/// Takes events of this service out of its streams again.
#[derive(Clone)]
pub(crate) struct Eraser {
    client: Client,
    config: EventsConfig,
    source: &'static str,
    epoch: String,
}

impl Eraser {
    /// None where no Redis is configured.
    pub(crate) fn new(config: &EventsConfig, source: &'static str, epoch: &str) -> anyhow::Result<Option<Self>> {
        let Some(url) = &config.redis_url else { return Ok(None) };
        Ok(Some(Self {
            client: Client::open(url.expose_secret())?,
            config: config.clone(),
            source,
            epoch: epoch.to_owned(),
        }))
    }

    /// Removes the events at these positions.
    ///
    /// # Errors
    /// UNAVAILABLE where Redis cannot be asked: what it still holds is then not known.
    pub(crate) async fn remove(&self, placed: &[(i16, i64)]) -> Result<(), Refusal> {
        if placed.is_empty() {
            return Ok(());
        }
        let removing = async {
            let mut connection = self.client.get_multiplexed_async_connection().await?;
            let mut pipeline = redis::pipe();
            for (partition, position) in placed {
                let stream = stream(&self.config, self.source, &self.epoch, *partition);
                pipeline.cmd("XDEL").arg(stream).arg(format!("{position}-0")).ignore();
            }
            pipeline.query_async::<()>(&mut connection).await
        };
        tokio::time::timeout(PATIENCE, removing)
            .await
            .map_err(|_| Refusal::unavailable("redis does not answer"))?
            .map_err(Refusal::unavailable)
    }
}

impl std::fmt::Debug for Eraser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Eraser")
    }
}

/// Reads the events of another service.
pub(crate) struct FanIn {
    client: Client,
    connection: Option<MultiplexedConnection>,
    config: EventsConfig,
}

impl FanIn {
    /// None where no Redis is configured.
    pub(crate) fn new(config: &EventsConfig) -> anyhow::Result<Option<Self>> {
        let Some(url) = &config.redis_url else { return Ok(None) };
        Ok(Some(Self {
            client: Client::open(url.expose_secret())?,
            connection: None,
            config: config.clone(),
        }))
    }

    /// What comes after the cursors, waiting up to `wait` for the first. A hole is not noticed here.
    pub(crate) async fn read(
        &mut self,
        source: &str,
        epoch: &str,
        cursors: &[(i16, i64)],
        wait: Duration,
    ) -> anyhow::Result<Vec<PositionedEvent>> {
        let outcome = self.try_read(source, epoch, cursors, wait).await;
        if outcome.is_err() {
            self.connection = None;
        }
        outcome
    }

    async fn try_read(
        &mut self,
        source: &str,
        epoch: &str,
        cursors: &[(i16, i64)],
        wait: Duration,
    ) -> anyhow::Result<Vec<PositionedEvent>> {
        if self.connection.is_none() {
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(PATIENCE))
                .set_response_timeout(Some(wait + PATIENCE));
            self.connection = Some(
                self.client
                    .get_multiplexed_async_connection_with_config(&config)
                    .await?,
            );
        }
        let Some(connection) = &mut self.connection else {
            return Ok(Vec::new());
        };
        let streams: Vec<String> = cursors
            .iter()
            .map(|(partition, _)| stream(&self.config, source, epoch, *partition))
            .collect();
        let ids: Vec<String> = cursors.iter().map(|(_, position)| format!("{position}-0")).collect();
        let options = StreamReadOptions::default()
            .count(256)
            // 0 would be for ever.
            .block(usize::try_from(wait.as_millis().max(1))?);
        let reply: Option<StreamReadReply> = connection.xread_options(&streams, &ids, &options).await?;
        let mut events = Vec::new();
        for key in reply.map(|reply| reply.keys).unwrap_or_default() {
            let partition = key.key.rsplit(':').next().unwrap_or_default().parse()?;
            for entry in key.ids {
                let position = entry.id.split('-').next().unwrap_or_default().parse()?;
                let body = entry
                    .map
                    .get(FIELD)
                    .ok_or_else(|| anyhow::anyhow!("an entry without an event"))?;
                let body = Vec::<u8>::from_redis_value_ref(body)?;
                events.push(PositionedEvent {
                    partition,
                    position,
                    event: Some(outbox::decode(&body)?),
                });
            }
        }
        Ok(events)
    }
}

impl std::fmt::Debug for FanIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FanIn")
    }
}
