//! Gives committed events their positions, and then fans them out. One relay per service: whoever holds the advisory lock.

use std::{sync::Arc, time::Duration};

use huiyin_chassis::{Database, Refusal, Shutdown, Tasks};
use sqlx::{Connection as _, PgConnection};
use tokio::sync::{Notify, watch};

use crate::redis_fan_out::FanOut;

/// The advisory lock of the relay; two keys, so that it cannot meet those of consumers.
const LOCK: (i32, i32) = (0x6879_7278_u32.cast_signed(), -1);
/// Rows that get their positions in one transaction.
const BATCH: i64 = 2000;
/// Without a wake the log is looked at this often: a crash between commit and wake loses the wake, not the event.
const PAUSE: Duration = Duration::from_millis(500);
/// The channel on which a process says that it wrote, where the relay is in another one.
pub(crate) const WRITTEN: &str = "huiyin_outbox_written";
/// The channel on which the relay says that there is more to read.
pub(crate) const POSITIONED: &str = "huiyin_outbox_positioned";

/// An event with its place, still encoded.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Placed {
    pub(crate) partition: i16,
    pub(crate) position: i64,
    pub(crate) event: Vec<u8>,
}

/// Starts the relay, and what wakes it from other processes.
pub(crate) fn start(tasks: &mut Tasks, shutdown: Shutdown, database: Database, written: Arc<Notify>, mut fan_out: Option<FanOut>, kept_days: i32) {
    let (holds, held) = watch::channel(false);
    let wake = Arc::new(Notify::new());

    tasks.spawn("relay", {
        let (database, shutdown, wake) = (database.clone(), shutdown.clone(), Arc::clone(&wake));
        async move {
            while !shutdown.is_requested() {
                if let Err(refusal) = relay(&database, &shutdown, &wake, &holds, &mut fan_out, kept_days).await {
                    tracing::warn!(error = %refusal, "the relay lost its connection; it begins again");
                }
                let _ = holds.send(false);
                shutdown.sleep(PAUSE).await;
            }
            Ok(())
        }
    });

    tasks.spawn("relay wakes", {
        let (database, shutdown) = (database.clone(), shutdown.clone());
        async move {
            loop {
                tokio::select! {
                    () = written.notified() => {}
                    () = shutdown.requested() => return Ok(()),
                }
                if *held.borrow() {
                    wake.notify_one();
                } else if let Err(refusal) = tell(&database, WRITTEN).await {
                    tracing::debug!(error = %refusal, "the relay will look by itself");
                }
            }
        }
    });
}

async fn tell(database: &Database, channel: &str) -> Result<(), Refusal> {
    // In a transaction of its own: NOTIFY inside the writer's would make all commits of the service wait for each other.
    let mut tx = database.worker().await?;
    sqlx::query("SELECT pg_notify($1, '')").bind(channel).execute(&mut *tx).await?;
    tx.commit().await
}

/// Holds the lock on a connection of its own and relays until the connection is lost: without it nothing can be positioned.
async fn relay(
    database: &Database,
    shutdown: &Shutdown,
    wake: &Notify,
    holds: &watch::Sender<bool>,
    fan_out: &mut Option<FanOut>,
    kept_days: i32,
) -> Result<(), Refusal> {
    let mut connection = database.dedicated_connection().await?;
    sqlx::query("SET ROLE huiyin_worker").execute(&mut connection).await?;
    let mut listener = database.listen(WRITTEN).await?;
    while !shutdown.is_requested() {
        let held: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1, $2)").bind(LOCK.0).bind(LOCK.1).fetch_one(&mut connection).await?;
        if held {
            break;
        }
        shutdown.sleep(PAUSE).await; // another replica is the relay
    }
    let _ = holds.send(true);
    let mut swept = tokio::time::Instant::now();
    sqlx::query("SELECT events.keep_days($1)").bind(kept_days).execute(&mut connection).await?;
    while !shutdown.is_requested() {
        let placed = place(&mut connection).await?;
        let full = placed.len() >= usize::try_from(BATCH).unwrap_or(usize::MAX);
        if !placed.is_empty()
            && let Some(fan_out) = fan_out
        {
            fan_out.publish(&placed).await;
        }
        if swept.elapsed() > Duration::from_secs(3600) {
            sqlx::query("SELECT events.keep_days($1)").bind(kept_days).execute(&mut connection).await?;
            swept = tokio::time::Instant::now();
        }
        if !full {
            tokio::select! {
                () = wake.notified() => {}
                woken = listener.recv() => { woken.map_err(Refusal::from)?; }
                _ = shutdown.sleep(PAUSE) => {}
            }
        }
    }
    // What was committed up to now is still relayed: the next start would, but its readers need not wait for it.
    let placed = place(&mut connection).await?;
    if let Some(fan_out) = fan_out {
        fan_out.publish(&placed).await;
    }
    let _ = connection.close().await; // the lock goes with the connection either way
    Ok(())
}

/// Gives positions to the oldest rows without one, in the order in which they were written, and says so.
pub(crate) async fn place(connection: &mut PgConnection) -> Result<Vec<Placed>, Refusal> {
    let mut tx = connection.begin().await?;
    let mut placed: Vec<Placed> = sqlx::query_as(
        "WITH oldest AS (
             SELECT id, create_day, partition FROM events.outbox
             WHERE position IS NULL
             ORDER BY id
             LIMIT $1
         ), taken AS (
             SELECT id, create_day, partition, row_number() OVER (PARTITION BY partition ORDER BY id) AS place FROM oldest
         ), moved AS (
             UPDATE events.head AS head
             SET position = head.position + counted.n
             FROM (SELECT partition, count(*) AS n FROM taken GROUP BY partition) AS counted
             WHERE head.partition = counted.partition
             RETURNING head.partition, head.position - counted.n AS before
         )
         UPDATE events.outbox AS outbox
         SET position = moved.before + taken.place
         FROM taken JOIN moved ON moved.partition = taken.partition
         WHERE outbox.id = taken.id AND outbox.create_day = taken.create_day
         RETURNING outbox.partition, outbox.position, outbox.event",
    )
    .bind(BATCH)
    .fetch_all(&mut *tx)
    .await?;
    if placed.is_empty() {
        tx.rollback().await?;
        return Ok(placed);
    }
    sqlx::query("SELECT pg_notify($1, '')").bind(POSITIONED).execute(&mut *tx).await?;
    tx.commit().await?;
    placed.sort_by_key(|placed| (placed.partition, placed.position));
    Ok(placed)
}
