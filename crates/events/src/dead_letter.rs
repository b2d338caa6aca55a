//! Events whose effect failed: tried again with backoff, then kept for a person. Only their own subject waits for them.

use std::{collections::HashSet, time::Duration};

use huiyin_chassis::{MoreToDo, Refusal, Tasks, Tenant, Transaction, sql};
use huiyin_proto::event::v1::Event;
use jiff::{SignedDuration, Timestamp};
use prost::Message as _;

use crate::{
    Consume,
    effect::{Effects, Place},
    outbox,
};

/// After so many attempts an event is left to a person.
pub(crate) const MAX_ATTEMPTS: i32 = 8;
/// The pause after the first failed attempt; each further one is twice as long.
const BACKOFF: SignedDuration = SignedDuration::from_secs(1);
/// How often the letters are looked at.
const PAUSE: Duration = Duration::from_millis(300);

/// Those of `subjects` that have an event waiting.
pub(crate) async fn waiting_subjects(tx: &mut Transaction, source: &str, subjects: &[&str]) -> Result<HashSet<String>, Refusal> {
    let found: Vec<String> = sqlx::query_scalar("SELECT DISTINCT subject FROM events.dead_letter WHERE source = $1 AND subject = ANY ($2)")
        .bind(source)
        .bind(subjects)
        .fetch_all(&mut **tx)
        .await?;
    Ok(found.into_iter().collect())
}

/// Keeps an event whose effect failed.
pub(crate) async fn set_aside(tx: &mut Transaction, place: &Place, position: i64, event: &Event, refusal: &Refusal, now: Timestamp) -> Result<(), Refusal> {
    insert(tx, place, position, event, 1, &refusal.to_string(), Some(now + BACKOFF)).await
}

/// Keeps an event that comes after one of its subject that failed.
pub(crate) async fn wait_behind(tx: &mut Transaction, place: &Place, position: i64, event: &Event) -> Result<(), Refusal> {
    insert(tx, place, position, event, 0, "", None).await
}

async fn insert(tx: &mut Transaction, place: &Place, position: i64, event: &Event, attempts: i32, error: &str, next: Option<Timestamp>) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO events.dead_letter (source, epoch, partition, position, tenant_id, subject, event, attempts, error, next_attempt_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(place.source)
    .bind(&place.epoch)
    .bind(place.partition)
    .bind(position)
    .bind(&event.tenant)
    .bind(&event.subject)
    .bind(event.encode_to_vec())
    .bind(attempts)
    .bind(error)
    .bind(sql::time_opt(next))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Starts the retries.
pub(crate) fn start<C: Consume>(tasks: &mut Tasks, effects: std::sync::Arc<Effects<C>>) {
    tasks.tick("dead letters", PAUSE, move || {
        let effects = effects.clone();
        async move { Ok(retry(&effects).await?) }
    });
}

#[derive(sqlx::FromRow)]
struct Letter {
    source: String,
    epoch: String,
    partition: i16,
    position: i64,
    event: Vec<u8>,
    attempts: i32,
}

/// Tries the first due letter of a subject again; true where there was one.
pub(crate) async fn retry<C: Consume>(effects: &Effects<C>) -> Result<MoreToDo, Refusal> {
    let mut tx = effects.database.worker().await?;
    // Always the oldest of its subject: one behind it is due as soon as it is the oldest itself.
    let letter: Option<Letter> = sqlx::query_as(
        "SELECT source, epoch, partition, position, event, attempts FROM events.dead_letter AS letter
         WHERE (attempts = 0 OR next_attempt_time <= $1)
           AND NOT EXISTS (
               SELECT FROM events.dead_letter AS older
               WHERE older.source = letter.source AND older.subject = letter.subject AND older.position < letter.position
           )
         ORDER BY next_attempt_time NULLS FIRST
         LIMIT 1
         FOR UPDATE SKIP LOCKED",
    )
    .bind(sql::time(effects.clock.now()))
    .fetch_optional(&mut *tx)
    .await?;
    let Some(letter) = letter else { return Ok(MoreToDo(false)) };
    let event = outbox::decode(&letter.event)?;
    sqlx::query("DELETE FROM events.dead_letter WHERE source = $1 AND epoch = $2 AND partition = $3 AND position = $4")
        .bind(&letter.source)
        .bind(&letter.epoch)
        .bind(letter.partition)
        .bind(letter.position)
        .execute(&mut *tx)
        .await?;
    tx.enter(&Tenant::stored(&event.tenant)?).await?;
    match effects.effect(&mut tx, &event).await {
        Ok(()) => tx.commit().await?,
        Err(refusal) => {
            tx.rollback().await;
            postpone(effects, &letter, &refusal).await?;
        }
    }
    Ok(MoreToDo(true))
}

async fn postpone<C: Consume>(effects: &Effects<C>, letter: &Letter, refusal: &Refusal) -> Result<(), Refusal> {
    // An outage is nobody's fault: it costs a pause, and no attempt.
    let attempts = if refusal.is_transient() { letter.attempts.max(1) } else { letter.attempts + 1 };
    let pause = BACKOFF * 2_i32.pow(attempts.clamp(0, MAX_ATTEMPTS).unsigned_abs());
    let next = (attempts < MAX_ATTEMPTS).then(|| effects.clock.now() + pause);
    let mut tx = effects.database.worker().await?;
    sqlx::query(
        "UPDATE events.dead_letter SET attempts = $5, error = $6, next_attempt_time = $7
         WHERE source = $1 AND epoch = $2 AND partition = $3 AND position = $4",
    )
    .bind(&letter.source)
    .bind(&letter.epoch)
    .bind(letter.partition)
    .bind(letter.position)
    .bind(attempts)
    .bind(refusal.to_string())
    .bind(sql::time_opt(next))
    .execute(&mut *tx)
    .await?;
    tx.commit().await
}
