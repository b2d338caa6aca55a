//! A stand-in for a neighbour's event log: the test says what happened there.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use futures::Stream;
use huiyin_chassis::{Clock, Shutdown, Tasks, secret, sql};
use huiyin_proto::event::v1::{
    Event, EventFlow, GetEventFlowRequest, ListDeadLettersRequest, ListDeadLettersResponse, PositionedEvent,
    ReadEventsRequest, ReadEventsResponse, ReplayDeadLettersRequest, ReplayDeadLettersResponse,
    event::Payload,
    event_log_service_server::{EventLogService, EventLogServiceServer},
};
use tokio::{net::TcpListener, sync::watch};
use tonic::{Request, Response, Status, service::RoutesBuilder};

/// The number of partitions of every log.
const PARTITIONS: u8 = 8;

/// A log that grows as the test says. It ends with this value.
#[derive(Debug)]
pub struct Source {
    service: String,
    clock: Clock,
    log: Log,
    address: SocketAddr,
    shutdown: Shutdown,
    _tasks: Tasks,
}

#[derive(Debug, Clone)]
struct Log {
    events: Arc<Mutex<BTreeMap<i32, Vec<Event>>>>,
    grown: watch::Sender<u64>,
}

impl Source {
    pub(crate) async fn start(service: &str, clock: &Clock, mut others: RoutesBuilder) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = Log {
            events: Arc::default(),
            grown: watch::channel(0).0,
        };
        let shutdown = Shutdown::new();
        let mut tasks = Tasks::new(shutdown.clone(), std::time::Duration::from_secs(30));
        others.add_service(EventLogServiceServer::new(log.clone()));
        let server = tonic::transport::Server::builder().add_routes(others.routes());
        let incoming = tonic::transport::server::TcpIncoming::from(listener);
        let stop = shutdown.clone();
        tasks.spawn("source", async move {
            Ok(server
                .serve_with_incoming_shutdown(incoming, async move { stop.requested().await })
                .await?)
        });
        Self {
            service: service.to_owned(),
            clock: clock.clone(),
            log,
            address,
            shutdown,
            _tasks: tasks,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Something happened.
    pub fn publish(&self, tenant: &str, subject: &str, payload: Payload) -> Event {
        let event = Event {
            id: self.clock.id().to_string(),
            source: self.service.clone(),
            tenant: tenant.to_owned(),
            subject: subject.to_owned(),
            occur_time: Some(sql::to_proto(self.clock.now())),
            traceparent: String::new(),
            actor: "system".to_owned(),
            schema_version: 1,
            payload: Some(payload),
        };
        self.publish_again(&event);
        event
    }

    /// The same event comes once more, at a new position, as after a restore.
    pub fn publish_again(&self, event: &Event) {
        let hash = secret::hash(format!("{}\u{1f}{}", event.tenant, event.subject).as_bytes());
        let partition = i32::from(hash[0] % PARTITIONS);
        let mut events = self.log.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.entry(partition).or_default().push(event.clone());
        self.log.grown.send_modify(|count| *count += 1);
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.shutdown.request();
    }
}

impl Log {
    fn after(&self, cursors: &mut BTreeMap<i32, i64>) -> Vec<PositionedEvent> {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = Vec::new();
        for (partition, position) in cursors {
            let log = events.get(partition).map(Vec::as_slice).unwrap_or_default();
            for event in log.iter().skip(usize::try_from(*position).unwrap_or(0)) {
                *position += 1;
                found.push(PositionedEvent {
                    partition: *partition,
                    position: *position,
                    event: Some(event.clone()),
                });
            }
        }
        found
    }
}

#[tonic::async_trait]
impl EventLogService for Log {
    type ReadEventsStream = Pin<Box<dyn Stream<Item = Result<ReadEventsResponse, Status>> + Send>>;

    async fn read_events(
        &self,
        request: Request<ReadEventsRequest>,
    ) -> Result<Response<Self::ReadEventsStream>, Status> {
        let request = request.into_inner();
        let cursors: BTreeMap<i32, i64> = request
            .cursors
            .iter()
            .map(|cursor| (cursor.partition, cursor.position))
            .collect();
        let state = (self.clone(), self.grown.subscribe(), cursors, true);
        let follow = request.follow;
        let stream = futures::stream::unfold(state, move |(log, mut grown, mut cursors, first)| async move {
            loop {
                grown.mark_unchanged();
                let events = log.after(&mut cursors);
                if first || !events.is_empty() {
                    let response = ReadEventsResponse {
                        epoch: "test".to_owned(),
                        events,
                    };
                    return Some((Ok(response), (log, grown, cursors, false)));
                }
                if !follow || grown.changed().await.is_err() {
                    return None;
                }
            }
        });
        Ok(Response::new(Box::pin(stream)))
    }

    async fn get_event_flow(&self, _: Request<GetEventFlowRequest>) -> Result<Response<EventFlow>, Status> {
        Ok(Response::new(EventFlow {
            epoch: "test".to_owned(),
            ..EventFlow::default()
        }))
    }

    async fn list_dead_letters(
        &self,
        _: Request<ListDeadLettersRequest>,
    ) -> Result<Response<ListDeadLettersResponse>, Status> {
        Ok(Response::new(ListDeadLettersResponse::default()))
    }

    async fn replay_dead_letters(
        &self,
        _: Request<ReplayDeadLettersRequest>,
    ) -> Result<Response<ReplayDeadLettersResponse>, Status> {
        Err(Status::not_found("a stand-in sets nothing aside"))
    }
}
