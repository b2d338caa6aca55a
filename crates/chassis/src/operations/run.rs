//! What a room has in hand while it carries out an operation.

use std::sync::{Arc, Mutex, PoisonError};

use prost::{Message, Name};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{packed, record::Progress, store};
use crate::{
    clock::Clock,
    db::{Database, Transaction},
    error::Refusal,
    name::Tenant,
};

/// One attempt at an operation.
#[derive(Debug)]
pub struct Run {
    /// Whose it is.
    pub tenant: Tenant,
    /// Its id.
    pub id: Uuid,
    /// Its kind, e.g. `classifier.TrainModel`.
    pub kind: String,
    /// Who started it.
    pub author: String,
    /// 1 for the first attempt; more after a crash, or where something could not be reached.
    pub attempt: i32,
    pub(super) request: Vec<u8>,
    pub(super) checkpoint: Option<Vec<u8>>,
    pub(super) lease: Uuid,
    pub(super) database: Database,
    pub(super) clock: Clock,
    pub(super) signal: Signal,
}

/// The proof that an operation has ended well: only [`Run::finish`] gives it.
#[derive(Debug)]
pub struct Ended(());

impl Run {
    /// What was asked.
    ///
    /// # Errors
    /// A fault where it was started with another message.
    pub fn request<M: Message + Default>(&self) -> Result<M, Refusal> {
        M::decode(self.request.as_slice()).map_err(Refusal::fault)
    }

    /// What an attempt before this one kept with [`Run::keep`].
    ///
    /// # Errors
    /// A fault where it kept another message.
    pub fn checkpoint<M: Message + Default>(&self) -> Result<Option<M>, Refusal> {
        let kept = self.checkpoint.as_deref().map(M::decode);
        kept.transpose().map_err(Refusal::fault)
    }

    /// Tells how far it is and hears whether to go on; may go where no `await` can.
    #[must_use]
    pub fn signal(&self) -> Signal {
        self.signal.clone()
    }

    /// As [`Signal::report`].
    pub fn report(&self, stage: &str, done: usize, total: usize) -> bool {
        self.signal.report(stage, done, total)
    }

    /// Begins a transaction of the tenant that holds the operation's row: what is done in it is done by whoever holds the
    /// lease, and by nobody else.
    ///
    /// # Errors
    /// CANCELLED where it was asked to stop, ABORTED where the lease is lost, UNAVAILABLE where the database is gone. Return
    /// it: the runner knows what it means.
    pub async fn begin(&self) -> Result<Transaction, Refusal> {
        let mut tx = self.database.tenant(&self.tenant).await?;
        match store::hold(&mut tx, &self.tenant, self.id, self.lease).await? {
            Some(true) => Err(Refusal::operation_cancelled()),
            Some(false) => Ok(tx),
            None => Err(self.lost()),
        }
    }

    /// Keeps what the next attempt needs to go on from here, in the transaction of what has been done ([`Run::begin`]).
    ///
    /// # Errors
    /// UNAVAILABLE where the database is gone.
    pub async fn keep(&self, tx: &mut Transaction, checkpoint: &impl Message) -> Result<(), Refusal> {
        store::keep(tx, &self.tenant, self.id, &checkpoint.encode_to_vec()).await
    }

    /// Ends the operation with its response, in the transaction of its last effect ([`Run::begin`]).
    ///
    /// # Errors
    /// ABORTED where the lease is lost, UNAVAILABLE where the database is gone.
    pub async fn finish<M: Message + Name>(&self, mut tx: Transaction, response: &M) -> Result<Ended, Refusal> {
        let response = packed(response).encode_to_vec();
        let progress = self.signal.progress();
        let ours = store::finish(
            &mut tx,
            &self.tenant,
            (self.id, self.lease),
            &progress,
            &response,
            self.clock.now(),
        )
        .await?;
        if !ours {
            return Err(self.lost());
        }
        tx.commit().await?;
        Ok(Ended(()))
    }

    fn lost(&self) -> Refusal {
        Refusal::etag_mismatch(&self.tenant.child(super::convert::COLLECTION, self.id))
    }
}

/// The line between an operation and its runner. Clones share it; it may go into a thread.
#[derive(Debug, Clone, Default)]
pub struct Signal {
    stop: CancellationToken,
    progress: Arc<Mutex<Progress>>,
}

impl Signal {
    /// Says how far the operation is; the runner writes it down about once a second, so it may be said often. `total` is 0
    /// while it is not known. False where the operation is to stop: cancelled, the process is going, or the lease is lost.
    pub fn report(&self, stage: &str, done: usize, total: usize) -> bool {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        if progress.stage != stage {
            stage.clone_into(&mut progress.stage);
        }
        progress.done = i64::try_from(done).unwrap_or(i64::MAX);
        progress.total = i64::try_from(total).unwrap_or(i64::MAX);
        !self.is_stopped()
    }

    /// True where the operation is to stop. What it returns then does not matter.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Ends when the operation is to stop.
    pub async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    pub(super) fn stop(&self) {
        self.stop.cancel();
    }

    pub(super) fn progress(&self) -> Progress {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn begin_at(progress: Progress) -> Self {
        Self {
            stop: CancellationToken::new(),
            progress: Arc::new(Mutex::new(progress)),
        }
    }
}
