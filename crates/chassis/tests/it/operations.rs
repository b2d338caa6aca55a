//! Long work: done once and whole, whoever dies on the way, whoever else wants it, and however it is asked to stop.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use huiyin_chassis::{
    Database, Operations, Refusal, Running, Service, ServiceConfig, Tenant,
    operations::{self, CarryOut, Ended, Operation, Run},
};
use huiyin_proto::{
    google::longrunning::{
        CancelOperationRequest, DeleteOperationRequest, GetOperationRequest, ListOperationsRequest,
        WaitOperationRequest, operation, operations_client::OperationsClient,
    },
    r#type::v1::{OperationMetadata, operation_metadata::State},
};
use huiyin_testkit::{Connection, Stage, eventually};
use jiff::SignedDuration;
use serde::Deserialize;
use sqlx::{Connection as _, PgConnection};
use tokio::sync::Semaphore;
use tonic::{Code, Request, Status};
use tonic_types::{RpcStatusExt as _, StatusExt as _};

const LIMIT: Duration = Duration::from_secs(20);
/// Longer than a lease.
const LONG: SignedDuration = SignedDuration::from_secs(31);

/// Counts up to what was asked, a step for each permit of its gate, each step in a transaction of its own.
struct Counter {
    gate: Semaphore,
    /// What the first attempts fail with.
    failures: Mutex<Vec<Refusal>>,
}

impl Counter {
    fn new(permits: usize) -> Arc<Self> {
        Arc::new(Self {
            gate: Semaphore::new(permits),
            failures: Mutex::default(),
        })
    }
}

impl CarryOut for Counter {
    const KINDS: &'static [&'static str] = &["test.Count", "test.Panic"];

    async fn carry_out(&self, run: &Run) -> Result<Ended, Refusal> {
        assert!(run.kind != "test.Panic", "the password is hunter2");
        if let Some(failure) = self.failures.lock().unwrap().pop() {
            return Err(failure);
        }
        let total: i64 = run.request()?;
        let signal = run.signal();
        let mut step: i64 = run.checkpoint()?.unwrap_or_default();
        while step < total {
            tokio::select! {
                permit = self.gate.acquire() => permit.unwrap().forget(),
                () = signal.stopped() => return Err(Refusal::operation_cancelled()),
            }
            step += 1;
            let mut tx = run.begin().await?;
            sqlx::query("INSERT INTO tally (tenant_id, operation_id, step) VALUES ($1, $2, $3)")
                .bind(run.tenant.key())
                .bind(run.id)
                .bind(step)
                .execute(&mut *tx)
                .await?;
            run.keep(&mut tx, &step).await?;
            tx.commit().await?;
            run.report(
                "counting",
                usize::try_from(step).unwrap(),
                usize::try_from(total).unwrap(),
            );
        }
        run.finish(run.begin().await?, &total).await
    }
}

#[derive(Deserialize)]
struct Config {
    service: ServiceConfig,
}

struct World {
    stage: Stage,
    config: Config,
}

struct Replica {
    database: Database,
    operations: Operations,
    client: OperationsClient<Connection>,
    running: Running,
}

impl World {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let config: Config = stage.config("classifier", "").await;
        let world = Self { stage, config };
        // The schema first: the table of the test is a room's.
        world.replica(Counter::new(0)).await.running.kill();
        world
            .owner("CREATE TABLE tally (tenant_id text, operation_id uuid, step bigint, PRIMARY KEY (tenant_id, operation_id, step))")
            .await;
        world.owner("SELECT chassis.isolate_tenants()").await;
        world
    }

    async fn owner(&self, statement: &'static str) {
        let mut owner = PgConnection::connect(&self.stage.database_url()).await.unwrap();
        sqlx::query(statement).execute(&mut owner).await.unwrap();
    }

    async fn steps(&self) -> Vec<i64> {
        let mut owner = PgConnection::connect(&self.stage.database_url()).await.unwrap();
        let steps = sqlx::query_scalar("SELECT step FROM tally ORDER BY step");
        steps.fetch_all(&mut owner).await.unwrap()
    }

    async fn replica(&self, room: Arc<Counter>) -> Replica {
        let context = self.stage.context();
        let mut service = Service::prepare("classifier", &self.config.service, context, Vec::new())
            .await
            .unwrap();
        operations::run(&mut service, room).unwrap();
        let (database, operations) = (service.database.clone(), service.operations.clone());
        let running = service.run().await.unwrap();
        let token = self.stage.token("user:li", "acme", &["supervisor"]);
        let client = OperationsClient::new(self.stage.connect(running.address, &token).await);
        Replica {
            database,
            operations,
            client,
            running,
        }
    }
}

fn acme() -> Tenant {
    Tenant::stored("acme").unwrap()
}

fn metadata(operation: &Operation) -> OperationMetadata {
    operation.metadata.as_ref().unwrap().to_msg().unwrap()
}

impl Replica {
    async fn start(&self, kind: &str, total: i64) -> String {
        let mut tx = self.database.tenant(&acme()).await.unwrap();
        let started = self
            .operations
            .start(&mut tx, &acme(), "user:li", kind, &total)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert!(!started.done && metadata(&started).state() == State::Pending);
        started.name
    }

    async fn get(&self, name: &str) -> Operation {
        let request = GetOperationRequest { name: name.to_owned() };
        self.client.clone().get_operation(request).await.unwrap().into_inner()
    }

    async fn cancel(&self, name: &str) -> Result<(), Status> {
        let request = CancelOperationRequest { name: name.to_owned() };
        self.client.clone().cancel_operation(request).await.map(|_| ())
    }

    async fn wait(&self, name: &str) -> Operation {
        let request = || {
            let mut request = Request::new(WaitOperationRequest {
                name: name.to_owned(),
                timeout: Some(prost_types::Duration { seconds: 5, nanos: 0 }),
            });
            request
                .metadata_mut()
                .insert("accept-language", "zh-CN".parse().unwrap());
            request
        };
        eventually("the operation has ended", LIMIT, async || {
            let operation = self
                .client
                .clone()
                .wait_operation(request())
                .await
                .unwrap()
                .into_inner();
            operation.done.then_some(operation)
        })
        .await
    }

    async fn until(&self, name: &str, state: State) {
        eventually(state.as_str_name(), LIMIT, async || {
            metadata(&self.get(name).await).state() == state
        })
        .await;
    }
}

fn response(operation: &Operation) -> i64 {
    match operation.result.as_ref().unwrap() {
        operation::Result::Response(response) => response.to_msg().unwrap(),
        operation::Result::Error(error) => panic!("{error:?}"),
    }
}

fn error(operation: &Operation) -> &tonic_types::Status {
    match operation.result.as_ref().unwrap() {
        operation::Result::Error(error) => error,
        operation::Result::Response(response) => panic!("{response:?}"),
    }
}

#[tokio::test]
async fn after_a_crash_in_the_middle_another_process_goes_on_where_it_stopped() {
    let world = World::new().await;
    let first = world.replica(Counter::new(2)).await;
    let name = first.start("test.Count", 5).await;
    eventually("two steps", LIMIT, async || world.steps().await == [1, 2]).await;
    first.running.kill();

    let second = world.replica(Counter::new(100)).await;
    // Nobody else may touch it while the lease holds.
    assert_eq!(metadata(&second.get(&name).await).state(), State::Running);
    world.stage.clock.advance(LONG);
    let ended = second.wait(&name).await;
    assert_eq!(response(&ended), 5);
    assert_eq!(world.steps().await, [1, 2, 3, 4, 5], "each step once");
    let said = metadata(&ended);
    assert_eq!(
        (said.state(), said.attempts, said.author.as_str()),
        (State::Succeeded, 2, "user:li")
    );
    assert_eq!((said.stage.as_str(), said.done, said.total), ("counting", 5, 5));
}

#[tokio::test]
async fn a_process_that_is_asked_to_go_hands_its_work_on_at_once() {
    let world = World::new().await;
    let first = world.replica(Counter::new(1)).await;
    let name = first.start("test.Count", 3).await;
    eventually("a step", LIMIT, async || world.steps().await == [1]).await;
    let second = world.replica(Counter::new(0)).await;
    drop(first.client);
    first.running.kill();
    world.stage.clock.advance(LONG);
    second.until(&name, State::Running).await;
    eventually("taken", LIMIT, async || {
        metadata(&second.get(&name).await).attempts == 2
    })
    .await;
    second.running.stop().await.unwrap();
    // No clock moves here.
    let third = world.replica(Counter::new(9)).await;
    let ended = third.wait(&name).await;
    assert_eq!(
        (response(&ended), metadata(&ended).attempts),
        (3, 2),
        "a drain is no attempt"
    );
    assert_eq!(world.steps().await, [1, 2, 3]);
}

#[tokio::test]
async fn an_operation_that_is_cancelled_stops_and_says_so_in_the_callers_language() {
    let world = World::new().await;
    let replica = world.replica(Counter::new(1)).await;
    let name = replica.start("test.Count", 3).await;
    replica.until(&name, State::Running).await;
    eventually("a step", LIMIT, async || world.steps().await == [1]).await;
    let delete = DeleteOperationRequest { name: name.clone() };
    let early = replica
        .client
        .clone()
        .delete_operation(delete.clone())
        .await
        .unwrap_err();
    assert_eq!(early.code(), Code::FailedPrecondition);
    assert_eq!(early.get_error_details().error_info().unwrap().reason, "STATE_FORBIDS");

    replica.cancel(&name).await.unwrap();
    let ended = replica.wait(&name).await;
    let error = error(&ended);
    assert_eq!(error.code, i32::from(Code::Cancelled));
    let details = error.get_error_details();
    assert_eq!(details.error_info().unwrap().reason, "OPERATION_CANCELLED");
    assert_eq!(details.localized_message().unwrap().message, "操作已取消。");
    assert_eq!(metadata(&ended).state(), State::Cancelled);
    assert_eq!(world.steps().await, [1]);
    // Again changes nothing, and what has ended may be forgotten.
    replica.cancel(&name).await.unwrap();
    assert_eq!(replica.get(&name).await.done, ended.done);
    replica.client.clone().delete_operation(delete.clone()).await.unwrap();
    let gone = replica.client.clone().delete_operation(delete).await.unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
}

#[tokio::test]
async fn what_nobody_works_on_is_cancelled_at_once() {
    let world = World::new().await;
    let replica = world.replica(Counter::new(0)).await;
    // Of a kind that this version does not know: left to those that do.
    let name = replica.start("test.OfTheNextVersion", 1).await;
    replica.cancel(&name).await.unwrap();
    let ended = replica.get(&name).await;
    assert_eq!(metadata(&ended).state(), State::Cancelled);
    assert_eq!(metadata(&ended).attempts, 0);
}

#[tokio::test]
async fn two_replicas_do_each_operation_once() {
    let world = World::new().await;
    let replicas = [
        world.replica(Counter::new(1000)).await,
        world.replica(Counter::new(1000)).await,
    ];
    let mut names = Vec::new();
    for round in 0..24 {
        names.push(replicas[round % 2].start("test.Count", 3).await);
    }
    for name in &names {
        let ended = replicas[0].wait(name).await;
        assert_eq!((response(&ended), metadata(&ended).attempts), (3, 1));
    }
    assert_eq!(world.steps().await.len(), 24 * 3);
}

#[tokio::test]
async fn whoever_lost_the_lease_can_write_nothing_any_more() {
    let world = World::new().await;
    let room = Counter::new(1);
    let replica = world.replica(room.clone()).await;
    let name = replica.start("test.Count", 3).await;
    eventually("a step", LIMIT, async || world.steps().await == [1]).await;
    // As another replica does that believes the first to be dead, and then dies itself.
    world
        .owner("UPDATE chassis.operation SET lease = gen_random_uuid(), due_time = due_time + interval '1 hour'")
        .await;
    room.gate.add_permits(1);
    eventually("the step was tried", LIMIT, async || room.gate.available_permits() == 0).await;
    world.stage.clock.advance(SignedDuration::from_hours(2));
    room.gate.add_permits(9);
    let ended = replica.wait(&name).await;
    assert_eq!((response(&ended), metadata(&ended).attempts), (3, 2));
    assert_eq!(world.steps().await, [1, 2, 3]);
}

#[tokio::test]
async fn what_cannot_be_reached_is_tried_again_and_what_is_refused_is_not() {
    let world = World::new().await;
    let room = Counter::new(100);
    let replica = world.replica(room.clone()).await;
    room.failures.lock().unwrap().push(Refusal::unavailable("a neighbour"));
    let name = replica.start("test.Count", 1).await;
    replica.until(&name, State::Retrying).await;
    world.stage.clock.advance(SignedDuration::from_secs(3));
    assert_eq!(response(&replica.wait(&name).await), 1);

    room.failures
        .lock()
        .unwrap()
        .push(Refusal::not_found("tenants/acme/tasks/x"));
    let name = replica.start("test.Count", 1).await;
    let ended = replica.wait(&name).await;
    let info = error(&ended).get_error_details();
    assert_eq!(info.error_info().unwrap().reason, "RESOURCE_NOT_FOUND");
    assert_eq!(metadata(&ended).state(), State::Failed);

    let name = replica.start("test.Panic", 1).await;
    let ended = replica.wait(&name).await;
    assert_eq!(error(&ended).code, i32::from(Code::Internal));
    assert!(!format!("{ended:?}").contains("hunter2"));
}

#[tokio::test]
async fn operations_are_listed_for_their_own_tenant_by_who_may() {
    let world = World::new().await;
    let replica = world.replica(Counter::new(1)).await;
    let done = replica.start("test.Count", 1).await;
    replica.wait(&done).await;
    world.stage.clock.advance(SignedDuration::from_secs(1));
    let waiting = replica.start("test.Count", 1).await;
    let list = |filter: &str, tenant: &str| ListOperationsRequest {
        name: format!("tenants/{tenant}"),
        filter: filter.to_owned(),
        page_size: 1,
        ..ListOperationsRequest::default()
    };
    let mut client = replica.client.clone();
    let open = client
        .list_operations(list("done = false", "acme"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(open.operations[0].name, waiting);
    assert!(open.next_page_token.is_empty());
    let first = client.list_operations(list("", "acme")).await.unwrap().into_inner();
    let mut next = list("", "acme");
    next.page_token = first.next_page_token;
    let second = client.list_operations(next).await.unwrap().into_inner();
    assert_eq!(
        (&first.operations[0].name, &second.operations[0].name),
        (&waiting, &done)
    );
    let foreign = client.list_operations(list("", "globex")).await.unwrap_err();
    assert_eq!(foreign.code(), Code::NotFound);

    // Another tenant's looks like one that is missing.
    let stranger = world.stage.token("user:x", "globex", &["admin"]);
    let mut stranger = OperationsClient::new(world.stage.connect(replica.running.address, &stranger).await);
    let missing = stranger
        .get_operation(GetOperationRequest { name: done.clone() })
        .await
        .unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    // Who may read may not cancel, and the permission is that of the service.
    let analyst = world.stage.token("user:y", "acme", &["analyst"]);
    let mut analyst = OperationsClient::new(world.stage.connect(replica.running.address, &analyst).await);
    analyst
        .get_operation(GetOperationRequest { name: done.clone() })
        .await
        .unwrap();
    let refused = analyst
        .cancel_operation(CancelOperationRequest { name: done })
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let details = refused.get_error_details();
    assert_eq!(
        details.error_info().unwrap().metadata["permission"],
        "classifier.operations.cancel"
    );
}
