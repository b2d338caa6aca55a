//! The effect of events: in one transaction with the cursor, so that it happens exactly once.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt as _;
use huiyin_chassis::{Clock, Database, Refusal, Shutdown, Tenant, Transaction, secret, telemetry::{self, Relation}};
use huiyin_proto::event::v1::{Event, PositionedEvent};
use tracing::Instrument as _;

use crate::{Consume, dead_letter};

/// Events whose effects share a transaction.
const BATCH: usize = 64;
/// The first pause before an effect is tried again because something was unavailable.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// One partition of one source, as its consumer sees it.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) source: &'static str,
    pub(crate) epoch: String,
    pub(crate) partition: i16,
}

/// How a batch went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The cursor stands here now.
    Done(i64),
    /// The next event is not among those given.
    Hole(i64),
    /// Another replica moved the cursor; it stands here.
    Moved(i64),
}

/// Has the effects of events on a room.
#[derive(Debug)]
pub(crate) struct Effects<C> {
    pub(crate) database: Database,
    pub(crate) clock: Clock,
    pub(crate) shutdown: Shutdown,
    pub(crate) room: Arc<C>,
}

impl<C: Consume> Effects<C> {
    /// The cursor of a place; begins at 0.
    pub(crate) async fn cursor(&self, place: &Place) -> Result<i64, Refusal> {
        let mut tx = self.database.worker().await?;
        sqlx::query("INSERT INTO events.cursor (source, epoch, partition) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(place.source)
            .bind(&place.epoch)
            .bind(place.partition)
            .execute(&mut *tx)
            .await?;
        let position = lock_cursor(&mut tx, place).await?;
        tx.commit().await?;
        Ok(position)
    }

    /// Has the effects of `events`, which are in order, from the cursor on. What was done before is passed over.
    ///
    /// # Errors
    /// UNAVAILABLE when the shutdown came first.
    pub(crate) async fn apply(&self, place: &Place, mut cursor: i64, events: &[PositionedEvent]) -> Result<Progress, Refusal> {
        let fresh: Vec<&PositionedEvent> = events.iter().filter(|event| event.position > cursor).collect();
        for batch in fresh.chunks(BATCH) {
            match self.batch(place, cursor, batch).await? {
                Progress::Done(position) => cursor = position,
                other => return Ok(other),
            }
        }
        Ok(Progress::Done(cursor))
    }

    async fn batch(&self, place: &Place, cursor: i64, batch: &[&PositionedEvent]) -> Result<Progress, Refusal> {
        // Dense positions: the next one is there, or there is a hole.
        if !batch.iter().zip(cursor + 1..).all(|(event, expected)| event.position == expected) {
            return Ok(Progress::Hole(cursor));
        }
        match self.together(place, cursor, batch).await {
            Ok(progress) => return Ok(progress),
            Err(refusal) => tracing::debug!(source = place.source, partition = place.partition, error = %refusal, "a batch failed; one by one"),
        }
        let mut cursor = cursor;
        for event in batch {
            match self.alone(place, cursor, event).await? {
                Progress::Done(position) => cursor = position,
                other => return Ok(other),
            }
        }
        Ok(Progress::Done(cursor))
    }

    /// The effects of a batch in one transaction: all, or none.
    async fn together(&self, place: &Place, cursor: i64, batch: &[&PositionedEvent]) -> Result<Progress, Refusal> {
        let mut tx = self.database.worker().await?;
        let stands = lock_cursor(&mut tx, place).await?;
        if stands != cursor {
            tx.rollback().await;
            return Ok(Progress::Moved(stands));
        }
        let subjects: Vec<&str> = batch.iter().filter_map(|placed| placed.event.as_ref()).map(|event| event.subject.as_str()).collect();
        let waiting = dead_letter::waiting_subjects(&mut tx, place.source, &subjects).await?;
        let mut entered: Option<Tenant> = None;
        for placed in batch {
            let Some(event) = &placed.event else { continue };
            if waiting.contains(&event.subject) {
                leave(&mut tx, &mut entered).await?;
                dead_letter::wait_behind(&mut tx, place, placed.position, event).await?;
                continue;
            }
            enter(&mut tx, &mut entered, event).await?;
            self.effect(&mut tx, event).await?;
        }
        leave(&mut tx, &mut entered).await?;
        let position = batch.last().map_or(cursor, |last| last.position);
        move_cursor(&mut tx, place, position).await?;
        tx.commit().await?;
        Ok(Progress::Done(position))
    }

    /// The effect of one event: tried until it happens, or set aside where it never will.
    async fn alone(&self, place: &Place, cursor: i64, placed: &PositionedEvent) -> Result<Progress, Refusal> {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.together(place, cursor, &[placed]).await {
                Ok(progress) => return Ok(progress),
                Err(refusal) if refusal.is_transient() => {
                    tracing::warn!(source = place.source, position = placed.position, error = %refusal, "an effect must wait");
                    if !self.shutdown.sleep(pause.mul_f64(0.5 + secret::random_fraction() / 2.0)).await {
                        return Err(Refusal::unavailable("the service stops"));
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(refusal) => match self.set_aside(place, cursor, placed, &refusal).await {
                    Err(outage) if outage.is_transient() => {} // the database is gone: as above, from the start
                    outcome => return outcome,
                },
            }
        }
    }

    async fn set_aside(&self, place: &Place, cursor: i64, placed: &PositionedEvent, refusal: &Refusal) -> Result<Progress, Refusal> {
        let mut tx = self.database.worker().await?;
        let stands = lock_cursor(&mut tx, place).await?;
        if stands != cursor {
            tx.rollback().await;
            return Ok(Progress::Moved(stands));
        }
        if let Some(event) = &placed.event {
            tracing::error!(source = place.source, partition = place.partition, position = placed.position, event = event.id, error = %refusal, "the effect of an event failed; it is set aside");
            dead_letter::set_aside(&mut tx, place, placed.position, event, refusal, self.clock.now()).await?;
        }
        move_cursor(&mut tx, place, placed.position).await?;
        tx.commit().await?;
        Ok(Progress::Done(placed.position))
    }

    /// The room's effect; a panic of the room is a failure of this event, not of the service.
    pub(crate) async fn effect(&self, tx: &mut Transaction, event: &Event) -> Result<(), Refusal> {
        let span = tracing::info_span!("event", otel.kind = "consumer", id = event.id, source = event.source, subject = event.subject);
        telemetry::follow(&span, &event.traceparent, Relation::Linked);
        let effect = AssertUnwindSafe(self.room.consume(tx, event).instrument(span)).catch_unwind().await;
        effect.unwrap_or_else(|_| Err(Refusal::fault(anyhow::anyhow!("the effect of event {} panicked", event.id))))
    }
}

async fn enter(tx: &mut Transaction, entered: &mut Option<Tenant>, event: &Event) -> Result<(), Refusal> {
    if entered.as_ref().is_none_or(|tenant| tenant.key() != event.tenant) {
        let tenant = Tenant::stored(&event.tenant)?;
        tx.enter(&tenant).await?;
        *entered = Some(tenant);
    }
    Ok(())
}

async fn leave(tx: &mut Transaction, entered: &mut Option<Tenant>) -> Result<(), Refusal> {
    if entered.take().is_some() {
        tx.leave().await?;
    }
    Ok(())
}

async fn lock_cursor(tx: &mut Transaction, place: &Place) -> Result<i64, Refusal> {
    Ok(sqlx::query_scalar("SELECT position FROM events.cursor WHERE source = $1 AND epoch = $2 AND partition = $3 FOR UPDATE")
        .bind(place.source)
        .bind(&place.epoch)
        .bind(place.partition)
        .fetch_one(&mut **tx)
        .await?)
}

async fn move_cursor(tx: &mut Transaction, place: &Place, position: i64) -> Result<(), Refusal> {
    sqlx::query("UPDATE events.cursor SET position = $4 WHERE source = $1 AND epoch = $2 AND partition = $3")
        .bind(place.source)
        .bind(&place.epoch)
        .bind(place.partition)
        .bind(position)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
