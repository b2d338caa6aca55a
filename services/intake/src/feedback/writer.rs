//! The group commit: whoever arrives while one batch is being committed goes into the next; everybody is answered after
//! the commit, and nobody pays for another one's mistake.

use std::{collections::HashSet, sync::Arc, time::Duration};

use huiyin_chassis::{Refusal, ServiceConfig, Shutdown, Tasks, Tenant, Transaction, repeat::Repeatable};
use prost::Message as _;
use tokio::sync::{Mutex, mpsc, oneshot};
use tonic::Code;
use uuid::Uuid;

use crate::feedback::{
    convert::{self, Answer},
    domain::Accepted,
    ledger::Ledger,
    rush::Rush,
    store::{
        self,
        batch::{Answered, Stored},
    },
};
use crate::{config::WriterConfig, error::Error, events::FEEDBACKS};

/// A request that ran somewhere else at the same time is found answered at the next attempt; more attempts are needed only
/// where the other one was rolled back in between.
const ATTEMPTS: u32 = 5;

/// Each writer has so many connections: one for its batch, and one to spare while the server closes the other behind its back.
const CONNECTIONS: u32 = 2;

/// Where feedback is handed in to be stored. Clones hand in to the same writers.
#[derive(Clone)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Submission>,
    rush: Rush,
}

/// One feedback on its way into the store.
struct Submission {
    tenant: Tenant,
    accepted: Accepted,
    repeat: Option<Repeatable>,
    caller: oneshot::Sender<Result<Answer, Refusal>>,
    /// What the caller is told once the transaction is committed.
    outcome: Option<Result<Answer, Refusal>>,
}

/// Why an attempt to commit a batch failed.
enum Failure {
    /// One of its requests was answered somewhere else in the meantime.
    Collision,
    /// The database refused.
    Refused(Refusal),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Writer {
    /// Starts the writers. They end when nobody is left who could hand anything in or, at the latest, with the drain; what
    /// was handed in is stored before.
    pub(crate) fn start(
        tasks: &mut Tasks,
        shutdown: &Shutdown,
        ledger: &Ledger,
        config: &WriterConfig,
        service: &ServiceConfig,
    ) -> Self {
        let (sender, receiver) = mpsc::channel(config.queue.max(1));
        let queue = Arc::new(Mutex::new(receiver));
        let drain = Duration::from_millis(service.limits.drain_notice_ms.saturating_add(service.limits.drain_ms));
        for _ in 0..config.writers.max(1) {
            let (queue, ledger, shutdown, limit) = (
                Arc::clone(&queue),
                ledger.clone(),
                shutdown.clone(),
                config.batch.max(1),
            );
            // Everybody waits for it: it must not wait for its turn among them.
            tasks.spawn_apart("writer", move || async move {
                let ledger = ledger.apart(CONNECTIONS);
                write(&queue, &ledger, limit, async {
                    shutdown.requested().await;
                    tokio::time::sleep(drain).await;
                })
                .await;
                ledger.database.close().await;
                Ok(())
            });
        }
        Self {
            queue: sender,
            rush: ledger.rush.clone(),
        }
    }

    /// Whether somebody waits for the next batch, or feedback pours in: what need not be done now had better wait.
    pub(crate) fn is_busy(&self) -> bool {
        self.queue.capacity() < self.queue.max_capacity() || self.rush.is_on()
    }

    /// Stores a feedback; returns when it is durable. A request that was answered before gets the same answer.
    ///
    /// # Errors
    /// ALREADY_EXISTS for an external id that is taken or a request id that was used for another body.
    pub(crate) async fn submit(
        &self,
        tenant: Tenant,
        accepted: Accepted,
        repeat: Option<Repeatable>,
    ) -> Result<Answer, Refusal> {
        let (caller, answer) = oneshot::channel();
        let submission = Submission {
            tenant,
            accepted,
            repeat,
            caller,
            outcome: None,
        };
        self.queue
            .send(submission)
            .await
            .map_err(|_| Refusal::unavailable("the service stops"))?;
        answer.await.map_err(|_| Refusal::unavailable("the writer stopped"))?
    }
}

async fn write(
    queue: &Mutex<mpsc::Receiver<Submission>>,
    ledger: &Ledger,
    limit: usize,
    drained: impl Future<Output = ()>,
) {
    tokio::pin!(drained);
    loop {
        let mut batch = Vec::new();
        let taken = {
            let mut queue = queue.lock().await;
            tokio::select! {
                taken = queue.recv_many(&mut batch, limit) => taken,
                () = &mut drained, if !queue.is_closed() => {
                    queue.close();
                    continue;
                }
            }
        };
        if taken == 0 {
            return;
        }
        ledger.rush.note(taken);
        // Whoever went away before anything was stored has not been told anything either.
        batch.retain(|submission| !submission.caller.is_closed());
        while !batch.is_empty() {
            let later = repetitions(&mut batch);
            settle(ledger, batch).await;
            batch = later;
        }
    }
}

/// Takes those out whose request id is in the batch already: they find the answer of the first when that is settled.
fn repetitions(batch: &mut Vec<Submission>) -> Vec<Submission> {
    let mut seen: HashSet<(Tenant, String, Uuid)> = HashSet::new();
    let is_repeated = |submission: &mut Submission| {
        let Some((caller, _, id, _)) = submission.repeat.as_ref().map(Repeatable::parts) else {
            return false;
        };
        !seen.insert((submission.tenant.clone(), caller.to_owned(), id))
    };
    batch.extract_if(.., is_repeated).collect()
}

/// Commits a batch and answers everybody in it.
async fn settle(ledger: &Ledger, mut batch: Vec<Submission>) {
    // Always in the same order: see `store::batch::store`.
    batch.sort_by(|left, right| left.tenant.cmp(&right.tenant));
    // A request that comes again finds its own files taken, and would be refused for them before its answer cannot be kept.
    let brings_files = |submission: &Submission| {
        let mut evidence = submission.accepted.feedback.facts.attachments.iter();
        submission.repeat.is_some() && evidence.any(|reference| reference.uploaded.is_some())
    };
    let before = if batch.iter().any(brings_files) {
        Before::Possible
    } else {
        Before::Unlikely
    };
    let mut outcome = attempt(ledger, &mut batch, before).await;
    if matches!(outcome, Err(Failure::Collision)) {
        outcome = attempt(ledger, &mut batch, Before::Possible).await;
    }
    match outcome {
        Ok(()) => batch.into_iter().for_each(Submission::answer),
        Err(Failure::Refused(refusal)) if batch.len() == 1 || refusal.is_transient() => refuse(batch, refusal),
        // Something is wrong with one of them: only the culprit shall be refused.
        Err(_) => {
            for submission in batch {
                settle_alone(ledger, submission).await;
            }
        }
    }
}

async fn settle_alone(ledger: &Ledger, submission: Submission) {
    let mut alone = [submission];
    let mut failure = Refusal::unavailable("a request was being worked on somewhere else");
    for _ in 0..ATTEMPTS {
        match attempt(ledger, &mut alone, Before::Possible).await {
            Ok(()) => {
                alone.into_iter().for_each(Submission::answer);
                return;
            }
            Err(Failure::Collision) => {}
            Err(Failure::Refused(refusal)) => {
                failure = refusal;
                break;
            }
        }
    }
    refuse(alone.into(), failure);
}

/// Answers everybody with the refusal; it was logged when it was made, and is not logged once more for each.
fn refuse(batch: Vec<Submission>, refusal: Refusal) {
    let mut first = Some(refusal);
    for submission in batch {
        let refusal = first.take().unwrap_or_else(|| {
            Refusal::new(
                Code::Unavailable,
                "huiyin",
                "DEPENDENCY_UNAVAILABLE",
                "a dependency of the service is unavailable",
            )
        });
        // A caller that went away needs no answer.
        let _ = submission.caller.send(Err(refusal));
    }
}

/// Whether requests of a batch may have been answered before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Nobody looks: nearly every request is new, and one that is not shows when its answer cannot be kept.
    Unlikely,
    /// Answers are looked up first.
    Possible,
}

/// Tries to commit a batch, sorted by tenant, in one transaction.
async fn attempt(ledger: &Ledger, batch: &mut [Submission], before: Before) -> Result<(), Failure> {
    batch.iter_mut().for_each(|submission| submission.outcome = None);
    // Before the transaction: who holds a connection must not wait for another one.
    for lot in batch.chunk_by_mut(|left, right| left.tenant == right.tenant) {
        let tenant = lot[0].tenant.clone();
        let accepted = lot.iter_mut().map(|submission| &mut submission.accepted).collect();
        ledger.give_numbers(&tenant, accepted).await?;
    }
    let mut effect = None;
    for lot in batch.chunk_by_mut(|left, right| left.tenant == right.tenant) {
        let tenant = lot[0].tenant.clone();
        let mut tx = enter(ledger, effect.take(), &tenant).await?;
        if before == Before::Possible {
            find_answers(&mut tx, &tenant, lot.iter_mut().collect()).await?;
        }
        store_lot(ledger, &mut tx, &tenant, lot).await?;
        effect = Some(tx);
    }
    if let Some(tx) = effect {
        tx.commit().await?;
    }
    Ok(())
}

/// A transaction in the tenant: the one given, or a new one.
async fn enter(ledger: &Ledger, tx: Option<Transaction>, tenant: &Tenant) -> Result<Transaction, Refusal> {
    match tx {
        None => ledger.database.tenant(tenant).await,
        Some(mut tx) => {
            tx.enter(tenant).await?;
            Ok(tx)
        }
    }
}

/// Finds those of the requests that were answered before.
async fn find_answers(tx: &mut Transaction, tenant: &Tenant, submissions: Vec<&mut Submission>) -> Result<(), Refusal> {
    let requests: Vec<&Repeatable> = submissions
        .iter()
        .filter_map(|submission| submission.repeat.as_ref())
        .collect();
    let mut given = store::answers::find(tx, tenant, &requests).await?;
    for submission in submissions {
        let Some((caller, _, id, hash)) = submission.repeat.as_ref().map(Repeatable::parts) else {
            continue;
        };
        if let Some(given) = given.remove(&(caller.to_owned(), id)) {
            submission.outcome = Some(if given.body_hash == hash {
                Answer::decode(given.answer.as_slice()).map_err(Refusal::fault)
            } else {
                Err(Refusal::request_id_reused())
            });
        }
    }
    Ok(())
}

/// Stores what is new among the submissions of one tenant, with their answers.
async fn store_lot(
    ledger: &Ledger,
    tx: &mut Transaction,
    tenant: &Tenant,
    lot: &mut [Submission],
) -> Result<(), Failure> {
    let mut fresh: Vec<&mut Submission> = lot
        .iter_mut()
        .filter(|submission| submission.outcome.is_none())
        .collect();
    let mut incomplete: Vec<&mut Accepted> = fresh.iter_mut().map(|submission| &mut submission.accepted).collect();
    ledger.complete(tx, tenant, &mut incomplete).await?;
    let (mut feedbacks, mut answers) = (Vec::with_capacity(fresh.len()), Vec::new());
    for submission in fresh {
        let Accepted { feedback, .. } = &submission.accepted;
        let answer = convert::answer(tenant, feedback.clone());
        answers.extend(submission.repeat.as_ref().map(|request| Answered {
            feedback: feedback.id,
            request,
            answer: answer.encode_to_vec(),
        }));
        feedbacks.push(&submission.accepted);
        submission.outcome = Some(Ok(answer));
    }
    let Stored { taken, is_answered } = ledger.store(tx, tenant, &feedbacks, &answers).await?;
    if !is_answered {
        return Err(Failure::Collision);
    }
    let mut left_out = Vec::with_capacity(taken.len());
    for submission in lot {
        let feedback = &submission.accepted.feedback;
        if let Some(holder) = taken.get(&feedback.id) {
            let taken = Error::ExternalIdTaken {
                external_id: feedback.facts.external_id.clone(),
                feedback: tenant.child(FEEDBACKS, holder),
            };
            submission.outcome = Some(Err(taken.into()));
            left_out.push(submission);
        }
    }
    // It may have been this very request, worked on somewhere else, that took the external id since we looked.
    find_answers(tx, tenant, left_out).await?;
    Ok(())
}

impl Submission {
    fn answer(self) {
        let outcome = self.outcome.unwrap_or_else(|| {
            Err(Refusal::fault(anyhow::anyhow!(
                "a feedback of a committed batch has no outcome"
            )))
        });
        // A caller that went away needs no answer.
        let _ = self.caller.send(outcome);
    }
}
