//! Moves committed events from the outbox into the log, each to its position, and then fans them out. One relay per service: whoever holds
//! the advisory lock.

use std::{sync::Arc, time::Duration};

use huiyin_chassis::{Database, Refusal, Shutdown, Tasks};
use sqlx::{Connection as _, PgConnection};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use crate::{lineage, meters::Relayed, redis_fan_out::FanOut};

/// The advisory lock of the relay; two keys, so that it cannot meet those of consumers.
const LOCK: (i32, i32) = (0x6879_7278_u32.cast_signed(), -1);
/// Rows that get their positions in one transaction.
const BATCH: i64 = 2000;
/// After a wake, so long for others to commit …
const GATHER: Duration = Duration::from_millis(5);
/// … and so long where many do: a pass costs as much for one as for a hundred, and everybody waits for the same database.
const GATHER_MANY: Duration = Duration::from_millis(25);
/// What a pass finds where many write.
const MANY: usize = 16;
/// Without a wake the log is looked at this often: a crash between commit and wake loses the wake, not the event.
const PAUSE: Duration = Duration::from_millis(500);
/// Days are made and dropped this often.
const SWEEP: Duration = Duration::from_secs(600);
/// What the relay is in the middle of at the shutdown has this long to end.
const FAREWELL: Duration = Duration::from_secs(3);
/// The channel on which a process says that it wrote, where the relay is in another one.
pub(crate) const WRITTEN: &str = "huiyin_outbox_written";
/// The channel on which the relay says that there is more to read.
pub(crate) const POSITIONED: &str = "huiyin_outbox_positioned";

/// An event with its place, still encoded.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Placed {
    pub(crate) partition: i16,
    pub(crate) position: i64,
    /// Empty where nobody fans it out.
    pub(crate) event: Vec<u8>,
}

/// The relay of one process; it works while it holds the lock.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) database: Database,
    pub(crate) shutdown: Shutdown,
    pub(crate) fan_out: Option<FanOut>,
    pub(crate) epoch: String,
    pub(crate) kept_days: i32,
    pub(crate) relayed: Relayed,
}

/// Why a relay ended that did not fail.
enum Ended {
    /// The service stops.
    Asked,
    /// The log goes on under a new epoch, in a new process.
    OfEpoch,
}

/// Starts the relay, and what wakes it from other processes.
pub(crate) fn start(tasks: &mut Tasks, written: Arc<Notify>, relay: Relay) {
    let (holds, held) = watch::channel(false);
    let wake = Arc::new(Notify::new());
    let (database, shutdown) = (relay.database.clone(), relay.shutdown.clone());
    tasks.spawn("relay", relay.run(Arc::clone(&wake), holds));
    tasks.spawn("relay wakes", async move {
        let wakes = async {
            loop {
                written.notified().await;
                if *held.borrow() {
                    wake.notify_one();
                } else if let Err(refusal) = tell(&database, WRITTEN).await {
                    tracing::debug!(error = %refusal, "the relay will look by itself");
                }
            }
        };
        tokio::select! {
            () = wakes => {}
            () = shutdown.requested() => {}
        }
        Ok(())
    });
}

async fn tell(database: &Database, channel: &str) -> Result<(), Refusal> {
    // In a transaction of its own: NOTIFY inside the writer's would make all commits of the service wait for each other.
    let mut tx = database.worker().await?;
    sqlx::query("SELECT pg_notify($1, '')")
        .bind(channel)
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

impl Relay {
    async fn run(mut self, wake: Arc<Notify>, holds: watch::Sender<bool>) -> anyhow::Result<()> {
        let shutdown = self.shutdown.clone();
        let work = async {
            while !shutdown.is_requested() {
                match self.relay(&wake, &holds).await {
                    Ok(Ended::OfEpoch) => anyhow::bail!(lineage::OVER),
                    Ok(Ended::Asked) => {}
                    Err(refusal) => {
                        tracing::warn!(error = %refusal, "the relay lost its connection; it begins again");
                    }
                }
                let _ = holds.send(false);
                shutdown.sleep(PAUSE).await;
            }
            Ok(())
        };
        let patience = async {
            shutdown.requested().await;
            tokio::time::sleep(FAREWELL).await;
        };
        tokio::select! {
            ended = work => ended,
            () = patience => Ok(()),
        }
    }

    /// Holds the lock on a connection of its own and relays until the connection is lost: without it nothing can be
    /// positioned, so two relays cannot be at work.
    async fn relay(&mut self, wake: &Notify, holds: &watch::Sender<bool>) -> Result<Ended, Refusal> {
        let mut connection = self.database.dedicated_connection().await?;
        sqlx::query("SET ROLE huiyin_worker").execute(&mut connection).await?;
        // A plan made while the outbox was empty would go on reading all of it when it is not.
        sqlx::query("SET enable_seqscan = off").execute(&mut connection).await?;
        while !try_lock(&mut connection).await? {
            if !self.shutdown.sleep(PAUSE).await {
                return Ok(Ended::Asked); // another replica is the relay
            }
        }
        // Before the first position is given: in a database that was restored it would be one that consumers know already.
        if lineage::come_home(&mut connection).await? != self.epoch {
            return Ok(Ended::OfEpoch);
        }
        let mut listener = self.database.listen(WRITTEN).await?;
        let _ = holds.send(true);
        let mut sweep = Instant::now();
        loop {
            // Before the look, not after: what was committed up to the shutdown is still relayed.
            let last = self.shutdown.is_requested();
            let passed = self.pass_on(&mut connection).await?;
            if last {
                break;
            }
            if Instant::now() >= sweep {
                sweep = Instant::now() + SWEEP;
                if let Err(refusal) = keep_days(&mut connection, self.kept_days).await {
                    tracing::warn!(error = %refusal, "old days of the log could not be dropped now");
                }
            }
            // Where it was full, there may be more.
            if passed < usize::try_from(BATCH).unwrap_or(usize::MAX) {
                let gather = if passed < MANY { GATHER } else { GATHER_MANY };
                tokio::select! {
                    // Whoever commits in the next moment goes along.
                    () = wake.notified() => tokio::time::sleep(gather).await,
                    heard = listener.try_recv() => if heard?.is_none() {
                        return Err(Refusal::unavailable("the connection that listens was lost"));
                    },
                    _ = self.shutdown.sleep(PAUSE) => {}
                }
            }
        }
        let _ = connection.close().await; // the lock goes with the connection either way
        Ok(Ended::Asked)
    }

    /// One batch; returns how many.
    async fn pass_on(&mut self, connection: &mut PgConnection) -> Result<usize, Refusal> {
        let placed = place(connection, self.fan_out.is_some()).await?;
        self.relayed.count(placed.len());
        if let Some(fan_out) = &mut self.fan_out
            && !placed.is_empty()
        {
            fan_out.publish(&placed).await;
        }
        Ok(placed.len())
    }
}

async fn try_lock(connection: &mut PgConnection) -> Result<bool, Refusal> {
    Ok(sqlx::query_scalar("SELECT pg_try_advisory_lock($1, $2)")
        .bind(LOCK.0)
        .bind(LOCK.1)
        .fetch_one(connection)
        .await?)
}

/// Moves what waits longest into the log, in the order in which it was written, and says so.
async fn place(connection: &mut PgConnection, with_events: bool) -> Result<Vec<Placed>, Refusal> {
    let mut tx = connection.begin().await?;
    let mut placed: Vec<Placed> = sqlx::query_as(
        "WITH taken AS (
             DELETE FROM events.outbox
             WHERE id = ANY (ARRAY(SELECT id FROM events.outbox ORDER BY id LIMIT $1))
             RETURNING id, tenant_id, partition, event
         ), numbered AS (
             SELECT *, row_number() OVER (PARTITION BY partition ORDER BY id) AS place FROM taken
         ), moved AS (
             UPDATE events.head AS head
             SET position = head.position + counted.n, day = greatest(head.day, (now() AT TIME ZONE 'UTC')::date)
             FROM (SELECT partition, count(*) AS n FROM taken GROUP BY partition) AS counted
             WHERE head.partition = counted.partition
             RETURNING head.partition, head.position - counted.n AS before, head.day
         )
         INSERT INTO events.entry (id, create_day, tenant_id, partition, position, event)
         SELECT id, day, tenant_id, partition, before + place, event
         FROM numbered JOIN moved USING (partition)
         ORDER BY partition, place
         RETURNING partition, position, CASE WHEN $2 THEN event ELSE '' END AS event",
    )
    .bind(BATCH)
    .bind(with_events)
    .fetch_all(&mut *tx)
    .await?;
    if placed.is_empty() {
        tx.rollback().await?;
        return Ok(placed);
    }
    sqlx::query("SELECT pg_notify($1, '')")
        .bind(POSITIONED)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    placed.sort_by_key(|placed| (placed.partition, placed.position));
    Ok(placed)
}

/// Makes the days to come and drops those that are too old.
async fn keep_days(connection: &mut PgConnection, kept: i32) -> Result<(), Refusal> {
    sqlx::query("SELECT events.keep_days($1)")
        .bind(kept)
        .execute(connection)
        .await?;
    Ok(())
}
