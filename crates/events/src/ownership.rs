//! Which partitions of a log this replica consumes: advisory locks in the consumer's own database. A replica that dies loses
//! its connection, and with it its locks.

use std::{collections::BTreeSet, time::Duration};

use huiyin_chassis::{Database, Refusal, secret};
use sqlx::PgConnection;
use tokio::time::Instant;

use crate::outbox::PARTITIONS;

/// The place of the lock that every replica shares, to be counted.
const PRESENCE: i32 = 1000;
/// By then every other replica has given up what is above its share.
const SETTLING: Duration = Duration::from_secs(5);

/// The locks of one replica for one source.
#[derive(Debug)]
pub(crate) struct Ownership {
    connection: PgConnection,
    key: i32,
    owned: BTreeSet<i16>,
    joined: Instant,
}

impl Ownership {
    pub(crate) async fn join(database: &Database, source: &str) -> Result<Self, Refusal> {
        let mut connection = database.dedicated_connection().await?;
        sqlx::query("SET ROLE huiyin_worker").execute(&mut connection).await?;
        let hash = secret::hash(format!("consumer of {source}").as_bytes());
        // Positive: pg_locks shows keys without a sign.
        let key = i32::from_be_bytes([hash[0] & 0x7f, hash[1], hash[2], hash[3]]);
        sqlx::query("SELECT pg_advisory_lock_shared($1, $2)")
            .bind(key)
            .bind(PRESENCE)
            .execute(&mut connection)
            .await?;
        Ok(Self {
            connection,
            key,
            owned: BTreeSet::new(),
            joined: Instant::now(),
        })
    }

    /// The partitions that are this replica's, as of the last look.
    pub(crate) fn owned(&self) -> &BTreeSet<i16> {
        &self.owned
    }

    /// Takes what nobody has, up to a fair share, and gives back what is above it. False where a replica that came before
    /// still holds what is due to this one; with replicas that share unevenly, that is so only at first.
    pub(crate) async fn rebalance(&mut self) -> Result<bool, Refusal> {
        let replicas: i64 = sqlx::query_scalar(
            "SELECT count(DISTINCT pid) FROM pg_locks
             WHERE locktype = 'advisory' AND granted AND objsubid = 2
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
               AND classid = $1::oid AND objid = $2::oid",
        )
        .bind(sqlx::postgres::types::Oid(self.key.unsigned_abs()))
        .bind(sqlx::postgres::types::Oid(PRESENCE.unsigned_abs()))
        .fetch_one(&mut self.connection)
        .await?;
        let all = usize::try_from(PARTITIONS).unwrap_or(1);
        let share = all.div_ceil(usize::try_from(replicas).unwrap_or(1).max(1));
        while self.owned.len() > share
            && let Some(last) = self.owned.pop_last()
        {
            sqlx::query("SELECT pg_advisory_unlock($1, $2)")
                .bind(self.key)
                .bind(i32::from(last))
                .execute(&mut self.connection)
                .await?;
        }
        for partition in 0..PARTITIONS {
            if self.owned.len() >= share {
                break;
            }
            if !self.owned.contains(&partition)
                && sqlx::query_scalar("SELECT pg_try_advisory_lock($1, $2)")
                    .bind(self.key)
                    .bind(i32::from(partition))
                    .fetch_one(&mut self.connection)
                    .await?
            {
                self.owned.insert(partition);
            }
        }
        Ok(self.owned.len() >= share || self.joined.elapsed() > SETTLING)
    }
}
