//! The effect of events: in one transaction with the cursor, so that it happens exactly once.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures::FutureExt as _;
use huiyin_chassis::{Clock, Database, Refusal, Shutdown, Tenant, Transaction, telemetry};
use huiyin_proto::event::v1::{Event, PositionedEvent};
use tokio::sync::Semaphore;
use tracing::Instrument as _;

use crate::{
    Consume, dead_letter,
    erasure::{erased_among, unless_erased},
    meters::Consumed,
    outbox,
};

/// So many transactions of effects at once: the pool must have connections left for the calls that the room serves.
const AT_ONCE: usize = 6;

/// One partition of one source, as its consumer sees it.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) source: &'static str,
    pub(crate) epoch: String,
    pub(crate) partition: i16,
}

/// How it went, and where the cursor stands now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// All is done.
    Done(i64),
    /// The next event is not among those given.
    Hole(i64),
    /// Another replica moved the cursor.
    Moved(i64),
    /// There is no such cursor any more: another replica has followed the log into a new epoch.
    Gone,
    /// The next event cannot have its effect now, and may a little later.
    Waits(i64),
}

/// Has the effects of events on a room.
#[derive(Debug)]
pub(crate) struct Effects<C> {
    pub(crate) database: Database,
    pub(crate) clock: Clock,
    pub(crate) shutdown: Shutdown,
    pub(crate) consumed: Consumed,
    room: Arc<C>,
    at_once: Semaphore,
}

impl<C: Consume> Effects<C> {
    pub(crate) fn new(database: Database, clock: Clock, shutdown: Shutdown, consumed: Consumed, room: Arc<C>) -> Self {
        Self {
            database,
            clock,
            shutdown,
            consumed,
            room,
            at_once: Semaphore::new(AT_ONCE),
        }
    }

    /// Has the effects of `events`, which are in order, from the cursor on. What was done before is passed over.
    pub(crate) async fn apply(&self, place: &Place, mut cursor: i64, events: &[PositionedEvent]) -> Progress {
        let fresh: Vec<&PositionedEvent> = events.iter().filter(|event| event.position > cursor).collect();
        // Dense positions: the next one is there, or there is a hole.
        let dense = fresh
            .iter()
            .zip(cursor + 1..)
            .take_while(|(event, expected)| event.position == *expected)
            .count();
        for batch in fresh[..dense].chunks(self.room.together().max(1)) {
            let progress = match self.together(place, cursor, batch).await {
                Ok(progress) => progress,
                Err(refusal) => self.one_by_one(place, cursor, batch, refusal).await,
            };
            match progress {
                Progress::Done(position) => cursor = position,
                other => return other,
            }
        }
        if dense < fresh.len() {
            Progress::Hole(cursor)
        } else {
            Progress::Done(cursor)
        }
    }

    /// The effects of a batch in one transaction: all, or none.
    async fn together(&self, place: &Place, cursor: i64, batch: &[&PositionedEvent]) -> Result<Progress, Refusal> {
        let _permit = self.at_once.acquire().await.map_err(Refusal::fault)?;
        let position = batch.last().map_or(cursor, |last| last.position);
        let mut tx = self.database.worker().await?;
        // First the cursor: its row is the lock that a second replica waits for, and it needs the worker's role.
        if let Some(otherwise) = move_cursor(&mut tx, place, cursor, position).await? {
            tx.rollback().await;
            return Ok(otherwise);
        }
        let events: Vec<&Event> = batch.iter().filter_map(|placed| placed.event.as_ref()).collect();
        let erased = erased_among(&mut tx, &events).await?;
        let waiting = dead_letter::waiting_subjects(&mut tx, place.source, &events).await?;
        if !waiting.is_empty() {
            for placed in batch {
                if let Some(event) = placed
                    .event
                    .as_ref()
                    .filter(|event| waiting.contains(&dead_letter::subject(event)))
                {
                    dead_letter::wait_behind(&mut tx, place, placed.position, &unless_erased(event, &erased)).await?;
                }
            }
        }
        let free = |event: &&Event| waiting.is_empty() || !waiting.contains(&dead_letter::subject(event));
        let mut entered = "";
        for event in events.iter().copied().filter(free) {
            if event.tenant != entered {
                tx.enter(&Tenant::stored(&event.tenant)?).await?;
                entered = &event.tenant;
            }
            self.effect(&mut tx, &unless_erased(event, &erased)).await?;
        }
        tx.commit().await?;
        for event in events.iter().copied().filter(free) {
            self.consumed.count(place.source, event, &self.clock);
        }
        Ok(Progress::Done(position))
    }

    /// After a batch failed: the effect of each event alone, so that the one that fails is set aside without the others.
    async fn one_by_one(
        &self,
        place: &Place,
        mut cursor: i64,
        batch: &[&PositionedEvent],
        refusal: Refusal,
    ) -> Progress {
        tracing::debug!(source = place.source, partition = place.partition, error = %refusal, "a batch failed; one by one");
        // A batch of one has been tried alone already.
        let mut first = (batch.len() == 1).then_some(refusal);
        for placed in batch {
            let outcome = match first.take() {
                Some(refusal) => Err(refusal),
                None => self.together(place, cursor, &[placed]).await,
            };
            let progress = match outcome {
                Ok(progress) => progress,
                Err(refusal) if refusal.is_transient() => {
                    tracing::warn!(source = place.source, partition = place.partition, position = placed.position, error = %refusal, "an effect must wait");
                    Progress::Waits(cursor)
                }
                Err(refusal) => self.set_aside(place, cursor, placed, &refusal).await.unwrap_or_else(|failure| {
                    tracing::error!(source = place.source, partition = place.partition, position = placed.position, error = %failure, "an event cannot be set aside");
                    Progress::Waits(cursor)
                }),
            };
            match progress {
                Progress::Done(position) => cursor = position,
                other => return other,
            }
        }
        Progress::Done(cursor)
    }

    async fn set_aside(
        &self,
        place: &Place,
        cursor: i64,
        placed: &PositionedEvent,
        refusal: &Refusal,
    ) -> Result<Progress, Refusal> {
        let mut tx = self.database.worker().await?;
        if let Some(otherwise) = move_cursor(&mut tx, place, cursor, placed.position).await? {
            tx.rollback().await;
            return Ok(otherwise);
        }
        if let Some(event) = &placed.event {
            tracing::error!(source = place.source, partition = place.partition, position = placed.position, event = event.id, error = %refusal, "the effect of an event failed; it is set aside");
            let erased = erased_among(&mut tx, &[event]).await?;
            let event = unless_erased(event, &erased);
            dead_letter::set_aside(&mut tx, place, placed.position, &event, refusal, self.clock.now()).await?;
        }
        tx.commit().await?;
        Ok(Progress::Done(placed.position))
    }

    /// The room's effect; a panic of the room is a failure of this event, not of the service.
    pub(crate) async fn effect(&self, tx: &mut Transaction, event: &Event) -> Result<(), Refusal> {
        let span = tracing::info_span!(
            "event",
            otel.kind = "consumer",
            id = event.id,
            source = event.source,
            subject = event.subject,
            trace_id = tracing::field::Empty
        );
        telemetry::follow(&span, &event.traceparent);
        telemetry::name_trace(&span);
        // A child of what caused the event; where that was a later call, the feedback began in another trace.
        telemetry::link(&span, outbox::origin(event.payload.as_ref()));
        let effect = AssertUnwindSafe(self.room.consume(tx, event).instrument(span))
            .catch_unwind()
            .await;
        effect.unwrap_or_else(|panic| Err(Refusal::panicked(&*panic)))
    }
}

/// Moves the cursor of a place from where it is believed to stand; says what is so instead.
async fn move_cursor(tx: &mut Transaction, place: &Place, from: i64, to: i64) -> Result<Option<Progress>, Refusal> {
    let moved = sqlx::query(
        "UPDATE events.cursor SET position = $5 WHERE source = $1 AND epoch = $2 AND partition = $3 AND position = $4",
    )
    .bind(place.source)
    .bind(&place.epoch)
    .bind(place.partition)
    .bind(from)
    .bind(to)
    .execute(&mut **tx)
    .await?;
    if moved.rows_affected() == 1 {
        return Ok(None);
    }
    let stands =
        sqlx::query_scalar("SELECT position FROM events.cursor WHERE source = $1 AND epoch = $2 AND partition = $3")
            .bind(place.source)
            .bind(&place.epoch)
            .bind(place.partition)
            .fetch_optional(&mut **tx)
            .await?;
    Ok(Some(stands.map_or(Progress::Gone, Progress::Moved)))
}
