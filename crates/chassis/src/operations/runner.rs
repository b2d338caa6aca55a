//! Takes operations that are due, under a lease, and sees each to its end.

use std::{panic::AssertUnwindSafe, pin::pin, sync::Arc, time::Duration};

use futures::FutureExt as _;
use huiyin_proto::google::longrunning::operations_server::OperationsServer;
use jiff::SignedDuration;
use tracing::Instrument as _;
use uuid::Uuid;

use super::{
    Operations, api, convert,
    record::Progress,
    run::{Ended, Run, Signal},
    store,
};
use crate::{
    clock::Clock,
    db::Database,
    error::Refusal,
    name::Tenant,
    secret,
    service::Service,
    tasks::{MoreToDo, Shutdown},
};

/// So many operations run at once in a process.
const LANES: usize = 2;
/// How often a lane looks for work by itself.
const PAUSE: Duration = Duration::from_millis(500);
/// Whoever has not been heard of for so long has lost its operation.
const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// How often the lease is moved along.
const BEAT: Duration = Duration::from_secs(1);
/// Whoever is to stop may take so long.
const GRACE: Duration = Duration::from_secs(5);
/// The first pause before another attempt, doubled each time up to 2⁷ of it.
const BACKOFF: SignedDuration = SignedDuration::from_secs(2);
/// After so many attempts an operation ends with what it failed with: about an hour.
const MOST_ATTEMPTS: i32 = 20;
/// What ended is forgotten after this.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What a room does for its operations.
pub trait CarryOut: Send + Sync + 'static {
    /// The kinds that this version of the room knows, e.g. `classifier.TrainModel`.
    const KINDS: &'static [&'static str];

    /// Does the work, and ends it with [`Run::finish`]. It may be begun again after a crash, from the start or from what it
    /// kept; what it does before the end, it does in transactions of [`Run::begin`]. An error that is transient
    /// ([`Refusal::is_transient`]) is tried again; any other ends the operation.
    fn carry_out(&self, run: &Run) -> impl Future<Output = Result<Ended, Refusal>> + Send;
}

/// Serves the operations of a service and carries them out until the shutdown.
///
/// # Errors
/// Where a method of the service does not say who may call it.
pub fn run<R: CarryOut>(service: &mut Service, room: Arc<R>) -> anyhow::Result<()> {
    let server = OperationsServer::new(api::Api {
        database: service.database.clone(),
        operations: service.operations.clone(),
        page_tokens: service.page_tokens.clone(),
    });
    let server = server.max_decoding_message_size(service.server.message_bytes());
    service.server.add(server)?;
    let runner = Arc::new(Runner {
        database: service.database.clone(),
        clock: service.clock.clone(),
        operations: service.operations.clone(),
        shutdown: service.shutdown.clone(),
        room,
    });
    for _ in 0..LANES {
        let runner = Arc::clone(&runner);
        service.tasks.spawn("operations", async move {
            runner.lane().await;
            Ok(())
        });
    }
    let (database, clock) = (service.database.clone(), service.clock.clone());
    service
        .tasks
        .tick("old operations", Duration::from_secs(3600), move || {
            let (database, clock) = (database.clone(), clock.clone());
            async move {
                let mut tx = database.worker().await?;
                store::forget(&mut tx, clock.now() - KEPT).await?;
                tx.commit().await?;
                Ok(MoreToDo(false))
            }
        });
    Ok(())
}

struct Runner<R> {
    database: Database,
    clock: Clock,
    operations: Operations,
    shutdown: Shutdown,
    room: Arc<R>,
}

/// Why an operation is to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Cancelled,
    Shutdown,
    Lost,
}

/// Stops what still runs in a thread when nobody waits for it any more.
struct StopOnDrop(Signal);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl<R: CarryOut> Runner<R> {
    async fn lane(&self) {
        while !self.shutdown.is_requested() {
            let taken = self.take().await.unwrap_or_else(|refusal| {
                tracing::warn!(error = %refusal, "operations cannot be taken");
                None
            });
            match taken {
                Some((run, is_cancelled)) => {
                    let span = tracing::info_span!("operation", kind = run.kind, id = %run.id, attempt = run.attempt);
                    self.see_to_its_end(run, is_cancelled).instrument(span).await;
                }
                None => {
                    tokio::select! {
                        () = self.operations.started.notified() => {}
                        _ = self.shutdown.sleep(PAUSE) => {}
                    }
                }
            }
        }
    }

    async fn take(&self) -> Result<Option<(Run, bool)>, Refusal> {
        let lease = Uuid::from_bytes(secret::random_bytes());
        let mut tx = self.database.worker().await?;
        let taken = store::take(&mut tx, R::KINDS, lease, LEASE, self.clock.now()).await?;
        tx.commit().await?;
        let Some(taken) = taken else { return Ok(None) };
        let run = Run {
            tenant: Tenant::stored(&taken.tenant_id)?,
            id: taken.operation_id,
            kind: taken.kind,
            author: taken.author,
            attempt: taken.attempts,
            request: taken.request,
            checkpoint: taken.checkpoint,
            lease,
            database: self.database.clone(),
            clock: self.clock.clone(),
            signal: Signal::begin_at(Progress {
                stage: taken.stage,
                done: taken.done,
                total: taken.total,
            }),
        };
        Ok(Some((run, taken.is_cancelled)))
    }

    async fn see_to_its_end(&self, run: Run, is_cancelled: bool) {
        let (outcome, stop) = if is_cancelled {
            (None, Some(Stop::Cancelled))
        } else if run.attempt > MOST_ATTEMPTS {
            // Whoever carried it out before never came to say what was wrong.
            let gone = anyhow::anyhow!(
                "operation {} was begun {} times and never came to an end",
                run.id,
                run.attempt
            );
            (Some(Err(Refusal::fault(gone))), None)
        } else {
            self.carry_out(&run).await
        };
        let written = match (outcome, stop) {
            (Some(Ok(Ended { .. })), _) => Ok(()),
            (_, Some(Stop::Lost)) => {
                tracing::warn!("the lease of an operation was lost; somebody else has it");
                return;
            }
            (_, Some(Stop::Shutdown)) => self.give_back(&run, None).await,
            (_, Some(Stop::Cancelled)) => self.fail(&run, Refusal::operation_cancelled()).await,
            (Some(Err(refusal)), None) if refusal.is_transient() && run.attempt < MOST_ATTEMPTS => {
                tracing::warn!(error = %refusal, "an operation failed for now; it is tried again");
                self.give_back(&run, Some(run.attempt)).await
            }
            (Some(Err(refusal)), None) => self.fail(&run, refusal).await,
            (None, None) => Ok(()),
        };
        if let Err(refusal) = written {
            // The lease runs out, and it is taken again.
            tracing::warn!(error = %refusal, "how an operation ended could not be written");
        }
        self.operations.ended.send_modify(|count| *count += 1);
    }

    async fn carry_out(&self, run: &Run) -> (Option<Result<Ended, Refusal>>, Option<Stop>) {
        let _stop_on_drop = StopOnDrop(run.signal());
        let work = AssertUnwindSafe(self.room.carry_out(run)).catch_unwind();
        let work = async { work.await.unwrap_or_else(|panic| Err(Refusal::panicked(&*panic))) };
        let mut work = pin!(work);
        let stop = tokio::select! {
            biased;
            outcome = &mut work => return (Some(outcome), None),
            stop = self.watch(run) => stop,
        };
        run.signal.stop();
        (tokio::time::timeout(GRACE, work).await.ok(), Some(stop))
    }

    /// Keeps the lease; ends when the operation is to stop.
    async fn watch(&self, run: &Run) -> Stop {
        loop {
            if !self.shutdown.sleep(BEAT).await {
                return Stop::Shutdown;
            }
            match self.beat(run).await {
                Ok(Some(false)) => {}
                Ok(Some(true)) => return Stop::Cancelled,
                Ok(None) => return Stop::Lost,
                // Whether the lease is lost, the next beat will tell; until then nothing can be written anyway.
                Err(refusal) => tracing::warn!(error = %refusal, "the lease of an operation could not be kept"),
            }
        }
    }

    async fn beat(&self, run: &Run) -> Result<Option<bool>, Refusal> {
        let progress = run.signal.progress();
        let mut tx = self.database.worker().await?;
        let heard = store::beat(
            &mut tx,
            &run.tenant,
            (run.id, run.lease),
            &progress,
            LEASE,
            self.clock.now(),
        )
        .await?;
        tx.commit().await?;
        Ok(heard)
    }

    async fn fail(&self, run: &Run, refusal: Refusal) -> Result<(), Refusal> {
        tracing::info!(error = %refusal, "an operation ended without a response");
        let mut tx = self.database.worker().await?;
        let error = convert::kept(refusal);
        store::fail(&mut tx, &run.tenant, (run.id, run.lease), &error, self.clock.now()).await?;
        tx.commit().await
    }

    /// `failed` is the attempt that failed; none where it was only cut short.
    async fn give_back(&self, run: &Run, failed: Option<i32>) -> Result<(), Refusal> {
        let pause = failed.map_or(SignedDuration::ZERO, |attempt| {
            BACKOFF * (1 << (attempt.clamp(1, 8) - 1))
        });
        let mut tx = self.database.worker().await?;
        store::give_back(
            &mut tx,
            &run.tenant,
            (run.id, run.lease),
            failed.is_some(),
            self.clock.now() + pause,
        )
        .await?;
        tx.commit().await
    }
}
