//! Reading a service's own log: the heads, what comes after a cursor, and when there is more.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use huiyin_chassis::{Database, Refusal, Shutdown, Tasks};
use huiyin_proto::event::v1::{LogAncestor, PositionedEvent};
use tokio::sync::watch;
use uuid::Uuid;

use crate::{lineage, outbox, relay};

/// How many events of one partition one read takes at most,
const PER_PARTITION: i64 = 256;
/// and how many bytes of them, the last event not counted.
const BYTES_PER_PARTITION: i64 = 256 << 10;
/// After so long without a word the connection that hears of growth is made anew: the other end may be gone.
const LONGEST_SILENCE: Duration = Duration::from_secs(30);

/// The log of this service. Clones read the same one.
#[derive(Debug, Clone)]
pub struct Log {
    pub(crate) database: Database,
    pub(crate) epoch: String,
    pub(crate) ancestors: Arc<[LogAncestor]>,
    pub(crate) shutdown: Shutdown,
    grown: watch::Receiver<u64>,
}

/// One row of a read; a partition without anything new has one without an event.
#[derive(sqlx::FromRow)]
struct Row {
    epoch: Uuid,
    partition: i16,
    head: i64,
    position: Option<i64>,
    event: Option<Vec<u8>>,
}

impl Log {
    /// Opens the log and keeps an ear on its growth.
    pub(crate) async fn open(database: &Database, tasks: &mut Tasks, shutdown: &Shutdown) -> Result<Self, Refusal> {
        let mut tx = database.worker().await?;
        let epoch = lineage::come_home(&mut tx).await?;
        let ancestors = lineage::ancestors(&mut tx).await?;
        tx.commit().await?;
        let (grows, grown) = watch::channel(0);
        let (listening, stop) = (listen(database.clone(), epoch.clone(), grows), shutdown.clone());
        tasks.spawn("log growth", async move {
            tokio::select! {
                Err(error) = listening => Err(error),
                () = stop.requested() => Ok(()),
            }
        });
        Ok(Self {
            database: database.clone(),
            epoch,
            ancestors: ancestors.into(),
            shutdown: shutdown.clone(),
            grown,
        })
    }

    /// Something to wait on: changes when events got their positions, or when that cannot be known for a moment. An error
    /// means that the service has ended.
    pub(crate) fn grown(&self) -> watch::Receiver<u64> {
        self.grown.clone()
    }

    /// The last position of each partition.
    pub(crate) async fn heads(&self) -> Result<Vec<(i16, i64)>, Refusal> {
        let mut tx = self.database.worker().await?;
        let rows: Vec<(Uuid, i16, i64)> =
            sqlx::query_as("SELECT epoch, partition, position FROM events.head, events.log ORDER BY partition")
                .fetch_all(&mut *tx)
                .await?;
        tx.commit().await?;
        self.require_own(rows.iter().map(|(epoch, ..)| *epoch))?;
        Ok(rows
            .into_iter()
            .map(|(_, partition, position)| (partition, position))
            .collect())
    }

    /// Refuses what was read under another epoch than this process is the log of: after a failover it may be the last to hear of it,
    /// and must not say under the old name what others have placed under the new one.
    fn require_own(&self, epochs: impl IntoIterator<Item = Uuid>) -> Result<(), Refusal> {
        match epochs.into_iter().find(|epoch| lineage::name(*epoch) != self.epoch) {
            None => Ok(()),
            Some(_) => Err(Refusal::unavailable(lineage::OVER)),
        }
    }

    /// What comes after the cursors, in order per partition: some of each. With a tenant, the events of others are left out,
    /// but not their positions.
    ///
    /// # Errors
    /// OUT_OF_RANGE / CURSOR_EXPIRED where an event after a cursor is no longer kept, with the cursors of what is kept;
    /// FAILED_PRECONDITION where a cursor is beyond the log, which was then restored without a new epoch.
    pub(crate) async fn read(
        &self,
        cursors: &[(i16, i64)],
        tenant: Option<&str>,
    ) -> Result<Vec<PositionedEvent>, Refusal> {
        let (partitions, positions): (Vec<i16>, Vec<i64>) = cursors.iter().copied().unzip();
        let mut tx = self.database.worker().await?;
        // One statement, one snapshot: a head that is newer than the events would look like a loss.
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT log.epoch, wanted.partition, head.position AS head, found.position, found.event
             FROM unnest($1::smallint[], $2::bigint[]) AS wanted (partition, after)
             CROSS JOIN events.log
             JOIN events.head ON head.partition = wanted.partition
             LEFT JOIN LATERAL (
                 SELECT position, event
                 FROM (
                     SELECT position, event,
                            sum(octet_length(event)) OVER (ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
                     FROM (
                         SELECT position, CASE WHEN $3::text IS NULL OR tenant_id = $3 THEN event END AS event
                         FROM events.entry
                         WHERE entry.partition = wanted.partition AND entry.position > wanted.after
                         ORDER BY entry.position
                         LIMIT $4
                     ) AS next
                 ) AS counted
                 WHERE coalesce(before, 0) < $5
             ) AS found ON true
             ORDER BY wanted.partition, found.position",
        )
        .bind(&partitions)
        .bind(&positions)
        .bind(tenant)
        .bind(PER_PARTITION)
        .bind(BYTES_PER_PARTITION)
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        self.require_own(rows.first().map(|row| row.epoch))?;

        let mut stands: BTreeMap<i16, i64> = cursors.iter().copied().collect();
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(after) = stands.get_mut(&row.partition) else {
                continue;
            };
            if row.head < *after {
                return Err(Refusal::state_forbids(
                    "the log",
                    "behind the cursor: it was restored without a new epoch",
                    &["a new epoch"],
                ));
            }
            match row.position {
                None if row.head > *after => return Err(self.expired().await),
                None => {}
                // Positions are dense: the next one is there, or nothing is, or it has been dropped.
                Some(position) if position == *after + 1 => {
                    *after = position;
                    let event = row.event.map(|event| outbox::decode(&event)).transpose()?;
                    found.push(PositionedEvent {
                        partition: row.partition.into(),
                        position,
                        event,
                    });
                }
                Some(_) if cursors.contains(&(row.partition, *after)) => return Err(self.expired().await),
                Some(_) => {} // after a hole; the next read begins there and says so
            }
        }
        Ok(found)
    }

    /// The refusal of a cursor whose next event is gone; it says where what is kept begins.
    async fn expired(&self) -> Refusal {
        match self.begins().await {
            Ok(begins) => Refusal::cursor_expired().with(BEGINS, format_cursors(&begins)),
            Err(refusal) => refusal,
        }
    }

    /// The cursors from which everything that is kept can be read.
    async fn begins(&self) -> Result<Vec<(i16, i64)>, Refusal> {
        let mut tx = self.database.worker().await?;
        let begins = sqlx::query_as(
            "SELECT head.partition, coalesce(
                 (SELECT position - 1 FROM events.entry WHERE entry.partition = head.partition ORDER BY position LIMIT 1), head.position)
             FROM events.head ORDER BY head.partition",
        )
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(begins)
    }
}

/// Where a CURSOR_EXPIRED says, in its metadata, which cursors are good: `0:17 1:4 …`.
pub(crate) const BEGINS: &str = "begins";

fn format_cursors(cursors: &[(i16, i64)]) -> String {
    let cursors: Vec<String> = cursors
        .iter()
        .map(|(partition, position)| format!("{partition}:{position}"))
        .collect();
    cursors.join(" ")
}

/// The cursors in such a text.
pub(crate) fn parse_cursors(text: &str) -> Option<Vec<(i16, i64)>> {
    let cursor = |word: &str| {
        word.split_once(':')
            .and_then(|(partition, position)| Some((partition.parse().ok()?, position.parse().ok()?)))
    };
    text.split_whitespace().map(cursor).collect()
}

/// Ends where the database is another one all at once, after a failover or a restore: this process is the log of an epoch that is over.
async fn listen(
    database: Database,
    epoch: String,
    grows: watch::Sender<u64>,
) -> anyhow::Result<std::convert::Infallible> {
    loop {
        // None: it is asked again in a moment.
        if let Ok(mut listener) = database.listen(relay::POSITIONED).await
            && let Some(present) = present_epoch(&database).await
        {
            anyhow::ensure!(present == epoch, "{}", lineage::OVER);
            loop {
                grows.send_modify(|count| *count += 1); // also at first: something may have been missed before
                // None: the connection was lost, and what was said since. One that went without a word is silent for ever.
                let heard = tokio::time::timeout(LONGEST_SILENCE, listener.try_recv()).await;
                if !matches!(heard, Ok(Ok(Some(_)))) {
                    break;
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// None where the database cannot say it now.
async fn present_epoch(database: &Database) -> Option<String> {
    let mut tx = database.worker().await.ok()?;
    let epoch = lineage::come_home(&mut tx).await.ok()?;
    tx.commit().await.ok()?;
    Some(epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_read_as_they_were_written() {
        let cursors = [(0, 17), (1, 0), (7, i64::MAX)];
        assert_eq!(parse_cursors(&format_cursors(&cursors)).unwrap(), cursors);
        assert_eq!(parse_cursors("0:17 1"), None);
    }
}
