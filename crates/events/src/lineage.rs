//! What a log was before its database was restored from a backup, and up to where it is the same log still.

use std::collections::BTreeMap;

use huiyin_chassis::{Refusal, Transaction};
use huiyin_proto::event::v1::{LogAncestor, PartitionCursor};
use sqlx::PgConnection;
use uuid::Uuid;

/// What ends a process whose log is over.
pub(crate) const OVER: &str =
    "the database is another one than before, and its log goes on under a new epoch: to be started again";

/// The epoch of the log; a new one where its database is another than when somebody last looked.
pub(crate) async fn come_home(connection: &mut PgConnection) -> Result<String, Refusal> {
    let epoch: Uuid = sqlx::query_scalar("SELECT events.come_home()")
        .fetch_one(connection)
        .await?;
    Ok(name(epoch))
}

/// The logs that this one was, oldest first.
pub(crate) async fn ancestors(tx: &mut Transaction) -> Result<Vec<LogAncestor>, Refusal> {
    let rows: Vec<(Uuid, i16, i64)> =
        sqlx::query_as("SELECT epoch, partition, position FROM events.ancestor ORDER BY create_time, epoch, partition")
            .fetch_all(&mut **tx)
            .await?;
    let mut ancestors: Vec<LogAncestor> = Vec::new();
    for (epoch, partition, position) in rows {
        let epoch = name(epoch);
        let head = PartitionCursor {
            partition: partition.into(),
            position,
        };
        match ancestors.last_mut() {
            Some(last) if last.epoch == epoch => last.heads.push(head),
            _ => ancestors.push(LogAncestor {
                epoch,
                heads: vec![head],
            }),
        }
    }
    Ok(ancestors)
}

/// The last position of each partition that a log shares with the one of `epoch`; none where it has never been that one.
pub(crate) fn shared(ancestors: &[LogAncestor], epoch: &str) -> Option<BTreeMap<i16, i64>> {
    let ancestor = ancestors.iter().find(|ancestor| ancestor.epoch == epoch)?;
    let head = |head: &PartitionCursor| Some((i16::try_from(head.partition).ok()?, head.position));
    ancestor.heads.iter().map(head).collect()
}

/// The name of an epoch.
pub(crate) fn name(epoch: Uuid) -> String {
    epoch.simple().to_string()
}
