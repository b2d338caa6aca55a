//! Following the log of another service: Redis where it is there and whole, the log itself where it is not.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::future;
use huiyin_chassis::{Refusal, client::Neighbor, secret};
use huiyin_proto::event::v1::{
    GetEventFlowRequest, PartitionCursor, PositionedEvent, ReadEventsRequest, ReadEventsResponse,
    event_log_service_client::EventLogServiceClient,
};
use tokio::time::{Instant, timeout};
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt as _;

use crate::{
    Consume, cursors,
    effect::{Effects, Place, Progress},
    log,
    outbox::PARTITIONS,
    ownership::Ownership,
    redis_fan_out::FanIn,
    standing::Standing,
};

/// A consumer looks whether it still has its fair share of partitions this often,
const REBALANCE: Duration = Duration::from_secs(2);
/// and so often at first, when others must give up some of theirs.
const FIRST_REBALANCE: Duration = Duration::from_millis(250);
/// With nothing new from Redis for so long, the log itself is asked: what was lost there tells nobody.
const IDLE: Duration = Duration::from_millis(1500);
/// After a failure of Redis the log is followed for so long before Redis is tried again.
const WITHOUT_REDIS: Duration = Duration::from_secs(5);
/// A source that says nothing for so long when it should is taken for gone.
const PATIENCE: Duration = Duration::from_secs(10);
/// Before a failed run is followed by the next.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// More than any answer of a log: it sends its answers in parts of about a megabyte.
const LARGEST_ANSWER: usize = 64 << 20;

type Client = EventLogServiceClient<Neighbor>;

/// Consumes the log of one source until the shutdown.
#[derive(Debug)]
pub(crate) struct Consumer<C> {
    pub(crate) source: &'static str,
    pub(crate) neighbor: Neighbor,
    pub(crate) effects: Arc<Effects<C>>,
    pub(crate) fan_in: Option<FanIn>,
}

/// What came of some events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// They have had their effects.
    All,
    /// Some are missing among them.
    Hole,
    /// A partition rests or was moved by another replica: what is being read does not fit any more.
    Disturbed,
}

/// Why the log cannot be read.
enum Unreadable {
    /// What comes after the cursors is not kept any more; these are good.
    Expired(Vec<(i16, i64)>),
    Refused(Refusal),
}

impl Unreadable {
    fn of(status: &Status) -> Self {
        let begins = || {
            let info = status.get_details_error_info()?;
            log::parse_cursors(info.metadata.get(log::BEGINS)?)
        };
        match begins() {
            Some(begins) if status.code() == Code::OutOfRange => Self::Expired(begins),
            _ => Self::Refused(Refusal::unavailable(status)),
        }
    }
}

impl From<Refusal> for Unreadable {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// To whoever has consumed the log: something was lost, and a person must decide.
impl From<Unreadable> for Refusal {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Refused(refusal) => refusal,
            Unreadable::Expired(begins) => {
                tracing::error!(
                    ?begins,
                    "the log has dropped events before they were consumed: rebuild from a backup, or go on without them by setting events.cursor"
                );
                Self::unavailable("the log has dropped events before they were consumed")
            }
        }
    }
}

impl<C: Consume> Consumer<C> {
    pub(crate) async fn run(mut self) -> anyhow::Result<()> {
        let shutdown = self.effects.shutdown.clone();
        let mut pause = FIRST_PAUSE;
        while !shutdown.is_requested() {
            let began = Instant::now();
            // An effect that is cut by the shutdown has not happened: its transaction goes with it.
            let refusal = tokio::select! {
                Err(refusal) = self.follow() => refusal,
                () = shutdown.requested() => return Ok(()),
            };
            tracing::info!(source = self.source, error = %refusal, "the log cannot be followed right now");
            // A run that went well for a while begins again at once.
            pause = if began.elapsed() > LONGEST_PAUSE {
                FIRST_PAUSE
            } else {
                (pause * 2).min(LONGEST_PAUSE)
            };
            shutdown
                .sleep(pause.mul_f64(0.5 + secret::random_fraction() / 2.0))
                .await;
        }
        Ok(())
    }

    /// Follows the log until something fails.
    async fn follow(&mut self) -> Result<std::convert::Infallible, Refusal> {
        let mut client = EventLogServiceClient::new(self.neighbor.clone()).max_decoding_message_size(LARGEST_ANSWER);
        let flow = client
            .get_event_flow(GetEventFlowRequest {})
            .await
            .map_err(Refusal::unavailable)?
            .into_inner();
        cursors::take_over(&self.effects.database, self.source, &flow, &self.effects.clock).await?;
        self.begin(&mut client, &flow.epoch).await?;
        let mut standing = Standing::new(flow.epoch);
        let mut ownership = Ownership::join(&self.effects.database, self.source).await?;
        let mut redis_at = Instant::now();
        loop {
            let has_its_share = self.rebalance(&mut ownership, &mut standing).await?;
            let rebalance_at = Instant::now() + if has_its_share { REBALANCE } else { FIRST_REBALANCE };
            while Instant::now() < rebalance_at {
                let until = standing.wakes(rebalance_at);
                if standing.awake().is_empty() {
                    tokio::time::sleep_until(until).await;
                } else if self.fan_in.is_some() && Instant::now() >= redis_at {
                    if !self.follow_redis(&mut client, &mut standing, until).await? {
                        redis_at = Instant::now() + WITHOUT_REDIS;
                    }
                } else {
                    self.follow_log(&mut client, &mut standing, until).await?;
                }
            }
        }
    }

    /// Where this service is new to the log, it begins with the oldest that is kept there: in all partitions, before the first effect,
    /// since afterwards nobody could tell what it never had from what it lost.
    async fn begin(&self, client: &mut Client, epoch: &str) -> Result<(), Refusal> {
        let database = &self.effects.database;
        if cursors::has_begun(database, self.source).await? {
            return Ok(());
        }
        let mut first = Standing::new(epoch.to_owned());
        (0..PARTITIONS).for_each(|partition| first.stand(partition, 0));
        let read = async {
            let mut stream = self.open(client, &first, false).await?;
            self.next(&mut stream, &first).await
        };
        let begins = match read.await {
            Ok(_) => first.awake(),
            Err(Unreadable::Expired(begins)) => {
                tracing::warn!(
                    source = self.source,
                    ?begins,
                    "this service is new to the log; it begins with what is kept"
                );
                begins
            }
            Err(unreadable) => return Err(unreadable.into()),
        };
        cursors::begin(database, self.source, epoch, &begins).await
    }

    /// False where others still hold partitions that are due to this replica.
    async fn rebalance(&self, ownership: &mut Ownership, standing: &mut Standing) -> Result<bool, Refusal> {
        let has_its_share = ownership.rebalance().await?;
        for partition in standing.own(ownership.owned()) {
            let position = cursors::load(&self.effects.database, &self.place(standing, partition)).await?;
            standing.stand(partition, position);
        }
        Ok(has_its_share)
    }

    fn place(&self, standing: &Standing, partition: i16) -> Place {
        Place {
            source: self.source,
            epoch: standing.epoch.clone(),
            partition,
        }
    }

    /// Reads from Redis until `until`; false where Redis failed.
    async fn follow_redis(
        &mut self,
        client: &mut Client,
        standing: &mut Standing,
        until: Instant,
    ) -> Result<bool, Refusal> {
        // What Redis lost without anything coming after it.
        self.catch_up(client, standing, until).await?;
        loop {
            let wait = until.saturating_duration_since(Instant::now()).min(IDLE);
            let cursors = standing.awake();
            let Some(fan_in) = self.fan_in.as_mut().filter(|_| !wait.is_zero() && !cursors.is_empty()) else {
                return Ok(true);
            };
            let events = match fan_in.read(self.source, &standing.epoch, &cursors, wait).await {
                Ok(events) => events,
                Err(error) => {
                    tracing::info!(
                        source = self.source,
                        error = format!("{error:#}"),
                        "redis cannot be read; the log is"
                    );
                    return Ok(false);
                }
            };
            let nothing = events.is_empty();
            match self.take(standing, events).await? {
                Taken::All if !nothing => {}
                Taken::Disturbed => return Ok(true),
                Taken::All | Taken::Hole => {
                    let before = standing.awake();
                    self.catch_up(client, standing, until).await?;
                    if !nothing && standing.awake() == before {
                        tracing::warn!(source = self.source, "redis has what the log has not; the log is read");
                        return Ok(false);
                    }
                }
            }
        }
    }

    /// Reads everything that is in the log by now, or as much of it as there is time for.
    async fn catch_up(&self, client: &mut Client, standing: &mut Standing, until: Instant) -> Result<(), Refusal> {
        if standing.awake().is_empty() {
            return Ok(());
        }
        let mut stream = self.open(client, standing, false).await?;
        while let Some(response) = self.next(&mut stream, standing).await? {
            match self.take(standing, response.events).await? {
                Taken::All if Instant::now() < until => {}
                Taken::Hole => return Err(Refusal::unavailable("the log has a hole")),
                Taken::All | Taken::Disturbed => return Ok(()),
            }
        }
        Ok(())
    }

    /// Follows the log itself until `until`.
    async fn follow_log(&self, client: &mut Client, standing: &mut Standing, until: Instant) -> Result<(), Refusal> {
        let mut stream = self.open(client, standing, true).await?;
        loop {
            let response = tokio::select! {
                response = self.next(&mut stream, standing) => response?,
                () = tokio::time::sleep_until(until) => return Ok(()),
            };
            let response = response.ok_or_else(|| Refusal::unavailable("the source has ended"))?;
            match self.take(standing, response.events).await? {
                Taken::All => {}
                Taken::Hole => return Err(Refusal::unavailable("the log has a hole")),
                Taken::Disturbed => return Ok(()),
            }
        }
    }

    async fn open(
        &self,
        client: &mut Client,
        standing: &Standing,
        follow: bool,
    ) -> Result<Streaming<ReadEventsResponse>, Unreadable> {
        let cursor = |(partition, position): (i16, i64)| PartitionCursor {
            partition: partition.into(),
            position,
        };
        let cursors = standing.awake().into_iter().map(cursor).collect();
        let request = ReadEventsRequest {
            cursors,
            follow,
            epoch: standing.epoch.clone(),
        };
        match timeout(PATIENCE, client.read_events(request))
            .await
            .map_err(Refusal::unavailable)?
        {
            Ok(response) => Ok(response.into_inner()),
            Err(status) => Err(Unreadable::of(&status)),
        }
    }

    async fn next(
        &self,
        stream: &mut Streaming<ReadEventsResponse>,
        standing: &Standing,
    ) -> Result<Option<ReadEventsResponse>, Unreadable> {
        match timeout(PATIENCE, stream.message())
            .await
            .map_err(Refusal::unavailable)?
        {
            // A log of another epoch is another log: its cursors are others.
            Ok(Some(response)) if response.epoch != standing.epoch => {
                Err(Refusal::unavailable("the log was restored; beginning again").into())
            }
            Ok(response) => Ok(response),
            Err(status) => Err(Unreadable::of(&status)),
        }
    }

    /// Has the effects of events, partitions side by side.
    async fn take(&self, standing: &mut Standing, events: Vec<PositionedEvent>) -> Result<Taken, Refusal> {
        let mut by_partition: BTreeMap<i16, Vec<PositionedEvent>> = BTreeMap::new();
        for event in events {
            by_partition
                .entry(i16::try_from(event.partition).map_err(Refusal::fault)?)
                .or_default()
                .push(event);
        }
        let work = by_partition.iter().filter_map(|(partition, events)| {
            let (place, cursor) = (self.place(standing, *partition), standing.position(*partition)?);
            Some(async move { (*partition, self.effects.apply(&place, cursor, events).await) })
        });
        let mut taken = Taken::All;
        for (partition, progress) in future::join_all(work).await {
            standing.note(partition, progress);
            match progress {
                Progress::Done(_) => {}
                Progress::Hole(_) if taken == Taken::All => taken = Taken::Hole,
                Progress::Hole(_) => {}
                Progress::Moved(_) | Progress::Waits(_) => taken = Taken::Disturbed,
                Progress::Gone => return Err(cursors::left_behind()),
            }
        }
        Ok(taken)
    }
}
