//! Where a service stands in the logs of others: rows that move in the transactions of the effects (`effect.rs`).

use huiyin_chassis::{Clock, Database, Refusal, Transaction, sql};
use huiyin_proto::event::v1::EventFlow;

use crate::{effect::Place, lineage};

/// Takes the cursors of a source into the present epoch of its log, where they are of an earlier one. Where all of them stand in what
/// the two share, they go on from there. Otherwise what came after has had its effects here and is lost there, and its positions are
/// given to other events: this is noted, and the log is consumed from its beginning, for what is a picture of the source must
/// become one of what it is now.
pub(crate) async fn take_over(
    database: &Database,
    source: &str,
    flow: &EventFlow,
    clock: &Clock,
) -> Result<(), Refusal> {
    let mut tx = alone(database, source).await?;
    // Held until the end: a replica that is late finds its cursor gone, and its effects with it.
    let stands: Vec<(String, i16, i64)> = sqlx::query_as(
        "SELECT epoch, partition, position FROM events.cursor
         WHERE source = $1 AND epoch = (SELECT epoch FROM events.cursor WHERE source = $1 ORDER BY create_time DESC LIMIT 1)
         ORDER BY partition FOR UPDATE",
    )
    .bind(source)
    .fetch_all(&mut *tx)
    .await?;
    let Some((earlier, ..)) = stands.first().filter(|(epoch, ..)| *epoch != flow.epoch) else {
        tx.rollback().await;
        return Ok(());
    };
    let shared = lineage::shared(&flow.ancestors, earlier).unwrap_or_default();
    let shared = |partition: i16| shared.get(&partition).copied().unwrap_or(0);
    let lost: Vec<_> = stands
        .iter()
        .map(|&(_, partition, position)| (partition, shared(partition), position))
        .filter(|&(_, shared, position)| position > shared)
        .collect();
    if lost.is_empty() {
        // A replica of before this was done alone may have been late, and left one beside that of the present epoch.
        sqlx::query(
            "DELETE FROM events.cursor AS late USING events.cursor AS present
             WHERE late.source = $1 AND late.epoch = $2
               AND present.source = $1 AND present.epoch = $3 AND present.partition = late.partition",
        )
        .bind(source)
        .bind(earlier)
        .bind(&flow.epoch)
        .execute(&mut *tx)
        .await?;
        sqlx::query(
            "UPDATE events.cursor SET epoch = $3, create_time = clock_timestamp() WHERE source = $1 AND epoch = $2",
        )
        .bind(source)
        .bind(earlier)
        .bind(&flow.epoch)
        .execute(&mut *tx)
        .await?;
        tracing::info!(
            source,
            "the log was restored, and has everything that was consumed of it; going on"
        );
        return tx.commit().await;
    }
    for (partition, after, until) in lost {
        sqlx::query(
            "INSERT INTO events.lost (source, epoch, partition, after, until, notice_time)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        )
        .bind(source)
        .bind(earlier)
        .bind(partition)
        .bind(after)
        .bind(until)
        .bind(sql::time(clock.now()))
        .execute(&mut *tx)
        .await?;
        tracing::warn!(
            source,
            partition,
            after,
            until,
            "the log was restored to a time before these events, which had their effects here"
        );
    }
    sqlx::query("DELETE FROM events.cursor WHERE source = $1 AND epoch = $2")
        .bind(source)
        .bind(earlier)
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

/// The cursor of a place; begins at 0.
///
/// # Errors
/// UNAVAILABLE where another replica has followed the log into a new epoch.
pub(crate) async fn load(database: &Database, place: &Place) -> Result<i64, Refusal> {
    let mut tx = alone(database, place.source).await?;
    let present: Option<String> =
        sqlx::query_scalar("SELECT epoch FROM events.cursor WHERE source = $1 ORDER BY create_time DESC LIMIT 1")
            .bind(place.source)
            .fetch_optional(&mut *tx)
            .await?;
    if present.is_some_and(|present| present != place.epoch) {
        tx.rollback().await;
        return Err(left_behind());
    }
    sqlx::query("INSERT INTO events.cursor (source, epoch, partition) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
        .bind(place.source)
        .bind(&place.epoch)
        .bind(place.partition)
        .execute(&mut *tx)
        .await?;
    let position =
        sqlx::query_scalar("SELECT position FROM events.cursor WHERE source = $1 AND epoch = $2 AND partition = $3")
            .bind(place.source)
            .bind(&place.epoch)
            .bind(place.partition)
            .fetch_one(&mut *tx)
            .await?;
    tx.commit().await?;
    Ok(position)
}

/// The refusal of a replica that follows an epoch which another one has left.
pub(crate) fn left_behind() -> Refusal {
    Refusal::unavailable("another replica follows a newer epoch of the log; beginning again")
}

/// Whether this service has cursors in the log of a source, of whatever epoch.
pub(crate) async fn has_begun(database: &Database, source: &str) -> Result<bool, Refusal> {
    let mut tx = database.worker().await?;
    let begun = sqlx::query_scalar("SELECT EXISTS (SELECT FROM events.cursor WHERE source = $1)")
        .bind(source)
        .fetch_one(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(begun)
}

/// Has a service that has never consumed anything of a log begin at these cursors, unless another replica has begun meanwhile.
pub(crate) async fn begin(
    database: &Database,
    source: &str,
    epoch: &str,
    begins: &[(i16, i64)],
) -> Result<(), Refusal> {
    let (partitions, positions): (Vec<i16>, Vec<i64>) = begins.iter().copied().unzip();
    let mut tx = alone(database, source).await?;
    sqlx::query(
        "INSERT INTO events.cursor (source, epoch, partition, position)
         SELECT $1, $2, partition, position FROM unnest($3::smallint[], $4::bigint[]) AS begins (partition, position)
         WHERE NOT EXISTS (SELECT FROM events.cursor WHERE source = $1)",
    )
    .bind(source)
    .bind(epoch)
    .bind(&partitions)
    .bind(&positions)
    .execute(&mut *tx)
    .await?;
    tx.commit().await
}

/// A transaction in which no other replica makes or takes away cursors of the source; those that are there may move.
async fn alone(database: &Database, source: &str) -> Result<Transaction, Refusal> {
    let mut tx = database.worker().await?;
    tx.hold(&format!("cursors/{source}")).await?;
    Ok(tx)
}
