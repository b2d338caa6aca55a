//! `EventLogService`: the log over gRPC, the state of the flow, and the dead letters.

use std::{collections::VecDeque, pin::Pin, time::Duration};

use futures::Stream;
use huiyin_chassis::{
    Caller, Clock, Refusal, Tenant,
    listing::{PageKey, PageTokenKey},
    name, sql,
};
use huiyin_proto::event::v1::{
    ConsumerCursor, DeadLetter, EventFlow, GetEventFlowRequest, ListDeadLettersRequest, ListDeadLettersResponse,
    LostEvents, PartitionCursor, PositionedEvent, ReadEventsRequest, ReadEventsResponse, ReplayDeadLettersRequest,
    ReplayDeadLettersResponse, event_log_service_server::EventLogService,
};
use prost::Message as _;
use tokio::time::Instant;
use tonic::{Request, Response, Status};

use crate::{
    log::Log,
    outbox::{self, PARTITIONS},
};

/// A follower hears something at least this often.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Well below what a gRPC client receives by default, 4 MiB.
const PART: usize = 1 << 20;

/// See the file.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) service: &'static str,
    pub(crate) sources: Vec<&'static str>,
    pub(crate) log: Log,
    pub(crate) clock: Clock,
    pub(crate) page_tokens: PageTokenKey,
}

#[tonic::async_trait]
impl EventLogService for Api {
    type ReadEventsStream = Pin<Box<dyn Stream<Item = Result<ReadEventsResponse, Status>> + Send>>;

    async fn read_events(
        &self,
        request: Request<ReadEventsRequest>,
    ) -> Result<Response<Self::ReadEventsStream>, Status> {
        let request = request.into_inner();
        if !request.epoch.is_empty() && request.epoch != self.log.epoch {
            return Err(Refusal::state_forbids(
                "the log",
                &format!("of epoch {}", self.log.epoch),
                &["cursors of that epoch"],
            )
            .into());
        }
        let mut cursors: Vec<(i16, i64)> = Vec::new();
        for cursor in &request.cursors {
            let partition = i16::try_from(cursor.partition)
                .ok()
                .filter(|partition| (0..PARTITIONS).contains(partition));
            let partition = partition
                .ok_or_else(|| Refusal::invalid_field("cursors.partition", format!("must be below {PARTITIONS}")))?;
            if cursors.iter().any(|cursor| cursor.0 == partition) {
                return Err(Refusal::invalid_field("cursors.partition", format!("{partition} is named twice")).into());
            }
            cursors.push((partition, cursor.position));
        }
        let until = if request.follow {
            None
        } else {
            Some(self.log.heads().await?)
        };
        let reader = Reader {
            log: self.log.clone(),
            cursors,
            until,
            pending: VecDeque::new(),
            first: true,
            ended: false,
        };
        Ok(Response::new(Box::pin(futures::stream::unfold(reader, Reader::next))))
    }

    async fn get_event_flow(&self, _: Request<GetEventFlowRequest>) -> Result<Response<EventFlow>, Status> {
        Ok(Response::new(self.flow().await?))
    }

    async fn list_dead_letters(
        &self,
        request: Request<ListDeadLettersRequest>,
    ) -> Result<Response<ListDeadLettersResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        Ok(Response::new(self.dead_letters(&tenant, &request).await?))
    }

    async fn replay_dead_letters(
        &self,
        request: Request<ReplayDeadLettersRequest>,
    ) -> Result<Response<ReplayDeadLettersResponse>, Status> {
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
            waiting => Ok(Response::new(ReplayDeadLettersResponse {
                waiting: i32::try_from(waiting).unwrap_or(i32::MAX),
            })),
        }
    }
}

/// A stream of events on its way to one reader.
struct Reader {
    log: Log,
    cursors: Vec<(i16, i64)>,
    /// The heads at the beginning, where it ends there: a log that grows as fast as it is read has no other end.
    until: Option<Vec<(i16, i64)>>,
    /// Read and not sent yet.
    pending: VecDeque<Vec<PositionedEvent>>,
    first: bool,
    ended: bool,
}

impl Reader {
    async fn next(mut self) -> Option<(Result<ReadEventsResponse, Status>, Self)> {
        if self.ended || self.log.shutdown.is_requested() {
            return None;
        }
        let events = match self.events().await {
            Ok(events) => events?,
            Err(refusal) => {
                self.ended = true;
                return Some((Err(refusal.into()), self));
            }
        };
        Some((
            Ok(ReadEventsResponse {
                epoch: self.log.epoch.clone(),
                events,
            }),
            self,
        ))
    }

    /// What to send next; empty for a heartbeat, none at the end.
    async fn events(&mut self) -> Result<Option<Vec<PositionedEvent>>, Refusal> {
        if let Some(events) = self.pending.pop_front() {
            return Ok(Some(events));
        }
        if !self.first && self.is_over() {
            return Ok(None);
        }
        let mut grown = self.log.grown();
        let heartbeat = Instant::now() + HEARTBEAT;
        loop {
            grown.mark_unchanged();
            let events = self.log.read(&self.cursors, None).await?;
            for event in &events {
                if let Some(cursor) = self
                    .cursors
                    .iter_mut()
                    .find(|cursor| i32::from(cursor.0) == event.partition)
                {
                    cursor.1 = event.position;
                }
            }
            self.pending = parts(events);
            // The first answer always comes: it says the epoch.
            let first = std::mem::take(&mut self.first);
            match self.pending.pop_front() {
                Some(events) => return Ok(Some(events)),
                None if first || Instant::now() >= heartbeat => return Ok(Some(Vec::new())),
                None if self.until.is_some() => return Ok(None),
                None => {}
            }
            tokio::select! {
                changed = grown.changed() => if changed.is_err() { return Ok(None) },
                () = tokio::time::sleep_until(heartbeat) => {}
                () = self.log.shutdown.requested() => return Ok(None),
            }
        }
    }
}

impl Reader {
    fn is_over(&self) -> bool {
        let reached = |&(partition, head): &(i16, i64)| {
            self.cursors
                .iter()
                .all(|cursor| cursor.0 != partition || cursor.1 >= head)
        };
        self.until.as_ref().is_some_and(|heads| heads.iter().all(reached))
    }
}

/// The events in parts that any client can receive: of [`PART`] bytes, or of one event that is larger.
fn parts(events: Vec<PositionedEvent>) -> VecDeque<Vec<PositionedEvent>> {
    let mut parts: VecDeque<Vec<PositionedEvent>> = VecDeque::new();
    let mut bytes = PART;
    for event in events {
        let length = event.encoded_len();
        match parts.back_mut() {
            Some(part) if bytes + length <= PART => part.push(event),
            _ => {
                parts.push_back(vec![event]);
                bytes = 0;
            }
        }
        bytes += length;
    }
    parts
}

impl Api {
    async fn flow(&self) -> Result<EventFlow, Refusal> {
        let heads = self.log.heads().await?;
        let mut tx = self.log.database.worker().await?;
        let unpositioned: i64 = sqlx::query_scalar("SELECT count(*) FROM events.outbox")
            .fetch_one(&mut *tx)
            .await?;
        let age = outbox::age(&mut tx, &self.clock).await?;
        let cursors: Vec<(String, i16, i64, String)> = sqlx::query_as(
            // Of each partition the newest epoch.
            "SELECT DISTINCT ON (source, partition) source, partition, position, epoch FROM events.cursor
                 ORDER BY source, partition, create_time DESC",
        )
        .fetch_all(&mut *tx)
        .await?;
        let lost: Vec<LostRow> = sqlx::query_as(
            "SELECT source, partition, after, until, notice_time FROM events.lost ORDER BY notice_time, source, partition",
        )
        .fetch_all(&mut *tx)
        .await?;
        let dead_letters: i64 = sqlx::query_scalar("SELECT count(*) FROM events.dead_letter")
            .fetch_one(&mut *tx)
            .await?;
        tx.commit().await?;

        let cursor = |(partition, position): (i16, i64)| PartitionCursor {
            partition: partition.into(),
            position,
        };
        Ok(EventFlow {
            service: self.service.to_owned(),
            epoch: self.log.epoch.clone(),
            heads: heads.into_iter().map(cursor).collect(),
            unpositioned,
            oldest_unpositioned_ms: i64::try_from(age.as_millis()).unwrap_or(i64::MAX),
            cursors: cursors
                .into_iter()
                .map(|(source, partition, position, epoch)| ConsumerCursor {
                    source,
                    partition: partition.into(),
                    position,
                    epoch,
                })
                .collect(),
            dead_letters,
            sources: self.sources.iter().map(|source| (*source).to_owned()).collect(),
            ancestors: self.log.ancestors.to_vec(),
            lost: lost.into_iter().map(LostRow::lost).collect(),
        })
    }

    async fn dead_letters(
        &self,
        tenant: &Tenant,
        request: &ListDeadLettersRequest,
    ) -> Result<ListDeadLettersResponse, Refusal> {
        let bound = format!("dead letters\u{1f}{}", tenant.key()).into_bytes();
        let after: PageKey = match request.page_token.as_str() {
            "" => PageKey {
                time: 0,
                id: String::new().into(),
            },
            token => self.page_tokens.open(token, &bound)?,
        };
        let size = if request.page_size == 0 {
            100
        } else {
            request.page_size.min(1000)
        };
        let mut tx = self.log.database.tenant(tenant).await?;
        let mut rows: Vec<LetterRow> = sqlx::query_as(
            "SELECT id, source, partition, position, event, attempts, error, next_attempt_time FROM events.dead_letter
             WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        )
        .bind(tenant.key())
        .bind(after.time)
        .bind(i64::from(size) + 1)
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        let size = usize::try_from(size).unwrap_or(1);
        let more = rows.len() > size;
        rows.truncate(size);
        let next_page_token = match rows.last() {
            Some(last) if more => self.page_tokens.seal(
                &PageKey {
                    time: last.id,
                    id: String::new().into(),
                },
                &bound,
            ),
            _ => String::new(),
        };
        let dead_letters = rows.into_iter().map(LetterRow::letter).collect::<Result<_, _>>()?;
        Ok(ListDeadLettersResponse {
            dead_letters,
            next_page_token,
        })
    }
}

#[derive(sqlx::FromRow)]
struct LostRow {
    source: String,
    partition: i16,
    after: i64,
    until: i64,
    notice_time: jiff_sqlx::Timestamp,
}

impl LostRow {
    fn lost(self) -> LostEvents {
        LostEvents {
            source: self.source,
            partition: self.partition.into(),
            after: self.after,
            until: self.until,
            notice_time: Some(sql::to_proto(self.notice_time.to_jiff())),
        }
    }
}

#[derive(sqlx::FromRow)]
struct LetterRow {
    id: i64,
    source: String,
    partition: i16,
    position: i64,
    event: Vec<u8>,
    attempts: i32,
    error: String,
    next_attempt_time: Option<jiff_sqlx::Timestamp>,
}

impl LetterRow {
    fn letter(self) -> Result<DeadLetter, Refusal> {
        Ok(DeadLetter {
            source: self.source,
            partition: self.partition.into(),
            position: self.position,
            event: Some(outbox::decode(&self.event)?),
            attempts: self.attempts,
            error: self.error,
            next_attempt_time: self.next_attempt_time.map(|time| sql::to_proto(time.to_jiff())),
        })
    }
}
