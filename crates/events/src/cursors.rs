//! Where a service stands in the logs of others: rows that move in the transactions of the effects (`effect.rs`).

use huiyin_chassis::{Database, Refusal};

use crate::effect::Place;

/// The cursor of a place; begins at 0.
pub(crate) async fn load(database: &Database, place: &Place) -> Result<i64, Refusal> {
    let mut tx = database.worker().await?;
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

/// Has a service that has never consumed anything of a log begin with the oldest that is kept there; false where it has:
/// then something was lost, and a person must decide.
pub(crate) async fn begin(
    database: &Database,
    source: &str,
    epoch: &str,
    begins: &[(i16, i64)],
) -> Result<bool, Refusal> {
    let (partitions, positions): (Vec<i16>, Vec<i64>) = begins.iter().copied().unzip();
    let mut tx = database.worker().await?;
    let stands: Vec<i64> = sqlx::query_scalar(
        "SELECT position FROM events.cursor WHERE source = $1 AND epoch = $2 ORDER BY partition FOR UPDATE",
    )
    .bind(source)
    .bind(epoch)
    .fetch_all(&mut *tx)
    .await?;
    if stands.iter().any(|position| *position > 0) {
        tx.rollback().await;
        return Ok(false);
    }
    sqlx::query(
        "INSERT INTO events.cursor (source, epoch, partition, position)
         SELECT $1, $2, partition, position FROM unnest($3::smallint[], $4::bigint[]) AS begins (partition, position)
         ON CONFLICT (source, epoch, partition) DO UPDATE SET position = EXCLUDED.position WHERE cursor.position = 0",
    )
    .bind(source)
    .bind(epoch)
    .bind(&partitions)
    .bind(&positions)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(true)
}
