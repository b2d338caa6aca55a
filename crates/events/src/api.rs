//! `EventLogService`: the log over gRPC, the state of the flow, and the dead letters.

use std::{pin::Pin, time::Duration};

use futures::Stream;
use huiyin_chassis::{Caller, Clock, Refusal, Tenant, listing::{PageKey, PageTokenKey}, name, sql};
use huiyin_proto::event::v1::{
    ConsumerCursor, DeadLetter, EventFlow, GetEventFlowRequest, ListDeadLettersRequest, ListDeadLettersResponse, PartitionCursor,
    ReadEventsRequest, ReadEventsResponse, ReplayDeadLettersRequest, ReplayDeadLettersResponse, event_log_service_server::EventLogService,
};
use tonic::{Request, Response, Status};

use crate::{log::Log, outbox::{self, PARTITIONS}};

/// A follower hears something at least this often.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// See the file.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) service: &'static str,
    pub(crate) log: Log,
    pub(crate) clock: Clock,
    pub(crate) page_tokens: PageTokenKey,
}

#[tonic::async_trait]
impl EventLogService for Api {
    type ReadEventsStream = Pin<Box<dyn Stream<Item = Result<ReadEventsResponse, Status>> + Send>>;

    async fn read_events(&self, request: Request<ReadEventsRequest>) -> Result<Response<Self::ReadEventsStream>, Status> {
        let request = request.into_inner();
        if !request.epoch.is_empty() && request.epoch != self.log.epoch {
            return Err(Refusal::state_forbids("the log", &format!("of epoch {}", self.log.epoch), &["cursors of that epoch"]).into());
        }
        let mut cursors = Vec::new();
        for cursor in &request.cursors {
            let partition = i16::try_from(cursor.partition).ok().filter(|partition| (0..PARTITIONS).contains(partition));
            let partition = partition.ok_or_else(|| Refusal::invalid_field("cursors.partition", format!("must be below {PARTITIONS}")))?;
            cursors.push((partition, cursor.position));
        }
        let reader = Reader { log: self.log.clone(), cursors, follow: request.follow, first: true, ended: false };
        Ok(Response::new(Box::pin(futures::stream::unfold(reader, Reader::next))))
    }

    async fn get_event_flow(&self, _: Request<GetEventFlowRequest>) -> Result<Response<EventFlow>, Status> {
        Ok(Response::new(self.flow().await?))
    }

    async fn list_dead_letters(&self, request: Request<ListDeadLettersRequest>) -> Result<Response<ListDeadLettersResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        Ok(Response::new(self.dead_letters(&tenant, &request).await?))
    }

    async fn replay_dead_letters(&self, request: Request<ReplayDeadLettersRequest>) -> Result<Response<ReplayDeadLettersResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let mut tx = self.log.database.tenant(&tenant).await?;
        let replayed = sqlx::query(
            "UPDATE events.dead_letter SET attempts = 0, next_attempt_time = NULL WHERE tenant_id = $1 AND source = $2 AND subject = $3",
        )
        .bind(tenant.key())
        .bind(&request.source)
        .bind(&request.subject)
        .execute(&mut *tx)
        .await
        .map_err(Refusal::from)?;
        tx.commit().await?;
        match replayed.rows_affected() {
            0 => Err(Refusal::not_found(&request.subject).into()),
            waiting => Ok(Response::new(ReplayDeadLettersResponse { waiting: i32::try_from(waiting).unwrap_or(i32::MAX) })),
        }
    }
}

/// A stream of events on its way to one reader.
struct Reader {
    log: Log,
    cursors: Vec<(i16, i64)>,
    follow: bool,
    first: bool,
    ended: bool,
}

impl Reader {
    async fn next(mut self) -> Option<(Result<ReadEventsResponse, Status>, Self)> {
        if self.ended {
            return None;
        }
        let mut grown = self.log.grown();
        let heartbeat = tokio::time::Instant::now() + HEARTBEAT;
        loop {
            grown.mark_unchanged();
            let events = match self.log.read(&self.cursors).await {
                Ok(events) => events,
                Err(refusal) => {
                    self.ended = true;
                    return Some((Err(refusal.into()), self));
                }
            };
            for event in &events {
                if let Some(cursor) = self.cursors.iter_mut().find(|cursor| i32::from(cursor.0) == event.partition) {
                    cursor.1 = event.position;
                }
            }
            // The first answer always comes: it says the epoch.
            if !events.is_empty() || self.first || tokio::time::Instant::now() >= heartbeat {
                self.first = false;
                return Some((Ok(ReadEventsResponse { epoch: self.log.epoch.clone(), events }), self));
            }
            if !self.follow {
                return None;
            }
            tokio::select! {
                _ = grown.changed() => {}
                () = tokio::time::sleep_until(heartbeat) => {}
                () = self.log.shutdown.requested() => return None,
            }
        }
    }
}

impl Api {
    async fn flow(&self) -> Result<EventFlow, Refusal> {
        let heads = self.log.heads().await?;
        let mut tx = self.log.database.worker().await?;
        let (unpositioned, oldest): (i64, Option<Vec<u8>>) = sqlx::query_as(
            "SELECT count(*), (SELECT event FROM events.outbox WHERE position IS NULL ORDER BY id LIMIT 1)
             FROM events.outbox WHERE position IS NULL",
        )
        .fetch_one(&mut *tx)
        .await?;
        let cursors: Vec<(String, i16, i64)> =
            sqlx::query_as("SELECT source, partition, position FROM events.cursor ORDER BY source, partition").fetch_all(&mut *tx).await?;
        let dead_letters: i64 = sqlx::query_scalar("SELECT count(*) FROM events.dead_letter").fetch_one(&mut *tx).await?;
        tx.commit().await?;

        let oldest = oldest.and_then(|event| outbox::decode(&event).ok()).and_then(|event| sql::from_proto(event.occur_time.as_ref()));
        let age = oldest.map_or(0, |oldest| self.clock.now().duration_since(oldest).as_millis());
        let cursor = |(partition, position): (i16, i64)| PartitionCursor { partition: partition.into(), position };
        Ok(EventFlow {
            service: self.service.to_owned(),
            epoch: self.log.epoch.clone(),
            heads: heads.into_iter().map(cursor).collect(),
            unpositioned,
            oldest_unpositioned_ms: i64::try_from(age.max(0)).unwrap_or(i64::MAX),
            cursors: cursors.into_iter().map(|(source, partition, position)| ConsumerCursor { source, partition: partition.into(), position }).collect(),
            dead_letters,
        })
    }

    async fn dead_letters(&self, tenant: &Tenant, request: &ListDeadLettersRequest) -> Result<ListDeadLettersResponse, Refusal> {
        let bound = format!("dead letters\u{1f}{}", tenant.key()).into_bytes();
        let after: PageKey = match request.page_token.as_str() {
            "" => PageKey { time: -1, id: String::new() },
            token => self.page_tokens.open(token, &bound)?,
        };
        let size = if request.page_size == 0 { 100 } else { request.page_size.min(1000) };
        type Row = (String, i16, i64, Vec<u8>, i32, String, Option<jiff_sqlx::Timestamp>);
        let mut tx = self.log.database.tenant(tenant).await?;
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT source, partition, position, event, attempts, error, next_attempt_time FROM events.dead_letter
             WHERE tenant_id = $1 AND (position, source || '/' || partition) > ($2, $3)
             ORDER BY position, source || '/' || partition
             LIMIT $4",
        )
        .bind(tenant.key())
        .bind(after.time)
        .bind(&after.id)
        .bind(i64::from(size) + 1)
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        let size = usize::try_from(size).unwrap_or(1);
        let more = rows.len() > size;
        let mut dead_letters = Vec::new();
        for (source, partition, position, event, attempts, error, next) in rows.into_iter().take(size) {
            dead_letters.push(DeadLetter {
                source,
                partition: partition.into(),
                position,
                event: Some(outbox::decode(&event)?),
                attempts,
                error,
                next_attempt_time: next.map(|time| sql::to_proto(time.to_jiff())),
            });
        }
        let next_page_token = match dead_letters.last() {
            Some(last) if more => self.page_tokens.seal(&PageKey { time: last.position, id: format!("{}/{}", last.source, last.partition) }, &bound),
            _ => String::new(),
        };
        Ok(ListDeadLettersResponse { dead_letters, next_page_token })
    }
}
