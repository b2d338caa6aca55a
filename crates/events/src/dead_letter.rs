//! Events whose effect failed: tried again with backoff, then kept for a person. Only their own subject waits for them.

use std::{collections::HashSet, sync::Arc, time::Duration};

use huiyin_chassis::{MoreToDo, Refusal, Tasks, Tenant, Transaction, sql};
use huiyin_proto::event::v1::Event;
use jiff::{SignedDuration, Timestamp};
use prost::Message as _;

use crate::{
    Consume,
    effect::{Effects, Place},
    erasure::{erased_among, unless_erased},
    outbox,
};

/// After so many attempts an event is left to a person: about eight minutes after the first.
pub(crate) const MAX_ATTEMPTS: i32 = 10;
/// The pause after the first failed attempt; each further one is twice as long.
const BACKOFF: SignedDuration = SignedDuration::from_secs(1);
/// How often the letters are looked at.
const PAUSE: Duration = Duration::from_millis(300);
/// So much is kept of what an attempt said.
const LONGEST_ERROR: usize = 2000;

/// Those of the events' subjects, with their tenants, that have an event waiting.
pub(crate) async fn waiting_subjects(
    tx: &mut Transaction,
    source: &str,
    events: &[&Event],
) -> Result<HashSet<(String, String)>, Refusal> {
    let tenants: Vec<String> = events.iter().map(|event| text(&event.tenant)).collect();
    let subjects: Vec<String> = events.iter().map(|event| text(&event.subject)).collect();
    let found: Vec<(String, String)> = sqlx::query_as(
        "SELECT DISTINCT tenant_id, subject FROM events.dead_letter
         WHERE source = $1 AND (tenant_id, subject) IN (SELECT * FROM unnest($2::text[], $3::text[]))",
    )
    .bind(source)
    .bind(&tenants)
    .bind(&subjects)
    .fetch_all(&mut **tx)
    .await?;
    Ok(found.into_iter().collect())
}

/// What [`waiting_subjects`] calls the subject of an event.
pub(crate) fn subject(event: &Event) -> (String, String) {
    (text(&event.tenant), text(&event.subject))
}

/// Keeps an event whose effect failed.
pub(crate) async fn set_aside(
    tx: &mut Transaction,
    place: &Place,
    position: i64,
    event: &Event,
    refusal: &Refusal,
    now: Timestamp,
) -> Result<(), Refusal> {
    insert(tx, place, position, event, 1, &error_text(refusal), Some(now + BACKOFF)).await
}

/// Keeps an event that comes after one of its subject that failed.
pub(crate) async fn wait_behind(
    tx: &mut Transaction,
    place: &Place,
    position: i64,
    event: &Event,
) -> Result<(), Refusal> {
    insert(tx, place, position, event, 0, "", None).await
}

async fn insert(
    tx: &mut Transaction,
    place: &Place,
    position: i64,
    event: &Event,
    attempts: i32,
    error: &str,
    next: Option<Timestamp>,
) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO events.dead_letter (source, epoch, partition, position, tenant_id, subject, event, attempts, error, next_attempt_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(place.source)
    .bind(&place.epoch)
    .bind(place.partition)
    .bind(position)
    .bind(text(&event.tenant))
    .bind(text(&event.subject))
    .bind(event.encode_to_vec())
    .bind(attempts)
    .bind(error)
    .bind(sql::time_opt(next))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Text that Postgres takes: setting an event aside must never fail for what stands in it.
fn text(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn error_text(refusal: &Refusal) -> String {
    text(&refusal.to_string().chars().take(LONGEST_ERROR).collect::<String>())
}

/// Starts the retries.
pub(crate) fn start<C: Consume>(tasks: &mut Tasks, effects: Arc<Effects<C>>) {
    tasks.tick("dead letters", PAUSE, move || {
        let effects = Arc::clone(&effects);
        async move {
            tokio::select! {
                done = retry(&effects) => Ok(done?),
                () = effects.shutdown.requested() => Ok(MoreToDo(false)),
            }
        }
    });
}

#[derive(sqlx::FromRow)]
struct Letter {
    id: i64,
    source: String,
    event: Vec<u8>,
    attempts: i32,
}

/// Tries the first due letter again; true where there was one.
async fn retry<C: Consume>(effects: &Effects<C>) -> Result<MoreToDo, Refusal> {
    let mut tx = effects.database.worker().await?;
    // Always the oldest of its subject: one behind it is due as soon as it is the oldest itself.
    let letter: Option<Letter> = sqlx::query_as(
        "SELECT id, source, event, attempts FROM events.dead_letter AS letter
         WHERE (next_attempt_time <= $1 OR (next_attempt_time IS NULL AND attempts = 0))
           AND NOT EXISTS (
               SELECT FROM events.dead_letter AS older
               WHERE older.source = letter.source AND older.tenant_id = letter.tenant_id
                 AND older.subject = letter.subject AND older.id < letter.id
           )
         ORDER BY next_attempt_time NULLS FIRST, id
         LIMIT 1
         FOR UPDATE SKIP LOCKED",
    )
    .bind(sql::time(effects.clock.now()))
    .fetch_optional(&mut *tx)
    .await?;
    let Some(letter) = letter else {
        tx.rollback().await;
        return Ok(MoreToDo(false));
    };
    if let Err(refusal) = attempt(effects, tx, &letter).await {
        postpone(effects, &letter, &refusal).await?;
    }
    Ok(MoreToDo(true))
}

/// The effect of a letter, and its end, in one transaction.
async fn attempt<C: Consume>(effects: &Effects<C>, mut tx: Transaction, letter: &Letter) -> Result<(), Refusal> {
    let event = outbox::decode(&letter.event)?;
    sqlx::query("DELETE FROM events.dead_letter WHERE id = $1")
        .bind(letter.id)
        .execute(&mut *tx)
        .await?;
    let erased = erased_among(&mut tx, &[&event]).await?;
    tx.enter(&Tenant::stored(&event.tenant)?).await?;
    effects.effect(&mut tx, &unless_erased(&event, &erased)).await?;
    tx.commit().await?;
    effects.consumed.count(&letter.source, &event, &effects.clock);
    Ok(())
}

async fn postpone<C: Consume>(effects: &Effects<C>, letter: &Letter, refusal: &Refusal) -> Result<(), Refusal> {
    // An outage is nobody's fault: it costs a pause, and no attempt.
    let attempts = if refusal.is_transient() {
        letter.attempts
    } else {
        letter.attempts + 1
    };
    let pause = BACKOFF * 2_i32.pow((attempts - 1).clamp(0, MAX_ATTEMPTS).unsigned_abs());
    let next = (attempts < MAX_ATTEMPTS).then(|| effects.clock.now() + pause);
    if next.is_none() {
        tracing::error!(source = letter.source, letter = letter.id, error = %refusal, "an event is parked: its effect failed too often");
    }
    let mut tx = effects.database.worker().await?;
    // Only as it was found: somebody may have replayed it in the meantime, or another replica have tried it as well.
    sqlx::query("UPDATE events.dead_letter SET attempts = $3, error = $4, next_attempt_time = $5 WHERE id = $1 AND attempts = $2")
        .bind(letter.id)
        .bind(letter.attempts)
        .bind(attempts)
        .bind(error_text(refusal))
        .bind(sql::time_opt(next))
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}
