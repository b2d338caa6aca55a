//! Reading a service's own log: the heads, what comes after a cursor, and when there is more.

use huiyin_chassis::{Database, Refusal, Shutdown, Tasks};
use huiyin_proto::event::v1::PositionedEvent;
use tokio::sync::watch;

use crate::{outbox, relay};

/// How many events of one partition one read takes.
const PER_PARTITION: i64 = 256;

/// The log of this service. Clones read the same one.
#[derive(Debug, Clone)]
pub struct Log {
    pub(crate) database: Database,
    pub(crate) epoch: String,
    pub(crate) shutdown: Shutdown,
    grown: watch::Receiver<u64>,
}

impl Log {
    /// Opens the log and keeps an ear on its growth.
    pub(crate) async fn open(database: &Database, tasks: &mut Tasks, shutdown: &Shutdown) -> Result<Self, Refusal> {
        let mut tx = database.worker().await?;
        let epoch: uuid::Uuid = sqlx::query_scalar("SELECT epoch FROM events.log").fetch_one(&mut *tx).await?;
        tx.commit().await?;
        let (grows, grown) = watch::channel(0);
        tasks.spawn("log growth", listen(database.clone(), shutdown.clone(), grows));
        Ok(Self { database: database.clone(), epoch: epoch.simple().to_string(), shutdown: shutdown.clone(), grown })
    }

    /// Something to wait on: changes when events got their positions, or when that cannot be known for a moment.
    pub(crate) fn grown(&self) -> watch::Receiver<u64> {
        self.grown.clone()
    }

    /// The last position of each partition.
    pub(crate) async fn heads(&self) -> Result<Vec<(i16, i64)>, Refusal> {
        let mut tx = self.database.worker().await?;
        let heads = sqlx::query_as("SELECT partition, position FROM events.head ORDER BY partition").fetch_all(&mut *tx).await?;
        tx.commit().await?;
        Ok(heads)
    }

    /// What comes after the cursors, in order per partition: at most [`PER_PARTITION`] of each.
    ///
    /// # Errors
    /// OUT_OF_RANGE / CURSOR_EXPIRED where an event after a cursor is no longer kept.
    pub(crate) async fn read(&self, cursors: &[(i16, i64)]) -> Result<Vec<PositionedEvent>, Refusal> {
        let (partitions, positions): (Vec<i16>, Vec<i64>) = cursors.iter().copied().unzip();
        let mut tx = self.database.worker().await?;
        let rows: Vec<relay::Placed> = sqlx::query_as(
            "SELECT wanted.partition, found.position, found.event
             FROM unnest($1::smallint[], $2::bigint[]) AS wanted (partition, after)
             CROSS JOIN LATERAL (
                 SELECT position, event FROM events.outbox
                 WHERE outbox.partition = wanted.partition AND outbox.position > wanted.after
                 ORDER BY outbox.position
                 LIMIT $3
             ) AS found
             ORDER BY wanted.partition, found.position",
        )
        .bind(&partitions)
        .bind(&positions)
        .bind(PER_PARTITION)
        .fetch_all(&mut *tx)
        .await?;
        let heads: Vec<(i16, i64)> = sqlx::query_as("SELECT partition, position FROM events.head").fetch_all(&mut *tx).await?;
        tx.commit().await?;

        for &(partition, after) in cursors {
            let first = rows.iter().find(|row| row.partition == partition).map(|row| row.position);
            let head = heads.iter().find(|head| head.0 == partition).map_or(0, |head| head.1);
            // Positions are dense: the next one is there, or nothing is, or it has been dropped.
            if first.is_some_and(|first| first != after + 1) || (first.is_none() && head > after) {
                return Err(Refusal::cursor_expired());
            }
        }
        rows.into_iter()
            .map(|row| {
                let event = outbox::decode(&row.event)?;
                Ok(PositionedEvent { partition: row.partition.into(), position: row.position, event: Some(event) })
            })
            .collect()
    }
}

async fn listen(database: Database, shutdown: Shutdown, grows: watch::Sender<u64>) -> anyhow::Result<()> {
    while !shutdown.is_requested() {
        let Ok(mut listener) = database.listen(relay::POSITIONED).await else {
            shutdown.sleep(std::time::Duration::from_millis(500)).await;
            continue;
        };
        loop {
            grows.send_modify(|count| *count += 1); // also after a reconnection: something may have been missed
            tokio::select! {
                heard = listener.recv() => if heard.is_err() { break },
                () = shutdown.requested() => return Ok(()),
            }
        }
    }
    Ok(())
}
